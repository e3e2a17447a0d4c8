#include "connectors/filesystem/staged_file.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/compression.h>

#include <exception>

#include "base/arrow_result.h"
#include "base/error.h"
#include "connectors/line_buffer.h"

namespace laminar {

namespace {

/// Each full buffer becomes one gzip member or zstd frame: such files may be concatenated, and so cut and
/// continued.
constexpr size_t kMemberBytes = 1 << 20;

class RecordFile final : public StagedFile {
 public:
  RecordFile(std::unique_ptr<StagedOutput> output, int64_t length, const FileWriteSpec& spec)
      : output_(std::move(output)), encoder_(spec.encoder), length_(length) {
    if (spec.compression != Compression::kNone) codec_ = MakeCodec(spec.compression);
    if (length == 0) buffer_ = encoder_->Header();
  }

  void Write(const Batch& rows) override {
    Batch records;
    records.columns.push_back(encoder_->Encode(rows));
    records.num_rows = records.columns[0]->length();
    AppendLines(records, &buffer_);
    if (buffer_.size() >= (codec_ ? kMemberBytes : kLineBufferBytes)) WriteBuffer();
  }
  int64_t bytes() const override { return length_ + static_cast<int64_t>(buffer_.size()); }
  bool resumable() const override { return true; }

  int64_t Persist() override {
    WriteBuffer();
    output_->Sync();
    return length_;
  }

  int64_t Close() override {
    WriteBuffer();
    output_->Close();
    return length_;
  }

 private:
  void WriteBuffer() {
    if (buffer_.empty()) return;
    if (codec_ == nullptr) {
      output_->Write(buffer_);
      length_ += static_cast<int64_t>(buffer_.size());
    } else {
      const auto* input = reinterpret_cast<const uint8_t*>(buffer_.data());
      const auto input_bytes = static_cast<int64_t>(buffer_.size());
      std::string member(static_cast<size_t>(codec_->MaxCompressedLen(input_bytes, input)), '\0');
      const int64_t bytes = OrThrow(codec_->Compress(input_bytes, input, static_cast<int64_t>(member.size()),
                                                     reinterpret_cast<uint8_t*>(member.data())),
                                    "compression");
      output_->Write(std::string_view(member).substr(0, static_cast<size_t>(bytes)));
      length_ += bytes;
    }
    buffer_.clear();
  }

  const std::unique_ptr<StagedOutput> output_;
  const std::shared_ptr<Encoder> encoder_;
  std::unique_ptr<arrow::util::Codec> codec_;
  std::string buffer_;
  int64_t length_;
};

/// A staged file as Arrow's writers see it.
class StagedOutputStream final : public arrow::io::OutputStream {
 public:
  explicit StagedOutputStream(std::unique_ptr<StagedOutput> output) : output_(std::move(output)) {}

  arrow::Status Write(const void* data, int64_t bytes) override {
    return Checked([&] {
      output_->Write({static_cast<const char*>(data), static_cast<size_t>(bytes)});
      written_ += bytes;
    });
  }
  using arrow::io::OutputStream::Write;
  arrow::Result<int64_t> Tell() const override { return written_; }
  bool closed() const override { return closed_; }
  /// The error behind a Status that came from here, as it was; nothing when there was none.
  void ThrowFailure() const {
    if (failure_) std::rethrow_exception(failure_);
  }
  arrow::Status Close() override {
    if (closed_) return arrow::Status::OK();
    closed_ = true;
    return Checked([&] { output_->Close(); });
  }

 private:
  /// Errors as Arrow hands them on: nothing may be thrown through its code.
  template <typename Call>
  arrow::Status Checked(Call call) {
    try {
      call();
      return arrow::Status::OK();
    } catch (const ExternalError& error) {
      failure_ = std::current_exception();
      return arrow::Status::IOError(error.what());
    }
  }

  const std::unique_ptr<StagedOutput> output_;
  int64_t written_ = 0;
  bool closed_ = false;
  std::exception_ptr failure_;
};

/// Formats with a footer: nothing of the file is of use before it is closed.
class RowFile final : public StagedFile {
 public:
  RowFile(std::unique_ptr<StagedOutput> output, const FileWriteSpec& spec)
      : stream_(std::make_shared<StagedOutputStream>(std::move(output))) {
    OrFailureOfFile([&] { writer_ = spec.format->create_file(spec.format_spec, stream_, spec.columns); });
  }

  void Write(const Batch& rows) override {
    OrFailureOfFile([&] { writer_->Write(rows); });
  }
  int64_t bytes() const override { return writer_->bytes_written(); }
  bool resumable() const override { return false; }
  int64_t Persist() override { LAMINAR_CHECK(false, "a file with a footer cannot be continued"); }

  int64_t Close() override {
    OrFailureOfFile([&] {
      writer_->Close();
      OrThrow(stream_->Close(), "staged file");
    });
    return OrThrow(stream_->Tell(), "staged file");
  }

 private:
  template <typename Call>
  void OrFailureOfFile(Call call) {
    try {
      call();
    } catch (const std::exception&) {
      stream_->ThrowFailure();
      throw;
    }
  }

  const std::shared_ptr<StagedOutputStream> stream_;
  std::unique_ptr<FileWriter> writer_;
};

}  // namespace

std::unique_ptr<StagedFile> MakeStagedFile(std::unique_ptr<StagedOutput> output, int64_t length,
                                           const FileWriteSpec& spec) {
  if (spec.encoder != nullptr) return std::make_unique<RecordFile>(std::move(output), length, spec);
  LAMINAR_CHECK(length == 0, "only files of records can be continued");
  return std::make_unique<RowFile>(std::move(output), spec);
}

}  // namespace laminar
