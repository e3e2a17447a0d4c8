#pragma once

/// Row times for the windowed operators.

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/metrics.h"
#include "operators/row_times.h"
#include "state/snapshot.h"

namespace laminar {

/// Microseconds of a TIMESTAMP column (µs or ns, floored). Rows that are NULL are left out: `rows` gets the
/// others when there are some, and stays empty otherwise. `times`: by row.
void ReadTimes(const arrow::Array& column, std::vector<int64_t>* times, std::vector<int32_t>* rows,
               bool* has_nulls);
/// A TIMESTAMP column of `times`, and one of `count` equal times.
std::shared_ptr<arrow::Array> TimestampColumn(const std::vector<int64_t>& times);
std::shared_ptr<arrow::Array> TimestampColumn(int64_t time, int64_t count);

/// Rows of a batch whose window (its end by row; NULL: none) is still open; the others count as late.
std::vector<int32_t> RowsOfOpenWindows(const RowTimes& ends, int64_t num_rows, int64_t watermark_us,
                                       OperatorMetrics* metrics);
/// Windows that end before this are closed.
int64_t FirstOpenEnd(int64_t watermark_us);

/// The watermark of a windowed operator as part of its state, in table "progress". All subtasks write the
/// same entry, so only for operators behind a shuffle, whose subtasks stand at the same watermark at a
/// barrier.
inline constexpr char kProgressTable[] = "progress";
StateTableSpec ProgressTable(std::string layout = "-> TIMESTAMP");
void SnapshotProgress(SnapshotWriter& writer, int64_t watermark_us);
/// kMinWatermark when the snapshot has none, or was taken after the end.
int64_t RestoreProgress(const SnapshotReader& reader);

}  // namespace laminar
