#pragma once

/// ARRAY, MAP and STRUCT values as self-delimiting bytes, for keys and rows. Internal to types/.
///
/// fixed width: flag byte (0 NULL, 1 value), little-endian value · TEXT, BYTEA: varint(length + 1), bytes ·
/// ARRAY: varint(count + 1), elements · MAP: varint(count + 1), key and value in turn · STRUCT: flag byte,
/// fields. A varint of 0 is NULL.

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace laminar {

void AppendVarint(uint64_t value, std::string* out);
int VarintBytes(uint64_t value);
/// Moves `*cursor` behind the number.
inline uint64_t ReadVarint(const char** cursor) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(*(*cursor)++);
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
}

/// Appends value `row`. `canonical`: −0.0 and NaNs as one, MAP entries in the order of their keys' bytes.
void AppendNested(const arrow::Array& values, int64_t row, bool canonical, std::string* out);
/// Bytes of a value of `type` that begins at `bytes`.
int64_t NestedBytes(const arrow::DataType& type, const char* bytes);

/// Rebuilds a column value by value.
class NestedReader {
 public:
  explicit NestedReader(const std::shared_ptr<arrow::DataType>& type);
  ~NestedReader();
  /// One value as AppendNested wrote it; null `data()` appends NULL.
  void Append(std::string_view bytes);
  std::shared_ptr<arrow::Array> Finish();

 private:
  std::unique_ptr<arrow::ArrayBuilder> builder_;
};

/// Bit patterns that compare as SQL does: −0.0 becomes 0.0, every NaN the same one.
inline double CanonicalFloat(double value) {
  return value == 0 ? 0.0 : value != value ? __builtin_nan("") : value;
}
inline float CanonicalFloat(float value) {
  return value == 0 ? 0.0f : value != value ? __builtin_nanf("") : value;
}

}  // namespace laminar
