#pragma once

/// The rows of each key whose rank is in [from, to], by an order of columns, ties in arrival order.
///
/// Updating: emits the fewest changes that turn the last emitted state into the new one, netted per flush;
/// keeps rows beyond `to` only for input that can retract. Per window: rows of a window are ranked when it
/// closes (watermark ≥ end) and appended in rank order; state of the window is freed at once. ROW_NUMBER
/// keeps n rows; RANK and DENSE_RANK keep ties.

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/operator.h"
#include "types/row_codec.h"

namespace laminar {

enum class RankFunction { kRowNumber, kRank, kDenseRank };

struct TopNOptions {
  Schema input;
  bool input_changelog = false;
  std::vector<int> keys;  ///< PARTITION BY; per window: without its start and end
  std::vector<int> order_columns;
  std::vector<SortColumn> order;  ///< [order_columns]
  RankFunction rank = RankFunction::kRowNumber;
  int64_t from = 1;
  int64_t to = 1;
  bool emit_rank = false;  ///< BIGINT, behind the input's columns
  bool per_window = false;
  int window_start = -1, window_end = -1;  ///< columns, per window only
  int64_t ttl_us = 0;                      ///< updating only
};

std::unique_ptr<Operator> MakeTopN(TopNOptions options);

}  // namespace laminar
