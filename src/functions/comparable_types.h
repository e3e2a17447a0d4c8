#pragma once

/// Which type two operands are compared in.

#include <optional>

#include "functions/registry.h"

namespace laminar {

/// CommonType; otherwise TEXT becomes the other side's type and JSON adapts to it (DOUBLE beside any number).
/// nullopt: the two cannot be compared.
std::optional<Type> ComparisonType(const Type& a, const Type& b);

/// The same for arguments `a` and `b`, of which one may be an integer constant that fits the other's narrower
/// type: then the column need not be widened.
std::optional<Type> ComparisonType(const BindArguments& arguments, size_t a, size_t b);

/// Of all arguments from `first` on.
std::optional<Type> CommonComparisonType(const std::vector<Type>& types, size_t first = 0);

/// A constant cast to `to`; null pointer when the cast fails.
std::shared_ptr<arrow::Scalar> CastConstant(const std::shared_ptr<arrow::Scalar>& value, const Type& from,
                                            const Type& to);

}  // namespace laminar
