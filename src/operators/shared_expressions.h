#pragma once

/// What several expressions over one batch have in common, to be evaluated once: `lower(channel)` of each
/// branch of a CASE, a regular expression that both WHERE and SELECT read.

#include <vector>

#include "functions/expression.h"

namespace laminar {

struct SharedExpressions {
  /// To be appended to the batch as columns, in this order: a later one may read an earlier one.
  std::vector<ExpressionPtr> shared;
  /// The given expressions over that wider batch.
  std::vector<ExpressionPtr> expressions;
};

/// `num_columns`: of the batch that `expressions` (null pointers are passed on) read. Only what cannot fail
/// and always gives the same is shared: whether a row evaluates it then does not matter.
SharedExpressions ShareExpressions(std::vector<ExpressionPtr> expressions, int num_columns);

}  // namespace laminar
