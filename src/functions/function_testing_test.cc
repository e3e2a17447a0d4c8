/// The test support itself: compiled into functions_test only.

#include "functions/function_testing.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/compute/initialize.h>
#include <arrow/scalar.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "functions/register_scalar_core.h"
#include "functions/value_text.h"

namespace laminar::function_testing {

namespace {

template <typename T>
T Must(arrow::Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().ToString());
  return std::move(result).MoveValueUnsafe();
}

ExpressionPtr JsonLiteral(const std::string& json) {
  return MakeLiteral(std::make_shared<arrow::StringScalar>(json), Type::Json());
}

ManualClock* TestClock() {
  static ManualClock clock(1'700'000'000'000'000);
  return &clock;
}

EvalContext TestContext() { return {TestClock(), TestClock()->now_us()}; }

/// [NULL, value, value, NULL] without its first row: an offset, and NULLs that are no result of the value.
std::shared_ptr<arrow::Array> SlicedColumn(const arrow::Scalar& value) {
  auto nulls = Must(arrow::MakeArrayOfNull(value.type, 1));
  auto values = Must(arrow::MakeArrayFromScalar(value, 2));
  return Must(arrow::Concatenate({nulls, values, nulls}))->Slice(1);
}

/// Row 0 over columns must equal the constant result.
void CheckOverColumns(const std::string& name, const std::vector<Value>& arguments,
                      const std::string& expected) {
  Batch batch;
  batch.num_rows = 3;
  std::vector<ExpressionPtr> columns;
  for (const Value& value : arguments) {
    batch.columns.push_back(SlicedColumn(*value.scalar));
    columns.push_back(MakeColumn(static_cast<int>(columns.size()), "c", value.type));
  }
  ExpressionPtr call;
  try {
    call = CoreRegistry().BindScalar(name, columns);
  } catch (const UserError&) {
    return;  // it wants a literal
  }
  if (call->volatility() == Volatility::kVolatile) return;
  batch = Slice(batch, 0, 2);  // without the NULL row when the value is not NULL: errors must be the value's
  const std::string actual = Evaluate(call, batch);
  if (expected.starts_with("error")) {
    EXPECT_EQ(actual, expected) << name << " over columns";
  } else {
    EXPECT_EQ(actual, "[" + expected + "," + expected + "]")
        << name << " over columns, result " << call->type().ToString();
  }
}

}  // namespace

Value V(const std::string& type, const std::string& json) {
  const auto parsed = ParseTypeName(type);
  if (!parsed) throw std::runtime_error("no type " + type);
  const Type& to = *parsed;
  auto value = to == Type::Json() && json != "null" ? std::make_shared<arrow::StringScalar>(json)
                                                    : FoldConstant(*MakeCast(JsonLiteral(json), to));
  if (!value) throw std::runtime_error("no value " + json + " of " + type);
  return {to, value};
}

Value Text(const std::string& text) { return {Type::Text(), std::make_shared<arrow::StringScalar>(text)}; }
Value Int(int64_t value) { return {Type::Int64(), std::make_shared<arrow::Int64Scalar>(value)}; }
Value Double(double value) { return {Type::Double(), std::make_shared<arrow::DoubleScalar>(value)}; }
Value Null(const std::string& type) {
  const Type of = type.empty() ? Type::Null() : *ParseTypeName(type);
  return {of, arrow::MakeNullScalar(of.arrow_type())};
}
Value Timestamp(const std::string& text) {
  return {Type::Timestamp(), FoldConstant(*MakeCast(MakeText(text), Type::Timestamp()))};
}
Value Interval(const std::string& text) {
  return {Type::Interval(), FoldConstant(*MakeCast(MakeText(text), Type::Interval()))};
}

std::shared_ptr<arrow::Array> Column(const std::string& type, const std::string& json) {
  const Value list = V(type + "[]", json);
  return static_cast<const arrow::ListScalar&>(*list.scalar).value;
}

std::string ToJsonText(const arrow::Array& array, const Type& type) {
  TextWriter writer(1, 64);
  const RowText text = MakeRowText(ColumnView(array.data(), false), type, TextForm::kJson);
  writer.Push('[');
  for (int64_t row = 0; row < array.length(); ++row) {
    if (row) writer.Push(',');
    text(row, writer);
  }
  writer.Push(']');
  return std::string(writer.row());
}

const FunctionRegistry& CoreRegistry() {
  static const FunctionRegistry* registry = [] {
    EXPECT_TRUE(arrow::compute::Initialize().ok());
    auto* made = new FunctionRegistry();
    RegisterCoreFunctions(*made);
    return made;
  }();
  return *registry;
}

std::string Evaluate(const ExpressionPtr& expression) {
  Batch one_row;
  one_row.num_rows = 1;
  auto value = expression->Evaluate(one_row, TestContext());
  if (!value.ok()) return "error: " + value.status().message();
  if (value->is_array()) return ScalarToJson(*Must(value->make_array()->GetScalar(0)), expression->type());
  EXPECT_TRUE(value->scalar()->type->Equals(*expression->type().arrow_type()))
      << expression->ToString() << " gives " << value->scalar()->type->ToString();
  return ScalarToJson(*value->scalar(), expression->type());
}

std::string Evaluate(const ExpressionPtr& expression, const Batch& batch) {
  try {
    const auto array = EvaluateToArray(*expression, batch, TestContext());
    EXPECT_EQ(array->length(), batch.num_rows) << expression->ToString();
    EXPECT_TRUE(array->type()->Equals(*expression->type().arrow_type()))
        << expression->ToString() << " gives " << array->type()->ToString();
    EXPECT_TRUE(array->ValidateFull().ok())
        << expression->ToString() << ": " << array->ValidateFull().ToString();
    return ToJsonText(*array, expression->type());
  } catch (const QueryError& error) {
    return std::string("error: ") + error.what();
  }
}

std::string Call(const std::string& name, const std::vector<Value>& arguments) {
  std::vector<ExpressionPtr> literals;
  for (const Value& value : arguments) literals.push_back(MakeLiteral(value.scalar, value.type));
  std::string result;
  try {
    result = Evaluate(CoreRegistry().BindScalar(name, literals));
  } catch (const UserError& error) {
    return "error: " + error.message();
  }
  CheckOverColumns(name, arguments, result);
  return result;
}

std::string ResultType(const std::string& name, const std::vector<Value>& arguments) {
  std::vector<ExpressionPtr> literals;
  for (const Value& value : arguments) literals.push_back(MakeLiteral(value.scalar, value.type));
  try {
    return CoreRegistry().BindScalar(name, literals)->type().ToString();
  } catch (const UserError& error) {
    return "error: " + error.message();
  }
}

std::string Cast(const Value& value, const std::string& type, bool try_cast) {
  try {
    const Type to = *ParseTypeName(type);
    const std::string result = Evaluate(MakeCast(MakeLiteral(value.scalar, value.type), to, try_cast));
    Batch batch;
    batch.num_rows = 2;
    batch.columns = {SlicedColumn(*value.scalar)->Slice(0, 2)};
    const std::string over_column = Evaluate(MakeCast(MakeColumn(0, "c", value.type), to, try_cast), batch);
    EXPECT_EQ(over_column, result.starts_with("error") ? result : "[" + result + "," + result + "]");
    return result;
  } catch (const UserError& error) {
    return "error: " + error.message();
  }
}

void CheckCases(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    std::string shown = c.function + "(";
    for (const Value& value : c.arguments) shown += ScalarToJson(*value.scalar, value.type) + " ";
    EXPECT_EQ(Call(c.function, c.arguments), c.result) << shown << ")";
  }
}

}  // namespace laminar::function_testing
