#include "operators/values_source.h"

namespace laminar {

namespace {

class ValuesSource final : public Source {
 public:
  explicit ValuesSource(Batch rows) : rows_(std::move(rows)) {}

  std::vector<StateTableSpec> state_tables() const override {
    return {TextTable("splits", "TEXT -> sent BIGINT", "split", "sent")};
  }

  PollResult Poll(Output& out) override {
    if (!sent_) {
      sent_ = true;
      out.EmitSplit({0, SplitEvent::Kind::kStarted, "values"});
      Batch rows = rows_;
      rows.split = 0;
      if (!rows.empty()) out.Emit(std::move(rows));
      out.EmitSplit({0, SplitEvent::Kind::kFinished, "values"});
    }
    return PollResult::kEnd;
  }

  void Snapshot(SnapshotWriter& writer) override {
    writer.Table("splits").Put(kEverySubtask, "values", sent_ ? "1" : "0");
  }
  void Restore(const SnapshotReader& reader) override {
    reader.ForEach("splits", [this](const StateEntry& entry) { sent_ = entry.value == "1"; });
  }

 private:
  Batch rows_;
  bool sent_ = false;
};

}  // namespace

std::unique_ptr<Source> MakeValuesSource(Batch rows) {
  return std::make_unique<ValuesSource>(std::move(rows));
}

}  // namespace laminar
