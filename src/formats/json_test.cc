#include <arrow/array.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/register_formats.h"

namespace laminar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Format& Json() {
  static const FormatRegistry* registry = [] {
    auto* made = new FormatRegistry;
    RegisterJson(*made);
    return made;
  }();
  return *registry->Find("json");
}

Schema Columns(const std::string& text) {
  const auto type = ParseTypeName("STRUCT<" + text + ">");
  if (!type) throw std::runtime_error("bad test schema " + text);
  return Schema{type->fields()};
}

FormatSpec Spec(std::map<std::string, std::string> options = {}) {
  FormatSpec spec;
  for (auto& [name, value] : options) spec.options[name].value = value;
  return spec;
}

/// The rows of a batch as JSON, by the encoder: the decoder is tested against text this way.
std::vector<std::string> Rows(const Batch& batch, const Schema& columns, const FormatSpec& spec = Spec()) {
  const auto encoded = Json().make_encoder(spec, columns)->Encode(batch);
  std::vector<std::string> out;
  for (int64_t i = 0; i < encoded->length(); ++i) out.emplace_back(encoded->GetView(i));
  return out;
}

struct Decoded {
  std::vector<std::string> rows;
  std::vector<std::string> errors;
  std::vector<std::string> bad;
};

Decoded Decode(const std::string& schema, std::string_view text, const FormatSpec& spec = Spec(), int64_t rows_max = 1000) {
  const Schema columns = Columns(schema);
  auto decoder = Json().make_decoder(spec, columns);
  Decoded out;
  do {
    const DecodeResult result = decoder->Decode(text, rows_max);
    EXPECT_LE(result.batch.num_rows, rows_max);
    for (const auto& column : result.batch.columns) EXPECT_TRUE(column->ValidateFull().ok()) << column->ValidateFull().ToString();
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

TEST(JsonDecoder, ReadsRows) {
  const auto decoded = Decode("a BIGINT, b TEXT", "{\"a\":1,\"b\":\"x\"}\n{\"b\":\"y\",\"a\":-2}\n");
  EXPECT_THAT(decoded.rows, ElementsAre(R"({"a":1,"b":"x"})", R"({"a":-2,"b":"y"})"));
  EXPECT_TRUE(decoded.errors.empty());
}

}  // namespace
}  // namespace laminar
