#pragma once

/// Which rows of an arena changed since the last barrier, and which of them are still to be written: the
/// inner part of keyed_log.h and ordered_rows.h.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "state/frozen_table.h"
#include "state/row_arena.h"

namespace laminar {

/// `Row` begins with an ArenaCell `cell` and has bytes `dirty` (0 in a new one) and `persisted`.
template <typename Row>
class DirtyRows final : public FrozenTable {
 public:
  explicit DirtyRows(RowArena& arena) : arena_(arena) {}

  /// The row is new, or about to change.
  void Mark(Row* row) {
    if (row->dirty == mark_) return;
    Preserve(row);
    row->dirty = mark_;
    NoteBlock(row);
  }
  /// Writes the row now if it is still to be written as it was at the last barrier: before it goes.
  void Preserve(Row* row) {
    if (IsFrozenMark(row->dirty, mark_)) [[unlikely]]
      Write(row);
  }
  /// The (preserved) row was copied here.
  void Moved(const Row* row) {
    if (row->dirty != 0) NoteBlock(row);
  }

  /// Writes the entry of a row as it is now; returns the bytes of its key and value.
  using WriteRow = std::function<int64_t(const Row& row, StateWriter& out)>;
  void Snapshot(SnapshotWriter& writer, StateWriter& out, WriteRow write) {
    Finish();
    if (blocks_.empty()) return;
    frozen_blocks_ = std::exchange(blocks_, {});
    mark_ ^= 3;
    out_ = &out;
    write_ = std::move(write);
    block_ = 0;
    position_ = 0;
    writer.Defer(*this);
  }

  bool WriteSlice(int64_t* bytes) override {
    const auto end = std::min<uint32_t>(static_cast<uint32_t>(frozen_blocks_.size()), arena_.num_blocks());
    for (; block_ < end; ++block_, position_ = 0) {
      if (!frozen_blocks_[block_]) continue;
      // A block that was given back since the last slice has none of the rows any more.
      if (position_ > 0 && arena_.serial(block_) != serial_) continue;
      serial_ = arena_.serial(block_);
      while (ArenaCell* cell = arena_.NextCell(block_, &position_)) {
        auto* row = reinterpret_cast<Row*>(cell);
        *bytes -= kSliceEntryBytes;
        if (IsFrozenMark(row->dirty, mark_)) *bytes -= Write(row);
        if (*bytes <= 0) return false;
      }
    }
    frozen_blocks_ = {};
    return true;
  }

 private:
  void NoteBlock(const Row* row) {
    const uint32_t block = row->cell.block;
    if (block >= blocks_.size()) blocks_.resize(block + 1);
    blocks_[block] = 1;
  }
  int64_t Write(Row* row) {
    row->dirty = 0;
    row->persisted = 1;
    return write_(*row, *out_);
  }

  RowArena& arena_;
  std::vector<uint8_t> blocks_;  // by block: some row is dirty
  uint8_t mark_ = 1;             // of dirty rows, 1 and 2 by turns; rows with the other one are frozen

  std::vector<uint8_t> frozen_blocks_;
  StateWriter* out_ = nullptr;
  WriteRow write_;
  uint32_t block_ = 0;    // where the next slice begins
  uint32_t serial_ = 0;   // of block_
  int64_t position_ = 0;  // in block_
};

}  // namespace laminar
