/// STRUCT, NAMED_STRUCT, GET_FIELD as functions; the binder makes expressions of them that the planner can
/// look into.

#include <arrow/array.h>
#include <arrow/array/util.h>

#include "base/error.h"
#include "functions/elementwise.h"
#include "functions/nested/register_nested.h"
#include "functions/overload.h"

namespace laminar {

namespace {

/// Builds structs of the arguments at `values`.
ScalarKernel StructKernel(const Type& type, std::vector<size_t> values) {
  return [arrow_type = type.arrow_type(), values](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    bool constant = true;
    for (size_t i : values) constant = constant && call.args[i].is_scalar();
    if (constant) {
      arrow::ScalarVector fields;
      for (size_t i : values) fields.push_back(call.args[i].scalar());
      return arrow::Datum(std::make_shared<arrow::StructScalar>(std::move(fields), arrow_type));
    }
    arrow::ArrayVector fields;
    for (size_t i : values) {
      if (call.args[i].is_array()) {
        fields.push_back(call.args[i].make_array());
      } else {
        ARROW_ASSIGN_OR_RAISE(fields.emplace_back(),
                              arrow::MakeArrayFromScalar(*call.args[i].scalar(), call.num_rows));
      }
    }
    return arrow::Datum(std::make_shared<arrow::StructArray>(arrow_type, call.num_rows, std::move(fields)));
  };
}

std::optional<BoundScalar> BindStruct(const BindArguments& arguments) {
  if (arguments.size() == 0) return std::nullopt;
  std::vector<Field> fields;
  std::vector<size_t> values;
  for (size_t i = 0; i < arguments.size(); ++i) {
    fields.push_back({"c" + std::to_string(i), arguments.types[i], true});
    values.push_back(i);
  }
  const Type type = Type::Struct(std::move(fields));
  return BoundScalar{arguments.types, type, StructKernel(type, std::move(values))};
}

std::optional<BoundScalar> BindNamedStruct(const BindArguments& arguments) {
  if (arguments.size() == 0 || arguments.size() % 2 != 0) return std::nullopt;
  std::vector<Field> fields;
  std::vector<size_t> values;
  for (size_t i = 0; i < arguments.size(); i += 2) {
    const auto name = ConstantText(arguments, i);
    if (!name) throw UserError(Reason::kTypeError, {}, "a field name of named_struct must be a text literal");
    fields.push_back({*name, arguments.types[i + 1], true});
    values.push_back(i + 1);
  }
  const Type type = Type::Struct(std::move(fields));
  return BoundScalar{arguments.types, type, StructKernel(type, std::move(values))};
}

std::optional<BoundScalar> BindGetField(const BindArguments& arguments) {
  if (arguments.size() != 2 || arguments.types[0].id() != TypeId::kStruct) return std::nullopt;
  const Type& type = arguments.types[0];
  const auto name = ConstantText(arguments, 1);
  if (!name) throw UserError(Reason::kTypeError, {}, "the field name of get_field must be a text literal");
  const int field = type.FieldIndex(*name);
  if (field < 0)
    throw UserError(Reason::kTypeError, {}, "there is no field '" + *name + "' in " + type.ToString());
  const Type result = type.fields()[static_cast<size_t>(field)].type;
  // The expression knows how: it is evaluated over a batch of one column.
  return BoundScalar{
      {type, Type::Text()},
      result,
      [access = MakeFieldAccess(MakeColumn(0, "s", type), field)](
          const ScalarCall& call) -> arrow::Result<arrow::Datum> {
        if (call.args[0].is_scalar()) {
          return access->WithChildren({MakeLiteral(call.args[0].scalar(), access->children()[0]->type())})
              ->Evaluate(Batch{}, call.context);
        }
        Batch batch;
        batch.num_rows = call.num_rows;
        batch.columns = {call.args[0].make_array()};
        return access->Evaluate(batch, call.context);
      }};
}

}  // namespace

void RegisterStructFunctions(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{
      {"struct", "row"},
      {"Struct", "struct(a, …) → struct", "Fields are named c0, c1, …; struct(x AS name) names one.",
       "struct(1, 'a')", "{\"c0\":1,\"c1\":\"a\"}"},
      Volatility::kImmutable,
      {BindStruct}});
  registry.Add(
      ScalarFunction{{"named_struct"},
                     {"Struct", "named_struct('name', value, …) → struct", "Names are text literals.",
                      "named_struct('a', 1, 'b', NULL)", "{\"a\":1,\"b\":null}"},
                     Volatility::kImmutable,
                     {BindNamedStruct}});
  registry.Add(ScalarFunction{{"get_field"},
                              {"Struct", "s.name, s['name'], get_field(s, 'name') → the field's type",
                               "NULL when the struct is NULL.", "get_field(named_struct('a', 1), 'a')", "1"},
                              Volatility::kImmutable,
                              {BindGetField}});
}

}  // namespace laminar
