#include "connectors/files/file_access.h"

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>

#include <exception>
#include <filesystem>
#include <mutex>

#include "base/error.h"
#include "base/local_file.h"

namespace laminar {

namespace {

class LocalInputFile final : public InputFile {
 public:
  explicit LocalInputFile(const std::string& path) : file_(LocalFile::OpenRead(path)) {}
  const std::string& path() const override { return file_.path(); }
  int64_t size() const override { return file_.size(); }
  int64_t modified_us() const override { return file_.modified_us(); }
  int64_t ReadAt(int64_t offset, void* data, int64_t bytes_max) override {
    return file_.ReadAt(offset, data, bytes_max);
  }

 private:
  const LocalFile file_;
};

class LocalAccess final : public FileAccess {
 public:
  std::unique_ptr<InputFile> Open(const std::string& path) const override {
    return std::make_unique<LocalInputFile>(path);
  }
  std::optional<std::vector<std::string>> ListBelow(const std::string& path, bool must_exist) const override {
    if (!PathExists(path)) {
      throw ExternalError("file", "cannot read '" + path + "': no such file or directory");
    }
    if (!IsDirectory(path)) return std::nullopt;
    return ListFilesRecursively(path);
  }
};

class ArrowFile final : public arrow::io::RandomAccessFile {
 public:
  explicit ArrowFile(std::unique_ptr<InputFile> file) : file_(std::move(file)) {}

  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Result<int64_t> GetSize() override { return file_->size(); }
  arrow::Status Seek(int64_t position) override {
    position_ = position;
    return arrow::Status::OK();
  }

  arrow::Result<int64_t> ReadAt(int64_t offset, int64_t bytes, void* out) override {
    std::lock_guard lock(mutex_);  // Arrow reads columns on several threads
    try {
      return file_->ReadAt(offset, out, bytes);
    } catch (const ExternalError& error) {  // nothing may be thrown through Arrow's code
      return arrow::Status::IOError(error.what());
    }
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t offset, int64_t bytes) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(bytes));
    ARROW_ASSIGN_OR_RAISE(const int64_t got, ReadAt(offset, bytes, buffer->mutable_data()));
    ARROW_RETURN_NOT_OK(buffer->Resize(got));
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }
  arrow::Result<int64_t> Read(int64_t bytes, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t got, ReadAt(position_, bytes, out));
    position_ += got;
    return got;
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, bytes));
    position_ += buffer->size();
    return buffer;
  }

 private:
  const std::unique_ptr<InputFile> file_;
  std::mutex mutex_;
  int64_t position_ = 0;
  bool closed_ = false;
};

}  // namespace

std::shared_ptr<const FileAccess> LocalFiles() {
  static const auto local = std::make_shared<const LocalAccess>();
  return local;
}

std::shared_ptr<arrow::io::RandomAccessFile> AsArrowFile(std::unique_ptr<InputFile> file) {
  return std::make_shared<ArrowFile>(std::move(file));
}

}  // namespace laminar
