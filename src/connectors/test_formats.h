#pragma once

/// Formats and tables for the tests of this folder: real enough to move bytes, without the folder formats/.

#include <arrow/api.h>
#include <arrow/io/interfaces.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/arrow_result.h"
#include "connectors/connector.h"
#include "formats/format.h"
#include "runtime/source.h"
#include "support/collect_output.h"

namespace laminar {

/// Encodes the first column, BIGINT or TEXT, as its text.
class TextEncoder final : public Encoder {
 public:
  explicit TextEncoder(std::string header) : header_(std::move(header)) {}
  std::shared_ptr<arrow::BinaryArray> Encode(const Batch& rows) override {
    arrow::BinaryBuilder builder;
    for (int64_t row = 0; row < rows.num_rows; ++row) {
      const auto value = OrThrow(rows.columns[0]->GetScalar(row));
      OrThrow(builder.Append(value->is_valid ? value->ToString() : "null"));
    }
    return std::static_pointer_cast<arrow::BinaryArray>(OrThrow(builder.Finish()));
  }
  std::string Header() const override { return header_; }

 private:
  const std::string header_;
};

/// A file format: 8 bytes per row of one BIGINT column, then "END" as footer.
class FixedFileReader final : public FileReader {
 public:
  explicit FixedFileReader(const std::shared_ptr<arrow::io::RandomAccessFile>& file) {
    const int64_t size = OrThrow(file->GetSize());
    const auto bytes = OrThrow(file->ReadAt(0, size));
    if (size < 3 || std::string_view(*bytes).substr(static_cast<size_t>(size) - 3) != "END") {
      throw QueryError("no footer");
    }
    values_.resize(static_cast<size_t>(size - 3) / 8);
    std::memcpy(values_.data(), bytes->data(), values_.size() * 8);
  }
  Batch Next(int64_t rows_max) override {
    Batch batch;
    batch.num_rows = std::min(rows_max, static_cast<int64_t>(values_.size()) - at_);
    if (batch.num_rows == 0) return batch;
    arrow::Int64Builder builder;
    OrThrow(builder.AppendValues(values_.data() + at_, batch.num_rows));
    batch.columns.push_back(OrThrow(builder.Finish()));
    at_ += batch.num_rows;
    return batch;
  }
  void SkipRows(int64_t rows) override { at_ += rows; }
  Schema file_schema() const override { return {{{"n", Type::Int64()}}}; }

 private:
  std::vector<int64_t> values_;
  int64_t at_ = 0;
};

class FixedFileWriter final : public FileWriter {
 public:
  explicit FixedFileWriter(std::shared_ptr<arrow::io::OutputStream> stream) : stream_(std::move(stream)) {}
  void Write(const Batch& rows) override {
    const auto& values = static_cast<const arrow::Int64Array&>(*rows.columns[0]);
    OrThrow(stream_->Write(values.raw_values(), values.length() * 8));
    bytes_ += values.length() * 8;
  }
  void Close() override { OrThrow(stream_->Write("END", 3)); }
  int64_t bytes_written() const override { return bytes_; }

 private:
  std::shared_ptr<arrow::io::OutputStream> stream_;
  int64_t bytes_ = 0;
};

/// "json", "csv" (with a header) and "debezium_json" as text lines; "parquet" as FixedFile.
inline const FormatRegistry& TestFormats() {
  static const FormatRegistry registry = [] {
    FormatRegistry formats;
    for (const char* name : {"json", "csv", "debezium_json", "raw_string"}) {
      Format format;
      format.names = {name};
      if (std::string(name) == "debezium_json") format.names.push_back("debezium-json");
      format.doc.options = {{"timestamp_format", "how timestamps are written"}};
      format.changelog = std::string(name) == "debezium_json";
      const std::string header = std::string(name) == "csv" ? "n\n" : "";
      format.make_encoder = [header](const FormatSpec&, const Schema&) {
        return std::make_unique<TextEncoder>(header);
      };
      formats.Add(format);
    }
    Format file;
    file.names = {"parquet"};
    file.file_suffix = "parquet";
    file.open_file = [](const FormatSpec&, std::shared_ptr<arrow::io::RandomAccessFile> input,
                        const Schema&) { return std::make_unique<FixedFileReader>(input); };
    file.create_file = [](const FormatSpec&, std::shared_ptr<arrow::io::OutputStream> stream, const Schema&) {
      return std::make_unique<FixedFileWriter>(std::move(stream));
    };
    formats.Add(file);
    return formats;
  }();
  return registry;
}

class TempDir {
 public:
  TempDir() {
    std::string path = (std::filesystem::temp_directory_path() / "laminar-test-XXXXXX").string();
    LAMINAR_CHECK(::mkdtemp(path.data()) != nullptr, "no temporary directory");
    path_ = path;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  std::string Write(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories(std::filesystem::path(path_ + "/" + name).parent_path());
    std::ofstream(path_ + "/" + name, std::ios::binary) << content;
    return path_ + "/" + name;
  }
  std::string Read(const std::string& name) const {
    std::ifstream file(path_ + "/" + name, std::ios::binary);
    std::stringstream content;
    content << file.rdbuf();
    return content.str();
  }

 private:
  std::string path_;
};

/// What a source's task would give it.
struct SourceRun {
  ManualClock clock{1'700'000'000'000'000};
  OperatorMetrics metrics;
  CollectingOutput out;
  std::unique_ptr<Source> source;

  explicit SourceRun(std::unique_ptr<Source> made, int subtask = 0, int parallelism = 1,
                     const MemorySnapshot* snapshot = nullptr, int64_t batch_rows_max = 8192)
      : source(std::move(made)) {
    if (snapshot) source->Restore(*snapshot->Reader(KeyGroupRange::Of(subtask, parallelism)));
    SourceContext context;
    context.subtask = subtask;
    context.parallelism = parallelism;
    context.clock = &clock;
    context.metrics = &metrics;
    context.wake = [] {};
    context.batch_rows_max = batch_rows_max;
    source->Open(context);
  }
  PollResult Poll() { return source->Poll(out); }
  /// Polls until the source ends or waits.
  PollResult Drain() {
    PollResult result;
    while ((result = Poll()) == PollResult::kMore) {
    }
    return result;
  }
  void SaveTo(MemorySnapshot* snapshot) { source->Snapshot(*snapshot->Writer()); }
  /// The payloads (first column, BINARY) of all batches, end to end.
  std::string Payloads() const {
    std::string all;
    for (const Batch& batch : out.batches) {
      const auto& payload = static_cast<const arrow::BinaryArray&>(*batch.columns[0]);
      for (int64_t row = 0; row < payload.length(); ++row) all += payload.GetView(row);
    }
    return all;
  }
};

/// What a sink's task would do with it.
struct SinkRun {
  ManualClock clock{1'700'000'000'000'000};
  OperatorMetrics metrics;
  std::unique_ptr<Sink> sink;

  explicit SinkRun(std::unique_ptr<Sink> made, int subtask = 0, int parallelism = 1,
                   const MemorySnapshot* snapshot = nullptr)
      : sink(std::move(made)) {
    if (snapshot) sink->Restore(*snapshot->Reader(KeyGroupRange::Of(subtask, parallelism)));
    OperatorContext context;
    context.job_id = "job";
    context.operator_id = "op";
    context.subtask = subtask;
    context.parallelism = parallelism;
    context.clock = &clock;
    context.metrics = &metrics;
    sink->Open(context);
  }
  void SaveTo(uint64_t epoch, MemorySnapshot* snapshot) { sink->Snapshot(epoch, *snapshot->Writer()); }
};

inline std::shared_ptr<arrow::Array> Bigints(const std::vector<int64_t>& values) {
  arrow::Int64Builder builder;
  OrThrow(builder.AppendValues(values));
  return OrThrow(builder.Finish());
}

inline Batch RowsOf(const std::vector<int64_t>& values) {
  Batch batch;
  batch.num_rows = static_cast<int64_t>(values.size());
  batch.columns.push_back(Bigints(values));
  return batch;
}

inline Batch RecordsOf(const std::vector<std::string>& records) {
  arrow::BinaryBuilder builder;
  for (const std::string& record : records) OrThrow(builder.Append(record));
  Batch batch;
  batch.num_rows = static_cast<int64_t>(records.size());
  batch.columns.push_back(OrThrow(builder.Finish()));
  return batch;
}

}  // namespace laminar
