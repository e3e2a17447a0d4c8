#include "functions/aggregate/column_values.h"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/decimal.h>

#include <algorithm>
#include <cstring>

#include "base/arrow_result.h"
#include "base/error.h"
#include "functions/cast_kernel.h"

namespace laminar {

ValueKind ValueKindOf(const Type& type) {
  switch (type.id()) {
    case TypeId::kBoolean:
    case TypeId::kInt8:
    case TypeId::kInt16:
    case TypeId::kInt32:
    case TypeId::kInt64:
    case TypeId::kDate:
    case TypeId::kTime:
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      return ValueKind::kInt64;
    case TypeId::kUInt8:
    case TypeId::kUInt16:
    case TypeId::kUInt32:
    case TypeId::kUInt64:
      return ValueKind::kUInt64;
    case TypeId::kFloat:
    case TypeId::kDouble:
      return ValueKind::kDouble;
    case TypeId::kDecimal:
      return ValueKind::kDecimal;
    case TypeId::kText:
    case TypeId::kBytes:
    case TypeId::kJson:
      return ValueKind::kBytes;
    default:
      return ValueKind::kOther;
  }
}

namespace {

/// The values of a fixed-width column, from its own offset on.
template <typename T>
const T* RawValues(const arrow::Array& column) {
  return column.data()->GetValues<T>(1);
}

template <typename From, typename T>
void WidenFrom(const arrow::Array& column, std::vector<T>* out) {
  const From* values = RawValues<From>(column);
  out->resize(static_cast<size_t>(column.length()));
  std::transform(values, values + column.length(), out->begin(), [](From v) { return static_cast<T>(v); });
}

template <typename T>
void WidenBooleans(const arrow::Array& column, std::vector<T>* out) {
  const auto& booleans = static_cast<const arrow::BooleanArray&>(column);
  out->resize(static_cast<size_t>(column.length()));
  for (int64_t row = 0; row < column.length(); ++row) (*out)[row] = booleans.Value(row);
}

void DecimalsToDoubles(const arrow::Array& column, std::vector<double>* out) {
  const auto& decimals = static_cast<const arrow::Decimal128Array&>(column);
  const int32_t scale = static_cast<const arrow::Decimal128Type&>(*column.type()).scale();
  out->assign(static_cast<size_t>(column.length()), 0);
  for (int64_t row = 0; row < column.length(); ++row) {
    if (decimals.IsValid(row))
      (*out)[row] = DecimalToDouble(arrow::Decimal128(decimals.GetValue(row)), scale);
  }
}

/// Whether the column's memory can be read as T directly.
template <typename T>
bool IsRaw(arrow::Type::type id) {
  if constexpr (std::is_same_v<T, int64_t>) {
    return id == arrow::Type::INT64 || id == arrow::Type::TIMESTAMP || id == arrow::Type::TIME64;
  } else if constexpr (std::is_same_v<T, uint64_t>) {
    return id == arrow::Type::UINT64;
  } else if constexpr (std::is_same_v<T, double>) {
    return id == arrow::Type::DOUBLE;
  } else {
    return id == arrow::Type::DECIMAL128;
  }
}

template <typename T>
void Widen(const arrow::Array& column, std::vector<T>* out) {
  switch (column.type_id()) {
    case arrow::Type::NA:
      out->assign(static_cast<size_t>(column.length()), T{});
      return;
    case arrow::Type::BOOL:
      WidenBooleans(column, out);
      return;
    case arrow::Type::INT8:
      WidenFrom<int8_t>(column, out);
      return;
    case arrow::Type::INT16:
      WidenFrom<int16_t>(column, out);
      return;
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
      WidenFrom<int32_t>(column, out);
      return;
    case arrow::Type::INT64:
      WidenFrom<int64_t>(column, out);
      return;
    case arrow::Type::UINT8:
      WidenFrom<uint8_t>(column, out);
      return;
    case arrow::Type::UINT16:
      WidenFrom<uint16_t>(column, out);
      return;
    case arrow::Type::UINT32:
      WidenFrom<uint32_t>(column, out);
      return;
    case arrow::Type::UINT64:
      WidenFrom<uint64_t>(column, out);
      return;
    case arrow::Type::FLOAT:
      WidenFrom<float>(column, out);
      return;
    case arrow::Type::DECIMAL128:
      if constexpr (std::is_same_v<T, double>) {
        DecimalsToDoubles(column, out);
        return;
      }
      break;
    default:
      break;
  }
  LAMINAR_CHECK(false, "aggregate got a column of type " + column.type()->ToString());
}

}  // namespace

template <typename T>
ColumnValues<T>::ColumnValues(const arrow::Array& column) {
  if (IsRaw<T>(column.type_id())) {
    data_ = RawValues<T>(column);
    return;
  }
  if constexpr (std::is_same_v<T, StoredInt128>) {
    LAMINAR_CHECK(column.type_id() == arrow::Type::NA, "no DECIMAL: " + column.type()->ToString());
    widened_.resize(static_cast<size_t>(column.length()));
  } else {
    Widen(column, &widened_);
  }
  data_ = widened_.data();
}

template class ColumnValues<int64_t>;
template class ColumnValues<uint64_t>;
template class ColumnValues<double>;
template class ColumnValues<StoredInt128>;

ColumnValues<std::string_view>::ColumnValues(const arrow::Array& column) {
  LAMINAR_CHECK(column.type_id() == arrow::Type::STRING || column.type_id() == arrow::Type::BINARY,
                "no text: " + column.type()->ToString());
  const auto& binary = static_cast<const arrow::BinaryArray&>(column);
  offsets_ = binary.raw_value_offsets();
  data_ = reinterpret_cast<const char*>(binary.raw_data());
}

namespace {

std::shared_ptr<arrow::Buffer> Allocate(int64_t bytes) {
  return OrThrow(arrow::AllocateBuffer(std::max<int64_t>(bytes, 1)), "allocate");
}

std::shared_ptr<arrow::Buffer> ValidityBitmap(const std::vector<uint8_t>& valid, int64_t* null_count) {
  *null_count = std::count(valid.begin(), valid.end(), 0);
  if (*null_count == 0) return nullptr;
  auto bitmap = Allocate(arrow::bit_util::BytesForBits(static_cast<int64_t>(valid.size())));
  std::memset(bitmap->mutable_data(), 0, static_cast<size_t>(bitmap->size()));
  for (size_t i = 0; i < valid.size(); ++i) {
    if (valid[i]) arrow::bit_util::SetBit(bitmap->mutable_data(), static_cast<int64_t>(i));
  }
  return bitmap;
}

template <typename To, typename T>
std::shared_ptr<arrow::Buffer> NarrowTo(const std::vector<T>& values) {
  auto buffer = Allocate(static_cast<int64_t>(values.size() * sizeof(To)));
  To* out = reinterpret_cast<To*>(buffer->mutable_data());
  std::transform(values.begin(), values.end(), out, [](const T& v) { return static_cast<To>(v); });
  return buffer;
}

template <typename T>
std::shared_ptr<arrow::Buffer> ToBits(const std::vector<T>& values) {
  auto buffer = Allocate(arrow::bit_util::BytesForBits(static_cast<int64_t>(values.size())));
  std::memset(buffer->mutable_data(), 0, static_cast<size_t>(buffer->size()));
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i]) arrow::bit_util::SetBit(buffer->mutable_data(), static_cast<int64_t>(i));
  }
  return buffer;
}

template <typename T>
std::shared_ptr<arrow::Buffer> Narrow(const Type& type, const std::vector<T>& values) {
  switch (type.id()) {
    case TypeId::kBoolean:
      return ToBits(values);
    case TypeId::kInt8:
      return NarrowTo<int8_t>(values);
    case TypeId::kInt16:
      return NarrowTo<int16_t>(values);
    case TypeId::kInt32:
    case TypeId::kDate:
      return NarrowTo<int32_t>(values);
    case TypeId::kInt64:
    case TypeId::kTime:
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      return NarrowTo<int64_t>(values);
    case TypeId::kUInt8:
      return NarrowTo<uint8_t>(values);
    case TypeId::kUInt16:
      return NarrowTo<uint16_t>(values);
    case TypeId::kUInt32:
      return NarrowTo<uint32_t>(values);
    case TypeId::kUInt64:
      return NarrowTo<uint64_t>(values);
    case TypeId::kFloat:
      return NarrowTo<float>(values);
    case TypeId::kDouble:
      return NarrowTo<double>(values);
    default:
      break;
  }
  LAMINAR_CHECK(false, "aggregate result of type " + type.ToString());
  return nullptr;
}

template <typename T>
std::shared_ptr<arrow::Buffer> FixedWidthBuffer(const Type& type, const std::vector<T>& values) {
  return Narrow(type, values);
}

template <>
std::shared_ptr<arrow::Buffer> FixedWidthBuffer(const Type& type, const std::vector<StoredInt128>& values) {
  LAMINAR_CHECK(type.id() == TypeId::kDecimal, "aggregate result of type " + type.ToString());
  auto buffer = Allocate(static_cast<int64_t>(values.size() * sizeof(StoredInt128)));
  std::copy(values.begin(), values.end(), reinterpret_cast<StoredInt128*>(buffer->mutable_data()));
  return buffer;
}

}  // namespace

template <typename T>
std::shared_ptr<arrow::Array> ResultValues<T>::ToArray(const Type& type) const {
  int64_t null_count = 0;
  auto bitmap = ValidityBitmap(valid, &null_count);
  return arrow::MakeArray(arrow::ArrayData::Make(type.arrow_type(), static_cast<int64_t>(values.size()),
                                                 {std::move(bitmap), FixedWidthBuffer(type, values)},
                                                 null_count));
}

template <>
std::shared_ptr<arrow::Array> ResultValues<std::string_view>::ToArray(const Type& type) const {
  int64_t null_count = 0;
  auto bitmap = ValidityBitmap(valid, &null_count);
  auto offsets = Allocate(static_cast<int64_t>((values.size() + 1) * sizeof(int32_t)));
  int32_t* offset = reinterpret_cast<int32_t*>(offsets->mutable_data());
  int64_t total = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    offset[i] = static_cast<int32_t>(total);
    total += static_cast<int64_t>(values[i].size());
    if (total > INT32_MAX) throw QueryError("aggregate results of one batch exceed 2 GiB of text");
  }
  offset[values.size()] = static_cast<int32_t>(total);
  auto data = Allocate(total);
  uint8_t* to = data->mutable_data();
  for (std::string_view value : values) {
    if (!value.empty()) std::memcpy(to, value.data(), value.size());
    to += value.size();
  }
  return arrow::MakeArray(arrow::ArrayData::Make(type.arrow_type(), static_cast<int64_t>(values.size()),
                                                 {std::move(bitmap), std::move(offsets), std::move(data)},
                                                 null_count));
}

template struct ResultValues<int64_t>;
template struct ResultValues<uint64_t>;
template struct ResultValues<double>;
template struct ResultValues<StoredInt128>;

}  // namespace laminar
