#pragma once

/// Runs a job graph in this process (docs/runtime.md): on worker threads (Start, Wait), or step by step on
/// the caller's thread in an order drawn from a seed (Step, RunUntilIdle), for tests and the simulator.

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "runtime/channel.h"
#include "runtime/checkpoint.h"
#include "runtime/graph.h"
#include "runtime/task.h"

namespace laminar {

struct ExecutorOptions {
  const Clock* clock = nullptr;  ///< null: the machine's
  int worker_threads = 0;        ///< 0: as many as there are cores
  /// Set: no threads; tasks run inside RunUntilIdle and Step, in an order drawn from this.
  std::optional<uint64_t> seed;
  TaskSettings task;  ///< `messages_per_step` 1 is the most interleaved
  ChannelLimits channel;
  /// Takes the snapshots; must outlive the executor. Null: TriggerCheckpoint is refused.
  SnapshotCollector* collector = nullptr;
  /// Starts operators, sources and sinks from this state; see RestoreFrom.
  RestoreFunction restore;
  std::string job_id;  ///< see OperatorContext
  /// Once all tasks have ended, waits for Finish() before sinks are closed: the last act can be a checkpoint.
  bool hold_at_end = false;
  /// All subtasks have written their snapshots of the epoch. On a worker thread; may call CompleteCheckpoint
  /// and Finish. The next checkpoint can be triggered once it has returned.
  std::function<void(uint64_t epoch)> on_checkpoint;
  /// All tasks have ended (with `hold_at_end`: now waiting for Finish). On a worker thread; may call Finish
  /// or TriggerCheckpoint.
  std::function<void()> on_all_ended;
};

enum class StopMode {
  kGraceful,   ///< sources read no more; all in flight is processed and flushed; open windows stay open
  kDrain,      ///< the same, but as if the data had ended: windows fire
  kImmediate,  ///< nothing more is run
};

struct JobFailure {
  std::string operator_id;
  std::string operator_name;
  int subtask = 0;
  std::string message;       ///< the exception's text, without the operator
  std::exception_ptr cause;  ///< UserError, QueryError, ExternalError …
};

struct JobResult {
  enum class Outcome {
    kFinished,   ///< the data ended, or every sink had enough
    kStopped,    ///< after a graceful stop or drain
    kCancelled,  ///< after an immediate stop
    kFailed,
  };
  Outcome outcome = Outcome::kFinished;
  std::optional<JobFailure> failure;  ///< kFailed
};

/// One subtask of one node, for metrics and liveness. Pointers live as long as the executor.
struct SubtaskStatus {
  int node_id;
  const GraphNode* node;
  int subtask;
  int task;  ///< subtasks with one number are chained together
  const OperatorMetrics* metrics;
  bool ended;  ///< its task will send no more rows
  // What waits in the channels before the task; 0 for chained nodes and sources.
  int64_t queue_bytes;
  int64_t queue_bytes_max;
  int64_t queue_messages;
};

class Executor final : private TaskListener {
 public:
  Executor(JobGraph graph, ExecutorOptions options);
  /// Cancels what still runs and waits for the worker threads.
  ~Executor() override;
  Executor(const Executor&) = delete;

  // Before anything runs.
  /// Restores an older checkpoint into the operators that can be brought up to date (RestoresChanges), on
  /// `threads` threads. Throws what the readers throw; then as if it had not been called.
  void RestoreAhead(const RestoreFunction& older, int threads);
  /// Instead of what the options say. `changes` are those since the checkpoint of RestoreAhead; empty: not
  /// known, all is restored from `restore`.
  void UseState(SnapshotCollector* collector, RestoreFunction restore, RestoreFunction changes,
                std::string job_id);

  // On threads.
  void Start();
  /// Blocks until the job is over.
  JobResult Wait();
  JobResult Run() {
    Start();
    return Wait();
  }

  // On the caller's thread (`options.seed`). The clock may be advanced between calls.
  /// One step of one task; false when nothing can run before the clock moves or a source is woken.
  bool Step();
  /// Runs and flushes until nothing moves any more: everything that follows from what the sources have given
  /// and the clock says has come out. A source that always has more must be stopped by `steps_max`. Returns
  /// the number of steps.
  int64_t RunUntilIdle(int64_t steps_max = std::numeric_limits<int64_t>::max());
  /// Flushes each task that has something to flush; false when there was none. RunUntilIdle does it.
  bool FlushAll();
  /// When the next timer is due, on the monotonic clock.
  std::optional<int64_t> next_timer_mono_us();

  // From any thread, in any phase.
  void Stop(StopMode mode);
  /// Starts checkpoint `epoch` (rising). False when it cannot: one is in flight, the job is closing or over,
  /// or there is no collector. `hold`: nothing is read, sent or fired behind the barrier: Leave follows, or
  /// another checkpoint with `hold` when this one failed.
  bool TriggerCheckpoint(uint64_t epoch, bool hold = false);
  /// The snapshot of `epoch` is durable: sources and sinks may commit.
  void CompleteCheckpoint(uint64_t epoch);
  /// After CompleteCheckpoint of one with `hold`: the job is over, as it stood at the barrier (kStopped).
  void Leave();
  /// Ends the wait of `hold_at_end`, also beforehand.
  void Finish();
  /// The longest that a task stood still for the snapshot of the last complete epoch.
  int64_t snapshot_pause_us() const;
  bool done() const;
  /// All tasks have ended.
  bool all_ended() const;
  /// Set once done.
  std::optional<JobResult> result() const;
  std::vector<SubtaskStatus> Status() const;
  const JobGraph& graph() const { return graph_; }

 private:
  void OnTaskEnded(Task* task) override;
  void OnTaskClosed(Task* task) override;
  void OnSnapshotWritten(Task* task, uint64_t epoch, int64_t pause_us) override;
  void OnTaskFailed(Task* task) override;

  void BuildTasks();
  std::vector<OperatorNode*> Operators() const;
  void ConnectEdge(const GraphEdge& edge, bool chained);
  Task& TaskOf(int node, int subtask);
  Node& NodeOf(int node, int subtask);
  void PostToAll(TaskCommand command);
  /// Closes the tasks when all have ended, no checkpoint is in flight and nobody holds. With mutex_ held.
  void CloseIfDue();
  void SetDone(JobResult result);

  const JobGraph graph_;
  ExecutorOptions options_;
  SystemClock system_clock_;
  std::unique_ptr<ThreadScheduler> threads_;
  std::unique_ptr<StepScheduler> steps_;
  TaskEnvironment environment_;
  std::vector<int> first_task_;               ///< [nodes]: the task of subtask 0; the others follow
  std::vector<std::vector<Node*>> subtasks_;  ///< [nodes][parallelism]
  std::vector<std::unique_ptr<Task>> tasks_;

  mutable std::mutex mutex_;
  std::condition_variable done_changed_;
  // All below guarded by mutex_.
  bool started_ = false;
  std::optional<StopMode> stop_;
  bool finish_asked_ = false;
  bool closing_ = false;
  int ended_tasks_ = 0;
  int closed_tasks_ = 0;
  std::vector<bool> task_ended_;
  std::optional<uint64_t> epoch_in_flight_;
  int snapshots_written_ = 0;
  int64_t pause_us_ = 0;  ///< the longest of the last epoch's
  std::optional<JobResult> result_;
};

}  // namespace laminar
