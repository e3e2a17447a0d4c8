/// REPLACE, TRANSLATE, OVERLAY, REVERSE.

#include <fmt/format.h>

#include "functions/elementwise.h"
#include "functions/overload.h"
#include "functions/register_text.h"
#include "functions/text/rewriting.h"
#include "functions/text/utf8.h"

namespace laminar {
namespace {

arrow::Result<arrow::Datum> Replace(const ScalarCall& call) {
  return MapText<std::string_view, std::string_view, std::string_view>(
      call, arrow::utf8(),
      [](std::string_view text, std::string_view from, std::string_view to, TextWriter& out,
         BatchError& error) {
        if (AppendReplace(text, from, to, out)) return;
        error.Fail([] { return fmt::format("replace: the result has more than {} bytes", kTextBytesMax); });
      });
}

void Overlay(std::string_view text, std::string_view replacement, int64_t from, int64_t count,
             TextWriter& out, BatchError& error) {
  if (from < 1) {
    error.Fail([&] { return fmt::format("overlay: position {} is below 1", from); });
    return;
  }
  AppendOverlay(text, replacement, from, count, out);
}

arrow::Result<arrow::Datum> OverlayKernel(const ScalarCall& call) {
  if (call.args.size() == 4) {
    return MapText<std::string_view, std::string_view, int64_t, int64_t>(call, arrow::utf8(), Overlay);
  }
  return MapText<std::string_view, std::string_view, int64_t>(
      call, arrow::utf8(),
      [](std::string_view text, std::string_view replacement, int64_t from, TextWriter& out,
         BatchError& error) { Overlay(text, replacement, from, CodePointCount(replacement), out, error); });
}

}  // namespace

void RegisterReplaceFunctions(FunctionRegistry& registry) {
  const Type text = Type::Text();
  registry.Add(
      ScalarFunction{.names = {"replace"},
                     .doc = {.group = "String",
                             .signature = "replace(text, from, to) → TEXT",
                             .description = "Each `from` replaced by `to`. An empty `from` changes nothing.",
                             .example = "replace('a.b.c', '.', '::')",
                             .result = "\"a::b::c\""},
                     .overloads = {Fixed({text, text, text}, text, Replace, CanFail::kYes)}});
  registry.Add(ScalarFunction{
      .names = {"translate"},
      .doc =
          {.group = "String",
           .signature = "translate(text, from, to) → TEXT",
           .description =
               "Each character that occurs in `from` replaced by the one at the same place in `to`, or left "
               "out when `to` is shorter.",
           .example = "translate('12345', '143', 'ax')",
           .result = "\"a2x5\""},
      .overloads = {Fixed({text, text, text}, text, [](const ScalarCall& call) {
        return MapText<std::string_view, std::string_view, std::string_view>(call, arrow::utf8(),
                                                                             AppendTranslate);
      })}});
  registry.Add(ScalarFunction{
      .names = {"overlay"},
      .doc =
          {.group = "String",
           .signature =
               "overlay(text, replacement, from, length?) → TEXT; also overlay(text PLACING r FROM n FOR m)",
           .description =
               "`length` code points from position `from` on replaced (default: as many as `replacement` "
               "has). A position below 1 is an error.",
           .example = "overlay('Txxxxas', 'hom', 2, 4)",
           .result = "\"Thomas\""},
      .overloads = {
          FixedOptional({text, text, Type::Int64(), Type::Int64()}, 1, text, OverlayKernel, CanFail::kYes)}});
  registry.Add(ScalarFunction{.names = {"reverse"},
                              .doc = {.group = "String",
                                      .signature = "reverse(text) → TEXT",
                                      .description = "The code points in reverse order.",
                                      .example = "reverse('añb')",
                                      .result = "\"bña\""},
                              .overloads = {Fixed({text}, text, [](const ScalarCall& call) {
                                return MapText<std::string_view>(call, arrow::utf8(), AppendReverse);
                              })}});
}

}  // namespace laminar
