/// UPPER, LOWER, INITCAP.

#include "functions/elementwise.h"
#include "functions/overload.h"
#include "functions/register_text.h"
#include "functions/text/rewriting.h"

namespace laminar {
namespace {

ScalarBinder Rewriter(void (*rewrite)(std::string_view, TextWriter&)) {
  return Fixed({Type::Text()}, Type::Text(), [rewrite](const ScalarCall& call) {
    return MapText<std::string_view>(call, arrow::utf8(), rewrite);
  });
}

}  // namespace

void RegisterCaseFunctions(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{
      .names = {"upper", "ucase"},
      .doc = {.group = "String",
              .signature = "upper(text) → TEXT",
              .description = "Letters in upper case, by Unicode's simple mapping (ß stays) and no locale.",
              .example = "upper('straße')",
              .result = "\"STRAßE\""},
      .overloads = {Rewriter(AppendUpper)}});
  registry.Add(ScalarFunction{
      .names = {"lower", "lcase"},
      .doc = {.group = "String",
              .signature = "lower(text) → TEXT",
              .description = "Letters in lower case, by Unicode's simple mapping and no locale.",
              .example = "lower('ÀÉÎ X')",
              .result = "\"àéî x\""},
      .overloads = {Rewriter(AppendLower)}});
  registry.Add(ScalarFunction{
      .names = {"initcap"},
      .doc = {.group = "String",
              .signature = "initcap(text) → TEXT",
              .description =
                  "The first letter of each word in upper case, the others in lower case. Words are runs of "
                  "letters and digits.",
              .example = "initcap('hELLO big-world')",
              .result = "\"Hello Big-World\""},
      .overloads = {Rewriter(AppendInitcap)}});
}

}  // namespace laminar
