#pragma once

#include "functions/registry.h"

namespace laminar {

void RegisterNow(FunctionRegistry& registry);
void RegisterDateParts(FunctionRegistry& registry);
void RegisterTruncation(FunctionRegistry& registry);
void RegisterDateMath(FunctionRegistry& registry);
void RegisterTimeConversion(FunctionRegistry& registry);
void RegisterTimeFormat(FunctionRegistry& registry);
void RegisterTimeZones(FunctionRegistry& registry);

}  // namespace laminar
