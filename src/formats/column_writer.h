#pragma once

/// Where decoders put values: one growing column of raw memory per SQL type, handed over as an Arrow array at
/// the end of a batch. Unlike Arrow's builders it has no call or status per value, can be taken back to an
/// earlier length (a record that turns out bad, a field that comes twice), and a null STRUCT leaves its
/// children alone until they are needed.

#include <arrow/type_fwd.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "types/type.h"

namespace laminar {

class ColumnWriter {
 public:
  explicit ColumnWriter(const Type& type, bool nullable = true);
  ~ColumnWriter();
  ColumnWriter(const ColumnWriter&) = delete;

  const Type& type() const { return type_; }
  TypeId id() const { return id_; }
  bool nullable() const { return nullable_; }
  int64_t length() const { return length_; }
  /// STRUCT: the fields. ARRAY: [element]. MAP: [key, value].
  ColumnWriter& child(int i) { return *children_[i]; }
  int num_children() const { return static_cast<int>(children_.size()); }

  /// Makes room for `rows` rows in all. The Append functions below need it beforehand (a byte more or less of
  /// text grows by itself); children of a STRUCT get the same room, elements of ARRAY and MAP grow as they
  /// come.
  void ReserveRows(int64_t rows) {
    if (rows > capacity_) GrowRows(rows);
  }

  void AppendNulls(int64_t count);
  void AppendNull() {
    if (width_ > 0) std::memset(values_ + length_ * width_, 0, static_cast<size_t>(width_));
    valid_[length_++] = 0;
    if (offsets_ != nullptr) offsets_[length_] = offsets_[length_ - 1];
  }
  /// For fixed-width types: T is what Arrow stores (uint8_t 0/1 for BOOLEAN).
  template <typename T>
  void AppendFixed(T value) {
    std::memcpy(values_ + length_ * static_cast<int64_t>(sizeof(T)), &value, sizeof(T));
    valid_[length_++] = 1;
  }
  void AppendBytes(std::string_view bytes) {
    char* out = BytesRoom(static_cast<int64_t>(bytes.size()));
    std::memcpy(out, bytes.data(), bytes.size());
    CommitBytes(static_cast<int64_t>(bytes.size()));
  }
  /// Room to write up to `bytes` bytes of one TEXT, BYTEA or JSON value plus kSlack bytes that may be
  /// scribbled on; then CommitBytes says how many count. Nothing is appended before that.
  char* BytesRoom(int64_t bytes) {
    if (data_size_ + bytes + kSlack > data_capacity_) GrowData(bytes);
    return data_ + data_size_;
  }
  void CommitBytes(int64_t bytes) {
    data_size_ += bytes;
    valid_[length_++] = 1;
    offsets_[length_] = static_cast<int32_t>(data_size_);
  }
  /// STRUCT: brings the children level with this column, so that each can take its value of the new row;
  /// CommitStruct after that. Children may be longer by then, never shorter.
  void BeginStruct() {
    if (!children_.empty() && children_.back()->length_ != length_) LevelChildren();
  }
  void CommitStruct() { valid_[length_++] = 1; }
  /// ARRAY, MAP: takes all children rows since the last commit as the elements of one value.
  void CommitList() {
    valid_[length_++] = 1;
    offsets_[length_] = static_cast<int32_t>(children_.back()->length_);
  }

  /// Takes back all rows from `length` on, and their elements.
  void Rewind(int64_t length);

  /// The rows as an array; the writer is empty afterwards and ready for the next batch.
  std::shared_ptr<arrow::Array> Finish();

  static constexpr int64_t kSlack = 64;

 private:
  void GrowRows(int64_t rows);
  void GrowData(int64_t bytes);
  void LevelChildren();
  std::shared_ptr<arrow::ArrayData> FinishData();
  std::shared_ptr<arrow::Buffer> PackValidity(int64_t* null_count) const;
  bool has_offsets() const;

  Type type_;
  TypeId id_;
  bool nullable_;
  int width_ = 0;  // bytes of a fixed-width value, 0 for others; BOOLEAN is 1 until packed
  int64_t length_ = 0;
  int64_t capacity_ = 0;
  uint8_t* values_ = nullptr;   // [capacity × width]
  uint8_t* valid_ = nullptr;    // [capacity], 1 for a value: bytes here, bits only in the result
  int32_t* offsets_ = nullptr;  // [capacity + 1]
  char* data_ = nullptr;
  int64_t data_size_ = 0;
  int64_t data_capacity_ = 0;
  int64_t data_expected_ = 0;  // bytes of the last batch: the first guess for the next
  std::vector<uint8_t> valid_bytes_;
  std::shared_ptr<arrow::ResizableBuffer> values_buffer_;
  std::shared_ptr<arrow::ResizableBuffer> offsets_buffer_;
  std::shared_ptr<arrow::ResizableBuffer> data_buffer_;
  std::shared_ptr<arrow::DataType> arrow_type_;
  std::vector<std::unique_ptr<ColumnWriter>> children_;
};

}  // namespace laminar
