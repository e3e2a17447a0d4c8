#include "state/disk_memory.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"

namespace laminar {

namespace {

constexpr size_t kPieceMin = 64 << 10;
constexpr size_t kPieceMax = 4 << 20;
constexpr size_t kSegmentBytes = 64 << 20;
constexpr size_t kFileUnit = 2 << 20;
constexpr size_t kSweepBytes = 2 << 20;
constexpr std::chrono::milliseconds kCalm{5}, kClose{2};  // between looks at the resident size
constexpr int64_t kTouchedMax = 4 << 20;                  // between looks of who touches it

std::atomic<int64_t> scratch_bytes{0}, paged_out_bytes{0};

[[noreturn]] void ThrowScratch(const std::string& directory, const std::string& what, int error) {
  throw ExternalError("state", what + " in '" + directory + "': " + std::strerror(error) +
                                   (error == ENOSPC || error == EDQUOT
                                        ? "; free some space or SET state_directory to a larger disk"
                                        : "; SET state_directory to a directory that can be written"));
}

int64_t ResidentBytes() {
  static const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  static const int64_t page = sysconf(_SC_PAGESIZE);
  char text[128] = {};
  long size = 0, resident = 0;
  if (pread(fd, text, sizeof text - 1, 0) <= 0 || std::sscanf(text, "%ld %ld", &size, &resident) != 2)
    return 0;
  return resident * page;
}

/// All mappings of scratch files, and the thread that takes their pages out of memory, one after the other.
/// What is in use comes back by a fault that needs no reading, as long as the kernel has not given the page
/// away.
class Pager {
 public:
  static Pager& Get() {
    static Pager pager;
    return pager;
  }
  ~Pager() { Stop(); }

  void SetLimit(int64_t bytes) {
    Stop();
    limit_ = bytes;
    if (bytes == 0) return;
    stopping_ = false;
    thread_ = std::thread([this] { Run(); });
    writer_ = std::thread([this] { WriteBack(); });
  }

  void NoteTouched(size_t bytes) {
    if (limit_ == 0 || (touched_ += static_cast<int64_t>(bytes)) < kTouchedMax) return;
    touched_ = 0;
    Shrink();
  }

  void Add(uint8_t* at, size_t bytes, int fd, size_t offset) {
    std::lock_guard lock(mutex_);
    mappings_[at] = {bytes, fd, offset};
  }
  void Remove(uint8_t* at) {
    std::lock_guard lock(mutex_);
    mappings_.erase(at);
  }
  /// Moves and resizes a mapping from offset 0 of its file; MAP_FAILED when that cannot be done.
  void* Remap(uint8_t* at, size_t from, size_t to, int fd) {
    std::lock_guard lock(mutex_);
    void* moved = mremap(at, from, to, MREMAP_MAYMOVE);
    if (moved == MAP_FAILED) return moved;
    mappings_.erase(at);
    mappings_[static_cast<uint8_t*>(moved)] = {to, fd, 0};
    return moved;
  }

 private:
  struct Mapping {
    size_t bytes;
    int fd;
    size_t offset;  // in the file
  };

  void Stop() {
    if (!thread_.joinable()) return;
    {
      std::lock_guard lock(wake_mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
    writer_.join();
  }

  /// Once over everything at most: the rest may be memory of another kind.
  int64_t Shrink() {
    int64_t resident = ResidentBytes();
    for (int64_t swept = 0; resident > limit_ && swept < scratch_bytes; resident = ResidentBytes()) {
      swept += Sweep(std::max<int64_t>(resident - limit_, 8 << 20));
    }
    return resident;
  }

  void Run() {
    std::unique_lock lock(wake_mutex_);
    while (!stopping_) {
      lock.unlock();
      const int64_t resident = Shrink();
      lock.lock();
      wake_.wait_for(lock, resident > limit_ / 8 * 7 ? kClose : kCalm);
    }
  }

  /// Takes the next `bytes` of address space out; less behind the last mapping, after which the first is
  /// next.
  int64_t Sweep(int64_t bytes) {
    int64_t swept = 0;
    while (swept < bytes) {
      std::lock_guard lock(mutex_);
      auto at = mappings_.upper_bound(hand_);
      if (at != mappings_.begin() && hand_ < std::prev(at)->first + std::prev(at)->second.bytes) --at;
      if (at == mappings_.end()) {
        hand_ = nullptr;
        break;
      }
      uint8_t* begin = std::max(hand_, at->first);
      const size_t offset = static_cast<size_t>(begin - at->first);
      const size_t step = std::min(kSweepBytes, at->second.bytes - offset);
      // The pages stay the file's: what was changed is written from there, and whoever needs them maps them
      // again.
      madvise(begin, step, MADV_DONTNEED);
      hand_ = begin + step;
      std::lock_guard wake_lock(wake_mutex_);
      to_write_.push_back({step, at->second.fd, at->second.offset + offset});
      swept += static_cast<int64_t>(step);
    }
    paged_out_bytes += swept;
    wake_.notify_all();
    return bytes;
  }

  /// Starts to write what was taken out, so that the kernel finds clean pages when it needs some. A thread of
  /// its own, since the calls wait while the disk is busy.
  void WriteBack() {
    std::unique_lock lock(wake_mutex_);
    while (!stopping_) {
      if (to_write_.empty()) {
        wake_.wait(lock);
        continue;
      }
      const Mapping next = to_write_.front();
      to_write_.pop_front();
      lock.unlock();
      // The file may be closed by now: then nothing is to be done, or some other file is written a little
      // earlier.
      sync_file_range(next.fd, static_cast<off_t>(next.offset), static_cast<off_t>(next.bytes),
                      SYNC_FILE_RANGE_WRITE);
      lock.lock();
    }
    to_write_.clear();
  }

  std::atomic<int64_t> limit_{0};
  std::atomic<int64_t> touched_{0};  // since the last look of who touches
  std::thread thread_, writer_;
  std::mutex wake_mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;         // guarded by wake_mutex_
  std::deque<Mapping> to_write_;  // likewise
  std::mutex mutex_;
  std::map<uint8_t*, Mapping> mappings_;  // guarded by mutex_
  uint8_t* hand_ = nullptr;               // likewise: up to here it was swept
};

/// The directory, and the file that pieces come from. Pieces are powers of two and never joined again.
class Scratch {
 public:
  static Scratch& Get() {
    static Scratch* const scratch = new Scratch;  // containers may outlive all statics
    return *scratch;
  }

  void SetDirectory(const std::string& directory) {
    std::lock_guard lock(mutex_);
    if (directory == directory_) return;
    directory_ = directory;
    if (fd_ >= 0) {  // its pieces stay where they are
      fd_ = -1;
      file_bytes_ = 0;
      for (auto& pieces : free_) pieces.clear();
    }
  }
  std::string directory() const {
    std::lock_guard lock(mutex_);
    return directory_;
  }

  uint8_t* TakePiece(size_t bytes) {
    std::lock_guard lock(mutex_);
    return Take(ClassOf(bytes));
  }
  void GivePiece(uint8_t* piece, size_t bytes) {
    std::lock_guard lock(mutex_);
    free_[ClassOf(bytes)].push_back(piece);
  }
  static size_t PieceBytes(size_t bytes) { return std::max(kPieceMin, std::bit_ceil(bytes)); }

 private:
  static constexpr size_t kClasses = 7;
  static_assert(kPieceMin << (kClasses - 1) == kPieceMax);

  static size_t ClassOf(size_t bytes) {
    return static_cast<size_t>(std::countr_zero(bytes) - std::countr_zero(kPieceMin));
  }

  uint8_t* Take(size_t piece_class) {
    auto& pieces = free_[piece_class];
    if (pieces.empty()) {
      if (piece_class + 1 == kClasses) {
        AddSegment();
      } else {
        uint8_t* pair = Take(piece_class + 1);
        pieces.push_back(pair + (kPieceMin << piece_class));
        pieces.push_back(pair);
      }
    }
    uint8_t* piece = pieces.back();
    pieces.pop_back();
    return piece;
  }

  void AddSegment();

  mutable std::mutex mutex_;
  std::string directory_;
  int fd_ = -1;  // never closed: pieces may be in use to the end of the process
  size_t file_bytes_ = 0;
  std::array<std::vector<uint8_t*>, kClasses> free_;
};

/// A file without a name.
int OpenScratchFile(const std::string& directory) {
  int fd = open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return fd;
  std::string path = directory + "/laminar-XXXXXX";  // a file system that cannot do that
  fd = mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) ThrowScratch(directory, "cannot make a scratch file", errno);
  unlink(path.c_str());
  return fd;
}

/// Gives the file blocks from `begin` to `end`.
void Allocate(int fd, size_t begin, size_t end, const std::string& directory) {
  int error;
  do {
    error = posix_fallocate(fd, static_cast<off_t>(begin), static_cast<off_t>(end - begin));
  } while (error == EINTR);
  if (error != 0) ThrowScratch(directory, "no room for state", error);
  scratch_bytes += static_cast<int64_t>(end - begin);
}

uint8_t* Map(int fd, size_t offset, size_t bytes, const std::string& directory) {
  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, static_cast<off_t>(offset));
  if (at == MAP_FAILED) ThrowScratch(directory, "cannot map a scratch file", errno);
  madvise(at, bytes, MADV_DONTDUMP);
  madvise(at, bytes, MADV_RANDOM);  // or each page that is missed would bring 31 others along
  Pager::Get().Add(static_cast<uint8_t*>(at), bytes, fd, offset);
  return static_cast<uint8_t*>(at);
}

void Scratch::AddSegment() {
  if (fd_ < 0) fd_ = OpenScratchFile(directory_);
  Allocate(fd_, file_bytes_, file_bytes_ + kSegmentBytes, directory_);
  uint8_t* segment = Map(fd_, file_bytes_, kSegmentBytes, directory_);
  file_bytes_ += kSegmentBytes;
  for (size_t offset = kSegmentBytes; offset > 0; offset -= kPieceMax) {
    free_[kClasses - 1].push_back(segment + offset - kPieceMax);
  }
}

}  // namespace

DiskMemory& DiskMemory::operator=(DiskMemory&& other) noexcept {
  if (this == &other) return *this;
  Free();
  data_ = std::exchange(other.data_, nullptr);
  capacity_ = std::exchange(other.capacity_, 0);
  fd_ = std::exchange(other.fd_, -1);
  return *this;
}

void DiskMemory::Free() {
  if (data_ == nullptr) return;
  if (fd_ >= 0) {
    Pager::Get().Remove(data_);
    munmap(data_, capacity_);
    close(fd_);
    scratch_bytes -= static_cast<int64_t>(capacity_);
  } else {
    Scratch::Get().GivePiece(data_, capacity_);
  }
  data_ = nullptr;
  capacity_ = 0;
  fd_ = -1;
}

void DiskMemory::Resize(size_t bytes) {
  if (fd_ >= 0 || bytes > kPieceMax) return ResizeFile(bytes);
  const size_t wanted = Scratch::PieceBytes(bytes);
  if (wanted == capacity_) return;
  DiskMemory moved;
  Pager::Get().NoteTouched(wanted);
  moved.data_ = Scratch::Get().TakePiece(wanted);
  moved.capacity_ = wanted;
  if (data_ != nullptr) std::memcpy(moved.data_, data_, std::min(wanted, capacity_));
  *this = std::move(moved);
}

void DiskMemory::ResizeFile(size_t bytes) {
  const size_t wanted = std::max((bytes + kFileUnit - 1) / kFileUnit, size_t{1}) * kFileUnit;
  if (wanted == capacity_) return;
  const std::string directory = Scratch::Get().directory();
  if (fd_ < 0) {
    DiskMemory file;
    const int fd = OpenScratchFile(directory);
    try {
      Allocate(fd, 0, wanted, directory);
      file.data_ = Map(fd, 0, wanted, directory);
    } catch (...) {
      close(fd);
      throw;
    }
    file.fd_ = fd;
    file.capacity_ = wanted;
    if (data_ != nullptr) std::memcpy(file.data_, data_, std::min(bytes, capacity_));
    *this = std::move(file);
    return;
  }
  if (wanted > capacity_) Allocate(fd_, capacity_, wanted, directory);
  void* moved = Pager::Get().Remap(data_, capacity_, wanted, fd_);
  if (moved == MAP_FAILED) ThrowScratch(directory, "cannot map a scratch file", errno);
  if (wanted < capacity_ && ftruncate(fd_, static_cast<off_t>(wanted)) == 0) {
    scratch_bytes -= static_cast<int64_t>(capacity_ - wanted);
  }
  data_ = static_cast<uint8_t*>(moved);
  capacity_ = wanted;
}

void SetScratchDirectory(const std::string& directory) {
  struct statfs system{};
  if (statfs(directory.c_str(), &system) != 0) ThrowScratch(directory, "cannot keep state", errno);
  if (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC) {
    throw ExternalError("state", "'" + directory +
                                     "' lies in memory (tmpfs), so state there would save none; SET "
                                     "state_directory to a directory on a disk");
  }
  close(OpenScratchFile(directory));
  Scratch::Get().SetDirectory(directory);
}

int64_t ScratchBytes() { return scratch_bytes; }
void SetResidentLimit(int64_t bytes) { Pager::Get().SetLimit(bytes); }
void NoteScratchTouched(size_t bytes) { Pager::Get().NoteTouched(bytes); }
int64_t PagedOutBytes() { return paged_out_bytes; }

}  // namespace laminar
