#pragma once

/// Gives each row the windows that it lies in: a row per window (several for HOP and CUMULATE), with
/// window_start, window_end and window_time (end − 1 ms) behind its columns. Rows all of whose windows have
/// closed are late: counted and dropped.

#include <cstdint>
#include <memory>

#include "runtime/operator.h"

namespace laminar {

struct WindowAssignOptions {
  Schema input;
  int time_column = 0;  ///< TIMESTAMP (µs or ns); NULL rows are dropped and counted as bad
  int64_t size_us = 0;
  int64_t slide_us = 0;  ///< TUMBLE: equal to size
  int64_t offset_us = 0;
  bool cumulate = false;         ///< slide is the step: windows of one start that grow to size
  bool processing_time = false;  ///< the time is the clock's, not the column's
};

std::unique_ptr<Operator> MakeWindowAssign(WindowAssignOptions options);

}  // namespace laminar
