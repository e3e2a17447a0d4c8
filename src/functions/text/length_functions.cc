/// Lengths in code points, bytes and bits.

#include "functions/elementwise.h"
#include "functions/overload.h"
#include "functions/register_text.h"
#include "functions/text/utf8.h"

namespace laminar {
namespace {

arrow::Result<arrow::Datum> CodePoints(const ScalarCall& call) {
  return Map<std::string_view>(call, arrow::int64(), CodePointCount);
}

arrow::Result<arrow::Datum> Bytes(const ScalarCall& call) {
  return Map<std::string_view>(call, arrow::int64(),
                               [](std::string_view text) { return static_cast<int64_t>(text.size()); });
}

arrow::Result<arrow::Datum> Bits(const ScalarCall& call) {
  return Map<std::string_view>(call, arrow::int64(),
                               [](std::string_view text) { return static_cast<int64_t>(text.size()) * 8; });
}

}  // namespace

void RegisterLengthFunctions(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{.names = {"length", "char_length", "character_length", "len"},
                              .doc = {.group = "String",
                                      .signature = "length(text) → BIGINT",
                                      .description = "Number of code points; of a BYTEA the number of bytes.",
                                      .example = "length('naïve')",
                                      .result = "5"},
                              .overloads = {Fixed({Type::Text()}, Type::Int64(), CodePoints),
                                            Fixed({Type::Bytes()}, Type::Int64(), Bytes)}});
  registry.Add(ScalarFunction{.names = {"octet_length"},
                              .doc = {.group = "String",
                                      .signature = "octet_length(text) → BIGINT",
                                      .description = "Number of bytes in UTF-8.",
                                      .example = "octet_length('naïve')",
                                      .result = "6"},
                              .overloads = {Fixed({Type::Text()}, Type::Int64(), Bytes),
                                            Fixed({Type::Bytes()}, Type::Int64(), Bytes)}});
  registry.Add(ScalarFunction{.names = {"bit_length"},
                              .doc = {.group = "String",
                                      .signature = "bit_length(text) → BIGINT",
                                      .description = "Number of bits in UTF-8: eight for each byte.",
                                      .example = "bit_length('abc')",
                                      .result = "24"},
                              .overloads = {Fixed({Type::Text()}, Type::Int64(), Bits),
                                            Fixed({Type::Bytes()}, Type::Int64(), Bits)}});
}

}  // namespace laminar
