#pragma once

/// What the fuzz targets of decoders share: a decoder is given bytes in every way that the engine gives them,
/// and what comes out must be whole: columns as long as they say, errors that point into the block, an end.

#include <arrow/array.h>

#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/register_formats.h"

namespace laminar {

inline constexpr char kFlatColumns[] =
    "id BIGINT NOT NULL, name TEXT, price DECIMAL(20,4), ok BOOLEAN, ts TIMESTAMP, ns TIMESTAMP(9), day "
    "DATE, t TIME, "
    "f FLOAT, d DOUBLE, u INT UNSIGNED, bytes BYTEA, iv INTERVAL, any JSON";
inline constexpr char kNestedColumns[] =
    "id BIGINT NOT NULL, name TEXT, any JSON, tags TEXT[], grid BIGINT[][], m MAP<TEXT, INT>, k MAP<INT, "
    "STRUCT<x INT>>, "
    "s STRUCT<a INT, b STRUCT<c TEXT, d DOUBLE[]>>, l STRUCT<x INT, y TEXT>[]";

inline const Format& FormatNamed(const char* name) {
  static const FormatRegistry* const registry = [] {
    auto* made = new FormatRegistry;
    RegisterAllFormats(*made);
    return made;
  }();
  const Format* format = registry->Find(name);
  LAMINAR_CHECK(format, "no such format");
  return *format;
}

/// Columns of "a INT, b TEXT NOT NULL".
inline Schema ColumnsOf(const std::string& text) {
  if (text.empty()) return Schema{};
  const auto type = ParseTypeName("STRUCT<" + text + ">");
  LAMINAR_CHECK(type, "bad schema of a fuzz target");
  return Schema{type->fields()};
}

inline FormatSpec SpecOf(const std::map<std::string, std::string>& options, bool one_message = false) {
  FormatSpec spec;
  spec.one_message = one_message;
  for (const auto& [name, value] : options) spec.options[name].value = value;
  return spec;
}

inline void CheckWhole(const Batch& batch) {
  for (const auto& column : batch.columns) {
    LAMINAR_CHECK(column->length() == batch.num_rows, "a column of another length");
    const arrow::Status status = column->ValidateFull();
    LAMINAR_CHECK(status.ok(), status.ToString());
  }
}

/// Decodes a block to its end. The block is copied so that a sanitizer sees a read past it.
inline void DecodeBlock(Decoder* decoder, std::string_view input, int64_t rows_max) {
  const std::unique_ptr<char[]> copy(new char[input.size()]);
  std::memcpy(copy.get(), input.data(), input.size());
  std::string_view block(copy.get(), input.size());
  while (!block.empty()) {
    const DecodeResult result = decoder->Decode(block, rows_max);
    LAMINAR_CHECK(result.consumed > 0 && result.consumed <= static_cast<int64_t>(block.size()),
                  "the decoder does not come to the end");
    CheckWhole(result.batch);
    for (const BadRecord& bad : result.bad) {
      LAMINAR_CHECK(!bad.error.empty(), "a bad record without a reason");
      const bool inside = bad.bytes.data() >= block.data() &&
                          bad.bytes.data() + bad.bytes.size() <= block.data() + block.size();
      LAMINAR_CHECK(inside, "a bad record outside its block");
    }
    block.remove_prefix(static_cast<size_t>(result.consumed));
  }
}

/// As blocks of a file by few and by many rows, and as two messages of a broker.
inline void DecodeAnything(const char* format, const Schema& columns, const FormatSpec& spec,
                           std::string_view input) {
  auto decoder = FormatNamed(format).make_decoder(spec, columns);
  DecodeBlock(decoder.get(), input, 3);
  DecodeBlock(decoder.get(), input, 1000);
  std::vector<int32_t> row_messages;
  const size_t half = input.size() / 2;
  const DecodeResult result =
      decoder->DecodeMessages({input.substr(0, half), input.substr(half)}, 1000, &row_messages);
  CheckWhole(result.batch);
  LAMINAR_CHECK(static_cast<int64_t>(row_messages.size()) == result.batch.num_rows, "rows without a message");
}

inline std::string_view Bytes(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace laminar
