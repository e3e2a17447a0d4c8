#pragma once

/// When a run's checkpoints begin, are written, are tried again, and what follows: the decisions, without
/// threads and without waiting. JobRun calls it from its checkpoint threads, the simulator from its own loop.

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "state/checkpoint_writer.h"

namespace laminar {

/// A checkpoint that could not be written. What it was to hold goes into the next one.
struct CheckpointFailure {
  uint64_t epoch = 0;
  CheckpointKind kind = CheckpointKind::kScheduled;
  int64_t started_ms = 0, failed_ms = 0;  ///< wall clock
  std::string message;
};

class CheckpointDriver {
 public:
  /// The executor, as seen from here; called by the thread that calls Step.
  struct Job {
    /// False: it takes none just now. `hold`: nothing happens behind the barrier, as `leave` follows.
    std::function<bool(uint64_t epoch, bool hold)> trigger;
    std::function<int64_t()> pause_us;             ///< of the last snapshot
    std::function<void(uint64_t epoch)> complete;  ///< the epoch is durable
    std::function<void()> finish;                  ///< so is the last one: the job may end
    std::function<void()> leave;                   ///< likewise, of one with `hold`
    std::function<void()> give_up;                 ///< `failure` says why
    /// Numbers of which some change whenever anything happens.
    std::function<std::vector<int64_t>()> activity;
  };
  struct Options {
    int64_t interval_us = 10'000'000;
    /// After each checkpoint; by the thread that calls Step.
    std::function<void(const CheckpointReport&)> on_checkpoint;
    /// It will be tried again; by the thread that calls Step.
    std::function<void(const CheckpointFailure&)> on_failed;
    /// A merge failed and will be tried again; by the thread that calls Merge.
    std::function<void(const std::string& message)> on_warning;
    /// Step or Merge may have something to do now. From any thread; must not call back.
    std::function<void()> wake;
  };

  CheckpointDriver(CheckpointWriter& writer, const Clock* clock, Job job, Options options);

  // What happened and what is asked for; from any thread.

  /// All subtasks have handed over their changes.
  void OnSnapshots(uint64_t epoch);
  /// All tasks have ended: one more checkpoint, then `finish`.
  void OnAllEnded();
  /// Asks for a checkpoint as soon as none is in flight.
  void Request(CheckpointKind kind);
  /// The job was asked to stop: its last checkpoint says so.
  void NoteStop();
  /// Asks for a last checkpoint now, behind which nothing happens.
  void Leave();
  void SetInterval(int64_t interval_us);
  /// From now on no file of the state is made of older ones: a successor reads the newest changes alone.
  void HoldMerges();

  // What is next.

  /// Writes what was handed over, or begins a checkpoint that is due. Returns when (monotonic) to call it
  /// again, unless `wake` comes first; INT64_MAX: on `wake` only.
  int64_t Step();
  /// Merges state files where that may be due; by any one thread, beside Step. False: nothing to do.
  bool Merge();
  /// Why the job counts as failed although its tasks did not.
  std::optional<std::string> failure() const;

 private:
  bool IsDue() const;
  bool NothingHappened();
  void Trigger();
  void WriteEpoch(uint64_t epoch);
  void OnWriteFailed(const ExternalError& error, uint64_t epoch);

  CheckpointWriter& writer_;
  const Clock* const clock_;
  const Job job_;
  const Options options_;
  // Of the checkpoint in flight; only the thread that calls Step.
  CheckpointKind kind_ = CheckpointKind::kScheduled;
  bool is_last_ = false;
  bool hold_ = false;
  int64_t started_ms_ = 0;
  std::vector<int64_t> activity_;  // when a scheduled one was due last
  int left_out_ = 0;               // scheduled ones in a row

  mutable std::mutex mutex_;
  // All below guarded by mutex_.
  int64_t interval_us_;
  int64_t next_due_us_;
  bool in_flight_ = false;
  std::optional<uint64_t> handed_over_;
  std::optional<CheckpointKind> requested_;
  bool stopping_ = false;
  bool leaving_ = false;
  bool ended_ = false;
  bool finished_ = false;  // the last checkpoint is complete
  bool merge_due_ = false;
  bool hold_merges_ = false;
  int failures_ = 0;  // since the last one that was written
  std::optional<std::string> failure_;
};

}  // namespace laminar
