#include "storage/local_store.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/local_file.h"

namespace laminar {

namespace fs = std::filesystem;

namespace {

/// Names of objects being written begin so; ListFilesRecursively leaves such files out.
constexpr char kStagedPrefix[] = ".staged-";

/// Past the page cache: objects are written once and hardly read again, and the memory is wanted for state.
class LocalWriter final : public ObjectWriter {
 public:
  LocalWriter(std::string staged, std::string path)
      : staged_(std::move(staged)), path_(std::move(path)), file_(LocalFile::Create(staged_)) {
    file_.SetCached(false);
  }
  ~LocalWriter() override {
    if (committed_) return;
    try {
      RemoveFile(staged_);
    } catch (const ExternalError&) {  // it stays until the next start's sweep
    }
  }
  void Write(std::string_view data) override {
    if (buffer_ == nullptr) buffer_ = std::make_unique_for_overwrite<Buffer>();
    while (!data.empty()) {
      const size_t taken = std::min(data.size(), sizeof(Buffer) - buffered_);
      std::memcpy(buffer_->bytes + buffered_, data.data(), taken);
      buffered_ += taken;
      data.remove_prefix(taken);
      if (buffered_ == sizeof(Buffer)) WriteBuffered(sizeof(Buffer));
    }
  }
  void Commit() override {
    WriteBuffered(buffered_ - buffered_ % kPageBytes);
    file_.SetCached(true);
    WriteBuffered(buffered_);
    file_.Sync();
    file_.Close();
    RenameFile(staged_, path_);
    committed_ = true;
    SyncDirectory(fs::path(path_).parent_path().string());
  }

 private:
  static constexpr size_t kPageBytes = 4096;
  struct alignas(kPageBytes) Buffer {
    char bytes[512 << 10];
  };

  /// The first `bytes` of the buffer.
  void WriteBuffered(size_t bytes) {
    if (bytes == 0) return;
    file_.Write({buffer_->bytes, bytes});
    buffered_ -= bytes;
    std::memmove(buffer_->bytes, buffer_->bytes + bytes, buffered_);
  }

  const std::string staged_;
  const std::string path_;
  LocalFile file_;
  std::unique_ptr<Buffer> buffer_;  ///< made by the first Write
  size_t buffered_ = 0;
  bool committed_ = false;
};

class LocalStore final : public ObjectStore {
 public:
  explicit LocalStore(std::string directory) : directory_(std::move(directory)) {}

  const std::string& url() const override { return directory_; }

  std::unique_ptr<ObjectWriter> Create(const std::string& name) override {
    const std::string path = PathOf(name);
    return std::make_unique<LocalWriter>(StagedPath(path), path);
  }

  bool PutIfAbsent(const std::string& name, std::string_view data) override {
    const std::string path = PathOf(name);
    const std::string staged = StagedPath(path);
    LocalFile file = LocalFile::Create(staged);
    file.Write(data);
    file.Sync();
    file.Close();
    const bool done = RenameFileIfAbsent(staged, path);
    if (!done) RemoveFile(staged);
    // Also when it was there: whoever put it may not have come to this line.
    SyncDirectory(fs::path(path).parent_path().string());
    return done;
  }

  std::string Read(const std::string& name, int64_t offset, int64_t bytes) override {
    const LocalFile file = LocalFile::OpenRead(directory_ + "/" + name);
    std::string data(static_cast<size_t>(bytes), '\0');
    const int64_t got = file.ReadAt(offset, data.data(), bytes);
    if (got < bytes) {
      throw ExternalError("file", "'" + file.path() + "' is too short: wanted " + std::to_string(bytes) +
                                      " bytes at " + std::to_string(offset) + ", found " +
                                      std::to_string(got));
    }
    return data;
  }

  int64_t read_bytes() const override { return 512 << 10; }  // stays in a core's cache until it is used

  std::optional<int64_t> Size(const std::string& name) override {
    const int64_t bytes = FileSizeOrMinusOne(directory_ + "/" + name);
    return bytes < 0 ? std::nullopt : std::optional(bytes);
  }

  std::vector<ObjectInfo> List(const std::string& prefix) override {
    const size_t slash = prefix.rfind('/');
    const std::string below = slash == std::string::npos ? "" : prefix.substr(0, slash + 1);
    std::vector<ObjectInfo> found;
    if (!IsDirectory(directory_ + "/" + below)) return found;
    for (const std::string& file : ListFilesRecursively(directory_ + "/" + below)) {
      const std::string name = below + file;
      if (name.compare(0, prefix.size(), prefix) != 0) continue;
      const int64_t bytes = FileSizeOrMinusOne(directory_ + "/" + name);
      if (bytes >= 0) found.push_back({name, bytes});
    }
    return found;
  }

  void Delete(const std::string& name) override { RemoveFile(directory_ + "/" + name); }

  void Lock() override {
    lock_ = LocalFile::OpenLocked(PathOf("lock"));
    if (!lock_.is_open()) {
      throw ExternalError("state", "'" + directory_ +
                                       "' is in use by another running job; stop it, or give this one a "
                                       "directory of its own");
    }
    SweepStaged();
  }
  void Unlock() override { lock_.Close(); }

 private:
  /// Makes the folders on the way.
  std::string PathOf(const std::string& name) {
    const std::string path = directory_ + "/" + name;
    MakeDirectoriesDurably(fs::path(path).parent_path().string());
    return path;
  }
  std::string StagedPath(const std::string& path) {
    const fs::path at(path);
    return (at.parent_path() / (kStagedPrefix + std::to_string(staged_count_++) + at.filename().string()))
        .string();
  }
  /// What a crash left half-written. Only who holds the lock writes.
  void SweepStaged() {
    for (const char* folder : {"manifests", "data"}) {
      const std::string path = directory_ + "/" + folder;
      for (const std::string& name : ListNames(path)) {
        if (name.starts_with(kStagedPrefix)) RemoveFile(path + "/" + name);
      }
    }
  }

  const std::string directory_;
  LocalFile lock_;
  std::atomic<int64_t> staged_count_{0};
};

}  // namespace

std::shared_ptr<ObjectStore> OpenLocalStore(const std::string& directory, bool create) {
  if (!create && !IsDirectory(directory)) {
    throw ExternalError("file", "no directory '" + directory + "'");
  }
  if (PathExists(directory) && !IsDirectory(directory)) {
    throw ExternalError("file", "'" + directory + "' is a file; a directory is needed");
  }
  return std::make_shared<LocalStore>(directory);
}

}  // namespace laminar
