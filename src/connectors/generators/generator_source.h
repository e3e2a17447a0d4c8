#pragma once

/// A source of made-up rows: counters as positions, rates by the clock. nexmark, impulse and datagen supply
/// the rows.

#include <cstdint>
#include <functional>
#include <memory>

#include "runtime/source.h"
#include "types/batch.h"

namespace laminar {

/// Which rows to make: `rows` of them from `counter` on, of generator `split` of `splits`.
struct RowRange {
  int split = 0;
  int splits = 1;
  int64_t counter = 0;  ///< of the first row, from 0 within the split
  int64_t rows = 0;
  int64_t start_us = 0;  ///< wall clock at which the split was first started; the same after a restore
  int64_t now_us = 0;
};

/// Makes rows as a pure function of the range (but for `now_us`), so that a restored job repeats itself. One
/// per subtask.
class RowGenerator {
 public:
  virtual ~RowGenerator() = default;
  virtual Batch Generate(const RowRange& range) = 0;
};

struct GeneratorSpec {
  std::function<std::unique_ptr<RowGenerator>()> make;
  double rows_per_second = 0;  ///< over all subtasks; 0: as fast as they are taken
  /// How many rows split `split` of `splits` makes; empty: without end.
  std::function<int64_t(int split, int splits)> row_count;
  int64_t runtime_us = 0;  ///< > 0: ends after this time, however many rows that were
};

/// There are as many splits as subtasks at the first start; a restored job with another parallelism keeps
/// them and deals them out anew. State: "<split>/<splits>" → "<counter> <start_us>".
std::unique_ptr<Source> MakeGeneratorSource(GeneratorSpec spec);

/// Rows of one of `splits` that share `total` row by row.
int64_t ShareOf(int64_t total, int split, int splits);

}  // namespace laminar
