#include "jobs/function_check.h"

#include "base/clock.h"
#include "base/error.h"
#include "formats/json_encoder.h"

namespace laminar {

namespace {

/// One JSON object as a row. Throws QueryError for a value that does not fit its column.
Batch RowOf(const Engine& engine, const Json& object, const Schema& columns) {
  const auto decoder = engine.formats->Find("json")->make_decoder(FormatSpec{}, columns);
  DecodeResult decoded = decoder->Decode(object.dump(-1, ' ', false, Json::error_handler_t::replace), 1);
  if (!decoded.bad.empty()) throw QueryError(decoded.bad[0].error);
  if (decoded.batch.num_rows != 1) throw QueryError("the value is not one row");
  return std::move(decoded.batch);
}

Json ValueOf(const std::shared_ptr<arrow::Array>& value, const Type& type) {
  JsonObjectWriter writer(Schema{{{"value", type, true}}}, JsonWriteOptions{});
  writer.Bind({value});
  TextBuffer text;
  writer.Write(0, &text);
  return Json::parse(text.view(), nullptr, false).value("value", Json());
}

}  // namespace

FunctionTrial TryFunction(const Engine& engine, const sql::DeclaredFunction& declared, const Json& input) {
  const SqlFunction& function = *declared.function;
  Schema columns;
  std::vector<ExpressionPtr> arguments;
  for (const Field& parameter : function.parameters) {
    arguments.push_back(MakeColumn(columns.num_columns(), parameter.name, parameter.type));
    columns.fields.push_back({parameter.name, parameter.type, true});
  }
  try {
    Batch row;
    row.num_rows = 1;
    if (columns.num_columns() > 0) row = RowOf(engine, input, columns);
    const SystemClock clock;
    const auto call = CallSqlFunction(declared.function, std::move(arguments));
    return {ValueOf(EvaluateToArray(*call, row, EvalContext{&clock, clock.now_us()}), call->type()), ""};
  } catch (const QueryError& error) {
    return {nullptr, error.what()};
  }
}

bool SameResult(const Engine& engine, const sql::DeclaredFunction& declared, const Json& output,
                const Json& expected) {
  const Type& type = declared.function->body->type();
  try {
    const Batch row = RowOf(engine, {{"value", expected}}, Schema{{{"value", type, true}}});
    return ValueOf(row.columns[0], type) == output;
  } catch (const QueryError&) {
    return false;
  }
}

}  // namespace laminar
