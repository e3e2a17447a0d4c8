/// LPAD, RPAD, REPEAT, SPACE: results whose size the arguments choose, hence bounded.

#include <fmt/format.h>

#include "functions/elementwise.h"
#include "functions/overload.h"
#include "functions/register_text.h"
#include "functions/text/rewriting.h"

namespace laminar {
namespace {

using PadFunction = bool (*)(std::string_view text, int64_t length, std::string_view fill, TextWriter& out);

void FailTooLong(const char* function, int64_t wanted, BatchError& error) {
  error.Fail([&] {
    return fmt::format("{}: {} gives more than the {} bytes that a text result may have", function, wanted,
                       kTextBytesMax);
  });
}

ScalarBinder Padder(const char* name, PadFunction pad) {
  auto kernel = [name, pad](const ScalarCall& call) {
    if (call.args.size() == 3) {
      return MapText<std::string_view, int64_t, std::string_view>(
          call, arrow::utf8(),
          [=](std::string_view text, int64_t length, std::string_view fill, TextWriter& out,
              BatchError& error) {
            if (!pad(text, length, fill, out)) FailTooLong(name, length, error);
          });
    }
    return MapText<std::string_view, int64_t>(
        call, arrow::utf8(), [=](std::string_view text, int64_t length, TextWriter& out, BatchError& error) {
          if (!pad(text, length, " ", out)) FailTooLong(name, length, error);
        });
  };
  return FixedOptional({Type::Text(), Type::Int64(), Type::Text()}, 1, Type::Text(), kernel, CanFail::kYes);
}

arrow::Result<arrow::Datum> Repeat(const ScalarCall& call) {
  return MapText<std::string_view, int64_t>(
      call, arrow::utf8(), [](std::string_view text, int64_t count, TextWriter& out, BatchError& error) {
        if (!AppendRepeat(text, count, out)) FailTooLong("repeat", count, error);
      });
}

arrow::Result<arrow::Datum> Space(const ScalarCall& call) {
  return MapText<int64_t>(call, arrow::utf8(), [](int64_t count, TextWriter& out, BatchError& error) {
    if (!AppendRepeat(" ", count, out)) FailTooLong("space", count, error);
  });
}

}  // namespace

void RegisterPadFunctions(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{
      .names = {"lpad"},
      .doc =
          {.group = "String",
           .signature = "lpad(text, length, fill?) → TEXT",
           .description =
               "Brought to `length` code points by `fill` (default: space) in front, or cut at the end. An "
               "empty `fill` only cuts.",
           .example = "lpad('7', 3, '0')",
           .result = "\"007\""},
      .overloads = {Padder("lpad", AppendLpad)}});
  registry.Add(ScalarFunction{
      .names = {"rpad"},
      .doc = {.group = "String",
              .signature = "rpad(text, length, fill?) → TEXT",
              .description =
                  "Brought to `length` code points by `fill` (default: space) behind, or cut at the end.",
              .example = "rpad('ab', 5, 'xy')",
              .result = "\"abxyx\""},
      .overloads = {Padder("rpad", AppendRpad)}});
  registry.Add(ScalarFunction{
      .names = {"repeat"},
      .doc = {.group = "String",
              .signature = "repeat(text, n) → TEXT",
              .description = "The text `n` times; empty for n ≤ 0. A result above 64 MiB is an error.",
              .example = "repeat('ab', 3)",
              .result = "\"ababab\""},
      .overloads = {Fixed({Type::Text(), Type::Int64()}, Type::Text(), Repeat, CanFail::kYes)}});
  registry.Add(ScalarFunction{.names = {"space"},
                              .doc = {.group = "String",
                                      .signature = "space(n) → TEXT",
                                      .description = "`n` spaces; empty for n ≤ 0.",
                                      .example = "space(3)",
                                      .result = "\"   \""},
                              .overloads = {Fixed({Type::Int64()}, Type::Text(), Space, CanFail::kYes)}});
}

}  // namespace laminar
