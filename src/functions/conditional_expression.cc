/// CASE and COALESCE. Where a value can fail it is evaluated only on its own rows: the batch is split by
/// rows, branch by branch, and put together at the end. Where nothing can fail every branch is evaluated on
/// the whole batch, which saves the copying.

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "functions/column_reader.h"
#include "functions/expression.h"
#include "functions/row_selection.h"

namespace laminar {

namespace {

Volatility MostVolatile(const std::vector<ExpressionPtr>& expressions) {
  Volatility most = Volatility::kImmutable;
  for (const ExpressionPtr& expression : expressions) most = std::max(most, expression->volatility());
  return most;
}

bool AnyCanFail(const std::vector<ExpressionPtr>& expressions) {
  return std::any_of(expressions.begin(), expressions.end(),
                     [](const ExpressionPtr& e) { return e->can_fail(); });
}

std::vector<int32_t> AllRows(int64_t rows) {
  std::vector<int32_t> out(static_cast<size_t>(rows));
  std::iota(out.begin(), out.end(), 0);
  return out;
}

/// Evaluates expressions over shrinking parts of one batch.
class PartEvaluator {
 public:
  /// `whole`: evaluate on all rows and pick later, never copy rows.
  PartEvaluator(const Batch& batch, const EvalContext& context, const std::vector<int>& columns, bool whole)
      : batch_(batch), context_(context), columns_(columns), whole_(whole) {}

  /// Values for `rows`; entry i of an array is row rows[i], or row i of the batch when `whole()`.
  arrow::Result<arrow::Datum> Evaluate(const Expression& expression, const std::vector<int32_t>& rows) {
    if (whole_ || static_cast<int64_t>(rows.size()) == batch_.num_rows)
      return expression.Evaluate(batch_, context_);
    if (!part_ || rows != part_rows_) {
      ARROW_ASSIGN_OR_RAISE(Batch part, SelectRows(batch_, rows, columns_));
      part_ = std::move(part);
      part_rows_ = rows;
    }
    return expression.Evaluate(*part_, context_);
  }

  /// Where the value of rows[i] lies in what Evaluate gave.
  int32_t Position(const std::vector<int32_t>& rows, size_t i) const {
    return whole_ ? rows[i] : static_cast<int32_t>(i);
  }

 private:
  const Batch& batch_;
  const EvalContext& context_;
  const std::vector<int>& columns_;
  const bool whole_;
  std::optional<Batch> part_;
  std::vector<int32_t> part_rows_;
};

/// Collects the pieces of the result.
class ResultPieces {
 public:
  explicit ResultPieces(int64_t rows)
      : piece_of_(static_cast<size_t>(rows)), row_of_(static_cast<size_t>(rows)) {}

  /// `position(i)`: where the value of rows[i] lies in `values`.
  template <typename Position>
  void Add(arrow::Datum values, const std::vector<int32_t>& rows, Position position) {
    const int32_t piece = static_cast<int32_t>(pieces_.size());
    pieces_.push_back(std::move(values));
    for (size_t i = 0; i < rows.size(); ++i) {
      piece_of_[rows[i]] = piece;
      row_of_[rows[i]] = position(i);
    }
    last_rows_ = rows.size();
  }
  arrow::Result<arrow::Datum> Finish(const std::shared_ptr<arrow::DataType>& type) {
    // One piece holds every row, in order.
    if (pieces_.size() == 1 && last_rows_ == piece_of_.size()) return pieces_[0];
    ARROW_ASSIGN_OR_RAISE(auto array, Interleave(pieces_, piece_of_, row_of_, type));
    return arrow::Datum(std::move(array));
  }

 private:
  std::vector<arrow::Datum> pieces_;
  std::vector<int32_t> piece_of_;
  std::vector<int32_t> row_of_;
  size_t last_rows_ = 0;
};

class CaseExpression final : public Expression {
 public:
  /// `parts`: condition, value, condition, value, …, otherwise.
  CaseExpression(std::vector<ExpressionPtr> parts, Type type)
      : Expression(std::move(type)),
        parts_(std::move(parts)),
        columns_(ReferencedColumns(parts_)),
        can_fail_(AnyCanFail(parts_)),
        volatility_(MostVolatile(parts_)) {}

  arrow::Result<arrow::Datum> Evaluate(const Batch& batch, const EvalContext& context) const override {
    if (batch.num_rows == 0) return EmptyResult();
    const bool whole = !can_fail_ && volatility_ != Volatility::kVolatile;
    PartEvaluator evaluator(batch, context, columns_, whole);
    ResultPieces pieces(batch.num_rows);
    std::vector<int32_t> open = AllRows(batch.num_rows);
    for (size_t i = 0; i + 1 < parts_.size() && !open.empty(); i += 2) {
      ARROW_ASSIGN_OR_RAISE(arrow::Datum condition, evaluator.Evaluate(*parts_[i], open));
      std::vector<int32_t> taken;
      std::vector<int32_t> rest;
      Split(condition, open, whole, &taken, &rest);
      if (!taken.empty()) ARROW_RETURN_NOT_OK(AddBranch(*parts_[i + 1], taken, &evaluator, &pieces));
      open = std::move(rest);
    }
    if (!open.empty()) ARROW_RETURN_NOT_OK(AddBranch(*parts_.back(), open, &evaluator, &pieces));
    return pieces.Finish(type().arrow_type());
  }

  std::string ToString() const override {
    std::string out = "CASE";
    for (size_t i = 0; i + 1 < parts_.size(); i += 2) {
      out += " WHEN " + parts_[i]->ToString() + " THEN " + parts_[i + 1]->ToString();
    }
    return out + " ELSE " + parts_.back()->ToString() + " END";
  }
  std::vector<ExpressionPtr> children() const override { return parts_; }
  ExpressionPtr WithChildren(std::vector<ExpressionPtr> children) const override {
    return std::make_shared<CaseExpression>(std::move(children), type());
  }
  Volatility volatility() const override { return volatility_; }
  bool can_fail() const override { return can_fail_; }

 private:
  arrow::Result<arrow::Datum> EmptyResult() const {
    ARROW_ASSIGN_OR_RAISE(auto array, arrow::MakeEmptyArray(type().arrow_type()));
    return arrow::Datum(std::move(array));
  }

  static void Split(const arrow::Datum& condition, const std::vector<int32_t>& open, bool whole,
                    std::vector<int32_t>* taken, std::vector<int32_t>* rest) {
    if (!whole || condition.is_scalar()) return SplitByCondition(condition, open, taken, rest);
    const ColumnReader<bool> reader(condition);
    for (int32_t row : open) (reader.IsValid(row) && reader[row] ? taken : rest)->push_back(row);
  }

  static arrow::Status AddBranch(const Expression& value, const std::vector<int32_t>& rows,
                                 PartEvaluator* evaluator, ResultPieces* pieces) {
    ARROW_ASSIGN_OR_RAISE(arrow::Datum values, evaluator->Evaluate(value, rows));
    pieces->Add(std::move(values), rows, [&](size_t i) { return evaluator->Position(rows, i); });
    return arrow::Status::OK();
  }

  std::vector<ExpressionPtr> parts_;
  std::vector<int> columns_;
  bool can_fail_;
  Volatility volatility_;
};

class CoalesceExpression final : public Expression {
 public:
  explicit CoalesceExpression(std::vector<ExpressionPtr> arguments)
      : Expression(arguments[0]->type()),
        arguments_(std::move(arguments)),
        columns_(ReferencedColumns(arguments_)),
        can_fail_(AnyCanFail(arguments_)),
        volatility_(MostVolatile(arguments_)) {}

  arrow::Result<arrow::Datum> Evaluate(const Batch& batch, const EvalContext& context) const override {
    ARROW_ASSIGN_OR_RAISE(arrow::Datum first, arguments_[0]->Evaluate(batch, context));
    if (arguments_.size() == 1 || (first.is_scalar() ? first.scalar()->is_valid : first.null_count() == 0))
      return first;
    const bool whole = !can_fail_ && volatility_ != Volatility::kVolatile;
    PartEvaluator evaluator(batch, context, columns_, whole);
    ResultPieces pieces(batch.num_rows);
    std::vector<int32_t> open = AllRows(batch.num_rows);
    for (size_t i = 0; i < arguments_.size() && !open.empty(); ++i) {
      arrow::Datum values = first;
      if (i > 0) {
        ARROW_ASSIGN_OR_RAISE(values, evaluator.Evaluate(*arguments_[i], open));
      }
      const bool last = i + 1 == arguments_.size();
      const bool by_row = whole || i == 0;
      std::vector<int32_t> taken, positions, rest;
      const ColumnView view(values);
      for (size_t k = 0; k < open.size(); ++k) {
        const int32_t position = by_row ? open[k] : static_cast<int32_t>(k);
        if (!last && view.IsNull(position)) {
          rest.push_back(open[k]);
        } else {
          taken.push_back(open[k]);
          positions.push_back(position);
        }
      }
      if (!taken.empty()) pieces.Add(std::move(values), taken, [&](size_t k) { return positions[k]; });
      open = std::move(rest);
    }
    return pieces.Finish(type().arrow_type());
  }

  std::string ToString() const override {
    std::string out = "coalesce(";
    for (size_t i = 0; i < arguments_.size(); ++i) out += (i ? ", " : "") + arguments_[i]->ToString();
    return out + ")";
  }
  std::vector<ExpressionPtr> children() const override { return arguments_; }
  ExpressionPtr WithChildren(std::vector<ExpressionPtr> children) const override {
    return std::make_shared<CoalesceExpression>(std::move(children));
  }
  Volatility volatility() const override { return volatility_; }
  bool can_fail() const override { return can_fail_; }

 private:
  std::vector<ExpressionPtr> arguments_;
  std::vector<int> columns_;
  bool can_fail_;
  Volatility volatility_;
};

}  // namespace

ExpressionPtr MakeCase(std::vector<ExpressionPtr> conditions, std::vector<ExpressionPtr> values,
                       ExpressionPtr otherwise) {
  LAMINAR_CHECK(conditions.size() == values.size() && otherwise,
                "CASE: a value for each condition, and one for the rest");
  const Type type = otherwise->type();
  std::vector<ExpressionPtr> parts;
  for (size_t i = 0; i < conditions.size(); ++i) {
    LAMINAR_CHECK(conditions[i]->type() == Type::Boolean(),
                  "CASE condition of type " + conditions[i]->type().ToString());
    LAMINAR_CHECK(values[i]->type() == type, "CASE value of type " + values[i]->type().ToString());
    parts.push_back(std::move(conditions[i]));
    parts.push_back(std::move(values[i]));
  }
  parts.push_back(std::move(otherwise));
  return std::make_shared<CaseExpression>(std::move(parts), type);
}

ExpressionPtr MakeCoalesce(std::vector<ExpressionPtr> arguments) {
  LAMINAR_CHECK(!arguments.empty(), "COALESCE of nothing");
  for (const ExpressionPtr& argument : arguments) {
    LAMINAR_CHECK(argument->type() == arguments[0]->type(), "COALESCE over " + argument->type().ToString());
  }
  if (arguments.size() == 1) return arguments[0];
  return std::make_shared<CoalesceExpression>(std::move(arguments));
}

}  // namespace laminar
