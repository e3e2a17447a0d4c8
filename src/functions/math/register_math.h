#pragma once

#include "functions/registry.h"

namespace laminar {

void RegisterRounding(FunctionRegistry& registry);
void RegisterRealFunctions(FunctionRegistry& registry);
void RegisterIntegerFunctions(FunctionRegistry& registry);
void RegisterRandom(FunctionRegistry& registry);

}  // namespace laminar
