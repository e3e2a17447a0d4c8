#include "cli/sql_test/test_input.h"

#include <algorithm>
#include <cstdlib>

namespace laminar::cli {

namespace {

class LogSource final : public Source {
 public:
  explicit LogSource(std::shared_ptr<InputLog> log) : log_(std::move(log)) {}

  PollResult Poll(Output& out) override {
    if (!started_) {
      started_ = true;
      out.EmitSplit({0, SplitEvent::Kind::kStarted, "input"});
    }
    if (position_ >= log_->events.size()) return PollResult::kWaiting;
    const InputEvent& event = log_->events[position_++];
    switch (event.kind) {
      case InputEvent::Kind::kRows:
        for (int64_t row = 0; row < event.rows.num_rows; row += log_->batch_rows) {
          Batch batch = Slice(event.rows, row, std::min(log_->batch_rows, event.rows.num_rows - row));
          batch.split = 0;
          out.Emit(std::move(batch));
        }
        break;
      case InputEvent::Kind::kWatermark:
        out.EmitWatermark(event.watermark_us);
        break;
      case InputEvent::Kind::kIdle:
        out.EmitSplit({0, SplitEvent::Kind::kIdle, "input"});
        break;
      case InputEvent::Kind::kEnd:
        out.EmitSplit({0, SplitEvent::Kind::kFinished, "input"});
        return PollResult::kEnd;
    }
    return PollResult::kMore;
  }

  void Open(const SourceContext& context) override {
    Source::Open(context);
    log_->wake = context.wake;
  }

  void Snapshot(SnapshotWriter& writer) override {
    writer.Table("splits").Put(kEverySubtask, "input", std::to_string(position_));
  }
  void Restore(const SnapshotReader& reader) override {
    reader.ForEach("splits", [this](const StateEntry& entry) {
      position_ = std::strtoull(std::string(entry.value).c_str(), nullptr, 10);
    });
  }

 private:
  std::shared_ptr<InputLog> log_;
  size_t position_ = 0;
  bool started_ = false;
};

}  // namespace

std::unique_ptr<Source> MakeLogSource(std::shared_ptr<InputLog> log) {
  return std::make_unique<LogSource>(std::move(log));
}

}  // namespace laminar::cli
