#pragma once

/// Units of time by name, for DATE_TRUNC, TIMESTAMPADD, FLOOR(x TO …) and their like. Include only from .cc
/// files.

#include <optional>
#include <string_view>

#include "functions/registry.h"

namespace laminar {

enum class TimeUnit {
  kNanosecond,
  kMicrosecond,
  kMillisecond,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,  ///< ISO: Monday first
  kMonth,
  kQuarter,
  kYear,
  kDecade,
  kCentury,
};

/// Singular, plural or short, any case: `MONTH`, `months`, `mon`, `SQL_TSI_MONTH`.
std::optional<TimeUnit> ParseTimeUnit(std::string_view name);
/// Length of a unit up to a week in nanoseconds; 0 for the others, which are `UnitMonths` long.
int64_t UnitNanos(TimeUnit unit);
int64_t UnitMonths(TimeUnit unit);

/// Start of the unit that holds the moment. Ticks as in calendar.h; nullopt when the start is out of range.
std::optional<int64_t> FloorToUnit(int64_t ticks, int64_t ticks_per_second, TimeUnit unit);
/// Start of the next unit, or the moment itself when it is a start.
std::optional<int64_t> CeilToUnit(int64_t ticks, int64_t ticks_per_second, TimeUnit unit);
std::optional<int64_t> AddUnits(int64_t ticks, int64_t ticks_per_second, TimeUnit unit, int64_t count);
/// Complete units from a to b, cut off towards 0.
int64_t UnitsBetween(int64_t a, int64_t b, int64_t ticks_per_second, TimeUnit unit);

/// The unit in constant argument `index`. nullopt when it is no TEXT constant; throws UserError for a text
/// that is no unit.
std::optional<TimeUnit> ConstantUnit(const BindArguments& arguments, size_t index);

/// What a date-and-time argument is computed as: DATE, TIMESTAMP (µs), TIMESTAMP(9) or TIMESTAMPTZ; a NULL is
/// a TIMESTAMP. nullopt: not a moment.
std::optional<Type> MomentType(const Type& type);

}  // namespace laminar
