#pragma once

/// A byte string inside an accumulator: up to 16 bytes in place, longer ones in a block of their own. Plain
/// bytes to memcpy (a move, not a copy); whoever holds one calls Free.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/error.h"

namespace laminar {

struct InlineBytes {
  static constexpr uint32_t kInPlace = 16;

  uint32_t size = 0;
  uint32_t capacity = 0;  // of the block; 0: in place
  union {
    char in_place[kInPlace] = {};
    char* block;
  };

  std::string_view view() const { return {capacity == 0 ? in_place : block, size}; }

  void Assign(std::string_view bytes) {
    const auto needed = static_cast<uint32_t>(bytes.size());
    if (needed > std::max(capacity, kInPlace)) {
      Free();
      char* fresh = static_cast<char*>(std::malloc(needed));
      LAMINAR_CHECK(fresh != nullptr, "out of memory");
      block = fresh;
      capacity = needed;
    }
    if (needed > 0) std::memcpy(capacity == 0 ? in_place : block, bytes.data(), needed);
    size = needed;
  }
  void Free() {
    if (capacity > 0) std::free(block);
    size = capacity = 0;
  }
};

}  // namespace laminar
