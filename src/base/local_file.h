#pragma once

/// Local files for connectors and checkpoints: EINTR retried, descriptors close-on-exec, every failure an
/// ExternalError that names the path. Nothing here is thread-safe per object.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace laminar {

/// An open file. Move-only; closes itself (without error) when destroyed.
class LocalFile {
 public:
  LocalFile() = default;
  ~LocalFile();
  LocalFile(LocalFile&& other) noexcept;
  LocalFile& operator=(LocalFile&& other) noexcept;

  static LocalFile OpenRead(const std::string& path);
  /// Write-only; made (mode 0666 less umask) or emptied.
  static LocalFile Create(const std::string& path);
  /// Write-only at the end; must exist.
  static LocalFile OpenAppend(const std::string& path);
  /// Made if need be, never emptied, and locked against other processes until closed; not open when another
  /// has it locked.
  static LocalFile OpenLocked(const std::string& path);

  bool is_open() const { return fd_ >= 0; }
  const std::string& path() const { return path_; }
  int64_t size() const;
  /// Time of the last change, microseconds since 1970.
  int64_t modified_us() const;
  /// Up to `bytes_max` bytes from `offset`; fewer only at the end of the file. Returns how many.
  int64_t ReadAt(int64_t offset, void* data, int64_t bytes_max) const;
  void Write(std::string_view data);
  /// Not cached: what is written from here on passes the page cache where the file system lets it (O_DIRECT).
  /// Each Write is then of whole 4 KiB from an address that is a multiple of that, at such a position.
  void SetCached(bool cached);
  /// Cuts to `bytes` and writes from there on.
  void Truncate(int64_t bytes);
  /// Returns once the content is on the disk.
  void Sync();
  void Close();

 private:
  LocalFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  int fd_ = -1;
  std::string path_;
};

/// Writes all of `data` to a descriptor that the caller owns; `name` is for the error.
void WriteFully(int fd, std::string_view data, const std::string& name);

/// True for anything that exists at `path`.
bool PathExists(const std::string& path);
bool IsDirectory(const std::string& path);
bool IsRegularFile(const std::string& path);
/// Bytes of the file at `path`; −1 when there is none.
int64_t FileSizeOrMinusOne(const std::string& path);
void MakeDirectories(const std::string& path);
/// The same, and those that were made survive a power cut.
void MakeDirectoriesDurably(const std::string& path);
/// Removes a file if it is there.
void RemoveFile(const std::string& path);
/// Atomic within one file system. Replaces `to`.
void RenameFile(const std::string& from, const std::string& to);
/// The same, but false, and nothing changed, when `to` exists.
bool RenameFileIfAbsent(const std::string& from, const std::string& to);
/// Makes renames, creations and removals in `path` durable.
void SyncDirectory(const std::string& path);
/// Regular files (symbolic links followed) below `directory`, as paths relative to it, sorted by bytes. Names
/// that begin with `.` or `_` are left out with everything below them: staged and hidden files.
std::vector<std::string> ListFilesRecursively(const std::string& directory);
/// Names of all that lies in `directory` itself, sorted by bytes; empty when there is no such directory.
std::vector<std::string> ListNames(const std::string& directory);

}  // namespace laminar
