/// The `json` format: one object per record.

#include <arrow/array.h>

#include "formats/json_options.h"
#include "formats/json_text.h"
#include "formats/option_reader.h"
#include "formats/register_formats.h"

namespace laminar {

namespace {

constexpr JsonDefaults kDefaults;

/// Index 0 and 1 are text, then the units from seconds on.
const std::vector<std::string> kTimestampFormats = {"rfc3339",     "iso8601",     "unix_seconds",
                                                    "unix_millis", "unix_micros", "unix_nanos"};

TimestampStyle StyleOf(int choice) {
  switch (choice) {
    case 2:
      return TimestampStyle::kSeconds;
    case 3:
      return TimestampStyle::kMillis;
    case 4:
      return TimestampStyle::kMicros;
    case 5:
      return TimestampStyle::kNanos;
    default:
      return TimestampStyle::kText;
  }
}

class JsonDecoder final : public Decoder {
 public:
  JsonDecoder(const JsonReadOptions& options, const Schema& columns) : reader_(options, columns) {}

  DecodeResult Decode(std::string_view block, int64_t rows_max) override {
    return reader_.Decode(block, rows_max);
  }
  DecodeResult DecodeMessages(const std::vector<std::string_view>& messages, int64_t rows_max,
                              std::vector<int32_t>* row_messages) override {
    // A message of several lines is several records.
    if (lines_) return Decoder::DecodeMessages(messages, rows_max, row_messages);
    return reader_.DecodeMessages(messages, rows_max, row_messages);
  }
  void set_lines(bool lines) { lines_ = lines; }

 private:
  JsonRecordReader reader_;
  bool lines_ = false;
};

/// The type names of Kafka Connect's JSON schemas.
std::string ConnectSchema(const std::string& name, const Type& type, bool nullable,
                          const JsonWriteOptions& options);

std::string ConnectBody(const Type& type, const JsonWriteOptions& options) {
  const bool text_times = options.timestamps == TimestampStyle::kText;
  switch (type.id()) {
    case TypeId::kBoolean:
      return R"("type":"boolean")";
    case TypeId::kInt8:
      return R"("type":"int8")";
    case TypeId::kInt16:
    case TypeId::kUInt8:
      return R"("type":"int16")";
    case TypeId::kInt32:
    case TypeId::kUInt16:
      return R"("type":"int32")";
    case TypeId::kInt64:
    case TypeId::kUInt32:
    case TypeId::kUInt64:
      return R"("type":"int64")";
    case TypeId::kFloat:
      return R"("type":"float")";
    case TypeId::kDouble:
      return R"("type":"double")";
    case TypeId::kBytes:
      return R"("type":"bytes")";
    case TypeId::kDecimal:
      if (options.decimals == DecimalStyle::kNumber) return R"("type":"double")";
      if (options.decimals == DecimalStyle::kString) return R"("type":"string")";
      return R"("type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":")" +
             std::to_string(type.scale()) + R"(","connect.decimal.precision":")" +
             std::to_string(type.precision()) + "\"}";
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      if (text_times) return R"("type":"string")";
      if (options.timestamps != TimestampStyle::kMillis) return R"("type":"int64")";
      return R"("type":"int64","name":"org.apache.kafka.connect.data.Timestamp","version":1)";
    case TypeId::kArray:
      return R"("type":"array","items":)" + ConnectSchema("", type.element(), true, options);
    case TypeId::kMap:
      return R"("type":"map","keys":)" + ConnectSchema("", type.key(), false, options) + R"(,"values":)" +
             ConnectSchema("", type.element(), true, options);
    case TypeId::kStruct: {
      std::string fields;
      for (const Field& field : type.fields()) {
        if (!fields.empty()) fields += ",";
        fields += ConnectSchema(field.name, field.type, field.nullable, options);
      }
      return R"("type":"struct","fields":[)" + fields + "]";
    }
    default:
      return R"("type":"string")";
  }
}

std::string ConnectSchema(const std::string& name, const Type& type, bool nullable,
                          const JsonWriteOptions& options) {
  std::string out = "{" + ConnectBody(type, options) + R"(,"optional":)" + (nullable ? "true" : "false");
  if (!name.empty()) {
    out += R"(,"field":)";
    AppendJsonString(name, &out);
  }
  return out + "}";
}

class JsonEncoder final : public Encoder {
 public:
  JsonEncoder(const JsonWriteOptions& options, const Schema& columns, bool include_schema)
      : writer_(columns, options) {
    if (!include_schema) return;
    prefix_ =
        R"({"schema":)" + ConnectSchema("", Type::Struct(columns.fields), false, options) + R"(,"payload":)";
    suffix_ = "}";
  }

  std::shared_ptr<arrow::BinaryArray> Encode(const Batch& rows) override {
    writer_.Bind(rows.columns);
    for (int64_t row = 0; row < rows.num_rows; ++row) {
      out_.Append(prefix_);
      writer_.Write(row, &out_);
      out_.Append(suffix_);
      out_.EndRecord();
    }
    return out_.Finish();
  }

 private:
  JsonObjectWriter writer_;
  std::string prefix_;
  std::string suffix_;
  TextBuffer out_;
};

Schema UnstructuredSchema() { return Schema{{{"value", Type::Json(), true}}}; }

void CheckUnstructured(const Schema& columns) {
  for (const Field& field : columns.fields) {
    if (field.type.id() == TypeId::kJson || field.type.id() == TypeId::kText) continue;
    throw UserError(Reason::kSchemaMismatch, {},
                    "column '" + field.name + "' is " + field.type.ToString() +
                        ", but with 'json.unstructured' a table has one column 'value' of type JSON");
  }
}

std::unique_ptr<Encoder> MakeEncoder(const FormatSpec& spec, const Schema& columns) {
  const OptionReader options(spec, "json");
  const bool include_schema = options.Boolean("include_schema", false);
  if (options.Boolean("confluent_schema_registry", false)) {
    if (include_schema)
      options.Fail("confluent_schema_registry", "false together with 'json.include_schema'");
    options.Fail("confluent_schema_registry",
                 "false on a sink: writing JSON Schema subjects is not supported");
  }
  return std::make_unique<JsonEncoder>(WriteOptionsOf(spec, kDefaults), columns, include_schema);
}

}  // namespace

JsonReadOptions ReadOptionsOf(const FormatSpec& spec, const JsonDefaults& defaults) {
  const OptionReader options(spec, defaults.format);
  JsonReadOptions out;
  out.lines =
      spec.framing == FramingMethod::kNewline || (spec.framing == FramingMethod::kNone && !spec.one_message);
  out.line_bytes_max = spec.line_bytes_max;
  out.unstructured = defaults.takes_unstructured && options.Boolean("unstructured", false);
  out.registry_prefix = options.Boolean("confluent_schema_registry", false);
  options.Text("schema_id", "");
  const auto style = StyleOf(options.Choice("timestamp_format", kTimestampFormats, 0));
  // An integer of a known format needs no guess at its unit.
  if (style != TimestampStyle::kText) out.epoch_unit = static_cast<EpochUnit>(static_cast<int>(style));
  const int unit = options.Choice(
      "timestamp_unit", {"auto", "seconds", "millis", "micros", "nanos", "s", "ms", "us", "ns"}, -1);
  if (unit >= 0) out.epoch_unit = static_cast<EpochUnit>(unit <= 4 ? unit : unit - 4);
  const int decimals =
      options.Choice("decimal_encoding", {"number", "string", "bytes"}, static_cast<int>(defaults.decimals));
  out.decimal_bytes = decimals == static_cast<int>(DecimalStyle::kBytes);
  return out;
}

JsonWriteOptions WriteOptionsOf(const FormatSpec& spec, const JsonDefaults& defaults) {
  const OptionReader options(spec, defaults.format);
  JsonWriteOptions out;
  const int timestamps = options.Choice("timestamp_format", kTimestampFormats, -1);
  out.timestamps = timestamps < 0 ? defaults.timestamps : StyleOf(timestamps);
  out.decimals = static_cast<DecimalStyle>(
      options.Choice("decimal_encoding", {"number", "string", "bytes"}, static_cast<int>(defaults.decimals)));
  return out;
}

void RegisterJson(FormatRegistry& registry) {
  Format format;
  format.names = {"json"};
  format.doc = {
      "json",
      "One JSON object per record. Fields match columns by exact name, then ignoring case; other fields are "
      "ignored, "
      "and checked only for UTF-8, string ends and brackets.",
      {{"unstructured", "the whole record as JSON in one column `value`; default false"},
       {"timestamp_format", "rfc3339 (default), iso8601, unix_seconds, unix_millis, unix_micros, unix_nanos"},
       {"timestamp_unit",
        "sources: unit of integer timestamps; auto (default, by size), seconds, millis, micros, nanos"},
       {"decimal_encoding", "number (default), string, bytes (base64 of big-endian unscaled bytes)"},
       {"include_schema", "sinks: wrap rows as Kafka Connect's {schema,payload}; default false"},
       {"confluent_schema_registry", "sources: records start with the registry's five bytes; default false"},
       {"schema_id", "taken for compatibility; the registry's five bytes are not checked against it"}}};
  format.file_suffix = "json";
  format.make_decoder = [](const FormatSpec& spec, const Schema& columns) -> std::unique_ptr<Decoder> {
    const JsonReadOptions options = ReadOptionsOf(spec, kDefaults);
    OptionReader(spec, "json")
        .Boolean("include_schema", false);  // a sink's option that a table for both may carry
    if (options.unstructured) CheckUnstructured(columns);
    auto decoder = std::make_unique<JsonDecoder>(options, columns);
    decoder->set_lines(options.lines);
    return decoder;
  };
  format.make_encoder = MakeEncoder;
  format.infer = [](const FormatSpec& spec, std::string_view sample) {
    const JsonReadOptions options = ReadOptionsOf(spec, kDefaults);
    return options.unstructured ? UnstructuredSchema() : InferJsonSchema(sample, options.lines);
  };
  format.fixed_schema = [](const FormatSpec& spec) {
    return ReadOptionsOf(spec, kDefaults).unstructured ? UnstructuredSchema() : Schema{};
  };
  registry.Add(std::move(format));
}

}  // namespace laminar
