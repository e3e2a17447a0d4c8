#include "state/snapshot.h"

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

}  // namespace

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
