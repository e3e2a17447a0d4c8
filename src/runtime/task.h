#pragma once

/// A task: one head subtask (a source, or an operator or sink behind a gate) and the nodes chained to it, run
/// a step at a time (docs/runtime.md "Tasks"). Only Post and Notify may be called from other threads.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "runtime/checkpoint.h"
#include "runtime/gate.h"
#include "runtime/node.h"
#include "runtime/router.h"
#include "runtime/scheduler.h"
#include "runtime/watermark_merge.h"
#include "state/frozen_table.h"

namespace laminar {

class Task;

struct TaskSettings {
  int64_t flush_interval_us = 200'000;  ///< while the inputs do not run dry
  int64_t flush_gap_us = 10'000;        ///< between two flushes because the inputs ran dry
  int64_t batch_rows_max = 8192;
  int messages_per_step = 64;    ///< messages or polls in one Step
  int64_t step_time_us = 5'000;  ///< a Step ends after the message in which this has passed
  /// Of a snapshot, written in one Step beside its messages: a millisecond's work or two.
  int64_t snapshot_slice_bytes = 1 << 20;
};

/// What tasks report to their executor. Called on worker threads, outside of locks.
class TaskListener {
 public:
  virtual ~TaskListener() = default;
  /// No row will come out of the task any more. It stays, for barriers.
  virtual void OnTaskEnded(Task* task) = 0;
  virtual void OnTaskClosed(Task* task) = 0;
  /// `pause_us`: how long the task did nothing else for it at the barrier, without the flush.
  virtual void OnSnapshotWritten(Task* task, uint64_t epoch, int64_t pause_us) = 0;
  virtual void OnTaskFailed(Task* task) = 0;  ///< within a catch block
};

struct TaskEnvironment {
  TaskSettings settings;
  const Clock* clock = nullptr;
  Scheduler* scheduler = nullptr;
  TaskListener* listener = nullptr;
  SnapshotCollector* collector = nullptr;  ///< null: no checkpoints
  RestoreFunction restore;                 ///< empty: start from nothing
  RestoreFunction restore_changes;         ///< since what was restored ahead
  std::string job_id;                      ///< see OperatorContext
  std::atomic<bool> cancelled{false};      ///< no task does anything any more
  std::atomic<uint64_t> hold_epoch{0};  ///< a task that has taken this snapshot does no more than take others
};

struct TaskCommand {
  enum class Kind { kBarrier, kCheckpointComplete, kStop, kClose, kLeave };
  Kind kind;
  uint64_t epoch = 0;
  EndKind end = EndKind::kStop;  ///< kStop
};

class Task final : public Runnable {
 public:
  /// `home`: see Runnable.
  Task(TaskEnvironment* environment, int home);

  // Building. The head comes first, producers before their consumers.
  Node* AddNode(const GraphNode& spec, int subtask);
  void AddRouter(std::unique_ptr<Router> router) { routers_.push_back(std::move(router)); }
  Gate& gate() { return gate_; }
  /// To be called when all nodes, routers and channels are there.
  void FinishBuilding();

  ChainState& chain() { return chain_; }
  bool is_source() const { return source_ != nullptr; }
  const std::vector<std::unique_ptr<Node>>& nodes() const { return nodes_; }
  const Gate& gate() const { return gate_; }

  /// Any thread.
  void Post(TaskCommand command);
  /// Something was received since the last flush. Single-threaded runs only.
  bool dirty() const { return chain_.dirty && !ended_; }
  /// Flushes now, whatever the clock says. Single-threaded runs only.
  void FlushNow();
  /// The node that threw.
  const Node* blamed() const { return chain_.current != nullptr ? chain_.current : nodes_.front().get(); }

 private:
  enum class Progress { kMore, kDry, kBlocked };
  /// A snapshot that is not whole yet.
  struct OpenSnapshot {
    uint64_t epoch;
    int64_t pause_us;
    std::vector<std::unique_ptr<SlicedSnapshot>> parts;  ///< by node
  };

  StepResult Step() override;
  StepResult StepUnguarded();
  void Open();
  void RunCommands();
  void Stop(EndKind kind);
  void Close(bool leave);
  Progress HandleInputs();
  Progress PollSource();
  Progress TakeMessage();
  void Handle(Message message, int channel);
  void HandleEnd(EndKind kind, int channel);
  void ForwardWatermark();
  void TakeSnapshot(uint64_t epoch);
  void ContinueSnapshot();
  void RunTimers();
  void Flush();
  void FlushIfDue(bool dry);
  void PropagateFinished();
  void NoteEnded();
  bool outputs_full() const;
  StepResult Parked(Progress progress);

  TaskEnvironment* const environment_;
  ChainState chain_;
  // Nodes are destroyed first: a source's own thread may still call `wake`, and ends with the source.
  Gate gate_;
  std::vector<std::unique_ptr<Router>> routers_;
  std::vector<std::unique_ptr<Node>> nodes_;
  SourceNode* source_ = nullptr;    ///< the head, if it is one
  std::vector<const Node*> sinks_;  ///< those of nodes_
  std::optional<WatermarkMerge> merge_;
  EndKind end_kind_ = EndKind::kData;
  bool opened_ = false;
  bool ended_ = false;
  bool closed_ = false;
  bool held_ = false;        ///< behind the snapshot of hold_epoch
  bool polled_dry_ = false;  ///< the last poll said kWaiting
  std::optional<OpenSnapshot> snapshot_;
  std::optional<int64_t> next_poll_us_;
  int64_t last_flush_us_ = kMinWatermark;   // monotonic
  int64_t dirty_since_us_ = kMinWatermark;  // monotonic; kMinWatermark: not dirty

  std::atomic<bool> has_commands_{false};
  std::mutex commands_mutex_;
  std::vector<TaskCommand> commands_;  // guarded by commands_mutex_
};

}  // namespace laminar
