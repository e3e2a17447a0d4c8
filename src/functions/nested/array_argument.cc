#include "functions/nested/array_argument.h"

#include "functions/overload.h"

namespace laminar {

std::optional<Type> SharedElement(const Type& array, const Type& value) {
  if (array.is_null()) return value.is_null() ? Type::Text() : value;
  if (array.id() != TypeId::kArray) return std::nullopt;
  auto common = CommonType(array.element(), value);
  if (common && common->is_null()) return Type::Text();
  return common;
}

ScalarBinder ArrayAndElement(std::function<BoundScalar(const Type& element)> bind) {
  return [bind](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() != 2) return std::nullopt;
    const auto element = SharedElement(arguments.types[0], arguments.types[1]);
    if (!element) return std::nullopt;
    BoundScalar bound = bind(*element);
    bound.parameters = {Type::Array(*element), *element};
    return bound;
  };
}

ScalarBinder ArrayAndArray(std::function<BoundScalar(const Type& element)> bind) {
  return [bind](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() != 2) return std::nullopt;
    const Type& second = arguments.types[1];
    if (second.id() != TypeId::kArray && !second.is_null()) return std::nullopt;
    const Type of_second = second.is_null() ? Type::Null() : second.element();
    const auto element = SharedElement(arguments.types[0], of_second);
    if (!element) return std::nullopt;
    BoundScalar bound = bind(*element);
    bound.parameters = {Type::Array(*element), Type::Array(*element)};
    return bound;
  };
}

ScalarBinder ArrayAndFixed(std::vector<Type> rest, size_t optional,
                           std::function<BoundScalar(const Type& element)> bind) {
  return [=](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() > rest.size() + 1 || arguments.size() + optional < rest.size() + 1)
      return std::nullopt;
    const auto element = SharedElement(arguments.types[0], Type::Null());
    if (!element) return std::nullopt;
    std::vector<Type> parameters = {Type::Array(*element)};
    for (size_t i = 1; i < arguments.size(); ++i) {
      if (!ImplicitlyCastable(arguments.types[i], rest[i - 1])) return std::nullopt;
      parameters.push_back(rest[i - 1]);
    }
    BoundScalar bound = bind(*element);
    bound.parameters = std::move(parameters);
    return bound;
  };
}

void AddArrayFunction(FunctionRegistry& registry, std::vector<std::string> names, const char* signature,
                      const char* description, const char* example, const char* result,
                      std::vector<ScalarBinder> overloads) {
  registry.Add(ScalarFunction{std::move(names),
                              {"Array", signature, description, example, result},
                              Volatility::kImmutable,
                              std::move(overloads)});
}

CallShape ShapeOfFirst(const ScalarCall& call) {
  CallShape shape = ShapeOf({call.args[0]}, call.num_rows);
  for (const arrow::Datum& arg : call.args) shape.constant = shape.constant && arg.is_scalar();
  if (!shape.constant && shape.rows != call.num_rows) shape.rows = call.num_rows;
  return shape;
}

}  // namespace laminar
