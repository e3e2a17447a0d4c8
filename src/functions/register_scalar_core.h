#pragma once

/// Operators and the functions that are not about text: conditional, type, math, date and time, nested
/// values.

#include "functions/registry.h"

namespace laminar {

void RegisterCoreFunctions(FunctionRegistry& registry);

/// The parts in core/; those of math/, datetime/ and nested/ have headers there.
void RegisterComparison(FunctionRegistry& registry);
void RegisterNullTests(FunctionRegistry& registry);
void RegisterArithmetic(FunctionRegistry& registry);
void RegisterBitOperators(FunctionRegistry& registry);
void RegisterInList(FunctionRegistry& registry);
void RegisterConcatOperator(FunctionRegistry& registry);
void RegisterPatternOperators(FunctionRegistry& registry);
void RegisterConditional(FunctionRegistry& registry);

}  // namespace laminar
