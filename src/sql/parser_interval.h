#pragma once

/// Interval literals: texts such as '1 day 02:00:00' to exact months, days and microseconds.

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "sql/ast.h"

namespace laminar::sql {

enum class IntervalUnit { kNanosecond, kMicrosecond, kMillisecond, kSecond, kMinute, kHour, kDay, kWeek, kMonth, kQuarter, kYear };

/// `minute`, `minutes`, `min`, `m` …, any case; nullopt when it is no unit. `m` is a minute.
std::optional<IntervalUnit> ParseIntervalUnit(std::string_view word);

/// True for units spelt out (MINUTE, MINUTES …), which may follow an interval's string; short ones (`m`) may be aliases.
bool IsLongIntervalUnit(std::string_view word);

/// `text` with a unit behind each number: '5 minutes', '1h30m', '1 day 02:00:00', '-2 hours', '1-2' (years-months).
/// Throws UserError BAD_INTERVAL at `span`.
IntervalValue ParseIntervalText(std::string_view text, SourceSpan span);

/// The string of INTERVAL '…' FROM [TO to]: '5' MINUTE, '1.5' HOUR, '1-2' YEAR TO MONTH, '1 02:03:04' DAY TO SECOND.
IntervalValue ParseQualifiedInterval(std::string_view text, IntervalUnit from, std::optional<IntervalUnit> to, SourceSpan span);

/// True when `text` is one signed number without a unit.
bool IsBareNumber(std::string_view text);

/// '1 month 2 days 3 seconds 4 microseconds', parsed back by ParseIntervalText; '0 seconds' when all is zero.
std::string IntervalText(const IntervalValue& interval);

}  // namespace laminar::sql
