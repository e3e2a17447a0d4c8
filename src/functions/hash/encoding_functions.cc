/// ENCODE and DECODE, and their short forms.

#include <fmt/format.h>

#include "base/error.h"
#include "functions/elementwise.h"
#include "functions/hash/encoding.h"
#include "functions/hash/register_hash.h"
#include "functions/overload.h"
#include "functions/text/pieces.h"

namespace laminar {
namespace {

Encoding ConstantEncoding(const char* function, const BindArguments& arguments) {
  const auto name = ConstantText(arguments, 1);
  if (name && EqualsIgnoreCase(*name, "hex")) return Encoding::kHex;
  if (name && EqualsIgnoreCase(*name, "base64")) return Encoding::kBase64;
  throw UserError(
      Reason::kTypeError, {},
      fmt::format("{}: {}; the constants 'hex' and 'base64' are right", function,
                  name ? "unknown encoding '" + *name + "'" : "the encoding is no constant text"));
}

ScalarKernel Encoder(Encoding encoding) {
  return [encoding](const ScalarCall& call) {
    const std::vector<arrow::Datum> args = {call.args[0]};
    return MapText<std::string_view>(
        {args, call.num_rows, call.context}, arrow::utf8(),
        [encoding](std::string_view bytes, TextWriter& out) { AppendEncoded(bytes, encoding, out); });
  };
}

ScalarKernel Decoder(const char* function, Encoding encoding) {
  return [=](const ScalarCall& call) {
    const std::vector<arrow::Datum> args = {call.args[0]};
    return MapText<std::string_view>({args, call.num_rows, call.context}, arrow::binary(),
                                     [=](std::string_view text, TextWriter& out, BatchError& error) {
                                       if (AppendDecoded(text, encoding, out)) return;
                                       out.TruncateRow(0);
                                       error.Fail([&] {
                                         return fmt::format(
                                             "{}: '{}' is not {}", function, Left(text, 100),
                                             encoding == Encoding::kHex ? "hexadecimal" : "base64");
                                       });
                                     });
  };
}

/// (text or bytes, 'hex' | 'base64')
ScalarBinder EncodeBinder(const Type& bytes) {
  return [bytes](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (!Accepts({bytes, Type::Text()}, arguments.types)) return std::nullopt;
    return BoundScalar{
        {bytes, Type::Text()}, Type::Text(), Encoder(ConstantEncoding("encode", arguments)), false};
  };
}

std::optional<BoundScalar> BindDecode(const BindArguments& arguments) {
  if (!Accepts({Type::Text(), Type::Text()}, arguments.types)) return std::nullopt;
  return BoundScalar{{Type::Text(), Type::Text()},
                     Type::Bytes(),
                     Decoder("decode", ConstantEncoding("decode", arguments)),
                     true};
}

}  // namespace

void RegisterEncodingFunctions(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{.names = {"encode"},
                              .doc = {.group = "Hash and encoding",
                                      .signature = "encode(bytes or text, 'hex' | 'base64') → TEXT",
                                      .description = "Bytes (of a text: its UTF-8) as hexadecimal or base64.",
                                      .example = "encode('Hi!', 'hex')",
                                      .result = "\"486921\""},
                              .overloads = {EncodeBinder(Type::Bytes()), EncodeBinder(Type::Text())}});
  registry.Add(ScalarFunction{
      .names = {"decode"},
      .doc = {.group = "Hash and encoding",
              .signature = "decode(text, 'hex' | 'base64') → BYTEA",
              .description = "The bytes that the text encodes. A text that encodes none is an error.",
              .example = "decode('SGkh', 'base64')",
              .result = "\"SGkh\""},
      .overloads = {BindDecode}});
  registry.Add(
      ScalarFunction{.names = {"to_base64"},
                     .doc = {.group = "Hash and encoding",
                             .signature = "to_base64(bytes or text) → TEXT",
                             .description = "Bytes (of a text: its UTF-8) as base64.",
                             .example = "to_base64('Hi!')",
                             .result = "\"SGkh\""},
                     .overloads = {Fixed({Type::Bytes()}, Type::Text(), Encoder(Encoding::kBase64)),
                                   Fixed({Type::Text()}, Type::Text(), Encoder(Encoding::kBase64))}});
  registry.Add(ScalarFunction{
      .names = {"from_base64"},
      .doc = {.group = "Hash and encoding",
              .signature = "from_base64(text) → BYTEA",
              .description = "The bytes that the base64 text encodes. A text that encodes none is an error.",
              .example = "from_base64('SGkh')",
              .result = "\"SGkh\""},
      .overloads = {
          Fixed({Type::Text()}, Type::Bytes(), Decoder("from_base64", Encoding::kBase64), CanFail::kYes)}});
}

}  // namespace laminar
