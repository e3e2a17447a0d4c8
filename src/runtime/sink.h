#pragma once

/// Where rows go. Two-phase: what was written since the last barrier is prepared at `Snapshot` and made
/// visible at `OnCheckpointComplete`; a sink without that says so in its connector's guarantee. Runs inside a
/// task; writes to local files and standard output may block briefly, anything else has a thread behind it.

#include <cstdint>
#include <memory>

#include "runtime/operator.h"

namespace laminar {

class Sink {
 public:
  virtual ~Sink() = default;
  virtual std::vector<StateTableSpec> state_tables() const { return {}; }
  virtual void Open(const OperatorContext& context) { context_ = context; }
  virtual void Write(const Batch& batch) = 0;
  /// False: no new work is to be given to the task, for what was written is still on its way (to an object
  /// store, by a thread behind the sink). `context_.wake` is to be called when that has changed. The bound is
  /// soft: what one call of a producer emits still comes.
  virtual bool ready() const { return true; }
  virtual void OnWatermark(int64_t watermark_us) {}
  virtual void OnTimer(int64_t now_us) {}
  virtual std::optional<int64_t> next_timer_us() const { return std::nullopt; }
  /// Pushes out what is buffered: the inputs have run dry.
  virtual void Flush() {}
  virtual void Snapshot(uint64_t epoch, SnapshotWriter& writer) {}
  virtual void Restore(const SnapshotReader& reader) {}
  virtual void OnCheckpointComplete(uint64_t epoch) {}
  /// Names of all that the checkpoint of `reader` has of single outputs. Who goes back to an older checkpoint
  /// is told which it did not have yet: they stay, and their rows come again. None: the sink takes its output
  /// back, or it has no names.
  virtual std::vector<std::string> OutputsIn(const SnapshotReader& reader) const { return {}; }
  /// No row will come in this run. A checkpoint may follow: what is to be seen after it must be part of it.
  virtual void OnEnd() {}
  /// The run ends behind a checkpoint and goes on from it another time: waits until what was committed is in
  /// place, and finishes nothing.
  virtual void Leave() {}
  /// All rows were written and, for a run without checkpoints, must now become visible.
  virtual void Close() {}

 protected:
  OperatorContext context_;
};

}  // namespace laminar
