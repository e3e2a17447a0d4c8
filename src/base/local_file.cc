#include "base/local_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/file_faults.h"

namespace laminar {

namespace fs = std::filesystem;

namespace {

FileFaults* file_faults = nullptr;

[[noreturn]] void ThrowErrno(int error, const std::string& action, const std::string& path) {
  // A full disk or a flaky one may mend itself; a missing file or right does not.
  const bool passing =
      error == ENOSPC || error == EIO || error == EDQUOT || error == EMFILE || error == ENFILE;
  throw ExternalError("file", "cannot " + action + " '" + path + "': " + std::strerror(error),
                      passing ? ExternalError::Retry::kBackoff : ExternalError::Retry::kNever);
}

template <typename Call>
auto RetryInterrupted(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

int OpenOrThrow(const std::string& path, int flags, const char* action) {
  const int fd = RetryInterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0666); });
  if (fd < 0) ThrowErrno(errno, action, path);
  return fd;
}

struct stat StatOrThrow(int fd, const std::string& path) {
  struct stat status;
  if (::fstat(fd, &status) != 0) ThrowErrno(errno, "stat", path);
  return status;
}

}  // namespace

void SetFileFaults(FileFaults* faults) { file_faults = faults; }

LocalFile::~LocalFile() {
  if (fd_ >= 0) ::close(fd_);
}

LocalFile::LocalFile(LocalFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

LocalFile& LocalFile::operator=(LocalFile&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
    path_ = std::move(other.path_);
  }
  return *this;
}

LocalFile LocalFile::OpenRead(const std::string& path) {
  if (file_faults != nullptr) file_faults->BeforeRead(path);
  LocalFile file(OpenOrThrow(path, O_RDONLY, "open"), path);
  if (S_ISDIR(StatOrThrow(file.fd_, path).st_mode)) ThrowErrno(EISDIR, "read", path);
  return file;
}

LocalFile LocalFile::Create(const std::string& path) {
  if (file_faults != nullptr) file_faults->BeforeCreate(path);
  return LocalFile(OpenOrThrow(path, O_WRONLY | O_CREAT | O_TRUNC, "create"), path);
}

LocalFile LocalFile::OpenAppend(const std::string& path) {
  LocalFile file(OpenOrThrow(path, O_WRONLY, "open for writing"), path);
  if (::lseek(file.fd_, 0, SEEK_END) < 0) ThrowErrno(errno, "seek in", path);
  return file;
}

LocalFile LocalFile::OpenLocked(const std::string& path) {
  LocalFile file(OpenOrThrow(path, O_RDWR | O_CREAT, "create"), path);
  if (RetryInterrupted([&] { return ::flock(file.fd_, LOCK_EX | LOCK_NB); }) == 0) return file;
  if (errno != EWOULDBLOCK) ThrowErrno(errno, "lock", path);
  return LocalFile();
}

int64_t LocalFile::size() const { return StatOrThrow(fd_, path_).st_size; }

int64_t LocalFile::modified_us() const {
  const struct stat status = StatOrThrow(fd_, path_);
  return static_cast<int64_t>(status.st_mtim.tv_sec) * 1'000'000 + status.st_mtim.tv_nsec / 1000;
}

int64_t LocalFile::ReadAt(int64_t offset, void* data, int64_t bytes_max) const {
  if (file_faults != nullptr) file_faults->BeforeRead(path_);
  int64_t done = 0;
  while (done < bytes_max) {
    const ssize_t n = RetryInterrupted(
        [&] { return ::pread(fd_, static_cast<char*>(data) + done, bytes_max - done, offset + done); });
    if (n < 0) ThrowErrno(errno, "read", path_);
    if (n == 0) break;
    done += n;
  }
  return done;
}

void LocalFile::Write(std::string_view data) {
  if (file_faults == nullptr) return WriteFully(fd_, data, path_);
  const auto bytes = static_cast<int64_t>(data.size());
  const int64_t written = file_faults->BeforeWrite(path_, bytes);
  WriteFully(fd_, data.substr(0, static_cast<size_t>(written)), path_);
  if (written < bytes) file_faults->AfterTornWrite(path_);
}

void LocalFile::SetCached(bool cached) {
  if (file_faults != nullptr) return;  // a torn write may end anywhere
  const int flags = ::fcntl(fd_, F_GETFL);
  // Fails where the file system knows no such thing: then the file stays cached.
  if (flags >= 0) ::fcntl(fd_, F_SETFL, cached ? flags & ~O_DIRECT : flags | O_DIRECT);
}

void LocalFile::Truncate(int64_t bytes) {
  if (file_faults != nullptr) file_faults->BeforeTruncate(path_, bytes);
  if (RetryInterrupted([&] { return ::ftruncate(fd_, bytes); }) != 0) ThrowErrno(errno, "truncate", path_);
  if (::lseek(fd_, bytes, SEEK_SET) < 0) ThrowErrno(errno, "seek in", path_);
}

void LocalFile::Sync() {
  if (file_faults != nullptr) file_faults->BeforeSync(path_);
  if (::fdatasync(fd_) == 0) return;
  if (errno == EINVAL || errno == EROFS) {
    return;  // pipes and devices have nothing to sync
  }
  ThrowErrno(errno, "sync", path_);
}

void LocalFile::Close() {
  const int fd = std::exchange(fd_, -1);
  // EINTR on close leaves the descriptor closed on Linux.
  if (fd >= 0 && ::close(fd) != 0 && errno != EINTR) ThrowErrno(errno, "close", path_);
}

void WriteFully(int fd, std::string_view data, const std::string& name) {
  while (!data.empty()) {
    const ssize_t n = RetryInterrupted([&] { return ::write(fd, data.data(), data.size()); });
    if (n < 0) {
      const int error = errno;
      const int flags = error == EINVAL ? ::fcntl(fd, F_GETFL) : -1;
      // Some file systems take O_DIRECT and then want other boundaries than ours.
      if (flags >= 0 && (flags & O_DIRECT) != 0 && ::fcntl(fd, F_SETFL, flags & ~O_DIRECT) == 0) continue;
      ThrowErrno(error, "write", name);
    }
    data.remove_prefix(static_cast<size_t>(n));
  }
}

bool PathExists(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0;
}

bool IsDirectory(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

bool IsRegularFile(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

int64_t FileSizeOrMinusOne(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) ? status.st_size : -1;
}

void MakeDirectories(const std::string& path) {
  if (path.empty()) return;
  std::error_code error;
  fs::create_directories(path, error);
  if (error) ThrowErrno(error.value(), "create directory", path);
}

void MakeDirectoriesDurably(const std::string& path) {
  if (path.empty() || IsDirectory(path)) return;
  const std::string parent = fs::path(path).parent_path().string();
  MakeDirectoriesDurably(parent);
  MakeDirectories(path);
  SyncDirectory(parent);
}

void RemoveFile(const std::string& path) {
  if (file_faults != nullptr) file_faults->BeforeRemove(path);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) ThrowErrno(errno, "remove", path);
}

void RenameFile(const std::string& from, const std::string& to) {
  if (file_faults != nullptr) file_faults->BeforeRename(from, to);
  if (::rename(from.c_str(), to.c_str()) != 0) ThrowErrno(errno, "rename '" + from + "' to", to);
}

bool RenameFileIfAbsent(const std::string& from, const std::string& to) {
  if (file_faults != nullptr && !PathExists(to)) file_faults->BeforeRename(from, to);
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno == EEXIST) return false;
  if (errno != EINVAL && errno != ENOSYS) ThrowErrno(errno, "rename '" + from + "' to", to);
  // A file system without that flag: a hard link does not replace either.
  if (::link(from.c_str(), to.c_str()) != 0) {
    if (errno == EEXIST) return false;
    ThrowErrno(errno, "link '" + from + "' to", to);
  }
  RemoveFile(from);
  return true;
}

void SyncDirectory(const std::string& path) {
  if (file_faults != nullptr) file_faults->BeforeSyncDirectory(path);
  const std::string& name = path.empty() ? "." : path;
  const int fd = RetryInterrupted([&] { return ::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (fd < 0) ThrowErrno(errno, "open directory", name);
  const int result = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  if (result != 0 && error != EINVAL && error != EROFS) ThrowErrno(error, "sync directory", name);
}

std::vector<std::string> ListFilesRecursively(const std::string& directory) {
  std::vector<std::string> found;
  std::error_code error;
  const auto options = fs::directory_options::follow_directory_symlink;
  fs::recursive_directory_iterator entry(directory, options, error), end;
  if (error) ThrowErrno(error.value(), "list", directory);
  while (entry != end) {
    const std::string name = entry->path().filename().string();
    const bool hidden = name[0] == '.' || name[0] == '_';
    std::error_code ignored;  // a file that went away since it was listed is not there
    if (hidden) {
      entry.disable_recursion_pending();
    } else if (entry->is_regular_file(ignored)) {
      found.push_back(entry->path().lexically_relative(directory).string());
    }
    entry.increment(error);
    if (error) ThrowErrno(error.value(), "list", directory);
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::string> ListNames(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entry(directory, error), end;
  if (error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory) return names;
  while (!error && entry != end) {
    names.push_back(entry->path().filename().string());
    entry.increment(error);
  }
  if (error) ThrowErrno(error.value(), "list", directory);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace laminar
