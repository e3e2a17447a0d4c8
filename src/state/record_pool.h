#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/prefetch.h"
#include "state/frozen_slots.h"
#include "state/table_memory.h"

namespace laminar {

/// Fixed-size records by slot, without keys: KeyedMap's memory for owners that find their records some other
/// way. Records lie in one block that moves when it grows: keep slots, not pointers, across Add.
class RecordPool {
 public:
  /// `record_bytes` is rounded up to a multiple of 8.
  explicit RecordPool(int64_t record_bytes)
      : stride_((record_bytes + 7) / 8 * 8 + static_cast<int64_t>(sizeof(Header))) {}
  RecordPool(const RecordPool&) = delete;
  RecordPool& operator=(const RecordPool&) = delete;

  /// A slot with a record of zeros; may be one that was removed.
  uint32_t Add();
  /// A record that owns memory: Preserve it before the memory goes.
  void Remove(uint32_t slot);
  /// Gives all memory back. All slots must have been removed.
  void Trim();

  uint8_t* record(uint32_t slot) { return base_ + slot * stride_ + sizeof(Header); }
  const uint8_t* record(uint32_t slot) const { return base_ + slot * stride_ + sizeof(Header); }
  int64_t size() const { return size_; }
  bool live(uint32_t slot) const { return header(slot)->live != 0; }
  uint32_t slots_end() const { return slots_end_; }

  // Changes since the last Snapshot, as in keyed_map.h.

  void MarkDirty(uint32_t slot) {
    Header* at = header(slot);
    if (at->dirty == dirty_mark_) return;
    if (at->dirty != 0) [[unlikely]]
      Preserve(slot);
    at->dirty = dirty_mark_;
    dirty_.push_back(slot);
  }
  void Preserve(uint32_t slot) {
    if (TakeFrozen(slot)) [[unlikely]]
      frozen_->Write(slot);
  }
  void Snapshot(SnapshotWriter& writer, std::string_view table, WriteSlot write);
  bool persisted(uint32_t slot) const { return header(slot)->persisted != 0; }
  void SetPersisted(uint32_t slot) { header(slot)->persisted = 1; }

 private:
  struct Header {
    uint8_t live, dirty, persisted, unused[5];
  };
  friend class FrozenSlots<RecordPool>;

  bool IsFrozen(uint32_t slot) const { return live(slot) && IsFrozenMark(header(slot)->dirty, dirty_mark_); }
  bool TakeFrozen(uint32_t slot) { return TakeFrozenHeader(header(slot), dirty_mark_); }
  void PrefetchFrozen(uint32_t slot) const {
    __builtin_prefetch(header(slot), 1);
    KeepPrefetches();
  }
  void ReadPages(const uint32_t* slots, size_t count) const {
    if (!memory_.on_disk()) return;
    PageReader reader;
    for (size_t i = 0; i < count; ++i) reader.Add(header(slots[i]), static_cast<size_t>(stride_));
    reader.Read();
  }
  Header* header(uint32_t slot) { return reinterpret_cast<Header*>(base_ + slot * stride_); }
  const Header* header(uint32_t slot) const {
    return reinterpret_cast<const Header*>(base_ + slot * stride_);
  }

  int64_t stride_;
  TableMemory memory_;
  uint8_t* base_ = nullptr;  // memory_.data()
  uint32_t slots_max_ = 0;
  uint32_t slots_end_ = 0;
  int64_t size_ = 0;
  StateArray<uint32_t> free_;
  std::vector<uint32_t> dirty_;
  uint8_t dirty_mark_ = 1;  // 1 and 2 by turns; the other: frozen
  std::unique_ptr<FrozenSlots<RecordPool>> frozen_;
};

}  // namespace laminar
