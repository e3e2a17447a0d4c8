#pragma once

/// UNNEST: one row per element of an ARRAY (or entry of a MAP); NULL and empty ones give no row. Weights are
/// repeated. No state.

#include <memory>
#include <vector>

#include "runtime/operator.h"

namespace laminar {

struct UnnestOptions {
  int column = 0;  ///< the ARRAY or MAP
  std::vector<int> keep =
      {};  ///< input columns that are repeated; the output starts with them, in this order
  /// Then comes the element (MAP: key and value), and with ordinality its position from 1, BIGINT.
  bool with_ordinality = false;
};

std::unique_ptr<Operator> MakeUnnest(UnnestOptions options);

}  // namespace laminar
