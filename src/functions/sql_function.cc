/// A call evaluates its arguments over the rows, makes a batch of them, and evaluates the body over that.

#include "functions/sql_function.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/scalar.h>

#include <algorithm>

#include "base/error.h"
#include "functions/column_reader.h"
#include "functions/elementwise.h"
#include "functions/registry.h"
#include "functions/row_selection.h"

namespace laminar {

namespace {

class SqlCall final : public Expression {
 public:
  SqlCall(std::shared_ptr<const SqlFunction> function, std::vector<ExpressionPtr> arguments)
      : Expression(function->body->type()),
        function_(std::move(function)),
        arguments_(std::move(arguments)),
        read_(ReferencedColumns({function_->body})),
        volatility_(std::max(function_->volatility, function_->body->volatility())),
        can_fail_(function_->body->can_fail()) {
    for (const ExpressionPtr& argument : arguments_) {
      volatility_ = std::max(volatility_, argument->volatility());
      can_fail_ = can_fail_ || argument->can_fail();
    }
  }

  arrow::Result<arrow::Datum> Evaluate(const Batch& rows, const EvalContext& context) const override {
    std::vector<arrow::Datum> values;
    values.reserve(arguments_.size());
    bool constant = volatility_ != Volatility::kVolatile && rows.num_rows > 0;
    for (const ExpressionPtr& argument : arguments_) {
      ARROW_ASSIGN_OR_RAISE(values.emplace_back(), argument->Evaluate(rows, context));
      constant = constant && values.back().is_scalar();
    }
    auto result = EvaluateBody(values, constant ? 1 : rows.num_rows, context);
    if (!result.ok()) {
      return result.status().WithMessage("function ", function_->name, ": ", result.status().message());
    }
    if (!constant || result->is_scalar()) return result;
    ARROW_ASSIGN_OR_RAISE(auto value, result->make_array()->GetScalar(0));
    return arrow::Datum(std::move(value));
  }

  std::string ToString() const override {
    std::string out = function_->name + "(", strict;
    for (size_t i = 0; i < arguments_.size(); ++i) {
      out += (i ? ", " : "") + arguments_[i]->ToString();
      const Field& parameter = function_->parameters[i];
      if (!parameter.nullable) strict += (strict.empty() ? "" : ", ") + parameter.name;
    }
    // With the body: two functions may have one name, one after the other.
    return out + "){" + (strict.empty() ? "" : strict + " NOT NULL: ") + function_->body->ToString() + "}";
  }
  std::vector<ExpressionPtr> children() const override { return arguments_; }
  ExpressionPtr WithChildren(std::vector<ExpressionPtr> children) const override {
    return std::make_shared<SqlCall>(function_, std::move(children));
  }
  Volatility volatility() const override { return volatility_; }
  bool can_fail() const override { return can_fail_; }

 private:
  arrow::Result<arrow::Datum> EvaluateBody(const std::vector<arrow::Datum>& values, int64_t num_rows,
                                           const EvalContext& context) const {
    const std::vector<ColumnView> strict = StrictValues(values);
    const std::vector<int32_t> called =
        strict.empty() ? std::vector<int32_t>() : CalledRows(strict, num_rows);
    const bool all = strict.empty() || static_cast<int64_t>(called.size()) == num_rows;
    if (called.empty() && !all) return NullDatum(type().arrow_type());
    Batch batch;
    batch.num_rows = num_rows;
    batch.columns.resize(values.size());
    for (const int column : read_) {
      const arrow::Datum& value = values[column];
      if (value.is_scalar()) {
        ARROW_ASSIGN_OR_RAISE(batch.columns[column], arrow::MakeArrayFromScalar(*value.scalar(), num_rows));
      } else {
        batch.columns[column] = value.make_array();
      }
    }
    if (all) return function_->body->Evaluate(batch, context);
    ARROW_ASSIGN_OR_RAISE(const Batch part, SelectRows(batch, called, read_));
    ARROW_ASSIGN_OR_RAISE(arrow::Datum result, function_->body->Evaluate(part, context));
    return WithNulls(std::move(result), called, num_rows);
  }

  /// Values that may be NULL, of parameters that are NOT NULL.
  std::vector<ColumnView> StrictValues(const std::vector<arrow::Datum>& values) const {
    std::vector<ColumnView> strict;
    for (size_t i = 0; i < values.size(); ++i) {
      if (function_->parameters[i].nullable) continue;
      ColumnView value(values[i]);
      if (value.may_have_nulls()) strict.push_back(std::move(value));
    }
    return strict;
  }

  static std::vector<int32_t> CalledRows(const std::vector<ColumnView>& strict, int64_t num_rows) {
    std::vector<int32_t> called;
    called.reserve(static_cast<size_t>(num_rows));
    for (int64_t row = 0; row < num_rows; ++row) {
      const bool null = std::any_of(strict.begin(), strict.end(),
                                    [row](const ColumnView& value) { return value.IsNull(row); });
      if (!null) called.push_back(static_cast<int32_t>(row));
    }
    return called;
  }

  /// Entry i of `values` belongs to row called[i]; the other rows are NULL.
  arrow::Result<arrow::Datum> WithNulls(arrow::Datum values, const std::vector<int32_t>& called,
                                        int64_t num_rows) const {
    const auto arrow_type = type().arrow_type();
    std::vector<int32_t> piece_of(static_cast<size_t>(num_rows), 1);
    std::vector<int32_t> row_of(static_cast<size_t>(num_rows), 0);
    for (size_t i = 0; i < called.size(); ++i) {
      piece_of[called[i]] = 0;
      row_of[called[i]] = static_cast<int32_t>(i);
    }
    ARROW_ASSIGN_OR_RAISE(
        auto array, Interleave({std::move(values), NullDatum(arrow_type)}, piece_of, row_of, arrow_type));
    return arrow::Datum(std::move(array));
  }

  std::shared_ptr<const SqlFunction> function_;
  std::vector<ExpressionPtr> arguments_;
  std::vector<int> read_;  // parameters that the body reads
  Volatility volatility_;
  bool can_fail_;
};

/// As the parameter's type; null pointer: it takes a CAST. A constant is cast here, and refused when it does
/// not fit.
ExpressionPtr ConvertArgument(const ExpressionPtr& argument, const Type& to) {
  const Type& from = argument->type();
  if (from == to) return argument;
  const auto constant = FoldConstant(*argument);
  const bool text_literal = constant && from.id() == TypeId::kText && CanCast(from, to);
  if (!text_literal && !Assignable(from, to)) return nullptr;
  ExpressionPtr cast = MakeCast(argument, to, /*try_cast=*/from.id() == TypeId::kJson);
  if (!constant) return cast;
  Batch one_row;
  one_row.num_rows = 1;
  const auto value = cast->Evaluate(one_row, EvalContext{});
  if (!value.ok()) throw UserError(Reason::kTypeError, {}, value.status().message());
  return value->is_scalar() ? MakeLiteral(value->scalar(), to) : cast;
}

[[noreturn]] void ThrowBadArguments(const SqlFunction& function,
                                    const std::vector<ExpressionPtr>& arguments) {
  std::string types;
  for (const ExpressionPtr& argument : arguments) {
    types += (types.empty() ? "" : ", ") + argument->type().ToString();
  }
  throw UserError(Reason::kTypeError, {}, function.name + "(" + types + ") does not exist")
      .Hint("there is: " + function.Signature());
}

}  // namespace

bool Assignable(const Type& from, const Type& to) {
  if (ImplicitlyCastable(from, to)) return true;
  if (!CanCast(from, to)) return false;
  if (from.is_numeric() && to.is_numeric()) return from.is_integer() || !to.is_integer();
  return from.id() == TypeId::kJson || (from.is_nested() && from.id() == to.id());
}

std::string SqlFunction::Signature() const {
  std::string out;
  for (const Field& parameter : parameters) {
    out += (out.empty() ? "" : ", ") + parameter.name + " " + parameter.type.ToString() +
           (parameter.nullable ? "" : " NOT NULL");
  }
  return name + "(" + out + ") → " + body->type().ToString();
}

ExpressionPtr CallSqlFunction(std::shared_ptr<const SqlFunction> function,
                              std::vector<ExpressionPtr> arguments) {
  if (arguments.size() != function->parameters.size()) ThrowBadArguments(*function, arguments);
  std::vector<ExpressionPtr> converted;
  for (size_t i = 0; i < arguments.size(); ++i) {
    converted.push_back(ConvertArgument(arguments[i], function->parameters[i].type));
    if (!converted.back()) ThrowBadArguments(*function, arguments);
  }
  return std::make_shared<SqlCall>(std::move(function), std::move(converted));
}

}  // namespace laminar
