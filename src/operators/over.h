#pragma once

/// OVER: input columns, then one column per call. Append-only input and output.
///
/// By row time: rows wait, per key, until the watermark has passed them, then go out in row-time order, ties
/// in arrival order. RANGE frames count peers (rows of the same time) in; ROWS frames do not. Rows behind the
/// watermark are late: counted and dropped. Per window: all rows of a key and window are computed when it
/// closes; any order, whole-partition frames and all rank functions.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "functions/aggregate.h"
#include "runtime/operator.h"
#include "types/row_codec.h"

namespace laminar {

enum class OverFunction {
  kAggregate,
  kRowNumber,
  kRank,
  kDenseRank,
  kPercentRank,
  kCumeDist,
  kNtile,
  kLag,
  kLead,
  kFirstValue,
  kLastValue,
  kNthValue
};

struct OverSpec {
  OverFunction function = OverFunction::kAggregate;
  std::shared_ptr<const AggregateFunction> aggregate;  ///< kAggregate; `distinct` is refused by the planner
  std::vector<int>
      args;         ///< columns; aggregate arguments then its ORDER BY columns; LAG/LEAD: value [, default]
  int filter = -1;  ///< BOOLEAN column: rows that count for the aggregate; −1: all
  bool ignore_nulls = false;
  int64_t offset = 1;  ///< LAG, LEAD, NTH_VALUE, NTILE
  Type type;           ///< of the result
};

struct OverOptions {
  Schema input;
  int num_output_columns = 0;  ///< input columns [0, n) go out; those behind exist for args and keys only
  std::vector<int> keys;       ///< PARTITION BY; per window: without its start and end
  std::vector<int> order_columns;
  std::vector<SortColumn> order;
  std::vector<OverSpec> calls;
  bool rows_frame = false;           ///< ROWS, else RANGE
  std::optional<int64_t> preceding;  ///< rows or µs before the current row; nullopt: UNBOUNDED PRECEDING
  bool whole_partition = false;
  int time_column = -1;  ///< row time, TIMESTAMP µs; not per window
  bool per_window = false;
  int window_start = -1, window_end = -1;
  int64_t ttl_us = 0;  ///< UNBOUNDED PRECEDING only
};

std::unique_ptr<Operator> MakeOver(OverOptions options);

}  // namespace laminar
