/// TRIM and its one-sided forms.

#include "functions/elementwise.h"
#include "functions/overload.h"
#include "functions/register_text.h"
#include "functions/text/pieces.h"

namespace laminar {
namespace {

using TrimFunction = std::string_view (*)(std::string_view text, std::string_view set);

ScalarBinder Trimmer(TrimFunction trim) {
  return FixedOptional({Type::Text(), Type::Text()}, 1, Type::Text(), [trim](const ScalarCall& call) {
    if (call.args.size() == 2) return Map<std::string_view, std::string_view>(call, arrow::utf8(), trim);
    return Map<std::string_view>(call, arrow::utf8(),
                                 [trim](std::string_view text) { return trim(text, " "); });
  });
}

}  // namespace

void RegisterTrimFunctions(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{
      .names = {"btrim", "trim"},
      .doc =
          {.group = "String",
           .signature = "btrim(text, characters?) → TEXT; also trim([BOTH] characters FROM text)",
           .description =
               "Without the leading and trailing characters that occur in `characters` (default: the space).",
           .example = "btrim('xxhixyx', 'xy')",
           .result = "\"hi\""},
      .overloads = {Trimmer(Trim)}});
  registry.Add(ScalarFunction{
      .names = {"ltrim"},
      .doc = {.group = "String",
              .signature = "ltrim(text, characters?) → TEXT; also trim(LEADING characters FROM text)",
              .description =
                  "Without the leading characters that occur in `characters` (default: the space).",
              .example = "ltrim('  hi ')",
              .result = "\"hi \""},
      .overloads = {Trimmer(TrimLeft)}});
  registry.Add(ScalarFunction{
      .names = {"rtrim"},
      .doc = {.group = "String",
              .signature = "rtrim(text, characters?) → TEXT; also trim(TRAILING characters FROM text)",
              .description =
                  "Without the trailing characters that occur in `characters` (default: the space).",
              .example = "rtrim('1.500', '0')",
              .result = "\"1.5\""},
      .overloads = {Trimmer(TrimRight)}});
}

}  // namespace laminar
