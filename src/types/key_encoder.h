#pragma once

/// Canonical keys of one batch, column by column. What EncodeKeys, HashRows and the key tables of state/
/// share; layout: KeyCodec.

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "types/row_codec.h"

namespace laminar {

/// Reads the columns in place: they must outlive it.
class KeyEncoder {
 public:
  explicit KeyEncoder(const std::vector<std::shared_ptr<arrow::Array>>& columns);
  ~KeyEncoder();

  /// Width of a key without NULLs when every column has fixed width; −1 otherwise.
  int64_t fixed_bytes() const { return variable_.empty() ? fixed_bytes_ : -1; }
  /// Whether some fixed-width column has a NULL: such a key has null bits at its end.
  bool has_null_bits() const { return has_null_bits_; }
  int64_t null_bytes() const { return null_bytes_; }

  /// Appends the keys of rows [begin, begin + count).
  void Encode(int64_t begin, int64_t count, ByteStrings* out) const;
  /// The fixed-width part of rows [begin, begin + count): row i at out + i * stride. NULLs are zeros.
  void EncodeFixed(int64_t begin, int64_t count, int64_t stride, uint8_t* out) const;
  /// The null bits of rows [begin, begin + count): row i at out + i * null_bytes().
  void EncodeNullBits(int64_t begin, int64_t count, uint8_t* out) const;
  /// XXH3-64 of the keys.
  void Hash(int64_t begin, int64_t count, uint64_t* hashes) const;

 private:
  struct Leaf;
  void AddColumn(const std::shared_ptr<arrow::Array>& column);
  void HashFixed(int64_t begin, int64_t count, uint64_t* hashes) const;

  std::vector<Leaf> fixed_;
  std::vector<Leaf> variable_;
  int64_t fixed_bytes_ = 0;
  int64_t null_bytes_ = 0;
  bool has_null_bits_ = false;
};

/// XXH3-64 of `count` keys of `bytes` bytes, key i at keys + i * stride.
void HashFixedKeys(const uint8_t* keys, int64_t stride, int64_t bytes, int64_t count, uint64_t* hashes);

}  // namespace laminar
