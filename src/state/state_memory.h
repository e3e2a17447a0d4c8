#pragma once

/// Where the containers' memory lies (docs/state-on-disk.md): in ordinary memory, or, once the process comes
/// near its limit, in mapped scratch files that the pager keeps small in memory. A process runs one job, so
/// there is one such choice per process.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "state/disk_memory.h"

namespace laminar {

enum class StateBackend { kMemory, kDisk };

struct StateMemoryOptions {
  StateBackend backend = StateBackend::kMemory;
  int64_t limit_bytes = 0;  ///< kDisk: of the process's resident memory; 0: half of what it may have
  std::string directory;    ///< kDisk: of the scratch files
  /// Tried first when there is no `directory`; then $TMPDIR, then /var/tmp: the first that lies on a disk.
  std::string preferred_directory;
};

/// For all memory that containers ask for from now on; what they have stays where it is. Throws ExternalError
/// when the directory cannot hold scratch files.
void ConfigureStateMemory(const StateMemoryOptions& options);

/// What memory is for. Indexes are read at random: they stay in ordinary memory longest.
enum class StateUse { kRecords, kIndex };

/// Smaller pieces are not counted, and lie in scratch files only when the limit is below 16 MiB: then all do.
inline constexpr size_t kDiskBytesMin = 64 << 10;
/// Whether a piece of `bytes` should, in place of `replaced` bytes in ordinary memory.
bool StateGoesToDisk(StateUse use, size_t bytes, size_t replaced = 0);

/// Bytes of the containers in ordinary memory, as far as pieces of kDiskBytesMin and more go.
void CountOrdinaryStateBytes(int64_t difference);

struct StateMemoryUsage {
  int64_t limit_bytes = 0;      ///< 0: none
  int64_t ordinary_bytes = 0;   ///< in pieces of kDiskBytesMin and more
  int64_t disk_bytes = 0;       ///< of the scratch files
  int64_t paged_out_bytes = 0;  ///< what the pager took out of memory so far
};
StateMemoryUsage GetStateMemoryUsage();

/// A block of fixed size for rows and the like: from malloc or in a scratch file, as it comes.
class MemoryBlock {
 public:
  MemoryBlock() = default;
  /// Not initialised, 16-byte aligned. Throws ExternalError when the disk is full.
  explicit MemoryBlock(size_t bytes);
  ~MemoryBlock() { Free(); }
  MemoryBlock(MemoryBlock&& other) noexcept { *this = std::move(other); }
  MemoryBlock& operator=(MemoryBlock&& other) noexcept;

  uint8_t* get() const { return data_; }
  explicit operator bool() const { return data_ != nullptr; }
  bool on_disk() const { return disk_.data() != nullptr; }

 private:
  void Free();

  uint8_t* data_ = nullptr;
  size_t bytes_ = 0;
  DiskMemory disk_;
};

/// Starts to read a piece of a scratch file that a loop is about to walk through.
void ReadAhead(const void* address, size_t bytes);

/// Reads pages of scratch files that a loop is about to touch, all at once rather than one fault after the
/// other.
///
///     PageReader reader;
///     for (…) reader.Add(address, bytes);
///     reader.Read();
class PageReader {
 public:
  void Add(const void* address, size_t bytes) {
    const auto at = reinterpret_cast<uintptr_t>(address);
    for (uintptr_t page = at >> kPageBits; page <= (at + bytes - 1) >> kPageBits; ++page) {
      if (count_ == kPagesMax) Read();
      pages_[count_++] = page;
    }
  }
  /// Starts the reads of those that are not in memory, when a sample says that it is worth the calls.
  void Read();

 private:
  static constexpr int kPageBits = 12;
  static constexpr size_t kPagesMax = 16 << 10;
  uintptr_t* const pages_ = Buffer();
  size_t count_ = 0;

  static uintptr_t* Buffer();  // [kPagesMax], of the thread
};

}  // namespace laminar
