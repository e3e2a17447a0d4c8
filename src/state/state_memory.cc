#include "state/state_memory.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

#include "base/error.h"

namespace laminar {

namespace {

// Bytes in ordinary memory from which on more of a use goes to disk.
std::atomic<int64_t> records_max{INT64_MAX}, index_max{INT64_MAX};
std::atomic<size_t> piece_min{kDiskBytesMin};  // smaller ones never go to disk
std::atomic<int64_t> ordinary_bytes{0};
std::atomic<int64_t> resident_limit{0};

constexpr int64_t kSmallestLimit = 16 << 20;
constexpr int64_t kRoomMin = 32 << 20;
constexpr size_t kSampledPages = 48;
constexpr size_t kPagesMin = 32;  // fewer are not worth a sample

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

int64_t ParseBytes(const std::string& text) {
  const long long value = std::strtoll(text.c_str(), nullptr, 10);
  return value > 0 ? value : INT64_MAX;  // "max"
}

/// The least limit of the control groups that the process is in, of version 1 and 2.
int64_t ControlGroupBytes() {
  int64_t least = INT64_MAX;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool unified = controllers.empty();
    if (!unified && controllers != "memory") continue;
    const std::string root = unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    const std::string file = unified ? "/memory.max" : "/memory.limit_in_bytes";
    // The groups above it bind as well. In a container the path may name groups that only the host sees.
    for (std::string path = line.substr(second + 1);; path.resize(path.rfind('/'))) {
      if (path == "/") path.clear();
      const std::string text = FirstLine(root + path + file);
      if (!text.empty()) least = std::min(least, ParseBytes(text));
      if (path.empty()) break;
    }
  }
  return least;
}

int64_t MachineBytes() {
  return static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<int64_t>(sysconf(_SC_PAGESIZE));
}

/// Large tables have a file each.
void AllowManyFiles() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void ChooseScratchDirectory(const StateMemoryOptions& options) {
  if (!options.directory.empty()) return SetScratchDirectory(options.directory);
  const char* set = std::getenv("TMPDIR");
  for (const std::string& directory : {options.preferred_directory, std::string(set == nullptr ? "" : set)}) {
    if (directory.empty()) continue;
    try {
      return SetScratchDirectory(directory);
    } catch (const ExternalError&) {  // in memory, or not to be written: nobody asked for it
    }
  }
  SetScratchDirectory("/var/tmp");
}

}  // namespace

void ConfigureStateMemory(const StateMemoryOptions& options) {
  if (options.backend == StateBackend::kMemory) {
    records_max = index_max = INT64_MAX;
    resident_limit = 0;
    SetResidentLimit(0);
    return;
  }
  ChooseScratchDirectory(options);
  AllowManyFiles();
  const int64_t available = std::min(MachineBytes(), ControlGroupBytes());
  const int64_t limit = std::min(options.limit_bytes > 0 ? options.limit_bytes : available / 2, available);
  const bool all_on_disk = limit < kSmallestLimit;
  resident_limit = limit;
  piece_min = all_on_disk ? 1 : kDiskBytesMin;
  records_max = all_on_disk ? 0 : limit / 8;
  index_max = all_on_disk ? 0 : limit / 16 * 9;
  // Some room for what comes between two looks, and for the kernel's own share.
  SetResidentLimit(limit - std::min(std::max(limit / 8, kRoomMin), limit / 4));
}

bool StateGoesToDisk(StateUse use, size_t bytes, size_t replaced) {
  if (bytes < piece_min.load(std::memory_order_relaxed)) return false;
  const int64_t max = (use == StateUse::kIndex ? index_max : records_max).load(std::memory_order_relaxed);
  return max != INT64_MAX &&
         ordinary_bytes.load(std::memory_order_relaxed) + static_cast<int64_t>(bytes - replaced) > max;
}

void CountOrdinaryStateBytes(int64_t difference) {
  ordinary_bytes.fetch_add(difference, std::memory_order_relaxed);
}

StateMemoryUsage GetStateMemoryUsage() {
  return {resident_limit, ordinary_bytes, ScratchBytes(), PagedOutBytes()};
}

MemoryBlock::MemoryBlock(size_t bytes) : bytes_(bytes) {
  if (StateGoesToDisk(StateUse::kRecords, bytes)) {
    disk_.Resize(bytes);
    data_ = disk_.data();
    return;
  }
  data_ = static_cast<uint8_t*>(std::malloc(bytes));
  LAMINAR_CHECK(data_ != nullptr, "out of memory");
  if (bytes >= kDiskBytesMin) CountOrdinaryStateBytes(static_cast<int64_t>(bytes));
}

MemoryBlock& MemoryBlock::operator=(MemoryBlock&& other) noexcept {
  if (this == &other) return *this;
  Free();
  data_ = std::exchange(other.data_, nullptr);
  bytes_ = std::exchange(other.bytes_, 0);
  disk_ = std::move(other.disk_);
  return *this;
}

void MemoryBlock::Free() {
  if (!on_disk()) {
    if (data_ != nullptr && bytes_ >= kDiskBytesMin) CountOrdinaryStateBytes(-static_cast<int64_t>(bytes_));
    std::free(data_);
  }
  disk_.Free();
  data_ = nullptr;
  bytes_ = 0;
}

void ReadAhead(const void* address, size_t bytes) {
  NoteScratchTouched(bytes);
  constexpr size_t kStep = 128 << 10;  // the kernel cuts longer wishes
  const auto begin = reinterpret_cast<uintptr_t>(address) & ~uintptr_t{4095};
  const auto end = reinterpret_cast<uintptr_t>(address) + bytes;
  for (uintptr_t at = begin; at < end; at += kStep) {
    madvise(reinterpret_cast<void*>(at), std::min(kStep, end - at), MADV_WILLNEED);
  }
}

uintptr_t* PageReader::Buffer() {
  thread_local const auto buffer = std::make_unique_for_overwrite<uintptr_t[]>(kPagesMax);
  return buffer.get();
}

void PageReader::Read() {
  const size_t count = std::exchange(count_, 0);
  if (count < kPagesMin) return;
  NoteScratchTouched(count << kPageBits);
  const auto address = [&](size_t i) { return reinterpret_cast<void*>(pages_[i] << kPageBits); };
  constexpr size_t kPageBytes = size_t{1} << kPageBits;
  size_t sampled = 0, missing = 0;
  for (size_t i = 0; i < count; i += std::max<size_t>(1, count / kSampledPages), ++sampled) {
    unsigned char state = 1;
    mincore(address(i), kPageBytes, &state);
    missing += (state & 1) == 0;
  }
  if (missing * 32 <= sampled) return;
  std::sort(pages_, pages_ + count);
  for (size_t i = 0; i < count;) {
    size_t end = i + 1;
    while (end < count && pages_[end] <= pages_[end - 1] + 1) ++end;
    madvise(address(i), (pages_[end - 1] - pages_[i] + 1) << kPageBits, MADV_WILLNEED);
    i = end;
  }
}

}  // namespace laminar
