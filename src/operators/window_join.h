#pragma once

/// Joins two windowed inputs window by window: rows are kept until the watermark reaches their window's end,
/// then all rows of the window that have equal keys meet at once, and the window is let go. The output is
/// append-only.

#include <memory>

#include "operators/join_rows.h"
#include "runtime/operator.h"

namespace laminar {

struct WindowJoinOptions {
  JoinSpec join;  ///< any kind; the window's columns (start and end, or the struct) are among the keys
  int left_window = 0,
      right_window = 0;  ///< the window's end (TIMESTAMP µs), or the window itself (STRUCT<start, end>)
  /// The inputs are distributed over subtasks by the first so many keys; 0: by all. State belongs to their
  /// key groups.
  int distribution_keys = 0;
};

std::unique_ptr<Operator> MakeWindowJoin(WindowJoinOptions options);

}  // namespace laminar
