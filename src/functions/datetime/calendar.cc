#include "functions/datetime/calendar.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace laminar {

int64_t AddMonths(int64_t days, int64_t months) {
  const CivilDate date = CivilFromDays(days);
  const int64_t total = date.year * 12 + (date.month - 1) + months;
  const int64_t year = FloorDivide(total, 12);
  const int month = static_cast<int>(FloorModulo(total, 12)) + 1;
  return DaysFromCivil(year, month, std::min(date.day, DaysInMonth(year, month)));
}

std::optional<int64_t> AddInterval(int64_t ticks, int64_t ticks_per_second, const MonthDayNanos& interval) {
  const int64_t day = 86'400 * ticks_per_second;
  std::optional<int64_t> at = ticks;
  if (interval.months != 0 || interval.days != 0) {
    int64_t days = FloorDivide(ticks, day);
    if (interval.months != 0) days = AddMonths(days, interval.months);
    at = CheckedMultiply(days + interval.days, day);
    if (at) at = CheckedAdd(*at, FloorModulo(ticks, day));
  }
  const int64_t tick_ns = kSecondNs / ticks_per_second;
  return at ? CheckedAdd(*at, FloorDivide(interval.nanoseconds, tick_ns)) : std::nullopt;
}

namespace {

template <typename Wide>
std::optional<MonthDayNanos> IntervalOf(Wide months, Wide days, Wide nanos) {
  auto fits32 = [](Wide v) { return v >= INT32_MIN && v <= INT32_MAX; };
  if (!fits32(months) || !fits32(days) || nanos < INT64_MIN || nanos > INT64_MAX) return std::nullopt;
  return MonthDayNanos{static_cast<int32_t>(months), static_cast<int32_t>(days), static_cast<int64_t>(nanos)};
}

}  // namespace

std::optional<MonthDayNanos> AddIntervals(const MonthDayNanos& a, const MonthDayNanos& b) {
  return IntervalOf<__int128>(__int128{a.months} + b.months, __int128{a.days} + b.days,
                              __int128{a.nanoseconds} + b.nanoseconds);
}

std::optional<MonthDayNanos> NegateInterval(const MonthDayNanos& interval) {
  return MultiplyInterval(interval, int64_t{-1});
}

std::optional<MonthDayNanos> MultiplyInterval(const MonthDayNanos& interval, int64_t by) {
  return IntervalOf<__int128>(__int128{interval.months} * by, __int128{interval.days} * by,
                              __int128{interval.nanoseconds} * by);
}

std::optional<MonthDayNanos> MultiplyInterval(const MonthDayNanos& interval, double by) {
  if (!std::isfinite(by)) return std::nullopt;
  const double months = interval.months * by;
  const double days = interval.days * by + (months - std::trunc(months)) * 30;
  const double nanos = static_cast<double>(interval.nanoseconds) * by +
                       (days - std::trunc(days)) * static_cast<double>(kDayNs);
  if (std::fabs(nanos) >= 9.2e18) return std::nullopt;
  return IntervalOf<double>(std::trunc(months), std::trunc(days), std::round(nanos));
}

std::optional<MonthDayNanos> SubtractTimestamps(int64_t a, int64_t b, int64_t ticks_per_second) {
  const __int128 ticks = __int128{a} - b;
  const __int128 day = 86'400 * ticks_per_second;
  const __int128 rest_ns = ticks % day * (kSecondNs / ticks_per_second);
  return IntervalOf<__int128>(0, ticks / day, rest_ns);
}

}  // namespace laminar
