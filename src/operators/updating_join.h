#pragma once

/// Joins two unbounded inputs by key, without windows or time bounds: the result changes as rows come and go.
///
/// Delta rule: a row of weight w that arrives on one input meets each kept row of weight v of the other: the
/// pair goes out with weight w · v, then the row is kept (added to an equal row of a changelog). Padded
/// inputs (outer joins) count the partners of each row: (row, NULLs) is out exactly while the count is not
/// above zero. Rows whose key has a NULL meet nobody and are not kept. Semi and anti joins emit left rows by
/// the same count and no pairs.
///
/// State: both inputs' rows, for ever or until nobody has written or met a row for `ttl_us`.

#include <cstdint>
#include <memory>

#include "operators/join_rows.h"
#include "runtime/operator.h"

namespace laminar {

struct UpdatingJoinOptions {
  JoinSpec join;
  bool left_changelog = false;  ///< the input may carry weights other than +1
  bool right_changelog = false;
  int64_t ttl_us = 0;  ///< 0: keep for ever
};

/// Whether the output carries weights (inner and semi joins of append-only inputs do not).
bool IsUpdating(const UpdatingJoinOptions& options);

std::unique_ptr<Operator> MakeUpdatingJoin(UpdatingJoinOptions options);

}  // namespace laminar
