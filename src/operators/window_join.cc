#include "operators/window_join.h"

#include <arrow/array.h>

#include <algorithm>
#include <vector>

#include "base/arrow_result.h"
#include "base/error.h"
#include "operators/window_times.h"
#include "state/keyed_log.h"

namespace laminar {
namespace {

constexpr int64_t kFireRows = 16384;  // windows are joined together until they have so many rows
constexpr uint32_t kNoRow = 0xFFFFFFFF;

/// Rows of one input whose window has closed, by window end and then by arrival.
struct DueRows {
  ByteStrings rows;
  std::vector<int64_t> ends;

  int64_t size() const { return rows.size(); }
  /// The first row from `begin` on whose window ends after `end`.
  int64_t EndOf(int64_t begin, int64_t end) const {
    return std::upper_bound(ends.begin() + begin, ends.end(), end) - ends.begin();
  }
  std::vector<std::string_view> Views(int64_t begin, int64_t end) const {
    std::vector<std::string_view> out;
    for (int64_t i = begin; i < end; ++i) out.push_back(rows[i]);
    return out;
  }
};

class WindowJoin final : public Operator {
 public:
  explicit WindowJoin(WindowJoinOptions options)
      : options_(std::move(options)),
        rows_(options_.join, /*keep_keys=*/true),
        keys_(rows_.KeyTypes()),
        log_keys_(DistributionTypes()),
        left_(DistributionTypes(), {.expires = true}),
        right_(DistributionTypes(), {.expires = true}) {}

  std::vector<StateTableSpec> state_tables() const override {
    return {rows_.Table("left", kLeftInput, static_cast<int>(num_distribution_keys())),
            rows_.Table("right", kRightInput, static_cast<int>(num_distribution_keys())), ProgressTable()};
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
    SnapshotProgress(writer, watermark_us_);
  }
  void Restore(const SnapshotReader& reader) override {
    left_.Restore(reader, "left");
    right_.Restore(reader, "right");
    watermark_us_ = RestoreProgress(reader);
  }

 private:
  /// The logs are keyed by what decides a row's key group; partners are looked for by all keys when a window
  /// closes.
  size_t num_distribution_keys() const {
    return options_.distribution_keys > 0 ? static_cast<size_t>(options_.distribution_keys)
                                          : options_.join.left_keys.size();
  }
  std::vector<std::shared_ptr<arrow::DataType>> DistributionTypes() const {
    auto types = rows_.KeyTypes();
    types.resize(num_distribution_keys());
    return types;
  }
  KeyedLog& log(int input) { return input == kLeftInput ? left_ : right_; }
  JoinKind kind() const { return options_.join.kind; }

  DueRows TakeDue(int input);
  void Join(const DueRows& left, int64_t left_begin, int64_t left_end, const DueRows& right,
            int64_t right_begin, int64_t right_end, Output& out);
  void JoinChunk(const std::vector<std::string_view>& left, Output& out);
  void BuildRight();
  void Meet(const Batch& left, const std::vector<int32_t>& left_rows, std::vector<bool>* has_partner,
            Output& out);
  void EmitPairs(const Batch& left, Output& out);

  WindowJoinOptions options_;
  JoinRows rows_;
  KeyBatch keys_;
  KeyBatch log_keys_;
  KeyedLog left_;
  KeyedLog right_;
  int64_t watermark_us_ = kMinWatermark;

  // While windows are joined. Right rows of equal keys are a list through next_right_.
  EvalContext eval_;
  std::vector<std::string_view> right_rows_;
  std::vector<bool> right_met_;
  std::optional<KeyedMap> right_keys_;  // record: first row of the list
  std::vector<uint32_t> next_right_;
  JoinPairs tested_;
  std::vector<uint32_t> tested_right_;
  std::vector<int32_t> passing_;
  JoinPairs pairs_;
};

void WindowJoin::OnBatch(int input, Batch batch, Output& out) {
  const auto column =
      batch.columns[static_cast<size_t>(input == kLeftInput ? options_.left_window : options_.right_window)];
  const bool is_struct = column->type_id() == arrow::Type::STRUCT;
  // Flattened: where the STRUCT is NULL, so is its end.
  const RowTimes ends(
      is_struct ? OrThrow(static_cast<const arrow::StructArray&>(*column).GetFlattenedField(1)) : column);
  const std::vector<int32_t> rows = RowsOfOpenWindows(ends, batch.num_rows, watermark_us_, context_.metrics);
  const auto count = static_cast<int64_t>(rows.size());
  if (count == 0) return;
  auto keys = rows_.KeyColumns(input, batch);
  keys.resize(num_distribution_keys());
  log_keys_.Assign(keys, batch.num_rows);
  ByteStrings encoded;
  rows_.Encode(input, batch, rows.data(), count, &encoded);
  std::vector<uint32_t> slots(rows.size());
  log(input).FindOrInsertKeys(log_keys_, rows.data(), count, slots.data());
  for (int64_t i = 0; i < count; ++i) {
    log(input).Append(slots[static_cast<size_t>(i)], ends[rows[static_cast<size_t>(i)]], 1, encoded[i]);
  }
}

void WindowJoin::OnWatermark(int64_t watermark_us, Output& out) {
  watermark_us_ = watermark_us;
  eval_ = {context_.clock, context_.clock->now_us()};
  const DueRows left = TakeDue(kLeftInput), right = TakeDue(kRightInput);
  int64_t left_begin = 0, right_begin = 0;
  while (left_begin < left.size() || right_begin < right.size()) {
    int64_t left_end = left_begin, right_end = right_begin;
    while (left_end - left_begin + right_end - right_begin < kFireRows &&
           (left_end < left.size() || right_end < right.size())) {
      // One more window end, on both inputs.
      int64_t end = kMaxWatermark;
      if (left_end < left.size()) end = left.ends[static_cast<size_t>(left_end)];
      if (right_end < right.size()) end = std::min(end, right.ends[static_cast<size_t>(right_end)]);
      left_end = left.EndOf(left_end, end);
      right_end = right.EndOf(right_end, end);
    }
    Join(left, left_begin, left_end, right, right_begin, right_end, out);
    left_begin = left_end;
    right_begin = right_end;
  }
  out.EmitWatermark(watermark_us);
}

DueRows WindowJoin::TakeDue(int input) {
  DueRows due;
  log(input).ExpireBefore(FirstOpenEnd(watermark_us_), [&due](const LogRow& row) {
    due.rows.Append(row.bytes());
    due.ends.push_back(row.time);
  });
  return due;
}

/// Joins some windows, all of whose rows are given.
void WindowJoin::Join(const DueRows& left, int64_t left_begin, int64_t left_end, const DueRows& right,
                      int64_t right_begin, int64_t right_end, Output& out) {
  right_rows_ = right.Views(right_begin, right_end);
  right_met_.assign(right_rows_.size(), false);
  BuildRight();
  for (int64_t begin = left_begin; begin < left_end; begin += kFireRows) {
    JoinChunk(left.Views(begin, std::min(begin + kFireRows, left_end)), out);
  }
  if (!IsPadded(kind(), kRightInput)) return;
  const Batch nothing = EmptyBatch(options_.join.left);
  for (size_t row = 0; row < right_rows_.size(); ++row) {
    if (!right_met_[row]) pairs_.Add(-1, right_rows_[row], 1);
    if (pairs_.size() >= kJoinBatchRows) EmitPairs(nothing, out);
  }
  EmitPairs(nothing, out);
}

void WindowJoin::BuildRight() {
  right_keys_.emplace(rows_.KeyTypes(), sizeof(uint32_t));
  next_right_.assign(right_rows_.size(), kNoRow);
  if (right_rows_.empty()) return;
  const Batch right = rows_.Decode(kRightInput, right_rows_);
  std::vector<int32_t> keyed;
  bool all = false;
  rows_.RowsWithKey(kRightInput, right, &keyed, &all);
  const int64_t count = all ? right.num_rows : static_cast<int64_t>(keyed.size());
  keys_.Assign(rows_.KeyColumns(kRightInput, right), right.num_rows);
  std::vector<uint32_t> slots(static_cast<size_t>(count));
  right_keys_->FindOrInsert(keys_, all ? nullptr : keyed.data(), count, slots.data(), nullptr);
  // From the back, so that lists are in order; a record is 1 + the first row.
  for (int64_t i = count - 1; i >= 0; --i) {
    const auto row = static_cast<uint32_t>(all ? i : keyed[static_cast<size_t>(i)]);
    auto* first = reinterpret_cast<uint32_t*>(right_keys_->record(slots[static_cast<size_t>(i)]));
    next_right_[row] = *first == 0 ? kNoRow : *first - 1;
    *first = row + 1;
  }
}

void WindowJoin::JoinChunk(const std::vector<std::string_view>& left_rows, Output& out) {
  const Batch left = rows_.Decode(kLeftInput, left_rows);
  std::vector<bool> has_partner(left_rows.size());
  std::vector<int32_t> keyed;
  bool all = false;
  rows_.RowsWithKey(kLeftInput, left, &keyed, &all);
  if (all) {
    for (int64_t row = 0; row < left.num_rows; ++row) keyed.push_back(static_cast<int32_t>(row));
  }
  Meet(left, keyed, &has_partner, out);
  const bool emits_alone = IsPadded(kind(), kLeftInput) || kind() == JoinKind::kAnti;
  for (size_t row = 0; row < has_partner.size(); ++row) {
    const bool emit = has_partner[row] ? kind() == JoinKind::kSemi : emits_alone;
    if (emit) pairs_.Add(static_cast<int32_t>(row), {}, 1);
    if (pairs_.size() >= kJoinBatchRows) EmitPairs(left, out);
  }
  EmitPairs(left, out);
}

/// Pairs the given left rows with right rows of equal keys.
void WindowJoin::Meet(const Batch& left, const std::vector<int32_t>& left_rows,
                      std::vector<bool>* has_partner, Output& out) {
  keys_.Assign(rows_.KeyColumns(kLeftInput, left), left.num_rows);
  std::vector<uint32_t> slots(left_rows.size());
  right_keys_->Find(keys_, left_rows.data(), static_cast<int64_t>(left_rows.size()), slots.data());
  auto test = [&] {
    rows_.Passing(kLeftInput, left, tested_, eval_, &passing_);
    for (int32_t index : passing_) {
      const auto at = static_cast<size_t>(index);
      (*has_partner)[static_cast<size_t>(tested_.live[at])] = true;
      right_met_[tested_right_[at]] = true;
      if (HasPairs(kind())) pairs_.Add(tested_.live[at], tested_.stored[at], 1);
    }
    tested_.Clear();
    tested_right_.clear();
    if (pairs_.size() >= kJoinBatchRows) EmitPairs(left, out);
  };
  for (size_t i = 0; i < left_rows.size(); ++i) {
    if (slots[i] == kNoSlot) continue;
    uint32_t row = *reinterpret_cast<const uint32_t*>(right_keys_->record(slots[i])) - 1;
    for (; row != kNoRow; row = next_right_[row]) {
      tested_.Add(left_rows[i], right_rows_[row], 1);
      tested_right_.push_back(row);
      if (tested_.size() >= kJoinBatchRows) test();
    }
  }
  test();
}

void WindowJoin::EmitPairs(const Batch& left, Output& out) {
  if (pairs_.size() == 0) return;
  Batch joined = rows_.Output(kLeftInput, left, pairs_);
  pairs_.Clear();
  out.Emit(std::move(joined));
}

}  // namespace

std::unique_ptr<Operator> MakeWindowJoin(WindowJoinOptions options) {
  return std::make_unique<WindowJoin>(std::move(options));
}

}  // namespace laminar
