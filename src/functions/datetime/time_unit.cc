#include "functions/datetime/time_unit.h"

#include <string>

#include "base/error.h"
#include "base/name.h"
#include "functions/datetime/calendar.h"
#include "functions/overload.h"

namespace laminar {

namespace {

struct UnitName {
  std::string_view name;
  TimeUnit unit;
};

constexpr UnitName kNames[] = {
    {"nanosecond", TimeUnit::kNanosecond},
    {"ns", TimeUnit::kNanosecond},
    {"microsecond", TimeUnit::kMicrosecond},
    {"us", TimeUnit::kMicrosecond},
    {"millisecond", TimeUnit::kMillisecond},
    {"ms", TimeUnit::kMillisecond},
    {"second", TimeUnit::kSecond},
    {"sec", TimeUnit::kSecond},
    {"s", TimeUnit::kSecond},
    {"minute", TimeUnit::kMinute},
    {"min", TimeUnit::kMinute},
    {"m", TimeUnit::kMinute},
    {"hour", TimeUnit::kHour},
    {"h", TimeUnit::kHour},
    {"day", TimeUnit::kDay},
    {"d", TimeUnit::kDay},
    {"week", TimeUnit::kWeek},
    {"w", TimeUnit::kWeek},
    {"isoweek", TimeUnit::kWeek},
    {"month", TimeUnit::kMonth},
    {"mon", TimeUnit::kMonth},
    {"quarter", TimeUnit::kQuarter},
    {"year", TimeUnit::kYear},
    {"y", TimeUnit::kYear},
    {"decade", TimeUnit::kDecade},
    {"century", TimeUnit::kCentury},
};

std::optional<TimeUnit> FindUnit(std::string_view name) {
  for (const UnitName& entry : kNames) {
    if (entry.name == name) return entry.unit;
  }
  return std::nullopt;
}

/// The start of the month-like unit that holds the day; months from year 0.
int64_t FloorMonths(int64_t days, int64_t months) {
  const CivilDate date = CivilFromDays(days);
  // A century is counted from year 0: 2000 to 2099.
  const int64_t index = FloorDivide(date.year * 12 + date.month - 1, months) * months;
  return DaysFromCivil(FloorDivide(index, 12), static_cast<int>(FloorModulo(index, 12)) + 1, 1);
}

/// Complete months from a to b where a ≤ b.
int64_t WholeMonths(int64_t a, int64_t b, int64_t ticks_per_second) {
  const int64_t day = 86'400 * ticks_per_second;
  const CivilDate from = CivilFromDays(FloorDivide(a, day));
  const CivilDate to = CivilFromDays(FloorDivide(b, day));
  int64_t months = (to.year - from.year) * 12 + (to.month - from.month);
  const int64_t moved = AddMonths(FloorDivide(a, day), months);
  const int64_t end = FloorDivide(b, day);
  if (moved > end || (moved == end && FloorModulo(a, day) > FloorModulo(b, day))) --months;
  return months;
}

/// Ticks of a fixed unit; 0 when it is finer than a tick.
int64_t UnitTicks(TimeUnit unit, int64_t ticks_per_second) {
  return UnitNanos(unit) / (kSecondNs / ticks_per_second);
}

}  // namespace

std::optional<TimeUnit> ParseTimeUnit(std::string_view name) {
  const std::string lower = FoldName(name);
  std::string_view rest = lower;
  if (rest.starts_with("sql_tsi_")) rest.remove_prefix(8);
  if (auto unit = FindUnit(rest)) return unit;
  if (rest == "centuries") return TimeUnit::kCentury;
  if (rest.size() > 2 && rest.ends_with('s')) return FindUnit(rest.substr(0, rest.size() - 1));
  return std::nullopt;
}

int64_t UnitNanos(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kNanosecond:
      return 1;
    case TimeUnit::kMicrosecond:
      return 1'000;
    case TimeUnit::kMillisecond:
      return 1'000'000;
    case TimeUnit::kSecond:
      return kSecondNs;
    case TimeUnit::kMinute:
      return 60 * kSecondNs;
    case TimeUnit::kHour:
      return 3600 * kSecondNs;
    case TimeUnit::kDay:
      return kDayNs;
    case TimeUnit::kWeek:
      return 7 * kDayNs;
    default:
      return 0;
  }
}

int64_t UnitMonths(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kMonth:
      return 1;
    case TimeUnit::kQuarter:
      return 3;
    case TimeUnit::kYear:
      return 12;
    case TimeUnit::kDecade:
      return 120;
    case TimeUnit::kCentury:
      return 1200;
    default:
      return 0;
  }
}

std::optional<int64_t> FloorToUnit(int64_t ticks, int64_t ticks_per_second, TimeUnit unit) {
  const int64_t day = 86'400 * ticks_per_second;
  if (unit == TimeUnit::kWeek) return CheckedMultiply(MondayOf(FloorDivide(ticks, day)), day);
  if (const int64_t months = UnitMonths(unit))
    return CheckedMultiply(FloorMonths(FloorDivide(ticks, day), months), day);
  const int64_t size = UnitTicks(unit, ticks_per_second);
  return size <= 1 ? std::optional(ticks) : CheckedAdd(ticks, -FloorModulo(ticks, size));
}

std::optional<int64_t> CeilToUnit(int64_t ticks, int64_t ticks_per_second, TimeUnit unit) {
  const auto start = FloorToUnit(ticks, ticks_per_second, unit);
  if (!start || *start == ticks) return start;
  return AddUnits(*start, ticks_per_second, unit, 1);
}

std::optional<int64_t> AddUnits(int64_t ticks, int64_t ticks_per_second, TimeUnit unit, int64_t count) {
  if (const int64_t months = UnitMonths(unit)) {
    const auto total = CheckedMultiply(count, months);
    if (!total || *total > INT32_MAX || *total < INT32_MIN) return std::nullopt;
    return AddInterval(ticks, ticks_per_second, {static_cast<int32_t>(*total), 0, 0});
  }
  const int64_t size = UnitTicks(unit, ticks_per_second);
  // Finer than a tick: what makes no whole tick is cut off.
  const auto shift = size > 0
                         ? CheckedMultiply(count, size)
                         : std::optional(FloorDivide(count, kSecondNs / ticks_per_second / UnitNanos(unit)));
  return shift ? CheckedAdd(ticks, *shift) : std::nullopt;
}

int64_t UnitsBetween(int64_t a, int64_t b, int64_t ticks_per_second, TimeUnit unit) {
  if (const int64_t months = UnitMonths(unit)) {
    return a <= b ? WholeMonths(a, b, ticks_per_second) / months
                  : -(WholeMonths(b, a, ticks_per_second) / months);
  }
  const __int128 nanos = (__int128{b} - a) * (kSecondNs / ticks_per_second);
  return static_cast<int64_t>(nanos / UnitNanos(unit));
}

std::optional<TimeUnit> ConstantUnit(const BindArguments& arguments, size_t index) {
  const auto name = ConstantText(arguments, index);
  if (!name) return std::nullopt;
  if (auto unit = ParseTimeUnit(*name)) return unit;
  throw UserError(Reason::kTypeError, {}, "'" + *name + "' is not a unit of time")
      .Hint(
          "units: nanosecond, microsecond, millisecond, second, minute, hour, day, week, month, quarter, "
          "year, decade, century");
}

std::optional<Type> MomentType(const Type& type) {
  if (type.is_null()) return Type::Timestamp();
  if (type.id() == TypeId::kDate || type.id() == TypeId::kTimestampTz) return type;
  if (type.id() != TypeId::kTimestamp) return std::nullopt;
  return type.precision() == 9 ? type : Type::Timestamp();
}

}  // namespace laminar
