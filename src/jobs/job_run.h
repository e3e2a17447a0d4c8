#pragma once

/// One run of a job, with state that lasts or without (docs/checkpoints.md).

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/executor.h"
#include "state/checkpoint_writer.h"
#include "state/state_memory.h"

namespace laminar {

/// Which checkpoint a run starts from.
struct RestoreChoice {
  enum class Kind { kLatest, kNone, kEpoch };
  Kind kind = Kind::kLatest;
  uint64_t epoch = 0;  ///< kEpoch
  /// `latest`, `none` or a number; nullopt for anything else.
  static std::optional<RestoreChoice> Parse(const std::string& text);
};

struct StateOptions {
  std::shared_ptr<ObjectStore> objects;
  RestoreChoice restore;
  bool allow_drop = false;  ///< state of operators that the plan no longer has is let go
  CheckpointWriter::Options checkpoints;
  int64_t interval_us = 10'000'000;
};

/// Where a job's state comes from and goes to: opened before it runs, by one thread. Throws ExternalError
/// when the state is in use, damaged, or does not fit the graph; then nothing was changed.
class JobState {
 public:
  /// Chooses the checkpoint, compares it with `graph`, takes the state over from whoever had it.
  JobState(const JobGraph& graph, const StateOptions& options, const Clock* clock);

  /// For the executor.
  RestoreFunction restore() const;
  /// Likewise, what changed since `older`; empty where that is not known any more.
  RestoreFunction ChangesSince(const Checkpoint& older) const;
  const std::string& job_id() const { return base_->manifest.job; }
  CheckpointWriter& writer() { return *writer_; }
  /// The checkpoint that the run starts from; nullopt: from nothing.
  std::optional<uint64_t> restored_epoch() const { return restored_epoch_; }
  /// Damaged manifests that were passed over; outputs that stay when the run goes back.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  Manifest TakeOver(const JobGraph& graph, const StateOptions& options, const Clock* clock);

  std::shared_ptr<CheckpointStore> store_;
  std::shared_ptr<const Checkpoint> base_;
  std::unique_ptr<CheckpointWriter> writer_;
  std::optional<uint64_t> restored_epoch_;
  std::string restored_run_;  // the run that wrote that one
  std::vector<std::string> warnings_;
};

/// Hands the subtasks' deltas to a CheckpointWriter.
class DurableCollector final : public SnapshotCollector {
 public:
  explicit DurableCollector(CheckpointWriter& writer) : writer_(writer) {}
  std::unique_ptr<SnapshotWriter> Writer(uint64_t epoch, const std::string& operator_id,
                                         int subtask) override;
  void AllWritten(uint64_t epoch) override { writer_.CloseEpoch(); }

 private:
  CheckpointWriter& writer_;
};

struct CheckpointFailure;  // jobs/checkpoint_driver.h
class CheckpointDriver;

struct JobRunOptions {
  StateMemoryOptions memory;
  ExecutorOptions executor;  ///< its collector, restore, hold_at_end and callbacks are the run's
  std::optional<StateOptions> state;
  /// After each checkpoint; on the checkpoint thread.
  std::function<void(const CheckpointReport&)> on_checkpoint;
  /// It will be tried again. On the checkpoint thread.
  std::function<void(const CheckpointFailure&)> on_failed_checkpoint;
  /// A merge failed and will be tried again. On the merge thread.
  std::function<void(const std::string& message)> on_warning;
};

/// Numbers of which some change whenever anything happens in the job.
std::vector<int64_t> ActivityOf(const Executor& executor);

/// On threads. Start and Wait from one thread; the rest from any.
class JobRun {
 public:
  /// Opens nothing yet.
  JobRun(JobGraph graph, JobRunOptions options);
  ~JobRun();

  /// While another run still has the state: reads the newest checkpoint into the operators that can be
  /// brought up to date later. Where that fails, Open reads all.
  void RestoreAhead();
  /// Throws as JobState does.
  void Open();
  /// The epoch that RestoreAhead has read, where Open could read the changes since then alone.
  std::optional<uint64_t> restored_ahead() const;
  void Start();
  JobResult Wait();
  /// With state, what is kept at the end is all that was processed; kImmediate: the last checkpoint.
  void Stop(StopMode mode);
  /// Ends the run behind a checkpoint that is taken at once; without state as kGraceful.
  void StopAtCheckpoint();
  /// Asks for a checkpoint now (after the one in flight). False without state.
  bool RequestCheckpoint(CheckpointKind kind);
  void SetInterval(int64_t interval_us);
  /// See CheckpointDriver.
  void HoldMerges();
  Executor& executor() { return *executor_; }
  const JobState* state() const { return state_.get(); }

 private:
  class CheckpointThreads;

  CheckpointDriver& driver();

  SystemClock system_clock_;
  JobRunOptions options_;
  std::shared_ptr<const Checkpoint> ahead_;  // what RestoreAhead has read
  std::unique_ptr<JobState> state_;
  std::unique_ptr<DurableCollector> collector_;
  std::unique_ptr<CheckpointThreads> checkpoints_;
  std::unique_ptr<Executor> executor_;
};

/// The operators of the graph with the tables they declare.
std::vector<ManifestOperator> DeclaredState(const JobGraph& graph);
/// What of `manifest` has no place among `declared`: one line per difference, naming operator and table.
struct StateMismatch {
  std::vector<std::string> missing;    ///< operators that the plan has not: may be dropped
  std::vector<std::string> different;  ///< tables of another version or layout
};
StateMismatch CompareState(const Manifest& manifest, const std::vector<ManifestOperator>& declared);

}  // namespace laminar
