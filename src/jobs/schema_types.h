#pragma once

/// Column types as the API takes them: SQL text, Arrow names and lower-case names of other engines.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "types/type.h"

namespace laminar {

/// `"BIGINT"`, `"int64"`, `{"primitive":"Int64"}`, `{"type":"list","items":…}`, `{"struct":{"fields":[…]}}`.
/// nullopt: not a type.
std::optional<Type> ParseSchemaType(const nlohmann::json& value);

/// Columns of a definition: `type` is json_schema, avro_schema, raw_schema or sql. Throws UserError.
std::vector<Field> DefinitionFields(const std::string& type, const std::string& text);

}  // namespace laminar
