#include <arrow/array.h>
#include <arrow/util/decimal.h>

#include <cstring>

#include "types/column_maker.h"
#include "types/row_codec.h"

namespace laminar {

namespace {

// A column's part: 1 before a value; 0 (NULLs first) or 2 (NULLs last) for NULL. Descending inverts the
// value's bytes, not that of the NULL. Inside nested values NULL is 2: last.

constexpr char kValue = 1, kNullLast = 2, kNullFirst = 0;

template <typename T>
char* PutBigEndian(T value, char* out) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
    *out++ = static_cast<char>(value >> shift & 0xFF);
  }
  return out;
}

template <typename T>
T Load(const uint8_t* values, int64_t at) {
  T value;
  std::memcpy(&value, values + at * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

template <typename Float, typename Bits>
Bits FloatOrder(Float value) {
  value = CanonicalFloat(value);
  Bits bits;
  std::memcpy(&bits, &value, sizeof bits);
  constexpr Bits kSign = Bits{1} << (sizeof(Bits) * 8 - 1);
  return bits & kSign ? ~bits : bits | kSign;  // the positive NaN ends up above +∞
}

/// Intervals order by length, a month as 30 days and a day as 24 hours.
__int128 IntervalLength(const arrow::MonthDayNanoIntervalType::MonthDayNanos& value) {
  const int64_t days = static_cast<int64_t>(value.months) * 30 + value.days;
  return static_cast<__int128>(days) * 86'400'000'000'000LL + value.nanoseconds;
}

/// Value `row` of a fixed-width array (not NULL) in FixedWidth bytes at `out`; returns the address behind.
char* PutFixedOrder(const arrow::Array& array, int64_t row, char* out) {
  const arrow::ArrayData& data = *array.data();
  const uint8_t* values = data.buffers[1]->data();
  const int64_t at = data.offset + row;
  switch (array.type_id()) {
    case arrow::Type::BOOL:
      *out = arrow::bit_util::GetBit(values, at) ? 1 : 0;
      return out + 1;
    case arrow::Type::INT8:
      return PutBigEndian<uint8_t>(Load<uint8_t>(values, at) ^ 0x80u, out);
    case arrow::Type::UINT8:
      return PutBigEndian(Load<uint8_t>(values, at), out);
    case arrow::Type::INT16:
      return PutBigEndian<uint16_t>(Load<uint16_t>(values, at) ^ 0x8000u, out);
    case arrow::Type::UINT16:
      return PutBigEndian(Load<uint16_t>(values, at), out);
    case arrow::Type::DATE32:
    case arrow::Type::INT32:
      return PutBigEndian(Load<uint32_t>(values, at) ^ (1u << 31), out);
    case arrow::Type::UINT32:
      return PutBigEndian(Load<uint32_t>(values, at), out);
    case arrow::Type::FLOAT:
      return PutBigEndian(FloatOrder<float, uint32_t>(Load<float>(values, at)), out);
    case arrow::Type::UINT64:
      return PutBigEndian(Load<uint64_t>(values, at), out);
    case arrow::Type::DOUBLE:
      return PutBigEndian(FloatOrder<double, uint64_t>(Load<double>(values, at)), out);
    case arrow::Type::DECIMAL128: {
      const auto value = Load<unsigned __int128>(values, at);
      return PutBigEndian(value ^ (static_cast<unsigned __int128>(1) << 127), out);
    }
    case arrow::Type::INTERVAL_MONTH_DAY_NANO: {
      const auto length = IntervalLength(Load<arrow::MonthDayNanoIntervalType::MonthDayNanos>(values, at));
      return PutBigEndian(static_cast<unsigned __int128>(length) ^ (static_cast<unsigned __int128>(1) << 127),
                          out);
    }
    default:
      return PutBigEndian(Load<uint64_t>(values, at) ^ (uint64_t{1} << 63), out);
  }
}

/// Bytes that no longer text's bytes can be mistaken for: 0 becomes 0 255, and 0 0 ends it.
void AppendTextOrder(std::string_view text, std::string* out) {
  if (std::memchr(text.data(), 0, text.size()) == nullptr) {
    out->append(text);
  } else {
    for (const char c : text) {
      out->push_back(c);
      if (c == 0) out->push_back(static_cast<char>(0xFF));
    }
  }
  out->append(2, '\0');
}

void AppendOrder(const arrow::Array& array, int64_t row, std::string* out);

void AppendNestedOrder(const arrow::Array& array, int64_t row, std::string* out) {
  if (array.type_id() == arrow::Type::NA || array.IsNull(row)) {
    out->push_back(kNullLast);
    return;
  }
  out->push_back(kValue);
  AppendOrder(array, row, out);
}

/// A value that is not NULL.
void AppendOrder(const arrow::Array& array, int64_t row, std::string* out) {
  switch (array.type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      AppendTextOrder(static_cast<const arrow::BinaryArray&>(array).GetView(row), out);
      break;
    case arrow::Type::STRUCT: {
      const auto& record = static_cast<const arrow::StructArray&>(array);
      for (int i = 0; i < record.num_fields(); ++i) AppendNestedOrder(*record.field(i), row, out);
      break;
    }
    case arrow::Type::LIST:
    case arrow::Type::MAP: {
      const auto& list = static_cast<const arrow::ListArray&>(array);
      const int64_t begin = list.value_offset(row);
      for (int64_t i = begin; i < begin + list.value_length(row); ++i)
        AppendNestedOrder(*list.values(), i, out);
      out->push_back(0);  // below any element: the shorter list comes first
      break;
    }
    default: {
      char bytes[16];
      const char* end = PutFixedOrder(array, row, bytes);
      out->append(bytes, static_cast<size_t>(end - bytes));
    }
  }
}

void Invert(char* begin, char* end) {
  for (; begin < end; ++begin) *begin = static_cast<char>(~*begin);
}

bool AllFixed(const std::vector<std::shared_ptr<arrow::Array>>& columns) {
  for (const auto& column : columns) {
    if (FixedWidth(*column->type()) <= 0 || column->null_count() > 0) return false;
  }
  return true;
}

/// No NULLs, equal lengths: straight into place.
void EncodeFixedOrder(const std::vector<std::shared_ptr<arrow::Array>>& columns,
                      const std::vector<SortColumn>& order, int64_t num_rows, ByteStrings* out) {
  int64_t stride = 0;
  for (const auto& column : columns) stride += 1 + FixedWidth(*column->type());
  const size_t start = out->data.size();
  out->data.resize(start + static_cast<size_t>(stride * num_rows));
  int64_t position = 0;
  for (size_t c = 0; c < columns.size(); ++c) {
    char* at = out->data.data() + start + position;
    const int width = FixedWidth(*columns[c]->type());
    for (int64_t row = 0; row < num_rows; ++row, at += stride) {
      *at = kValue;
      PutFixedOrder(*columns[c], row, at + 1);
      if (order[c].descending) Invert(at + 1, at + 1 + width);
    }
    position += 1 + width;
  }
  for (int64_t row = 0; row < num_rows; ++row) out->offsets.push_back(out->offsets.back() + stride);
}

}  // namespace

void EncodeSortKeys(const std::vector<std::shared_ptr<arrow::Array>>& columns,
                    const std::vector<SortColumn>& order, int64_t num_rows, ByteStrings* out) {
  LAMINAR_CHECK(columns.size() == order.size(), "one SortColumn per column");
  if (AllFixed(columns)) return EncodeFixedOrder(columns, order, num_rows, out);
  for (int64_t row = 0; row < num_rows; ++row) {
    for (size_t c = 0; c < columns.size(); ++c) {
      const arrow::Array& array = *columns[c];
      if (array.type_id() == arrow::Type::NA || array.IsNull(row)) {
        out->data.push_back(order[c].nulls_first ? kNullFirst : kNullLast);
        continue;
      }
      out->data.push_back(kValue);
      const size_t begin = out->data.size();
      AppendOrder(array, row, &out->data);
      if (order[c].descending) Invert(out->data.data() + begin, out->data.data() + out->data.size());
    }
    out->offsets.push_back(static_cast<int64_t>(out->data.size()));
  }
}

}  // namespace laminar
