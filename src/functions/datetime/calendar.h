#pragma once

/// Calendar arithmetic on memory forms: DATE as days, TIMESTAMP as ticks (µs, or ns for precision 9) since
/// 1970. Everything floors towards −∞, so that times before 1970 behave like those after. Include only from
/// .cc files.

#include <arrow/type.h>

#include <cstdint>
#include <optional>

#include "types/timestamp_text.h"
#include "types/type.h"

namespace laminar {

using MonthDayNanos = arrow::MonthDayNanoIntervalType::MonthDayNanos;

inline constexpr int64_t kDayNs = 86'400'000'000'000;
inline constexpr int64_t kSecondNs = 1'000'000'000;

inline int64_t FloorDivide(int64_t value, int64_t by) { return value / by - (value % by < 0); }
inline int64_t FloorModulo(int64_t value, int64_t by) {
  const int64_t rest = value % by;
  return rest < 0 ? rest + by : rest;
}
inline std::optional<int64_t> CheckedMultiply(int64_t a, int64_t b) {
  int64_t out = 0;
  if (__builtin_mul_overflow(a, b, &out)) return std::nullopt;
  return out;
}
inline std::optional<int64_t> CheckedAdd(int64_t a, int64_t b) {
  int64_t out = 0;
  if (__builtin_add_overflow(a, b, &out)) return std::nullopt;
  return out;
}

/// Ticks in a second of a TIMESTAMP type.
inline int64_t TicksPerSecond(const Type& type) {
  return type.id() == TypeId::kTimestamp && type.precision() == 9 ? kSecondNs : 1'000'000;
}

/// The date `months` later; a day past the month's end becomes its last (31 January + 1 month = 28 or 29
/// February).
int64_t AddMonths(int64_t days, int64_t months);

/// Months, then days, then time. nullopt: out of range.
std::optional<int64_t> AddInterval(int64_t ticks, int64_t ticks_per_second, const MonthDayNanos& interval);

std::optional<MonthDayNanos> AddIntervals(const MonthDayNanos& a, const MonthDayNanos& b);
std::optional<MonthDayNanos> NegateInterval(const MonthDayNanos& interval);
std::optional<MonthDayNanos> MultiplyInterval(const MonthDayNanos& interval, int64_t by);
/// Parts of a month become days (of 30), parts of a day time.
std::optional<MonthDayNanos> MultiplyInterval(const MonthDayNanos& interval, double by);

/// a − b as whole days and the rest, as PostgreSQL: both of one sign.
std::optional<MonthDayNanos> SubtractTimestamps(int64_t a, int64_t b, int64_t ticks_per_second);

/// Monday of the week of `days`.
inline int64_t MondayOf(int64_t days) { return days - FloorModulo(days + 3, 7); }

}  // namespace laminar
