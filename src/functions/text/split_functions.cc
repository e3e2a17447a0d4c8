/// Parts of a text between delimiters.

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_nested.h>

#include <cstring>

#include "functions/elementwise.h"
#include "functions/overload.h"
#include "functions/register_text.h"
#include "functions/text/pieces.h"
#include "functions/text/text_list.h"
#include "functions/text/utf8.h"

namespace laminar {
namespace {

arrow::Result<arrow::Datum> SplitPartKernel(const ScalarCall& call) {
  return Map<std::string_view, std::string_view, int64_t>(
      call, arrow::utf8(),
      [](std::string_view text, std::string_view delimiter, int64_t n, BatchError& error) {
        if (n == 0) {
          error.Fail("split_part: part 0 does not exist; the first is 1, the last −1");
          return std::string_view();
        }
        return SplitPart(text, delimiter, n);
      });
}

ScalarBinder SplitPartBinder() {
  const ScalarBinder take = Fixed({Type::Text(), Type::Text(), Type::Int64()}, Type::Text(), SplitPartKernel);
  return [take](const BindArguments& arguments) {
    auto bound = take(arguments);
    if (bound) bound->can_fail = ConstantInteger(arguments, 2).value_or(0) == 0;
    return bound;
  };
}

/// Calls `add` for each part of `text`. A NULL delimiter cuts between code points, an empty one nowhere; an
/// empty text has no parts.
template <typename Add>
void ForEachPart(std::string_view text, std::optional<std::string_view> delimiter, Add add) {
  if (text.empty()) return;
  if (!delimiter) {
    for (size_t i = 0; i < text.size();) {
      const size_t bytes = CodePointBytes(text, i);
      add(text.substr(i, bytes));
      i += bytes;
    }
    return;
  }
  while (!delimiter->empty() && text.size() >= delimiter->size()) {
    const void* found = ::memmem(text.data(), text.size(), delimiter->data(), delimiter->size());
    if (!found) break;
    const auto at = static_cast<size_t>(static_cast<const char*>(found) - text.data());
    add(text.substr(0, at));
    text.remove_prefix(at + delimiter->size());
  }
  add(text);
}

arrow::Result<arrow::Datum> StringToArray(const ScalarCall& call) {
  // Only a NULL text makes the row NULL.
  CallShape shape = ShapeOf({call.args[0]}, call.num_rows);
  shape.constant = ShapeOf(call).constant;
  shape.rows = shape.constant ? 1 : call.num_rows;
  const ColumnReader<std::string_view> texts(call.args[0]);
  const ColumnReader<std::string_view> delimiters(call.args[1]);
  std::optional<ColumnReader<std::string_view>> nulls;
  if (call.args.size() == 3) nulls.emplace(call.args[2]);
  TextListWriter writer(shape.rows);
  for (int64_t row = 0; row < shape.rows; ++row) {
    if (texts.IsNull(row)) {
      writer.EndNullRow();
      continue;
    }
    const auto delimiter = delimiters.IsNull(row) ? std::nullopt : std::optional(delimiters[row]);
    const auto null_text = nulls && nulls->IsValid(row) ? std::optional((*nulls)[row]) : std::nullopt;
    ForEachPart(texts[row], delimiter, [&](std::string_view part) {
      if (null_text == part) {
        writer.AddNull();
      } else {
        writer.Add(part);
      }
    });
    writer.EndRow();
  }
  return writer.Finish(shape);
}

}  // namespace

void RegisterSplitFunctions(FunctionRegistry& registry) {
  const Type text = Type::Text();
  registry.Add(ScalarFunction{
      .names = {"split_part"},
      .doc =
          {.group = "String",
           .signature = "split_part(text, delimiter, n) → TEXT",
           .description =
               "Part `n` (1-based; negative from the end) of the text cut at each delimiter; empty past the "
               "ends. Part 0 is an error.",
           .example = "split_part('a/b/c', '/', -1)",
           .result = "\"c\""},
      .overloads = {SplitPartBinder()}});
  registry.Add(ScalarFunction{
      .names = {"split_index"},
      .doc = {.group = "String",
              .signature = "split_index(text, delimiter, n) → TEXT",
              .description = "Part `n` (0-based) of the text cut at each delimiter; NULL when there is none.",
              .example = "split_index('a/b/c', '/', 1)",
              .result = "\"b\""},
      .overloads = {Fixed({text, text, Type::Int64()}, text, [](const ScalarCall& call) {
        return Map<std::string_view, std::string_view, int64_t>(call, arrow::utf8(), SplitIndex);
      })}});
  registry.Add(ScalarFunction{
      .names = {"substring_index", "substr_index"},
      .doc = {.group = "String",
              .signature = "substring_index(text, delimiter, n) → TEXT",
              .description = "All before the n-th delimiter; for a negative `n`, all behind the −n-th from "
                             "the end. The whole "
                             "text when there are fewer.",
              .example = "substring_index('www.example.org', '.', -2)",
              .result = "\"example.org\""},
      .overloads = {Fixed({text, text, Type::Int64()}, text, [](const ScalarCall& call) {
        return Map<std::string_view, std::string_view, int64_t>(call, arrow::utf8(), SubstringIndex);
      })}});
  registry.Add(ScalarFunction{
      .names = {"string_to_array", "split", "string_to_list"},
      .doc =
          {.group = "String",
           .signature = "string_to_array(text, delimiter, null_text?) → TEXT[]",
           .description =
               "The parts of the text cut at each delimiter; parts equal to `null_text` become NULL. A NULL "
               "delimiter cuts between characters, an empty one nowhere; an empty text has no parts.",
           .example = "string_to_array('a,-,c', ',', '-')",
           .result = "[\"a\",null,\"c\"]"},
      .overloads = {FixedOptional({text, text, text}, 1, Type::Array(text), StringToArray)}});
}

}  // namespace laminar
