#pragma once

/// The expression that calls a bound function. Made by FunctionRegistry::BindScalar.

#include <string>
#include <vector>

#include "functions/registry.h"

namespace laminar {

/// `arguments` already have the types of `bound.parameters`. `name` is the canonical one.
ExpressionPtr MakeCall(std::string name, BoundScalar bound, Volatility volatility,
                       std::vector<ExpressionPtr> arguments);

}  // namespace laminar
