#include "runtime/executor.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "base/error.h"
#include "runtime/task_layout.h"

namespace laminar {

namespace {

std::string MessageOf(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& exception) {
    return exception.what();
  } catch (...) {
    return "unknown error";
  }
}

}  // namespace

Executor::Executor(JobGraph graph, ExecutorOptions options)
    : graph_(std::move(graph)), options_(std::move(options)) {
  if (options_.clock == nullptr) options_.clock = &system_clock_;
  if (options_.seed) {
    steps_ = std::make_unique<StepScheduler>(options_.clock, *options_.seed);
    environment_.scheduler = steps_.get();
  } else {
    const auto cores = static_cast<int>(std::thread::hardware_concurrency());
    threads_ = std::make_unique<ThreadScheduler>(
        options_.clock, options_.worker_threads > 0 ? options_.worker_threads : cores);
    environment_.scheduler = threads_.get();
  }
  environment_.settings = options_.task;
  environment_.clock = options_.clock;
  environment_.listener = this;
  environment_.collector = options_.collector;
  environment_.restore = options_.restore;
  environment_.job_id = options_.job_id;
  BuildTasks();
  task_ended_.assign(tasks_.size(), false);
  // On threads nothing runs before Start.
  for (const auto& task : tasks_) task->Notify();
}

Executor::~Executor() {
  Stop(StopMode::kImmediate);
  if (threads_) threads_->Shutdown();
}

void Executor::BuildTasks() {
  const TaskLayout layout = LayOut(graph_);
  first_task_.resize(graph_.nodes.size());
  subtasks_.resize(graph_.nodes.size());
  for (const TaskGroup& group : layout.groups) {
    for (int node : group.nodes) first_task_[static_cast<size_t>(node)] = static_cast<int>(tasks_.size());
    for (int subtask = 0; subtask < group.parallelism; ++subtask) {
      auto task = std::make_unique<Task>(&environment_, subtask);
      for (int node : group.nodes) {
        const auto index = static_cast<size_t>(node);
        subtasks_[index].push_back(task->AddNode(graph_.nodes[index], subtask));
      }
      tasks_.push_back(std::move(task));
    }
  }
  for (size_t i = 0; i < graph_.edges.size(); ++i) ConnectEdge(graph_.edges[i], layout.chained[i]);
  for (const auto& task : tasks_) task->FinishBuilding();
}

Task& Executor::TaskOf(int node, int subtask) {
  return *tasks_[static_cast<size_t>(first_task_[static_cast<size_t>(node)] + subtask)];
}

Node& Executor::NodeOf(int node, int subtask) {
  return *subtasks_[static_cast<size_t>(node)][static_cast<size_t>(subtask)];
}

void Executor::ConnectEdge(const GraphEdge& edge, bool chained) {
  const int producers = graph_.nodes[static_cast<size_t>(edge.from)].parallelism;
  const int consumers = graph_.nodes[static_cast<size_t>(edge.to)].parallelism;
  for (int from = 0; from < producers; ++from) {
    Node& producer = NodeOf(edge.from, from);
    if (chained) {
      producer.Connect(edge.output, &NodeOf(edge.to, from));
      continue;
    }
    Task& producer_task = TaskOf(edge.from, from);
    std::vector<Channel*> channels;
    for (int to = 0; to < consumers; ++to) {
      if (edge.partitioning == Partitioning::kForward && to != from) continue;
      Task& consumer_task = TaskOf(edge.to, to);
      auto channel = std::make_unique<Channel>(options_.channel, &producer_task, &consumer_task);
      channels.push_back(channel.get());
      consumer_task.gate().Add(std::move(channel), edge.input);
    }
    auto router = std::make_unique<Router>(edge.partitioning, edge.key_columns, from, std::move(channels));
    producer.Connect(edge.output, router.get());
    router->Bind(&producer.metrics(), &producer_task.chain().arrival_us);
    producer_task.AddRouter(std::move(router));
  }
}

std::vector<OperatorNode*> Executor::Operators() const {
  std::vector<OperatorNode*> operators;
  for (const auto& task : tasks_) {
    for (const auto& node : task->nodes()) {
      if (auto* as_operator = dynamic_cast<OperatorNode*>(node.get())) operators.push_back(as_operator);
    }
  }
  return operators;
}

void Executor::RestoreAhead(const RestoreFunction& older, int threads) {
  const std::vector<OperatorNode*> operators = Operators();
  std::atomic<size_t> next{0};
  std::exception_ptr error;
  std::mutex error_mutex;
  const auto restore = [&] {
    try {
      for (size_t i = next++; i < operators.size(); i = next++) {
        const auto reader = older(operators[i]->spec().operator_id, operators[i]->key_groups());
        if (reader) operators[i]->RestoreAhead(*reader);
      }
    } catch (...) {
      std::lock_guard lock(error_mutex);
      error = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(restore);
  restore();
  for (std::thread& other : others) other.join();
  if (!error) return;
  for (OperatorNode* each : operators) each->ForgetAhead();
  std::rethrow_exception(error);
}

void Executor::UseState(SnapshotCollector* collector, RestoreFunction restore, RestoreFunction changes,
                        std::string job_id) {
  options_.collector = environment_.collector = collector;
  environment_.restore = std::move(restore);
  environment_.restore_changes = std::move(changes);
  environment_.job_id = std::move(job_id);
  for (OperatorNode* each : Operators()) {
    if (each->restored_ahead() && !environment_.restore_changes) each->ForgetAhead();
  }
}

void Executor::Start() {
  LAMINAR_CHECK(threads_ != nullptr, "Start of an executor that has a seed");
  {
    std::lock_guard lock(mutex_);
    LAMINAR_CHECK(!started_, "started twice");
    started_ = true;
    if (result_) return;
  }
  threads_->Start();
}

JobResult Executor::Wait() {
  {
    std::unique_lock lock(mutex_);
    done_changed_.wait(lock, [&] { return result_.has_value(); });
  }
  threads_->Shutdown();
  return *result();
}

bool Executor::Step() {
  LAMINAR_CHECK(steps_ != nullptr, "Step of an executor without a seed");
  return !done() && steps_->RunOne();
}

bool Executor::FlushAll() {
  bool flushed = false;
  for (const auto& task : tasks_) {
    if (done()) break;
    if (!task->dirty()) continue;
    task->FlushNow();
    flushed = true;
  }
  return flushed;
}

int64_t Executor::RunUntilIdle(int64_t steps_max) {
  int64_t steps = 0;
  do {
    while (steps < steps_max && Step()) ++steps;
  } while (steps < steps_max && FlushAll());
  return steps;
}

std::optional<int64_t> Executor::next_timer_mono_us() { return steps_->next_timer_mono_us(); }

void Executor::Stop(StopMode mode) {
  {
    std::lock_guard lock(mutex_);
    if (result_ || (stop_ && *stop_ >= mode)) return;
    stop_ = mode;
  }
  if (mode == StopMode::kImmediate) {
    environment_.cancelled.store(true, std::memory_order_release);
    SetDone({JobResult::Outcome::kCancelled, std::nullopt});
    return;
  }
  const EndKind end = mode == StopMode::kDrain ? EndKind::kData : EndKind::kStop;
  for (const auto& task : tasks_) {
    if (task->is_source()) task->Post({TaskCommand::Kind::kStop, 0, end});
  }
}

bool Executor::TriggerCheckpoint(uint64_t epoch, bool hold) {
  {
    std::lock_guard lock(mutex_);
    if (options_.collector == nullptr || result_ || closing_ || epoch_in_flight_) return false;
    epoch_in_flight_ = epoch;
    snapshots_written_ = 0;
    pause_us_ = 0;
    if (hold) environment_.hold_epoch.store(epoch, std::memory_order_release);
  }
  for (const auto& task : tasks_) {
    if (task->is_source()) task->Post({TaskCommand::Kind::kBarrier, epoch});
  }
  return true;
}

void Executor::CompleteCheckpoint(uint64_t epoch) {
  PostToAll({TaskCommand::Kind::kCheckpointComplete, epoch});
}

void Executor::Leave() {
  {
    std::lock_guard lock(mutex_);
    if (result_ || closing_) return;
    closing_ = true;
    if (!stop_) stop_ = StopMode::kGraceful;
  }
  PostToAll({TaskCommand::Kind::kLeave});
}

void Executor::Finish() {
  std::lock_guard lock(mutex_);
  finish_asked_ = true;
  CloseIfDue();
}

void Executor::PostToAll(TaskCommand command) {
  for (const auto& task : tasks_) task->Post(command);
}

void Executor::CloseIfDue() {
  const bool all_ended = ended_tasks_ == static_cast<int>(tasks_.size());
  if (!all_ended || closing_ || epoch_in_flight_ || result_) return;
  if (options_.hold_at_end && !finish_asked_) return;
  closing_ = true;
  PostToAll({TaskCommand::Kind::kClose});
}

void Executor::OnTaskEnded(Task* task) {
  bool last;
  {
    std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(tasks_.begin(), tasks_.end(), [&](const auto& each) { return each.get() == task; });
    task_ended_[static_cast<size_t>(found - tasks_.begin())] = true;
    last = ++ended_tasks_ == static_cast<int>(tasks_.size());
  }
  if (!last) return;
  if (options_.on_all_ended) options_.on_all_ended();
  std::lock_guard lock(mutex_);
  CloseIfDue();
}

void Executor::OnTaskClosed(Task* task) {
  JobResult result;
  {
    std::lock_guard lock(mutex_);
    if (++closed_tasks_ < static_cast<int>(tasks_.size())) return;
    if (stop_) result.outcome = JobResult::Outcome::kStopped;
  }
  SetDone(std::move(result));
}

void Executor::OnSnapshotWritten(Task* task, uint64_t epoch, int64_t pause_us) {
  {
    std::lock_guard lock(mutex_);
    pause_us_ = std::max(pause_us_, pause_us);
    if (++snapshots_written_ < static_cast<int>(tasks_.size())) return;
  }
  options_.collector->AllWritten(epoch);
  // Still in flight, so that a commit that this posts comes before a close that is due.
  if (options_.on_checkpoint) options_.on_checkpoint(epoch);
  std::lock_guard lock(mutex_);
  epoch_in_flight_.reset();
  CloseIfDue();
}

void Executor::OnTaskFailed(Task* task) {
  const Node* node = task->blamed();
  JobFailure failure;
  failure.operator_id = node->spec().operator_id;
  failure.operator_name = node->spec().name;
  failure.subtask = node->subtask();
  failure.cause = std::current_exception();
  failure.message = MessageOf(failure.cause);
  environment_.cancelled.store(true, std::memory_order_release);
  SetDone({JobResult::Outcome::kFailed, std::move(failure)});
}

void Executor::SetDone(JobResult result) {
  {
    std::lock_guard lock(mutex_);
    if (result_) return;
    result_ = std::move(result);
  }
  done_changed_.notify_all();
}

int64_t Executor::snapshot_pause_us() const {
  std::lock_guard lock(mutex_);
  return pause_us_;
}

bool Executor::done() const {
  std::lock_guard lock(mutex_);
  return result_.has_value();
}

bool Executor::all_ended() const {
  std::lock_guard lock(mutex_);
  return ended_tasks_ == static_cast<int>(tasks_.size());
}

std::optional<JobResult> Executor::result() const {
  std::lock_guard lock(mutex_);
  return result_;
}

std::vector<SubtaskStatus> Executor::Status() const {
  std::vector<bool> ended;
  {
    std::lock_guard lock(mutex_);
    ended = task_ended_;
  }
  std::vector<SubtaskStatus> all;
  for (size_t i = 0; i < tasks_.size(); ++i) {
    const Task& task = *tasks_[i];
    for (const auto& node : task.nodes()) {
      SubtaskStatus status{node->spec().id,
                           &node->spec(),
                           node->subtask(),
                           static_cast<int>(i),
                           &node->metrics(),
                           ended[i],
                           0,
                           0,
                           0};
      if (node == task.nodes().front()) {
        for (int channel = 0; channel < task.gate().num_channels(); ++channel) {
          status.queue_bytes += task.gate().channel(channel).bytes();
          status.queue_bytes_max += task.gate().channel(channel).limits().bytes_max;
          status.queue_messages += task.gate().channel(channel).messages();
        }
      }
      all.push_back(status);
    }
  }
  return all;
}

}  // namespace laminar
