#include "operators/interval_join.h"

#include <arrow/array.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "operators/row_times.h"
#include "state/keyed_log.h"

namespace laminar {
namespace {

constexpr int64_t kPrefetchRows = 16;
constexpr int64_t kForEver = kMaxWatermark - 1;  // the end of all input lets such rows go too

int64_t AddClamped(int64_t time, int64_t offset) {
  int64_t sum;
  if (__builtin_add_overflow(time, offset, &sum)) return offset > 0 ? kForEver : kMinWatermark;
  return std::min(sum, kForEver);
}

/// A kept row is its own time (8 bytes), then row bytes; LogRow::time is until when it is kept.
int64_t TimeOf(const LogRow& row) {
  int64_t time;
  std::memcpy(&time, row.bytes().data(), sizeof(time));
  return time;
}
std::string_view RowOf(const LogRow& row) { return row.bytes().substr(sizeof(int64_t)); }

class IntervalJoin final : public Operator {
 public:
  explicit IntervalJoin(IntervalJoinOptions options)
      : options_(std::move(options)),
        rows_(options_.join),
        keys_(rows_.KeyTypes()),
        left_(rows_.KeyTypes(), {.expires = true}),
        right_(rows_.KeyTypes(), {.expires = true}) {}

  std::vector<StateTableSpec> state_tables() const override {
    std::vector<StateTableSpec> tables{rows_.Table("left", kLeftInput), rows_.Table("right", kRightInput)};
    for (StateTableSpec& table : tables) {  // the log's own time is when the row may go
      table.value[0].columns[0].name = "expires";
      table.value.insert(table.value.begin() + 1, StatePart::Plain({{"time", Type::Timestamp()}}));
    }
    return tables;
  }
  void OnBatch(int input, Batch batch, Output& out) override;
  void OnWatermark(int64_t watermark_us, Output& out) override;
  void OnFlush(Output& out) override {
    left_.Maintain();
    right_.Maintain();
    context_.metrics->state_rows.Set(left_.size() + right_.size());
  }
  void Snapshot(SnapshotWriter& writer) override {
    left_.Snapshot(writer, "left");
    right_.Snapshot(writer, "right");
  }
  void Restore(const SnapshotReader& reader) override {
    left_.Restore(reader, "left");
    right_.Restore(reader, "right");
  }
  bool RestoresChanges() const override { return true; }
  void RestoreChanges(const SnapshotReader& changes) override {
    left_.RestoreChanges(changes, "left");
    right_.RestoreChanges(changes, "right");
  }

 private:
  KeyedLog& log(int input) { return input == kLeftInput ? left_ : right_; }
  bool padded(int input) const { return IsPadded(options_.join.kind, input); }
  bool counts() const { return options_.join.kind != JoinKind::kInner; }

  void SelectRows(const Batch& batch, const RowTimes& times);
  void FindPairs(const Batch& batch, const RowTimes& times, Output& out);
  bool InBounds(int64_t time, int64_t other_time) const;
  void MeetCandidates(const Batch& batch, Output& out);
  void Keep(const Batch& batch, const RowTimes& times, Output& out);
  void KeepUntil(const Batch& batch, const RowTimes& times);
  void LetGo(int input, int64_t watermark_us, Output& out);
  void EmitPairs(const Batch& batch, Output& out);
  int64_t HoldBack() const;

  IntervalJoinOptions options_;
  JoinRows rows_;
  KeyBatch keys_;
  KeyedLog left_;
  KeyedLog right_;
  int64_t watermark_us_ = kMinWatermark;

  // Of the batch at hand.
  int input_ = 0;
  EvalContext eval_;
  std::vector<int32_t> selected_;    // rows that can have partners: key and time are not NULL
  std::vector<uint32_t> slots_;      // of selected_
  std::vector<int64_t> keep_until_;  // of selected_
  std::vector<int32_t> partners_;    // [num_rows], when counts()
  std::vector<LogRow*> candidates_;  // of tested_
  JoinPairs tested_;
  std::vector<int32_t> passing_;
  JoinPairs pairs_;  // to emit
  ByteStrings encoded_;
  std::string kept_bytes_;
};

void IntervalJoin::OnBatch(int input, Batch batch, Output& out) {
  input_ = input;
  eval_ = {context_.clock, context_.clock->now_us()};
  const int time_column = input == kLeftInput ? options_.left_time : options_.right_time;
  const RowTimes times(batch.columns[static_cast<size_t>(time_column)]);
  if (counts()) partners_.assign(static_cast<size_t>(batch.num_rows), 0);
  SelectRows(batch, times);
  keys_.Assign(rows_.KeyColumns(input, batch), batch.num_rows);
  FindPairs(batch, times, out);
  Keep(batch, times, out);
  EmitPairs(batch, out);
}

void IntervalJoin::SelectRows(const Batch& batch, const RowTimes& times) {
  bool all = false;
  rows_.RowsWithKey(input_, batch, &selected_, &all);
  if (all) {
    selected_.resize(static_cast<size_t>(batch.num_rows));
    for (size_t i = 0; i < selected_.size(); ++i) selected_[i] = static_cast<int32_t>(i);
  }
  if (times.has_nulls()) std::erase_if(selected_, [&](int32_t row) { return times.IsNull(row); });
}

bool IntervalJoin::InBounds(int64_t time, int64_t other_time) const {
  const int64_t left = input_ == kLeftInput ? time : other_time,
                right = input_ == kLeftInput ? other_time : time;
  const auto apart = static_cast<__int128>(right) - left;
  if (options_.lower && apart < static_cast<__int128>(options_.lower->offset_us) + !options_.lower->inclusive)
    return false;
  return !options_.upper ||
         apart <= static_cast<__int128>(options_.upper->offset_us) - !options_.upper->inclusive;
}

void IntervalJoin::FindPairs(const Batch& batch, const RowTimes& times, Output& out) {
  KeyedLog& other = log(1 - input_);
  const auto count = static_cast<int64_t>(selected_.size());
  slots_.resize(selected_.size());
  other.FindKeys(keys_, selected_.data(), count, slots_.data());
  for (int64_t i = 0; i < count; ++i) {
    if (i + kPrefetchRows < count)
      __builtin_prefetch(other.first(slots_[static_cast<size_t>(i + kPrefetchRows)]));
    const int32_t row = selected_[static_cast<size_t>(i)];
    for (LogRow* match = other.first(slots_[static_cast<size_t>(i)]); match; match = match->next) {
      if (!InBounds(times[row], TimeOf(*match))) continue;
      candidates_.push_back(match);
      tested_.Add(row, RowOf(*match), 1);
      if (tested_.size() >= kJoinBatchRows) MeetCandidates(batch, out);
    }
  }
  MeetCandidates(batch, out);
}

void IntervalJoin::MeetCandidates(const Batch& batch, Output& out) {
  if (tested_.size() > 0 && !options_.join.predicate && !counts() && pairs_.size() == 0) {
    std::swap(pairs_, tested_);
  } else if (tested_.size() > 0) {
    rows_.Passing(input_, batch, tested_, eval_, &passing_);
    for (int32_t index : passing_) {
      const auto at = static_cast<size_t>(index);
      pairs_.Add(tested_.live[at], tested_.stored[at], 1);
      if (!counts()) continue;
      ++partners_[static_cast<size_t>(tested_.live[at])];
      log(1 - input_).SetMatches(candidates_[at], candidates_[at]->matches + 1);
    }
  }
  tested_.Clear();
  candidates_.clear();
  if (pairs_.size() >= kJoinBatchRows) EmitPairs(batch, out);
}

/// Fills keep_until_.
void IntervalJoin::KeepUntil(const Batch& batch, const RowTimes& times) {
  const bool is_left = input_ == kLeftInput;
  const std::optional<IntervalBound>& bound = is_left ? options_.upper : options_.lower;
  const ExpressionPtr& expression = is_left ? options_.left_keep_until : options_.right_keep_until;
  const int64_t offset =
      !bound ? 0 : (is_left ? bound->offset_us : -bound->offset_us) - (bound->inclusive ? 0 : 1);
  keep_until_.resize(selected_.size());
  for (size_t i = 0; i < selected_.size(); ++i) {
    keep_until_[i] = bound ? AddClamped(times[selected_[i]], offset) : kForEver;
  }
  if (!expression) return;
  const RowTimes until(EvaluateToArray(*expression, batch, eval_));
  for (size_t i = 0; i < selected_.size(); ++i) {
    if (!until.IsNull(selected_[i])) keep_until_[i] = std::min(until[selected_[i]], kForEver);
  }
}

void IntervalJoin::Keep(const Batch& batch, const RowTimes& times, Output& out) {
  KeepUntil(batch, times);
  // Rows that are not kept: those that cannot have partners at all, and those whose partners have all been.
  std::vector<bool> kept(padded(input_) ? static_cast<size_t>(batch.num_rows) : 0);
  size_t count = 0;
  for (size_t i = 0; i < selected_.size(); ++i) {
    if (keep_until_[i] < watermark_us_) continue;
    if (padded(input_)) kept[static_cast<size_t>(selected_[i])] = true;
    selected_[count] = selected_[i];
    keep_until_[count++] = keep_until_[i];
  }
  selected_.resize(count);
  if (padded(input_)) {
    for (int64_t row = 0; row < batch.num_rows; ++row) {
      const auto at = static_cast<size_t>(row);
      if (!kept[at] && partners_[at] == 0) pairs_.Add(static_cast<int32_t>(row), {}, 1);
      if (pairs_.size() >= kJoinBatchRows) EmitPairs(batch, out);
    }
  }
  if (count == 0) return;
  KeyedLog& own = log(input_);
  encoded_.Clear();
  rows_.Encode(input_, batch, selected_.data(), static_cast<int64_t>(count), &encoded_);
  own.FindOrInsertKeys(keys_, selected_.data(), static_cast<int64_t>(count), slots_.data());
  for (size_t i = 0; i < count; ++i) {
    const int64_t time = times[selected_[i]];
    kept_bytes_.assign(reinterpret_cast<const char*>(&time), sizeof(time));
    kept_bytes_.append(encoded_[static_cast<int64_t>(i)]);
    LogRow* row = own.Append(slots_[i], keep_until_[i], 1, kept_bytes_);
    if (counts()) own.SetMatches(row, partners_[static_cast<size_t>(selected_[i])]);
  }
}

void IntervalJoin::EmitPairs(const Batch& batch, Output& out) {
  if (pairs_.size() == 0) return;
  Batch joined = rows_.Output(input_, batch, pairs_);
  pairs_.Clear();
  out.Emit(std::move(joined));
}

void IntervalJoin::OnWatermark(int64_t watermark_us, Output& out) {
  watermark_us_ = watermark_us;
  LetGo(kLeftInput, watermark_us, out);
  LetGo(kRightInput, watermark_us, out);
  const bool at_end = watermark_us == kMaxWatermark;
  out.EmitWatermark(at_end ? watermark_us : AddClamped(watermark_us, -HoldBack()));
}

/// How far behind the watermark padded rows come out.
int64_t IntervalJoin::HoldBack() const {
  int64_t most = 0;
  if (padded(kLeftInput)) most = std::max(most, options_.upper->offset_us);
  if (padded(kRightInput)) most = std::max(most, -options_.lower->offset_us);
  return most;
}

void IntervalJoin::LetGo(int input, int64_t watermark_us, Output& out) {
  if (!padded(input)) {
    log(input).ExpireBefore(watermark_us, nullptr);
    return;
  }
  ByteStrings alone;
  log(input).ExpireBefore(watermark_us, [&](const LogRow& row) {
    if (row.matches == 0) alone.Append(RowOf(row));
  });
  input_ = 1 - input;  // the other input is at hand, with no row
  const Batch nothing = EmptyBatch(input == kLeftInput ? options_.join.right : options_.join.left);
  for (int64_t i = 0; i < alone.size(); ++i) {
    pairs_.Add(-1, alone[i], 1);
    if (pairs_.size() >= kJoinBatchRows) EmitPairs(nothing, out);
  }
  EmitPairs(nothing, out);
}

}  // namespace

std::unique_ptr<Operator> MakeIntervalJoin(IntervalJoinOptions options) {
  LAMINAR_CHECK(HasPairs(options.join.kind), "an interval join that is semi or anti");
  if (options.join.kind != JoinKind::kInner) {
    if (!options.lower || !options.upper || options.left_keep_until || options.right_keep_until) {
      throw UserError(Reason::kUnsupported, {},
                      "an outer interval join needs a lower and an upper bound of fixed length")
          .Hint("write a.ts BETWEEN b.ts - INTERVAL '…' AND b.ts + INTERVAL '…', or use an inner join");
    }
  }
  return std::make_unique<IntervalJoin>(std::move(options));
}

}  // namespace laminar
