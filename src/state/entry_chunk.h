#pragma once

#include <cstddef>
#include <string_view>

#include "state/state_memory.h"

namespace laminar {

/// Entries of a snapshot one after another, whole ones, in the encoding of snapshot_buffer.h.
struct EntryChunk {
  explicit EntryChunk(size_t bytes) : memory(bytes), size(bytes) {}

  char* end() { return reinterpret_cast<char*>(memory.get()) + used; }
  bool HasRoom(size_t bytes) const { return used + bytes <= size; }
  /// For a walk from front to back.
  std::string_view entries() const {
    if (memory.on_disk()) ReadAhead(memory.get(), used);
    return {reinterpret_cast<const char*>(memory.get()), used};
  }

  MemoryBlock memory;
  size_t size;
  size_t used = 0;
  int64_t num_entries = 0;
};

}  // namespace laminar
