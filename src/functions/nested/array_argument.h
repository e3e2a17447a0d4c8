#pragma once

/// An ARRAY argument taken apart, and the overloads that most array functions have. Include only from .cc
/// files.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "functions/elementwise.h"
#include "functions/nested/array_building.h"
#include "functions/registry.h"
#include "functions/value_compare.h"

namespace laminar {

struct ArrayArgument {
  explicit ArrayArgument(const arrow::Datum& argument) : lists(argument), elements(lists.elements(), false) {}
  ListSpan operator[](int64_t row) const { return lists[row]; }

  ListReader lists;
  ColumnView elements;
};

/// The element type that an array argument and a value (or a second array's elements) share; nullopt: none. A
/// NULL array has elements of the value's type.
std::optional<Type> SharedElement(const Type& array, const Type& value);

/// Binds (array, element): both cast to the shared type. `bind` gets the element type and makes the rest.
ScalarBinder ArrayAndElement(std::function<BoundScalar(const Type& element)> bind);
/// Binds (array, array).
ScalarBinder ArrayAndArray(std::function<BoundScalar(const Type& element)> bind);
/// Binds (array) and `rest` of fixed types; the last `optional` of them may be left out.
ScalarBinder ArrayAndFixed(std::vector<Type> rest, size_t optional,
                           std::function<BoundScalar(const Type& element)> bind);

/// (array, i): array[i].
std::optional<BoundScalar> BindArrayElement(const BindArguments& arguments);

/// Adds a function of the group "Array".
void AddArrayFunction(FunctionRegistry& registry, std::vector<std::string> names, const char* signature,
                      const char* description, const char* example, const char* result,
                      std::vector<ScalarBinder> overloads);

/// The shape of a kernel that is strict only in argument 0.
CallShape ShapeOfFirst(const ScalarCall& call);

}  // namespace laminar
