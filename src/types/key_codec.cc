#include <arrow/array.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "types/column_maker.h"
#include "types/key_encoder.h"

namespace laminar {

namespace {

constexpr int64_t kHashBlockRows =
    256;  // keys of a block stay in the first-level cache between encoding and hashing

bool IsNullBit(const uint8_t* validity, int64_t at) {
  return validity && !arrow::bit_util::GetBit(validity, at);
}

}  // namespace

/// A column without fields: top level, or inside STRUCTs.
struct KeyEncoder::Leaf {
  enum class Kind { kFixed, kBits, kFloat, kDouble, kText, kNested };
  Kind kind = Kind::kFixed;
  int width = 0;
  int64_t position = 0;               // kFixed…kDouble: where in the key
  int64_t offset = 0;                 // of the array into its buffers
  const uint8_t* validity = nullptr;  // null pointer: no NULLs
  const uint8_t* values = nullptr;
  const int32_t* text_offsets = nullptr;
  ByteStrings nested;  // kNested: encoded ahead
  std::shared_ptr<arrow::Array> holder;

  bool IsNull(int64_t row) const { return IsNullBit(validity, offset + row); }

  int64_t VariableBytes(int64_t row) const {
    if (kind == Kind::kNested) return nested.offsets[row + 1] - nested.offsets[row];
    if (IsNull(row)) return 1;
    const int64_t length = text_offsets[row + 1] - text_offsets[row];
    return VarintBytes(static_cast<uint64_t>(length) + 1) + length;
  }

  /// Writes VariableBytes(row) bytes and returns the address behind them.
  char* WriteVariable(int64_t row, char* out) const {
    if (kind == Kind::kNested) {
      const std::string_view bytes = nested[row];
      std::memcpy(out, bytes.data(), bytes.size());
      return out + bytes.size();
    }
    if (IsNull(row)) {
      *out = 0;
      return out + 1;
    }
    const int64_t length = text_offsets[row + 1] - text_offsets[row];
    uint64_t prefix = static_cast<uint64_t>(length) + 1;
    while (prefix >= 0x80) {
      *out++ = static_cast<char>(prefix | 0x80);
      prefix >>= 7;
    }
    *out++ = static_cast<char>(prefix);
    if (length > 0) std::memcpy(out, values + text_offsets[row], static_cast<size_t>(length));
    return out + length;
  }
};

namespace {

template <typename T, typename Place>
void PutValues(const uint8_t* values, int64_t count, const Place& place) {
  const T* in = reinterpret_cast<const T*>(values);
  for (int64_t i = 0; i < count; ++i) std::memcpy(place(i), in + i, sizeof(T));
}

template <typename T, typename Place>
void PutFloats(const uint8_t* values, int64_t count, const Place& place) {
  const T* in = reinterpret_cast<const T*>(values);
  for (int64_t i = 0; i < count; ++i) {
    const T value = CanonicalFloat(in[i]);
    std::memcpy(place(i), &value, sizeof value);
  }
}

struct Bytes16 {
  uint64_t words[2];
};

/// Writes the values of rows [begin, begin + count) to place(i), zeros for NULL.
template <typename Leaf, typename Place>
void PutFixed(const Leaf& leaf, int64_t begin, int64_t count, const Place& place) {
  const int64_t first = leaf.offset + begin;
  const uint8_t* values = leaf.values ? leaf.values + first * leaf.width : nullptr;
  switch (leaf.kind) {
    case Leaf::Kind::kBits:
      for (int64_t i = 0; i < count; ++i) *place(i) = arrow::bit_util::GetBit(leaf.values, first + i) ? 1 : 0;
      break;
    case Leaf::Kind::kFloat:
      PutFloats<float>(values, count, place);
      break;
    case Leaf::Kind::kDouble:
      PutFloats<double>(values, count, place);
      break;
    default:
      switch (leaf.width) {
        case 0:
          return;
        case 1:
          PutValues<uint8_t>(values, count, place);
          break;
        case 2:
          PutValues<uint16_t>(values, count, place);
          break;
        case 4:
          PutValues<uint32_t>(values, count, place);
          break;
        case 8:
          PutValues<uint64_t>(values, count, place);
          break;
        default:
          PutValues<Bytes16>(values, count, place);
          break;
      }
  }
  if (!leaf.validity) return;
  for (int64_t i = 0; i < count; ++i) {
    if (IsNullBit(leaf.validity, first + i)) std::memset(place(i), 0, static_cast<size_t>(leaf.width));
  }
}

}  // namespace

KeyEncoder::KeyEncoder(const std::vector<std::shared_ptr<arrow::Array>>& columns) {
  for (const auto& column : columns) AddColumn(column);
  null_bytes_ = (static_cast<int64_t>(fixed_.size()) + 7) / 8;
}

KeyEncoder::~KeyEncoder() = default;

void KeyEncoder::AddColumn(const std::shared_ptr<arrow::Array>& column) {
  const arrow::ArrayData& data = *column->data();
  const arrow::Type::type id = column->type_id();
  if (id == arrow::Type::NA) return;  // only one value: nothing to tell apart
  Leaf leaf;
  leaf.offset = data.offset;
  leaf.validity = column->null_count() > 0 ? column->null_bitmap_data() : nullptr;
  leaf.holder = column;
  const int width = FixedWidth(*column->type());
  if (width >= 0 || id == arrow::Type::STRUCT) {
    leaf.width = std::max(width, 0);
    leaf.position = fixed_bytes_;
    if (id == arrow::Type::BOOL) leaf.kind = Leaf::Kind::kBits;
    if (id == arrow::Type::FLOAT) leaf.kind = Leaf::Kind::kFloat;
    if (id == arrow::Type::DOUBLE) leaf.kind = Leaf::Kind::kDouble;
    if (leaf.width > 0) leaf.values = data.buffers[1] ? data.buffers[1]->data() : nullptr;
    fixed_bytes_ += leaf.width;
    has_null_bits_ = has_null_bits_ || leaf.validity != nullptr;
    fixed_.push_back(std::move(leaf));
    if (id != arrow::Type::STRUCT) return;
    const auto& record = static_cast<const arrow::StructArray&>(*column);
    for (int i = 0; i < record.num_fields(); ++i) {
      // Flattened: fields of a NULL struct count as NULL, whatever bytes lie there.
      AddColumn(column->null_count() > 0 ? OrThrow(record.GetFlattenedField(i)) : record.field(i));
    }
    return;
  }
  if (id == arrow::Type::STRING || id == arrow::Type::BINARY) {
    leaf.kind = Leaf::Kind::kText;
    const auto& text = static_cast<const arrow::BinaryArray&>(*column);
    leaf.text_offsets = text.raw_value_offsets();
    leaf.values = data.buffers[2] ? data.buffers[2]->data() : nullptr;
  } else {
    leaf.kind = Leaf::Kind::kNested;
    for (int64_t row = 0; row < column->length(); ++row) {
      AppendNested(*column, row, true, &leaf.nested.data);
      leaf.nested.offsets.push_back(static_cast<int64_t>(leaf.nested.data.size()));
    }
  }
  variable_.push_back(std::move(leaf));
}

void KeyEncoder::EncodeFixed(int64_t begin, int64_t count, int64_t stride, uint8_t* out) const {
  for (const Leaf& leaf : fixed_) {
    uint8_t* first = out + leaf.position;
    PutFixed(leaf, begin, count, [&](int64_t i) { return first + i * stride; });
  }
}

void KeyEncoder::EncodeNullBits(int64_t begin, int64_t count, uint8_t* out) const {
  std::memset(out, 0, static_cast<size_t>(count * null_bytes_));
  for (size_t index = 0; index < fixed_.size(); ++index) {
    const Leaf& leaf = fixed_[index];
    if (!leaf.validity) continue;
    for (int64_t i = 0; i < count; ++i) {
      if (leaf.IsNull(begin + i)) out[i * null_bytes_ + index / 8] |= static_cast<uint8_t>(1u << (index % 8));
    }
  }
}

void KeyEncoder::Encode(int64_t begin, int64_t count, ByteStrings* out) const {
  if (count == 0) return;
  const int64_t start = static_cast<int64_t>(out->data.size());
  const size_t first_offset = out->offsets.size();  // out->offsets[first_offset + i] is the end of row i
  std::vector<uint8_t> null_bits;
  if (has_null_bits_) {
    null_bits.resize(static_cast<size_t>(count * null_bytes_));
    EncodeNullBits(begin, count, null_bits.data());
  }
  auto has_null = [&](int64_t i) {
    const uint8_t* bits = null_bits.data() + i * null_bytes_;
    return std::any_of(bits, bits + null_bytes_, [](uint8_t byte) { return byte != 0; });
  };
  // Lengths first, so that each column can be written on its own.
  out->offsets.resize(first_offset + static_cast<size_t>(count), fixed_bytes_);
  int64_t* ends = out->offsets.data() + first_offset;
  for (const Leaf& leaf : variable_) {
    for (int64_t i = 0; i < count; ++i) ends[i] += leaf.VariableBytes(begin + i);
  }
  if (has_null_bits_) {
    for (int64_t i = 0; i < count; ++i) ends[i] += has_null(i) ? null_bytes_ : 0;
  }
  int64_t end = start;
  for (int64_t i = 0; i < count; ++i) ends[i] = end += ends[i];
  out->data.resize(static_cast<size_t>(end));

  char* data = out->data.data();
  for (const Leaf& leaf : fixed_) {
    PutFixed(leaf, begin, count, [&](int64_t i) {
      return reinterpret_cast<uint8_t*>(data) + ends[i - 1] +
             leaf.position;  // ends[−1] is the end of what was there
    });
  }
  if (variable_.size() == 1) {
    for (int64_t i = 0; i < count; ++i)
      variable_[0].WriteVariable(begin + i, data + ends[i - 1] + fixed_bytes_);
  } else if (!variable_.empty()) {
    for (int64_t i = 0; i < count; ++i) {
      char* at = data + ends[i - 1] + fixed_bytes_;
      for (const Leaf& leaf : variable_) at = leaf.WriteVariable(begin + i, at);
    }
  }
  if (has_null_bits_) {
    for (int64_t i = 0; i < count; ++i) {
      if (has_null(i))
        std::memcpy(data + ends[i] - null_bytes_, null_bits.data() + i * null_bytes_, null_bytes_);
    }
  }
}

namespace {

/// A constant length lets the compiler pick XXH3's path once.
template <size_t kBytes>
void HashConstant(const uint8_t* keys, int64_t stride, int64_t count, uint64_t* hashes) {
  for (int64_t i = 0; i < count; ++i) hashes[i] = XXH3_64bits(keys + i * stride, kBytes);
}

}  // namespace

void HashFixedKeys(const uint8_t* keys, int64_t stride, int64_t bytes, int64_t count, uint64_t* hashes) {
  switch (bytes) {
    case 4:
      return HashConstant<4>(keys, stride, count, hashes);
    case 8:
      return HashConstant<8>(keys, stride, count, hashes);
    case 12:
      return HashConstant<12>(keys, stride, count, hashes);
    case 16:
      return HashConstant<16>(keys, stride, count, hashes);
    default:
      for (int64_t i = 0; i < count; ++i)
        hashes[i] = XXH3_64bits(keys + i * stride, static_cast<size_t>(bytes));
  }
}

void KeyEncoder::HashFixed(int64_t begin, int64_t count, uint64_t* hashes) const {
  if (fixed_.size() == 1 && fixed_[0].kind == Leaf::Kind::kFixed && fixed_[0].width > 0) {
    const uint8_t* values = fixed_[0].values + (fixed_[0].offset + begin) * fixed_[0].width;
    return HashFixedKeys(values, fixed_bytes_, fixed_bytes_, count, hashes);
  }
  std::vector<uint8_t> keys(static_cast<size_t>(kHashBlockRows * fixed_bytes_));
  for (int64_t done = 0; done < count; done += kHashBlockRows) {
    const int64_t rows = std::min(kHashBlockRows, count - done);
    EncodeFixed(begin + done, rows, fixed_bytes_, keys.data());
    HashFixedKeys(keys.data(), fixed_bytes_, fixed_bytes_, rows, hashes + done);
  }
}

void KeyEncoder::Hash(int64_t begin, int64_t count, uint64_t* hashes) const {
  if (count == 0) return;
  if (variable_.empty() && !has_null_bits_) return HashFixed(begin, count, hashes);
  ByteStrings keys;
  for (int64_t done = 0; done < count; done += kHashBlockRows) {
    const int64_t rows = std::min(kHashBlockRows, count - done);
    keys.Clear();
    Encode(begin + done, rows, &keys);
    for (int64_t i = 0; i < rows; ++i) hashes[done + i] = HashKey(keys[i]);
  }
}

void EncodeKeys(const std::vector<std::shared_ptr<arrow::Array>>& columns, int64_t num_rows,
                ByteStrings* out) {
  KeyEncoder(columns).Encode(0, num_rows, out);
}

void HashRows(const std::vector<std::shared_ptr<arrow::Array>>& columns, int64_t num_rows, uint64_t* hashes) {
  KeyEncoder(columns).Hash(0, num_rows, hashes);
}

uint64_t HashKey(std::string_view key) { return XXH3_64bits(key.data(), key.size()); }

void AnyNull(const std::vector<std::shared_ptr<arrow::Array>>& columns, int64_t num_rows,
             std::vector<bool>* out) {
  out->assign(static_cast<size_t>(num_rows), false);
  for (const auto& column : columns) {
    if (column->type_id() == arrow::Type::NA) out->assign(static_cast<size_t>(num_rows), true);
    if (column->null_count() == 0) continue;
    for (int64_t i = 0; i < num_rows; ++i) {
      if (column->IsNull(i)) (*out)[i] = true;
    }
  }
}

// Decoding walks the types in the order in which the encoder walked the columns.

struct KeyCodec::Impl {
  std::vector<std::shared_ptr<arrow::DataType>> types;
  int64_t fixed_bytes = 0;
  int fixed_count = 0;
  std::vector<std::shared_ptr<arrow::DataType>> variable;

  void Add(const std::shared_ptr<arrow::DataType>& type) {
    if (type->id() == arrow::Type::NA) return;
    const int width = FixedWidth(*type);
    if (width < 0 && type->id() != arrow::Type::STRUCT) {
      variable.push_back(type);
      return;
    }
    ++fixed_count;
    fixed_bytes += std::max(width, 0);
    for (const auto& field : type->fields()) Add(field->type());
  }
};

namespace {

/// One pass over the keys of a Decode call.
class KeyDecoder {
 public:
  KeyDecoder(const std::vector<std::string_view>& keys, int64_t fixed_bytes, int fixed_count,
             const std::vector<std::shared_ptr<arrow::DataType>>& variable)
      : keys_(keys), count_(static_cast<int64_t>(keys.size())), cells_(variable.size()) {
    null_bits_.assign(keys.size(), nullptr);
    for (auto& cells : cells_) cells.resize(keys.size());
    for (int64_t i = 0; i < count_; ++i) {
      const char* cursor = keys[i].data() + fixed_bytes;
      for (size_t column = 0; column < variable.size(); ++column) {
        cells_[column][i] = ReadVariable(*variable[column], &cursor);
      }
      if (cursor < keys[i].data() + keys[i].size()) null_bits_[i] = cursor;
    }
  }

  std::shared_ptr<arrow::Array> Column(const std::shared_ptr<arrow::DataType>& type) {
    if (type->id() == arrow::Type::NA) return std::make_shared<arrow::NullArray>(count_);
    const int width = FixedWidth(*type);
    if (type->id() == arrow::Type::STRUCT) return StructColumn(type);
    if (width >= 0) {
      const int64_t position = position_;
      const int index = fixed_index_++;
      position_ += width;
      return MakeFixedColumn(type, count_, [&](int64_t i) -> const char* {
        return IsNull(i, index) ? nullptr : keys_[i].data() + position;
      });
    }
    const auto& cells = cells_[variable_index_++];
    auto cell = [&](int64_t i) { return cells[i]; };
    const bool text = type->id() == arrow::Type::STRING || type->id() == arrow::Type::BINARY;
    return text ? MakeBytesColumn(type, count_, cell) : MakeNestedColumn(type, count_, cell);
  }

 private:
  bool IsNull(int64_t i, int index) const {
    return null_bits_[i] && (static_cast<uint8_t>(null_bits_[i][index / 8]) >> (index % 8) & 1);
  }

  std::shared_ptr<arrow::Array> StructColumn(const std::shared_ptr<arrow::DataType>& type) {
    const int index = fixed_index_++;
    ValidityMaker validity(count_);
    for (int64_t i = 0; i < count_; ++i) {
      if (IsNull(i, index)) validity.SetNull(i);
    }
    arrow::ArrayVector fields;
    for (const auto& field : type->fields()) fields.push_back(Column(field->type()));
    const int64_t null_count = validity.null_count();
    return std::make_shared<arrow::StructArray>(type, count_, std::move(fields), validity.Finish(),
                                                null_count);
  }

  static std::string_view ReadVariable(const arrow::DataType& type, const char** cursor) {
    if (type.id() == arrow::Type::STRING || type.id() == arrow::Type::BINARY) {
      const uint64_t length = ReadVarint(cursor);
      if (length == 0) return {};
      const std::string_view text(*cursor, length - 1);
      *cursor += length - 1;
      return text;
    }
    const std::string_view value(*cursor, static_cast<size_t>(NestedBytes(type, *cursor)));
    *cursor += value.size();
    return value;
  }

  const std::vector<std::string_view>& keys_;
  int64_t count_;

  std::vector<const char*> null_bits_;  // [count], null pointer: no NULL among the fixed-width columns
  std::vector<std::vector<std::string_view>> cells_;  // [variable column][row]
  int64_t position_ = 0;
  int fixed_index_ = 0;
  size_t variable_index_ = 0;
};

}  // namespace

KeyCodec::KeyCodec(std::vector<std::shared_ptr<arrow::DataType>> types) : impl_(std::make_unique<Impl>()) {
  impl_->types = std::move(types);
  for (const auto& type : impl_->types) impl_->Add(type);
}

KeyCodec::~KeyCodec() = default;
KeyCodec::KeyCodec(KeyCodec&&) noexcept = default;

int64_t KeyCodec::fixed_bytes() const { return impl_->variable.empty() ? impl_->fixed_bytes : -1; }
int64_t KeyCodec::null_bytes() const { return (impl_->fixed_count + 7) / 8; }
const std::vector<std::shared_ptr<arrow::DataType>>& KeyCodec::types() const { return impl_->types; }

std::vector<std::shared_ptr<arrow::Array>> KeyCodec::Decode(const std::vector<std::string_view>& keys) const {
  KeyDecoder decoder(keys, impl_->fixed_bytes, impl_->fixed_count, impl_->variable);
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (const auto& type : impl_->types) columns.push_back(decoder.Column(type));
  return columns;
}

}  // namespace laminar
