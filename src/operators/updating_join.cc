#include "operators/updating_join.h"

#include <arrow/array.h>

#include <limits>
#include <optional>
#include <vector>

#include "base/error.h"
#include "state/keyed_log.h"

namespace laminar {

bool IsUpdating(const UpdatingJoinOptions& options) {
  const JoinKind kind = options.join.kind;
  if (kind != JoinKind::kInner && kind != JoinKind::kSemi) return true;
  return options.left_changelog || options.right_changelog;
}

namespace {

constexpr int64_t kPrefetchRows = 16;  // how far ahead of the walk over matches their rows are asked for

int32_t MultiplyWeights(int32_t a, int32_t b) {
  const int64_t product = static_cast<int64_t>(a) * b;
  if (product > std::numeric_limits<int32_t>::max() || product < -std::numeric_limits<int32_t>::max()) {
    throw QueryError("join: a row would count " + std::to_string(product) +
                     " times, the limit is 2147483647");
  }
  return static_cast<int32_t>(product);
}

/// What the arrival of a row with `weight` does to a kept row with so many partners.
enum class Change { kNone, kFirstPartner, kLastPartner };
Change ChangeOf(int64_t before, int64_t after) {
  if (before <= 0 && after > 0) return Change::kFirstPartner;
  if (before > 0 && after <= 0) return Change::kLastPartner;
  return Change::kNone;
}

class UpdatingJoin final : public Operator {
 public:
  explicit UpdatingJoin(UpdatingJoinOptions options)
      : options_(std::move(options)),
        rows_(options_.join),
        updating_(IsUpdating(options_)),
        keys_(rows_.KeyTypes()),
        left_(rows_.KeyTypes(), {.expires = options_.ttl_us > 0}),
        right_(rows_.KeyTypes(), {.expires = options_.ttl_us > 0}) {}

  std::vector<StateTableSpec> state_tables() const override {
    return {rows_.Table("left", kLeftInput), rows_.Table("right", kRightInput)};
  }
  void OnBatch(int input, Batch batch, Output& out) override;
  void OnFlush(Output& out) override {
    left_.Maintain();
    right_.Maintain();
    context_.metrics->state_rows.Set(left_.size() + right_.size());
  }
  void OnTimer(int64_t now_us, Output& out) override;
  std::optional<int64_t> next_timer_us() const override;
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
  /// A row of the batch and a kept row; a null pointer ends the row's list.
  struct Candidate {
    int32_t row;
    LogRow* match;
  };

  KeyedLog& log(int input) { return input == kLeftInput ? left_ : right_; }
  bool changelog(int input) const {
    return input == kLeftInput ? options_.left_changelog : options_.right_changelog;
  }
  JoinKind kind() const { return options_.join.kind; }
  /// Whether rows of this input count their partners.
  bool Counts(int input) const { return HasPairs(kind()) ? IsPadded(kind(), input) : input == kLeftInput; }

  void FindMatches(const Batch& batch);
  void Walk(const Batch& batch, Output& out);
  void WalkCandidates(const Batch& batch, Output& out);
  void Meet(int32_t row, int32_t weight, LogRow* match);
  void AddPair(int32_t row, int32_t weight, const LogRow& match);
  void EndRow(int32_t row, int32_t weight);
  void Keep(const Batch& batch);
  void EmitPairs(const Batch& batch, Output& out);

  UpdatingJoinOptions options_;
  JoinRows rows_;
  bool updating_;
  KeyBatch keys_;
  KeyedLog left_;
  KeyedLog right_;

  // Of the batch at hand.
  int input_ = 0;
  EvalContext eval_;
  std::vector<int32_t> keyed_rows_;  // rows without a NULL key; unused when all_keyed_
  bool all_keyed_ = true;
  std::vector<uint32_t> slots_;    // [num_rows], of the other input's log
  std::vector<int64_t> partners_;  // [num_rows], when its input counts
  std::vector<Candidate> candidates_;
  JoinPairs tested_;  // candidates that the predicate is asked about
  std::vector<int32_t> passing_;
  JoinPairs pairs_;  // to emit
  ByteStrings encoded_;
};

void UpdatingJoin::OnBatch(int input, Batch batch, Output& out) {
  input_ = input;
  eval_ = {context_.clock, context_.clock->now_us()};
  rows_.RowsWithKey(input, batch, &keyed_rows_, &all_keyed_);
  keys_.Assign(rows_.KeyColumns(input, batch), batch.num_rows);
  if (Counts(input)) partners_.assign(static_cast<size_t>(batch.num_rows), 0);
  FindMatches(batch);
  Walk(batch, out);
  Keep(batch);
}

/// Fills slots_; kNoSlot where the key is NULL or unknown.
void UpdatingJoin::FindMatches(const Batch& batch) {
  slots_.resize(static_cast<size_t>(batch.num_rows));
  KeyedLog& other = log(1 - input_);
  if (all_keyed_) {
    other.FindKeys(keys_, nullptr, batch.num_rows, slots_.data());
    return;
  }
  std::vector<uint32_t> found(keyed_rows_.size());
  other.FindKeys(keys_, keyed_rows_.data(), static_cast<int64_t>(keyed_rows_.size()), found.data());
  std::fill(slots_.begin(), slots_.end(), kNoSlot);
  for (size_t i = 0; i < found.size(); ++i) slots_[static_cast<size_t>(keyed_rows_[i])] = found[i];
}

/// Lists all candidates in order of the batch's rows, a chunk at a time.
void UpdatingJoin::Walk(const Batch& batch, Output& out) {
  const KeyedLog& other = log(1 - input_);
  const bool ends = Counts(input_);
  for (int64_t row = 0; row < batch.num_rows; ++row) {
    if (row + kPrefetchRows < batch.num_rows) {
      __builtin_prefetch(other.first(slots_[static_cast<size_t>(row + kPrefetchRows)]));
    }
    for (LogRow* match = other.first(slots_[static_cast<size_t>(row)]); match; match = match->next) {
      candidates_.push_back({static_cast<int32_t>(row), match});
      if (static_cast<int64_t>(candidates_.size()) >= kJoinBatchRows) WalkCandidates(batch, out);
    }
    if (ends) candidates_.push_back({static_cast<int32_t>(row), nullptr});
  }
  WalkCandidates(batch, out);
  EmitPairs(batch, out);
}

/// Asks the predicate, and lets those meet for which it is true.
void UpdatingJoin::WalkCandidates(const Batch& batch, Output& out) {
  const bool filtered = options_.join.predicate != nullptr;
  if (filtered) {
    tested_.Clear();
    for (const Candidate& candidate : candidates_) {
      if (candidate.match) tested_.Add(candidate.row, candidate.match->bytes(), 1);
    }
    rows_.Passing(input_, batch, tested_, eval_, &passing_);
  }
  size_t next_passing = 0;
  int32_t tested = 0;
  for (const auto& [row, match] : candidates_) {
    const int32_t weight = batch.weight(row);
    if (!match) {
      EndRow(row, weight);
    } else {
      const int32_t index = tested++;
      if (filtered) {
        if (next_passing == passing_.size() || passing_[next_passing] != index) continue;
        ++next_passing;
      }
      Meet(row, weight, match);
    }
    if (pairs_.size() >= kJoinBatchRows - 2) EmitPairs(batch, out);
  }
  candidates_.clear();
}

void UpdatingJoin::Meet(int32_t row, int32_t weight, LogRow* match) {
  if (Counts(input_)) partners_[static_cast<size_t>(row)] += match->weight;
  Change change = Change::kNone;
  const int other = 1 - input_;
  if (Counts(other)) {
    change = ChangeOf(match->matches, int64_t{match->matches} + weight);
    log(other).SetMatches(match, match->matches + weight);
  }
  if (options_.ttl_us > 0 && match->time < eval_.now_us - options_.ttl_us / 8) {
    log(other).SetTime(match, eval_.now_us);  // coarsely: each new time costs a place in the time index
  }
  // Retractions stand before the rows that replace them.
  if (HasPairs(kind())) {
    if (change == Change::kFirstPartner) pairs_.Add(-1, match->bytes(), -match->weight);
    AddPair(row, weight, *match);
    if (change == Change::kLastPartner) pairs_.Add(-1, match->bytes(), match->weight);
  } else if (change != Change::kNone) {
    const bool appears = (change == Change::kFirstPartner) == (kind() == JoinKind::kSemi);
    pairs_.Add(-1, match->bytes(), appears ? match->weight : -match->weight);
  }
}

void UpdatingJoin::AddPair(int32_t row, int32_t weight, const LogRow& match) {
  if (updating_) {
    pairs_.Add(row, match.bytes(), MultiplyWeights(weight, match.weight));
    return;
  }
  for (int32_t i = 0; i < match.weight; ++i)
    pairs_.Add(row, match.bytes(), 1);  // equal rows that are kept as one
}

/// All partners of a row of a counting input are known.
void UpdatingJoin::EndRow(int32_t row, int32_t weight) {
  const bool has_partner = partners_[static_cast<size_t>(row)] > 0;
  if (has_partner == (kind() == JoinKind::kSemi)) pairs_.Add(row, {}, weight);
}

void UpdatingJoin::Keep(const Batch& batch) {
  KeyedLog& own = log(input_);
  const int32_t* rows = all_keyed_ ? nullptr : keyed_rows_.data();
  const int64_t count = all_keyed_ ? batch.num_rows : static_cast<int64_t>(keyed_rows_.size());
  encoded_.Clear();
  rows_.Encode(input_, batch, rows, count, &encoded_);
  own.FindOrInsertKeys(keys_, rows, count, slots_.data());
  // Equal rows are one where they may be taken back, or where nothing tells them apart.
  const bool merges = changelog(input_) || rows_.keeps_nothing(input_);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t row = rows ? rows[i] : i;
    const uint32_t slot = slots_[static_cast<size_t>(i)];
    LogRow* kept = merges ? own.AddWeight(slot, eval_.now_us, batch.weight(row), encoded_[i])
                          : own.Append(slot, eval_.now_us, batch.weight(row), encoded_[i]);
    if (!kept) continue;
    if (Counts(input_)) own.SetMatches(kept, static_cast<int32_t>(partners_[static_cast<size_t>(row)]));
    if (options_.ttl_us > 0) own.SetTime(kept, eval_.now_us);
  }
}

void UpdatingJoin::EmitPairs(const Batch& batch, Output& out) {
  if (pairs_.size() == 0) return;
  Batch joined = rows_.Output(input_, batch, pairs_);
  if (updating_) joined.weights = MakeWeights(pairs_.weights);
  pairs_.Clear();
  out.Emit(std::move(joined));
}

std::optional<int64_t> UpdatingJoin::next_timer_us() const {
  if (options_.ttl_us <= 0) return std::nullopt;
  std::optional<int64_t> first = left_.min_time();
  if (const auto right = right_.min_time(); right && (!first || *right < *first)) first = right;
  if (!first) return std::nullopt;
  return *first + options_.ttl_us;
}

void UpdatingJoin::OnTimer(int64_t now_us, Output& out) {
  if (options_.ttl_us <= 0) return;
  const int64_t before = now_us - options_.ttl_us + 1;
  context_.metrics->expired_keys.Add(left_.ExpireBefore(before, nullptr) +
                                     right_.ExpireBefore(before, nullptr));
}

}  // namespace

std::unique_ptr<Operator> MakeUpdatingJoin(UpdatingJoinOptions options) {
  return std::make_unique<UpdatingJoin>(std::move(options));
}

}  // namespace laminar
