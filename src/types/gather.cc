#include "types/gather.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include <cstring>
#include <limits>
#include <utility>

#include "base/arrow_result.h"

namespace laminar {

namespace {

using arrow::ArrayData;
using BufferPtr = std::shared_ptr<arrow::Buffer>;

BufferPtr Allocate(int64_t bytes) { return BufferPtr(OrThrow(arrow::AllocateBuffer(bytes), "gather")); }

/// Bits at `offset` + rows, as a new bitmap. `ones` is how many are set.
BufferPtr GatherBits(const uint8_t* bits, int64_t offset, const int32_t* rows, int64_t n, int64_t* ones) {
  BufferPtr out = Allocate(arrow::bit_util::BytesForBits(n));
  uint8_t* bytes = out->mutable_data();
  std::memset(bytes, 0, static_cast<size_t>(out->size()));
  int64_t count = 0;
  for (int64_t i = 0; i < n; ++i) {
    const bool set = arrow::bit_util::GetBit(bits, offset + rows[i]);
    bytes[i >> 3] = static_cast<uint8_t>(bytes[i >> 3] | (set << (i & 7)));
    count += set;
  }
  *ones = count;
  return out;
}

struct Bytes16 {
  uint64_t low, high;
};

template <typename T>
BufferPtr GatherFixed(const ArrayData& data, const int32_t* rows, int64_t n) {
  BufferPtr out = Allocate(n * static_cast<int64_t>(sizeof(T)));
  const T* from = reinterpret_cast<const T*>(data.buffers[1]->data()) + data.offset;
  T* to = reinterpret_cast<T*>(out->mutable_data());
  for (int64_t i = 0; i < n; ++i) to[i] = from[rows[i]];
  return out;
}

/// Offsets and bytes of text; false when the bytes do not fit one array.
bool GatherText(const ArrayData& data, const int32_t* rows, int64_t n, BufferPtr* offsets, BufferPtr* bytes) {
  const int32_t* from = data.GetValues<int32_t>(1);
  *offsets = Allocate((n + 1) * static_cast<int64_t>(sizeof(int32_t)));
  auto* to = reinterpret_cast<int32_t*>((*offsets)->mutable_data());
  int64_t total = 0;
  for (int64_t i = 0; i < n; ++i) {
    to[i] = static_cast<int32_t>(total);
    total += from[rows[i] + 1] - from[rows[i]];
    if (total > std::numeric_limits<int32_t>::max()) return false;
  }
  to[n] = static_cast<int32_t>(total);
  *bytes = Allocate(total);
  if (total == 0) return true;
  const uint8_t* source = data.buffers[2]->data();
  uint8_t* target = (*bytes)->mutable_data();
  for (int64_t i = 0; i < n; ++i) {
    std::memcpy(target + to[i], source + from[rows[i]], static_cast<size_t>(to[i + 1] - to[i]));
  }
  return true;
}

/// The value buffers of `out`; false for types and sizes that are left to Arrow.
bool GatherValues(const ArrayData& data, const int32_t* rows, int64_t n, ArrayData* out) {
  int64_t ones;
  switch (data.type->id()) {
    case arrow::Type::BOOL:
      out->buffers.push_back(GatherBits(data.buffers[1]->data(), data.offset, rows, n, &ones));
      return true;
    case arrow::Type::STRING:
    case arrow::Type::BINARY: {
      BufferPtr offsets, bytes;
      if (!GatherText(data, rows, n, &offsets, &bytes)) return false;
      out->buffers.push_back(std::move(offsets));
      out->buffers.push_back(std::move(bytes));
      return true;
    }
    case arrow::Type::NA:
    case arrow::Type::DICTIONARY:
    case arrow::Type::EXTENSION:
      return false;
    default:
      break;
  }
  if (data.buffers.size() != 2 || !data.child_data.empty()) return false;
  switch (data.type->bit_width()) {
    case 8:
      out->buffers.push_back(GatherFixed<uint8_t>(data, rows, n));
      return true;
    case 16:
      out->buffers.push_back(GatherFixed<uint16_t>(data, rows, n));
      return true;
    case 32:
      out->buffers.push_back(GatherFixed<uint32_t>(data, rows, n));
      return true;
    case 64:
      out->buffers.push_back(GatherFixed<uint64_t>(data, rows, n));
      return true;
    case 128:
      out->buffers.push_back(GatherFixed<Bytes16>(data, rows, n));
      return true;
    default:
      return false;
  }
}

}  // namespace

std::shared_ptr<arrow::Array> Gather(const std::shared_ptr<arrow::Array>& column, const int32_t* rows,
                                     int64_t n) {
  const ArrayData& data = *column->data();
  if (n > 0 && data.buffers.size() >= 2 && data.buffers[1]) {
    auto out = std::make_shared<ArrayData>(data.type, n, 0);
    BufferPtr valid;
    if (column->null_count() > 0) {
      int64_t ones;
      valid = GatherBits(data.buffers[0]->data(), data.offset, rows, n, &ones);
      out->null_count = n - ones;
    }
    out->buffers.push_back(std::move(valid));
    if (GatherValues(data, rows, n, out.get())) return arrow::MakeArray(out);
  }
  const arrow::Int32Array indices(
      n, std::make_shared<arrow::Buffer>(reinterpret_cast<const uint8_t*>(rows), n * 4));
  return OrThrow(arrow::compute::Take(*column, indices, arrow::compute::TakeOptions::NoBoundsCheck()),
                 "take");
}

}  // namespace laminar
