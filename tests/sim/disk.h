#pragma once

/// A disk that fails and forgets (docs/simulator.md): real files below one directory, with the seed deciding
/// what goes wrong.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <random>
#include <string>

#include "base/error.h"
#include "base/file_faults.h"

namespace laminar::sim {

/// The process has died: whatever is thrown by it is not the engine's to handle.
class Crash : public ExternalError {
 public:
  Crash() : ExternalError("simulator", "crashed") {}
};

struct DiskRates {
  double fail = 0;   ///< per operation: it fails with an error
  double crash = 0;  ///< per operation: the process dies before, within or after it
};

class Disk final : public FileFaults {
 public:
  Disk(std::string root, std::mt19937_64& random) : root_(std::move(root)), random_(random) {}

  void set_rates(DiskRates rates) { rates_ = rates; }
  /// Told of every operation.
  void set_trace(std::function<void(const std::string&)> trace) { trace_ = std::move(trace); }
  bool crashed() const { return crashed_; }
  /// From now on every operation throws Crash.
  void CrashNow() { crashed_ = true; }
  /// What a power cut leaves: forgets some of what was not synced. Then the disk works again.
  void ForgetAndRevive();

  void BeforeCreate(const std::string& path) override;
  int64_t BeforeWrite(const std::string& path, int64_t bytes) override;
  void AfterTornWrite(const std::string& path) override;
  void BeforeTruncate(const std::string& path, int64_t bytes) override;
  void BeforeSync(const std::string& path) override;
  void BeforeRename(const std::string& from, const std::string& to) override;
  void BeforeRemove(const std::string& path) override;
  void BeforeSyncDirectory(const std::string& path) override;
  void BeforeRead(const std::string& path) override;

 private:
  /// A change of a directory that is not durable yet.
  struct Entry {
    enum class Kind { kCreated, kRenamed, kRemoved } kind;
    std::string path;  ///< the new name; kRemoved: the old one
    std::string old;   ///< kRenamed: the name before; kRemoved: where the content is kept
  };

  bool Chance(double probability);
  void Trace(const std::string& what, const std::string& path) const;
  void MaybeFail(const std::string& what, const std::string& path);
  void CheckAlive() const;
  bool IsOurs(const std::string& path) const { return path.compare(0, root_.size(), root_) == 0; }

  const std::string root_;
  std::mt19937_64& random_;
  DiskRates rates_;
  std::function<void(const std::string&)> trace_;
  bool crashed_ = false;
  bool tear_is_crash_ = false;
  std::map<std::string, int64_t> durable_bytes_;            ///< of files with unsynced bytes
  std::map<std::string, std::deque<Entry>> dirty_entries_;  ///< by directory, oldest first
  int64_t kept_count_ = 0;
};

}  // namespace laminar::sim
