#include "formats/json_encoder.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/arrow_result.h"
#include "formats/json_text.h"
#include "formats/scalar_text.h"
#include "types/timestamp_text.h"

namespace laminar {

TextBuffer::TextBuffer() = default;
TextBuffer::~TextBuffer() = default;

void TextBuffer::Grow(int64_t bytes) {
  capacity_ = std::max<int64_t>({size_ + bytes, capacity_ * 2, 4096});
  if (!buffer_) {
    buffer_ = OrThrow(arrow::AllocateResizableBuffer(capacity_), "allocate records");
  } else {
    OrThrow(buffer_->Resize(capacity_, /*shrink_to_fit=*/false), "grow records");
  }
  data_ = reinterpret_cast<char*>(buffer_->mutable_data());
}

std::shared_ptr<arrow::BinaryArray> TextBuffer::Finish() {
  if (size_ > std::numeric_limits<int32_t>::max()) {
    throw QueryError("the records of one batch have " + std::to_string(size_) + " bytes, more than 2 GiB");
  }
  Room(1);
  const auto count = static_cast<int64_t>(ends_.size());
  std::shared_ptr<arrow::Buffer> offsets =
      OrThrow(arrow::AllocateBuffer((count + 1) * 4), "allocate records");
  auto* out = reinterpret_cast<int32_t*>(offsets->mutable_data());
  out[0] = 0;
  for (int64_t i = 0; i < count; ++i) out[i + 1] = static_cast<int32_t>(ends_[static_cast<size_t>(i)]);
  OrThrow(buffer_->Resize(size_, /*shrink_to_fit=*/false));
  auto array = std::make_shared<arrow::BinaryArray>(count, std::move(offsets), std::move(buffer_));
  buffer_.reset();
  data_ = nullptr;
  size_ = capacity_ = 0;
  ends_.clear();
  return array;
}

// What a batch's array looks like from the inside, with its offset already applied to `values` and `offsets`.
struct JsonValueWriter::Impl {
  Impl(const Type& type_given, const JsonWriteOptions& options_given)
      : type(type_given), id(type.id()), options(options_given) {
    if (id == TypeId::kStruct) {
      for (const Field& field : type.fields()) {
        std::string key(keys.empty() ? "{" : ",");
        AppendJsonString(field.name, &key);
        keys.push_back(key + ":");
        children.emplace_back(field.type, options);
      }
    } else if (id == TypeId::kArray) {
      children.emplace_back(type.element(), options);
    } else if (id == TypeId::kMap) {
      children.emplace_back(type.key(), options);
      children.emplace_back(type.element(), options);
    }
  }

  const Type type;
  const TypeId id;
  const JsonWriteOptions options;
  std::vector<std::string> keys;  // STRUCT: `{"a":`, `,"b":`
  std::vector<JsonValueWriter> children;
  const arrow::Array* array = nullptr;
  const uint8_t* validity = nullptr;  // null pointer: no nulls
  int64_t offset = 0;                 // of the array, for bits
  const uint8_t* values = nullptr;
  const int32_t* offsets = nullptr;

  void Bind(const arrow::Array& bound);
  void Write(int64_t row, TextBuffer* out) const;
  template <typename T>
  T Value(int64_t row) const {
    T value;
    std::memcpy(&value, values + (row + offset) * static_cast<int64_t>(sizeof(T)), sizeof(T));
    return value;
  }
  std::string_view Bytes(int64_t row) const {
    const int32_t start = offsets[row + offset];
    return {reinterpret_cast<const char*>(values) + start,
            static_cast<size_t>(offsets[row + offset + 1] - start)};
  }
  template <typename T>
  void WriteInteger(int64_t row, TextBuffer* out) const {
    char* at = out->Room(kNumberTextBytesMax);
    if constexpr (std::is_signed_v<T>) {
      out->Advance(WriteInt64(Value<T>(row), at));
    } else {
      out->Advance(WriteUInt64(Value<T>(row), at));
    }
  }
  template <typename T>
  void WriteFloating(T value, TextBuffer* out) const;
  void WriteQuoted(std::string_view text, TextBuffer* out) const {
    out->Advance(WriteJsonString(text, out->Room(JsonStringBytesMax(static_cast<int64_t>(text.size())))));
  }
  void WriteDecimalValue(int64_t row, TextBuffer* out) const;
  void WriteTimestampValue(int64_t value, TextBuffer* out) const;
  void WriteBase64Text(std::string_view bytes, TextBuffer* out) const;
  static void WriteJsonText(std::string_view text, TextBuffer* out);
  void WriteElements(int64_t row, TextBuffer* out) const;
  void WriteEntries(int64_t row, TextBuffer* out) const;
};

void JsonValueWriter::Impl::Bind(const arrow::Array& bound) {
  array = &bound;
  const arrow::ArrayData& data = *bound.data();
  offset = data.offset;
  validity = data.buffers[0] && bound.null_count() > 0 ? data.buffers[0]->data() : nullptr;
  values = nullptr;
  offsets = nullptr;
  switch (id) {
    case TypeId::kNull:
      break;
    case TypeId::kStruct: {
      // field() applies the STRUCT's own offset to its children.
      const auto& rows = static_cast<const arrow::StructArray&>(bound);
      for (size_t i = 0; i < children.size(); ++i) children[i].Bind(*rows.field(static_cast<int>(i)));
      break;
    }
    case TypeId::kArray:
      offsets = reinterpret_cast<const int32_t*>(data.buffers[1]->data());
      children[0].Bind(*static_cast<const arrow::ListArray&>(bound).values());
      break;
    case TypeId::kMap:
      offsets = reinterpret_cast<const int32_t*>(data.buffers[1]->data());
      children[0].Bind(*static_cast<const arrow::MapArray&>(bound).keys());
      children[1].Bind(*static_cast<const arrow::MapArray&>(bound).items());
      break;
    case TypeId::kText:
    case TypeId::kBytes:
    case TypeId::kJson:
      offsets = reinterpret_cast<const int32_t*>(data.buffers[1]->data());
      values = data.buffers[2] ? data.buffers[2]->data() : nullptr;
      break;
    default:
      values = data.buffers[1]->data();
  }
}

void JsonValueWriter::Impl::Write(int64_t row, TextBuffer* out) const {
  if (id == TypeId::kNull || (validity && !arrow::bit_util::GetBit(validity, row + offset)))
    return out->Append("null");
  switch (id) {
    case TypeId::kBoolean:
      return out->Append(arrow::bit_util::GetBit(values, row + offset) ? "true" : "false");
    case TypeId::kInt8:
      return WriteInteger<int8_t>(row, out);
    case TypeId::kInt16:
      return WriteInteger<int16_t>(row, out);
    case TypeId::kInt32:
      return WriteInteger<int32_t>(row, out);
    case TypeId::kInt64:
      return WriteInteger<int64_t>(row, out);
    case TypeId::kUInt8:
      return WriteInteger<uint8_t>(row, out);
    case TypeId::kUInt16:
      return WriteInteger<uint16_t>(row, out);
    case TypeId::kUInt32:
      return WriteInteger<uint32_t>(row, out);
    case TypeId::kUInt64:
      return WriteInteger<uint64_t>(row, out);
    case TypeId::kFloat:
      return WriteFloating(Value<float>(row), out);
    case TypeId::kDouble:
      return WriteFloating(Value<double>(row), out);
    case TypeId::kDecimal:
      return WriteDecimalValue(row, out);
    case TypeId::kText:
      return WriteQuoted(Bytes(row), out);
    case TypeId::kBytes:
      return WriteBase64Text(Bytes(row), out);
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      return WriteTimestampValue(Value<int64_t>(row), out);
    case TypeId::kDate:
    case TypeId::kTime:
    case TypeId::kInterval: {
      char* at = out->Room(kTimeTextBytesMax + 2);
      *at++ = '"';
      at = id == TypeId::kDate   ? WriteDate(Value<int32_t>(row), at)
           : id == TypeId::kTime ? WriteTimeNs(Value<int64_t>(row), at)
                                 : WriteIsoInterval(Value<IntervalText>(row), at);
      *at++ = '"';
      return out->Advance(at);
    }
    case TypeId::kJson:
      return WriteJsonText(Bytes(row), out);
    case TypeId::kArray:
      return WriteElements(row, out);
    case TypeId::kMap:
      return WriteEntries(row, out);
    case TypeId::kStruct:
      for (size_t i = 0; i < children.size(); ++i) {
        out->Append(keys[i]);
        children[i].Write(row, out);
      }
      return out->Append(children.empty() ? "{}" : "}");
    case TypeId::kNull:
      return;
  }
}

template <typename T>
void JsonValueWriter::Impl::WriteFloating(T value, TextBuffer* out) const {
  if (!std::isfinite(value)) return out->Append("null");
  char* at = out->Room(kNumberTextBytesMax);
  if constexpr (std::is_same_v<T, float>) {
    out->Advance(WriteFloat(value, at));
  } else {
    out->Advance(WriteDouble(value, at));
  }
}

void JsonValueWriter::Impl::WriteBase64Text(std::string_view bytes, TextBuffer* out) const {
  char* at = out->Room(Base64Size(static_cast<int64_t>(bytes.size())) + 2);
  *at++ = '"';
  at = WriteBase64(bytes, at);
  *at++ = '"';
  out->Advance(at);
}

/// JSON that was read from several lines goes out as one: line ends can only be space between its tokens.
void JsonValueWriter::Impl::WriteJsonText(std::string_view text, TextBuffer* out) {
  char* start = out->Room(static_cast<int64_t>(text.size()));
  out->Append(text);
  for (const char line_end : {'\n', '\r'}) {
    if (std::memchr(text.data(), line_end, text.size()) != nullptr)
      std::replace(start, start + text.size(), line_end, ' ');
  }
}

void JsonValueWriter::Impl::WriteDecimalValue(int64_t row, TextBuffer* out) const {
  const auto value = Value<__int128>(row);
  if (options.decimals == DecimalStyle::kBytes) return WriteBase64Text(DecimalToBigEndian(value), out);
  const bool quoted = options.decimals == DecimalStyle::kString;
  char* at = out->Room(kNumberTextBytesMax + 2);
  if (quoted) *at++ = '"';
  at = WriteDecimal(value, type.scale(), at);
  if (quoted) *at++ = '"';
  out->Advance(at);
}

void JsonValueWriter::Impl::WriteTimestampValue(int64_t value, TextBuffer* out) const {
  const bool nanos = id == TypeId::kTimestamp && type.precision() == 9;
  char* at = out->Room(kTimeTextBytesMax + 3);
  if (options.timestamps == TimestampStyle::kText) {
    *at++ = '"';
    at = nanos ? WriteTimestampNs(value, 'T', at) : WriteTimestampUs(value, 'T', at);
    if (id == TypeId::kTimestampTz) *at++ = 'Z';
    *at++ = '"';
    return out->Advance(at);
  }
  const int64_t stored = nanos ? 1'000'000'000 : 1'000'000;
  const int64_t wanted = options.timestamps == TimestampStyle::kSeconds  ? 1
                         : options.timestamps == TimestampStyle::kMillis ? 1'000
                         : options.timestamps == TimestampStyle::kMicros ? 1'000'000
                                                                         : 1'000'000'000;
  if (wanted <= stored) {
    const int64_t ratio = stored / wanted;
    return out->Advance(WriteInt64(value / ratio - (value % ratio < 0 ? 1 : 0), at));
  }
  // Microseconds as nanoseconds may not fit 64 bits, but JSON numbers have no limit.
  return out->Advance(WriteDecimal(static_cast<__int128>(value) * (wanted / stored), 0, at));
}

void JsonValueWriter::Impl::WriteElements(int64_t row, TextBuffer* out) const {
  out->Append('[');
  for (int32_t i = offsets[row + offset]; i < offsets[row + offset + 1]; ++i) {
    if (i != offsets[row + offset]) out->Append(',');
    children[0].Write(i, out);
  }
  out->Append(']');
}

void JsonValueWriter::Impl::WriteEntries(int64_t row, TextBuffer* out) const {
  out->Append('{');
  for (int32_t i = offsets[row + offset]; i < offsets[row + offset + 1]; ++i) {
    if (i != offsets[row + offset]) out->Append(',');
    // Keys are strings in JSON whatever their type.
    const int64_t start = out->size();
    children[0].Write(i, out);
    if (out->view()[static_cast<size_t>(start)] != '"') {
      const std::string text(out->view().substr(static_cast<size_t>(start)));
      out->Resize(start);
      WriteQuoted(text, out);
    }
    out->Append(':');
    children[1].Write(i, out);
  }
  out->Append('}');
}

JsonValueWriter::JsonValueWriter(const Type& type, const JsonWriteOptions& options)
    : impl_(std::make_unique<Impl>(type, options)) {}
JsonValueWriter::~JsonValueWriter() = default;
JsonValueWriter::JsonValueWriter(JsonValueWriter&&) noexcept = default;

void JsonValueWriter::Bind(const arrow::Array& array) { impl_->Bind(array); }
void JsonValueWriter::Write(int64_t row, TextBuffer* out) const { impl_->Write(row, out); }

JsonObjectWriter::JsonObjectWriter(const Schema& columns, const JsonWriteOptions& options) {
  for (const Field& field : columns.fields) {
    std::string key(keys_.empty() ? "{" : ",");
    AppendJsonString(field.name, &key);
    keys_.push_back(key + ":");
    values_.emplace_back(field.type, options);
  }
}
JsonObjectWriter::~JsonObjectWriter() = default;

void JsonObjectWriter::Bind(const std::vector<std::shared_ptr<arrow::Array>>& columns) {
  for (size_t i = 0; i < values_.size(); ++i) values_[i].Bind(*columns[i]);
}

void JsonObjectWriter::Write(int64_t row, TextBuffer* out) const {
  if (values_.empty()) return out->Append("{}");
  for (size_t i = 0; i < values_.size(); ++i) {
    out->Append(keys_[i]);
    values_[i].Write(row, out);
  }
  out->Append('}');
}

}  // namespace laminar
