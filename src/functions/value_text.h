#pragma once

/// Values as text: what CAST(x AS TEXT) and TO_JSON give. Include only from .cc files.

#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <string>

#include "functions/column_reader.h"
#include "functions/elementwise.h"
#include "types/type.h"

namespace laminar {

enum class TextForm {
  /// CAST AS TEXT: numbers as in JSON but NaN, Infinity; `true`; `2024-01-31 10:00:00`, TIMESTAMPTZ with `Z`;
  /// INTERVAL as ISO 8601;
  /// BYTEA as its bytes; ARRAY, MAP and STRUCT as JSON.
  kSql,
  /// JSON text (docs/connectors "JSON"): strings quoted, `T` in timestamps, BYTEA as base64, NaN and
  /// infinities null.
  kJson,
};

/// Appends one row's value. kSql: the row must not be NULL. kJson: NULL gives `null`.
using RowText = std::function<void(int64_t row, TextWriter& out)>;
/// Looks at the type once; the closure is called by row. It keeps the column alive.
RowText MakeRowText(const ColumnView& column, const Type& type, TextForm form);

/// The scalar as SQL text; NULL gives "NULL".
std::string ScalarToText(const arrow::Scalar& scalar, const Type& type);
/// The scalar as JSON text.
std::string ScalarToJson(const arrow::Scalar& scalar, const Type& type);

void AppendInteger(int64_t value, TextWriter& out);
void AppendUnsigned(uint64_t value, TextWriter& out);
/// Shortest text that reads back the same, with `.0` when integral and an exponent from 1e16 on; NaN,
/// Infinity, -Infinity.
void AppendDouble(double value, TextWriter& out);
void AppendFloat(float value, TextWriter& out);
/// With quotes and escapes. `text` is UTF-8.
void AppendJsonString(std::string_view text, TextWriter& out);

}  // namespace laminar
