#pragma once

/// Arrow arrays from cells that lie scattered in encoded rows. Internal to types/ (heavy includes).

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/util/bit_util.h>

#include <cstring>
#include <limits>
#include <memory>
#include <string_view>

#include "base/arrow_result.h"
#include "types/nested_codec.h"

namespace laminar {

/// Bytes of one value in our encodings (BOOLEAN takes one); −1 for types without fixed width. NULL's own type
/// takes 0.
int FixedWidth(const arrow::DataType& type);

/// Collects validity; stays unallocated until the first NULL.
class ValidityMaker {
 public:
  explicit ValidityMaker(int64_t length) : length_(length) {}
  void SetNull(int64_t i) {
    if (!bits_) {
      bits_ = OrThrow(arrow::AllocateBuffer(arrow::bit_util::BytesForBits(length_)), "allocate");
      std::memset(bits_->mutable_data(), 0xFF, static_cast<size_t>(bits_->size()));
    }
    arrow::bit_util::ClearBit(bits_->mutable_data(), i);
    ++null_count_;
  }
  std::shared_ptr<arrow::Buffer> Finish() { return std::move(bits_); }
  int64_t null_count() const { return null_count_; }

 private:
  int64_t length_;
  int64_t null_count_ = 0;
  std::unique_ptr<arrow::Buffer> bits_;
};

template <int kWidth, typename Cell>
void FillFixed(int64_t length, const Cell& cell, uint8_t* values, ValidityMaker& validity) {
  for (int64_t i = 0; i < length; ++i) {
    const char* value = cell(i);
    if (value) {
      std::memcpy(values + i * kWidth, value, kWidth);
    } else {
      std::memset(values + i * kWidth, 0, kWidth);
      validity.SetNull(i);
    }
  }
}

/// `cell(i)` is the address of value i (FixedWidth bytes) or nullptr for NULL.
template <typename Cell>
std::shared_ptr<arrow::Array> MakeFixedColumn(const std::shared_ptr<arrow::DataType>& type, int64_t length,
                                              const Cell& cell) {
  if (type->id() == arrow::Type::NA) return std::make_shared<arrow::NullArray>(length);
  ValidityMaker validity(length);
  std::unique_ptr<arrow::Buffer> values;
  if (type->id() == arrow::Type::BOOL) {
    values = OrThrow(arrow::AllocateBuffer(arrow::bit_util::BytesForBits(length)), "allocate");
    std::memset(values->mutable_data(), 0, static_cast<size_t>(values->size()));
    for (int64_t i = 0; i < length; ++i) {
      const char* value = cell(i);
      if (!value) {
        validity.SetNull(i);
      } else if (*value) {
        arrow::bit_util::SetBit(values->mutable_data(), i);
      }
    }
  } else {
    const int width = FixedWidth(*type);
    values = OrThrow(arrow::AllocateBuffer(length * width), "allocate");
    uint8_t* data = values->mutable_data();
    switch (width) {
      case 1:
        FillFixed<1>(length, cell, data, validity);
        break;
      case 2:
        FillFixed<2>(length, cell, data, validity);
        break;
      case 4:
        FillFixed<4>(length, cell, data, validity);
        break;
      case 8:
        FillFixed<8>(length, cell, data, validity);
        break;
      default:
        FillFixed<16>(length, cell, data, validity);
        break;
    }
  }
  const int64_t null_count = validity.null_count();
  return arrow::MakeArray(
      arrow::ArrayData::Make(type, length, {validity.Finish(), std::move(values)}, null_count));
}

/// TEXT and BYTEA: `cell(i)` views value i; a null `data()` is NULL. Throws QueryError past 2 GiB.
template <typename Cell>
std::shared_ptr<arrow::Array> MakeBytesColumn(const std::shared_ptr<arrow::DataType>& type, int64_t length,
                                              const Cell& cell) {
  ValidityMaker validity(length);
  std::shared_ptr<arrow::Buffer> offset_buffer =
      OrThrow(arrow::AllocateBuffer((length + 1) * static_cast<int64_t>(sizeof(int32_t))), "allocate");
  auto* offsets = reinterpret_cast<int32_t*>(offset_buffer->mutable_data());
  int64_t total = 0;
  offsets[0] = 0;
  for (int64_t i = 0; i < length; ++i) {
    const std::string_view value = cell(i);
    if (value.data() == nullptr) validity.SetNull(i);
    total += static_cast<int64_t>(value.size());
    if (total > std::numeric_limits<int32_t>::max()) throw QueryError("more than 2 GiB of text in one batch");
    offsets[i + 1] = static_cast<int32_t>(total);
  }
  std::shared_ptr<arrow::Buffer> data = OrThrow(arrow::AllocateBuffer(total), "allocate");
  for (int64_t i = 0; i < length; ++i) {
    const std::string_view value = cell(i);
    if (!value.empty()) std::memcpy(data->mutable_data() + offsets[i], value.data(), value.size());
  }
  const int64_t null_count = validity.null_count();
  return arrow::MakeArray(arrow::ArrayData::Make(
      type, length, {validity.Finish(), std::move(offset_buffer), std::move(data)}, null_count));
}

/// ARRAY, MAP and STRUCT: `cell(i)` views what AppendNested wrote; a null `data()` is NULL.
template <typename Cell>
std::shared_ptr<arrow::Array> MakeNestedColumn(const std::shared_ptr<arrow::DataType>& type, int64_t length,
                                               const Cell& cell) {
  NestedReader reader(type);
  for (int64_t i = 0; i < length; ++i) reader.Append(cell(i));
  return reader.Finish();
}

}  // namespace laminar
