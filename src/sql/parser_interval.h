#pragma once

/// Interval literals in exact months, days and microseconds. `ParseIntervalText`, for texts that bring their
/// own units, is in parser.h.

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "sql/ast.h"

namespace laminar::sql {

enum class IntervalUnit {
  kNanosecond,
  kMicrosecond,
  kMillisecond,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kQuarter,
  kYear
};

/// `minute`, `minutes`, `min`, `m` …, any case; nullopt when it is no unit. `m` is a minute.
std::optional<IntervalUnit> ParseIntervalUnit(std::string_view word);

/// True for units spelt out (MINUTE, MINUTES …), which may follow an interval's string; short ones (`m`) may
/// be aliases.
bool IsLongIntervalUnit(std::string_view word);

/// The string in front of the qualifier `from [TO to]`: '5' MINUTE, '1.5' HOUR, '1-2' YEAR TO MONTH, '1
/// 02:03:04' DAY TO SECOND.
IntervalValue ParseQualifiedInterval(std::string_view text, IntervalUnit from, std::optional<IntervalUnit> to,
                                     SourceSpan span);

/// True when `text` is one signed number without a unit.
bool IsBareNumber(std::string_view text);

/// '1 month 2 days 3 seconds 4 microseconds', parsed back by ParseIntervalText; '0 seconds' when all is zero.
std::string IntervalText(const IntervalValue& interval);

}  // namespace laminar::sql
