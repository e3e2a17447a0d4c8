/// Functions that write JSON from values of any type: JSON_OBJECT, JSON_ARRAY, TO_JSON, JSON_QUOTE.

#include <fmt/format.h>

#include "base/error.h"
#include "functions/elementwise.h"
#include "functions/json/register_json.h"
#include "functions/overload.h"
#include "functions/value_text.h"

namespace laminar {
namespace {

enum class Nulls { kKeep, kLeaveOut };

/// Rows where every argument counts, NULL or not.
CallShape ShapeWithoutNulls(const ScalarCall& call) {
  CallShape shape = ShapeOf(call);
  shape.all_null = false;
  shape.valid = nullptr;
  // A call without arguments is constant.
  if (call.args.empty()) shape.rows = 1;
  return shape;
}

struct ValueColumn {
  ColumnView view;
  RowText text;
  ValueColumn(const arrow::Datum& argument, const Type& type)
      : view(argument), text(MakeRowText(view, type, TextForm::kJson)) {}
};

arrow::Result<arrow::Datum> Finish(TextWriter& writer, const CallShape& shape) {
  ARROW_ASSIGN_OR_RAISE(auto buffers, writer.Finish());
  return FinishColumn(shape, arrow::utf8(), nullptr, std::move(buffers));
}

arrow::Result<arrow::Datum> BuildObject(const ScalarCall& call, const std::vector<Type>& types, Nulls nulls) {
  const CallShape shape = ShapeWithoutNulls(call);
  std::vector<ColumnReader<std::string_view>> keys;
  std::vector<ValueColumn> values;
  for (size_t i = 0; i < call.args.size(); i += 2) {
    keys.emplace_back(call.args[i]);
    values.emplace_back(call.args[i + 1], types[i + 1]);
  }
  TextWriter writer(shape.rows, shape.rows * 16 * static_cast<int64_t>(keys.size() + 1));
  for (int64_t row = 0; row < shape.rows; ++row) {
    char before = '{';
    for (size_t i = 0; i < keys.size(); ++i) {
      if (keys[i].IsNull(row)) return arrow::Status::Invalid("json_object: a key is NULL");
      if (nulls == Nulls::kLeaveOut && values[i].view.IsNull(row)) continue;
      writer.Push(before);
      AppendJsonString(keys[i][row], writer);
      writer.Push(':');
      values[i].text(row, writer);
      before = ',';
    }
    writer.Append(before == '{' ? "{}" : "}");
    writer.EndRow();
  }
  return Finish(writer, shape);
}

arrow::Result<arrow::Datum> BuildArray(const ScalarCall& call, const std::vector<Type>& types, Nulls nulls) {
  const CallShape shape = ShapeWithoutNulls(call);
  std::vector<ValueColumn> values;
  for (size_t i = 0; i < call.args.size(); ++i) values.emplace_back(call.args[i], types[i]);
  TextWriter writer(shape.rows, shape.rows * 16);
  for (int64_t row = 0; row < shape.rows; ++row) {
    char before = '[';
    for (const ValueColumn& value : values) {
      if (nulls == Nulls::kLeaveOut && value.view.IsNull(row)) continue;
      writer.Push(before);
      value.text(row, writer);
      before = ',';
    }
    writer.Append(before == '[' ? "[]" : "]");
    writer.EndRow();
  }
  return Finish(writer, shape);
}

ScalarBinder ObjectBinder(Nulls nulls) {
  return [nulls](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() % 2 != 0) {
      throw UserError(
          Reason::kTypeError, {},
          fmt::format("json_object takes pairs of key and value, {} arguments given", arguments.size()));
    }
    std::vector<Type> parameters = arguments.types;
    bool constant_keys = true;
    for (size_t i = 0; i < parameters.size(); i += 2) {
      parameters[i] = Type::Text();
      constant_keys = constant_keys && ConstantText(arguments, i).has_value();
    }
    return BoundScalar{
        parameters, Type::Json(),
        [parameters, nulls](const ScalarCall& call) { return BuildObject(call, parameters, nulls); },
        !constant_keys};
  };
}

ScalarBinder ArrayBinder(Nulls nulls) {
  return [nulls](const BindArguments& arguments) -> std::optional<BoundScalar> {
    const std::vector<Type> types = arguments.types;
    return BoundScalar{types, Type::Json(),
                       [types, nulls](const ScalarCall& call) { return BuildArray(call, types, nulls); },
                       false};
  };
}

std::optional<BoundScalar> BindToJson(const BindArguments& arguments) {
  if (arguments.size() != 1) return std::nullopt;
  const Type type = arguments.types[0];
  auto kernel = [type](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    if (type.id() == TypeId::kJson) return call.args[0];
    const CallShape shape = ShapeOf(call);
    if (shape.all_null) return NullDatum(arrow::utf8());
    const ValueColumn value(call.args[0], type);
    TextWriter writer(shape.rows, shape.rows * 16);
    for (int64_t row = 0; row < shape.rows; ++row) {
      if (shape.IsValid(row)) value.text(row, writer);
      writer.EndRow();
    }
    ARROW_ASSIGN_OR_RAISE(auto buffers, writer.Finish());
    return FinishColumn(shape, arrow::utf8(), shape.valid, std::move(buffers));
  };
  return BoundScalar{{type}, Type::Json(), kernel, false};
}

}  // namespace

void RegisterJsonBuildFunctions(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{
      .names = {"json_object"},
      .doc = {.group = "JSON",
              .signature = "json_object(key, value, …) → JSON; also json_object(KEY k VALUE v, …) and "
                           "json_object(k: v, …)",
              .description =
                  "An object of the pairs in order. NULL values become null; a NULL key is an error.",
              .example = "json_object('id', 1, 'name', 'x', 'tags', NULL)",
              .result = "{\"id\":1,\"name\":\"x\",\"tags\":null}"},
      .overloads = {ObjectBinder(Nulls::kKeep)}});
  registry.Add(ScalarFunction{
      .names = {"json_object_absent_on_null"},
      .doc = {.group = "JSON",
              .signature = "json_object_absent_on_null(key, value, …) → JSON",
              .description = "JSON_OBJECT(… ABSENT ON NULL): pairs with a NULL value are left out.",
              .example = "json_object_absent_on_null('id', 1, 'tags', NULL)",
              .result = "{\"id\":1}"},
      .overloads = {ObjectBinder(Nulls::kLeaveOut)}});
  registry.Add(ScalarFunction{.names = {"json_array"},
                              .doc = {.group = "JSON",
                                      .signature = "json_array(value, …) → JSON",
                                      .description = "An array of the values. NULL becomes null.",
                                      .example = "json_array(1, 'x', NULL, 2.5)",
                                      .result = "[1,\"x\",null,2.5]"},
                              .overloads = {ArrayBinder(Nulls::kKeep)}});
  registry.Add(
      ScalarFunction{.names = {"json_array_absent_on_null"},
                     .doc = {.group = "JSON",
                             .signature = "json_array_absent_on_null(value, …) → JSON",
                             .description = "JSON_ARRAY(… ABSENT ON NULL): NULL values are left out.",
                             .example = "json_array_absent_on_null(1, NULL, 'x')",
                             .result = "[1,\"x\"]"},
                     .overloads = {ArrayBinder(Nulls::kLeaveOut)}});
  registry.Add(ScalarFunction{
      .names = {"to_json", "json_string"},
      .doc = {.group = "JSON",
              .signature = "to_json(value) → JSON",
              .description =
                  "Any value as JSON: timestamps as text, BYTEA as base64, structs and maps as objects.",
              .example = "to_json('a\"b')",
              .result = "\"a\\\"b\""},
      .overloads = {BindToJson}});
}

}  // namespace laminar
