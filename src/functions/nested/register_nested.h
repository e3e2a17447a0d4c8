#pragma once

#include "functions/registry.h"

namespace laminar {

void RegisterArrayAccess(FunctionRegistry& registry);
void RegisterArrayChange(FunctionRegistry& registry);
void RegisterArraySets(FunctionRegistry& registry);
void RegisterArrayReduce(FunctionRegistry& registry);
void RegisterSeries(FunctionRegistry& registry);
void RegisterMapFunctions(FunctionRegistry& registry);
void RegisterStructFunctions(FunctionRegistry& registry);

}  // namespace laminar
