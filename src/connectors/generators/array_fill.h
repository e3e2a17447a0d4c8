#pragma once

/// Columns that a generator fills by index: raw buffers, no builders.

#include <arrow/array.h>
#include <arrow/buffer.h>

#include <memory>

#include "base/arrow_result.h"

namespace laminar {

/// A column of `rows` values of C++ type T, without nulls: value(row) for each row.
template <typename T, typename Value>
std::shared_ptr<arrow::Array> FillColumn(const std::shared_ptr<arrow::DataType>& type, int64_t rows,
                                         Value value) {
  std::shared_ptr<arrow::Buffer> buffer =
      OrThrow(arrow::AllocateBuffer(rows * static_cast<int64_t>(sizeof(T))), "column");
  T* out = reinterpret_cast<T*>(buffer->mutable_data());
  for (int64_t row = 0; row < rows; ++row) out[row] = value(row);
  return arrow::MakeArray(arrow::ArrayData::Make(type, rows, {nullptr, std::move(buffer)}, 0));
}

/// Microseconds without a zone.
template <typename Value>
std::shared_ptr<arrow::Array> FillTimestamps(int64_t rows, Value value) {
  return FillColumn<int64_t>(arrow::timestamp(arrow::TimeUnit::MICRO), rows, value);
}

}  // namespace laminar
