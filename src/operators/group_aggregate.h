#pragma once

/// GROUP BY without a window: an updating aggregate.
///
/// Delta rule: each row adds its weight to the accumulators of its group; per flush, a group whose output row
/// differs from what was last sent sends −old and +new, in that order. What was sent is not kept: the first
/// change since a flush takes the old row from the accumulators before they change.

#include <memory>
#include <vector>

#include "operators/accumulator_set.h"
#include "runtime/operator.h"

namespace laminar {

enum class GroupOutput {
  kRetract,  ///< a change is −old, +new
  kUpsert,   ///< a change is +new alone, for consumers that keep rows by the group key; a group that ends is
             ///< still −old
};

struct GroupAggregateOptions {
  Schema input;
  /// Columns to group by. None: one group for all rows, which comes into being with the first row and then
  /// stays, as the row of an empty input when all rows have been taken back.
  std::vector<int> keys;
  std::vector<AggregateSpec> calls;
  bool input_retracts =
      false;  ///< rows may have negative weights: rows are counted, and a group without any goes
  int64_t ttl_us =
      0;  ///< > 0: groups untouched for longer (processing time) are dropped without a word, and counted
  GroupOutput output = GroupOutput::kRetract;
};

/// Output: the key columns, then one column per call. Input must be partitioned by the keys.
std::unique_ptr<Operator> MakeGroupAggregate(GroupAggregateOptions options);

}  // namespace laminar
