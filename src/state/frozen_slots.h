#pragma once

/// The frozen entries of a container whose records have slots: the inner part of keyed_map.h and
/// record_pool.h.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "state/frozen_table.h"

namespace laminar {

/// Writes the entry of a slot as it is now; returns the bytes of its key and value.
using WriteSlot = std::function<int64_t(uint32_t slot, StateWriter& out)>;

/// Counts the entry of a slot as written. False when it is not frozen, or gone. `Header`: live, dirty,
/// persisted.
template <typename Header>
bool TakeFrozenHeader(Header* at, uint8_t dirty_mark) {
  if (!IsFrozenMark(at->dirty, dirty_mark)) return false;
  at->dirty = 0;
  if (!at->live) return false;
  at->persisted = 1;
  return true;
}

/// `Owner` has `bool TakeFrozen(slot)`, which says whether the slot's entry is still to be written and counts
/// it as written, `PrefetchFrozen(slot)`, and `ReadPages(slots, count)` for memory that lies on disk.
template <typename Owner>
class FrozenSlots final : public FrozenTable {
 public:
  FrozenSlots(Owner& owner, std::vector<uint32_t> slots, StateWriter& out, WriteSlot write)
      : owner_(owner), slots_(std::move(slots)), out_(out), write_(std::move(write)) {
#ifndef NDEBUG
    if (slots_.size() <= kCheckedSlotsMax) {
      for (const uint32_t slot : slots_) {
        if (owner_.IsFrozen(slot)) hashes_[slot] = HashOf(slot);
      }
    }
#endif
  }

  bool WriteSlice(int64_t* bytes) override {
    constexpr size_t kReadSlots = 4096;  // whose pages, if they lie on disk, are asked for together
    constexpr size_t kAhead = 16;        // slots lie all over a container that is larger than the cache
    for (; next_ < slots_.size() && *bytes > 0; ++next_) {
      if (next_ % kReadSlots == 0) {
        owner_.ReadPages(&slots_[next_], std::min(kReadSlots, slots_.size() - next_));
      }
      if (next_ + kAhead < slots_.size()) owner_.PrefetchFrozen(slots_[next_ + kAhead]);
      *bytes -= kSliceEntryBytes;
      if (owner_.TakeFrozen(slots_[next_])) *bytes -= Write(slots_[next_]);
    }
    if (next_ < slots_.size()) return false;
    std::vector<uint32_t>().swap(slots_);
    next_ = 0;
    return true;
  }

  /// The entry of a slot that TakeFrozen was true for.
  int64_t Write(uint32_t slot) {
#ifndef NDEBUG
    const auto frozen = hashes_.find(slot);
    LAMINAR_CHECK(frozen == hashes_.end() || frozen->second == HashOf(slot),
                  "a record that changed after the barrier was not kept for its snapshot");
#endif
    return write_(slot, out_);
  }

 private:
#ifndef NDEBUG
  // Debug builds: what is written must be what was there at the barrier.
  static constexpr size_t kCheckedSlotsMax = 10'000;
  class HashWriter final : public StateWriter {
   public:
    void Put(uint16_t key_group, std::string_view key, std::string_view value) override {
      hash =
          (key_group * 31 + std::hash<std::string_view>()(key)) * 31 + std::hash<std::string_view>()(value);
    }
    void Delete(uint16_t, std::string_view) override {}
    size_t hash = 0;
  };
  size_t HashOf(uint32_t slot) const {
    HashWriter writer;
    write_(slot, writer);
    return writer.hash;
  }
  std::unordered_map<uint32_t, size_t> hashes_;
#endif

  Owner& owner_;
  std::vector<uint32_t> slots_;
  size_t next_ = 0;
  StateWriter& out_;
  const WriteSlot write_;
};

}  // namespace laminar
