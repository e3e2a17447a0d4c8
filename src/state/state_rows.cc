#include "state/state_rows.h"

#include <arrow/api.h>
#include <simdjson.h>

#include <algorithm>
#include <cstring>

#include "base/arrow_result.h"
#include "base/error.h"
#include "state/row_bytes.h"

namespace laminar {

namespace {

using Form = StatePart::Form;

/// In kPlain.
int64_t WidthOf(const Field& column) {
  return std::max(1, column.type.arrow_type()->bit_width() / 8);  // a BOOLEAN is a byte
}

/// −1: all that is left.
int64_t BytesOf(const StatePart& part) {
  int64_t bytes = 0;
  switch (part.form) {
    case Form::kPlain:
      for (const Field& column : part.columns) bytes += WidthOf(column);
      return bytes;
    case Form::kSequence:
      return 8 * static_cast<int64_t>(part.columns.size());
    case Form::kBytes:
    case Form::kSkip:
      return part.bytes;
    default:
      return -1;
  }
}

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7f; }) &&
         simdjson::validate_utf8(text.data(), text.size());
}

/// Text as it is, other bytes in hexadecimal.
std::string TextOf(std::string_view bytes) {
  if (IsPrintable(bytes)) return std::string(bytes);
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "0x";
  for (const unsigned char c : bytes) {
    text += kDigits[c >> 4];
    text += kDigits[c & 15];
  }
  return text;
}

std::vector<std::shared_ptr<arrow::DataType>> ArrowTypes(const std::vector<Field>& columns) {
  std::vector<std::shared_ptr<arrow::DataType>> types;
  for (const Field& column : columns) types.push_back(column.type.arrow_type());
  return types;
}

/// A column of numbers that lie at `offset` of each of `rows`.
std::shared_ptr<arrow::Array> PlainColumn(const Field& column, const std::vector<std::string_view>& rows,
                                          int64_t offset) {
  const auto type = column.type.arrow_type();
  std::unique_ptr<arrow::ArrayBuilder> builder = OrThrow(arrow::MakeBuilder(type));
  const bool timestamp = type->id() == arrow::Type::TIMESTAMP;
  if (type->id() == arrow::Type::BOOL) {
    for (const auto row : rows) {
      OrThrow(static_cast<arrow::BooleanBuilder&>(*builder).Append(row[static_cast<size_t>(offset)] != 0));
    }
    return OrThrow(builder->Finish());
  }
  const auto width = static_cast<size_t>(WidthOf(column));
  arrow::BufferBuilder data;
  arrow::TypedBufferBuilder<bool> valid;
  int64_t nulls = 0;
  for (const auto row : rows) {
    const char* at = row.data() + offset;
    int64_t time = 0;
    if (timestamp) std::memcpy(&time, at, sizeof time);
    const bool null = timestamp && time == INT64_MIN;
    nulls += null ? 1 : 0;
    OrThrow(valid.Append(!null));
    OrThrow(data.Append(at, static_cast<int64_t>(width)));
  }
  const auto bits = OrThrow(valid.Finish());
  return arrow::MakeArray(arrow::ArrayData::Make(
      type, static_cast<int64_t>(rows.size()), {nulls > 0 ? bits : nullptr, OrThrow(data.Finish())}, nulls));
}

std::shared_ptr<arrow::Array> SequenceColumn(const Field& column, const std::vector<std::string_view>& rows,
                                             int64_t offset) {
  std::string numbers;
  for (const auto row : rows) AppendPlain(ReadSequence(row.substr(static_cast<size_t>(offset))), &numbers);
  std::vector<std::string_view> plain;
  for (size_t i = 0; i < rows.size(); ++i) plain.push_back(std::string_view(numbers).substr(i * 8, 8));
  return PlainColumn(column, plain, 0);
}

}  // namespace

/// The bytes of one part, of all rows.
struct StateRows::Piece {
  StatePart part;
  ByteStrings bytes;

  std::vector<std::shared_ptr<arrow::Array>> Columns() const {
    std::vector<std::string_view> rows;
    for (int64_t i = 0; i < bytes.size(); ++i) rows.push_back(bytes[i]);
    if (part.form == Form::kKey) return KeyCodec(ArrowTypes(part.columns)).Decode(rows);
    if (part.form == Form::kRow) return RowCodec(ArrowTypes(part.columns)).Decode(rows);
    std::vector<std::shared_ptr<arrow::Array>> columns;
    int64_t offset = 0;
    for (const Field& column : part.columns) {
      switch (part.form) {
        case Form::kPlain:
          columns.push_back(PlainColumn(column, rows, offset));
          offset += WidthOf(column);
          break;
        case Form::kSequence:
          columns.push_back(SequenceColumn(column, rows, offset));
          offset += 8;
          break;
        default:
          columns.push_back(ByteColumn(rows));
      }
    }
    return columns;
  }

 private:
  std::shared_ptr<arrow::Array> ByteColumn(const std::vector<std::string_view>& rows) const {
    std::unique_ptr<arrow::ArrayBuilder> builder =
        OrThrow(arrow::MakeBuilder(part.columns[0].type.arrow_type()));
    for (const auto row : rows) {
      auto& out = static_cast<arrow::BinaryBuilder&>(*builder);
      OrThrow(part.form == Form::kText ? out.Append(TextOf(row)) : out.Append(row));
    }
    return OrThrow(builder->Finish());
  }
};

namespace {

/// What a table that does not say what its bytes are is read as.
StateTableSpec Described(const StateTableSpec& spec) {
  if (!spec.key.empty() || !spec.value.empty()) return spec;
  return TextTable(spec.name, spec.layout, "key", "value");
}

}  // namespace

StateRows::StateRows(const StateTableSpec& spec) : spec_(Described(spec)) {
  schema_.fields.push_back({"key_group", Type::Int32()});
  AddPieces(spec_.key);
  AddPieces(spec_.value);
}

StateRows::~StateRows() = default;

void StateRows::AddPieces(const std::vector<StatePart>& parts) {
  for (const StatePart& part : parts) {
    if (part.form == Form::kSized) AddPieces(part.parts);
    if (part.columns.empty()) continue;
    pieces_.push_back(std::make_unique<Piece>(Piece{part, {}}));
    for (Field column : part.columns) {
      const std::string name = column.name;
      for (int number = 2; schema_.IndexOf(column.name) >= 0; ++number) {
        column.name = name + "_" + std::to_string(number);
      }
      schema_.fields.push_back(std::move(column));
    }
  }
}

void StateRows::Cut(const std::vector<StatePart>& parts, std::string_view bytes, size_t* piece) {
  const auto need = [&](int64_t wanted) {
    if (static_cast<int64_t>(bytes.size()) < wanted) {
      throw ExternalError("state", "an entry of table '" + spec_.name + "' is shorter than the table says");
    }
  };
  for (size_t i = 0; i < parts.size(); ++i) {
    int64_t length = BytesOf(parts[i]);
    if (parts[i].form == Form::kSized) {
      need(sizeof(uint32_t));
      length = TakePlain<uint32_t>(&bytes);
      need(length);
      Cut(parts[i].parts, bytes.substr(0, static_cast<size_t>(length)), piece);
    } else {
      if (length < 0) {  // what those behind it leave
        length = static_cast<int64_t>(bytes.size());
        for (size_t behind = i + 1; behind < parts.size(); ++behind) length -= BytesOf(parts[behind]);
        need(length < 0 ? static_cast<int64_t>(bytes.size()) + 1 : 0);
      }
      need(length);
      if (!parts[i].columns.empty()) {
        pieces_[(*piece)++]->bytes.Append(bytes.substr(0, static_cast<size_t>(length)));
      }
    }
    bytes.remove_prefix(static_cast<size_t>(length));
  }
}

void StateRows::Add(const StateEntry& entry) {
  key_groups_.push_back(entry.key_group == kEverySubtask ? -1 : entry.key_group);
  size_t piece = 0;
  Cut(spec_.key, entry.key, &piece);
  Cut(spec_.value, entry.value, &piece);
}

Batch StateRows::Take() {
  Batch rows;
  rows.num_rows = size();
  arrow::Int32Builder groups;
  for (const int32_t group : key_groups_) {
    OrThrow(group < 0 ? groups.AppendNull() : groups.Append(group));
  }
  rows.columns.push_back(OrThrow(groups.Finish()));
  for (const auto& piece : pieces_) {
    for (auto& column : piece->Columns()) rows.columns.push_back(std::move(column));
    piece->bytes.Clear();
  }
  key_groups_.clear();
  return rows;
}

}  // namespace laminar
