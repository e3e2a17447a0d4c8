#include "sim/disk.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace laminar::sim {

namespace fs = std::filesystem;

namespace {

std::string DirectoryOf(const std::string& path) { return fs::path(path).parent_path().string(); }

}  // namespace

bool Disk::Chance(double probability) {
  return probability > 0 && std::uniform_real_distribution<double>(0, 1)(random_) < probability;
}

void Disk::CheckAlive() const {
  if (crashed_) throw Crash();
}

void Disk::Trace(const std::string& what, const std::string& path) const {
  if (trace_ && IsOurs(path)) trace_(what + " " + path.substr(root_.size()));
}

void Disk::MaybeFail(const std::string& what, const std::string& path) {
  CheckAlive();
  if (!IsOurs(path)) return;
  Trace(what, path);
  if (Chance(rates_.crash)) {
    crashed_ = true;
    throw Crash();
  }
  if (Chance(rates_.fail)) {
    throw ExternalError("file", "cannot " + what + " '" + path + "': simulated failure",
                        ExternalError::Retry::kBackoff);
  }
}

void Disk::BeforeCreate(const std::string& path) {
  MaybeFail("create", path);
  if (!IsOurs(path)) return;
  // Emptying one that is there is a change of its content that counts as durable: nothing relies on it.
  if (!fs::exists(path)) dirty_entries_[DirectoryOf(path)].push_back({Entry::Kind::kCreated, path, ""});
  durable_bytes_[path] = 0;
}

int64_t Disk::BeforeWrite(const std::string& path, int64_t bytes) {
  CheckAlive();
  if (!IsOurs(path) || bytes == 0) return bytes;
  if (!durable_bytes_.count(path)) durable_bytes_[path] = static_cast<int64_t>(fs::file_size(path));
  Trace("write", path);
  tear_is_crash_ = Chance(rates_.crash);
  if (!tear_is_crash_ && !Chance(rates_.fail)) return bytes;
  const auto torn = static_cast<int64_t>(random_() % static_cast<uint64_t>(bytes));
  return torn;
}

void Disk::AfterTornWrite(const std::string& path) {
  if (tear_is_crash_) {
    crashed_ = true;
    throw Crash();
  }
  throw ExternalError("file", "cannot write '" + path + "': simulated full disk",
                      ExternalError::Retry::kBackoff);
}

void Disk::BeforeTruncate(const std::string& path, int64_t bytes) {
  MaybeFail("truncate", path);
  const auto found = durable_bytes_.find(path);
  if (found != durable_bytes_.end()) found->second = std::min(found->second, bytes);
}

void Disk::BeforeSync(const std::string& path) {
  MaybeFail("sync", path);
  durable_bytes_.erase(path);
}

void Disk::BeforeRename(const std::string& from, const std::string& to) {
  MaybeFail("rename", from);
  if (!IsOurs(from)) return;
  const auto unsynced = durable_bytes_.find(from);
  if (unsynced != durable_bytes_.end()) {
    durable_bytes_[to] = unsynced->second;
    durable_bytes_.erase(unsynced);
  }
  dirty_entries_[DirectoryOf(to)].push_back({Entry::Kind::kRenamed, to, from});
}

void Disk::BeforeRemove(const std::string& path) {
  MaybeFail("remove", path);
  if (!IsOurs(path) || !fs::is_regular_file(path)) return;
  const std::string kept = root_ + "/.forgotten/" + std::to_string(kept_count_++);
  fs::create_directories(DirectoryOf(kept));
  fs::create_hard_link(path, kept);
  durable_bytes_.erase(path);
  dirty_entries_[DirectoryOf(path)].push_back({Entry::Kind::kRemoved, path, kept});
}

void Disk::BeforeSyncDirectory(const std::string& path) {
  MaybeFail("sync directory", path);
  dirty_entries_.erase(path);
}

void Disk::BeforeRead(const std::string& path) { MaybeFail("read", path); }

void Disk::ForgetAndRevive() {
  // Bytes first: a file is cut under the name it has now.
  for (const auto& [path, durable] : durable_bytes_) {
    std::error_code gone;
    const auto bytes = static_cast<int64_t>(fs::file_size(path, gone));
    if (gone || bytes <= durable) continue;
    fs::resize_file(
        path, static_cast<uintmax_t>(
                  durable + static_cast<int64_t>(random_() % static_cast<uint64_t>(bytes - durable + 1))));
  }
  durable_bytes_.clear();
  for (auto& [directory, entries] : dirty_entries_) {
    size_t kept = random_() % (entries.size() + 1);
    for (; entries.size() > kept; entries.pop_back()) {
      const Entry& entry = entries.back();
      Trace("forget the change of", entry.path);
      std::error_code ignored;  // an older change of the same name may have been undone
      switch (entry.kind) {
        case Entry::Kind::kCreated:
          fs::remove(entry.path, ignored);
          break;
        case Entry::Kind::kRenamed:
          if (!fs::exists(entry.old)) fs::rename(entry.path, entry.old, ignored);
          break;
        case Entry::Kind::kRemoved:
          if (!fs::exists(entry.path)) fs::rename(entry.old, entry.path, ignored);
          break;
      }
    }
  }
  dirty_entries_.clear();
  fs::remove_all(root_ + "/.forgotten");
  crashed_ = false;
}

}  // namespace laminar::sim
