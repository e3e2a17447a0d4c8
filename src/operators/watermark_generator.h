#pragma once

/// Makes watermarks from row times: per split the highest value seen, over the splits their minimum, idle
/// ones left out. Consumes the split events of the source. Rows stay as they are, except those without a
/// usable row time. A watermark that the source itself sends counts too: the higher of both goes on.
///
/// State: the highest value per split and its idleness, so that a restored job goes on from the same
/// watermark.

#include <cstdint>
#include <memory>
#include <string>

#include "functions/expression.h"
#include "operators/bad_records.h"
#include "runtime/operator.h"

namespace laminar {

struct WatermarkOptions {
  int time_column = 0;  ///< the row time, TIMESTAMP of any precision; NULL makes a bad record
  /// TIMESTAMP over the input row, whose highest value is the watermark (NULLs are passed over); null
  /// pointer: row time − `delay_us`.
  ExpressionPtr watermark = nullptr;
  int64_t delay_us = 0;
  int64_t idle_time_us = 300'000'000;  ///< a split without rows for so long is left out; ≤ 0: never
  int64_t max_future_skew_us = 0;      ///< rows further ahead of the clock are bad records; ≤ 0: off
  BadDataPolicy bad_data = BadDataPolicy::kFail;
  std::string source_name = {};  ///< for messages and dead letters (output kDeadLetterOutput)
};

std::unique_ptr<Operator> MakeWatermarkGenerator(WatermarkOptions options);

}  // namespace laminar
