#include "jobs/memory_room.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>

namespace laminar {

namespace {

/// The number after `name` in lines of "name 123"; nullopt without such a line.
std::optional<int64_t> NumberOf(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    int64_t value;
    if (word == name && file >> value) return value;
  }
  return std::nullopt;
}

std::optional<int64_t> NumberIn(const std::string& path) {
  std::ifstream file(path);
  int64_t value;
  return file >> value ? std::optional(value) : std::nullopt;  // "max": no limit
}

/// What the control group (version 2) leaves: page cache that nobody used lately counts as free.
std::optional<int64_t> FreeInGroup() {
  std::ifstream groups("/proc/self/cgroup");
  std::string line;
  if (!std::getline(groups, line) || line.rfind("0::", 0) != 0) return std::nullopt;
  const std::string folder = "/sys/fs/cgroup" + line.substr(3);
  const auto limit = NumberIn(folder + "/memory.max");
  const auto used = NumberIn(folder + "/memory.current");
  if (!limit || !used) return std::nullopt;
  return *limit - *used + NumberOf(folder + "/memory.stat", "inactive_file").value_or(0);
}

}  // namespace

int64_t FreeMemoryBytes() {
  const int64_t machine = NumberOf("/proc/meminfo", "MemAvailable:").value_or(0) * 1024;
  return std::max<int64_t>(0, std::min(machine, FreeInGroup().value_or(machine)));
}

int64_t ResidentBytes(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  int64_t size, resident;
  return file >> size >> resident ? resident * sysconf(_SC_PAGESIZE) : 0;
}

}  // namespace laminar
