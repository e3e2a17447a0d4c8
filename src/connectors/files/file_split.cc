#include "connectors/files/file_split.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/io/file.h>
#include <arrow/scalar.h>

#include "base/arrow_result.h"
#include "base/local_file.h"

namespace laminar {

namespace {

/// The constant columns of a file: metadata, then its modification time.
class FileConstants {
 public:
  FileConstants(const std::string& path, const std::string& name, const std::vector<std::string>& metadata_keys) {
    for (const std::string& key : metadata_keys) {
      LAMINAR_CHECK(key == "file", "files have no metadata '" + key + "'");
      values_.push_back(std::make_shared<arrow::StringScalar>(name));
    }
    const int64_t modified_us = LocalFile::OpenRead(path).modified_us();
    values_.push_back(std::make_shared<arrow::TimestampScalar>(modified_us, arrow::timestamp(arrow::TimeUnit::MICRO)));
  }

  void AppendTo(Batch* batch) const {
    for (const auto& value : values_) {
      batch->columns.push_back(OrThrow(arrow::MakeArrayFromScalar(*value, batch->num_rows), "metadata"));
    }
  }

 private:
  std::vector<std::shared_ptr<arrow::Scalar>> values_;
};

class RecordFileSplit final : public FileSplit {
 public:
  RecordFileSplit(const std::string& path, const std::string& name, int64_t position, const FileReadSpec& spec)
      : constants_(path, name, spec.metadata_keys),
        blocks_(OpenFileInput(path, CompressionOf(path, spec.compression)), spec.whole_records),
        start_(position) {
    blocks_.SkipTo(position);
  }

  Batch Next(int64_t) override {
    Batch batch;
    const RecordBlock block = blocks_.Next();
    if (block.buffer == nullptr) return batch;
    batch.num_rows = 1;
    batch.columns.push_back(PayloadColumn(block));
    constants_.AppendTo(&batch);
    return batch;
  }
  int64_t position() const override { return blocks_.position(); }
  int64_t bytes_read() const override { return blocks_.position() - start_; }

 private:
  static std::shared_ptr<arrow::Array> PayloadColumn(const RecordBlock& block) {
    const std::vector<int32_t> ends = {0, static_cast<int32_t>(block.size)};
    auto offsets = OrThrow(arrow::AllocateBuffer(sizeof(int32_t) * 2), "payload");
    std::copy(ends.begin(), ends.end(), reinterpret_cast<int32_t*>(offsets->mutable_data()));
    return std::make_shared<arrow::BinaryArray>(1, std::shared_ptr<arrow::Buffer>(std::move(offsets)), block.buffer);
  }

  const FileConstants constants_;
  BlockReader blocks_;
  const int64_t start_;
};

class RowFileSplit final : public FileSplit {
 public:
  RowFileSplit(const std::string& path, const std::string& name, int64_t position, const FileReadSpec& spec)
      : constants_(path, name, spec.metadata_keys), position_(position) {
    auto file = OrThrow(arrow::io::ReadableFile::Open(path), path.c_str());
    bytes_ = OrThrow(file->GetSize(), path.c_str());
    reader_ = spec.format->open_file(spec.format_spec, std::move(file), spec.columns);
    if (position > 0) reader_->SkipRows(position);
  }

  Batch Next(int64_t rows_max) override {
    Batch batch = reader_->Next(rows_max);
    if (batch.empty()) return batch;
    position_ += batch.num_rows;
    constants_.AppendTo(&batch);
    return batch;
  }
  int64_t position() const override { return position_; }
  int64_t bytes_read() const override { return bytes_; }

 private:
  const FileConstants constants_;
  std::unique_ptr<FileReader> reader_;
  int64_t position_;
  int64_t bytes_ = 0;
};

constexpr int64_t kSampleBytes = 1 << 20;
constexpr int64_t kWholeSampleBytesMax = 256 << 20;

}  // namespace

bool ReadsWholeFiles(const Format& format) { return static_cast<bool>(format.open_file); }

WholeRecords WholeRecordsOf(const TableSpec& table) {
  switch (table.format_spec.framing) {
    case FramingMethod::kNewline: return WholeLines;
    case FramingMethod::kNone: return WholeFile;
    case FramingMethod::kLength: break;
  }
  throw UserError(Reason::kBadOption, table.options.span("framing"),
                  "framing 'length' is for messages; records of a file are framed by 'newline' (or 'none': one record)");
}

std::unique_ptr<FileSplit> OpenFileSplit(const std::string& path, const std::string& name, int64_t position,
                                         std::shared_ptr<const FileReadSpec> spec) {
  if (ReadsWholeFiles(*spec->format)) return std::make_unique<RowFileSplit>(path, name, position, *spec);
  return std::make_unique<RecordFileSplit>(path, name, position, *spec);
}

std::string SampleFile(const std::string& path, const FileReadSpec& spec) {
  const bool whole = ReadsWholeFiles(*spec.format);
  const Compression compression = whole ? Compression::kNone : CompressionOf(path, spec.compression);
  const auto input = OpenFileInput(path, compression);
  std::string sample;
  const int64_t bytes_max = whole ? kWholeSampleBytesMax : kSampleBytes;
  while (static_cast<int64_t>(sample.size()) < bytes_max) {
    char piece[1 << 16];
    const int64_t n = input->Read(piece, sizeof(piece));
    if (n == 0) break;
    sample.append(piece, static_cast<size_t>(n));
  }
  return sample;
}

}  // namespace laminar
