#include "state/record_pool.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace laminar {

uint32_t RecordPool::Add() {
  uint32_t slot;
  uint8_t dirty = 0;
  if (!free_.empty()) {
    slot = free_.back();
    free_.pop_back();
    if (header(slot)->dirty == dirty_mark_) dirty = dirty_mark_;  // still listed
  } else {
    slot = slots_end_;
    LAMINAR_CHECK(slot != UINT32_MAX, "more than 4 billion records in one subtask");
    if (slot == slots_max_) {
      const uint32_t slots = std::max(8u, slots_max_ + std::min(slots_max_, 1u << 24));
      memory_.Resize(static_cast<size_t>(slots) * static_cast<size_t>(stride_));
      base_ = memory_.data();
      slots_max_ = slots;
    }
    ++slots_end_;
  }
  std::memset(base_ + slot * stride_, 0, static_cast<size_t>(stride_));
  header(slot)->live = 1;
  header(slot)->dirty = dirty;
  ++size_;
  return slot;
}

void RecordPool::Remove(uint32_t slot) {
  Preserve(slot);
  header(slot)->live = 0;
  free_.push_back(slot);
  --size_;
}

void RecordPool::Trim() {
  LAMINAR_CHECK(size_ == 0, "records in use");
  if (frozen_) frozen_->Finish();
  memory_.Free();
  base_ = nullptr;
  slots_max_ = slots_end_ = 0;
  free_ = {};
  dirty_ = std::vector<uint32_t>();  // {} would keep its memory
}

void RecordPool::Snapshot(SnapshotWriter& writer, std::string_view table, WriteSlot write) {
  if (frozen_) frozen_->Finish();
  if (dirty_.empty()) return;
  dirty_mark_ ^= 3;
  frozen_ = std::make_unique<FrozenSlots<RecordPool>>(*this, std::exchange(dirty_, {}), writer.Table(table),
                                                      std::move(write));
  writer.Defer(*frozen_);
}

}  // namespace laminar
