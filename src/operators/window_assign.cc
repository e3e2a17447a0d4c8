#include "operators/window_assign.h"

#include <arrow/array.h>

#include <algorithm>

#include "operators/window_times.h"

namespace laminar {
namespace {

constexpr int64_t kRowTimeBelowEndUs = 1000;  // window_time is end − 1 ms

/// The last time on the grid that is not after `time`.
int64_t FloorTo(int64_t time, int64_t step, int64_t offset) {
  int64_t rest = (time - offset) % step;
  if (rest < 0) rest += step;
  return time - rest;
}

/// By processing time the clock closes windows: this operator then makes the watermark. It keeps no state:
/// after a restore the watermark comes from upstream again. (Its subtasks, right behind those of a source,
/// stand at different ones.)
class WindowAssign final : public Operator {
 public:
  explicit WindowAssign(WindowAssignOptions options) : options_(std::move(options)) {}

  void OnBatch(int, Batch batch, Output& out) override {
    rows_.clear();
    starts_.clear();
    ends_.clear();
    if (options_.processing_time) {
      const int64_t now_us = context_.clock->now_us();
      for (int64_t row = 0; row < batch.num_rows; ++row) Assign(static_cast<int32_t>(row), now_us);
    } else {
      AssignByTime(batch);
    }
    if (rows_.empty()) return;
    const int32_t split = batch.split;
    // Nothing to copy when each row has just one window.
    Batch assigned = IsEachRowOnce(batch.num_rows) ? std::move(batch) : Take(batch, rows_);
    assigned.split = split;
    assigned.columns.push_back(TimestampColumn(starts_));
    assigned.columns.push_back(TimestampColumn(ends_));
    for (int64_t& end : ends_) end -= kRowTimeBelowEndUs;
    assigned.columns.push_back(TimestampColumn(ends_));
    out.Emit(std::move(assigned));
  }

  void OnWatermark(int64_t watermark_us, Output& out) override {
    if (options_.processing_time && watermark_us != kMaxWatermark) return;
    watermark_us_ = watermark_us;
    out.EmitWatermark(watermark_us);
  }

  /// Every end of a window: also without rows here, since other subtasks' windows wait for the least
  /// watermark. The first is due at once, so that windows that ended before a restore close.
  std::optional<int64_t> next_timer_us() const override {
    if (!options_.processing_time || watermark_us_ == kMaxWatermark) return std::nullopt;
    if (watermark_us_ == kMinWatermark) return opened_us_;
    return FloorTo(watermark_us_, options_.slide_us, options_.offset_us) + options_.slide_us;
  }
  void OnTimer(int64_t now_us, Output& out) override {
    watermark_us_ = std::max(watermark_us_, now_us);
    out.EmitWatermark(watermark_us_);
  }

  void Open(const OperatorContext& context) override {
    Operator::Open(context);
    opened_us_ = context_.clock->now_us();
  }

 private:
  void AssignByTime(const Batch& batch) {
    bool has_nulls = false;
    ReadTimes(*batch.columns[static_cast<size_t>(options_.time_column)], &times_, &timed_rows_, &has_nulls);
    int64_t late = 0;
    auto assign = [&](int32_t row) {
      if (!Assign(row, times_[static_cast<size_t>(row)])) ++late;
    };
    if (has_nulls) {
      for (const int32_t row : timed_rows_) assign(row);
      context_.metrics->bad_records.Add(batch.num_rows - static_cast<int64_t>(timed_rows_.size()));
    } else {
      for (int32_t row = 0; row < static_cast<int32_t>(batch.num_rows); ++row) assign(row);
    }
    context_.metrics->late_rows.Add(late);
  }

  /// Gives the row its windows that have not closed, in the order of their ends; false when all have.
  bool Assign(int32_t row, int64_t time) {
    const size_t before = rows_.size();
    if (options_.cumulate) {
      const int64_t start = FloorTo(time, options_.size_us, options_.offset_us);
      int64_t end = FloorTo(time, options_.slide_us, start) + options_.slide_us;
      for (; end <= start + options_.size_us; end += options_.slide_us) Add(row, start, end);
    } else {
      // The first window that holds the time starts on the first slide after time − size.
      int64_t start =
          FloorTo(time - options_.size_us, options_.slide_us, options_.offset_us) + options_.slide_us;
      for (; start <= time; start += options_.slide_us) Add(row, start, start + options_.size_us);
    }
    return rows_.size() > before;
  }

  void Add(int32_t row, int64_t start, int64_t end) {
    if (!options_.processing_time && end <= watermark_us_) return;
    rows_.push_back(row);
    starts_.push_back(start);
    ends_.push_back(end);
  }

  bool IsEachRowOnce(int64_t num_rows) const {
    if (static_cast<int64_t>(rows_.size()) != num_rows) return false;
    for (int64_t i = 0; i < num_rows; ++i) {
      if (rows_[static_cast<size_t>(i)] != i) return false;
    }
    return true;
  }

  const WindowAssignOptions options_;
  int64_t watermark_us_ = kMinWatermark;
  int64_t opened_us_ = 0;

  // Scratch: one entry per row of the output.
  std::vector<int32_t> rows_;
  std::vector<int64_t> starts_, ends_;
  std::vector<int64_t> times_;
  std::vector<int32_t> timed_rows_;
};

}  // namespace

std::unique_ptr<Operator> MakeWindowAssign(WindowAssignOptions options) {
  return std::make_unique<WindowAssign>(std::move(options));
}

}  // namespace laminar
