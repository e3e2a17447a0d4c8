#pragma once

/// Rewrites of the logical plan, in the order in which they run. Each keeps the meaning of every output.

#include <vector>

#include "sql/logical.h"

namespace laminar::sql {

/// `filter` is a filter node. `WHERE rn <= n` over ROW_NUMBER, RANK or DENSE_RANK becomes a top-N that keeps
/// n rows per key, or a deduplication; anything else comes back as it is. Called while binding, since the
/// result may be updating.
NodePtr RecogniseTopN(const NodePtr& filter);

/// Throws OVER_NEEDS_WINDOW or OVER_ON_UPDATING for an OVER that is left and that no operator can run.
void CheckOvers(const std::vector<NodePtr>& roots);

/// Drops columns, aggregates, ranks and STRUCT fields that no output reads, down into the decoders. Works on
/// all outputs together, since they may share nodes; result in the same order.
std::vector<NodePtr> PruneColumns(const std::vector<NodePtr>& roots);

/// Equal aggregates over the same rows become one node with several parents. Result in the same order.
std::vector<NodePtr> ShareAggregates(const std::vector<NodePtr>& roots);

}  // namespace laminar::sql
