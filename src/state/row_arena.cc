#include "state/row_arena.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace laminar {

namespace {

constexpr int64_t kBlockBytesMin = 4 << 10;
constexpr int64_t kBlockBytesMax = 256 << 10;  // large enough to go back to the system when freed
constexpr int64_t kGarbageBytesMin = 1 << 20;

}  // namespace

RowArena::~RowArena() = default;

void RowArena::OpenBlock(int64_t bytes_min) {
  const int64_t grown = std::clamp(live_bytes_ / 4, kBlockBytesMin, kBlockBytesMax);
  const int64_t size = std::max(bytes_min, grown);
  MemoryBlock memory(static_cast<size_t>(size));
  uint32_t number;
  if (free_blocks_.empty()) {
    number = static_cast<uint32_t>(blocks_.size());
    blocks_.emplace_back();
  } else {
    number = free_blocks_.back();
    free_blocks_.pop_back();
  }
  Block& block = blocks_[number];
  disk_blocks_ += memory.on_disk();
  block.memory = std::move(memory);
  block.size = size;
  block.used = block.live = 0;
  memory_bytes_ += size;
  open_ = number;
}

void RowArena::CloseBlock(uint32_t number) {
  Block& block = blocks_[number];
  memory_bytes_ -= block.size;
  used_bytes_ -= block.used;
  disk_blocks_ -= block.memory.on_disk();
  block.memory = {};
  block.size = block.used = block.live = 0;
  ++block.serial;
  free_blocks_.push_back(number);
  if (open_ == number) open_ = kNone;
}

ArenaCell* RowArena::Allocate(int64_t bytes) {
  bytes = (bytes + 7) / 8 * 8;
  LAMINAR_CHECK(bytes < static_cast<int64_t>(kFreed), "a row of more than 2 GiB");
  if (open_ == kNone || blocks_[open_].used + bytes > blocks_[open_].size) {
    const uint32_t full = open_;
    OpenBlock(bytes);
    if (full != kNone && blocks_[full].live == 0) CloseBlock(full);
  }
  Block& block = blocks_[open_];
  auto* cell = reinterpret_cast<ArenaCell*>(block.memory.get() + block.used);
  cell->bytes = static_cast<uint32_t>(bytes);
  cell->block = open_;
  block.used += bytes;
  block.live += bytes;
  live_bytes_ += bytes;
  used_bytes_ += bytes;
  return cell;
}

void RowArena::Free(ArenaCell* cell) {
  Block& block = blocks_[cell->block];
  const uint32_t number = cell->block;
  block.live -= cell->bytes;
  live_bytes_ -= cell->bytes;
  cell->bytes |= kFreed;
  if (block.live > 0) return;
  if (number == open_ && block.size <= kBlockBytesMax) {
    used_bytes_ -= block.used;
    block.used = 0;  // refill it from the front
    ++block.serial;
  } else {
    CloseBlock(number);
  }
}

std::vector<uint32_t> RowArena::SparseBlocks() {
  std::vector<uint32_t> sparse;
  if (used_bytes_ - live_bytes_ < std::max(kGarbageBytesMin, live_bytes_)) return sparse;
  for (uint32_t number = 0; number < blocks_.size(); ++number) {
    const Block& block = blocks_[number];
    if (block.memory && block.live * 2 < block.used) sparse.push_back(number);
  }
  if (open_ != kNone && std::find(sparse.begin(), sparse.end(), open_) != sparse.end()) open_ = kNone;
  return sparse;
}

}  // namespace laminar
