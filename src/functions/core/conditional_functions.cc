/// COALESCE and its relatives as functions. The binder makes lazy expressions of them (MakeCase,
/// MakeCoalesce); these evaluate all arguments, and are what the documentation and other callers see.
/// GREATEST and LEAST are only here.

#include <functional>

#include "functions/comparable_types.h"
#include "functions/core/comparison.h"
#include "functions/elementwise.h"
#include "functions/overload.h"
#include "functions/register_scalar_core.h"
#include "functions/row_selection.h"
#include "functions/value_compare.h"

namespace laminar {

namespace {

/// Chooses for each row which argument gives its value.
using Choose = std::function<int32_t(int64_t row)>;

arrow::Result<arrow::Datum> ChooseArguments(const ScalarCall& call, size_t first, const Type& type,
                                            const Choose& choose) {
  bool constant = true;
  for (const arrow::Datum& arg : call.args) constant = constant && arg.is_scalar();
  const int64_t rows = constant ? 1 : call.num_rows;
  std::vector<int32_t> piece_of(static_cast<size_t>(rows));
  std::vector<int32_t> row_of(static_cast<size_t>(rows));
  for (int64_t row = 0; row < rows; ++row) {
    piece_of[static_cast<size_t>(row)] = choose(row);
    row_of[static_cast<size_t>(row)] = static_cast<int32_t>(row);
  }
  if (constant) return call.args[first + static_cast<size_t>(piece_of[0])];
  const std::vector<arrow::Datum> pieces(call.args.begin() + static_cast<int64_t>(first), call.args.end());
  ARROW_ASSIGN_OR_RAISE(auto array, Interleave(pieces, piece_of, row_of, type.arrow_type()));
  return arrow::Datum(std::move(array));
}

std::vector<ColumnView> Views(const ScalarCall& call) {
  std::vector<ColumnView> views;
  for (const arrow::Datum& arg : call.args) views.emplace_back(arg);
  return views;
}

/// Type of all arguments from `first` on; NULLs alone are TEXT.
std::optional<Type> ValueType(const BindArguments& arguments, size_t first) {
  std::optional<Type> common = Type::Null();
  for (size_t i = first; i < arguments.size() && common; ++i)
    common = CommonType(*common, arguments.types[i]);
  if (common && common->is_null()) common = Type::Text();
  return common;
}

arrow::Result<arrow::Datum> FirstValid(const ScalarCall& call, const Type& type) {
  const std::vector<ColumnView> views = Views(call);
  return ChooseArguments(call, 0, type, [&](int64_t row) {
    size_t i = 0;
    while (i + 1 < views.size() && views[i].IsNull(row)) ++i;
    return static_cast<int32_t>(i);
  });
}

std::optional<BoundScalar> BindCoalesce(const BindArguments& arguments) {
  if (arguments.size() == 0) return std::nullopt;
  const auto type = ValueType(arguments, 0);
  if (!type) return std::nullopt;
  return BoundScalar{std::vector<Type>(arguments.size(), *type), *type,
                     [type = *type](const ScalarCall& call) { return FirstValid(call, type); }};
}

std::optional<BoundScalar> BindNvl(const BindArguments& arguments) {
  return arguments.size() == 2 ? BindCoalesce(arguments) : std::nullopt;
}

std::optional<BoundScalar> BindNullIf(const BindArguments& arguments) {
  if (arguments.size() != 2) return std::nullopt;
  auto type = ComparisonType(arguments.types[0], arguments.types[1]);
  if (!type) return std::nullopt;
  if (type->is_null()) type = Type::Text();
  auto kernel = [equal = ComparisonKernel(Comparison::kEqual, *type),
                 to = *type](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(arrow::Datum same, equal(call));
    const ColumnReader<bool> reader(same);
    const std::vector<arrow::Datum> args = {call.args[0], NullDatum(to.arrow_type())};
    if (call.args[0].is_scalar() && same.is_scalar())
      return reader.IsValid(0) && reader[0] ? args[1] : args[0];
    std::vector<int32_t> piece_of, row_of;
    for (int64_t row = 0; row < call.num_rows; ++row) {
      piece_of.push_back(reader.IsValid(row) && reader[row] ? 1 : 0);
      row_of.push_back(static_cast<int32_t>(row));
    }
    ARROW_ASSIGN_OR_RAISE(auto array, Interleave(args, piece_of, row_of, to.arrow_type()));
    return arrow::Datum(std::move(array));
  };
  return BoundScalar{{*type, *type}, *type, kernel};
}

/// IF(c, a, b), and NVL2(x, a, b) with `asks_null`.
ScalarBinder BindChoice(bool asks_null) {
  return [asks_null](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() != 3) return std::nullopt;
    const auto type = ValueType(arguments, 1);
    const Type condition = asks_null ? arguments.types[0] : Type::Boolean();
    if (!type || !ImplicitlyCastable(arguments.types[0], condition)) return std::nullopt;
    return BoundScalar{
        {condition, *type, *type},
        *type,
        [asks_null, type = *type](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
          const ColumnView view(call.args[0]);
          if (asks_null)
            return ChooseArguments(call, 1, type, [&](int64_t row) { return view.IsNull(row) ? 1 : 0; });
          const ColumnReader<bool> reader(view);
          return ChooseArguments(call, 1, type,
                                 [&](int64_t row) { return reader.IsValid(row) && reader[row] ? 0 : 1; });
        }};
  };
}

/// The greatest (sign 1) or least (−1) argument that is not NULL.
ScalarBinder BindExtreme(int sign) {
  return [sign](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() == 0) return std::nullopt;
    const auto type = ValueType(arguments, 0);
    if (!type) return std::nullopt;
    return BoundScalar{std::vector<Type>(arguments.size(), *type), *type,
                       [sign, type = *type](const ScalarCall& call) {
                         const std::vector<ColumnView> views = Views(call);
                         std::vector<std::vector<RowCompare>> compare(views.size());
                         for (size_t i = 0; i < views.size(); ++i) {
                           for (size_t j = 0; j < i; ++j)
                             compare[i].push_back(MakeRowCompare(views[i], views[j], type));
                         }
                         return ChooseArguments(call, 0, type, [&](int64_t row) {
                           size_t best = 0;
                           for (size_t i = 1; i < views.size(); ++i) {
                             if (views[i].IsNull(row)) continue;
                             if (views[best].IsNull(row) || compare[i][best](row, row) * sign > 0) best = i;
                           }
                           return static_cast<int32_t>(best);
                         });
                       }};
  };
}

std::optional<BoundScalar> BindTypeOf(const BindArguments& arguments) {
  if (arguments.size() != 1) return std::nullopt;
  const std::string text = arguments.types[0].ToString();
  return BoundScalar{arguments.types, Type::Text(), [text](const ScalarCall&) -> arrow::Result<arrow::Datum> {
                       return arrow::Datum(std::make_shared<arrow::StringScalar>(text));
                     }};
}

void Add(FunctionRegistry& registry, std::vector<std::string> names, const char* group, const char* signature,
         const char* description, const char* example, const char* result, ScalarBinder binder) {
  registry.Add(ScalarFunction{std::move(names),
                              {group, signature, description, example, result},
                              Volatility::kImmutable,
                              {std::move(binder)}});
}

}  // namespace

void RegisterConditional(FunctionRegistry& registry) {
  const char* kGroup = "Conditional";
  Add(registry, {"coalesce"}, kGroup, "coalesce(a, …) → their common type",
      "The first argument that is not NULL; later ones are evaluated only where needed.",
      "coalesce(NULL, 2, 3)", "2", BindCoalesce);
  Add(registry, {"nvl", "ifnull"}, kGroup, "nvl(a, b) → their common type", "a, or b where a is NULL.",
      "nvl(NULL, 'x')", "\"x\"", BindNvl);
  Add(registry, {"nvl2"}, kGroup, "nvl2(x, a, b) → common type of a and b",
      "a where x is not NULL, otherwise b.", "nvl2(1, 'some', 'none')", "\"some\"", BindChoice(true));
  Add(registry, {"nullif"}, kGroup, "nullif(a, b) → their common type", "NULL where a = b, otherwise a.",
      "nullif(1, 1)", "null", BindNullIf);
  Add(registry, {"if", "iif"}, kGroup, "if(condition, a, b) → common type of a and b",
      "a where the condition is true, otherwise (false or NULL) b.", "if(1 < 2, 'yes', 'no')", "\"yes\"",
      BindChoice(false));
  Add(registry, {"greatest"}, kGroup, "greatest(a, …) → their common type",
      "The greatest argument, leaving NULLs out; NULL when all are. NaN is greater than any number.",
      "greatest(1, NULL, 3)", "3", BindExtreme(1));
  Add(registry, {"least"}, kGroup, "least(a, …) → their common type",
      "The least argument, leaving NULLs out; NULL when all are.", "least(1, NULL, 3)", "1", BindExtreme(-1));
  Add(registry, {"typeof", "arrow_typeof"}, "Type", "typeof(x) → text", "The SQL type of x; never NULL.",
      "typeof(1)", "\"BIGINT\"", BindTypeOf);
}

}  // namespace laminar
