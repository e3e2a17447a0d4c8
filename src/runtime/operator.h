#pragma once

/// What an operator is, and what the runtime does for it.
///
/// An operator turns batches into batches. It runs inside a task: one thread at a time, so nothing in it
/// needs a lock. It never sleeps, waits or does I/O; it knows nothing of back-pressure, channels, barrier
/// alignment or other subtasks. The runtime guarantees:
///   - `Restore` (if at all), then `Open`, before anything else;
///   - one watermark per operator: the minimum over its inputs, idle ones left out; strictly rising;
///   - `OnFlush` when the inputs have run dry, at least each `updating_flush_interval` while they have not,
///   before each
///     `Snapshot`, and at end;
///   - `Snapshot` between two calls, after every input's barrier has arrived;
///   - at end of all inputs: `OnWatermark(kMaxWatermark)`, then `OnFlush`, then `OnEnd`, once.
/// A throw of QueryError, UserError or ExternalError ends the job with that error and the operator's name.

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "state/snapshot.h"
#include "types/batch.h"

namespace laminar {

inline constexpr int64_t kMinWatermark = std::numeric_limits<int64_t>::min();  ///< "none yet"
inline constexpr int64_t kMaxWatermark = std::numeric_limits<int64_t>::max();  ///< "no more rows"

/// Told in band by sources about their splits, up to the watermark generator (which consumes it).
struct SplitEvent {
  enum class Kind {
    kStarted,   ///< rows of it may follow; holds the watermark back until it has sent one
    kFinished,  ///< no more rows: counts as +∞
    kIdle,      ///< known to have nothing now (end offset reached): left out until its next row
  };
  int32_t split;
  Kind kind;
  std::string name;  ///< kStarted: for metrics and errors, e.g. a path
};

/// Where an operator sends what it makes. Order is kept.
class Output {
 public:
  virtual ~Output() = default;
  virtual void Emit(Batch batch) = 0;
  /// Promises that no row with row time below `watermark_us` follows. Falling or equal values are ignored.
  virtual void EmitWatermark(int64_t watermark_us) = 0;
  /// Leaves this output out of (idle) or takes it back into (not idle) the minimum downstream.
  virtual void EmitIdle(bool idle) = 0;
  virtual void EmitSplit(const SplitEvent& event) = 0;
  /// Rows to output `output` (GraphEdge::output); 0 is what Emit uses. An output that no edge leaves drops
  /// them.
  virtual void EmitTo(int output, Batch batch) {
    if (output == 0) Emit(std::move(batch));
  }
};

struct OperatorContext {
  /// The same for all runs of a job on the same state; empty when the job keeps none.
  std::string job_id;
  std::string operator_id;
  int subtask = 0;
  int parallelism = 1;
  KeyGroupRange key_groups;
  const Clock* clock = nullptr;        ///< never null
  OperatorMetrics* metrics = nullptr;  ///< never null
  /// Call it (also in Open) when no more input is needed, as LIMIT does: after the current call the operator
  /// is ended, and so is what is upstream and feeds nothing else. Only from within a call of the runtime.
  /// Empty in unit tests.
  std::function<void()> finish_upstream;
  /// Thread-safe: makes the task look again (a source after kWaiting, a sink that was not ready). Empty in
  /// unit tests of operators.
  std::function<void()> wake;
};

class Operator {
 public:
  virtual ~Operator() = default;

  /// The tables that Snapshot writes. Fixed for the life of the operator.
  virtual std::vector<StateTableSpec> state_tables() const { return {}; }
  virtual void Open(const OperatorContext& context) { context_ = context; }
  /// `batch` is never empty. `input` is 0 unless the operator has several inputs.
  virtual void OnBatch(int input, Batch batch, Output& out) = 0;
  virtual void OnWatermark(int64_t watermark_us, Output& out) { out.EmitWatermark(watermark_us); }
  /// Emit what was held back to be netted.
  virtual void OnFlush(Output& out) {}
  /// Called when the clock has reached `next_timer_us()`.
  virtual void OnTimer(int64_t now_us, Output& out) {}
  /// Wall-clock time of the next OnTimer; nullopt for none. Asked after each call.
  virtual std::optional<int64_t> next_timer_us() const { return std::nullopt; }
  virtual void OnSplit(const SplitEvent& event, Output& out) { out.EmitSplit(event); }
  virtual void OnIdle(bool idle, Output& out) { out.EmitIdle(idle); }
  virtual void OnEnd(Output& out) {}
  /// Writes what changed since the last call; containers of state/ may go on writing after it (the pause in
  /// docs/checkpoints.md): mark a record dirty before you change it.
  virtual void Snapshot(SnapshotWriter& writer) {}
  virtual void Restore(const SnapshotReader& reader) {}
  /// Whether RestoreChanges may follow Restore, so that an older state can be restored ahead of time.
  virtual bool RestoresChanges() const { return false; }
  /// After Restore of an older checkpoint of the same run, before Open: what was put and deleted since then.
  virtual void RestoreChanges(const SnapshotReader& changes) {}

 protected:
  OperatorContext context_;
};

}  // namespace laminar
