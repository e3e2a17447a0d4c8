#pragma once

/// Keeps the first row of each key, append-only input and output.
///
/// By arrival (SELECT DISTINCT): a key's first row goes out at once. By row time (ROW_NUMBER() OVER
/// (PARTITION BY k ORDER BY rowtime) = 1): the earliest row, ties by arrival, goes out when the watermark has
/// passed it, so that a row that comes later with an earlier time still wins; then the key is closed and
/// later rows of it are dropped.

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/operator.h"

namespace laminar {

struct DeduplicateOptions {
  Schema input;
  std::vector<int> keys;  ///< empty: one key for all rows
  int time_column = -1;   ///< TIMESTAMP µs; −1: by arrival
  int64_t ttl_us = 0;     ///< forget keys untouched for longer (processing time); 0: never
};

std::unique_ptr<Operator> MakeDeduplicate(DeduplicateOptions options);

}  // namespace laminar
