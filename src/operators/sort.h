#pragma once

/// ORDER BY: per window, rows go out in order when the window closes; without windows (bounded input only),
/// at the end of input. Runs in one subtask, so that the order holds downstream.

#include <memory>
#include <vector>

#include "runtime/operator.h"
#include "types/row_codec.h"

namespace laminar {

struct SortOptions {
  Schema input;
  std::vector<int> order_columns;
  std::vector<SortColumn> order;
  bool per_window = false;
  int window_start = -1, window_end = -1;
};

std::unique_ptr<Operator> MakeSort(SortOptions options);

}  // namespace laminar
