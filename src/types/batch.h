#pragma once

/// What flows between operators: columns of equal length, and optionally a weight per row.
///
/// No weights means that every row is an insert (+1), and that path costs nothing. With weights a row counts
/// `weight` times: −1 takes back a row that was sent before with the very same values (a Z-set). Joins
/// multiply weights, aggregates add them.

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "types/type.h"

namespace laminar {

/// Where in a split the bytes of a batch of payloads begin, to tell a user where a bad record stands.
struct BatchOrigin {
  std::string split;  ///< its name: a path, say
  int64_t byte;       ///< of the (uncompressed) split
};

struct Batch {
  int64_t num_rows = 0;
  std::vector<std::shared_ptr<arrow::Array>> columns;  ///< each [num_rows], never null pointers
  std::shared_ptr<arrow::Int32Array> weights;  ///< [num_rows] without nulls or zeros; null pointer: all +1
  /// Source split that all rows come from; −1 once rows of several splits may be mixed. Read by the watermark
  /// generator.
  int32_t split = -1;
  /// Of a batch of one payload, on its way to the decoder; else null.
  std::shared_ptr<const BatchOrigin> origin = nullptr;

  bool empty() const { return num_rows == 0; }
  int32_t weight(int64_t row) const;
};

/// Rows [offset, offset + length). Shares memory.
Batch Slice(const Batch& batch, int64_t offset, int64_t length);
/// Rows at `indices` (int32, no nulls, in range), in that order. Copies.
Batch Take(const Batch& batch, const std::shared_ptr<arrow::Int32Array>& indices);
/// Same over raw indices.
Batch Take(const Batch& batch, const std::vector<int32_t>& indices);
/// One batch of all rows in order; all must have the same column types. `batches` must not be empty.
Batch Concat(const std::vector<Batch>& batches);
/// Bytes of the buffers that the rows reach (an estimate for slices); used to bound channels.
int64_t ByteSize(const Batch& batch);
/// A batch with no rows.
Batch EmptyBatch(const Schema& schema);

/// Moves rows in and out of Arrow's own container (formats, tests). Weights are not carried.
std::shared_ptr<arrow::RecordBatch> ToRecordBatch(const Batch& batch, const Schema& schema);
Batch FromRecordBatch(const arrow::RecordBatch& rows);

/// Weights from a plain vector.
std::shared_ptr<arrow::Int32Array> MakeWeights(const std::vector<int32_t>& weights);

}  // namespace laminar
