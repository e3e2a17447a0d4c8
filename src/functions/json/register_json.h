#pragma once

#include "functions/registry.h"

namespace laminar {

void RegisterJsonGetters(FunctionRegistry& registry);
void RegisterJsonPathFunctions(FunctionRegistry& registry);
void RegisterJsonBuildFunctions(FunctionRegistry& registry);
void RegisterJsonInspectFunctions(FunctionRegistry& registry);
void RegisterJsonEditFunctions(FunctionRegistry& registry);

}  // namespace laminar
