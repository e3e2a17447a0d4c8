#pragma once

/// Rewrites of the logical plan, in the order in which they run. Each keeps the meaning of every output.

#include <vector>

#include "sql/logical.h"

namespace laminar::sql {

/// `WHERE rn <= n` over ROW_NUMBER, RANK or DENSE_RANK becomes a top-N that keeps n rows per key, or a deduplication. Then
/// reports (throws) OVER that no operator can run: OVER_NEEDS_WINDOW, OVER_ON_UPDATING.
NodePtr RecogniseTopN(const NodePtr& root);

/// Drops columns, aggregates, ranks and STRUCT fields that no output reads, down into the decoders. Works on all outputs
/// together, since they may share nodes; result in the same order.
std::vector<NodePtr> PruneColumns(const std::vector<NodePtr>& roots);

}  // namespace laminar::sql
