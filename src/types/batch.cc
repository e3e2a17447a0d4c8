#include "types/batch.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>

#include "base/arrow_result.h"
#include "types/gather.h"

namespace laminar {

int32_t Batch::weight(int64_t row) const { return weights ? weights->Value(row) : 1; }

Batch Slice(const Batch& batch, int64_t offset, int64_t length) {
  if (offset == 0 && length == batch.num_rows) return batch;
  Batch out;
  out.num_rows = length;
  out.split = batch.split;
  out.columns.reserve(batch.columns.size());
  for (const auto& column : batch.columns) out.columns.push_back(column->Slice(offset, length));
  if (batch.weights)
    out.weights = std::static_pointer_cast<arrow::Int32Array>(batch.weights->Slice(offset, length));
  return out;
}

namespace {

Batch TakeRows(const Batch& batch, const int32_t* rows, int64_t n) {
  Batch out;
  out.num_rows = n;
  out.split = batch.split;
  out.columns.reserve(batch.columns.size());
  for (const auto& column : batch.columns) out.columns.push_back(Gather(column, rows, n));
  if (batch.weights)
    out.weights = std::static_pointer_cast<arrow::Int32Array>(Gather(batch.weights, rows, n));
  return out;
}

}  // namespace

Batch Take(const Batch& batch, const std::shared_ptr<arrow::Int32Array>& indices) {
  return TakeRows(batch, indices->raw_values(), indices->length());
}

Batch Take(const Batch& batch, const std::vector<int32_t>& indices) {
  return TakeRows(batch, indices.data(), static_cast<int64_t>(indices.size()));
}

Batch Concat(const std::vector<Batch>& batches) {
  LAMINAR_CHECK(!batches.empty(), "Concat of nothing");
  if (batches.size() == 1) return batches[0];
  Batch out;
  bool weighted = false;
  out.split = batches[0].split;
  for (const Batch& batch : batches) {
    out.num_rows += batch.num_rows;
    weighted = weighted || batch.weights != nullptr;
    if (batch.split != out.split) out.split = -1;
  }
  for (size_t column = 0; column < batches[0].columns.size(); ++column) {
    arrow::ArrayVector parts;
    for (const Batch& batch : batches) parts.push_back(batch.columns[column]);
    out.columns.push_back(OrThrow(arrow::Concatenate(parts), "concatenate"));
  }
  if (weighted) {
    std::vector<int32_t> weights;
    weights.reserve(static_cast<size_t>(out.num_rows));
    for (const Batch& batch : batches) {
      for (int64_t row = 0; row < batch.num_rows; ++row) weights.push_back(batch.weight(row));
    }
    out.weights = MakeWeights(weights);
  }
  return out;
}

int64_t ByteSize(const Batch& batch) {
  int64_t bytes = 64;
  for (const auto& column : batch.columns) {
    const auto size = arrow::util::ReferencedBufferSize(*column);
    bytes += size.ok() ? *size : batch.num_rows * 8;
  }
  if (batch.weights) bytes += batch.num_rows * 4;
  return bytes;
}

Batch EmptyBatch(const Schema& schema) {
  Batch out;
  for (const Field& field : schema.fields) {
    out.columns.push_back(OrThrow(arrow::MakeEmptyArray(field.type.arrow_type()), "empty array"));
  }
  return out;
}

std::shared_ptr<arrow::RecordBatch> ToRecordBatch(const Batch& batch, const Schema& schema) {
  return arrow::RecordBatch::Make(schema.arrow_schema(), batch.num_rows, batch.columns);
}

Batch FromRecordBatch(const arrow::RecordBatch& rows) {
  Batch out;
  out.num_rows = rows.num_rows();
  out.columns = rows.columns();
  return out;
}

std::shared_ptr<arrow::Int32Array> MakeWeights(const std::vector<int32_t>& weights) {
  auto buffer =
      OrThrow(arrow::AllocateBuffer(static_cast<int64_t>(weights.size() * sizeof(int32_t))), "allocate");
  std::copy(weights.begin(), weights.end(), reinterpret_cast<int32_t*>(buffer->mutable_data()));
  return std::make_shared<arrow::Int32Array>(static_cast<int64_t>(weights.size()),
                                             std::shared_ptr<arrow::Buffer>(std::move(buffer)));
}

}  // namespace laminar
