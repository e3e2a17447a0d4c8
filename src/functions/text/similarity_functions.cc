/// LEVENSHTEIN and SOUNDEX.

#include "functions/elementwise.h"
#include "functions/overload.h"
#include "functions/register_text.h"
#include "functions/text/similarity.h"

namespace laminar {
namespace {

arrow::Result<arrow::Datum> Levenshtein(const ScalarCall& call) {
  EditDistance distance;
  return Map<std::string_view, std::string_view>(call, arrow::int64(), distance);
}

}  // namespace

void RegisterSimilarityFunctions(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{
      .names = {"levenshtein"},
      .doc = {.group = "String",
              .signature = "levenshtein(a, b) → BIGINT",
              .description =
                  "Fewest characters to insert, delete or replace to turn one text into the other.",
              .example = "levenshtein('kitten', 'sitting')",
              .result = "3"},
      .overloads = {Fixed({Type::Text(), Type::Text()}, Type::Int64(), Levenshtein)}});
  registry.Add(ScalarFunction{
      .names = {"soundex"},
      .doc =
          {.group = "String",
           .signature = "soundex(text) → TEXT",
           .description =
               "American Soundex: first letter and three digits. Empty when the text has no letter A to Z.",
           .example = "soundex('Robert')",
           .result = "\"R163\""},
      .overloads = {Fixed({Type::Text()}, Type::Text(), [](const ScalarCall& call) {
        return MapText<std::string_view>(call, arrow::utf8(), AppendSoundex);
      })}});
}

}  // namespace laminar
