/// CONCAT and CONCAT_WS: the two that skip NULLs and take values of any type.

#include <algorithm>

#include "functions/elementwise.h"
#include "functions/overload.h"
#include "functions/register_text.h"

namespace laminar {
namespace {

std::vector<ColumnReader<std::string_view>> Readers(const ScalarCall& call) {
  std::vector<ColumnReader<std::string_view>> readers;
  readers.reserve(call.args.size());
  for (const arrow::Datum& arg : call.args) readers.emplace_back(arg);
  return readers;
}

/// One row when all arguments are constant, and no NULL rows.
CallShape ShapeWithoutNulls(const ScalarCall& call) {
  CallShape shape = ShapeOf(call);
  shape.all_null = false;
  shape.valid = nullptr;
  return shape;
}

arrow::Result<arrow::Datum> ConcatValues(const ScalarCall& call) {
  const CallShape shape = ShapeWithoutNulls(call);
  const auto readers = Readers(call);
  TextWriter writer(shape.rows, shape.rows * 16);
  for (int64_t row = 0; row < shape.rows; ++row) {
    for (const auto& reader : readers) {
      if (reader.IsValid(row)) writer.Append(reader[row]);
    }
    writer.EndRow();
  }
  ARROW_ASSIGN_OR_RAISE(auto buffers, writer.Finish());
  return FinishColumn(shape, arrow::utf8(), nullptr, std::move(buffers));
}

arrow::Result<arrow::Datum> ConcatWithSeparator(const ScalarCall& call) {
  const CallShape shape = ShapeWithoutNulls(call);
  const auto readers = Readers(call);
  TextWriter writer(shape.rows, shape.rows * 16);
  ValidityWriter validity(shape);
  for (int64_t row = 0; row < shape.rows; ++row) {
    if (readers[0].IsNull(row)) validity.SetNull(row);
    bool first = true;
    for (size_t i = 1; i < readers.size(); ++i) {
      if (readers[0].IsNull(row) || readers[i].IsNull(row)) continue;
      if (!first) writer.Append(readers[0][row]);
      writer.Append(readers[i][row]);
      first = false;
    }
    writer.EndRow();
  }
  ARROW_ASSIGN_OR_RAISE(auto buffers, writer.Finish());
  return FinishColumn(shape, arrow::utf8(), validity.Finish(), std::move(buffers));
}

/// Everything is cast to TEXT, also what would need a CAST elsewhere.
ScalarBinder AnyAsText(size_t min_arguments, ScalarKernel kernel) {
  return [=](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() < min_arguments) return std::nullopt;
    return BoundScalar{std::vector<Type>(arguments.size(), Type::Text()), Type::Text(), kernel, false};
  };
}

}  // namespace

void RegisterConcatFunctions(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{
      .names = {"concat"},
      .doc = {.group = "String",
              .signature = "concat(value, …) → TEXT",
              .description = "The values as text, one after the other. NULL counts as empty text.",
              .example = "concat('a', 1, NULL, true)",
              .result = "\"a1true\""},
      .overloads = {AnyAsText(1, ConcatValues)}});
  registry.Add(ScalarFunction{
      .names = {"concat_ws"},
      .doc =
          {.group = "String",
           .signature = "concat_ws(separator, value, …) → TEXT",
           .description =
               "The values as text with `separator` between them. NULL values are left out; a NULL separator "
               "gives NULL.",
           .example = "concat_ws('-', 2024, NULL, 'x')",
           .result = "\"2024-x\""},
      .overloads = {AnyAsText(2, ConcatWithSeparator)}});
}

}  // namespace laminar
