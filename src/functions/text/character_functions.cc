/// Characters and numbers: ASCII, CHR, TO_HEX.

#include <fmt/format.h>

#include "functions/elementwise.h"
#include "functions/overload.h"
#include "functions/register_text.h"
#include "functions/text/rewriting.h"
#include "functions/text/utf8.h"

namespace laminar {
namespace {

arrow::Result<arrow::Datum> Ascii(const ScalarCall& call) {
  return Map<std::string_view>(call, arrow::int32(), [](std::string_view text) {
    return text.empty() ? 0 : static_cast<int32_t>(DecodeCodePoint(text.substr(0, CodePointBytes(text, 0))));
  });
}

arrow::Result<arrow::Datum> Chr(const ScalarCall& call) {
  return MapText<int64_t>(call, arrow::utf8(), [](int64_t value, TextWriter& out, BatchError& error) {
    if (value != 0 && IsCodePoint(value)) {
      out.AppendCodePoint(static_cast<uint32_t>(value));
    } else {
      error.Fail([&] {
        return fmt::format("chr: {} is not a character; 1 to 1114111 without surrogates are", value);
      });
    }
  });
}

template <typename T>
ScalarBinder ToHex(Type type) {
  return Fixed({type}, Type::Text(), [](const ScalarCall& call) {
    return MapText<T>(call, arrow::utf8(),
                      [](T value, TextWriter& out) { AppendHex(static_cast<uint64_t>(value), out); });
  });
}

}  // namespace

void RegisterCharacterFunctions(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{.names = {"ascii"},
                              .doc = {.group = "String",
                                      .signature = "ascii(text) → INT",
                                      .description = "Number of the first code point; 0 for empty text.",
                                      .example = "ascii('é')",
                                      .result = "233"},
                              .overloads = {Fixed({Type::Text()}, Type::Int32(), Ascii)}});
  registry.Add(ScalarFunction{
      .names = {"chr", "char"},
      .doc = {.group = "String",
              .signature = "chr(n) → TEXT",
              .description = "The character with this code point. 0 and what is no character is an error.",
              .example = "chr(8364)",
              .result = "\"€\""},
      .overloads = {Fixed({Type::Int64()}, Type::Text(), Chr, CanFail::kYes)}});
  registry.Add(ScalarFunction{
      .names = {"to_hex"},
      .doc =
          {.group = "String",
           .signature = "to_hex(integer) → TEXT",
           .description =
               "Lower-case hexadecimal, without leading zeros; negative numbers as 64-bit two's complement.",
           .example = "to_hex(255)",
           .result = "\"ff\""},
      .overloads = {ToHex<uint64_t>(Type::UInt64()), ToHex<int64_t>(Type::Int64())}});
}

}  // namespace laminar
