/// SUBSTRING, LEFT, RIGHT.

#include <fmt/format.h>

#include "functions/elementwise.h"
#include "functions/overload.h"
#include "functions/register_text.h"
#include "functions/text/pieces.h"

namespace laminar {
namespace {

arrow::Result<arrow::Datum> SubstringKernel(const ScalarCall& call) {
  if (call.args.size() == 2) return Map<std::string_view, int64_t>(call, arrow::utf8(), SubstringFrom);
  return Map<std::string_view, int64_t, int64_t>(
      call, arrow::utf8(), [](std::string_view text, int64_t from, int64_t count, BatchError& error) {
        if (count < 0) {
          error.Fail(
              [&] { return fmt::format("substring: length {} is negative; 0 or more is right", count); });
          return std::string_view();
        }
        return Substring(text, from, count);
      });
}

std::string_view ByteSubstring(std::string_view bytes, int64_t from, int64_t count) {
  int64_t end;
  if (__builtin_add_overflow(from, count, &end)) end = std::numeric_limits<int64_t>::max();
  const auto size = static_cast<int64_t>(bytes.size());
  const int64_t first = std::min(std::max<int64_t>(from, 1), size + 1);
  const int64_t last = std::min(std::max(end, first), size + 1);
  return bytes.substr(static_cast<size_t>(first - 1), static_cast<size_t>(last - first));
}

arrow::Result<arrow::Datum> ByteSubstringKernel(const ScalarCall& call) {
  if (call.args.size() == 2) {
    return Map<std::string_view, int64_t>(call, arrow::binary(), [](std::string_view bytes, int64_t from) {
      return ByteSubstring(bytes, from, std::numeric_limits<int64_t>::max());
    });
  }
  return Map<std::string_view, int64_t, int64_t>(
      call, arrow::binary(), [](std::string_view bytes, int64_t from, int64_t count, BatchError& error) {
        if (count < 0)
          error.Fail(
              [&] { return fmt::format("substring: length {} is negative; 0 or more is right", count); });
        return ByteSubstring(bytes, from, count);
      });
}

/// Only a length that is not a constant ≥ 0 can fail.
ScalarBinder SubstringBinder(Type text, ScalarKernel kernel) {
  const ScalarBinder take = FixedOptional({text, Type::Int64(), Type::Int64()}, 1, text, std::move(kernel));
  return [take](const BindArguments& arguments) {
    auto bound = take(arguments);
    if (bound && arguments.size() == 3) bound->can_fail = ConstantInteger(arguments, 2).value_or(-1) < 0;
    return bound;
  };
}

}  // namespace

void RegisterSubstringFunctions(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{
      .names = {"substring", "substr", "mid"},
      .doc = {.group = "String",
              .signature = "substring(text, from, length?) → TEXT; also substring(text FROM n FOR m)",
              .description =
                  "`length` code points from position `from` (1-based) on, or all that follow. Positions "
                  "below 1 "
                  "count but hold nothing. A negative length is an error. Takes BYTEA too, by bytes.",
              .example = "substring('streaming', 2, 4)",
              .result = "\"trea\""},
      .overloads = {SubstringBinder(Type::Text(), SubstringKernel),
                    SubstringBinder(Type::Bytes(), ByteSubstringKernel)}});
  registry.Add(ScalarFunction{
      .names = {"left"},
      .doc = {.group = "String",
              .signature = "left(text, n) → TEXT",
              .description = "The first `n` code points; a negative `n` leaves out the last −n.",
              .example = "left('stream', -2)",
              .result = "\"stre\""},
      .overloads = {Fixed({Type::Text(), Type::Int64()}, Type::Text(), [](const ScalarCall& call) {
        return Map<std::string_view, int64_t>(call, arrow::utf8(), Left);
      })}});
  registry.Add(ScalarFunction{
      .names = {"right"},
      .doc = {.group = "String",
              .signature = "right(text, n) → TEXT",
              .description = "The last `n` code points; a negative `n` leaves out the first −n.",
              .example = "right('stream', 3)",
              .result = "\"eam\""},
      .overloads = {Fixed({Type::Text(), Type::Int64()}, Type::Text(), [](const ScalarCall& call) {
        return Map<std::string_view, int64_t>(call, arrow::utf8(), Right);
      })}});
}

}  // namespace laminar
