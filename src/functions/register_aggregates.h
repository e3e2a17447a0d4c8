#pragma once

/// The aggregate functions of docs/functions.md.

#include <vector>

#include "functions/aggregate.h"
#include "functions/registry.h"

namespace laminar {

void RegisterAggregateFunctions(FunctionRegistry& registry);

/// What RegisterAggregateFunctions adds: all aggregates, in order of subject.
std::vector<AggregateDefinition> AggregateDefinitions();

}  // namespace laminar
