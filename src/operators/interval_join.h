#pragma once

/// Joins two append-only inputs by key where the rows' times are near one another: `a.ts BETWEEN b.ts - i AND
/// b.ts + j`, or between columns of a row (`b.ts BETWEEN a.ts AND a.expires`, as predicate). The output is
/// append-only.
///
/// A row meets what is kept of the other input, then is kept itself until the watermark says that no partner
/// can follow. Rows behind the watermark still meet what is there. Outer kinds emit a row without partner,
/// padded with NULLs, when it is let go; as its time is then behind the watermark, they hold the output's
/// watermark back by how long rows stay.

#include <cstdint>
#include <memory>
#include <optional>

#include "operators/join_rows.h"
#include "runtime/operator.h"

namespace laminar {

/// A bound of right.time − left.time.
struct IntervalBound {
  int64_t offset_us = 0;
  bool inclusive = true;
};

struct IntervalJoinOptions {
  JoinSpec join;                       ///< inner, left, right or full
  int left_time = 0, right_time = 0;   ///< TIMESTAMP columns; rows where it is NULL meet nobody
  std::optional<IntervalBound> lower;  ///< right.time − left.time is at least this
  std::optional<IntervalBound> upper;  ///< … and at most this
  /// TIMESTAMP over a row of that input: no partner has a later time. Null pointer: left.time + upper,
  /// right.time − lower; without that bound, for ever. NULL: as if null pointer.
  ExpressionPtr left_keep_until, right_keep_until;
};

/// Throws UserError(kUnsupported) for outer kinds without both bounds.
std::unique_ptr<Operator> MakeIntervalJoin(IntervalJoinOptions options);

}  // namespace laminar
