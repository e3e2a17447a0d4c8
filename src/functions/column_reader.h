#pragma once

/// Row access to one argument of a kernel, whatever it is: an array (with any slice offset) or a scalar that
/// stands for every row. Include only from .cc files.
///
/// A reader never looks at validity unless asked: `reader[i]` of a NULL row is some value of the type (text:
/// empty or leftover bytes). `Map` in elementwise.h does the asking.

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/datum.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/decimal.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace laminar {

/// The argument as column data; a scalar becomes one row that is read again and again.
class ColumnView {
 public:
  explicit ColumnView(const arrow::Datum& argument);
  ColumnView(std::shared_ptr<arrow::ArrayData> data, bool constant)
      : data_(std::move(data)), stride_(constant ? 0 : 1) {
    Init();
  }

  const std::shared_ptr<arrow::ArrayData>& data() const { return data_; }
  /// True for a scalar.
  bool is_constant() const { return stride_ == 0; }
  bool may_have_nulls() const { return valid_ != nullptr || all_null_; }
  bool IsNull(int64_t row) const {
    if (valid_) return !arrow::bit_util::GetBit(valid_, data_->offset + row * stride_);
    return all_null_;
  }
  bool IsValid(int64_t row) const { return !IsNull(row); }

 protected:
  void Init();

  std::shared_ptr<arrow::ArrayData> data_;
  int64_t stride_ = 1;
  const uint8_t* valid_ = nullptr;  // null pointer: all rows alike
  bool all_null_ = false;           // an array of Arrow's null type
};

/// Fixed-width values: (u)int8…64, float, double, and the memory form of DATE (int32), TIME, TIMESTAMP
/// (int64), INTERVAL (arrow::MonthDayNanoIntervalType::MonthDayNanos).
template <typename T>
class ColumnReader : public ColumnView {
 public:
  explicit ColumnReader(const arrow::Datum& argument) : ColumnReader(ColumnView(argument)) {}
  explicit ColumnReader(ColumnView view) : ColumnView(std::move(view)), values_(data_->GetValues<T>(1)) {}
  T operator[](int64_t row) const { return values_[row * stride_]; }
  /// [num_rows], or one value when constant.
  const T* values() const { return values_; }

 private:
  const T* values_;
};

template <>
class ColumnReader<bool> : public ColumnView {
 public:
  explicit ColumnReader(const arrow::Datum& argument) : ColumnReader(ColumnView(argument)) {}
  explicit ColumnReader(ColumnView view)
      : ColumnView(std::move(view)), bits_(data_->buffers[1] ? data_->buffers[1]->data() : nullptr) {}
  bool operator[](int64_t row) const { return arrow::bit_util::GetBit(bits_, data_->offset + row * stride_); }

 private:
  const uint8_t* bits_;
};

/// TEXT, JSON and BYTEA. Views live as long as the reader.
template <>
class ColumnReader<std::string_view> : public ColumnView {
 public:
  explicit ColumnReader(const arrow::Datum& argument) : ColumnReader(ColumnView(argument)) {}
  explicit ColumnReader(ColumnView view)
      : ColumnView(std::move(view)), offsets_(data_->GetValues<int32_t>(1)) {
    bytes_ = data_->buffers[2] ? reinterpret_cast<const char*>(data_->buffers[2]->data()) : "";
  }
  std::string_view operator[](int64_t row) const {
    const int32_t* offset = offsets_ + row * stride_;
    return {bytes_ + offset[0], static_cast<size_t>(offset[1] - offset[0])};
  }

 private:
  const int32_t* offsets_;
  const char* bytes_;
};

template <>
class ColumnReader<arrow::Decimal128> : public ColumnView {
 public:
  explicit ColumnReader(const arrow::Datum& argument) : ColumnReader(ColumnView(argument)) {}
  explicit ColumnReader(ColumnView view) : ColumnView(std::move(view)) {
    if (data_->buffers[1]) bytes_ = data_->buffers[1]->data() + data_->offset * 16;
  }
  arrow::Decimal128 operator[](int64_t row) const { return arrow::Decimal128(bytes_ + row * stride_ * 16); }

 private:
  const uint8_t* bytes_ = nullptr;
};

/// Where an ARRAY's (or MAP's) elements lie in `elements()`.
struct ListSpan {
  int64_t begin = 0;  ///< first element, an index into ListReader::elements()
  int64_t length = 0;
};

/// ARRAY and MAP rows. Elements are reached through `elements()`, unsliced, by the indices of a span.
class ListReader : public ColumnView {
 public:
  explicit ListReader(const arrow::Datum& argument) : ListReader(ColumnView(argument)) {}
  explicit ListReader(ColumnView view)
      : ColumnView(std::move(view)), offsets_(data_->GetValues<int32_t>(1)) {}
  ListSpan operator[](int64_t row) const {
    const int32_t* offset = offsets_ + row * stride_;
    return {offset[0], offset[1] - offset[0]};
  }
  /// The child array data; for a MAP a struct of key and value.
  const std::shared_ptr<arrow::ArrayData>& elements() const { return data_->child_data[0]; }

 private:
  const int32_t* offsets_;
};

template <>
class ColumnReader<ListSpan> : public ListReader {
 public:
  using ListReader::ListReader;
};

}  // namespace laminar
