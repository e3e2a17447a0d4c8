#pragma once

/// For tests of functions: values from short texts, results as JSON text.

#include <string>
#include <vector>

#include "functions/expression.h"
#include "functions/registry.h"

namespace laminar::function_testing {

/// A value given as type and JSON text: V("BIGINT", "5"), V("TEXT", "\"a\""), V("INT[]", "[1,null]"),
/// V("TIMESTAMP", "\"2024-01-31\"").
struct Value {
  Type type;
  std::shared_ptr<arrow::Scalar> scalar;
};
Value V(const std::string& type, const std::string& json);
Value Text(const std::string& text);
Value Int(int64_t value);
Value Double(double value);
Value Null(const std::string& type = "");
Value Timestamp(const std::string& text);
Value Interval(const std::string& text);

/// A column from a JSON array: Column("BIGINT", "[1,null,3]").
std::shared_ptr<arrow::Array> Column(const std::string& type, const std::string& json);
/// An array as JSON text.
std::string ToJsonText(const arrow::Array& array, const Type& type);

/// The registry of RegisterCoreFunctions.
const FunctionRegistry& CoreRegistry();

/// Calls with constants and gives the result as JSON text, or "error: …". Also runs the call over columns
/// (sliced, with a NULL row) and fails the test when a row differs from the constant result.
std::string Call(const std::string& name, const std::vector<Value>& arguments);
/// SQL type of the call's result.
std::string ResultType(const std::string& name, const std::vector<Value>& arguments);
/// Evaluates over no columns, as JSON text or "error: …".
std::string Evaluate(const ExpressionPtr& expression);
/// Over a batch, as a JSON array or "error: …".
std::string Evaluate(const ExpressionPtr& expression, const Batch& batch);
/// CAST(value AS type) as JSON text or "error: …".
std::string Cast(const Value& value, const std::string& type, bool try_cast = false);

/// One line of a table of cases.
struct Case {
  std::string function;
  std::vector<Value> arguments;
  std::string result;
};
void CheckCases(const std::vector<Case>& cases);

}  // namespace laminar::function_testing
