#pragma once

/// Where tests make the disk fail: one object, asked before each change to a local file and each read.
/// Outside of tests there is none, and the cost is a load and a branch per call.

#include <cstdint>
#include <string>
#include <string_view>

namespace laminar {

class FileFaults {
 public:
  virtual ~FileFaults() = default;
  // Each may throw instead of returning: then nothing of it happens.
  virtual void BeforeCreate(const std::string& path) = 0;
  /// How many bytes of `bytes` are really written before AfterTornWrite is called; all: the write is whole.
  virtual int64_t BeforeWrite(const std::string& path, int64_t bytes) = 0;
  virtual void AfterTornWrite(const std::string& path) = 0;
  virtual void BeforeTruncate(const std::string& path, int64_t bytes) = 0;
  virtual void BeforeSync(const std::string& path) = 0;
  virtual void BeforeRename(const std::string& from, const std::string& to) = 0;
  virtual void BeforeRemove(const std::string& path) = 0;
  virtual void BeforeSyncDirectory(const std::string& path) = 0;
  virtual void BeforeRead(const std::string& path) = 0;
};

/// Null takes it away. Not while files are in use on other threads.
void SetFileFaults(FileFaults* faults);

}  // namespace laminar
