#include "state/table_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace laminar {

namespace {

constexpr size_t kHugePage = 2 << 20;
constexpr size_t kMappedMin = 4 << 20;  // smaller ones would waste much of a huge page

}  // namespace

TableMemory& TableMemory::operator=(TableMemory&& other) noexcept {
  if (this == &other) return *this;
  Free();
  use_ = other.use_;
  data_ = std::exchange(other.data_, nullptr);
  bytes_ = std::exchange(other.bytes_, 0);
  mapped_ = std::exchange(other.mapped_, 0);
  counted_ = std::exchange(other.counted_, 0);
  disk_ = std::move(other.disk_);
  return *this;
}

void TableMemory::Free() {
  if (on_disk()) {
    disk_.Free();
  } else if (mapped_ > 0) {
    munmap(data_, mapped_);
  } else {
    std::free(data_);
  }
  data_ = nullptr;
  bytes_ = mapped_ = 0;
  Count(0);
}

/// `bytes` of it lie in ordinary memory.
void TableMemory::Count(size_t bytes) {
  if (bytes < kDiskBytesMin) bytes = 0;
  if (bytes == counted_) return;
  CountOrdinaryStateBytes(static_cast<int64_t>(bytes) - static_cast<int64_t>(counted_));
  counted_ = bytes;
}

bool TableMemory::WouldGoToDisk(size_t bytes) const {
  return on_disk() || (bytes > counted_ && StateGoesToDisk(use_, bytes, counted_));
}

void TableMemory::MoveToDisk(size_t bytes) {
  DiskMemory disk;
  disk.Resize(bytes);
  if (data_) std::memcpy(disk.data(), data_, std::min(bytes, bytes_));
  Free();
  disk_ = std::move(disk);
  data_ = disk_.data();
  bytes_ = bytes;
}

void TableMemory::Resize(size_t bytes) {
  if (on_disk()) {
    disk_.Resize(bytes);
    data_ = disk_.data();
    bytes_ = bytes;
    return;
  }
  if (WouldGoToDisk(bytes)) return MoveToDisk(bytes);
  if (bytes < kMappedMin && mapped_ == 0) {
    data_ = static_cast<uint8_t*>(std::realloc(data_, std::max<size_t>(bytes, 1)));
    LAMINAR_CHECK(data_ != nullptr, "out of memory");
    bytes_ = bytes;
    return Count(bytes);
  }
  const size_t mapped = (std::max(bytes, kMappedMin) + kHugePage - 1) / kHugePage * kHugePage;
  if (mapped == mapped_) {
    bytes_ = bytes;
    return;
  }
  void* moved;
  if (mapped_ > 0) {
    moved = mremap(data_, mapped_, mapped, MREMAP_MAYMOVE);
    LAMINAR_CHECK(moved != MAP_FAILED, "out of memory");
  } else {
    moved = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    LAMINAR_CHECK(moved != MAP_FAILED, "out of memory");
    madvise(moved, mapped, MADV_HUGEPAGE);  // a wish: without it all works, slower
    if (data_) std::memcpy(moved, data_, std::min(bytes, bytes_));
    std::free(data_);
  }
  data_ = static_cast<uint8_t*>(moved);
  bytes_ = bytes;
  mapped_ = mapped;
  Count(mapped);
}

void TableMemory::ResetZero(size_t bytes) {
  Free();
  Resize(bytes);
  if (mapped_ == 0 && !disk_.is_own_file()) std::memset(data_, 0, bytes);  // fresh mappings are zeros
}

}  // namespace laminar
