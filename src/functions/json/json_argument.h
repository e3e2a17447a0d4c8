#pragma once

/// The first argument of the JSON functions: a JSON value, or a TEXT that holds one. TEXT is not cast, since
/// a text that is no JSON gives NULL and no error; it is checked row by row instead. Include only from .cc
/// files.

#include <optional>
#include <string_view>

#include "functions/json/json_scanner.h"
#include "types/type.h"

namespace laminar {

/// The parameter type for such an argument (JSON, TEXT; TEXT for NULL); nullopt for any other type.
inline std::optional<Type> JsonParameter(const Type& argument) {
  if (argument.id() == TypeId::kJson) return Type::Json();
  if (argument.id() == TypeId::kText || argument.is_null()) return Type::Text();
  return std::nullopt;
}

/// How an argument of that type is read.
class JsonInput {
 public:
  explicit JsonInput(const Type& parameter) : check_(parameter.id() != TypeId::kJson) {}
  bool IsValid(std::string_view text) const { return !check_ || IsValidJson(text); }

 private:
  bool check_;
};

}  // namespace laminar
