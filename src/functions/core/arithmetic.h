#pragma once

/// + − * / % by family; arithmetic.cc registers the operators over all of them.

#include <optional>
#include <string>

#include "functions/registry.h"

namespace laminar {

enum class Arithmetic { kAdd, kSubtract, kMultiply, kDivide, kModulo };

/// Each: nullopt when the types are not this family's.
std::optional<BoundScalar> BindDecimalArithmetic(Arithmetic operation, const Type& a, const Type& b);
/// DATE, TIME, TIMESTAMP, INTERVAL with one another and with numbers. Takes constants: DATE ± an interval
/// without time part stays DATE.
std::optional<BoundScalar> BindTemporalArithmetic(Arithmetic operation, const BindArguments& arguments);
/// Integers and floating-point numbers (and a decimal beside the latter).
std::optional<BoundScalar> BindNumberArithmetic(Arithmetic operation, const Type& a, const Type& b);
/// All three.
std::optional<BoundScalar> BindArithmetic(Arithmetic operation, const BindArguments& arguments);

/// DECIMAL(precision, scale) with at most 38 digits: past that the scale gives way, but not below 6.
Type BoundedDecimal(int precision, int scale);
/// DECIMAL that holds every value of an integer or decimal type.
Type DecimalOf(const Type& number);

}  // namespace laminar
