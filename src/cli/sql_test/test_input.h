#pragma once

/// Inputs of a SQL test: what the steps have given so far, which survives restarts of the job; and the source
/// that reads it.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/source.h"
#include "types/batch.h"

namespace laminar::cli {

struct InputEvent {
  enum class Kind { kRows, kWatermark, kIdle, kEnd };
  Kind kind;
  Batch rows;
  int64_t watermark_us = 0;
};

struct InputLog {
  Schema columns;  ///< set when the plan is made
  std::vector<InputEvent> events;
  int64_t batch_rows = 8192;
  std::function<void()> wake;  ///< call after adding events; set by the source when it opens
};

/// Reads `log` from its position on; waits for more at its end.
std::unique_ptr<Source> MakeLogSource(std::shared_ptr<InputLog> log);

}  // namespace laminar::cli
