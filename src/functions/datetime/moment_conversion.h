#pragma once

/// Moments from and to MomentParts. Include only from .cc files.

#include <optional>

#include "functions/datetime/calendar.h"
#include "functions/datetime/time_pattern.h"

namespace laminar {

inline MomentParts PartsOfTicks(int64_t ticks, int64_t ticks_per_second) {
  return {FloorDivide(ticks, ticks_per_second),
          static_cast<int32_t>(FloorModulo(ticks, ticks_per_second) * (kSecondNs / ticks_per_second))};
}

inline std::optional<int64_t> MicrosOfParts(const MomentParts& moment) {
  const auto micros = CheckedMultiply(moment.seconds, 1'000'000);
  return micros ? CheckedAdd(*micros, moment.nanos / 1000) : std::nullopt;
}

}  // namespace laminar
