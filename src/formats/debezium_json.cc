/// The `debezium_json` format: changes as {"before":…,"after":…,"op":…} envelopes.
///
/// On read, an update whose `before` is missing, or an update or delete whose `before` lacks a NOT NULL
/// column (PostgreSQL's REPLICA IDENTITY DEFAULT sends the key alone), goes on as a change without its old
/// row (formats/changes.h). A delete that does not even tell its key is a bad record.

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/compute/api_vector.h>

#include <algorithm>

#include "base/arrow_result.h"
#include "formats/changes.h"
#include "formats/json_options.h"
#include "formats/option_reader.h"
#include "formats/register_formats.h"

namespace laminar {

namespace {

constexpr JsonDefaults kDefaults{"debezium_json", TimestampStyle::kMillis, DecimalStyle::kBytes, false};

/// Where the parts of an envelope lie among the columns that the record reader gives: once at the top of the
/// record, once within `payload`.
enum EnvelopeColumn { kPayload, kBefore, kAfter, kOp };

Schema EnvelopeSchema(const Schema& columns) {
  std::vector<Field> before = columns.fields;
  for (Field& field : before) field.nullable = true;  // judged when it is known to be used
  const Field parts[] = {{"before", Type::Struct(before), true},
                         {"after", Type::Struct(columns.fields), true},
                         {"op", Type::Text(), true}};
  return Schema{
      {{"payload", Type::Struct({parts[0], parts[1], parts[2]}), true}, parts[0], parts[1], parts[2]}};
}

/// One envelope column of all records, wherever it was found.
struct Envelopes {
  std::shared_ptr<arrow::StructArray> before;
  std::shared_ptr<arrow::StructArray> after;
  std::shared_ptr<arrow::StringArray> op;
};

Envelopes TopLevel(const Batch& batch) {
  return {std::static_pointer_cast<arrow::StructArray>(batch.columns[kBefore]),
          std::static_pointer_cast<arrow::StructArray>(batch.columns[kAfter]),
          std::static_pointer_cast<arrow::StringArray>(batch.columns[kOp])};
}

Envelopes WithinPayload(const Batch& batch) {
  const auto& payload = static_cast<const arrow::StructArray&>(*batch.columns[kPayload]);
  return {std::static_pointer_cast<arrow::StructArray>(payload.field(0)),
          std::static_pointer_cast<arrow::StructArray>(payload.field(1)),
          std::static_pointer_cast<arrow::StringArray>(payload.field(2))};
}

class DebeziumDecoder final : public Decoder {
 public:
  DebeziumDecoder(const JsonReadOptions& options, const Schema& columns, std::vector<int> primary_key)
      : reader_(options, EnvelopeSchema(columns)),
        columns_(columns),
        primary_key_(std::move(primary_key)),
        lines_(options.lines) {}

  DecodeResult Decode(std::string_view block, int64_t rows_max) override {
    DecodeResult read = reader_.Decode(block, RecordsFor(rows_max), &records_);
    return ToChanges(std::move(read), block.data(), nullptr, nullptr);
  }

  DecodeResult DecodeMessages(const std::vector<std::string_view>& messages, int64_t rows_max,
                              std::vector<int32_t>* row_messages) override {
    if (lines_) return Decoder::DecodeMessages(messages, rows_max, row_messages);
    std::vector<int32_t> record_messages;
    DecodeResult read = reader_.DecodeMessages(messages, RecordsFor(rows_max), &record_messages, &records_);
    return ToChanges(std::move(read), nullptr, &record_messages, row_messages);
  }

 private:
  /// An update gives two rows.
  static int64_t RecordsFor(int64_t rows_max) { return std::max<int64_t>(1, rows_max / 2); }

  DecodeResult ToChanges(DecodeResult read, const char* block, const std::vector<int32_t>* record_messages,
                         std::vector<int32_t>* row_messages) {
    takes_.clear();
    weights_.clear();
    rows_of_.clear();
    const int64_t count = read.batch.num_rows;
    const auto payload = read.batch.columns[kPayload];
    const bool wrapped = payload->null_count() < count;
    const Envelopes top = TopLevel(read.batch);
    const Envelopes inner = WithinPayload(read.batch);
    std::erase_if(read.bad, [](const BadRecord& bad) { return IsNullRecord(bad.bytes); });
    for (int64_t row = 0; row < count; ++row) {
      const bool in_payload = wrapped && payload->IsValid(row);
      const std::string error = AddChanges(in_payload ? inner : top, row, in_payload ? 2 * count : 0, count);
      if (error.empty()) continue;
      const std::string_view record = records_[static_cast<size_t>(row)];
      read.bad.push_back(
          {record, block ? record.data() - block : (*record_messages)[static_cast<size_t>(row)], error});
    }
    std::stable_sort(read.bad.begin(), read.bad.end(),
                     [](const BadRecord& a, const BadRecord& b) { return a.position < b.position; });
    if (row_messages) {
      row_messages->clear();
      for (const int64_t record : rows_of_)
        row_messages->push_back((*record_messages)[static_cast<size_t>(record)]);
    }
    read.batch = Gather(top, inner, wrapped);
    return read;
  }

  static bool IsNullRecord(std::string_view record) {
    while (!record.empty() && static_cast<unsigned char>(record.back()) <= ' ') record.remove_suffix(1);
    return record.ends_with("null") && record.find_first_not_of(" \t\r\n") == record.size() - 4;
  }

  /// Adds the rows that a record means. Images lie at `base` (before) and `base` + `count` (after) of what
  /// Gather takes from. Returns an error for a bad record.
  std::string AddChanges(const Envelopes& at, int64_t row, int64_t base, int64_t count) {
    const bool has_before = at.before->IsValid(row);
    const bool has_after = at.after->IsValid(row);
    if (at.op->IsNull(row)) {
      // Heartbeats, transaction markers and schema changes come without images.
      return has_before || has_after ? "the record has no 'op'" : "";
    }
    const std::string_view op = at.op->GetView(row);
    if (op == "t") return "";
    const bool inserts = op == "c" || op == "r";
    if (!inserts && op != "u" && op != "d")
      return "'op' is '" + std::string(op) + "', but must be c, r, u, d or t";
    if (op != "d" && !has_after) return "'op' is '" + std::string(op) + "', but there is no 'after'";
    if (inserts) {
      Add(base + count + row, 1, row);
      return "";
    }
    const int missing = has_before ? NullThatMustNotBe(*at.before, row) : -1;
    const bool has_key = has_before && HasKey(*at.before, row);
    if (!has_before && (op == "d" || primary_key_.empty())) return MissingBefore(op, "there is no 'before'");
    if (missing >= 0 && !has_key) {
      return MissingBefore(op, "'before' lacks column '" +
                                   columns_.fields[static_cast<size_t>(missing)].name +
                                   "', which is NOT NULL");
    }
    if (has_before) Add(base + row, missing >= 0 ? -kWithoutOldRow : -1, row);
    if (op == "u") Add(base + count + row, has_before && missing < 0 ? 1 : kWithoutOldRow, row);
    return "";
  }

  bool HasKey(const arrow::StructArray& before, int64_t row) const {
    return !primary_key_.empty() && std::all_of(primary_key_.begin(), primary_key_.end(), [&](int column) {
      return before.field(column)->IsValid(row);
    });
  }

  static std::string MissingBefore(std::string_view op, const std::string& what) {
    return "'op' is '" + std::string(op) + "', but " + what +
           "; let the origin send whole old rows (PostgreSQL: ALTER TABLE … REPLICA IDENTITY FULL)";
  }

  int NullThatMustNotBe(const arrow::StructArray& before, int64_t row) const {
    for (size_t i = 0; i < columns_.fields.size(); ++i) {
      if (!columns_.fields[i].nullable && before.field(static_cast<int>(i))->IsNull(row))
        return static_cast<int>(i);
    }
    return -1;
  }

  void Add(int64_t index, int32_t weight, int64_t record) {
    takes_.push_back(index);
    weights_.push_back(weight);
    rows_of_.push_back(record);
  }

  Batch Gather(const Envelopes& top, const Envelopes& inner, bool wrapped) const {
    Batch out;
    out.num_rows = static_cast<int64_t>(takes_.size());
    const auto indices = std::make_shared<arrow::Int64Array>(out.num_rows, arrow::Buffer::Wrap(takes_));
    for (int i = 0; i < columns_.num_columns(); ++i) {
      arrow::ArrayVector images = {top.before->field(i), top.after->field(i)};
      if (wrapped) {
        images.push_back(inner.before->field(i));
        images.push_back(inner.after->field(i));
      }
      const auto all = OrThrow(arrow::Concatenate(images), "join images");
      out.columns.push_back(OrThrow(
          arrow::compute::Take(*all, *indices, arrow::compute::TakeOptions::NoBoundsCheck()), "pick images"));
    }
    if (std::any_of(weights_.begin(), weights_.end(), [](int32_t weight) { return weight != 1; })) {
      out.weights = MakeWeights(weights_);
    }
    return out;
  }

  JsonRecordReader reader_;
  const Schema columns_;
  const std::vector<int> primary_key_;
  const bool lines_;
  std::vector<std::string_view> records_;
  std::vector<int64_t> takes_;
  std::vector<int32_t> weights_;
  std::vector<int64_t> rows_of_;  // the record of each row
};

class DebeziumEncoder final : public Encoder {
 public:
  DebeziumEncoder(const JsonWriteOptions& options, const Schema& columns, std::vector<int> primary_key)
      : writer_(columns, options), primary_key_(std::move(primary_key)) {}

  std::shared_ptr<arrow::BinaryArray> Encode(const Batch& rows) override {
    writer_.Bind(rows.columns);
    for (int64_t row = 0; row < rows.num_rows; ++row) {
      if (rows.weight(row) > 0) {
        WriteRecord(-1, row, 'c');
      } else if (row + 1 < rows.num_rows && rows.weight(row + 1) > 0 && SameKey(rows, row)) {
        WriteRecord(row, row + 1, 'u');
        ++row;
      } else {
        WriteRecord(row, -1, 'd');
      }
    }
    return out_.Finish();
  }

 private:
  /// True when a row and the next are versions of one; without a primary key nothing tells.
  bool SameKey(const Batch& rows, int64_t row) const {
    const auto options = arrow::EqualOptions::Defaults().nans_equal(true);
    return !primary_key_.empty() && std::all_of(primary_key_.begin(), primary_key_.end(), [&](int column) {
      const arrow::Array& values = *rows.columns[static_cast<size_t>(column)];
      return values.RangeEquals(row, row + 1, row + 1, values, options);
    });
  }

  void WriteImage(int64_t row) {
    if (row < 0) {
      out_.Append("null");
    } else {
      writer_.Write(row, &out_);
    }
  }

  void WriteRecord(int64_t before, int64_t after, char op) {
    out_.Append(R"({"before":)");
    WriteImage(before);
    out_.Append(R"(,"after":)");
    WriteImage(after);
    out_.Append(R"(,"op":")");
    out_.Append(op);
    out_.Append("\"}");
    out_.EndRecord();
  }

  JsonObjectWriter writer_;
  const std::vector<int> primary_key_;
  TextBuffer out_;
};

/// Columns of the row images in a sample.
Schema InferImages(const FormatSpec& spec, std::string_view sample) {
  const Schema envelope = InferJsonSchema(sample, ReadOptionsOf(spec, kDefaults).lines);
  Type place = Type::Struct(envelope.fields);
  const int payload = envelope.IndexOf("payload");
  if (payload >= 0 && envelope.fields[static_cast<size_t>(payload)].type.id() == TypeId::kStruct) {
    place = envelope.fields[static_cast<size_t>(payload)].type;
  }
  for (const char* image : {"after", "before"}) {
    const int index = place.FieldIndex(image);
    if (index < 0) continue;
    const Type& type = place.fields()[static_cast<size_t>(index)].type;
    if (type.id() == TypeId::kStruct) return Schema{type.fields()};
  }
  return Schema{};
}

}  // namespace

void RegisterDebeziumJson(FormatRegistry& registry) {
  Format format;
  format.names = {"debezium_json", "debezium-json"};
  format.doc = {
      "debezium_json",
      "Changes as Debezium envelopes: before, after, op (c, r, u, d), with or without {schema,payload}. "
      "An update without "
      "`before`, or with no more than the key in it, replaces the row of its key. Truncates, heartbeats and "
      "null records are passed over.",
      {{"timestamp_format", "sinks: unix_millis (default), unix_seconds, unix_micros, unix_nanos, rfc3339"},
       {"timestamp_unit",
        "sources: unit of integer timestamps; auto (default, by size), seconds, millis, micros, nanos"},
       {"decimal_encoding", "bytes (default), number, string"},
       {"confluent_schema_registry",
        "sources: records start with the registry's five bytes; default false"}}};
  format.changelog = true;
  format.order_dependent = true;
  format.file_suffix = "json";
  format.make_decoder = [](const FormatSpec& spec, const Schema& columns) -> std::unique_ptr<Decoder> {
    return std::make_unique<DebeziumDecoder>(ReadOptionsOf(spec, kDefaults), columns, spec.primary_key);
  };
  format.make_encoder = [](const FormatSpec& spec, const Schema& columns) -> std::unique_ptr<Encoder> {
    return std::make_unique<DebeziumEncoder>(WriteOptionsOf(spec, kDefaults), columns, spec.primary_key);
  };
  format.infer = InferImages;
  registry.Add(std::move(format));
}

}  // namespace laminar
