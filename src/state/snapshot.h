#pragma once

/// How operator state leaves and comes back: as changes to keyed tables.
///
/// Each container of state/ remembers what changed since the last barrier. `Snapshot` writes just that (at
/// once or in slices, frozen_table.h), as Put and Delete of (key group, key bytes, value bytes) in named
/// tables; `Restore` reads what all deltas add up to, for the key groups that the subtask now owns.
/// Everything durable builds on this form alone: checkpoint files, another parallelism, a compacted changelog
/// topic.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "state/entry_chunk.h"
#include "state/key_group.h"
#include "state/state_layout.h"

namespace laminar {

class FrozenTable;

/// One table of one operator's subtask, being written at a barrier.
class StateWriter {
 public:
  virtual ~StateWriter() = default;
  virtual void Put(uint16_t key_group, std::string_view key, std::string_view value) = 0;
  virtual void Delete(uint16_t key_group, std::string_view key) = 0;
  /// Takes over `count` entries in the encoding of snapshot_buffer.h, whole ones in each chunk.
  virtual void Append(std::vector<EntryChunk> chunks, int64_t count);
};

/// All tables of one operator's subtask, being written at a barrier.
class SnapshotWriter {
 public:
  virtual ~SnapshotWriter() = default;
  /// `name` must be one that the operator declared. Valid until the snapshot is closed.
  virtual StateWriter& Table(std::string_view name) = 0;
  /// Lets `table` write its entries before the snapshot is closed; here: now.
  virtual void Defer(FrozenTable& table);
};

struct StateEntry {
  uint16_t key_group;
  std::string_view key;
  std::string_view value;
  bool deleted = false;  ///< only among changes (Operator::RestoreChanges); the value is empty
};

/// The state that a subtask starts from: entries of its key groups, and those of kEverySubtask.
class SnapshotReader {
 public:
  virtual ~SnapshotReader() = default;
  virtual void ForEach(std::string_view table, const std::function<void(const StateEntry&)>& take) const = 0;
  /// About how many entries ForEach gives: for reserving memory.
  virtual int64_t EntriesAbout(std::string_view table) const = 0;
};

/// Adds up deltas in memory: the inner half of a checkpoint, and what tests restore from. One per operator.
class MemorySnapshot {
 public:
  /// Collects one subtask's delta; call once per subtask and barrier.
  std::unique_ptr<SnapshotWriter> Writer();
  /// A view for a subtask; valid while this object lives and is not written to.
  std::unique_ptr<SnapshotReader> Reader(KeyGroupRange range) const;
  int64_t num_entries() const;
  bool empty() const { return num_entries() == 0; }

  using TableEntries = std::map<std::pair<uint16_t, std::string>, std::string, std::less<>>;
  const std::map<std::string, TableEntries, std::less<>>& tables() const { return tables_; }

 private:
  friend class MemoryWriter;
  std::map<std::string, TableEntries, std::less<>> tables_;
};

/// What leads from one snapshot to a later one (Operator::RestoreChanges). A copy.
std::unique_ptr<SnapshotReader> ChangesBetween(const MemorySnapshot& older, const MemorySnapshot& newer,
                                               KeyGroupRange range);

}  // namespace laminar
