#include "runtime/rate_limited_source.h"

#include <algorithm>
#include <utility>

namespace laminar {

namespace {

constexpr double kBatchesPerSecond = 10;  // how even the flow is where the source cuts its batches by rows

class RateLimitedSource final : public Source {
 public:
  RateLimitedSource(std::unique_ptr<Source> source, double rows_per_second,
                    std::function<int64_t(const Batch&)> rows_in)
      : source_(std::move(source)), rows_per_second_(rows_per_second), rows_in_(std::move(rows_in)) {}

  std::vector<StateTableSpec> state_tables() const override { return source_->state_tables(); }

  void Open(const SourceContext& context) override {
    Source::Open(context);
    SourceContext inner = context;
    inner.batch_rows_max = std::clamp<int64_t>(static_cast<int64_t>(rows_per_second_ / kBatchesPerSecond), 1,
                                               context.batch_rows_max);
    source_->Open(inner);
  }

  PollResult Poll(Output& out) override {
    const int64_t now_us = context_.clock->now_us();
    held_ = now_us < free_us_;
    if (held_) return PollResult::kWaiting;
    Counter counter(out, rows_in_);
    const PollResult result = source_->Poll(counter);
    const auto pause_us = static_cast<int64_t>(static_cast<double>(counter.rows) * 1e6 / rows_per_second_);
    if (counter.rows > 0) free_us_ = std::max(free_us_, now_us) + pause_us;
    return result;
  }

  std::optional<int64_t> next_poll_us() const override {
    return held_ ? std::optional(free_us_) : source_->next_poll_us();
  }
  bool splits_known() const override { return source_->splits_known(); }
  void Snapshot(SnapshotWriter& writer) override { source_->Snapshot(writer); }
  void Restore(const SnapshotReader& reader) override { source_->Restore(reader); }
  void OnCheckpointComplete(uint64_t epoch) override { source_->OnCheckpointComplete(epoch); }

 private:
  /// Passes everything on and counts.
  struct Counter final : Output {
    Counter(Output& to, const std::function<int64_t(const Batch&)>& rows_in) : to(to), rows_in(rows_in) {}
    void Emit(Batch batch) override {
      rows += rows_in(batch);
      to.Emit(std::move(batch));
    }
    void EmitWatermark(int64_t watermark_us) override { to.EmitWatermark(watermark_us); }
    void EmitIdle(bool idle) override { to.EmitIdle(idle); }
    void EmitSplit(const SplitEvent& event) override { to.EmitSplit(event); }
    void EmitTo(int output, Batch batch) override { to.EmitTo(output, std::move(batch)); }

    Output& to;
    const std::function<int64_t(const Batch&)>& rows_in;
    int64_t rows = 0;
  };

  std::unique_ptr<Source> source_;
  const double rows_per_second_;
  const std::function<int64_t(const Batch&)> rows_in_;
  int64_t free_us_ = 0;
  bool held_ = false;  // the last Poll did nothing
};

}  // namespace

std::unique_ptr<Source> MakeRateLimitedSource(std::unique_ptr<Source> source, double rows_per_second,
                                              std::function<int64_t(const Batch&)> rows_in) {
  return std::make_unique<RateLimitedSource>(std::move(source), rows_per_second, std::move(rows_in));
}

}  // namespace laminar
