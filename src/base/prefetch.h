#pragma once

#include <cstddef>

namespace laminar {

/// Stands at the end of a function that does nothing but prefetch: GCC takes such a function for one without
/// effects and drops the calls of it.
inline void KeepPrefetches() { asm volatile(""); }

/// For a walk over things of different lengths that lie one after another, each of which says where the next
/// begins: the processor cannot run ahead of that by itself. To be called with each; asks for what lies some
/// way behind it.
inline void PrefetchAhead(const void* address, size_t bytes) {
  constexpr size_t kAhead = 1024, kLine = 64;
  const char* const ahead = static_cast<const char*>(address) + kAhead;
  for (size_t at = 0; at < bytes; at += kLine) __builtin_prefetch(ahead + at);
  KeepPrefetches();
}

}  // namespace laminar
