#pragma once

#include "functions/registry.h"

namespace laminar {

void RegisterDigestFunctions(FunctionRegistry& registry);
void RegisterChecksumFunctions(FunctionRegistry& registry);
void RegisterEncodingFunctions(FunctionRegistry& registry);
void RegisterBytesFunctions(FunctionRegistry& registry);
void RegisterUuidFunction(FunctionRegistry& registry);

}  // namespace laminar
