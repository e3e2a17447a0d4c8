#pragma once

/// Keys are hashed to 1,024 key groups, fixed for the life of a pipeline; a subtask owns a contiguous range
/// of them. Rescaling moves ranges and nothing else (design: docs/architecture.md "State").

#include <cstdint>

namespace laminar {

inline constexpr int kKeyGroups = 1024;
/// Marks an entry that every subtask gets back on restore (watermark progress, split positions).
inline constexpr uint16_t kEverySubtask = 0xFFFF;

/// `hash` is HashRows' of the key columns (types/row_codec.h).
inline uint16_t KeyGroupOf(uint64_t hash) { return static_cast<uint16_t>(hash >> 54); }  // the top 10 bits
inline int SubtaskOf(uint16_t key_group, int parallelism) { return key_group * parallelism / kKeyGroups; }

/// Groups [begin, end) of one subtask.
struct KeyGroupRange {
  int begin = 0;
  int end = kKeyGroups;
  int size() const { return end - begin; }
  bool Contains(uint16_t group) const { return group >= begin && group < end; }
  static KeyGroupRange Of(int subtask, int parallelism) {
    // The smallest g with g * parallelism / kKeyGroups >= subtask.
    auto first = [&](int s) { return (s * kKeyGroups + parallelism - 1) / parallelism; };
    return {first(subtask), first(subtask + 1)};
  }
};

}  // namespace laminar
