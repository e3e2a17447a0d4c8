#pragma once

/// Scalar and aggregate functions by name. Filled once by register_all.cc, then read-only.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "functions/aggregate.h"
#include "functions/expression.h"
#include "types/type.h"

namespace laminar {

/// Shown by `laminar functions`, written to docs/functions.md; the example is run by a test.
struct FunctionDoc {
  std::string group;        ///< "String", "Math", …: the heading
  std::string signature;    ///< "left(text, n) → text"
  std::string description;  ///< one or two sentences: what it gives, NULLs, errors
  std::string example;      ///< a constant expression (aggregates: over `VALUES (1),(2),(3) AS t(x)`)
  std::string result;       ///< the example's value as JSON text
};

/// What is known of a call when it is bound. `constants[i]` is null unless argument i is a constant.
struct BindArguments {
  std::vector<Type> types;
  std::vector<std::shared_ptr<arrow::Scalar>> constants;
  size_t size() const { return types.size(); }
};

/// One evaluation: `args` are Arrays of [num_rows] or Scalars, already cast to BoundScalar::parameters.
struct ScalarCall {
  const std::vector<arrow::Datum>& args;
  int64_t num_rows;
  const EvalContext& context;
};
/// Gives an Array of [num_rows] or a Scalar. Never throws; a bad row is Status::Invalid with the value in its
/// text.
using ScalarKernel = std::function<arrow::Result<arrow::Datum>(const ScalarCall&)>;

struct BoundScalar {
  std::vector<Type> parameters;  ///< arguments are cast to these (one per argument)
  Type result;
  ScalarKernel kernel;
  bool can_fail = false;  ///< some row can make the kernel fail
};

/// nullopt: this overload does not take these arguments (the next one is asked). May throw
/// UserError(kTypeError) when the arguments are this overload's but wrong (a path that is not a literal).
using ScalarBinder = std::function<std::optional<BoundScalar>(const BindArguments&)>;

struct ScalarFunction {
  std::vector<std::string> names;  ///< lower case; the first is the canonical one
  FunctionDoc doc;
  Volatility volatility = Volatility::kImmutable;
  std::vector<ScalarBinder> overloads;  ///< asked in order
};

struct AggregateDefinition {
  std::vector<std::string> names;
  FunctionDoc doc;
  bool takes_distinct = false;  ///< `f(DISTINCT x)` allowed
  bool takes_order_by = false;  ///< ORDER BY inside the call, or WITHIN GROUP
  AggregateBinder bind;
};

class FunctionRegistry {
 public:
  void Add(ScalarFunction function);
  void Add(AggregateDefinition definition);

  const ScalarFunction* FindScalar(std::string_view name) const;  ///< any case; nullptr when unknown
  const AggregateDefinition* FindAggregate(std::string_view name) const;
  std::vector<std::string> names() const;              ///< all of both kinds, sorted
  std::vector<const ScalarFunction*> scalars() const;  ///< by canonical name
  std::vector<const AggregateDefinition*> aggregates() const;

  /// Resolves and casts. Throws UserError kUnknownFunction (with the nearest name) or kTypeError (listing the
  /// signatures), without position: the binder adds it.
  ExpressionPtr BindScalar(std::string_view name, std::vector<ExpressionPtr> arguments) const;

 private:
  std::map<std::string, std::shared_ptr<const ScalarFunction>> scalars_;  // by each name
  std::map<std::string, std::shared_ptr<const AggregateDefinition>> aggregates_;
};

/// Whether `from` may become `to` without a CAST in SQL: widening numbers, DATE → TIMESTAMP, NULL → anything,
/// TEXT ⇄ JSON as text.
bool ImplicitlyCastable(const Type& from, const Type& to);

}  // namespace laminar
