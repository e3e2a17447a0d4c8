/// x IN (a, b, …), as in_list(x, a, b, …): TRUE when one equals x, otherwise NULL when x or some item is
/// NULL, otherwise FALSE. Constants of integer-like types and text go into a hash set once; anything else is
/// compared item by item.

#include <arrow/scalar.h>

#include <boost/unordered/unordered_flat_set.hpp>
#include <string>

#include "functions/comparable_types.h"
#include "functions/core/comparison.h"
#include "functions/elementwise.h"
#include "functions/register_scalar_core.h"

namespace laminar {

namespace {

struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return boost::hash<std::string_view>()(text); }
};

template <typename T>
struct ItemSet {
  boost::unordered_flat_set<T> items;
  bool contains(T value) const { return items.contains(value); }
};
template <>
struct ItemSet<std::string_view> {
  boost::unordered_flat_set<std::string, TextHash, std::equal_to<>> items;
  bool contains(std::string_view value) const { return items.find(value) != items.end(); }
};

/// The constants as a set, and whether one of them is NULL.
template <typename T>
ScalarKernel SetKernel(const arrow::ScalarVector& constants) {
  auto set = std::make_shared<ItemSet<T>>();
  bool has_null = false;
  for (const auto& constant : constants) {
    const ColumnReader<T> reader{arrow::Datum(constant)};
    if (!constant->is_valid) {
      has_null = true;
    } else {
      set->items.emplace(reader[0]);
    }
  }
  std::shared_ptr<const ItemSet<T>> shared = std::move(set);
  return [shared, has_null](const ScalarCall& call) {
    // Only x makes the result NULL here; the items are in the set.
    const std::vector<arrow::Datum> args = {call.args[0]};
    const ScalarCall of_x{args, call.num_rows, call.context};
    if (!has_null) return Map<T>(of_x, arrow::boolean(), [&](T x) { return shared->contains(x); });
    return Map<T>(of_x, arrow::boolean(),
                  [&](T x) { return shared->contains(x) ? std::optional<bool>(true) : std::nullopt; });
  };
}

/// Item by item, with = and three-valued OR.
ScalarKernel LinearKernel(const Type& type) {
  return [type, equal = ComparisonKernel(Comparison::kEqual, type)](
             const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    CallShape shape;
    for (const arrow::Datum& arg : call.args) shape.constant = shape.constant && arg.is_scalar();
    shape.rows = shape.constant ? 1 : call.num_rows;
    auto found = AllocateBits(shape.rows, false);
    ValidityWriter validity(shape);
    std::vector<bool> unknown(static_cast<size_t>(shape.rows), false);
    for (size_t item = 1; item < call.args.size(); ++item) {
      const std::vector<arrow::Datum> args = {call.args[0], call.args[item]};
      ARROW_ASSIGN_OR_RAISE(arrow::Datum equals, equal({args, call.num_rows, call.context}));
      const ColumnReader<bool> reader(equals);
      for (int64_t row = 0; row < shape.rows; ++row) {
        if (reader.IsNull(row)) {
          unknown[static_cast<size_t>(row)] = true;
        } else if (reader[row]) {
          arrow::bit_util::SetBit(found->mutable_data(), row);
        }
      }
    }
    for (int64_t row = 0; row < shape.rows; ++row) {
      if (unknown[static_cast<size_t>(row)] && !arrow::bit_util::GetBit(found->data(), row))
        validity.SetNull(row);
    }
    return FinishColumn(shape, arrow::boolean(), validity.Finish(), {found});
  };
}

/// Null when the constants don't make a set.
ScalarKernel FindSetKernel(const Type& type, const arrow::ScalarVector& constants) {
  switch (type.id()) {
    case TypeId::kInt32:
    case TypeId::kDate:
      return SetKernel<int32_t>(constants);
    case TypeId::kInt64:
    case TypeId::kTime:
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      return SetKernel<int64_t>(constants);
    case TypeId::kUInt64:
      return SetKernel<uint64_t>(constants);
    case TypeId::kText:
    case TypeId::kBytes:
      return SetKernel<std::string_view>(constants);
    default:
      return nullptr;
  }
}

/// The narrow integers share BIGINT's set.
Type SetType(const Type& type) {
  return type.is_integer() && type.id() != TypeId::kUInt64 ? Type::Int64() : type;
}

std::optional<BoundScalar> BindInList(const BindArguments& arguments) {
  if (arguments.size() < 2) return std::nullopt;
  auto common = CommonComparisonType(arguments.types);
  if (!common) return std::nullopt;
  const Type type = common->is_null() ? Type::Text() : SetType(*common);
  arrow::ScalarVector constants;
  for (size_t i = 1; i < arguments.size(); ++i) {
    auto constant =
        arguments.constants[i] ? CastConstant(arguments.constants[i], arguments.types[i], type) : nullptr;
    if (constant) constants.push_back(std::move(constant));
  }
  BoundScalar bound{std::vector<Type>(arguments.size(), type), Type::Boolean(), nullptr};
  if (constants.size() + 1 == arguments.size()) bound.kernel = FindSetKernel(type, constants);
  if (!bound.kernel) bound.kernel = LinearKernel(type);
  return bound;
}

}  // namespace

void RegisterInList(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{
      {"in_list"},
      {"Operators", "x IN (a, b, …) → boolean",
       "TRUE when x equals an item. Otherwise NULL when x or an item is NULL, otherwise FALSE.",
       "2 IN (1, 2, 3)", "true"},
      Volatility::kImmutable,
      {BindInList}});
}

}  // namespace laminar
