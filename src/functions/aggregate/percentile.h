#pragma once

#include <memory>
#include <vector>

#include "functions/aggregate.h"

namespace laminar {

struct PercentileSpec {
  double p = 0.5;
  bool continuous = true;  ///< else an existing value
  bool descending = false;
  size_t column = 0;  ///< of the values in AggregateInput::args
};

/// Exact percentile. `result` is also the type of the values, except that DOUBLE takes every number.
std::shared_ptr<const AggregateFunction> MakePercentile(const Type& result, const PercentileSpec& spec,
                                                        bool retractable);

/// A call of the form f(p, …) WITHIN GROUP (ORDER BY x) or f(x, p, …).
struct PercentileCall {
  double p = 0.5;
  bool descending = false;
  Type value_type;
  size_t value_column = 0;
  std::vector<Type> parameters;
};
/// Throws kTypeError unless p is a constant from 0 to 1. `most_after_value`: arguments besides x.
PercentileCall ReadPercentileCall(const char* name, const AggregateBindArguments& args,
                                  size_t most_after_value);

}  // namespace laminar
