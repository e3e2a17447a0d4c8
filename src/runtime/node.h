#pragma once

/// One graph node's subtask inside its task: calls the operator, source or sink, counts, and passes on what
/// it emits.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/graph.h"
#include "runtime/receiver.h"
#include "runtime/source.h"

namespace laminar {

class Router;

/// What the nodes of one task share.
struct ChainState {
  class Node* current = nullptr;  ///< whose code is running: gets the blame for a throw
  bool dirty = false;             ///< something was received since the last flush
  /// When that came to its source which is being handled now: monotonic, 0: not known. What comes out of it
  /// is counted from there, be it rows, a window that a watermark closes, or a flush (its oldest row).
  int64_t arrival_us = 0;
  int64_t oldest_arrival_us = 0;  ///< since the last flush; 0: none
  bool check_finished = false;    ///< some node has ended: look whether its producers still have a consumer
};

/// Marks a node as running for as long as it lives. After a throw the mark stays at the thrower.
class RunningNode {
 public:
  RunningNode(ChainState& chain, Node* node) : chain_(chain), caller_(chain.current) { chain.current = node; }
  void Done() { chain_.current = caller_; }

 private:
  ChainState& chain_;
  Node* caller_;
};

class Node : public Output, public Receiver {
 public:
  Node(const GraphNode& spec, int subtask, ChainState& chain);

  // Building.
  void Connect(int output, Receiver* target);
  const GraphNode& spec() const { return spec_; }
  int subtask() const { return subtask_; }
  KeyGroupRange key_groups() const { return KeyGroupRange::Of(subtask_, spec_.parallelism); }
  const OperatorMetrics& metrics() const { return metrics_; }
  OperatorMetrics& metrics() { return metrics_; }

  // Life, called by the task. `context` lacks what the node itself knows.
  virtual void Open(const SourceContext& context, const SnapshotReader* restored) = 0;
  virtual void Flush() = 0;
  virtual void Snapshot(uint64_t epoch, SnapshotWriter& writer) = 0;
  virtual void CheckpointComplete(uint64_t epoch) {}
  virtual void Close() {}
  virtual void Leave() {}
  /// A sink's, see there.
  virtual bool ready() const { return true; }
  virtual void RunTimer(int64_t now_us) = 0;
  virtual std::optional<int64_t> next_timer_us() const = 0;
  /// A batch for input `input` of a head node.
  virtual void ReceiveAt(int input, Batch batch) { Receive(std::move(batch)); }

  /// No row will be taken or sent any more.
  bool ended() const { return ended_; }
  /// All its main consumers are finished.
  bool has_no_consumer() const;
  /// Ends a node whose rows nobody wants, without a call to it; side outputs are ended properly.
  void Abandon();

  // Output.
  void Emit(Batch batch) override { EmitTo(0, std::move(batch)); }
  void EmitTo(int output, Batch batch) override;
  void EmitWatermark(int64_t watermark_us) override;
  void EmitIdle(bool idle) override;
  void EmitSplit(const SplitEvent& event) override;

  // Receiver.
  bool wants_rows() const override { return !ended_; }

 protected:
  void FillContext(OperatorContext* context);
  /// To be called when a call to the node's code has returned: acts on finish_upstream.
  void AfterCall();
  virtual void EndBySelf() { ReceiveEnd(EndKind::kData); }
  void EmitEnd(EndKind kind);

  const GraphNode& spec_;
  const int subtask_;
  ChainState& chain_;
  OperatorMetrics metrics_;
  bool ended_ = false;

 private:
  /// Debug builds: lengths, weights, and that the column types of an output never change.
  void CheckBatch(int output, const Batch& batch);

  std::vector<std::vector<Receiver*>> outputs_;
  std::vector<std::vector<std::shared_ptr<arrow::DataType>>> types_;  ///< [outputs][columns], for CheckBatch
  int64_t sent_watermark_us_ = kMinWatermark;
  bool sent_idle_ = false;
  bool wants_end_ = false;  ///< finish_upstream was called
};

class SourceNode final : public Node {
 public:
  SourceNode(const GraphNode& spec, int subtask, ChainState& chain);

  PollResult Poll();
  std::optional<int64_t> next_poll_us() const { return source_->next_poll_us(); }

  void Open(const SourceContext& context, const SnapshotReader* restored) override;
  void Flush() override {}
  void Snapshot(uint64_t epoch, SnapshotWriter& writer) override;
  void CheckpointComplete(uint64_t epoch) override;
  void RunTimer(int64_t now_us) override {}
  std::optional<int64_t> next_timer_us() const override { return std::nullopt; }

  // Split numbers are unique within a subtask; these make them unique among all subtasks of the source.
  void EmitTo(int output, Batch batch) override;
  void EmitSplit(const SplitEvent& event) override;

  // A source receives nothing but its end.
  void Receive(Batch batch) override {}
  void ReceiveWatermark(int64_t watermark_us) override {}
  void ReceiveIdle(bool idle) override {}
  void ReceiveSplit(const SplitEvent& event) override {}
  void ReceiveEnd(EndKind kind) override;

 private:
  void LeaveIdle();
  void SendHeld();

  std::unique_ptr<Source> source_;
  std::vector<SplitEvent> held_;  ///< splits that have finished, until it is known that the source has not
  bool announced_ = false;        ///< a split or a row was sent
  bool idle_by_default_ = false;
};

class OperatorNode final : public Node {
 public:
  OperatorNode(const GraphNode& spec, int subtask, ChainState& chain);

  void Open(const SourceContext& context, const SnapshotReader* restored) override;
  void Flush() override;
  void Snapshot(uint64_t epoch, SnapshotWriter& writer) override;
  void RunTimer(int64_t now_us) override;
  std::optional<int64_t> next_timer_us() const override;
  void ReceiveAt(int input, Batch batch) override;
  void Receive(Batch batch) override { ReceiveAt(0, std::move(batch)); }
  void ReceiveWatermark(int64_t watermark_us) override;
  void ReceiveIdle(bool idle) override;
  void ReceiveSplit(const SplitEvent& event) override;
  void ReceiveEnd(EndKind kind) override;

  /// Before Open, on any thread: restores an older checkpoint, where the operator can be brought up to date.
  void RestoreAhead(const SnapshotReader& older);
  /// Before Open, after RestoreAhead if there was one: null pointer: nothing has changed since then.
  void RestoreChanges(const SnapshotReader* changes);
  /// Begins anew.
  void ForgetAhead();
  bool restored_ahead() const { return restored_ahead_; }

  /// The watermark that the checkpoint was taken at; kMinWatermark without one.
  int64_t restored_watermark_us() const { return restored_watermark_us_; }

 private:
  void SnapshotWatermark(SnapshotWriter& writer);
  void RestoreWatermark(const SnapshotReader& reader);

  std::unique_ptr<Operator> operator_;
  bool stateful_ = false;
  bool restored_ahead_ = false;
  bool idle_ = false;
  int64_t watermark_us_ = kMinWatermark;
  int64_t restored_watermark_us_ = kMinWatermark;
  std::vector<std::string> stale_watermarks_;  ///< keys of subtasks that are no more: subtask 0 deletes them
};

class SinkNode final : public Node {
 public:
  SinkNode(const GraphNode& spec, int subtask, ChainState& chain);

  void Open(const SourceContext& context, const SnapshotReader* restored) override;
  void Flush() override;
  void Snapshot(uint64_t epoch, SnapshotWriter& writer) override;
  void CheckpointComplete(uint64_t epoch) override;
  void Close() override;
  void Leave() override;
  bool ready() const override { return sink_->ready(); }
  void RunTimer(int64_t now_us) override;
  std::optional<int64_t> next_timer_us() const override;
  void Receive(Batch batch) override;
  void ReceiveWatermark(int64_t watermark_us) override;
  void ReceiveIdle(bool idle) override {}
  void ReceiveSplit(const SplitEvent& event) override {}
  void ReceiveEnd(EndKind kind) override;

 private:
  std::unique_ptr<Sink> sink_;
  const Clock* clock_ = nullptr;
  int64_t watermark_us_ = kMinWatermark;
};

std::unique_ptr<Node> MakeNode(const GraphNode& spec, int subtask, ChainState& chain);

/// Written by the runtime beside the tables of each operator that has some.
inline constexpr char kWatermarkTable[] = "runtime.watermark";
inline StateTableSpec WatermarkTableSpec() {
  return {kWatermarkTable,
          1,
          "subtask TEXT -> watermark BIGINT",
          {StatePart::Text("subtask")},
          {StatePart::Plain({{"watermark", Type::Timestamp()}})}};
}

}  // namespace laminar
