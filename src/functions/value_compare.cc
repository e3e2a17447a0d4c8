#include "functions/value_compare.h"

#include <algorithm>
#include <vector>

#include "base/error.h"

namespace laminar {

using MonthDayNanos = arrow::MonthDayNanoIntervalType::MonthDayNanos;

__int128 IntervalLength(const MonthDayNanos& interval) {
  constexpr __int128 kDayNs = 86'400'000'000'000;
  return (__int128{interval.months} * 30 + interval.days) * kDayNs + interval.nanoseconds;
}

namespace {

template <typename T>
int Order(const T& a, const T& b) {
  if constexpr (std::is_floating_point_v<T>) {
    return LessReal(a, b) ? -1 : LessReal(b, a) ? 1 : 0;
  } else {
    return a < b ? -1 : b < a ? 1 : 0;
  }
}

template <typename T>
RowCompare CompareValues(const ColumnView& a, const ColumnView& b) {
  return
      [x = ColumnReader<T>(a), y = ColumnReader<T>(b)](int64_t i, int64_t j) { return Order<T>(x[i], y[j]); };
}

RowCompare CompareIntervals(const ColumnView& a, const ColumnView& b) {
  return [x = ColumnReader<MonthDayNanos>(a), y = ColumnReader<MonthDayNanos>(b)](int64_t i, int64_t j) {
    return Order(IntervalLength(x[i]), IntervalLength(y[j]));
  };
}

/// Rows that may be NULL: NULL last.
RowCompare CompareWithNulls(const ColumnView& a, const ColumnView& b, const Type& type) {
  RowCompare values = MakeRowCompare(a, b, type);
  if (!a.may_have_nulls() && !b.may_have_nulls()) return values;
  return [a, b, values](int64_t i, int64_t j) {
    const bool a_null = a.IsNull(i);
    const bool b_null = b.IsNull(j);
    if (a_null || b_null) return static_cast<int>(a_null) - static_cast<int>(b_null);
    return values(i, j);
  };
}

RowCompare CompareLists(const ColumnView& a, const ColumnView& b, const Type& type) {
  const ListReader x(a);
  const ListReader y(b);
  const ColumnView x_elements(x.elements(), false);
  const ColumnView y_elements(y.elements(), false);
  RowCompare element;
  if (type.id() == TypeId::kMap) {
    element = MakeRowCompare(x_elements, y_elements,
                             Type::Struct({{"key", type.key(), false}, {"value", type.element(), true}}));
  } else {
    element = CompareWithNulls(x_elements, y_elements, type.element());
  }
  return [x, y, element](int64_t i, int64_t j) {
    const ListSpan left = x[i];
    const ListSpan right = y[j];
    for (int64_t k = 0; k < std::min(left.length, right.length); ++k) {
      if (const int order = element(left.begin + k, right.begin + k)) return order;
    }
    return Order(left.length, right.length);
  };
}

ColumnView FieldOf(const ColumnView& column, size_t field) {
  const arrow::ArrayData& data = *column.data();
  return ColumnView(data.child_data[field]->Slice(data.offset, data.length), column.is_constant());
}

RowCompare CompareStructs(const ColumnView& a, const ColumnView& b, const Type& type) {
  std::vector<RowCompare> fields;
  for (size_t i = 0; i < type.fields().size(); ++i) {
    fields.push_back(CompareWithNulls(FieldOf(a, i), FieldOf(b, i), type.fields()[i].type));
  }
  return [fields](int64_t i, int64_t j) {
    for (const RowCompare& field : fields) {
      if (const int order = field(i, j)) return order;
    }
    return 0;
  };
}

}  // namespace

RowCompare MakeRowCompare(const ColumnView& a, const ColumnView& b, const Type& type) {
  switch (type.id()) {
    case TypeId::kNull:
      return [](int64_t, int64_t) { return 0; };
    case TypeId::kBoolean:
      return CompareValues<bool>(a, b);
    case TypeId::kInt8:
      return CompareValues<int8_t>(a, b);
    case TypeId::kInt16:
      return CompareValues<int16_t>(a, b);
    case TypeId::kInt32:
    case TypeId::kDate:
      return CompareValues<int32_t>(a, b);
    case TypeId::kInt64:
    case TypeId::kTime:
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      return CompareValues<int64_t>(a, b);
    case TypeId::kUInt8:
      return CompareValues<uint8_t>(a, b);
    case TypeId::kUInt16:
      return CompareValues<uint16_t>(a, b);
    case TypeId::kUInt32:
      return CompareValues<uint32_t>(a, b);
    case TypeId::kUInt64:
      return CompareValues<uint64_t>(a, b);
    case TypeId::kFloat:
      return CompareValues<float>(a, b);
    case TypeId::kDouble:
      return CompareValues<double>(a, b);
    case TypeId::kDecimal:
      return CompareValues<arrow::Decimal128>(a, b);
    case TypeId::kText:
    case TypeId::kJson:
    case TypeId::kBytes:
      return CompareValues<std::string_view>(a, b);
    case TypeId::kInterval:
      return CompareIntervals(a, b);
    case TypeId::kArray:
    case TypeId::kMap:
      return CompareLists(a, b, type);
    case TypeId::kStruct:
      return CompareStructs(a, b, type);
  }
  CheckFailed(__FILE__, __LINE__, "type", type.ToString());
}

}  // namespace laminar
