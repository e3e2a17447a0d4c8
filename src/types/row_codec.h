#pragma once

/// Rows as bytes: how state keeps what stays when its batch has gone. Three encodings, each column-wise on
/// the way in.
///
///  - key bytes (`EncodeKeys`): canonical, equal exactly when SQL groups the values together (−0.0 = 0.0, NaN
///  = NaN,
///    NULL = NULL), so bytes can be compared and hashed; decode back to columns (`KeyCodec`). Part of the
///    state format.
///  - row bytes (`RowCodec`): compact, decodes back to columns. Part of the state format.
///  - sort bytes (`EncodeSortKeys`): memcmp order is ORDER BY order. Not stored.

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "types/batch.h"
#include "types/type.h"

namespace laminar {

/// Variable-length byte strings end to end: string i is data[offsets[i], offsets[i+1]).
struct ByteStrings {
  std::vector<int64_t> offsets{0};
  std::string data;

  int64_t size() const { return static_cast<int64_t>(offsets.size()) - 1; }
  std::string_view operator[](int64_t i) const {
    return {data.data() + offsets[i], static_cast<size_t>(offsets[i + 1] - offsets[i])};
  }
  void Clear() {
    offsets.assign(1, 0);
    data.clear();
  }
  void Append(std::string_view bytes) {
    data.append(bytes);
    offsets.push_back(static_cast<int64_t>(data.size()));
  }
};

/// Appends the canonical key of each row over `columns` (all [num_rows]) to `out`.
void EncodeKeys(const std::vector<std::shared_ptr<arrow::Array>>& columns, int64_t num_rows,
                ByteStrings* out);

/// XXH3-64 (seed 0) of each row's canonical key; equal keys hash equal on every machine and version.
/// `hashes`: [num_rows]. Faster than EncodeKeys + HashKey for fixed-width columns, with the same result.
void HashRows(const std::vector<std::shared_ptr<arrow::Array>>& columns, int64_t num_rows, uint64_t* hashes);
uint64_t HashKey(std::string_view key);

/// The way back from canonical keys to columns. Immutable; thread-safe.
///
/// Layout of a key: the fixed-width columns in order, little-endian, zeros for NULL; then the variable-length
/// ones in order, TEXT and BYTEA as varint(length + 1) and bytes, 0 for NULL; then, only if a fixed-width
/// column is NULL, one bit per fixed-width column. A STRUCT counts as a column of no width followed by its
/// fields.
class KeyCodec {
 public:
  explicit KeyCodec(std::vector<std::shared_ptr<arrow::DataType>> types);
  ~KeyCodec();
  KeyCodec(KeyCodec&&) noexcept;

  /// Bytes of a key without NULLs when every column has fixed width; −1 otherwise.
  int64_t fixed_bytes() const;
  /// Bytes that the null bits take in a key that has some NULL among its fixed-width columns.
  int64_t null_bytes() const;
  const std::vector<std::shared_ptr<arrow::DataType>>& types() const;
  /// The key columns of `keys`, each [keys.size()].
  std::vector<std::shared_ptr<arrow::Array>> Decode(const std::vector<std::string_view>& keys) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// True for rows where some key column is NULL (such rows never join). `out`: [num_rows].
void AnyNull(const std::vector<std::shared_ptr<arrow::Array>>& columns, int64_t num_rows,
             std::vector<bool>* out);

/// Encodes and decodes rows of one schema. Layout: null bits, fixed-width section, then variable-length
/// values, so that one row is one contiguous piece of memory. Any SQL type, nested ones included. Immutable;
/// thread-safe.
class RowCodec {
 public:
  explicit RowCodec(std::vector<std::shared_ptr<arrow::DataType>> types);
  ~RowCodec();
  RowCodec(RowCodec&&) noexcept;

  /// Appends the encoding of rows `rows[0..n)` of the columns; `rows == nullptr` means 0..n−1.
  void Encode(const std::vector<std::shared_ptr<arrow::Array>>& columns, const int32_t* rows, int64_t n,
              ByteStrings* out) const;
  /// Columns of the given rows, in that order. A null `data()` pointer decodes as a row of NULLs.
  std::vector<std::shared_ptr<arrow::Array>> Decode(const std::vector<std::string_view>& rows) const;
  /// Only some columns: `columns` are indices into the schema; the result has that order.
  std::vector<std::shared_ptr<arrow::Array>> DecodeColumns(const std::vector<std::string_view>& rows,
                                                           const std::vector<int>& columns) const;
  int num_columns() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct SortColumn {
  bool descending = false;
  bool nulls_first = false;  ///< SQL's default is NULLs last for ASC and first for DESC, as in PostgreSQL
};

/// Appends, per row, bytes whose memcmp order (shorter first on a tie) is the order of the columns. NaN sorts
/// above all numbers. Text sorts by its UTF-8 bytes.
void EncodeSortKeys(const std::vector<std::shared_ptr<arrow::Array>>& columns,
                    const std::vector<SortColumn>& order, int64_t num_rows, ByteStrings* out);

}  // namespace laminar
