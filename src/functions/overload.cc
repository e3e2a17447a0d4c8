#include "functions/overload.h"

#include <arrow/buffer.h>
#include <arrow/scalar.h>

#include <limits>

namespace laminar {

bool Accepts(const std::vector<Type>& parameters, const std::vector<Type>& arguments) {
  if (parameters.size() != arguments.size()) return false;
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (!ImplicitlyCastable(arguments[i], parameters[i])) return false;
  }
  return true;
}

ScalarBinder FixedOptional(std::vector<Type> parameters, size_t optional, Type result, ScalarKernel kernel,
                           CanFail can_fail) {
  return [=](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() > parameters.size() || arguments.size() + optional < parameters.size())
      return std::nullopt;
    std::vector<Type> taken(parameters.begin(), parameters.begin() + static_cast<int64_t>(arguments.size()));
    if (!Accepts(taken, arguments.types)) return std::nullopt;
    return BoundScalar{std::move(taken), result, kernel, can_fail == CanFail::kYes};
  };
}

ScalarBinder Fixed(std::vector<Type> parameters, Type result, ScalarKernel kernel, CanFail can_fail) {
  return FixedOptional(std::move(parameters), 0, std::move(result), std::move(kernel), can_fail);
}

ScalarBinder Variadic(std::vector<Type> first, Type rest, size_t min_rest, Type result, ScalarKernel kernel,
                      CanFail can_fail) {
  return [=](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() < first.size() + min_rest) return std::nullopt;
    std::vector<Type> taken = first;
    taken.resize(arguments.size(), rest);
    if (!Accepts(taken, arguments.types)) return std::nullopt;
    return BoundScalar{std::move(taken), result, kernel, can_fail == CanFail::kYes};
  };
}

namespace {

const arrow::Scalar* ValidConstant(const BindArguments& arguments, size_t index) {
  if (index >= arguments.constants.size()) return nullptr;
  const auto& constant = arguments.constants[index];
  return constant && constant->is_valid ? constant.get() : nullptr;
}

}  // namespace

std::optional<std::string> ConstantText(const BindArguments& arguments, size_t index) {
  const arrow::Scalar* constant = ValidConstant(arguments, index);
  if (!constant || constant->type->id() != arrow::Type::STRING) return std::nullopt;
  return static_cast<const arrow::StringScalar*>(constant)->value->ToString();
}

std::optional<int64_t> ConstantInteger(const BindArguments& arguments, size_t index) {
  const arrow::Scalar* constant = ValidConstant(arguments, index);
  if (!constant) return std::nullopt;
  switch (constant->type->id()) {
    case arrow::Type::INT8:
      return static_cast<const arrow::Int8Scalar*>(constant)->value;
    case arrow::Type::INT16:
      return static_cast<const arrow::Int16Scalar*>(constant)->value;
    case arrow::Type::INT32:
      return static_cast<const arrow::Int32Scalar*>(constant)->value;
    case arrow::Type::INT64:
      return static_cast<const arrow::Int64Scalar*>(constant)->value;
    case arrow::Type::UINT8:
      return static_cast<const arrow::UInt8Scalar*>(constant)->value;
    case arrow::Type::UINT16:
      return static_cast<const arrow::UInt16Scalar*>(constant)->value;
    case arrow::Type::UINT32:
      return static_cast<const arrow::UInt32Scalar*>(constant)->value;
    case arrow::Type::UINT64: {
      const uint64_t value = static_cast<const arrow::UInt64Scalar*>(constant)->value;
      if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
      return static_cast<int64_t>(value);
    }
    default:
      return std::nullopt;
  }
}

bool IsConstantNull(const BindArguments& arguments, size_t index) {
  if (index >= arguments.constants.size()) return false;
  const auto& constant = arguments.constants[index];
  return constant && !constant->is_valid;
}

}  // namespace laminar
