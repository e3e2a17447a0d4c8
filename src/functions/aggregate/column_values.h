#pragma once

/// Columns as plain C++ values on the way in, and results as columns on the way out. Narrow types are
/// widened, so that an aggregate is written for five value types instead of for every Arrow type.

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "functions/aggregate/wide_int.h"
#include "types/type.h"

namespace laminar {

/// The value type that carries a SQL type without loss.
enum class ValueKind {
  kInt64,    ///< BOOLEAN, signed integers, DATE, TIME, timestamps
  kUInt64,   ///< unsigned integers
  kDouble,   ///< FLOAT, DOUBLE
  kDecimal,  ///< DECIMAL, unscaled, as StoredInt128
  kBytes,    ///< TEXT, BYTEA, JSON as std::string_view
  kOther,    ///< INTERVAL, ARRAY, MAP, STRUCT, NULL: no plain value
};
ValueKind ValueKindOf(const Type& type);

/// Values of a column whose kind is T's; T = double also takes every other number. Entries at NULLs are
/// garbage. T: int64_t, uint64_t, double, StoredInt128, std::string_view. Must not outlive the column.
template <typename T>
class ColumnValues {
 public:
  explicit ColumnValues(const arrow::Array& column);
  ColumnValues(const ColumnValues&) = delete;
  ColumnValues& operator=(const ColumnValues&) = delete;

  const T* data() const { return data_; }
  T operator[](int64_t row) const { return data_[row]; }

 private:
  const T* data_ = nullptr;
  std::vector<T> widened_;
};

/// TEXT and BYTEA: views made row by row, since most rows are looked at once.
template <>
class ColumnValues<std::string_view> {
 public:
  explicit ColumnValues(const arrow::Array& column);
  std::string_view operator[](int64_t row) const {
    return {data_ + offsets_[row], static_cast<size_t>(offsets_[row + 1] - offsets_[row])};
  }

 private:
  const int32_t* offsets_;
  const char* data_;
};

/// Results before they become an array: one entry per group.
template <typename T>
struct ResultValues {
  std::vector<T> values;
  std::vector<uint8_t> valid;

  explicit ResultValues(int64_t count)
      : values(static_cast<size_t>(count)), valid(static_cast<size_t>(count)) {}
  void Set(int64_t i, T value) {
    values[static_cast<size_t>(i)] = value;
    valid[static_cast<size_t>(i)] = 1;
  }
  /// An array of `type`, whose kind is T's (values fit: they came out of such a column).
  std::shared_ptr<arrow::Array> ToArray(const Type& type) const;
};

}  // namespace laminar
