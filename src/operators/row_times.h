#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace laminar {

/// A TIMESTAMP column (µs or ns, zone or not) in microseconds; ns are floored. Entries at NULLs are garbage.
/// Holds the column.
class RowTimes {
 public:
  explicit RowTimes(std::shared_ptr<arrow::Array> column);
  RowTimes(const RowTimes&) = delete;
  int64_t operator[](int64_t row) const { return values_[row]; }
  bool IsNull(int64_t row) const;
  bool has_nulls() const { return has_nulls_; }

 private:
  std::shared_ptr<arrow::Array> column_;
  bool has_nulls_;
  const int64_t* values_;
  std::vector<int64_t> floored_;
};

}  // namespace laminar
