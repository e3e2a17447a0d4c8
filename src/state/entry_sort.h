#pragma once

/// Changes as subtasks handed them over, in the order of a state file.

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "state/snapshot_buffer.h"

namespace laminar {

/// An entry in the encoding of snapshot_buffer.h.
using TakeEncoded = std::function<void(uint16_t key_group, std::string_view entry)>;

/// All changes of one table, sorted by (key group, key), of equal keys only the last. Of many it makes runs,
/// which are then merged: so one run at a time has its index in memory, and those that lie on a disk are not
/// read at random over more than a run.
void ForEachSorted(const std::vector<const TableChanges*>& oldest_first, const TakeEncoded& take);

}  // namespace laminar
