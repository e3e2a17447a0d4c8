#include "operators/limit.h"

#include <arrow/array.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace laminar {

namespace {

class Limit final : public Operator {
 public:
  explicit Limit(LimitOptions options) : options_(options) {}

  std::vector<StateTableSpec> state_tables() const override {
    return {{"counts",
             1,
             "TEXT -> skipped BIGINT, passed BIGINT",
             {},
             {StatePart::Plain({{"skipped", Type::Int64()}, {"passed", Type::Int64()}})}}};
  }

  void Open(const OperatorContext& context) override {
    Operator::Open(context);
    FinishIfReached();
  }

  void OnBatch(int, Batch batch, Output& out) override {
    LAMINAR_CHECK(!batch.weights, "LIMIT over a changelog");
    const int64_t skip = std::min(options_.offset - counts_.skipped, batch.num_rows);
    counts_.skipped += skip;
    int64_t take = batch.num_rows - skip;
    if (options_.limit) take = std::min(take, *options_.limit - counts_.passed);
    counts_.passed += take;
    changed_ = true;
    if (take > 0) out.Emit(Slice(batch, skip, take));
    FinishIfReached();
  }

  void Snapshot(SnapshotWriter& writer) override {
    if (!changed_) return;
    changed_ = false;
    char value[sizeof(Counts)];
    std::memcpy(value, &counts_, sizeof(value));
    writer.Table("counts").Put(kEverySubtask, "", {value, sizeof(value)});
  }

  void Restore(const SnapshotReader& reader) override {
    reader.ForEach("counts", [&](const StateEntry& entry) {
      LAMINAR_CHECK(entry.value.size() == sizeof(Counts), "state of LIMIT");
      std::memcpy(&counts_, entry.value.data(), sizeof(Counts));
    });
  }

 private:
  struct Counts {
    int64_t skipped = 0;
    int64_t passed = 0;
  };

  void FinishIfReached() {
    if (options_.limit && counts_.passed >= *options_.limit && context_.finish_upstream)
      context_.finish_upstream();
  }

  const LimitOptions options_;
  Counts counts_;
  bool changed_ = false;
};

}  // namespace

std::unique_ptr<Operator> MakeLimit(LimitOptions options) { return std::make_unique<Limit>(options); }

}  // namespace laminar
