#include "functions/aggregate/accumulate.h"

#include "base/error.h"

namespace laminar {

ValidRows::ValidRows(const std::vector<std::shared_ptr<arrow::Array>>& columns, size_t count) {
  for (size_t i = 0; i < count; ++i) Add(*columns[i]);
}

void ValidRows::Add(const arrow::Array& column) {
  if (column.null_count() == 0) return;
  const bool all_null = column.type_id() == arrow::Type::NA;  // has no bitmap
  if (bits_ == nullptr && !all_null) {
    bits_ = column.null_bitmap_data();
    offset_ = column.offset();
    return;
  }
  std::vector<uint8_t> both(static_cast<size_t>(column.length() + 7) / 8, 0);
  for (int64_t row = 0; !all_null && row < column.length(); ++row) {
    if ((*this)[row] && column.IsValid(row))
      both[static_cast<size_t>(row >> 3)] |= static_cast<uint8_t>(1 << (row & 7));
  }
  own_ = std::move(both);
  bits_ = own_.data();
  offset_ = 0;
}

}  // namespace laminar
