#pragma once

/// Numbers of captured rows as text, for readers whose JSON numbers are doubles: BIGINT, unsigned BIGINT and
/// DECIMAL lose digits there.

#include <nlohmann/json.hpp>
#include <string>

namespace laminar {

/// `text`: one JSON value whose objects at nesting `depth` (1: the value itself) are rows. In them numbers of
/// columns of those types, and integers beyond 2^53 anywhere within a row, become strings with all digits.
/// All else stays as it is written. `columns`: [{name, data_type}].
std::string WithExactNumbers(const std::string& text, const nlohmann::json& columns, int depth);

}  // namespace laminar
