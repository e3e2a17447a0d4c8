#include "connectors/files/block_reader.h"

#include <arrow/buffer.h>
#include <arrow/io/compressed.h>
#include <arrow/util/compression.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/arrow_result.h"
#include "base/error.h"

namespace laminar {

namespace {

class PlainInput final : public ByteInput {
 public:
  explicit PlainInput(std::unique_ptr<InputFile> file) : file_(std::move(file)) {}

  int64_t Read(void* data, int64_t bytes_max) override {
    const int64_t n = file_->ReadAt(offset_, data, bytes_max);
    offset_ += n;
    return n;
  }
  int64_t RemainingHint() const override { return std::max<int64_t>(0, file_->size() - offset_); }
  void Skip(int64_t bytes) override {
    if (offset_ + bytes > file_->size()) {
      throw ExternalError("file", "'" + name() + "' is shorter (" + std::to_string(file_->size()) +
                                      " bytes) than what was already read of it (" +
                                      std::to_string(offset_ + bytes) + ")");
    }
    offset_ += bytes;
  }
  const std::string& name() const override { return file_->path(); }

 private:
  const std::unique_ptr<InputFile> file_;
  int64_t offset_ = 0;
};

class CompressedInput final : public ByteInput {
 public:
  CompressedInput(std::unique_ptr<InputFile> file, Compression compression)
      : path_(file->path()), codec_(MakeCodec(compression)) {
    stream_ = OrThrow(arrow::io::CompressedInputStream::Make(codec_.get(), AsArrowFile(std::move(file))),
                      path_.c_str());
  }

  int64_t Read(void* data, int64_t bytes_max) override {
    return OrThrow(stream_->Read(bytes_max, data), path_.c_str());
  }
  const std::string& name() const override { return path_; }

 private:
  const std::string path_;
  std::unique_ptr<arrow::util::Codec> codec_;  // outlives the stream
  std::shared_ptr<arrow::io::CompressedInputStream> stream_;
};

std::shared_ptr<arrow::ResizableBuffer> AllocateBlock(int64_t capacity) {
  return OrThrow(arrow::AllocateResizableBuffer(capacity + kBlockPadding), "read buffer");
}

}  // namespace

size_t WholeLines(std::string_view bytes) {
  const size_t newline = bytes.rfind('\n');
  return newline == std::string_view::npos ? 0 : newline + 1;
}

size_t WholeFile(std::string_view) { return 0; }

void ByteInput::Skip(int64_t bytes) {
  std::vector<char> scratch(static_cast<size_t>(std::min<int64_t>(bytes, kBlockBytes)));
  while (bytes > 0) {
    const int64_t n = Read(scratch.data(), std::min<int64_t>(bytes, static_cast<int64_t>(scratch.size())));
    if (n == 0) {
      throw ExternalError("file", "'" + name() + "' is shorter than what was already read of it: " +
                                      std::to_string(bytes) + " bytes are missing");
    }
    bytes -= n;
  }
}

std::unique_ptr<ByteInput> OpenFileInput(const std::string& path, Compression compression,
                                         const FileAccess& files) {
  auto file = files.Open(path);
  if (compression == Compression::kNone) return std::make_unique<PlainInput>(std::move(file));
  return std::make_unique<CompressedInput>(std::move(file), compression);
}

BlockReader::BlockReader(std::unique_ptr<ByteInput> input, WholeRecords whole_records, std::string header,
                         int64_t block_bytes)
    : input_(std::move(input)),
      whole_records_(std::move(whole_records)),
      header_(std::move(header)),
      block_bytes_(block_bytes) {}

void BlockReader::SkipTo(int64_t offset) {
  if (offset > 0) input_->Skip(offset);
  position_ = offset;
}

int64_t BlockReader::FirstCapacity() const {
  const int64_t rest = rest_ ? rest_->size() : 0;
  const int64_t hint = input_->RemainingHint();
  // One byte more than is left lets a single block see the end of a small file.
  const int64_t wanted = hint < 0 ? block_bytes_ : std::min(block_bytes_, hint + 1);
  return static_cast<int64_t>(header_.size()) + rest + std::max<int64_t>(wanted, 1);
}

RecordBlock BlockReader::Next() {
  if (at_end_ && !rest_) return {};
  int64_t capacity = FirstCapacity();
  auto buffer = AllocateBlock(capacity);
  const auto header = position_ > 0 ? static_cast<int64_t>(header_.size()) : 0;
  std::memcpy(buffer->mutable_data(), header_.data(), static_cast<size_t>(header));
  int64_t filled = header;
  if (rest_) {
    std::memcpy(buffer->mutable_data() + filled, rest_->data(), static_cast<size_t>(rest_->size()));
    filled += rest_->size();
    rest_ = nullptr;
  }
  int64_t whole = 0;
  while (true) {
    while (filled < capacity && !at_end_) {
      const int64_t n = input_->Read(buffer->mutable_data() + filled, capacity - filled);
      at_end_ = n == 0;
      filled += n;
    }
    whole =
        at_end_ ? filled : static_cast<int64_t>(whole_records_(std::string_view(*buffer).substr(0, filled)));
    if (whole > header || at_end_) break;
    if (capacity >= kRecordBytesMax) {
      throw ExternalError("file", "'" + input_->name() + "' has a record of more than 1 GiB at byte " +
                                      std::to_string(position_) +
                                      ": is it in the format that the table names?");
    }
    capacity *= 2;
    OrThrow(buffer->Resize(capacity + kBlockPadding, /*shrink_to_fit=*/false), "read buffer");
  }
  if (whole <= header) return {};
  if (filled > whole) rest_ = arrow::SliceBuffer(buffer, whole, filled - whole);
  position_ += whole - header;
  return {std::move(buffer), whole};
}

}  // namespace laminar
