#pragma once

/// Where the snapshots of a running job go. The executor only knows `SnapshotCollector`; what makes them
/// durable implements it.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "state/snapshot.h"

namespace laminar {

/// Takes the subtasks' deltas of an epoch. Called from worker threads: thread-safe.
class SnapshotCollector {
 public:
  virtual ~SnapshotCollector() = default;
  /// One subtask's delta for `epoch`, written by one thread and closed by being destroyed.
  virtual std::unique_ptr<SnapshotWriter> Writer(uint64_t epoch, const std::string& operator_id,
                                                 int subtask) = 0;
  /// All subtasks of all operators have written theirs. From here on deltas of later epochs may come.
  virtual void AllWritten(uint64_t epoch) = 0;
};

/// operator id → what its subtasks' deltas add up to.
using JobSnapshot = std::map<std::string, MemorySnapshot>;

/// Keeps the newest complete snapshot in memory. The deltas of an epoch are added only when it is complete,
/// so that an executor that is thrown away half-way through one leaves the last complete one untouched.
class MemoryCollector final : public SnapshotCollector {
 public:
  MemoryCollector() = default;
  /// Goes on from `restored`, which a new executor was started from.
  explicit MemoryCollector(JobSnapshot restored) : complete_(std::move(restored)) {}

  std::unique_ptr<SnapshotWriter> Writer(uint64_t epoch, const std::string& operator_id,
                                         int subtask) override;
  void AllWritten(uint64_t epoch) override;

  /// The newest complete snapshot. A copy.
  JobSnapshot complete() const;
  uint64_t epoch() const;

  struct Delta;

 private:
  mutable std::mutex mutex_;
  JobSnapshot complete_;                        // guarded by mutex_
  uint64_t epoch_ = 0;                          // guarded by mutex_
  std::vector<std::shared_ptr<Delta>> deltas_;  // guarded by mutex_; each filled by one writer
};

/// State for one operator's subtask; a null pointer when there is none.
using RestoreFunction =
    std::function<std::unique_ptr<SnapshotReader>(const std::string& operator_id, KeyGroupRange)>;

/// Restores from memory. The snapshot is shared by the readers.
RestoreFunction RestoreFrom(JobSnapshot snapshot);

}  // namespace laminar
