#pragma once

/// How much memory this machine, or the control group that the process is in, has left.

#include <sys/types.h>

#include <cstdint>

namespace laminar {

/// Memory that a process of this group could take without swapping; 0 where it is not known.
int64_t FreeMemoryBytes();
/// Resident memory of a process; 0 when there is none.
int64_t ResidentBytes(pid_t pid);

}  // namespace laminar
