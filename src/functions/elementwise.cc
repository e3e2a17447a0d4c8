#include "functions/elementwise.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/memory_pool.h>
#include <arrow/util/bitmap_ops.h>

#include "base/error.h"

namespace laminar {

namespace {

template <typename T>
T Must(arrow::Result<T> result) {
  LAMINAR_CHECK(result.ok(), result.status().ToString());
  return std::move(result).MoveValueUnsafe();
}

void CopyBits(const uint8_t* from, int64_t offset, int64_t bits, uint8_t* to) {
  arrow::internal::CopyBitmap(from, offset, bits, to, 0);
}

}  // namespace

ColumnView::ColumnView(const arrow::Datum& argument) {
  if (argument.is_scalar()) {
    data_ = Must(arrow::MakeArrayFromScalar(*argument.scalar(), 1))->data();
    stride_ = 0;
  } else {
    data_ = argument.array();
  }
  Init();
}

void ColumnView::Init() {
  all_null_ = data_->type->id() == arrow::Type::NA;
  if (!all_null_ && !data_->buffers.empty() && data_->buffers[0] && data_->GetNullCount() > 0) {
    valid_ = data_->buffers[0]->data();
  }
}

std::shared_ptr<arrow::Buffer> AllocateBytes(int64_t bytes) {
  return Must(arrow::AllocateBuffer(bytes, arrow::default_memory_pool()));
}

std::shared_ptr<arrow::Buffer> AllocateBits(int64_t bits, bool value) {
  auto buffer = AllocateBytes(arrow::bit_util::BytesForBits(bits));
  std::memset(buffer->mutable_data(), value ? 0xFF : 0, static_cast<size_t>(buffer->size()));
  return buffer;
}

CallShape ShapeOf(const std::vector<arrow::Datum>& args, int64_t num_rows) {
  CallShape shape;
  shape.rows = num_rows;
  uint8_t* own = nullptr;
  for (const arrow::Datum& arg : args) {
    if (arg.is_scalar()) {
      if (!arg.scalar()->is_valid) shape.all_null = true;
      continue;
    }
    shape.constant = false;
    const arrow::ArrayData& data = *arg.array();
    if (data.type->id() == arrow::Type::NA) shape.all_null = true;
    if (shape.all_null || data.GetNullCount() == 0) continue;
    if (!shape.valid) {
      shape.valid = AllocateBits(num_rows, false);
      own = shape.valid->mutable_data();
      CopyBits(data.buffers[0]->data(), data.offset, num_rows, own);
    } else {
      arrow::internal::BitmapAnd(own, 0, data.buffers[0]->data(), data.offset, num_rows, 0, own);
    }
  }
  if (shape.constant) shape.rows = 1;
  return shape;
}

arrow::Datum FinishColumn(const CallShape& shape, const std::shared_ptr<arrow::DataType>& type,
                          std::shared_ptr<arrow::Buffer> valid,
                          std::vector<std::shared_ptr<arrow::Buffer>> buffers) {
  const int64_t nulls = valid ? arrow::kUnknownNullCount : 0;
  buffers.insert(buffers.begin(), std::move(valid));
  auto data = arrow::ArrayData::Make(type, shape.rows, std::move(buffers), nulls);
  if (!shape.constant) return data;
  return Must(arrow::MakeArray(data)->GetScalar(0));
}

arrow::Result<arrow::Datum> FinishArray(const CallShape& shape, const std::shared_ptr<arrow::Array>& array) {
  if (!shape.constant) return array;
  ARROW_ASSIGN_OR_RAISE(auto scalar, array->GetScalar(0));
  return arrow::Datum(std::move(scalar));
}

arrow::Datum NullDatum(const std::shared_ptr<arrow::DataType>& type) { return arrow::MakeNullScalar(type); }

void ValidityWriter::MakeOwn() {
  auto own = AllocateBits(rows_, true);
  if (buffer_) std::memcpy(own->mutable_data(), buffer_->data(), static_cast<size_t>(own->size()));
  buffer_ = std::move(own);
  bits_ = buffer_->mutable_data();
}

TextWriter::TextWriter(int64_t rows, int64_t bytes_hint)
    : offsets_(AllocateBytes((rows + 1) * 4)),
      bytes_(Must(arrow::AllocateResizableBuffer(std::max<int64_t>(bytes_hint, 64)))),
      next_offset_(reinterpret_cast<int32_t*>(offsets_->mutable_data())),
      data_(reinterpret_cast<char*>(bytes_->mutable_data())),
      capacity_(static_cast<size_t>(bytes_->size())) {
  *next_offset_++ = 0;
}

void TextWriter::Grow(size_t bytes) {
  const size_t wanted = std::max(bytes, capacity_ * 2);
  const arrow::Status status = bytes_->Resize(static_cast<int64_t>(wanted), /*shrink_to_fit=*/false);
  LAMINAR_CHECK(status.ok(), status.ToString());
  data_ = reinterpret_cast<char*>(bytes_->mutable_data());
  capacity_ = wanted;
}

void TextWriter::AppendCodePoint(uint32_t c) {
  char* to = Reserve(4);
  if (c < 0x80) {
    to[0] = static_cast<char>(c);
    size_ += 1;
  } else if (c < 0x800) {
    to[0] = static_cast<char>(0xC0 | (c >> 6));
    to[1] = static_cast<char>(0x80 | (c & 0x3F));
    size_ += 2;
  } else if (c < 0x10000) {
    to[0] = static_cast<char>(0xE0 | (c >> 12));
    to[1] = static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    to[2] = static_cast<char>(0x80 | (c & 0x3F));
    size_ += 3;
  } else {
    to[0] = static_cast<char>(0xF0 | (c >> 18));
    to[1] = static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    to[2] = static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    to[3] = static_cast<char>(0x80 | (c & 0x3F));
    size_ += 4;
  }
}

arrow::Result<std::vector<std::shared_ptr<arrow::Buffer>>> TextWriter::Finish() {
  if (size_ > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    return arrow::Status::Invalid("a text result of one batch is ", size_, " bytes: more than 2 GiB");
  }
  ARROW_RETURN_NOT_OK(bytes_->Resize(static_cast<int64_t>(size_), /*shrink_to_fit=*/false));
  return std::vector<std::shared_ptr<arrow::Buffer>>{offsets_,
                                                     std::shared_ptr<arrow::Buffer>(std::move(bytes_))};
}

}  // namespace laminar
