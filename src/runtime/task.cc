#include "runtime/task.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace laminar {

Task::Task(TaskEnvironment* environment, int home)
    : Runnable(environment->scheduler, home), environment_(environment) {}

Node* Task::AddNode(const GraphNode& spec, int subtask) {
  nodes_.push_back(MakeNode(spec, subtask, chain_));
  return nodes_.back().get();
}

void Task::FinishBuilding() {
  source_ = dynamic_cast<SourceNode*>(nodes_.front().get());
  for (const auto& node : nodes_) {
    if (node->spec().make_sink) sinks_.push_back(node.get());
  }
  if (source_ == nullptr) {
    LAMINAR_CHECK(gate_.num_channels() > 0, "no input: " + nodes_.front()->spec().name);
    merge_.emplace(gate_.num_channels());
  }
}

void Task::Post(TaskCommand command) {
  {
    std::lock_guard lock(commands_mutex_);
    commands_.push_back(command);
    has_commands_.store(true, std::memory_order_release);
  }
  Notify();
}

StepResult Task::Step() {
  if (environment_->cancelled.load(std::memory_order_acquire)) return {};
  const int64_t start_us = environment_->clock->monotonic_us();
  StepResult result;
  try {
    result = StepUnguarded();
  } catch (...) {
    environment_->listener->OnTaskFailed(this);
    return {};
  }
  const int64_t busy_us = environment_->clock->monotonic_us() - start_us;
  for (const auto& node : nodes_) node->metrics().busy_us.Add(busy_us);
  return result;
}

StepResult Task::StepUnguarded() {
  if (!opened_) Open();
  if (has_commands_.load(std::memory_order_acquire)) RunCommands();
  if (snapshot_) ContinueSnapshot();
  PropagateFinished();
  if (outputs_full()) return Parked(Progress::kBlocked);
  if (!held_) RunTimers();
  const Progress progress = HandleInputs();
  if (progress != Progress::kBlocked) {
    FlushIfDue(progress == Progress::kDry);
    PropagateFinished();
  }
  return Parked(progress);
}

void Task::Open() {
  opened_ = true;
  SourceContext context;
  context.job_id = environment_->job_id;
  context.clock = environment_->clock;
  context.batch_rows_max = environment_->settings.batch_rows_max;
  context.wake = [this] { Notify(); };
  // Consumers first: a node may emit as soon as it is open.
  for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
    const GraphNode& spec = (*node)->spec();
    std::unique_ptr<SnapshotReader> restored;
    if (environment_->restore) restored = environment_->restore(spec.operator_id, (*node)->key_groups());
    if (auto* ahead = dynamic_cast<OperatorNode*>(node->get()); ahead && ahead->restored_ahead())
      ahead->RestoreChanges(environment_->restore_changes(spec.operator_id, (*node)->key_groups()).get());
    (*node)->Open(context, restored.get());
  }
  for (const auto& node : nodes_) {
    const auto* as_operator = dynamic_cast<const OperatorNode*>(node.get());
    if (as_operator == nullptr || as_operator->restored_watermark_us() == kMinWatermark) continue;
    if (node == nodes_.front()) merge_->Restore(as_operator->restored_watermark_us());
    node->ReceiveWatermark(as_operator->restored_watermark_us());
  }
}

void Task::RunCommands() {
  std::vector<TaskCommand> commands;
  {
    std::lock_guard lock(commands_mutex_);
    commands.swap(commands_);
    has_commands_.store(false, std::memory_order_release);
  }
  for (const TaskCommand& command : commands) {
    switch (command.kind) {
      case TaskCommand::Kind::kBarrier:
        TakeSnapshot(command.epoch);
        break;
      case TaskCommand::Kind::kCheckpointComplete:
        for (const auto& node : nodes_) node->CheckpointComplete(command.epoch);
        break;
      case TaskCommand::Kind::kStop:
        Stop(command.end);
        break;
      case TaskCommand::Kind::kClose:
        Close(/*leave=*/false);
        break;
      case TaskCommand::Kind::kLeave:
        Close(/*leave=*/true);
        break;
    }
  }
}

void Task::Stop(EndKind kind) {
  LAMINAR_CHECK(is_source(), "stop of a task that is no source");
  source_->ReceiveEnd(kind);
}

void Task::Close(bool leave) {
  if (closed_) return;
  closed_ = true;
  for (const auto& node : nodes_) leave ? node->Leave() : node->Close();
  environment_->listener->OnTaskClosed(this);
}

Task::Progress Task::HandleInputs() {
  const TaskSettings& settings = environment_->settings;
  const int64_t start_us = environment_->clock->monotonic_us();
  for (int handled = 0; handled < settings.messages_per_step; ++handled) {
    const Progress progress = is_source() ? PollSource() : TakeMessage();
    if (progress != Progress::kMore) return progress;
    PropagateFinished();
    if (outputs_full()) return Progress::kBlocked;
    // After the flush that is due while data keeps coming; Commands are looked at between steps.
    FlushIfDue(false);
    if (environment_->clock->monotonic_us() - start_us >= settings.step_time_us) break;
    if (has_commands_.load(std::memory_order_relaxed) ||
        environment_->cancelled.load(std::memory_order_relaxed))
      break;
  }
  return Progress::kMore;
}

Task::Progress Task::PollSource() {
  next_poll_us_.reset();
  if (source_->ended() || held_) return Progress::kDry;
  chain_.arrival_us = environment_->clock->monotonic_us();
  switch (source_->Poll()) {
    case PollResult::kMore:
      return Progress::kMore;
    case PollResult::kWaiting:
      next_poll_us_ = source_->next_poll_us();
      return Progress::kDry;
    case PollResult::kEnd:
      source_->ReceiveEnd(EndKind::kData);
      return Progress::kMore;
  }
  return Progress::kDry;
}

Task::Progress Task::TakeMessage() {
  Message message;
  int channel;
  if (!gate_.Pop(&message, &channel)) return Progress::kDry;
  Handle(std::move(message), channel);
  return Progress::kMore;
}

void Task::Handle(Message message, int channel) {
  Node& head = *nodes_.front();
  chain_.arrival_us = message.arrival_us;
  switch (message.kind) {
    case Message::Kind::kBatch:
      head.ReceiveAt(gate_.input_of(channel), std::move(message.batch));
      return;
    case Message::Kind::kWatermark:
      merge_->Advance(channel, message.value);
      return ForwardWatermark();
    case Message::Kind::kIdle:
      merge_->SetIdle(channel, message.value != 0);
      return ForwardWatermark();
    case Message::Kind::kSplit:
      head.ReceiveSplit(*message.split);
      return;
    case Message::Kind::kBarrier:
      if (gate_.OnBarrier(channel)) TakeSnapshot(static_cast<uint64_t>(message.value));
      return;
    case Message::Kind::kEnd:
      return HandleEnd(message.end, channel);
  }
}

void Task::HandleEnd(EndKind kind, int channel) {
  if (kind == EndKind::kStop) end_kind_ = EndKind::kStop;
  if (gate_.OnEnd(channel)) {
    nodes_.front()->ReceiveEnd(end_kind_);
  } else if (kind == EndKind::kData) {
    merge_->End(channel);
    ForwardWatermark();
  }
}

void Task::ForwardWatermark() {
  Node& head = *nodes_.front();
  // The end brings kMaxWatermark.
  if (merge_->watermark_us() != kMaxWatermark) head.ReceiveWatermark(merge_->watermark_us());
  head.ReceiveIdle(merge_->idle());
}

void Task::TakeSnapshot(uint64_t epoch) {
  LAMINAR_CHECK(!snapshot_, "a barrier before the snapshot of the last one was whole");
  Flush();
  const int64_t start_us = environment_->clock->monotonic_us();
  snapshot_ = {epoch, 0, {}};
  for (const auto& node : nodes_) {
    snapshot_->parts.push_back(std::make_unique<SlicedSnapshot>(
        environment_->collector->Writer(epoch, node->spec().operator_id, node->subtask())));
    node->Snapshot(epoch, *snapshot_->parts.back());
  }
  for (const auto& router : routers_) router->SendBarrier(epoch);
  held_ = held_ || environment_->hold_epoch.load(std::memory_order_acquire) == epoch;
  snapshot_->pause_us = environment_->clock->monotonic_us() - start_us;
}

void Task::ContinueSnapshot() {
  int64_t bytes = environment_->settings.snapshot_slice_bytes;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    RunningNode running(chain_, nodes_[i].get());
    const bool whole = snapshot_->parts[i]->WriteSlice(&bytes);
    running.Done();
    if (!whole) return;
  }
  const uint64_t epoch = snapshot_->epoch;
  const int64_t pause_us = snapshot_->pause_us;
  snapshot_.reset();  // closes the writers
  environment_->listener->OnSnapshotWritten(this, epoch, pause_us);
}

void Task::RunTimers() {
  if (ended_) return;
  const int64_t now_us = environment_->clock->now_us();
  for (const auto& node : nodes_) {
    const auto timer_us = node->next_timer_us();
    if (!timer_us || *timer_us > now_us) continue;
    chain_.arrival_us = environment_->clock->monotonic_us();
    node->RunTimer(now_us);
  }
}

void Task::Flush() {
  chain_.arrival_us = chain_.oldest_arrival_us;
  for (const auto& node : nodes_) node->Flush();
  chain_.dirty = false;
  chain_.oldest_arrival_us = 0;
  dirty_since_us_ = kMinWatermark;
  last_flush_us_ = environment_->clock->monotonic_us();
}

void Task::FlushNow() {
  try {
    Flush();
    PropagateFinished();
  } catch (...) {
    environment_->listener->OnTaskFailed(this);
  }
}

void Task::FlushIfDue(bool dry) {
  if (!chain_.dirty || ended_) return;
  if (chain_.oldest_arrival_us == 0) chain_.oldest_arrival_us = chain_.arrival_us;
  const int64_t now_us = environment_->clock->monotonic_us();
  if (dirty_since_us_ == kMinWatermark) dirty_since_us_ = now_us;
  const TaskSettings& settings = environment_->settings;
  const bool gap_passed = last_flush_us_ == kMinWatermark || now_us - last_flush_us_ >= settings.flush_gap_us;
  if (dry ? gap_passed : now_us - dirty_since_us_ >= settings.flush_interval_us) Flush();
}

void Task::PropagateFinished() {
  // A router's consumers may have gone without this task's doing: their threads told by Notify alone.
  bool look = chain_.check_finished;
  for (const auto& router : routers_) look = look || !router->wants_rows();
  if (!look || ended_) return;
  chain_.check_finished = false;
  for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
    if (!(*node)->ended() && (*node)->has_no_consumer()) (*node)->Abandon();
  }
  NoteEnded();
}

void Task::NoteEnded() {
  if (ended_ || !nodes_.front()->ended()) return;
  ended_ = true;
  if (!is_source()) gate_.Cancel();
  environment_->listener->OnTaskEnded(this);
}

bool Task::outputs_full() const {
  // What comes in after the end is dropped or passed on (barriers), and must be.
  if (ended_) return false;
  return std::any_of(routers_.begin(), routers_.end(), [](const auto& router) { return router->full(); }) ||
         std::any_of(sinks_.begin(), sinks_.end(), [](const Node* sink) { return !sink->ready(); });
}

StepResult Task::Parked(Progress progress) {
  if (progress == Progress::kMore || snapshot_) return {.more = true, .wake_mono_us = {}};
  if (progress == Progress::kBlocked || ended_ || held_) return {};
  const int64_t now_us = environment_->clock->now_us();
  const int64_t mono_us = environment_->clock->monotonic_us();
  std::optional<int64_t> wake;
  const auto at = [&](int64_t mono) { wake = std::min(wake.value_or(kMaxWatermark), mono); };
  // Wall-clock times, as distances from now.
  for (const auto& node : nodes_) {
    if (const auto timer_us = node->next_timer_us()) at(mono_us + std::max<int64_t>(0, *timer_us - now_us));
  }
  if (next_poll_us_) at(mono_us + std::max<int64_t>(0, *next_poll_us_ - now_us));
  if (chain_.dirty) at(last_flush_us_ + environment_->settings.flush_gap_us);
  return {.more = false, .wake_mono_us = wake};
}

}  // namespace laminar
