#pragma once

/// Where rows come from. A source runs inside a task like an operator: `Poll` does a bounded piece of work
/// and never blocks. A client library that blocks gets a thread of its own behind the source and calls
/// `SourceContext::wake`.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/operator.h"

namespace laminar {

struct SourceContext : OperatorContext {
  int64_t batch_rows_max = 8192;  ///< how many rows a batch should hold at most
};

enum class PollResult {
  kMore,     ///< did some work, call again
  kWaiting,  ///< nothing now: call after `wake` or at `next_poll_us()`
  kEnd,      ///< bounded source: all was emitted
};

class Source {
 public:
  virtual ~Source() = default;
  virtual std::vector<StateTableSpec> state_tables() const {
    return {TextTable("splits", "TEXT -> position", "split", "position")};
  }
  /// After Restore, if any. Opens nothing that can block.
  virtual void Open(const SourceContext& context) { context_ = context; }
  /// Emits at most about one batch. Announces each split by EmitSplit(kStarted) before its rows, and sets
  /// `Batch::split`.
  virtual PollResult Poll(Output& out) = 0;
  /// After kWaiting: wall-clock time to poll again even without a wake; nullopt: wait for the wake.
  virtual std::optional<int64_t> next_poll_us() const { return std::nullopt; }
  /// False while it is not yet known which splits this subtask reads (a client still connects). Once true, a
  /// subtask that waits and has announced no split counts as idle.
  virtual bool splits_known() const { return true; }
  /// Read positions of this subtask's splits, under kEverySubtask, key = split name. Restoring gives every
  /// subtask all entries; those of other subtasks' splits must not be written again. May come before the
  /// first Poll, and after kEnd.
  virtual void Snapshot(SnapshotWriter& writer) = 0;
  virtual void Restore(const SnapshotReader& reader) = 0;
  /// The checkpoint that holds the snapshot of `epoch` is complete (acknowledge, commit offsets).
  virtual void OnCheckpointComplete(uint64_t epoch) {}

 protected:
  SourceContext context_;
};

}  // namespace laminar
