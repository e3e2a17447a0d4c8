#include "functions/aggregate/definitions.h"

#include <fmt/format.h>

#include "base/error.h"
#include "functions/register_aggregates.h"

namespace laminar {

std::vector<AggregateDefinition> AggregateDefinitions() {
  AggregateDefinitionList out;
  AddCountSumAvg(&out);
  AddMinMax(&out);
  AddBitBool(&out);
  AddFirstLast(&out);
  AddCollect(&out);
  AddCollectJson(&out);
  AddCollectMap(&out);
  AddVariance(&out);
  AddRegression(&out);
  AddPercentile(&out);
  AddApproximate(&out);
  return out;
}

void RequireArgumentCount(std::string_view function, const AggregateBindArguments& args, size_t least,
                          size_t most) {
  const size_t count = args.types.size();
  if (count >= least && count <= most) return;
  const std::string expected = least == most ? std::to_string(least) : fmt::format("{} to {}", least, most);
  throw UserError(
      Reason::kTypeError, {},
      fmt::format("{} takes {} argument{}, not {}", function, expected, most == 1 ? "" : "s", count));
}

void ThrowArgumentType(std::string_view function, std::string_view expected, const Type& type) {
  throw UserError(Reason::kTypeError, {},
                  fmt::format("{} takes {}, not {}", function, expected, type.ToString()));
}

Type KnownType(const Type& type) { return type.is_null() ? Type::Int64() : type; }

Type RequireNumber(std::string_view function, const Type& type) {
  if (!type.is_numeric() && !type.is_null() && type.id() != TypeId::kJson)
    ThrowArgumentType(function, "numbers", type);
  return Type::Double();
}

}  // namespace laminar
