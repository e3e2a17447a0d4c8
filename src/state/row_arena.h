#pragma once

/// Memory for rows that come and go: blocks filled from front to back and given back when their last row has
/// gone. The inner part of keyed_log.h and ordered_rows.h.

#include <cstdint>
#include <vector>

#include "base/prefetch.h"
#include "state/state_memory.h"

namespace laminar {

/// Stands before each allocation.
struct ArenaCell {
  uint32_t bytes;  ///< with this header, a multiple of 8
  uint32_t block;
};

/// Addresses stay until the cell is freed or its owner moves it (compaction).
class RowArena {
 public:
  RowArena() = default;
  ~RowArena();
  RowArena(RowArena&&) = default;
  RowArena& operator=(RowArena&&) = default;

  /// `bytes` includes the ArenaCell, whose fields are set; the rest is not initialised. 8-byte aligned.
  ArenaCell* Allocate(int64_t bytes);
  void Free(ArenaCell* cell);
  /// Whether the cell was not freed; its block must not have been given back.
  static bool IsLive(const ArenaCell* cell) { return (cell->bytes & kFreed) == 0; }

  /// Blocks that are mostly garbage, once garbage is more than half of a large arena: the owner copies their
  /// live cells into new ones (Allocate never gives room in them) and frees the old. Empty otherwise.
  std::vector<uint32_t> SparseBlocks();
  /// Calls `visit(ArenaCell*)` for each live cell of the block.
  template <typename Visit>
  void ForEachCell(uint32_t block, const Visit& visit) {
    ReadBlock(blocks_[block]);
    // Looked up afresh each time: the visit may free the block's last cell or open blocks.
    for (int64_t position = 0; position < blocks_[block].used;) {
      auto* cell = reinterpret_cast<ArenaCell*>(blocks_[block].memory.get() + position);
      position += cell->bytes & ~kFreed;
      if (IsLive(cell)) visit(cell);
    }
  }
  /// The first live cell of the block from `*position` on (0, or what the last call left), which is set
  /// behind it; a null pointer when there is none.
  ArenaCell* NextCell(uint32_t block, int64_t* position) const {
    if (*position == 0) ReadBlock(blocks_[block]);
    while (*position < blocks_[block].used) {
      auto* cell = reinterpret_cast<ArenaCell*>(blocks_[block].memory.get() + *position);
      const uint32_t bytes = cell->bytes & ~kFreed;
      *position += bytes;
      PrefetchAhead(cell, bytes);
      if (IsLive(cell)) return cell;
    }
    return nullptr;
  }
  uint32_t num_blocks() const { return static_cast<uint32_t>(blocks_.size()); }
  bool HasBlock(uint32_t block) const { return static_cast<bool>(blocks_[block].memory); }
  /// Distinguishes the block from earlier ones of the same number.
  uint32_t serial(uint32_t block) const { return blocks_[block].serial; }

  int64_t live_bytes() const { return live_bytes_; }
  /// Whether rows may have to be read from a disk.
  bool on_disk() const { return disk_blocks_ > 0; }
  int64_t memory_bytes() const { return memory_bytes_; }

 private:
  static constexpr uint32_t kFreed = 1u << 31;

  struct Block {
    MemoryBlock memory;
    int64_t size = 0;
    int64_t used = 0;
    int64_t live = 0;
    uint32_t serial = 0;
  };
  static constexpr uint32_t kNone = 0xFFFFFFFF;

  static void ReadBlock(const Block& block) {
    if (block.memory.on_disk()) ReadAhead(block.memory.get(), static_cast<size_t>(block.used));
  }
  void OpenBlock(int64_t bytes_min);
  void CloseBlock(uint32_t block);

  std::vector<Block> blocks_;
  std::vector<uint32_t> free_blocks_;
  uint32_t open_ = kNone;
  int64_t live_bytes_ = 0;
  int64_t used_bytes_ = 0;  // live or garbage
  int64_t memory_bytes_ = 0;
  int64_t disk_blocks_ = 0;
};

}  // namespace laminar
