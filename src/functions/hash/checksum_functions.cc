/// Fast hashes that keep no secrets: MULTI_HASH, XXHASH64, CRC32. Their results are stored by users:
/// algorithm, seed and the bytes that are hashed never change.

#include <xxhash.h>
#include <zlib.h>

#include "functions/elementwise.h"
#include "functions/hash/register_hash.h"
#include "functions/overload.h"
#include "functions/value_text.h"

namespace laminar {
namespace {

/// The arguments' JSON texts, each ended by a zero byte (which JSON cannot hold), NULL as nothing but the
/// zero byte.
arrow::Result<arrow::Datum> MultiHash(const ScalarCall& call, const std::vector<Type>& types) {
  CallShape shape = ShapeOf(call);
  shape.all_null = false;
  shape.valid = nullptr;
  std::vector<ColumnView> columns;
  std::vector<RowText> texts;
  for (size_t i = 0; i < types.size(); ++i) {
    columns.emplace_back(call.args[i]);
    // NaN and the infinities are all null in JSON.
    texts.push_back(
        MakeRowText(columns.back(), types[i], types[i].is_floating() ? TextForm::kSql : TextForm::kJson));
  }
  TextWriter key(1, 256);
  TextWriter writer(shape.rows, shape.rows * 16);
  for (int64_t row = 0; row < shape.rows; ++row) {
    key.TruncateRow(0);
    for (size_t i = 0; i < texts.size(); ++i) {
      if (columns[i].IsValid(row)) texts[i](row, key);
      key.Push('\0');
    }
    XXH128_canonical_t bytes;
    XXH128_canonicalFromHash(&bytes, XXH3_128bits(key.row().data(), key.row().size()));
    writer.Append({reinterpret_cast<const char*>(bytes.digest), sizeof(bytes.digest)});
    writer.EndRow();
  }
  ARROW_ASSIGN_OR_RAISE(auto buffers, writer.Finish());
  return FinishColumn(shape, arrow::binary(), nullptr, std::move(buffers));
}

std::optional<BoundScalar> BindMultiHash(const BindArguments& arguments) {
  if (arguments.size() == 0) return std::nullopt;
  const std::vector<Type> types = arguments.types;
  return BoundScalar{types, Type::Bytes(), [types](const ScalarCall& call) { return MultiHash(call, types); },
                     false};
}

arrow::Result<arrow::Datum> XxHash64(const ScalarCall& call) {
  return Map<std::string_view>(call, arrow::int64(), [](std::string_view bytes) {
    return static_cast<int64_t>(XXH64(bytes.data(), bytes.size(), 0));
  });
}

arrow::Result<arrow::Datum> Crc32(const ScalarCall& call) {
  return Map<std::string_view>(call, arrow::int64(), [](std::string_view bytes) {
    return static_cast<int64_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
  });
}

}  // namespace

void RegisterChecksumFunctions(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{
      .names = {"multi_hash"},
      .doc =
          {.group = "Hash and encoding",
           .signature = "multi_hash(value, …) → BYTEA",
           .description =
               "128-bit xxh3 of all values together. NULL counts as a value, and differs from every other.",
           .example = "octet_length(multi_hash(1, 'a', NULL))",
           .result = "16"},
      .overloads = {BindMultiHash}});
  registry.Add(ScalarFunction{.names = {"xxhash64"},
                              .doc = {.group = "Hash and encoding",
                                      .signature = "xxhash64(text or bytes) → BIGINT",
                                      .description = "64-bit xxHash (XXH64, seed 0) as a signed number.",
                                      .example = "xxhash64('abc')",
                                      .result = "4952883123889572249"},
                              .overloads = {Fixed({Type::Bytes()}, Type::Int64(), XxHash64),
                                            Fixed({Type::Text()}, Type::Int64(), XxHash64)}});
  registry.Add(ScalarFunction{.names = {"crc32"},
                              .doc = {.group = "Hash and encoding",
                                      .signature = "crc32(text or bytes) → BIGINT",
                                      .description = "CRC-32 as zlib and gzip compute it.",
                                      .example = "crc32('abc')",
                                      .result = "891568578"},
                              .overloads = {Fixed({Type::Bytes()}, Type::Int64(), Crc32),
                                            Fixed({Type::Text()}, Type::Int64(), Crc32)}});
}

}  // namespace laminar
