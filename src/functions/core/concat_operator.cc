/// `||`: arrays, bytes, otherwise text of anything.

#include "functions/elementwise.h"
#include "functions/nested/array_building.h"
#include "functions/overload.h"
#include "functions/register_scalar_core.h"

namespace laminar {

namespace {

arrow::Result<arrow::Datum> ConcatTexts(const ScalarCall& call,
                                        const std::shared_ptr<arrow::DataType>& type) {
  return MapText<std::string_view, std::string_view>(
      call, type,
      [](std::string_view a, std::string_view b, TextWriter& out) {
        out.Append(a);
        out.Append(b);
      },
      32);
}

std::optional<BoundScalar> BindBytes(const BindArguments& arguments) {
  if (arguments.size() != 2 || arguments.types[0].id() != TypeId::kBytes ||
      arguments.types[1].id() != TypeId::kBytes) {
    return std::nullopt;
  }
  return BoundScalar{arguments.types, Type::Bytes(),
                     [](const ScalarCall& call) { return ConcatTexts(call, arrow::binary()); }};
}

std::optional<BoundScalar> BindText(const BindArguments& arguments) {
  if (arguments.size() != 2) return std::nullopt;
  for (const Type& type : arguments.types) {
    if (!CanCast(type, Type::Text())) return std::nullopt;
  }
  return BoundScalar{{Type::Text(), Type::Text()}, Type::Text(), [](const ScalarCall& call) {
                       return ConcatTexts(call, arrow::utf8());
                     }};
}

}  // namespace

void RegisterConcatOperator(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{
      {"||"},
      {"Operators", "a || b → text, bytea or array",
       "Joins two arrays (or an array and an element), bytes, or anything else as text. NULL when a side is "
       "NULL; concat() skips NULLs.",
       "'a' || 1 || 'b'", "\"a1b\""},
      Volatility::kImmutable,
      {BindArrayConcat, BindBytes, BindText}});
}

}  // namespace laminar
