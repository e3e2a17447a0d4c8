/// The `csv` format: decoder, encoder and inference over the record splitter of csv.h.

#include <arrow/array.h>

#include <algorithm>
#include <cmath>

#include "formats/column_writer.h"
#include "formats/csv.h"
#include "formats/json_encoder.h"
#include "formats/json_index.h"
#include "formats/json_text.h"
#include "formats/register_formats.h"
#include "formats/scalar_text.h"
#include "formats/text_value.h"
#include "types/timestamp_text.h"

namespace laminar {

namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool IsBlank(const std::vector<CsvField>& fields) {
  return fields.size() == 1 && !fields[0].quoted && fields[0].text.empty();
}

/// Numbers as people write them, as JSON has them: `+5`, `007`, `.5`, `5.`, `nan`, `-inf`.
std::string NormalizeNumber(std::string_view text) {
  std::string out;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    if (text[0] == '-') out = "-";
    text.remove_prefix(1);
  }
  if (EqualsIgnoreCase(text, "nan")) return "NaN";
  if (EqualsIgnoreCase(text, "inf") || EqualsIgnoreCase(text, "infinity")) return out + "Infinity";
  while (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9') text.remove_prefix(1);
  if (text.starts_with('.') && text.size() > 1) out += "0";
  if (text.ends_with('.') && text.size() > 1) text.remove_suffix(1);
  return out.append(text);
}

class CsvDecoder final : public Decoder {
 public:
  CsvDecoder(const FormatSpec& spec, const Schema& columns)
      : dialect_(CsvDialectOf(spec)),
        line_bytes_max_(spec.line_bytes_max),
        one_message_(spec.one_message),
        columns_(columns) {
    for (const Field& field : columns.fields) {
      if (field.type.is_nested()) {
        throw UserError(
            Reason::kSchemaMismatch, {},
            "column '" + field.name + "' is " + field.type.ToString() + ", which a CSV source cannot carry")
            .Hint("declare it as JSON");
      }
      writers_.push_back(std::make_unique<ColumnWriter>(field.type, field.nullable));
    }
    table_names_ = TableNames(spec);
    if (!dialect_.header) TakeNames(table_names_);
  }

  DecodeResult Decode(std::string_view block, int64_t rows_max) override {
    DecodeResult result;
    block_end_ = block.data() + block.size();
    text_is_utf8_ = IsValidUtf8(block);
    int64_t at = rest_expected_ ? 0 : SkipHeader(block);
    const auto size = static_cast<int64_t>(block.size());
    while (at < size && result.batch.num_rows < rows_max)
      at += ReadRecord(block.substr(static_cast<size_t>(at)), at, &result);
    rest_expected_ = at < size;
    result.consumed = at;
    for (auto& writer : writers_) result.batch.columns.push_back(writer->Finish());
    return result;
  }

 private:
  std::vector<std::string> TableNames(const FormatSpec& spec) const {
    const Schema& table = spec.table_columns.num_columns() > 0 ? spec.table_columns : columns_;
    std::vector<std::string> names;
    for (const Field& field : table.fields) names.push_back(field.name);
    return names;
  }

  /// Decides which field of a record goes to which column.
  void TakeNames(std::vector<std::string> names) {
    names_ = std::move(names);
    column_of_field_.assign(names_.size(), -1);
    std::vector<bool> taken(writers_.size(), false);
    for (const bool exact : {true, false}) {
      for (size_t i = 0; i < names_.size(); ++i) {
        for (size_t k = 0; k < writers_.size() && column_of_field_[i] < 0; ++k) {
          const std::string& wanted = columns_.fields[k].name;
          if (taken[k] || !(exact ? wanted == names_[i] : EqualsIgnoreCase(wanted, names_[i]))) continue;
          column_of_field_[i] = static_cast<int>(k);
          taken[k] = true;
        }
      }
    }
    // A first row that was taken for a header must not turn all that follows into NULLs.
    strange_header_ =
        !table_names_.empty() && std::none_of(names_.begin(), names_.end(), [this](const std::string& name) {
          return std::any_of(table_names_.begin(), table_names_.end(),
                             [&](const std::string& wanted) { return EqualsIgnoreCase(wanted, name); });
        });
    missing_.clear();
    for (size_t k = 0; k < taken.size(); ++k) {
      if (!taken[k]) missing_.push_back(static_cast<int>(k));
    }
  }

  /// Takes a header at the start of a block, if there is one; returns how many bytes to pass over.
  int64_t SkipHeader(std::string_view block) {
    const int64_t mark = block.starts_with(kByteOrderMark) ? static_cast<int64_t>(kByteOrderMark.size()) : 0;
    if (!dialect_.header) return mark;
    int64_t bytes = 0;
    int64_t at = mark;
    do {  // blank lines before the first header are none
      at += bytes;
      if (at == static_cast<int64_t>(block.size())) return at;
      SplitCsvRecord(block.substr(static_cast<size_t>(at)), dialect_, &fields_, &bytes);
    } while (IsBlank(fields_) && names_.empty());
    std::vector<std::string> names;
    for (const CsvField& field : fields_) names.emplace_back(CsvFieldValue(field, dialect_, &scratch_));
    // A later block of the same file may start with the header again or with a row.
    if (!names_.empty() && names != names_ && !NamesAllColumns(names)) return at;
    if (names != names_) TakeNames(std::move(names));
    return at + bytes;
  }

  bool NamesAllColumns(const std::vector<std::string>& names) const {
    if (columns_.fields.empty()) return false;
    return std::all_of(columns_.fields.begin(), columns_.fields.end(), [&](const Field& column) {
      return std::any_of(names.begin(), names.end(),
                         [&](const std::string& name) { return EqualsIgnoreCase(name, column.name); });
    });
  }

  int64_t ReadRecord(std::string_view rest, int64_t position, DecodeResult* result) {
    int64_t bytes = 0;
    const CsvRecordEnd end = SplitCsvRecord(rest, dialect_, &fields_, &bytes);
    std::string_view record = rest.substr(0, static_cast<size_t>(bytes));
    if (record.ends_with('\n')) record.remove_suffix(1);
    if (record.ends_with('\r')) record.remove_suffix(1);
    if (end <= CsvRecordEnd::kTextEnd && IsBlank(fields_) && (names_.size() != 1 || one_message_))
      return bytes;
    if (AppendRecord(end, record)) {
      ++result->batch.num_rows;
    } else {
      for (auto& writer : writers_) writer->Rewind(result->batch.num_rows);
      result->bad.push_back({record, position, std::move(error_)});
    }
    return bytes;
  }

  bool Fail(std::string error) {
    error_ = std::move(error);
    return false;
  }

  bool AppendRecord(CsvRecordEnd end, std::string_view record) {
    if (line_bytes_max_ > 0 && static_cast<int64_t>(record.size()) > line_bytes_max_) {
      return Fail("the record has " + std::to_string(record.size()) + " bytes, more than the limit of " +
                  std::to_string(line_bytes_max_));
    }
    if (end == CsvRecordEnd::kOpenQuote) return Fail("a quoted field does not end");
    if (end == CsvRecordEnd::kAfterQuote) return Fail("text follows the closing quote of a field");
    if (fields_.size() != names_.size()) {
      return Fail("the record has " + std::to_string(fields_.size()) + " fields, but " +
                  (dialect_.header ? "the header has " : "the table has ") + std::to_string(names_.size()));
    }
    if (!text_is_utf8_ && !IsValidUtf8(record)) return Fail("invalid UTF-8");
    if (strange_header_) {
      return Fail("the header '" + ShortenText(JoinNames()) +
                  "' names no column of the table; a file without a header needs csv.header = false");
    }
    for (auto& writer : writers_) writer->ReserveRows(writer->length() + 1);
    for (size_t i = 0; i < fields_.size(); ++i) {
      if (column_of_field_[i] < 0) continue;
      const auto column = static_cast<size_t>(column_of_field_[i]);
      if (!AppendField(fields_[i], writers_[column].get())) {
        return Fail("column '" + columns_.fields[column].name + "': " + error_);
      }
    }
    for (const int column : missing_) {
      ColumnWriter& writer = *writers_[static_cast<size_t>(column)];
      if (!writer.nullable()) {
        return Fail("column '" + columns_.fields[static_cast<size_t>(column)].name +
                    "': is NOT NULL but the header has no such field");
      }
      writer.AppendNull();
    }
    return true;
  }

  std::string JoinNames() const {
    std::string out;
    for (const std::string& name : names_)
      out += (out.empty() ? "" : std::string(1, dialect_.delimiter)) + name;
    return out;
  }

  bool AppendField(const CsvField& field, ColumnWriter* writer) {
    std::string_view text = CsvFieldValue(field, dialect_, &scratch_);
    const bool is_text = writer->id() == TypeId::kText;
    if ((!field.quoted && text == dialect_.null_string) || (!is_text && Trim(text).empty())) {
      if (!writer->nullable()) return Fail("is NOT NULL but the record has NULL");
      writer->AppendNull();
      return true;
    }
    if (is_text) {
      writer->AppendBytes(text);
      return true;
    }
    if (writer->id() == TypeId::kJson) return AppendJson(text, writer);
    return AppendValue(Padded(Trim(text), !field.escaped), writer);
  }

  /// Text that number parsers may read a little beyond. `in_block`: it lies in the block, else in `scratch_`.
  std::string_view Padded(std::string_view text, bool in_block) {
    if (in_block && block_end_ - (text.data() + text.size()) >= kNumberPadding) return text;
    padded_.assign(text);
    padded_.append(kNumberPadding, '\0');
    return {padded_.data(), text.size()};
  }

  bool AppendValue(std::string_view text, ColumnWriter* writer) {
    if (AppendTextValue(writer, text, {}, &error_)) return true;
    // What was refused may be another spelling. (A good record never comes here.)
    const std::string refusal = error_;
    if (writer->type().is_numeric()) {
      padded_ = NormalizeNumber(std::string(text)) + std::string(kNumberPadding, '\0');
      if (AppendTextValue(writer, {padded_.data(), padded_.size() - kNumberPadding}, {}, &error_))
        return true;
    } else if (writer->id() == TypeId::kBoolean) {
      for (const auto& [spelling, value] :
           {std::pair{"true", 1}, {"t", 1}, {"1", 1}, {"false", 0}, {"f", 0}, {"0", 0}}) {
        if (!EqualsIgnoreCase(text, spelling)) continue;
        writer->AppendFixed<uint8_t>(static_cast<uint8_t>(value));
        return true;
      }
    } else if (writer->type().is_timestamp() && AppendBareValue(writer, text, {}, &error_)) {
      return true;
    }
    return Fail(refusal);
  }

  bool AppendJson(std::string_view text, ColumnWriter* writer) {
    const char* error;
    const auto value = CheckJsonText(&index_, text, &error);
    if (!value) return Fail("'" + ShortenText(text) + "' is not JSON: " + error);
    writer->AppendBytes(*value);
    return true;
  }

  const CsvDialect dialect_;
  const int64_t line_bytes_max_;
  const bool one_message_;
  const Schema columns_;
  std::vector<std::unique_ptr<ColumnWriter>> writers_;
  std::vector<std::string> table_names_;
  std::vector<std::string> names_;    // of the fields, by header or table; empty: no header seen yet
  bool strange_header_ = false;       // no column of the table is among them
  std::vector<int> column_of_field_;  // −1: nobody reads it
  std::vector<int> missing_;          // columns that no field has
  bool rest_expected_ = false;        // the last block was not used up
  bool text_is_utf8_ = true;
  const char* block_end_ = nullptr;
  std::vector<CsvField> fields_;
  std::string scratch_;
  std::string padded_;
  std::string error_;
  JsonIndex index_;
};

class CsvEncoder final : public Encoder {
 public:
  CsvEncoder(const FormatSpec& spec, const Schema& columns)
      : dialect_(CsvDialectOf(spec)), columns_(columns) {
    JsonWriteOptions options;
    for (const Field& field : columns.fields) writers_.emplace_back(field.type, options);
  }

  std::shared_ptr<arrow::BinaryArray> Encode(const Batch& rows) override {
    for (size_t i = 0; i < writers_.size(); ++i) writers_[i].Bind(*rows.columns[i]);
    for (int64_t row = 0; row < rows.num_rows; ++row) {
      for (size_t i = 0; i < writers_.size(); ++i) {
        if (i > 0) out_.Append(dialect_.delimiter);
        WriteField(*rows.columns[i], i, row);
      }
      out_.EndRecord();
    }
    return out_.Finish();
  }

  std::string Header() const override {
    if (!dialect_.header) return "";
    std::string out;
    for (size_t i = 0; i < columns_.fields.size(); ++i) {
      if (i > 0) out += dialect_.delimiter;
      const std::string& name = columns_.fields[i].name;
      out += NeedsQuotes(name) ? Quoted(name) : name;
    }
    return out + "\n";
  }

 private:
  void WriteField(const arrow::Array& array, size_t column, int64_t row) {
    if (array.IsNull(row)) return out_.Append(dialect_.null_string);
    const TypeId id = columns_.fields[column].type.id();
    if (id == TypeId::kText) return WriteText(static_cast<const arrow::StringArray&>(array).GetView(row));
    if (id == TypeId::kDouble && WriteSpecial(static_cast<const arrow::DoubleArray&>(array).Value(row)))
      return;
    if (id == TypeId::kFloat && WriteSpecial(static_cast<const arrow::FloatArray&>(array).Value(row))) return;
    value_.Resize(0);
    writers_[column].Write(row, &value_);
    std::string_view text = value_.view();
    // Times, BYTEA and such are JSON strings without anything to escape.
    const bool json = id == TypeId::kJson || columns_.fields[column].type.is_nested();
    if (!json && text.size() >= 2 && text.front() == '"') text = text.substr(1, text.size() - 2);
    WriteText(text);
  }

  bool WriteSpecial(double value) {
    if (std::isfinite(value)) return false;
    out_.Append(std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
    return true;
  }

  bool NeedsQuotes(std::string_view text) const {
    if (text.empty() || text == dialect_.null_string || text.front() == ' ' || text.back() == ' ')
      return true;
    return std::any_of(text.begin(), text.end(), [&](char c) {
      return c == dialect_.delimiter || c == dialect_.quote || c == dialect_.escape || c == '\n' || c == '\r';
    });
  }

  std::string Quoted(std::string_view text) const {
    std::string out(1, dialect_.quote);
    for (char c : text) {
      if (c == dialect_.quote || c == dialect_.escape) out += dialect_.escape;
      out += c;
    }
    return out + dialect_.quote;
  }

  void WriteText(std::string_view text) {
    if (NeedsQuotes(text)) {
      out_.Append(Quoted(text));
    } else {
      out_.Append(text);
    }
  }

  const CsvDialect dialect_;
  const Schema columns_;
  std::vector<JsonValueWriter> writers_;
  TextBuffer out_;
  TextBuffer value_;
};

enum class Guess { kNothing, kBoolean, kInteger, kDouble, kTimestamp, kText };

Guess GuessOf(std::string_view text) {
  if (text == "true" || text == "false") return Guess::kBoolean;
  std::string number = NormalizeNumber(text);
  const size_t size = number.size();
  number.append(kNumberPadding, '\0');
  int64_t integer;
  double real;
  if (ParseInt64({number.data(), size}, &integer) == NumberError::kNone) return Guess::kInteger;
  if (ParseDouble({number.data(), size}, &real) == NumberError::kNone) return Guess::kDouble;
  const auto timestamp = ParseTimestamp(text);
  return timestamp && timestamp->has_time ? Guess::kTimestamp : Guess::kText;
}

Guess Merge(Guess a, Guess b) {
  if (a == b || a == Guess::kNothing) return b;
  const bool numbers =
      (a == Guess::kInteger || a == Guess::kDouble) && (b == Guess::kInteger || b == Guess::kDouble);
  return numbers ? Guess::kDouble : Guess::kText;
}

Type TypeOf(Guess guess) {
  switch (guess) {
    case Guess::kBoolean:
      return Type::Boolean();
    case Guess::kInteger:
      return Type::Int64();
    case Guess::kDouble:
      return Type::Double();
    case Guess::kTimestamp:
      return Type::Timestamp();
    default:
      return Type::Text();
  }
}

Schema InferCsvSchema(const FormatSpec& spec, std::string_view sample) {
  const CsvDialect dialect = CsvDialectOf(spec);
  if (sample.starts_with(kByteOrderMark)) sample.remove_prefix(kByteOrderMark.size());
  std::vector<CsvField> fields;
  std::vector<std::string> names;
  std::vector<Guess> guesses;
  std::string scratch;
  int64_t bytes = 0;
  for (bool first = true; !sample.empty(); sample.remove_prefix(static_cast<size_t>(bytes))) {
    const CsvRecordEnd end = SplitCsvRecord(sample, dialect, &fields, &bytes);
    // The last record of a sample may be cut off in the middle.
    if (end == CsvRecordEnd::kTextEnd && !first && guesses.size() > 0 && fields.size() != guesses.size())
      break;
    if (end > CsvRecordEnd::kTextEnd || IsBlank(fields)) continue;
    if (first) {
      for (size_t i = 0; i < fields.size(); ++i) {
        names.push_back(dialect.header ? std::string(CsvFieldValue(fields[i], dialect, &scratch))
                                       : "column" + std::to_string(i + 1));
      }
      guesses.assign(fields.size(), Guess::kNothing);
    }
    const bool is_header = first && dialect.header;
    first = false;
    if (is_header || fields.size() != guesses.size()) continue;
    for (size_t i = 0; i < fields.size(); ++i) {
      const std::string_view text = CsvFieldValue(fields[i], dialect, &scratch);
      if ((fields[i].quoted || text != dialect.null_string) && !text.empty())
        guesses[i] = Merge(guesses[i], GuessOf(Trim(text)));
    }
  }
  Schema schema;
  for (size_t i = 0; i < names.size(); ++i) schema.fields.push_back({names[i], TypeOf(guesses[i]), true});
  return schema;
}

}  // namespace

void RegisterCsv(FormatRegistry& registry) {
  Format format;
  format.names = {"csv"};
  format.doc = {"csv",
                "Comma-separated values. With a header, fields match columns by exact name, then ignoring "
                "case; without, by place. "
                "A record with another number of fields is bad, and so are all below a header that names no "
                "column. On read, columns must not be nested (JSON is "
                "fine); a single "
                "column's empty line is NULL.",
                {{"delimiter", "default ,"},
                 {"quote", "default \""},
                 {"escape", "default: the quote, which is then doubled"},
                 {"header", "true (default) or false; messages of a broker have none unless this is set"},
                 {"null_string", "unquoted text that means NULL; default empty"}}};
  format.newline_implied = true;
  format.file_suffix = "csv";
  format.make_decoder = [](const FormatSpec& spec, const Schema& columns) -> std::unique_ptr<Decoder> {
    return std::make_unique<CsvDecoder>(spec, columns);
  };
  format.make_encoder = [](const FormatSpec& spec, const Schema& columns) -> std::unique_ptr<Encoder> {
    return std::make_unique<CsvEncoder>(spec, columns);
  };
  format.infer = InferCsvSchema;
  format.last_record_end = [](const FormatSpec& spec, std::string_view block) {
    return FindLastRecordEnd(block, CsvDialectOf(spec));
  };
  format.header_bytes = [](const FormatSpec& spec, std::string_view start) -> int64_t {
    const CsvDialect dialect = CsvDialectOf(spec);
    return dialect.header ? std::max<int64_t>(0, FindRecordEnd(start, 0, dialect)) : 0;
  };
  registry.Add(std::move(format));
}

}  // namespace laminar
