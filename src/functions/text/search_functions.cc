/// Where, whether and how often one text occurs in another.

#include <cstring>

#include "functions/elementwise.h"
#include "functions/overload.h"
#include "functions/register_text.h"
#include "functions/text/pieces.h"

namespace laminar {
namespace {

template <typename F>
ScalarBinder OfTwoTexts(Type result, F f) {
  return Fixed({Type::Text(), Type::Text()}, result, [f, type = result.arrow_type()](const ScalarCall& call) {
    return Map<std::string_view, std::string_view>(call, type, f);
  });
}

/// memmem is vectorised, and takes a NUL byte as any other.
bool Contains(std::string_view text, std::string_view part) {
  if (part.size() > text.size()) return false;
  return part.empty() || ::memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
}

arrow::Result<arrow::Datum> Locate(const ScalarCall& call) {
  if (call.args.size() == 2) {
    return Map<std::string_view, std::string_view>(
        call, arrow::int64(),
        [](std::string_view part, std::string_view text) { return Position(text, part); });
  }
  return Map<std::string_view, std::string_view, int64_t>(
      call, arrow::int64(),
      [](std::string_view part, std::string_view text, int64_t from) { return Position(text, part, from); });
}

void RegisterPositions(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{
      .names = {"strpos", "instr"},
      .doc = {.group = "String",
              .signature = "strpos(text, part) → BIGINT",
              .description =
                  "Position (1-based, in code points) of the first `part` in `text`; 0 when there is none.",
              .example = "strpos('naïve', 'v')",
              .result = "4"},
      .overloads = {OfTwoTexts(Type::Int64(), [](std::string_view text, std::string_view part) {
        return Position(text, part);
      })}});
  registry.Add(ScalarFunction{
      .names = {"locate", "position"},
      .doc = {.group = "String",
              .signature = "locate(part, text, from?) → BIGINT; also position(part IN text)",
              .description =
                  "Position of the first `part` in `text` at or after position `from`; 0 when there is none.",
              .example = "locate('a', 'banana', 3)",
              .result = "4"},
      .overloads = {FixedOptional({Type::Text(), Type::Text(), Type::Int64()}, 1, Type::Int64(), Locate)}});
  registry.Add(ScalarFunction{
      .names = {"find_in_set"},
      .doc =
          {.group = "String",
           .signature = "find_in_set(text, list) → BIGINT",
           .description =
               "Place (1-based) of `text` among the comma-separated parts of `list`; 0 when it is not there.",
           .example = "find_in_set('b', 'a,b,c')",
           .result = "2"},
      .overloads = {OfTwoTexts(Type::Int64(), FindInSet)}});
}

void RegisterTests(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{
      .names = {"starts_with", "startswith"},
      .doc = {.group = "String",
              .signature = "starts_with(text, prefix) → BOOLEAN",
              .description = "Whether `text` begins with `prefix`. The empty prefix always fits.",
              .example = "starts_with('stream', 'str')",
              .result = "true"},
      .overloads = {OfTwoTexts(Type::Boolean(), [](std::string_view text, std::string_view prefix) {
        return text.starts_with(prefix);
      })}});
  registry.Add(ScalarFunction{
      .names = {"ends_with", "endswith"},
      .doc = {.group = "String",
              .signature = "ends_with(text, suffix) → BOOLEAN",
              .description = "Whether `text` ends with `suffix`. The empty suffix always fits.",
              .example = "ends_with('stream', 'am')",
              .result = "true"},
      .overloads = {OfTwoTexts(Type::Boolean(), [](std::string_view text, std::string_view suffix) {
        return text.ends_with(suffix);
      })}});
  registry.Add(
      ScalarFunction{.names = {"contains"},
                     .doc = {.group = "String",
                             .signature = "contains(text, part) → BOOLEAN",
                             .description = "Whether `part` occurs in `text`. The empty part always does.",
                             .example = "contains('stream', 'rea')",
                             .result = "true"},
                     .overloads = {OfTwoTexts(Type::Boolean(), Contains)}});
}

}  // namespace

void RegisterSearchFunctions(FunctionRegistry& registry) {
  RegisterPositions(registry);
  RegisterTests(registry);
  registry.Add(ScalarFunction{.names = {"count_char"},
                              .doc = {.group = "String",
                                      .signature = "count_char(text, part) → BIGINT",
                                      .description = "How often `part` (usually one character) occurs in "
                                                     "`text`, without overlaps; 0 for an empty part.",
                                      .example = "count_char('banana', 'a')",
                                      .result = "3"},
                              .overloads = {OfTwoTexts(Type::Int64(), CountOccurrences)}});
}

}  // namespace laminar
