#include "functions/register_aggregates.h"

namespace laminar {

void RegisterAggregateFunctions(FunctionRegistry& registry) {
  for (AggregateDefinition& definition : AggregateDefinitions()) registry.Add(std::move(definition));
}

}  // namespace laminar
