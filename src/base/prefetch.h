#pragma once

namespace laminar {

/// Stands at the end of a function that does nothing but prefetch: GCC takes such a function for one without
/// effects and drops the calls of it.
inline void KeepPrefetches() { asm volatile(""); }

}  // namespace laminar
