#pragma once

/// The order of values, as =, <, GREATEST, array_sort and array_position see it: NaN equals NaN and is
/// greater than any number, −0.0 equals 0.0, text and bytes compare as bytes, intervals by length (a month is
/// 30 days, a day 24 hours), ARRAY and STRUCT element by element. Include only from .cc files.

#include <compare>
#include <cstdint>
#include <functional>

#include "functions/column_reader.h"
#include "types/type.h"

namespace laminar {

/// NaN-aware order of doubles and floats.
template <typename T>
bool LessReal(T a, T b) {
  return (a < b) | ((b != b) & (a == a));
}
template <typename T>
bool EqualReal(T a, T b) {
  return (a == b) | ((a != a) & (b != b));
}

/// Length of an interval in nanoseconds.
__int128 IntervalLength(const arrow::MonthDayNanoIntervalType::MonthDayNanos& interval);

/// Three-way comparison of row `a_row` of one column with `b_row` of another: negative, 0 or positive.
/// Neither row may be NULL; NULLs inside nested values are equal to one another and come last.
using RowCompare = std::function<int(int64_t a_row, int64_t b_row)>;
/// Both columns are of `type`.
RowCompare MakeRowCompare(const ColumnView& a, const ColumnView& b, const Type& type);

}  // namespace laminar
