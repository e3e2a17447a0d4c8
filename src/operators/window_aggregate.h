#pragma once

/// GROUP BY with a window. Input is append-only; each window's groups are sent once, when the watermark
/// reaches its end.
///
/// Rows go to panes, the largest pieces of time that no window cuts, so that a row costs the same whatever
/// the overlap; a window is the merge of its panes. A pane is dropped whole with the last window that holds
/// it. Sessions are kept per key and merged as rows close the gaps between them.

#include <memory>
#include <vector>

#include "operators/accumulator_set.h"
#include "operators/window_spec.h"
#include "runtime/operator.h"

namespace laminar {

struct WindowAggregateOptions {
  Schema input;
  std::vector<int> keys;  ///< columns to group by, without the window's
  std::vector<AggregateSpec> calls;
  WindowSpec window;
  int time_column = -1;   ///< TIMESTAMP of the row; unused for processing time and kFromColumns
  int start_column = -1;  ///< kFromColumns: TIMESTAMPs of the row's window
  int end_column = -1;
};

/// Output: the key columns, one column per call, window_start and window_end (TIMESTAMP). Windows come in the
/// order of their ends, then the watermark. Input must be partitioned by the keys; for kFromColumns without
/// keys by the start column, or not at all. Rows whose windows have all closed are dropped and counted in
/// `late_rows`; rows without time in `bad_records`.
std::unique_ptr<Operator> MakeWindowAggregate(WindowAggregateOptions options);

}  // namespace laminar
