#include "runtime/node.h"

#include <arrow/array.h>
#include <arrow/type.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "runtime/channel.h"

namespace laminar {

namespace {

/// Of encoded records their bytes, of rows what they take in memory.
int64_t RecordBytes(const Batch& batch) {
  if (batch.columns.empty() || batch.columns[0]->type_id() != arrow::Type::BINARY)
    return EstimateBytes(batch);
  return static_cast<const arrow::BinaryArray&>(*batch.columns[0]).total_values_length();
}

}  // namespace

Node::Node(const GraphNode& spec, int subtask, ChainState& chain)
    : spec_(spec), subtask_(subtask), chain_(chain) {
  metrics_.watermark_us.Set(kMinWatermark);
}

void Node::Connect(int output, Receiver* target) {
  if (outputs_.size() <= static_cast<size_t>(output)) outputs_.resize(static_cast<size_t>(output) + 1);
  outputs_[static_cast<size_t>(output)].push_back(target);
}

void Node::FillContext(OperatorContext* context) {
  context->operator_id = spec_.operator_id;
  context->subtask = subtask_;
  context->parallelism = spec_.parallelism;
  context->key_groups = key_groups();
  context->metrics = &metrics_;
  context->finish_upstream = [this] { wants_end_ = true; };
}

void Node::AfterCall() {
  if (wants_end_ && !ended_) [[unlikely]] {
    EndBySelf();
  }
}

bool Node::has_no_consumer() const {
  if (outputs_.empty() || outputs_[0].empty()) return false;
  return std::none_of(outputs_[0].begin(), outputs_[0].end(),
                      [](const Receiver* r) { return r->wants_rows(); });
}

void Node::Abandon() {
  if (ended_) return;
  EmitEnd(EndKind::kData);
}

void Node::EmitTo(int output, Batch batch) {
  if (batch.num_rows == 0 || ended_) return;
#ifndef NDEBUG
  CheckBatch(output, batch);
#endif
  if (output == 0) metrics_.rows_out.Add(batch.num_rows);
  if (static_cast<size_t>(output) >= outputs_.size() || outputs_[static_cast<size_t>(output)].empty()) return;
  const auto& targets = outputs_[static_cast<size_t>(output)];
  for (size_t i = 0; i + 1 < targets.size(); ++i) targets[i]->Receive(batch);
  targets.back()->Receive(std::move(batch));
}

void Node::CheckBatch(int output, const Batch& batch) {
  const std::string where =
      spec_.operator_id + " (" + spec_.name + "), output " + std::to_string(output) + ", column ";
  if (types_.size() <= static_cast<size_t>(output)) types_.resize(static_cast<size_t>(output) + 1);
  auto& types = types_[static_cast<size_t>(output)];
  const bool first = types.empty();
  if (!first) LAMINAR_CHECK(types.size() == batch.columns.size(), "number of columns changed: " + where);
  for (size_t i = 0; i < batch.columns.size(); ++i) {
    LAMINAR_CHECK(batch.columns[i] != nullptr, "no column: " + where + std::to_string(i));
    LAMINAR_CHECK(batch.columns[i]->length() == batch.num_rows,
                  "column length: " + where + std::to_string(i));
    if (first) types.push_back(batch.columns[i]->type());
    LAMINAR_CHECK(types[i]->Equals(*batch.columns[i]->type()),
                  "type changed from " + types[i]->ToString() + " to " +
                      batch.columns[i]->type()->ToString() + ": " + where + std::to_string(i));
  }
  if (!batch.weights) return;
  LAMINAR_CHECK(batch.weights->length() == batch.num_rows && batch.weights->null_count() == 0,
                "weights: " + where);
  for (int64_t row = 0; row < batch.num_rows; ++row)
    LAMINAR_CHECK(batch.weight(row) != 0, "weight 0: " + where);
}

void Node::EmitWatermark(int64_t watermark_us) {
  // The maximum comes with the end: rows may still follow from OnFlush and OnEnd.
  if (watermark_us <= sent_watermark_us_ || watermark_us == kMaxWatermark || ended_) return;
  sent_watermark_us_ = watermark_us;
  metrics_.watermark_us.Set(watermark_us);
  for (const auto& targets : outputs_) {
    for (Receiver* target : targets) target->ReceiveWatermark(watermark_us);
  }
}

void Node::EmitIdle(bool idle) {
  if (idle == sent_idle_ || ended_) return;
  sent_idle_ = idle;
  for (const auto& targets : outputs_) {
    for (Receiver* target : targets) target->ReceiveIdle(idle);
  }
}

void Node::EmitSplit(const SplitEvent& event) {
  if (ended_) return;
  for (const auto& targets : outputs_) {
    for (Receiver* target : targets) target->ReceiveSplit(event);
  }
}

void Node::EmitEnd(EndKind kind) {
  ended_ = true;
  chain_.check_finished = true;
  for (const auto& targets : outputs_) {
    for (Receiver* target : targets) target->ReceiveEnd(kind);
  }
}

// Sources.

SourceNode::SourceNode(const GraphNode& spec, int subtask, ChainState& chain)
    : Node(spec, subtask, chain), source_(spec.make_source()) {}

void SourceNode::Open(const SourceContext& context, const SnapshotReader* restored) {
  RunningNode running(chain_, this);
  if (restored != nullptr) source_->Restore(*restored);
  SourceContext own = context;
  FillContext(&own);
  source_->Open(own);
  running.Done();
  AfterCall();
}

PollResult SourceNode::Poll() {
  RunningNode running(chain_, this);
  const PollResult result = source_->Poll(*this);
  // The end says all that the last finished splits would say, and more: without a gap in which the source
  // looks idle and its consumers run ahead of the rows that come with the end.
  if (result == PollResult::kEnd) held_.clear();
  if (result == PollResult::kWaiting) SendHeld();
  running.Done();
  if (result == PollResult::kWaiting && !announced_ && !idle_by_default_ && source_->splits_known()) {
    idle_by_default_ = true;
    EmitIdle(true);
  }
  return result;
}

void SourceNode::LeaveIdle() {
  announced_ = true;
  if (!idle_by_default_) return;
  idle_by_default_ = false;
  EmitIdle(false);
}

void SourceNode::EmitTo(int output, Batch batch) {
  if (batch.num_rows == 0) return;
  if (!announced_) LeaveIdle();
  SendHeld();
  chain_.dirty = true;
  if (batch.split >= 0) batch.split = batch.split * spec_.parallelism + subtask_;
  Node::EmitTo(output, std::move(batch));
}

void SourceNode::EmitSplit(const SplitEvent& event) {
  if (!announced_) LeaveIdle();
  SplitEvent unique = event;
  unique.split = event.split * spec_.parallelism + subtask_;
  if (event.kind == SplitEvent::Kind::kStarted) metrics_.splits.Add(1);
  if (event.kind == SplitEvent::Kind::kFinished) {
    metrics_.splits.Add(-1);
    held_.push_back(std::move(unique));
    return;
  }
  SendHeld();
  Node::EmitSplit(unique);
}

void SourceNode::SendHeld() {
  for (const SplitEvent& event : held_) Node::EmitSplit(event);
  held_.clear();
}

void SourceNode::ReceiveEnd(EndKind kind) {
  if (!ended_) EmitEnd(kind);
}

void SourceNode::Snapshot(uint64_t epoch, SnapshotWriter& writer) {
  RunningNode running(chain_, this);
  source_->Snapshot(writer);
  running.Done();
}

void SourceNode::CheckpointComplete(uint64_t epoch) {
  RunningNode running(chain_, this);
  source_->OnCheckpointComplete(epoch);
  running.Done();
}

// Operators.

OperatorNode::OperatorNode(const GraphNode& spec, int subtask, ChainState& chain)
    : Node(spec, subtask, chain),
      operator_(spec.make_operator()),
      stateful_(!operator_->state_tables().empty()) {}

void OperatorNode::Open(const SourceContext& context, const SnapshotReader* restored) {
  RunningNode running(chain_, this);
  if (restored != nullptr) {
    if (!restored_ahead_) operator_->Restore(*restored);
    if (stateful_) RestoreWatermark(*restored);
  }
  OperatorContext own = context;
  FillContext(&own);
  operator_->Open(own);
  running.Done();
  AfterCall();
}

void OperatorNode::RestoreAhead(const SnapshotReader& older) {
  if (!operator_->RestoresChanges()) return;
  operator_->Restore(older);
  restored_ahead_ = true;
}

void OperatorNode::RestoreChanges(const SnapshotReader* changes) {
  RunningNode running(chain_, this);
  if (changes != nullptr) operator_->RestoreChanges(*changes);
  running.Done();
}

void OperatorNode::ForgetAhead() {
  operator_ = spec_.make_operator();
  restored_ahead_ = false;
}

void OperatorNode::ReceiveAt(int input, Batch batch) {
  if (ended_) return;
  metrics_.rows_in.Add(batch.num_rows);
  chain_.dirty = true;
  RunningNode running(chain_, this);
  operator_->OnBatch(input, std::move(batch), *this);
  running.Done();
  AfterCall();
}

void OperatorNode::ReceiveWatermark(int64_t watermark_us) {
  if (ended_ || watermark_us <= watermark_us_) return;
  watermark_us_ = watermark_us;
  metrics_.watermark_us.Set(watermark_us);
  chain_.dirty = true;
  RunningNode running(chain_, this);
  operator_->OnWatermark(watermark_us, *this);
  running.Done();
  AfterCall();
}

void OperatorNode::ReceiveIdle(bool idle) {
  if (ended_ || idle == idle_) return;
  idle_ = idle;
  RunningNode running(chain_, this);
  operator_->OnIdle(idle, *this);
  running.Done();
}

void OperatorNode::ReceiveSplit(const SplitEvent& event) {
  if (ended_) return;
  RunningNode running(chain_, this);
  operator_->OnSplit(event, *this);
  running.Done();
}

void OperatorNode::ReceiveEnd(EndKind kind) {
  if (ended_) return;
  RunningNode running(chain_, this);
  if (kind == EndKind::kData) {
    watermark_us_ = kMaxWatermark;
    operator_->OnWatermark(kMaxWatermark, *this);
  }
  operator_->OnFlush(*this);
  if (kind == EndKind::kData) operator_->OnEnd(*this);
  running.Done();
  EmitEnd(kind);
}

void OperatorNode::Flush() {
  if (ended_) return;
  RunningNode running(chain_, this);
  operator_->OnFlush(*this);
  running.Done();
  AfterCall();
}

void OperatorNode::RunTimer(int64_t now_us) {
  if (ended_) return;
  chain_.dirty = true;
  RunningNode running(chain_, this);
  metrics_.timers.Add(1);
  operator_->OnTimer(now_us, *this);
  running.Done();
  AfterCall();
}

std::optional<int64_t> OperatorNode::next_timer_us() const {
  return ended_ ? std::nullopt : operator_->next_timer_us();
}

void OperatorNode::Snapshot(uint64_t epoch, SnapshotWriter& writer) {
  RunningNode running(chain_, this);
  operator_->Snapshot(writer);
  if (stateful_) SnapshotWatermark(writer);
  running.Done();
}

void OperatorNode::SnapshotWatermark(SnapshotWriter& writer) {
  StateWriter& table = writer.Table(kWatermarkTable);
  for (const std::string& key : stale_watermarks_) table.Delete(kEverySubtask, key);
  stale_watermarks_.clear();
  // Also when there is none yet: after a restore no subtask may stand ahead of that.
  char value[sizeof(watermark_us_)];
  std::memcpy(value, &watermark_us_, sizeof(value));
  table.Put(kEverySubtask, std::to_string(subtask_), {value, sizeof(value)});
}

void OperatorNode::RestoreWatermark(const SnapshotReader& reader) {
  // The subtasks of a keyed operator all stood at the same watermark: each has the same channels' messages
  // behind it at a barrier. Where they differed (forward edges), the lowest is the one that no row falls
  // behind wrongly.
  std::optional<int64_t> lowest;
  reader.ForEach(kWatermarkTable, [&](const StateEntry& entry) {
    int64_t watermark_us;
    LAMINAR_CHECK(entry.value.size() == sizeof(watermark_us), "watermark of " + spec_.operator_id);
    std::memcpy(&watermark_us, entry.value.data(), sizeof(watermark_us));
    lowest = std::min(lowest.value_or(kMaxWatermark), watermark_us);
    int subtask = 0;
    std::from_chars(entry.key.data(), entry.key.data() + entry.key.size(), subtask);
    if (subtask_ == 0 && subtask >= spec_.parallelism) stale_watermarks_.emplace_back(entry.key);
  });
  // A snapshot that was taken after the end says nothing about rows that a continued source may bring.
  if (lowest && *lowest != kMaxWatermark) restored_watermark_us_ = *lowest;
}

// Sinks.

SinkNode::SinkNode(const GraphNode& spec, int subtask, ChainState& chain)
    : Node(spec, subtask, chain), sink_(spec.make_sink()) {}

void SinkNode::Open(const SourceContext& context, const SnapshotReader* restored) {
  RunningNode running(chain_, this);
  if (restored != nullptr) sink_->Restore(*restored);
  clock_ = context.clock;
  OperatorContext own = context;
  FillContext(&own);
  sink_->Open(own);
  running.Done();
  AfterCall();
}

void SinkNode::Receive(Batch batch) {
  if (ended_) return;
  metrics_.rows_in.Add(batch.num_rows);
  metrics_.bytes_out.Add(RecordBytes(batch));
  if (chain_.arrival_us > 0) metrics_.latency.Add(clock_->monotonic_us() - chain_.arrival_us, batch.num_rows);
  chain_.dirty = true;
  RunningNode running(chain_, this);
  sink_->Write(batch);
  running.Done();
  AfterCall();
}

void SinkNode::ReceiveWatermark(int64_t watermark_us) {
  if (ended_ || watermark_us <= watermark_us_) return;
  watermark_us_ = watermark_us;
  metrics_.watermark_us.Set(watermark_us);
  RunningNode running(chain_, this);
  sink_->OnWatermark(watermark_us);
  running.Done();
}

void SinkNode::ReceiveEnd(EndKind kind) {
  if (ended_) return;
  RunningNode running(chain_, this);
  if (kind == EndKind::kData) sink_->OnWatermark(kMaxWatermark);
  sink_->Flush();
  sink_->OnEnd();
  running.Done();
  EmitEnd(kind);
}

void SinkNode::Flush() {
  if (ended_) return;
  RunningNode running(chain_, this);
  sink_->Flush();
  running.Done();
  AfterCall();
}

void SinkNode::Snapshot(uint64_t epoch, SnapshotWriter& writer) {
  RunningNode running(chain_, this);
  sink_->Snapshot(epoch, writer);
  running.Done();
}

void SinkNode::CheckpointComplete(uint64_t epoch) {
  RunningNode running(chain_, this);
  sink_->OnCheckpointComplete(epoch);
  running.Done();
}

void SinkNode::Close() {
  RunningNode running(chain_, this);
  sink_->Close();
  running.Done();
}

void SinkNode::Leave() {
  RunningNode running(chain_, this);
  sink_->Leave();
  running.Done();
}

void SinkNode::RunTimer(int64_t now_us) {
  RunningNode running(chain_, this);
  metrics_.timers.Add(1);
  sink_->OnTimer(now_us);
  running.Done();
}

std::optional<int64_t> SinkNode::next_timer_us() const { return sink_->next_timer_us(); }

std::unique_ptr<Node> MakeNode(const GraphNode& spec, int subtask, ChainState& chain) {
  if (spec.make_source) return std::make_unique<SourceNode>(spec, subtask, chain);
  if (spec.make_operator) return std::make_unique<OperatorNode>(spec, subtask, chain);
  LAMINAR_CHECK(spec.make_sink != nullptr, "node without a factory: " + spec.name);
  return std::make_unique<SinkNode>(spec, subtask, chain);
}

}  // namespace laminar
