#pragma once

/// Intervals as SQL writes them: `5 minutes`, `1 day 02:00:00`, `1-2`, `PT5S`.

#include <optional>
#include <string_view>

#include "types/timestamp_text.h"

namespace laminar {

/// Reads any of: amounts with units (`1 hour 30 minutes`, `-2d`, `1.5 seconds`; units from µs to year,
/// singular, plural or short), a time part `[-]HH:MM[:SS[.f]]`, `Y-M` (years and months), ISO 8601
/// (`P1DT2H`). nullopt: not an interval, or out of range. A bare number is none: it has no unit.
std::optional<IntervalText> ParseInterval(std::string_view text);

/// How long one of a unit is. `unit` in any case: `MINUTE`, `minutes`, `min`, `m`. nullopt: no such unit.
std::optional<IntervalText> IntervalUnit(std::string_view unit);

}  // namespace laminar
