/// `raw_string`, `raw_bytes` and `raw`: the record is the value of the one column.

#include <arrow/array.h>

#include <algorithm>
#include <cstring>

#include "formats/column_writer.h"
#include "formats/json_encoder.h"
#include "formats/register_formats.h"
#include "formats/scalar_text.h"

namespace laminar {

namespace {

bool IsRawType(const Type& type) { return type.id() == TypeId::kText || type.id() == TypeId::kBytes; }

void CheckColumns(const std::string& format, const Schema& columns, bool text_only, bool bytes_only) {
  if (columns.num_columns() > 1) {
    throw UserError(Reason::kSchemaMismatch, {},
                    "format '" + format + "' carries one column, but the table has " +
                        std::to_string(columns.num_columns()));
  }
  for (const Field& field : columns.fields) {
    const bool good = text_only    ? field.type.id() == TypeId::kText
                      : bytes_only ? field.type.id() == TypeId::kBytes
                                   : IsRawType(field.type);
    if (good) continue;
    throw UserError(Reason::kSchemaMismatch, {},
                    "column '" + field.name + "' is " + field.type.ToString() + ", but format '" + format +
                        "' carries " +
                        (text_only    ? "TEXT"
                         : bytes_only ? "BYTEA"
                                      : "TEXT or BYTEA"));
  }
}

class RawDecoder final : public Decoder {
 public:
  RawDecoder(const FormatSpec& spec, const Schema& columns, bool lines)
      : lines_(lines), line_bytes_max_(spec.line_bytes_max), check_utf8_(true) {
    // Without a column (count(*)) the records are only counted.
    if (columns.num_columns() == 1)
      column_ = std::make_unique<ColumnWriter>(columns.fields[0].type, columns.fields[0].nullable);
    check_utf8_ = column_ && column_->id() == TypeId::kText;
  }

  DecodeResult Decode(std::string_view block, int64_t rows_max) override {
    DecodeResult result;
    size_t at = 0;
    if (!lines_) {
      Append(block, 0, &result);
      at = block.size();
    }
    while (at < block.size() && result.batch.num_rows < rows_max) {
      const size_t end = std::min(block.find('\n', at), block.size());
      std::string_view line = block.substr(at, end - at);
      if (line.ends_with('\r')) line.remove_suffix(1);
      Append(line, static_cast<int64_t>(at), &result);
      at = std::min(end + 1, block.size());
    }
    result.consumed = static_cast<int64_t>(at);
    Finish(&result);
    return result;
  }

  DecodeResult DecodeMessages(const std::vector<std::string_view>& messages, int64_t rows_max,
                              std::vector<int32_t>* row_messages) override {
    if (lines_) return Decoder::DecodeMessages(messages, rows_max, row_messages);
    DecodeResult result;
    if (row_messages) row_messages->clear();
    size_t next = 0;
    for (; next < messages.size() && result.batch.num_rows < rows_max; ++next) {
      const bool good = Append(messages[next], static_cast<int64_t>(next), &result);
      if (good && row_messages) row_messages->push_back(static_cast<int32_t>(next));
    }
    result.consumed = static_cast<int64_t>(next);
    Finish(&result);
    return result;
  }

 private:
  bool Append(std::string_view record, int64_t position, DecodeResult* result) {
    if (line_bytes_max_ > 0 && lines_ && static_cast<int64_t>(record.size()) > line_bytes_max_) {
      result->bad.push_back({record, position,
                             "the line has " + std::to_string(record.size()) +
                                 " bytes, more than the limit of " + std::to_string(line_bytes_max_)});
      return false;
    }
    if (check_utf8_ && !IsValidUtf8(record)) {
      result->bad.push_back({record, position, "invalid UTF-8; a BYTEA column takes any bytes"});
      return false;
    }
    if (column_) {
      column_->ReserveRows(column_->length() + 1);
      column_->AppendBytes(record);
    }
    ++result->batch.num_rows;
    return true;
  }

  void Finish(DecodeResult* result) {
    if (column_) result->batch.columns.push_back(column_->Finish());
  }

  const bool lines_;
  const int64_t line_bytes_max_;
  bool check_utf8_;
  std::unique_ptr<ColumnWriter> column_;
};

/// NULL is written as an empty record.
class RawEncoder final : public Encoder {
 public:
  std::shared_ptr<arrow::BinaryArray> Encode(const Batch& rows) override {
    const auto& values = static_cast<const arrow::BinaryArray&>(*rows.columns[0]);
    for (int64_t row = 0; row < rows.num_rows; ++row) {
      if (!values.IsNull(row)) out_.Append(values.GetView(row));
      out_.EndRecord();
    }
    return out_.Finish();
  }

 private:
  TextBuffer out_;
};

enum class RawKind { kString, kBytes, kByType };

Format MakeRaw(RawKind kind, const std::string& name, const std::string& description) {
  const bool text_only = kind == RawKind::kString;
  const bool bytes_only = kind == RawKind::kBytes;
  Format format;
  format.names = {name};
  format.doc = {name, description, {}};
  format.file_suffix = text_only ? "txt" : "bin";
  format.make_decoder = [=](const FormatSpec& spec, const Schema& columns) -> std::unique_ptr<Decoder> {
    CheckColumns(name, columns, text_only, bytes_only);
    // Text in files comes in lines; bytes are whole messages unless lines were asked for.
    const bool text = columns.num_columns() == 0 ? !bytes_only : columns.fields[0].type.id() == TypeId::kText;
    const bool lines = spec.framing == FramingMethod::kNewline ||
                       (text && spec.framing == FramingMethod::kNone && !spec.one_message);
    return std::make_unique<RawDecoder>(spec, columns, lines);
  };
  format.make_encoder = [=](const FormatSpec&, const Schema& columns) -> std::unique_ptr<Encoder> {
    if (columns.num_columns() == 0)
      throw UserError(Reason::kSchemaMismatch, {}, "format '" + name + "' needs a column to write");
    CheckColumns(name, columns, text_only, bytes_only);
    return std::make_unique<RawEncoder>();
  };
  const Schema fixed{{{"value", bytes_only ? Type::Bytes() : Type::Text(), true}}};
  if (kind == RawKind::kByType) {
    format.infer = [](const FormatSpec&, std::string_view sample) {
      return Schema{{{"value", IsValidUtf8(sample) ? Type::Text() : Type::Bytes(), true}}};
    };
  } else {
    format.fixed_schema = [fixed](const FormatSpec&) { return fixed; };
    format.infer = [fixed](const FormatSpec&, std::string_view) { return fixed; };
  }
  return format;
}

}  // namespace

void RegisterRaw(FormatRegistry& registry) {
  registry.Add(MakeRaw(RawKind::kString, "raw_string",
                       "The record as text in one TEXT column `value`; must be UTF-8."));
  registry.Add(MakeRaw(RawKind::kBytes, "raw_bytes", "The record's bytes in one BYTEA column `value`."));
  registry.Add(
      MakeRaw(RawKind::kByType, "raw", "The record in one column, TEXT or BYTEA by the column's type."));
}

}  // namespace laminar
