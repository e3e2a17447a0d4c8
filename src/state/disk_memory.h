#pragma once

/// Memory in mapped scratch files: the kernel writes pages back and reads them again, and the pager sees to
/// it that the process stays below its limit. The files have no name, so nothing of them outlives the
/// process.

#include <cstddef>
#include <cstdint>
#include <string>

namespace laminar {

/// A piece of a file that many share, or, above 4 MiB, a file of its own. The disk's blocks are allocated
/// before the memory is given out: a full disk is an ExternalError here, not a signal later.
class DiskMemory {
 public:
  DiskMemory() = default;
  ~DiskMemory() { Free(); }
  DiskMemory(DiskMemory&& other) noexcept { *this = static_cast<DiskMemory&&>(other); }
  DiskMemory& operator=(DiskMemory&& other) noexcept;

  /// Keeps the bytes that fit; what is new is not initialised. Page-aligned. Throws ExternalError; then
  /// nothing has changed.
  void Resize(size_t bytes);
  void Free();
  uint8_t* data() const { return data_; }
  /// At least what was asked for.
  size_t capacity() const { return capacity_; }
  /// Then what Resize added to nothing are zeros.
  bool is_own_file() const { return fd_ >= 0; }

 private:
  void ResizeFile(size_t bytes);

  uint8_t* data_ = nullptr;
  size_t capacity_ = 0;
  int fd_ = -1;  // of a file of its own
};

/// Where scratch files are made from now on, after a trial: ExternalError when it is no directory on a disk
/// that can be written.
void SetScratchDirectory(const std::string& directory);
/// Of all scratch files.
int64_t ScratchBytes();

/// Keeps the resident memory of the process below `bytes` by taking pages of scratch files out of it; 0:
/// stops.
void SetResidentLimit(int64_t bytes);
/// The calling thread is about to touch so much of scratch files: every few MiB it looks at the limit itself,
/// so that it cannot outrun the thread that otherwise does.
void NoteScratchTouched(size_t bytes);
/// What was taken out so far, counting pages each time.
int64_t PagedOutBytes();

}  // namespace laminar
