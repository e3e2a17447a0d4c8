#include "runtime/checkpoint.h"

#include <optional>
#include <utility>

namespace laminar {

struct MemoryCollector::Delta {
  struct Change {
    std::string table;
    uint16_t key_group;
    std::string key;
    std::optional<std::string> value;  ///< nullopt: deleted
  };
  std::string operator_id;
  std::vector<Change> changes;
};

namespace {

using Delta = MemoryCollector::Delta;

class DeltaTable final : public StateWriter {
 public:
  DeltaTable(Delta& delta, std::string_view name) : delta_(delta), name_(name) {}
  void Put(uint16_t key_group, std::string_view key, std::string_view value) override {
    delta_.changes.push_back({name_, key_group, std::string(key), std::string(value)});
  }
  void Delete(uint16_t key_group, std::string_view key) override {
    delta_.changes.push_back({name_, key_group, std::string(key), std::nullopt});
  }

 private:
  Delta& delta_;
  const std::string name_;
};

class DeltaWriter final : public SnapshotWriter {
 public:
  explicit DeltaWriter(std::shared_ptr<Delta> delta) : delta_(std::move(delta)) {}
  StateWriter& Table(std::string_view name) override {
    auto found = tables_.find(name);
    if (found == tables_.end()) {
      found = tables_.emplace(std::string(name), std::make_unique<DeltaTable>(*delta_, name)).first;
    }
    return *found->second;
  }

 private:
  std::shared_ptr<Delta> delta_;
  std::map<std::string, std::unique_ptr<DeltaTable>, std::less<>> tables_;
};

}  // namespace

std::unique_ptr<SnapshotWriter> MemoryCollector::Writer(uint64_t epoch, const std::string& operator_id,
                                                        int subtask) {
  auto delta = std::make_shared<Delta>();
  delta->operator_id = operator_id;
  std::lock_guard lock(mutex_);
  deltas_.push_back(delta);
  return std::make_unique<DeltaWriter>(std::move(delta));
}

void MemoryCollector::AllWritten(uint64_t epoch) {
  std::lock_guard lock(mutex_);
  for (const auto& delta : deltas_) {
    auto writer = complete_[delta->operator_id].Writer();
    for (const Delta::Change& change : delta->changes) {
      StateWriter& table = writer->Table(change.table);
      if (change.value) {
        table.Put(change.key_group, change.key, *change.value);
      } else {
        table.Delete(change.key_group, change.key);
      }
    }
  }
  deltas_.clear();
  epoch_ = epoch;
}

JobSnapshot MemoryCollector::complete() const {
  std::lock_guard lock(mutex_);
  return complete_;
}

uint64_t MemoryCollector::epoch() const {
  std::lock_guard lock(mutex_);
  return epoch_;
}

RestoreFunction RestoreFrom(JobSnapshot snapshot) {
  auto shared = std::make_shared<const JobSnapshot>(std::move(snapshot));
  /// Keeps the snapshot alive as long as the reader.
  class OwningReader final : public SnapshotReader {
   public:
    OwningReader(std::shared_ptr<const JobSnapshot> owner, std::unique_ptr<SnapshotReader> reader)
        : owner_(std::move(owner)), reader_(std::move(reader)) {}
    void ForEach(std::string_view table, const std::function<void(const StateEntry&)>& take) const override {
      reader_->ForEach(table, take);
    }
    int64_t EntriesAbout(std::string_view table) const override { return reader_->EntriesAbout(table); }

   private:
    std::shared_ptr<const JobSnapshot> owner_;
    std::unique_ptr<SnapshotReader> reader_;
  };
  return [shared](const std::string& operator_id, KeyGroupRange range) -> std::unique_ptr<SnapshotReader> {
    const auto found = shared->find(operator_id);
    if (found == shared->end()) return nullptr;
    return std::make_unique<OwningReader>(shared, found->second.Reader(range));
  };
}

}  // namespace laminar
