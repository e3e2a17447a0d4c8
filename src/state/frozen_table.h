#pragma once

/// A snapshot that is written while its subtask goes on (docs/checkpoints.md "The pause").
///
/// At the barrier a container sets aside the list of what it has to write, and from then on writes it in
/// slices. An entry that is about to change before its slice came is written first, so that the snapshot is
/// the state at the barrier all the same.

#include <cstdint>
#include <memory>
#include <vector>

#include "state/snapshot.h"

namespace laminar {

/// What a looked-at entry counts besides its bytes, so that a slice of many small ones, or of many that need
/// not be written, is bounded too.
inline constexpr int64_t kSliceEntryBytes = 64;

/// Dirty marks are 1 and 2 by turns: a record with the one that is not `dirty_mark` is frozen.
inline bool IsFrozenMark(uint8_t mark, uint8_t dirty_mark) { return mark == (dirty_mark ^ 3); }

/// What a container has not written yet of its snapshot. Lives in the container.
class FrozenTable {
 public:
  FrozenTable() = default;
  FrozenTable(const FrozenTable&) = delete;
  FrozenTable& operator=(const FrozenTable&) = delete;
  virtual ~FrozenTable();
  /// Writes entries, taking their bytes off `*bytes`, until that is used up (false) or none is left (true).
  virtual bool WriteSlice(int64_t* bytes) = 0;
  /// Writes all that is left.
  void Finish() {
    for (int64_t bytes = INT64_MAX; !WriteSlice(&bytes);) bytes = INT64_MAX;
  }

 private:
  friend class SlicedSnapshot;
  class SlicedSnapshot* snapshot_ = nullptr;  // in whose list it stands
};

/// One operator's snapshot, written to `target` in slices.
class SlicedSnapshot final : public SnapshotWriter {
 public:
  explicit SlicedSnapshot(std::unique_ptr<SnapshotWriter> target) : target_(std::move(target)) {}
  ~SlicedSnapshot() override;

  StateWriter& Table(std::string_view name) override { return target_->Table(name); }
  void Defer(FrozenTable& table) override;
  /// Writes entries of up to about `*bytes`, which is lowered; true when the snapshot is whole.
  bool WriteSlice(int64_t* bytes);
  bool whole() const { return frozen_.empty(); }

 private:
  friend class FrozenTable;
  void Forget(FrozenTable* table);

  const std::unique_ptr<SnapshotWriter> target_;
  std::vector<FrozenTable*> frozen_;
};

}  // namespace laminar
