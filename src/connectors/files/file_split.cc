#include "connectors/files/file_split.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/scalar.h>

#include "base/arrow_result.h"
#include "base/error.h"

namespace laminar {

namespace {

constexpr int64_t kSampleBytes = 1 << 20;
constexpr int64_t kEndSampleBytes = 64 << 20;
constexpr int64_t kHeaderBytesMax = 1 << 16;

std::string ReadStart(const std::string& path, const FileReadSpec& spec, int64_t bytes_max) {
  const auto input = OpenFileInput(path, CompressionOf(path, spec.compression), *spec.files);
  std::string start;
  while (static_cast<int64_t>(start.size()) < bytes_max) {
    char piece[1 << 16];
    const int64_t n = input->Read(piece, sizeof(piece));
    if (n == 0) break;
    start.append(piece, static_cast<size_t>(n));
  }
  return start;
}

std::string HeaderOf(const std::string& path, const FileReadSpec& spec) {
  if (!spec.header_bytes) return "";
  std::string start = ReadStart(path, spec, kHeaderBytesMax);
  start.resize(std::min(start.size(), spec.header_bytes(start)));
  return start;
}

/// A format whose records may hold newlines finds its own ends. A stray quote must not turn the rest of a
/// large file into one record, so behind this size any newline is an end: the decoder then reports what it
/// cannot read.
constexpr size_t kQuotedRecordBytesMax = 16 << 20;

/// Where blocks may be cut. Throws UserError(kBadOption) for length framing.
WholeRecords WholeRecordsOf(const TableSpec& table) {
  switch (table.format_spec.framing) {
    case FramingMethod::kNewline:
      break;
    case FramingMethod::kNone:
      return WholeFile;
    case FramingMethod::kLength:
      throw UserError(Reason::kBadOption, table.options.span("framing"),
                      "framing 'length' is for messages; records of a file are framed by 'newline' (or "
                      "'none': one record)");
  }
  if (!table.format->last_record_end) return WholeLines;
  return [format = table.format, spec = table.format_spec](std::string_view bytes) {
    const auto whole = static_cast<size_t>(format->last_record_end(spec, bytes));
    return bytes.size() - whole >= kQuotedRecordBytesMax ? WholeLines(bytes) : whole;
  };
}

/// What is the same for all rows of a file.
class FileFacts {
 public:
  FileFacts(const std::string& path, const std::string& name, const FileReadSpec& spec)
      : files_(spec.files),
        path_(path),
        name_(name),
        metadata_keys_(spec.metadata_keys),
        changes_fail_(spec.changes_fail),
        modified_us_(ModifiedUs()) {}

  const std::string& name() const { return name_; }
  void AppendTo(Batch* batch) const { AppendFileColumns(name_, modified_us_, metadata_keys_, batch); }

  /// At the end of the file: what was read is one state of it, not a mixture.
  void CheckUnchanged() const {
    if (!changes_fail_ || ModifiedUs() == modified_us_) return;
    throw ExternalError("file", "'" + path_ + "' was changed while it was read");
  }

 private:
  int64_t ModifiedUs() const { return files_->Open(path_)->modified_us(); }

  const std::shared_ptr<const FileAccess> files_;
  const std::string path_;
  const std::string name_;
  const std::vector<std::string> metadata_keys_;
  const bool changes_fail_;
  const int64_t modified_us_;
};

class RecordFileSplit final : public FileSplit {
 public:
  RecordFileSplit(const std::string& path, const std::string& name, int64_t position,
                  const FileReadSpec& spec)
      : facts_(path, name, spec),
        blocks_(OpenFileInput(path, CompressionOf(path, spec.compression), *spec.files), spec.whole_records,
                HeaderOf(path, spec)),
        start_(position) {
    blocks_.SkipTo(position);
  }

  Batch Next(int64_t rows_max) override {
    blocks_.set_block_bytes(std::min(kBlockBytes, rows_max * kRowBytes));
    const RecordBlock block = blocks_.Next();
    if (block.buffer == nullptr) {
      facts_.CheckUnchanged();
      return {};
    }
    Batch batch = MakeBlockBatch(block, facts_.name(), blocks_.position());
    facts_.AppendTo(&batch);
    return batch;
  }
  int64_t position() const override { return blocks_.position(); }
  int64_t bytes_read() const override { return blocks_.position() - start_; }

 private:
  const FileFacts facts_;
  BlockReader blocks_;
  const int64_t start_;
};

/// What a format says of a file's content, with the name of the file.
template <typename Function>
auto NamingFile(const std::string& path, const Function& read) {
  try {
    return read();
  } catch (const QueryError& error) {
    throw QueryError("'" + path + "': " + error.what(), error.record());
  } catch (const ExternalError& error) {
    const std::string_view message = std::string_view(error.what()).substr(error.system().size() + 2);
    throw ExternalError(error.system(), "'" + path + "': " + std::string(message), error.retry());
  }
}

class RowFileSplit final : public FileSplit {
 public:
  RowFileSplit(const std::string& path, const std::string& name, int64_t position, const FileReadSpec& spec)
      : facts_(path, name, spec), path_(path), position_(position) {
    auto file = AsArrowFile(spec.files->Open(path));
    bytes_ = OrThrow(file->GetSize(), path.c_str());
    NamingFile(path_, [&] {
      reader_ = spec.format->open_file(spec.format_spec, std::move(file), spec.columns);
      if (position > 0) reader_->SkipRows(position);
    });
  }

  Batch Next(int64_t rows_max) override {
    Batch batch = NamingFile(path_, [&] { return reader_->Next(rows_max); });
    if (batch.empty()) {
      facts_.CheckUnchanged();
      return batch;
    }
    position_ += batch.num_rows;
    facts_.AppendTo(&batch);
    return batch;
  }
  int64_t position() const override { return position_; }
  int64_t bytes_read() const override { return bytes_; }

 private:
  const FileFacts facts_;
  const std::string path_;
  std::unique_ptr<FileReader> reader_;
  int64_t position_;
  int64_t bytes_ = 0;
};

}  // namespace

Batch MakeBlockBatch(const RecordBlock& block, const std::string& name, int64_t end) {
  auto offsets = OrThrow(arrow::AllocateBuffer(sizeof(int32_t) * 2), "payload");
  auto* ends = reinterpret_cast<int32_t*>(offsets->mutable_data());
  ends[0] = 0;
  ends[1] = static_cast<int32_t>(block.size);
  Batch batch;
  batch.num_rows = 1;
  batch.columns.push_back(std::make_shared<arrow::BinaryArray>(
      1, std::shared_ptr<arrow::Buffer>(std::move(offsets)), block.buffer));
  // Counted from the end: a block may begin with a header that stands elsewhere in the file.
  batch.origin = std::make_shared<BatchOrigin>(BatchOrigin{name, end - block.size});
  return batch;
}

void AppendFileColumns(const std::string& name, int64_t modified_us,
                       const std::vector<std::string>& metadata_keys, Batch* batch) {
  for (const std::string& key : metadata_keys) {
    LAMINAR_CHECK(key == "file", "files have no metadata '" + key + "'");
    batch->columns.push_back(
        OrThrow(arrow::MakeArrayFromScalar(arrow::StringScalar(name), batch->num_rows), "metadata"));
  }
  const arrow::TimestampScalar modified(modified_us, arrow::timestamp(arrow::TimeUnit::MICRO));
  batch->columns.push_back(OrThrow(arrow::MakeArrayFromScalar(modified, batch->num_rows), "metadata"));
}

bool ReadsWholeFiles(const Format& format) { return static_cast<bool>(format.open_file); }

std::shared_ptr<FileReadSpec> MakeFileReadSpec(const TableSpec& table) {
  auto spec = std::make_shared<FileReadSpec>();
  spec->compression = table.options.Text("compression");
  spec->format = table.format;
  spec->format_spec = table.format_spec;
  spec->columns = table.columns;
  spec->metadata_keys = table.metadata_keys;
  if (!ReadsWholeFiles(*table.format)) {
    spec->whole_records = WholeRecordsOf(table);
    if (table.format->header_bytes) {
      spec->header_bytes = [format = table.format, options = table.format_spec](std::string_view start) {
        return static_cast<size_t>(format->header_bytes(options, start));
      };
    }
  }
  return spec;
}

std::unique_ptr<FileSplit> OpenFileSplit(const std::string& path, const std::string& name, int64_t position,
                                         std::shared_ptr<const FileReadSpec> spec) {
  if (ReadsWholeFiles(*spec->format)) return std::make_unique<RowFileSplit>(path, name, position, *spec);
  return std::make_unique<RecordFileSplit>(path, name, position, *spec);
}

std::string SampleFile(const std::string& path, const FileReadSpec& spec) {
  if (!ReadsWholeFiles(*spec.format)) return ReadStart(path, spec, kSampleBytes);
  auto file = AsArrowFile(spec.files->Open(path));
  const int64_t bytes = OrThrow(file->GetSize(), path.c_str());
  const int64_t begin = std::max<int64_t>(0, bytes - kEndSampleBytes);
  return OrThrow(file->ReadAt(begin, bytes - begin), path.c_str())->ToString();
}

}  // namespace laminar
