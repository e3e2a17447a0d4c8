#include "types/nested_codec.h"

#include <arrow/array.h>
#include <arrow/builder.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/arrow_result.h"
#include "types/column_maker.h"

namespace laminar {

int FixedWidth(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::NA:
      return 0;
    case arrow::Type::BOOL:
    case arrow::Type::INT8:
    case arrow::Type::UINT8:
      return 1;
    case arrow::Type::INT16:
    case arrow::Type::UINT16:
      return 2;
    case arrow::Type::INT32:
    case arrow::Type::UINT32:
    case arrow::Type::FLOAT:
    case arrow::Type::DATE32:
      return 4;
    case arrow::Type::INT64:
    case arrow::Type::UINT64:
    case arrow::Type::DOUBLE:
    case arrow::Type::TIME64:
    case arrow::Type::TIMESTAMP:
      return 8;
    case arrow::Type::DECIMAL128:
    case arrow::Type::INTERVAL_MONTH_DAY_NANO:
      return 16;
    default:
      return -1;
  }
}

void AppendVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

int VarintBytes(uint64_t value) {
  int bytes = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++bytes;
  }
  return bytes;
}

namespace {

/// Value `row` of a fixed-width array into `out` [width].
void CopyFixed(const arrow::Array& values, int64_t row, int width, bool canonical, char* out) {
  const arrow::ArrayData& data = *values.data();
  const int64_t at = data.offset + row;
  if (values.type_id() == arrow::Type::BOOL) {
    *out = arrow::bit_util::GetBit(data.buffers[1]->data(), at) ? 1 : 0;
    return;
  }
  std::memcpy(out, data.buffers[1]->data() + at * width, static_cast<size_t>(width));
  if (!canonical) return;
  if (values.type_id() == arrow::Type::DOUBLE) {
    double value;
    std::memcpy(&value, out, sizeof value);
    value = CanonicalFloat(value);
    std::memcpy(out, &value, sizeof value);
  } else if (values.type_id() == arrow::Type::FLOAT) {
    float value;
    std::memcpy(&value, out, sizeof value);
    value = CanonicalFloat(value);
    std::memcpy(out, &value, sizeof value);
  }
}

void AppendMap(const arrow::MapArray& map, int64_t row, bool canonical, std::string* out) {
  const int64_t begin = map.value_offset(row), count = map.value_length(row);
  AppendVarint(static_cast<uint64_t>(count) + 1, out);
  if (!canonical) {
    for (int64_t i = begin; i < begin + count; ++i) {
      AppendNested(*map.keys(), i, false, out);
      AppendNested(*map.items(), i, false, out);
    }
    return;
  }
  std::vector<std::string> entries(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    AppendNested(*map.keys(), begin + i, true, &entries[i]);
    AppendNested(*map.items(), begin + i, true, &entries[i]);
  }
  std::sort(entries.begin(), entries.end());
  for (const std::string& entry : entries) out->append(entry);
}

}  // namespace

void AppendNested(const arrow::Array& values, int64_t row, bool canonical, std::string* out) {
  const arrow::Type::type id = values.type_id();
  if (id == arrow::Type::NA) return;
  const bool is_null = values.IsNull(row);
  const int width = FixedWidth(*values.type());
  if (is_null) {
    out->push_back(0);
    return;
  }
  if (width >= 0) {
    char bytes[17] = {1};
    CopyFixed(values, row, width, canonical, bytes + 1);
    out->append(bytes, static_cast<size_t>(width) + 1);
  } else if (id == arrow::Type::STRING || id == arrow::Type::BINARY) {
    const std::string_view view = static_cast<const arrow::BinaryArray&>(values).GetView(row);
    AppendVarint(view.size() + 1, out);
    out->append(view);
  } else if (id == arrow::Type::MAP) {
    AppendMap(static_cast<const arrow::MapArray&>(values), row, canonical, out);
  } else if (id == arrow::Type::LIST) {
    const auto& list = static_cast<const arrow::ListArray&>(values);
    const int64_t begin = list.value_offset(row), count = list.value_length(row);
    AppendVarint(static_cast<uint64_t>(count) + 1, out);
    for (int64_t i = begin; i < begin + count; ++i) AppendNested(*list.values(), i, canonical, out);
  } else if (id == arrow::Type::STRUCT) {
    const auto& record = static_cast<const arrow::StructArray&>(values);
    out->push_back(1);
    for (int i = 0; i < record.num_fields(); ++i) AppendNested(*record.field(i), row, canonical, out);
  } else {
    LAMINAR_CHECK(false, "no encoding for " + values.type()->ToString());
  }
}

int64_t NestedBytes(const arrow::DataType& type, const char* bytes) {
  const char* cursor = bytes;
  const int width = FixedWidth(type);
  if (type.id() == arrow::Type::NA) return 0;
  if (width >= 0) return *bytes ? width + 1 : 1;
  switch (type.id()) {
    case arrow::Type::STRUCT:
      if (*cursor++ == 0) break;
      for (const auto& field : type.fields()) cursor += NestedBytes(*field->type(), cursor);
      break;
    case arrow::Type::MAP:
    case arrow::Type::LIST: {
      const uint64_t count = ReadVarint(&cursor);
      const bool is_map = type.id() == arrow::Type::MAP;
      const arrow::DataType& entry = *type.field(0)->type();
      for (uint64_t i = 1; i < count; ++i) {
        if (is_map) {
          cursor += NestedBytes(*entry.field(0)->type(), cursor);
          cursor += NestedBytes(*entry.field(1)->type(), cursor);
        } else {
          cursor += NestedBytes(entry, cursor);
        }
      }
      break;
    }
    default: {
      const uint64_t length = ReadVarint(&cursor);
      if (length > 0) cursor += length - 1;
    }
  }
  return cursor - bytes;
}

namespace {

template <typename Builder, typename Value>
void AppendValue(arrow::ArrayBuilder* builder, const char* bytes) {
  Value value;
  std::memcpy(&value, bytes, sizeof value);
  OrThrow(static_cast<Builder*>(builder)->Append(value));
}

void AppendFixed(arrow::ArrayBuilder* builder, const char* bytes) {
  switch (builder->type()->id()) {
    case arrow::Type::BOOL:
      OrThrow(static_cast<arrow::BooleanBuilder*>(builder)->Append(*bytes != 0));
      break;
    case arrow::Type::INT8:
      AppendValue<arrow::Int8Builder, int8_t>(builder, bytes);
      break;
    case arrow::Type::UINT8:
      AppendValue<arrow::UInt8Builder, uint8_t>(builder, bytes);
      break;
    case arrow::Type::INT16:
      AppendValue<arrow::Int16Builder, int16_t>(builder, bytes);
      break;
    case arrow::Type::UINT16:
      AppendValue<arrow::UInt16Builder, uint16_t>(builder, bytes);
      break;
    case arrow::Type::INT32:
      AppendValue<arrow::Int32Builder, int32_t>(builder, bytes);
      break;
    case arrow::Type::UINT32:
      AppendValue<arrow::UInt32Builder, uint32_t>(builder, bytes);
      break;
    case arrow::Type::FLOAT:
      AppendValue<arrow::FloatBuilder, float>(builder, bytes);
      break;
    case arrow::Type::DATE32:
      AppendValue<arrow::Date32Builder, int32_t>(builder, bytes);
      break;
    case arrow::Type::INT64:
      AppendValue<arrow::Int64Builder, int64_t>(builder, bytes);
      break;
    case arrow::Type::UINT64:
      AppendValue<arrow::UInt64Builder, uint64_t>(builder, bytes);
      break;
    case arrow::Type::DOUBLE:
      AppendValue<arrow::DoubleBuilder, double>(builder, bytes);
      break;
    case arrow::Type::TIME64:
      AppendValue<arrow::Time64Builder, int64_t>(builder, bytes);
      break;
    case arrow::Type::TIMESTAMP:
      AppendValue<arrow::TimestampBuilder, int64_t>(builder, bytes);
      break;
    case arrow::Type::DECIMAL128:
      OrThrow(
          static_cast<arrow::Decimal128Builder*>(builder)->Append(reinterpret_cast<const uint8_t*>(bytes)));
      break;
    case arrow::Type::INTERVAL_MONTH_DAY_NANO:
      AppendValue<arrow::MonthDayNanoIntervalBuilder, arrow::MonthDayNanoIntervalType::MonthDayNanos>(builder,
                                                                                                      bytes);
      break;
    default:
      LAMINAR_CHECK(false, "no decoding for " + builder->type()->ToString());
  }
}

void ReadValue(const char** cursor, arrow::ArrayBuilder* builder);

void ReadElements(const char** cursor, arrow::ArrayBuilder* builder) {
  const uint64_t count = ReadVarint(cursor);
  if (count == 0) {
    OrThrow(builder->AppendNull());
    return;
  }
  if (builder->type()->id() == arrow::Type::MAP) {
    auto* map = static_cast<arrow::MapBuilder*>(builder);
    OrThrow(map->Append());
    for (uint64_t i = 1; i < count; ++i) {
      ReadValue(cursor, map->key_builder());
      ReadValue(cursor, map->item_builder());
    }
    return;
  }
  auto* list = static_cast<arrow::ListBuilder*>(builder);
  OrThrow(list->Append());
  for (uint64_t i = 1; i < count; ++i) ReadValue(cursor, list->value_builder());
}

void ReadValue(const char** cursor, arrow::ArrayBuilder* builder) {
  const std::shared_ptr<arrow::DataType> kept = builder->type();  // a builder of a nested type makes it anew
  const arrow::DataType& type = *kept;
  if (type.id() == arrow::Type::NA) {
    OrThrow(builder->AppendNull());
    return;
  }
  if (type.id() == arrow::Type::LIST || type.id() == arrow::Type::MAP) {
    ReadElements(cursor, builder);
  } else if (const int width = FixedWidth(type); width >= 0) {
    if (*(*cursor)++ == 0) {
      OrThrow(builder->AppendNull());
    } else {
      AppendFixed(builder, *cursor);
      *cursor += width;
    }
  } else if (type.id() == arrow::Type::STRUCT) {
    auto* record = static_cast<arrow::StructBuilder*>(builder);
    if (*(*cursor)++ == 0) {
      OrThrow(record->AppendNull());
      return;
    }
    OrThrow(record->Append());
    for (int i = 0; i < record->num_fields(); ++i) ReadValue(cursor, record->field_builder(i));
  } else {
    const uint64_t length = ReadVarint(cursor);
    if (length == 0) {
      OrThrow(builder->AppendNull());
      return;
    }
    OrThrow(static_cast<arrow::BinaryBuilder*>(builder)->Append(*cursor, static_cast<int32_t>(length - 1)));
    *cursor += length - 1;
  }
}

}  // namespace

NestedReader::NestedReader(const std::shared_ptr<arrow::DataType>& type) {
  builder_ = OrThrow(arrow::MakeBuilder(type), "decode");
}

NestedReader::~NestedReader() = default;

void NestedReader::Append(std::string_view bytes) {
  if (bytes.data() == nullptr) {
    OrThrow(builder_->AppendNull());
    return;
  }
  const char* cursor = bytes.data();
  ReadValue(&cursor, builder_.get());
}

std::shared_ptr<arrow::Array> NestedReader::Finish() { return OrThrow(builder_->Finish(), "decode"); }

}  // namespace laminar
