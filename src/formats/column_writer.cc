#include "formats/column_writer.h"

#include <arrow/array.h>
#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#include <algorithm>
#include <bit>

#include "base/arrow_result.h"

namespace laminar {

namespace {

int WidthOf(TypeId id) {
  switch (id) {
    case TypeId::kBoolean:
    case TypeId::kInt8:
    case TypeId::kUInt8:
      return 1;
    case TypeId::kInt16:
    case TypeId::kUInt16:
      return 2;
    case TypeId::kInt32:
    case TypeId::kUInt32:
    case TypeId::kFloat:
    case TypeId::kDate:
      return 4;
    case TypeId::kInt64:
    case TypeId::kUInt64:
    case TypeId::kDouble:
    case TypeId::kTime:
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      return 8;
    case TypeId::kDecimal:
    case TypeId::kInterval:
      return 16;
    default:
      return 0;
  }
}

void Grow(std::shared_ptr<arrow::ResizableBuffer>* buffer, int64_t bytes) {
  if (!*buffer) {
    *buffer = OrThrow(arrow::AllocateResizableBuffer(bytes), "allocate a column");
  } else {
    OrThrow((*buffer)->Resize(bytes, /*shrink_to_fit=*/false), "grow a column");
  }
}

/// Bits of `bytes[0..count)`, each 0 or 1.
std::shared_ptr<arrow::Buffer> PackBits(const uint8_t* bytes, int64_t count) {
  auto bits = OrThrow(arrow::AllocateBuffer((count + 7) / 8), "allocate bits");
  uint8_t* out = bits->mutable_data();
  int64_t i = 0;
  if constexpr (std::endian::native == std::endian::little) {
    // The product moves byte k of the word to bit 56 + k.
    for (; i + 8 <= count; i += 8) {
      uint64_t word;
      std::memcpy(&word, bytes + i, 8);
      out[i / 8] = static_cast<uint8_t>((word * 0x0102040810204080) >> 56);
    }
  }
  for (; i < count; i += 8) {
    uint8_t packed = 0;
    for (int64_t k = 0; k < 8 && i + k < count; ++k) packed |= static_cast<uint8_t>(bytes[i + k] << k);
    out[i / 8] = packed;
  }
  return bits;
}

}  // namespace

ColumnWriter::ColumnWriter(const Type& type, bool nullable)
    : type_(type),
      id_(type.id()),
      nullable_(nullable),
      width_(WidthOf(type.id())),
      arrow_type_(type.arrow_type()) {
  if (id_ == TypeId::kStruct) {
    for (const Field& field : type.fields())
      children_.push_back(std::make_unique<ColumnWriter>(field.type, field.nullable));
  } else if (id_ == TypeId::kArray) {
    children_.push_back(std::make_unique<ColumnWriter>(type.element()));
  } else if (id_ == TypeId::kMap) {
    children_.push_back(std::make_unique<ColumnWriter>(type.key(), false));
    children_.push_back(std::make_unique<ColumnWriter>(type.element()));
  }
}

ColumnWriter::~ColumnWriter() = default;

bool ColumnWriter::has_offsets() const {
  return id_ == TypeId::kText || id_ == TypeId::kBytes || id_ == TypeId::kJson || id_ == TypeId::kArray ||
         id_ == TypeId::kMap;
}

void ColumnWriter::GrowRows(int64_t rows) {
  capacity_ = capacity_ == 0 ? std::max<int64_t>(rows, 16) : std::max(rows, capacity_ * 2);
  valid_bytes_.resize(std::max(valid_bytes_.size(), static_cast<size_t>(capacity_)));
  valid_ = valid_bytes_.data();
  if (width_ > 0) {
    Grow(&values_buffer_, capacity_ * width_);
    values_ = values_buffer_->mutable_data();
  }
  if (has_offsets()) {
    Grow(&offsets_buffer_, (capacity_ + 1) * 4);
    offsets_ = reinterpret_cast<int32_t*>(offsets_buffer_->mutable_data());
    if (length_ == 0) offsets_[0] = 0;
  }
  if (id_ == TypeId::kStruct) {
    for (auto& child : children_) child->ReserveRows(capacity_);
  }
}

void ColumnWriter::GrowData(int64_t bytes) {
  const int64_t wanted = data_size_ + bytes + kSlack;
  const int64_t guess = data_capacity_ == 0 ? data_expected_ + data_expected_ / 8 + 1024 : data_capacity_ * 2;
  data_capacity_ = std::max(wanted, guess);
  Grow(&data_buffer_, data_capacity_);
  data_ = reinterpret_cast<char*>(data_buffer_->mutable_data());
}

void ColumnWriter::AppendNulls(int64_t count) {
  // Zeros below nulls: what lies there is never read, but should not depend on what the memory held before.
  std::memset(valid_ + length_, 0, static_cast<size_t>(count));
  if (width_ > 0) std::memset(values_ + length_ * width_, 0, static_cast<size_t>(count * width_));
  if (offsets_ != nullptr) std::fill_n(offsets_ + length_ + 1, count, offsets_[length_]);
  length_ += count;
}

void ColumnWriter::LevelChildren() {
  for (auto& child : children_) {
    if (child->length_ < length_) child->AppendNulls(length_ - child->length_);
    if (child->length_ > length_) child->Rewind(length_);
  }
}

void ColumnWriter::Rewind(int64_t length) {
  if (length >= length_ && id_ != TypeId::kStruct && !has_offsets()) return;
  length_ = std::min(length, length_);
  if (id_ == TypeId::kStruct) {
    // Also where the child itself is short enough: a record may have failed half way through the child's own
    // children.
    for (auto& child : children_) child->Rewind(length_);
  } else if (id_ == TypeId::kArray || id_ == TypeId::kMap) {
    const int64_t elements = offsets_ == nullptr ? 0 : offsets_[length_];
    for (auto& child : children_) child->Rewind(elements);
  } else if (has_offsets()) {
    data_size_ = offsets_ == nullptr ? 0 : offsets_[length_];
  }
}

std::shared_ptr<arrow::Buffer> ColumnWriter::PackValidity(int64_t* null_count) const {
  int64_t values = 0;
  for (int64_t i = 0; i < length_; ++i) values += valid_[i];
  *null_count = length_ - values;
  return *null_count == 0 ? nullptr : PackBits(valid_, length_);
}

std::shared_ptr<arrow::ArrayData> ColumnWriter::FinishData() {
  ReserveRows(1);  // an empty array still has its buffers
  auto data = std::make_shared<arrow::ArrayData>(arrow_type_, length_);
  data->null_count = 0;
  int64_t null_count = 0;
  data->buffers.push_back(id_ == TypeId::kNull ? nullptr : PackValidity(&null_count));
  data->null_count = id_ == TypeId::kNull ? length_ : null_count;
  if (id_ == TypeId::kStruct) LevelChildren();
  if (id_ == TypeId::kBoolean) {
    data->buffers.push_back(PackBits(values_, length_));
  } else if (width_ > 0) {
    OrThrow(values_buffer_->Resize(length_ * width_, /*shrink_to_fit=*/false));
    data->buffers.push_back(std::move(values_buffer_));
  } else if (has_offsets()) {
    OrThrow(offsets_buffer_->Resize((length_ + 1) * 4, /*shrink_to_fit=*/false));
    data->buffers.push_back(std::move(offsets_buffer_));
  }
  if (id_ == TypeId::kText || id_ == TypeId::kBytes || id_ == TypeId::kJson) {
    if (!data_buffer_) GrowData(0);
    OrThrow(data_buffer_->Resize(data_size_, /*shrink_to_fit=*/false));
    data->buffers.push_back(std::move(data_buffer_));
    data_expected_ = data_size_;
  }
  if (id_ == TypeId::kMap) {
    // Arrow keeps the entries of a MAP as one STRUCT child.
    auto entries = std::make_shared<arrow::ArrayData>(
        static_cast<const arrow::MapType&>(*arrow_type_).value_type(), children_[0]->length_);
    entries->buffers.push_back(nullptr);
    entries->null_count = 0;
    for (auto& child : children_) entries->child_data.push_back(child->FinishData());
    data->child_data.push_back(std::move(entries));
  } else {
    for (auto& child : children_) data->child_data.push_back(child->FinishData());
  }
  values_buffer_.reset();
  offsets_buffer_.reset();
  data_buffer_.reset();
  values_ = nullptr;
  offsets_ = nullptr;
  data_ = nullptr;
  length_ = capacity_ = data_size_ = data_capacity_ = 0;
  return data;
}

std::shared_ptr<arrow::Array> ColumnWriter::Finish() { return arrow::MakeArray(FinishData()); }

}  // namespace laminar
