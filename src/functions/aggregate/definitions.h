#pragma once

/// One function per subject file, and what binders share.

#include <string_view>
#include <vector>

#include "functions/aggregate.h"
#include "functions/registry.h"

namespace laminar {

using AggregateDefinitionList = std::vector<AggregateDefinition>;

void AddCountSumAvg(AggregateDefinitionList* out);
void AddMinMax(AggregateDefinitionList* out);
void AddVariance(AggregateDefinitionList* out);
void AddRegression(AggregateDefinitionList* out);
void AddBitBool(AggregateDefinitionList* out);
void AddFirstLast(AggregateDefinitionList* out);
void AddCollect(AggregateDefinitionList* out);
void AddCollectJson(AggregateDefinitionList* out);
void AddCollectMap(AggregateDefinitionList* out);
void AddPercentile(AggregateDefinitionList* out);
void AddApproximate(AggregateDefinitionList* out);

/// Throws kTypeError unless `args` has between `least` and `most` arguments.
void RequireArgumentCount(std::string_view function, const AggregateBindArguments& args, size_t least,
                          size_t most);
/// Throws kTypeError: "<function> takes <expected>, not <type>".
[[noreturn]] void ThrowArgumentType(std::string_view function, std::string_view expected, const Type& type);
/// The type itself, or BIGINT for an untyped NULL.
Type KnownType(const Type& type);
/// DOUBLE when `type` can be read as a number (also JSON, which adapts, and an untyped NULL); else throws
/// kTypeError.
Type RequireNumber(std::string_view function, const Type& type);

}  // namespace laminar
