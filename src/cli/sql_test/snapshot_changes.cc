#include "cli/sql_test/snapshot_changes.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace laminar {

namespace {

/// By table and (key group, key); nullopt: deleted.
using Changes = std::map<std::string, std::map<std::pair<uint16_t, std::string>, std::optional<std::string>>,
                         std::less<>>;

class ChangesReader final : public SnapshotReader {
 public:
  ChangesReader(std::shared_ptr<const Changes> changes, KeyGroupRange range)
      : changes_(std::move(changes)), range_(range) {}
  void ForEach(std::string_view table, const std::function<void(const StateEntry&)>& take) const override {
    const auto found = changes_->find(table);
    if (found == changes_->end()) return;
    for (const auto& [key, value] : found->second) {
      if (range_.Contains(key.first) || key.first == kEverySubtask)
        take({key.first, key.second, value.value_or(""), !value});
    }
  }
  int64_t EntriesAbout(std::string_view) const override { return 0; }

 private:
  const std::shared_ptr<const Changes> changes_;
  const KeyGroupRange range_;
};

Changes Between(const MemorySnapshot& older, const MemorySnapshot& newer) {
  Changes changes;
  for (const auto& [table, entries] : older.tables()) {
    for (const auto& [key, value] : entries) changes[table][key] = std::nullopt;
  }
  for (const auto& [table, entries] : newer.tables()) {
    auto& of_table = changes[table];
    const auto before = older.tables().find(table);
    for (const auto& [key, value] : entries) {
      const bool same =
          before != older.tables().end() && before->second.count(key) > 0 && before->second.at(key) == value;
      if (same) {
        of_table.erase(key);
      } else {
        of_table[key] = value;
      }
    }
  }
  return changes;
}

}  // namespace

RestoreFunction ChangesBetween(const JobSnapshot& older, const JobSnapshot& newer) {
  std::map<std::string, std::shared_ptr<const Changes>> by_operator;
  for (const auto& [id, snapshot] : older) by_operator[id] = nullptr;
  for (const auto& [id, snapshot] : newer) by_operator[id] = nullptr;
  const auto of = [](const JobSnapshot& job, const std::string& id) {
    const auto found = job.find(id);
    return found == job.end() ? MemorySnapshot() : found->second;
  };
  for (auto& [id, changes] : by_operator)
    changes = std::make_shared<const Changes>(Between(of(older, id), of(newer, id)));
  return
      [by_operator](const std::string& operator_id, KeyGroupRange range) -> std::unique_ptr<SnapshotReader> {
        const auto found = by_operator.find(operator_id);
        if (found == by_operator.end()) return nullptr;
        return std::make_unique<ChangesReader>(found->second, range);
      };
}

}  // namespace laminar
