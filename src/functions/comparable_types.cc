#include "functions/comparable_types.h"

#include <arrow/scalar.h>

#include "functions/overload.h"

namespace laminar {

namespace {

/// What JSON is read as beside the other operand.
Type JsonBeside(const Type& other) { return other.is_numeric() ? Type::Double() : other; }

bool FitsInteger(int64_t value, const Type& type) {
  switch (type.id()) {
    case TypeId::kInt8:
      return value >= -128 && value <= 127;
    case TypeId::kInt16:
      return value >= -32768 && value <= 32767;
    case TypeId::kInt32:
      return value >= INT32_MIN && value <= INT32_MAX;
    case TypeId::kUInt8:
      return value >= 0 && value <= UINT8_MAX;
    case TypeId::kUInt16:
      return value >= 0 && value <= UINT16_MAX;
    case TypeId::kUInt32:
      return value >= 0 && value <= UINT32_MAX;
    case TypeId::kUInt64:
      return value >= 0;
    default:
      return false;
  }
}

}  // namespace

std::optional<Type> ComparisonType(const Type& a, const Type& b) {
  if (auto common = CommonType(a, b)) return common;
  const bool a_open = a.id() == TypeId::kText || a.id() == TypeId::kJson;
  const bool b_open = b.id() == TypeId::kText || b.id() == TypeId::kJson;
  if (a_open == b_open) return std::nullopt;
  const Type& open = a_open ? a : b;
  const Type& fixed = a_open ? b : a;
  const Type to = open.id() == TypeId::kJson ? JsonBeside(fixed) : fixed;
  if (!CanCast(open, to) || !CanCast(fixed, to)) return std::nullopt;
  return to;
}

std::optional<Type> ComparisonType(const BindArguments& arguments, size_t a, size_t b) {
  const Type& left = arguments.types[a];
  const Type& right = arguments.types[b];
  if (left != right && left.is_integer() && right.is_integer()) {
    const auto left_value = ConstantInteger(arguments, a);
    const auto right_value = ConstantInteger(arguments, b);
    if (right_value && !left_value && FitsInteger(*right_value, left)) return left;
    if (left_value && !right_value && FitsInteger(*left_value, right)) return right;
  }
  return ComparisonType(left, right);
}

std::optional<Type> CommonComparisonType(const std::vector<Type>& types, size_t first) {
  std::optional<Type> common = Type::Null();
  for (size_t i = first; i < types.size() && common; ++i) common = ComparisonType(*common, types[i]);
  return common;
}

std::shared_ptr<arrow::Scalar> CastConstant(const std::shared_ptr<arrow::Scalar>& value, const Type& from,
                                            const Type& to) {
  if (from == to) return value;
  if (!CanCast(from, to)) return nullptr;
  return FoldConstant(*MakeCast(MakeLiteral(value, from), to));
}

}  // namespace laminar
