#include "state/snapshot.h"

#include <optional>

#include "state/snapshot_buffer.h"

namespace laminar {

namespace {

class MemoryTableWriter final : public StateWriter {
 public:
  explicit MemoryTableWriter(MemorySnapshot::TableEntries& entries) : entries_(entries) {}
  void Put(uint16_t key_group, std::string_view key, std::string_view value) override {
    entries_.insert_or_assign({key_group, std::string(key)}, std::string(value));
  }
  void Delete(uint16_t key_group, std::string_view key) override {
    entries_.erase({key_group, std::string(key)});
  }

 private:
  MemorySnapshot::TableEntries& entries_;
};

class MemoryReader final : public SnapshotReader {
 public:
  MemoryReader(const MemorySnapshot& snapshot, KeyGroupRange range) : snapshot_(snapshot), range_(range) {}
  void ForEach(std::string_view table, const std::function<void(const StateEntry&)>& take) const override {
    const auto found = snapshot_.tables().find(table);
    if (found == snapshot_.tables().end()) return;
    for (const auto& [key, value] : found->second) {
      if (range_.Contains(key.first) || key.first == kEverySubtask) take({key.first, key.second, value});
    }
  }
  int64_t EntriesAbout(std::string_view table) const override {
    const auto found = snapshot_.tables().find(table);
    if (found == snapshot_.tables().end()) return 0;
    return static_cast<int64_t>(found->second.size()) * range_.size() / kKeyGroups;
  }

 private:
  const MemorySnapshot& snapshot_;
  KeyGroupRange range_;
};

class ChangesReader final : public SnapshotReader {
 public:
  /// By table and (key group, key); nullopt: deleted.
  using Changes =
      std::map<std::string, std::map<std::pair<uint16_t, std::string>, std::optional<std::string>>,
               std::less<>>;

  explicit ChangesReader(Changes changes) : changes_(std::move(changes)) {}
  void ForEach(std::string_view table, const std::function<void(const StateEntry&)>& take) const override {
    const auto found = changes_.find(table);
    if (found == changes_.end()) return;
    for (const auto& [key, value] : found->second) {
      take({key.first, key.second, value ? std::string_view(*value) : std::string_view(), !value});
    }
  }
  int64_t EntriesAbout(std::string_view) const override { return 0; }

 private:
  const Changes changes_;
};

}  // namespace

std::unique_ptr<SnapshotReader> ChangesBetween(const MemorySnapshot& older, const MemorySnapshot& newer,
                                               KeyGroupRange range) {
  const auto belongs = [&](uint16_t key_group) {
    return range.Contains(key_group) || key_group == kEverySubtask;
  };
  ChangesReader::Changes changes;
  for (const auto& [table, entries] : older.tables()) {
    for (const auto& [key, value] : entries) {
      if (belongs(key.first)) changes[table][key] = std::nullopt;
    }
  }
  for (const auto& [table, entries] : newer.tables()) {
    const auto before = older.tables().find(table);
    for (const auto& [key, value] : entries) {
      if (!belongs(key.first)) continue;
      if (before != older.tables().end() && before->second.count(key) > 0 &&
          before->second.at(key) == value) {
        changes[table].erase(key);
      } else {
        changes[table][key] = value;
      }
    }
  }
  return std::make_unique<ChangesReader>(std::move(changes));
}

void StateWriter::Append(std::vector<EntryChunk> chunks, int64_t count) {
  for (const EntryChunk& chunk : chunks) {
    std::string_view rest = chunk.entries();
    EncodedEntry entry;
    while (TakeEntry(&rest, &entry)) {
      if (entry.deleted) {
        Delete(entry.key_group, entry.key);
      } else {
        Put(entry.key_group, entry.key, entry.value);
      }
    }
  }
}

class MemoryWriter final : public SnapshotWriter {
 public:
  explicit MemoryWriter(MemorySnapshot& snapshot) : snapshot_(snapshot) {}
  StateWriter& Table(std::string_view name) override {
    auto found = writers_.find(name);
    if (found == writers_.end()) {
      auto& entries = snapshot_.tables_[std::string(name)];
      found = writers_.emplace(std::string(name), std::make_unique<MemoryTableWriter>(entries)).first;
    }
    return *found->second;
  }

 private:
  MemorySnapshot& snapshot_;
  std::map<std::string, std::unique_ptr<MemoryTableWriter>, std::less<>> writers_;
};

std::unique_ptr<SnapshotWriter> MemorySnapshot::Writer() { return std::make_unique<MemoryWriter>(*this); }

std::unique_ptr<SnapshotReader> MemorySnapshot::Reader(KeyGroupRange range) const {
  return std::make_unique<MemoryReader>(*this, range);
}

int64_t MemorySnapshot::num_entries() const {
  int64_t count = 0;
  for (const auto& [name, entries] : tables_) count += static_cast<int64_t>(entries.size());
  return count;
}

}  // namespace laminar
