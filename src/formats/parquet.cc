/// The `parquet` format: whole files through Arrow's reader and writer.

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/chunked_array.h>
#include <arrow/compute/api.h>
#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/arrow/writer.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>

#include <algorithm>
#include <cstring>

#include "base/arrow_result.h"
#include "formats/json_text.h"
#include "formats/option_reader.h"
#include "formats/register_formats.h"
#include "formats/text_value.h"

namespace laminar {

namespace {

constexpr int64_t kRowGroupBytes = 128 << 20;
constexpr int64_t kBatchRows = 8192;
constexpr int64_t kReadBytes = 1 << 20;  // per column: one request to an object store

/// What a damaged or unreadable file says, as the error of the file.
template <typename T>
T OrFileError(arrow::Result<T> result, const char* what) {
  if (result.ok()) return std::move(result).MoveValueUnsafe();
  throw ExternalError("parquet", std::string(what) + ": " + result.status().message());
}
void OrFileError(const arrow::Status& status, const char* what) {
  if (!status.ok()) throw ExternalError("parquet", std::string(what) + ": " + status.message());
}

/// The SQL type of a Parquet column as Arrow reads it; nothing for what SQL cannot hold.
std::optional<Type> SqlTypeOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::DICTIONARY:
      return SqlTypeOf(*static_cast<const arrow::DictionaryType&>(type).value_type());
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
      return Type::Text();
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::BINARY_VIEW:
    case arrow::Type::FIXED_SIZE_BINARY:
      return Type::Bytes();
    case arrow::Type::HALF_FLOAT:
      return Type::Float();
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64: {
      const auto& decimal = static_cast<const arrow::DecimalType&>(type);
      return Type::Decimal(decimal.precision(), decimal.scale());
    }
    case arrow::Type::TIME32:
      return Type::Time();
    case arrow::Type::DATE64:
      return Type::Date();
    case arrow::Type::TIMESTAMP: {
      const auto& timestamp = static_cast<const arrow::TimestampType&>(type);
      if (!timestamp.timezone().empty()) return Type::TimestampTz();
      return Type::Timestamp(timestamp.unit() == arrow::TimeUnit::NANO ? 9 : 6);
    }
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST: {
      auto element = SqlTypeOf(*type.field(0)->type());
      return element ? std::optional(Type::Array(*element)) : std::nullopt;
    }
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(type);
      auto key = SqlTypeOf(*map.key_type());
      auto value = SqlTypeOf(*map.item_type());
      return key && value ? std::optional(Type::Map(*key, *value)) : std::nullopt;
    }
    case arrow::Type::STRUCT: {
      std::vector<Field> fields;
      for (const auto& child : type.fields()) {
        auto child_type = SqlTypeOf(*child->type());
        if (!child_type) return std::nullopt;
        fields.push_back({child->name(), *child_type, child->nullable()});
      }
      return Type::Struct(std::move(fields));
    }
    default:
      return Type::FromArrow(type);
  }
}

int FieldByName(const arrow::FieldVector& fields, const std::string& name) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i]->name() == name) return static_cast<int>(i);
  }
  for (size_t i = 0; i < fields.size(); ++i) {
    if (EqualsIgnoreCase(fields[i]->name(), name)) return static_cast<int>(i);
  }
  return -1;
}

/// Leaves of a file column that `type` reads: all of them, but of a STRUCT only those of its fields.
void CollectLeaves(const parquet::arrow::SchemaField& file, const Type& type, std::vector<int>* leaves) {
  if (file.is_leaf()) {
    leaves->push_back(file.column_index);
    return;
  }
  if (type.id() != TypeId::kStruct || file.field->type()->id() != arrow::Type::STRUCT) {
    for (const auto& child : file.children) CollectLeaves(child, Type::Null(), leaves);
    return;
  }
  const size_t before = leaves->size();
  const arrow::FieldVector& fields = file.field->type()->fields();
  for (const Field& wanted : type.fields()) {
    const int index = FieldByName(fields, wanted.name);
    if (index >= 0) CollectLeaves(file.children[static_cast<size_t>(index)], wanted.type, leaves);
  }
  // None of the wanted fields is there: one leaf still tells which rows are NULL.
  if (leaves->size() == before && !file.children.empty())
    CollectLeaves(file.children[0], Type::Null(), leaves);
}

/// Values as the column's type; the error names what does not fit.
std::shared_ptr<arrow::Array> Convert(const std::shared_ptr<arrow::Array>& array, const Type& type,
                                      const std::string& path);

std::shared_ptr<arrow::Array> ConvertStruct(const std::shared_ptr<arrow::Array>& array, const Type& type,
                                            const std::string& path) {
  const auto& rows = static_cast<const arrow::StructArray&>(*array);
  arrow::ArrayVector children;
  for (const Field& wanted : type.fields()) {
    const int index = FieldByName(rows.type()->fields(), wanted.name);
    if (index < 0) {
      children.push_back(OrThrow(arrow::MakeArrayOfNull(wanted.type.arrow_type(), rows.length())));
    } else {
      children.push_back(Convert(rows.field(index), wanted.type, path + "." + wanted.name));
    }
  }
  // Children of a sliced STRUCT come without its offset, so its bits must too.
  std::shared_ptr<arrow::Buffer> bits = rows.null_bitmap();
  if (bits && rows.offset() > 0) {
    bits = OrThrow(arrow::internal::CopyBitmap(arrow::default_memory_pool(), bits->data(), rows.offset(),
                                               rows.length()));
  }
  return std::make_shared<arrow::StructArray>(type.arrow_type(), rows.length(), std::move(children),
                                              std::move(bits), rows.null_count());
}

std::shared_ptr<arrow::Array> Convert(const std::shared_ptr<arrow::Array>& array, const Type& type,
                                      const std::string& path) {
  const auto wanted = type.arrow_type();
  if (array->type()->Equals(*wanted)) return array;
  if (type.id() == TypeId::kStruct && array->type_id() == arrow::Type::STRUCT)
    return ConvertStruct(array, type, path);
  if (array->type_id() == arrow::Type::DICTIONARY) {
    const auto& dictionary = static_cast<const arrow::DictionaryArray&>(*array);
    const auto plain =
        OrFileError(arrow::compute::Cast(*array, dictionary.dictionary()->type()), "read a dictionary");
    return Convert(plain, type, path);
  }
  if (type.id() == TypeId::kArray && array->type_id() == arrow::Type::LIST) {
    const auto& lists = static_cast<const arrow::ListArray&>(*array);
    auto data = lists.data()->Copy();
    data->type = wanted;
    data->child_data = {Convert(lists.values(), type.element(), path + "[]")->data()};
    return arrow::MakeArray(data);
  }
  if (arrow::is_decimal(array->type_id()) && arrow::is_floating(wanted->id())) {
    // By way of text: Arrow's own way from DECIMAL makes 3.3000000000000003 of 3.30.
    return Convert(OrFileError(arrow::compute::Cast(*array, arrow::utf8()), "read a decimal"), type, path);
  }
  arrow::compute::CastOptions options = arrow::compute::CastOptions::Safe();
  options.allow_time_truncate = true;  // what is finer than a microsecond is cut off, as everywhere
  auto cast = arrow::compute::Cast(array, wanted, options);
  if (!cast.ok()) {
    throw QueryError("column '" + path + "': a Parquet value of type " + array->type()->ToString() +
                     " is not a valid " + type.ToString() + " (" + cast.status().message() + ")");
  }
  return cast->make_array();
}

class ParquetFileReader final : public FileReader {
 public:
  ParquetFileReader(std::shared_ptr<arrow::io::RandomAccessFile> file, const Schema& columns)
      : columns_(columns) {
    // Pages are streamed and rows come in small batches, so that a row group may be larger than memory.
    parquet::ReaderProperties stream_properties;
    stream_properties.enable_buffered_stream();
    stream_properties.set_buffer_size(kReadBytes);
    parquet::arrow::FileReaderBuilder builder;
    OrFileError(builder.Open(std::move(file), stream_properties), "open");
    parquet::ArrowReaderProperties properties;
    properties.set_use_threads(false);
    properties.set_pre_buffer(false);
    properties.set_batch_size(kBatchRows);
    // INT96 is read as microseconds: nanoseconds end in 2262, and databases hold 9999-12-31.
    properties.set_coerce_int96_timestamp_unit(arrow::TimeUnit::MICRO);
    builder.properties(properties);
    reader_ = OrFileError(builder.Build(), "open");
    OrFileError(reader_->GetSchema(&file_schema_), "read the schema");
    CheckRowCounts();
    PickLeaves();
  }

  Batch Next(int64_t rows_max) override {
    if (leaves_.empty()) return NextWithoutColumns(rows_max);
    while (!rows_ || rows_at_ >= rows_->num_rows()) {
      if (!LoadRows()) return EmptyBatch(columns_);
    }
    const int64_t count = std::min(rows_max, rows_->num_rows() - rows_at_);
    const auto slice = rows_->Slice(rows_at_, count);
    rows_at_ += count;
    Batch batch;
    batch.num_rows = count;
    for (const Field& field : columns_.fields) batch.columns.push_back(ColumnOf(*slice, field));
    return batch;
  }

  void SkipRows(int64_t rows) override {
    if (leaves_.empty()) {
      rows_passed_ = std::min(rows_passed_ + rows, reader_->parquet_reader()->metadata()->num_rows());
      return;
    }
    while (rows > 0) {
      if (rows_ && rows_at_ < rows_->num_rows()) {
        const int64_t count = std::min(rows, rows_->num_rows() - rows_at_);
        rows_at_ += count;
        rows -= count;
        continue;
      }
      // Row groups that are passed over whole are not read at all.
      if (!group_batches_ && next_group_ < reader_->num_row_groups()) {
        const int64_t group_rows = reader_->parquet_reader()->metadata()->RowGroup(next_group_)->num_rows();
        if (group_rows <= rows) {
          rows -= group_rows;
          ++next_group_;
          continue;
        }
      }
      if (!LoadRows()) return;
    }
  }

  Schema file_schema() const override {
    Schema schema;
    for (const auto& field : file_schema_->fields()) {
      if (auto type = SqlTypeOf(*field->type()))
        schema.fields.push_back({field->name(), *type, field->nullable()});
    }
    return schema;
  }

 private:
  /// Rows are skipped, and counted where no column is read, by what the footer says.
  void CheckRowCounts() const {
    const auto metadata = reader_->parquet_reader()->metadata();
    int64_t left = metadata->num_rows();
    for (int group = 0; group < metadata->num_row_groups(); ++group) {
      const int64_t rows = metadata->RowGroup(group)->num_rows();
      if (rows < 0 || rows > left) left = -1;
      if (left < 0) break;
      left -= rows;
    }
    if (left != 0)
      throw ExternalError("parquet", "open: the footer's number of rows is not that of its row groups");
  }

  void PickLeaves() {
    const auto& manifest = reader_->manifest();
    for (const Field& wanted : columns_.fields) {
      const int index = FieldByName(file_schema_->fields(), wanted.name);
      if (index < 0) {
        if (wanted.nullable) continue;
        throw QueryError("column '" + wanted.name + "' is NOT NULL, but the file has no such column");
      }
      CollectLeaves(manifest.schema_fields[static_cast<size_t>(index)], wanted.type, &leaves_);
    }
    std::sort(leaves_.begin(), leaves_.end());
    leaves_.erase(std::unique(leaves_.begin(), leaves_.end()), leaves_.end());
  }

  /// Rows that no column of the file feeds: only their number counts.
  Batch NextWithoutColumns(int64_t rows_max) {
    const int64_t left = reader_->parquet_reader()->metadata()->num_rows() - rows_passed_;
    Batch batch;
    batch.num_rows = std::min(rows_max, left);
    rows_passed_ += batch.num_rows;
    for (const Field& field : columns_.fields) {
      batch.columns.push_back(OrThrow(arrow::MakeArrayOfNull(field.type.arrow_type(), batch.num_rows)));
    }
    return batch;
  }

  /// Reads the next piece of a row group, so that groups larger than memory are no trouble; false at the end
  /// of the file.
  bool LoadRows() {
    rows_.reset();
    rows_at_ = 0;
    while (true) {
      if (!group_batches_) {
        if (next_group_ >= reader_->num_row_groups()) return false;
        group_batches_ =
            OrFileError(reader_->GetRecordBatchReader({next_group_++}, leaves_), "read a row group");
      }
      OrFileError(group_batches_->ReadNext(&rows_), "read rows");
      if (rows_) return true;
      group_batches_.reset();
    }
  }

  std::shared_ptr<arrow::Array> ColumnOf(const arrow::RecordBatch& rows, const Field& wanted) const {
    const int index = FieldByName(rows.schema()->fields(), wanted.name);
    if (index < 0) return OrThrow(arrow::MakeArrayOfNull(wanted.type.arrow_type(), rows.num_rows()));
    auto array = Convert(rows.column(index), wanted.type, wanted.name);
    if (!wanted.nullable && array->null_count() > 0)
      throw QueryError("column '" + wanted.name + "' is NOT NULL, but the file has NULLs");
    if (MayBeWrong(*array->type())) CheckValues(*array, wanted.name);
    if (wanted.type.id() == TypeId::kJson)
      CheckJson(static_cast<const arrow::StringArray&>(*array), wanted.name);
    return array;
  }

  static bool MayBeWrong(const arrow::DataType& type) {
    return arrow::is_decimal(type.id()) || arrow::is_string(type.id()) ||
           std::any_of(type.fields().begin(), type.fields().end(),
                       [](const auto& field) { return MayBeWrong(*field->type()); });
  }

  /// A file may have numbers with more digits than its type says, and text that is not UTF-8: the reader does
  /// not look.
  static void CheckValues(const arrow::Array& array, const std::string& name) {
    const arrow::Status status = array.ValidateFull();
    if (!status.ok()) throw QueryError("column '" + name + "': " + status.message());
  }

  /// A JSON column promises valid JSON to whoever reads it; a file's text does not.
  static void CheckJson(const arrow::StringArray& texts, const std::string& name) {
    JsonIndex index;
    const char* error;
    for (int64_t row = 0; row < texts.length(); ++row) {
      if (texts.IsNull(row) || CheckJsonText(&index, texts.GetView(row), &error)) continue;
      throw QueryError("column '" + name + "': '" + ShortenText(texts.GetView(row)) +
                       "' is not JSON: " + error);
    }
  }

  const Schema columns_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::shared_ptr<arrow::Schema> file_schema_;
  std::vector<int> leaves_;
  int next_group_ = 0;
  std::shared_ptr<arrow::RecordBatchReader> group_batches_;
  std::shared_ptr<arrow::RecordBatch> rows_;
  int64_t rows_at_ = 0;
  int64_t rows_passed_ = 0;
};

struct ParquetOptions {
  arrow::Compression::type compression = arrow::Compression::ZSTD;
  int64_t row_group_bytes = kRowGroupBytes;  // 0: by rows
  int64_t row_group_rows = 0;                // 0: by bytes
};

ParquetOptions ParquetOptionsOf(const FormatSpec& spec) {
  const OptionReader options(spec, "parquet");
  constexpr arrow::Compression::type kTypes[] = {
      arrow::Compression::ZSTD,   arrow::Compression::UNCOMPRESSED, arrow::Compression::UNCOMPRESSED,
      arrow::Compression::SNAPPY, arrow::Compression::GZIP,         arrow::Compression::LZ4,
      arrow::Compression::LZ4};
  ParquetOptions out;
  out.compression = kTypes[options.Choice(
      "compression", {"zstd", "uncompressed", "none", "snappy", "gzip", "lz4", "lz4_raw"}, 0)];
  bool has_unit;
  const int64_t size = options.Size("row_group_size", 0, &has_unit);
  if (size > 0) {
    out.row_group_bytes = has_unit ? size : 0;
    out.row_group_rows = has_unit ? 0 : size;
  }
  return out;
}

class ParquetFileWriter final : public FileWriter {
 public:
  ParquetFileWriter(const ParquetOptions& options, std::shared_ptr<arrow::io::OutputStream> stream,
                    const Schema& columns)
      : options_(options), columns_(columns), schema_(columns.arrow_schema()), stream_(std::move(stream)) {
    auto properties =
        parquet::WriterProperties::Builder()
            .compression(options.compression)
            ->max_row_group_length(options.row_group_rows > 0 ? options.row_group_rows : INT64_MAX / 2)
            ->version(parquet::ParquetVersion::PARQUET_2_6)
            ->created_by("laminar")
            ->build();
    auto arrow_properties = parquet::ArrowWriterProperties::Builder().build();
    writer_ = OrFileError(parquet::arrow::FileWriter::Open(*schema_, arrow::default_memory_pool(), stream_,
                                                           properties, arrow_properties),
                          "create");
  }

  void Write(const Batch& rows) override {
    for (int64_t at = 0; at < rows.num_rows; at += kBatchRows) {
      const Batch part = Slice(rows, at, std::min(kBatchRows, rows.num_rows - at));
      Prepare(part.num_rows);
      OrFileError(writer_->WriteRecordBatch(*ToRecordBatch(part, columns_)), "write");
      group_rows_ += part.num_rows;
      group_bytes_ += ByteSize(part);
    }
  }

  void Close() override {
    if (closed_) return;
    closed_ = true;
    OrFileError(writer_->Close(), "close");
  }

  int64_t bytes_written() const override {
    // What the open row group holds in buffers will be written too; how well it compresses shows only then.
    const auto position = stream_->Tell();
    return (position.ok() ? *position : 0) + (closed_ ? 0 : group_bytes_ / 3);
  }

 private:
  /// Starts a row group when there is none or the open one is full.
  void Prepare(int64_t rows) {
    const bool full_bytes = options_.row_group_bytes > 0 && group_bytes_ >= options_.row_group_bytes;
    const bool full_rows = options_.row_group_rows > 0 && group_rows_ + rows > options_.row_group_rows;
    if (group_rows_ > 0 && !full_bytes && !full_rows) return;
    OrFileError(writer_->NewBufferedRowGroup(), "write");
    group_rows_ = group_bytes_ = 0;
  }

  const ParquetOptions options_;
  const Schema columns_;
  std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<arrow::io::OutputStream> stream_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  int64_t group_rows_ = 0;
  int64_t group_bytes_ = 0;
  bool closed_ = false;
};

/// Types that Parquet cannot carry are refused when the sink is planned, not at its first row.
void CheckWritable(const Type& type, const std::string& path) {
  if (type.id() == TypeId::kInterval || type.is_null()) {
    throw UserError(Reason::kSchemaMismatch, {},
                    "column '" + path + "' is " + type.ToString() + ", which Parquet cannot carry")
        .Hint("cast it to TEXT");
  }
  if (type.id() == TypeId::kArray) return CheckWritable(type.element(), path + "[]");
  if (type.id() == TypeId::kMap) {
    CheckWritable(type.key(), path + ".key");
    return CheckWritable(type.element(), path + ".value");
  }
  if (type.id() != TypeId::kStruct) return;
  if (type.fields().empty()) {
    throw UserError(Reason::kSchemaMismatch, {},
                    "column '" + path + "' is a STRUCT without fields, which Parquet cannot carry");
  }
  for (const Field& field : type.fields()) CheckWritable(field.type, path + "." + field.name);
}

/// Columns of a whole file or of its end: all that is needed is the footer. Columns of types that SQL lacks
/// are left out.
Schema InferParquet(std::string_view bytes) {
  constexpr size_t kTailBytes = 8;  // length of the footer, then "PAR1"
  if (bytes.size() < kTailBytes || !bytes.ends_with("PAR1"))
    throw ExternalError("parquet", "no Parquet file");
  uint32_t length;
  std::memcpy(&length, bytes.data() + bytes.size() - kTailBytes, sizeof length);
  if (length > bytes.size() - kTailBytes)
    throw ExternalError("parquet", "the file's footer of " + std::to_string(length) + " bytes is too large");
  std::shared_ptr<arrow::Schema> schema;
  try {
    const auto footer =
        parquet::FileMetaData::Make(bytes.data() + bytes.size() - kTailBytes - length, int64_t{length});
    OrFileError(
        parquet::arrow::FromParquetSchema(footer->schema(), parquet::default_arrow_reader_properties(),
                                          footer->key_value_metadata(), &schema),
        "schema");
  } catch (const parquet::ParquetException& error) {
    throw ExternalError("parquet", error.what());
  }
  Schema out;
  for (const auto& field : schema->fields()) {
    if (auto type = SqlTypeOf(*field->type()))
      out.fields.push_back({field->name(), *type, field->nullable()});
  }
  return out;
}

}  // namespace

void RegisterParquet(FormatRegistry& registry) {
  Format format;
  format.names = {"parquet"};
  format.doc = {
      "parquet",
      "Parquet files. Only the columns that a query reads are read, and of a STRUCT only the fields. Columns "
      "match by "
      "exact name, then ignoring case; one that a file lacks is NULL.",
      {{"compression", "zstd (default), uncompressed or none, snappy, gzip, lz4, lz4_raw"},
       {"row_group_size", "a number of rows, or bytes with a unit; default 128MB (before compression)"}}};
  format.file_suffix = "parquet";
  format.open_file = [](const FormatSpec& spec, std::shared_ptr<arrow::io::RandomAccessFile> file,
                        const Schema& columns) -> std::unique_ptr<FileReader> {
    ParquetOptionsOf(spec);
    return std::make_unique<ParquetFileReader>(std::move(file), columns);
  };
  format.create_file = [](const FormatSpec& spec, std::shared_ptr<arrow::io::OutputStream> stream,
                          const Schema& columns) -> std::unique_ptr<FileWriter> {
    for (const Field& field : columns.fields) CheckWritable(field.type, field.name);
    return std::make_unique<ParquetFileWriter>(ParquetOptionsOf(spec), std::move(stream), columns);
  };
  format.infer = [](const FormatSpec&, std::string_view sample) { return InferParquet(sample); };
  registry.Add(std::move(format));
}

}  // namespace laminar
