#pragma once

/// What the tests of this folder share: schemas and options from text, rows back as text.

#include <arrow/array.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "formats/register_formats.h"

namespace laminar {

inline const Format& FormatOf(const std::string& name) {
  static const auto* const registry = [] {
    auto* made = new FormatRegistry;
    RegisterAllFormats(*made);
    return made;
  }();
  const Format* format = registry->Find(name);
  if (!format) throw std::runtime_error("no format " + name);
  return *format;
}

/// Columns from "a INT, b TEXT NOT NULL".
inline Schema Columns(const std::string& text) {
  if (text.empty()) return Schema{};
  const auto type = ParseTypeName("STRUCT<" + text + ">");
  if (!type) throw std::runtime_error("bad test schema " + text);
  return Schema{type->fields()};
}

inline FormatSpec Spec(const std::map<std::string, std::string>& options = {}) {
  FormatSpec spec;
  for (const auto& [name, value] : options) spec.options[name].value = value;
  return spec;
}

inline std::vector<std::string> Encoded(const std::string& format, const Batch& batch, const Schema& columns,
                                        const FormatSpec& spec = Spec()) {
  const auto records = FormatOf(format).make_encoder(spec, columns)->Encode(batch);
  std::vector<std::string> out;
  for (int64_t i = 0; i < records->length(); ++i) out.emplace_back(records->GetView(i));
  return out;
}

/// Rows of a batch as JSON, with "-" before those of weight −1.
inline std::vector<std::string> Rows(const Batch& batch, const Schema& columns) {
  std::vector<std::string> out = Encoded("json", batch, columns);
  for (size_t i = 0; i < out.size(); ++i) {
    if (batch.weight(static_cast<int64_t>(i)) < 0) out[i] = "-" + out[i];
  }
  return out;
}

/// A batch of JSON lines.
inline Batch BatchOf(const Schema& columns, const std::string& lines) {
  DecodeResult result = FormatOf("json").make_decoder(Spec(), columns)->Decode(lines, 1 << 20);
  if (!result.bad.empty()) throw std::runtime_error("bad test row: " + result.bad[0].error);
  return result.batch;
}

struct Decoded {
  std::vector<std::string> rows;
  std::vector<std::string> errors;
  std::vector<std::string> bad;
};

/// Decodes all of a block, in as many calls as it takes.
inline Decoded DecodeAll(const std::string& format, const std::string& schema, std::string_view text,
                         const FormatSpec& spec = Spec(), int64_t rows_max = 1000) {
  const Schema columns = Columns(schema);
  auto decoder = FormatOf(format).make_decoder(spec, columns);
  Decoded out;
  do {
    const DecodeResult result = decoder->Decode(text, rows_max);
    EXPECT_LE(result.batch.num_rows, std::max<int64_t>(rows_max, 2));
    EXPECT_EQ(result.batch.columns.size(), columns.fields.size());
    for (const auto& column : result.batch.columns) {
      EXPECT_EQ(column->length(), result.batch.num_rows);
      EXPECT_TRUE(column->ValidateFull().ok()) << column->ValidateFull().ToString();
    }
    for (auto& row : Rows(result.batch, columns)) out.rows.push_back(std::move(row));
    for (const BadRecord& bad : result.bad) {
      out.errors.push_back(bad.error);
      out.bad.emplace_back(bad.bytes);
      EXPECT_EQ(bad.bytes.data(), text.data() + bad.position);
    }
    text.remove_prefix(static_cast<size_t>(result.consumed));
    if (result.consumed == 0) break;
  } while (!text.empty());
  return out;
}

}  // namespace laminar
