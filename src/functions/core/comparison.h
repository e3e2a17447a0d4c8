#pragma once

/// Comparison kernels, for operators and for functions that compare (NULLIF, IN).

#include "functions/registry.h"

namespace laminar {

enum class Comparison { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };

/// Compares two arguments of `type`; strict.
ScalarKernel ComparisonKernel(Comparison comparison, const Type& type);

/// `= <> < <= > >= is_distinct_from is_not_distinct_from`.
void RegisterComparison(FunctionRegistry& registry);

}  // namespace laminar
