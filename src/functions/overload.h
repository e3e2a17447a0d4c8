#pragma once

/// Ways to write a ScalarBinder in one line.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "functions/registry.h"

namespace laminar {

enum class CanFail { kNo, kYes };

/// Takes exactly these parameters; arguments may be cast implicitly.
ScalarBinder Fixed(std::vector<Type> parameters, Type result, ScalarKernel kernel,
                   CanFail can_fail = CanFail::kNo);
/// Same with the last `optional` parameters left out one by one: the kernel gets as many arguments as were
/// written.
ScalarBinder FixedOptional(std::vector<Type> parameters, size_t optional, Type result, ScalarKernel kernel,
                           CanFail can_fail = CanFail::kNo);
/// `first…` then `min_rest` or more of `rest`.
ScalarBinder Variadic(std::vector<Type> first, Type rest, size_t min_rest, Type result, ScalarKernel kernel,
                      CanFail can_fail = CanFail::kNo);

/// Whether the arguments may become the parameters without CAST (same number).
bool Accepts(const std::vector<Type>& parameters, const std::vector<Type>& arguments);

/// The constant text argument `index`; nullopt when it is no constant, NULL, or not text.
std::optional<std::string> ConstantText(const BindArguments& arguments, size_t index);
/// The constant integer argument `index`, of any integer type; nullopt as above.
std::optional<int64_t> ConstantInteger(const BindArguments& arguments, size_t index);
/// Whether argument `index` is a constant NULL.
bool IsConstantNull(const BindArguments& arguments, size_t index);

}  // namespace laminar
