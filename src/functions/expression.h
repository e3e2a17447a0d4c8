#pragma once

/// Bound expressions: what the binder makes of SQL and operators evaluate, a whole batch at a time. Immutable
/// after binding and shared between subtasks.

#include <arrow/datum.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "types/batch.h"
#include "types/type.h"

namespace laminar {

/// What may differ between two evaluations over the same rows.
struct EvalContext {
  const Clock* clock = nullptr;  ///< never null while running; NOW() reads it once per batch
  int64_t now_us = 0;            ///< set by the caller once per batch from `clock`
};

enum class Volatility {
  kImmutable,  ///< same arguments, same result: may be folded at planning
  kStable,     ///< same within one batch (NOW)
  kVolatile,   ///< anything (RANDOM, UUID): never folded or repeated, refused where a retraction must match
};

class Expression;
using ExpressionPtr = std::shared_ptr<const Expression>;

class Expression {
 public:
  explicit Expression(Type type) : type_(std::move(type)) {}
  virtual ~Expression() = default;

  const Type& type() const { return type_; }
  /// A Scalar datum when all rows have one value, otherwise an Array of [rows.num_rows]. Errors are
  /// QueryErrors' texts.
  virtual arrow::Result<arrow::Datum> Evaluate(const Batch& rows, const EvalContext& context) const = 0;
  /// Canonical text: equal texts mean equal expressions. Used in explain and in operator ids.
  virtual std::string ToString() const = 0;
  virtual std::vector<ExpressionPtr> children() const { return {}; }
  /// The same expression over other children (same number, same types).
  virtual ExpressionPtr WithChildren(std::vector<ExpressionPtr> children) const = 0;
  virtual Volatility volatility() const { return Volatility::kImmutable; }
  /// False when no row can make Evaluate fail (no cast of text, no division, no checked overflow).
  virtual bool can_fail() const { return false; }

 private:
  Type type_;
};

/// Column `index` of the batch.
class ColumnExpression final : public Expression {
 public:
  ColumnExpression(int index, std::string name, Type type)
      : Expression(std::move(type)), index_(index), name_(std::move(name)) {}
  int index() const { return index_; }
  const std::string& name() const { return name_; }
  arrow::Result<arrow::Datum> Evaluate(const Batch& rows, const EvalContext& context) const override;
  std::string ToString() const override;
  ExpressionPtr WithChildren(std::vector<ExpressionPtr>) const override;

 private:
  int index_;
  std::string name_;
};

class LiteralExpression final : public Expression {
 public:
  LiteralExpression(std::shared_ptr<arrow::Scalar> value, Type type)
      : Expression(std::move(type)), value_(std::move(value)) {}
  const std::shared_ptr<arrow::Scalar>& value() const { return value_; }
  arrow::Result<arrow::Datum> Evaluate(const Batch& rows, const EvalContext& context) const override;
  std::string ToString() const override;
  ExpressionPtr WithChildren(std::vector<ExpressionPtr>) const override;

 private:
  std::shared_ptr<arrow::Scalar> value_;
};

/// Three-valued AND and OR, as made by MakeAnd and MakeOr; the planner splits them.
class LogicalExpression : public Expression {
 public:
  enum class Kind { kAnd, kOr };
  LogicalExpression(Kind kind, ExpressionPtr left, ExpressionPtr right)
      : Expression(Type::Boolean()), kind_(kind), left_(std::move(left)), right_(std::move(right)) {}
  Kind kind() const { return kind_; }
  std::vector<ExpressionPtr> children() const override { return {left_, right_}; }

 protected:
  Kind kind_;
  ExpressionPtr left_;
  ExpressionPtr right_;
};

/// A bound function call, as made by FunctionRegistry::BindScalar; the planner looks at names.
class CallExpression : public Expression {
 public:
  CallExpression(std::string name, std::vector<ExpressionPtr> arguments, Type type)
      : Expression(std::move(type)), name_(std::move(name)), arguments_(std::move(arguments)) {}
  const std::string& name() const { return name_; }  ///< canonical name
  std::vector<ExpressionPtr> children() const override { return arguments_; }

 protected:
  std::string name_;
  std::vector<ExpressionPtr> arguments_;
};

/// STRUCT field by position, as made by MakeFieldAccess; the planner prunes by it.
class FieldExpression : public Expression {
 public:
  FieldExpression(ExpressionPtr input, int field, Type type)
      : Expression(std::move(type)), input_(std::move(input)), field_(field) {}
  const ExpressionPtr& input() const { return input_; }
  int field() const { return field_; }
  std::vector<ExpressionPtr> children() const override { return {input_}; }

 protected:
  ExpressionPtr input_;
  int field_;
};

ExpressionPtr MakeColumn(int index, std::string name, Type type);
ExpressionPtr MakeLiteral(std::shared_ptr<arrow::Scalar> value, Type type);
ExpressionPtr MakeNull(Type type);
ExpressionPtr MakeInt64(int64_t value);
ExpressionPtr MakeText(std::string value);
ExpressionPtr MakeBoolean(bool value);

/// CAST (`try_cast`: failure gives NULL). Same type gives `input` itself. Throws UserError(kTypeError) where
/// no cast exists. The rules are those of docs/sql.md "Casts".
ExpressionPtr MakeCast(ExpressionPtr input, const Type& to, bool try_cast = false);
/// Whether MakeCast(from, to) exists.
bool CanCast(const Type& from, const Type& to);

/// Three-valued AND/OR. The right side is evaluated only on rows that the left side leaves open when it can
/// fail.
ExpressionPtr MakeAnd(ExpressionPtr left, ExpressionPtr right);
ExpressionPtr MakeOr(ExpressionPtr left, ExpressionPtr right);
/// CASE: a branch's value is evaluated only on its rows, so that `CASE WHEN x <> 0 THEN 1/x END` never
/// divides by 0. `conditions` are BOOLEAN; `values` and `otherwise` (never null pointer) have one common
/// type.
ExpressionPtr MakeCase(std::vector<ExpressionPtr> conditions, std::vector<ExpressionPtr> values,
                       ExpressionPtr otherwise);
/// First non-NULL; later arguments are evaluated only where needed. All of one type.
ExpressionPtr MakeCoalesce(std::vector<ExpressionPtr> arguments);
/// STRUCT field by position.
ExpressionPtr MakeFieldAccess(ExpressionPtr input, int field);
/// STRUCT from parts, never NULL itself.
ExpressionPtr MakeStruct(std::vector<ExpressionPtr> fields, Type type);

/// The value of an expression over no columns, or nullptr when it needs rows, is not immutable, or fails.
std::shared_ptr<arrow::Scalar> FoldConstant(const Expression& expression);

/// Evaluates and makes an array of it: [rows.num_rows]. Throws QueryError.
std::shared_ptr<arrow::Array> EvaluateToArray(const Expression& expression, const Batch& rows,
                                              const EvalContext& context);
/// Rows where the BOOLEAN expression is true. Throws QueryError. `out` is overwritten.
void EvaluateFilter(const Expression& predicate, const Batch& rows, const EvalContext& context,
                    std::vector<int32_t>* out);

}  // namespace laminar
