#include "cli/state_output.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>

#include <cstdio>

#include "base/arrow_result.h"
#include "cli/preview.h"
#include "formats/format.h"
#include "formats/json_encoder.h"
#include "register_all.h"

namespace laminar::cli {

namespace {

class JsonLines final : public StateOutput {
 public:
  JsonLines(std::string table, const Schema& columns)
      : table_(std::move(table)), writer_(WithTable(columns), {}) {}
  void Write(const Batch& rows) override {
    arrow::StringBuilder names;
    for (int64_t row = 0; row < rows.num_rows; ++row) OrThrow(names.Append(table_));
    std::vector<std::shared_ptr<arrow::Array>> columns{OrThrow(names.Finish())};
    columns.insert(columns.end(), rows.columns.begin(), rows.columns.end());
    writer_.Bind(columns);
    TextBuffer text;
    for (int64_t row = 0; row < rows.num_rows; ++row) {
      writer_.Write(row, &text);
      text.Append('\n');
    }
    if (std::fwrite(text.view().data(), 1, text.view().size(), stdout) != text.view().size()) {
      throw ExternalError("stdout", "cannot write");
    }
  }
  void Close() override { std::fflush(stdout); }

 private:
  static Schema WithTable(Schema columns) {
    columns.fields.insert(columns.fields.begin(), {"table", Type::Text()});
    return columns;
  }
  const std::string table_;
  JsonObjectWriter writer_;
};

class Table final : public StateOutput {
 public:
  Table(const std::string& name, const Schema& columns)
      : name_(name), clock_(), sink_(TablePreview()(columns, /*changelog=*/false, 0).make()) {
    OperatorContext context;
    context.clock = &clock_;
    sink_->Open(context);
  }
  void Write(const Batch& rows) override {
    if (!std::exchange(named_, true)) std::printf("table %s\n", name_.c_str());
    sink_->Write(rows);
  }
  void Close() override { sink_->Close(); }

 private:
  const std::string name_;
  const SystemClock clock_;
  const std::unique_ptr<Sink> sink_;
  bool named_ = false;
};

class Parquet final : public StateOutput {
 public:
  Parquet(const std::string& file, const Schema& columns)
      : stream_(OrThrow(arrow::io::FileOutputStream::Open(file), "-o")),
        writer_(AllRegistries().formats.Find("parquet")->create_file(FormatSpec{}, stream_, columns)) {}
  void Write(const Batch& rows) override { writer_->Write(rows); }
  void Close() override {
    writer_->Close();
    OrThrow(stream_->Close(), "-o");
  }

 private:
  const std::shared_ptr<arrow::io::FileOutputStream> stream_;
  const std::unique_ptr<FileWriter> writer_;
};

class ArrowFile final : public StateOutput {
 public:
  ArrowFile(const std::string& file, const Schema& columns)
      : columns_(columns),
        stream_(OrThrow(arrow::io::FileOutputStream::Open(file), "-o")),
        writer_(OrThrow(
            arrow::ipc::MakeFileWriter(stream_, ToRecordBatch(EmptyBatch(columns), columns)->schema()))) {}
  void Write(const Batch& rows) override {
    OrThrow(writer_->WriteRecordBatch(*ToRecordBatch(rows, columns_)), "-o");
  }
  void Close() override {
    OrThrow(writer_->Close(), "-o");
    OrThrow(stream_->Close(), "-o");
  }

 private:
  const Schema columns_;
  const std::shared_ptr<arrow::io::FileOutputStream> stream_;
  const std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
};

}  // namespace

std::unique_ptr<StateOutput> MakeStateOutput(const std::string& format, const std::string& file,
                                             const std::string& table, const Schema& columns) {
  if (format == "table") return std::make_unique<Table>(table, columns);
  if (format == "parquet") return std::make_unique<Parquet>(file, columns);
  if (format == "arrow") return std::make_unique<ArrowFile>(file, columns);
  return std::make_unique<JsonLines>(table, columns);
}

}  // namespace laminar::cli
