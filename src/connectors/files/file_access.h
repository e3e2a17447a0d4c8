#pragma once

/// Where files are read from: the local disk, or a bucket.

#include <arrow/io/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace laminar {

class BucketClient;

/// An open file, read at any place. Of one thread.
class InputFile {
 public:
  virtual ~InputFile() = default;
  virtual const std::string& path() const = 0;
  /// Bytes now; of an object, when it was opened.
  virtual int64_t size() const = 0;
  /// When it was changed last, microseconds since 1970.
  virtual int64_t modified_us() const = 0;
  /// Up to `bytes_max` bytes; fewer only at the end.
  virtual int64_t ReadAt(int64_t offset, void* data, int64_t bytes_max) = 0;
};

/// Failures are ExternalErrors that name the path. All calls may block. May be used by several threads.
class FileAccess {
 public:
  virtual ~FileAccess() = default;
  virtual std::unique_ptr<InputFile> Open(const std::string& path) const = 0;
  /// Files below the directory `path` as paths relative to it, sorted by bytes, without those that begin with
  /// `.` or
  /// `_` and what is below them; nullopt when `path` is a file. Throws when it is neither; in a bucket, where
  /// no folder is there without an object in it, only if `must_exist`.
  virtual std::optional<std::vector<std::string>> ListBelow(const std::string& path,
                                                            bool must_exist) const = 0;
};

std::shared_ptr<const FileAccess> LocalFiles();
/// Objects of a bucket, by their URLs. What is read of one object is one version of it.
std::shared_ptr<const FileAccess> FilesOfBucket(std::shared_ptr<BucketClient> client);

/// As Arrow's readers see it.
std::shared_ptr<arrow::io::RandomAccessFile> AsArrowFile(std::unique_ptr<InputFile> file);

}  // namespace laminar
