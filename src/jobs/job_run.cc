#include "jobs/job_run.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/local_file.h"
#include "jobs/checkpoint_driver.h"

namespace laminar {

/// The two threads of a run's checkpoints: one writes them, one merges their files.
class JobRun::CheckpointThreads {
 public:
  CheckpointThreads(JobState& state, JobRunOptions& options, const std::unique_ptr<Executor>& executor)
      : writer_(state.writer()), driver_(state.writer(), &clock_, JobOf(executor), DriverOptions(options)) {}
  ~CheckpointThreads() { Stop(); }

  void Start() {
    writing_ = std::thread([this] { WriteLoop(); });
    merging_ = std::thread([this] { MergeLoop(); });
  }
  /// The job is over.
  void Stop() {
    {
      std::lock_guard lock(mutex_);
      over_ = true;
    }
    writer_.EndMerging();
    changed_.notify_all();
    if (writing_.joinable()) writing_.join();
    if (merging_.joinable()) merging_.join();
  }
  CheckpointDriver& driver() { return driver_; }

 private:
  /// `executor` comes to be after this object and goes after Stop.
  static CheckpointDriver::Job JobOf(const std::unique_ptr<Executor>& executor) {
    return {[&](uint64_t epoch, bool hold) { return executor->TriggerCheckpoint(epoch, hold); },
            [&] { return executor->snapshot_pause_us(); },
            [&](uint64_t epoch) { executor->CompleteCheckpoint(epoch); },
            [&] { executor->Finish(); },
            [&] { executor->Leave(); },
            [&] { executor->Stop(StopMode::kImmediate); },
            [&] { return ActivityOf(*executor); }};
  }
  CheckpointDriver::Options DriverOptions(JobRunOptions& options) {
    return {options.state->interval_us, std::move(options.on_checkpoint),
            std::move(options.on_failed_checkpoint), std::move(options.on_warning), [this] { Wake(); }};
  }

  void Wake() {
    {
      std::lock_guard lock(mutex_);
      write_awake_ = merge_awake_ = true;
    }
    changed_.notify_all();
  }

  void WriteLoop() {
    std::unique_lock lock(mutex_);
    while (!over_) {
      write_awake_ = false;
      lock.unlock();
      const int64_t next_us = driver_.Step();
      lock.lock();
      const auto is_awake = [this] { return write_awake_ || over_; };
      if (next_us == INT64_MAX) {
        changed_.wait(lock, is_awake);
      } else {
        changed_.wait_for(lock, std::chrono::microseconds(next_us - clock_.monotonic_us()), is_awake);
      }
    }
  }

  void MergeLoop() {
    std::unique_lock lock(mutex_);
    while (!over_) {
      merge_awake_ = false;
      lock.unlock();
      driver_.Merge();
      lock.lock();
      changed_.wait(lock, [this] { return merge_awake_ || over_; });
    }
  }

  const SystemClock clock_;
  CheckpointWriter& writer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool write_awake_ = false, merge_awake_ = false, over_ = false;  // guarded by mutex_
  CheckpointDriver driver_;
  std::thread writing_, merging_;
};

std::vector<int64_t> ActivityOf(const Executor& executor) {
  std::vector<int64_t> numbers;
  for (const SubtaskStatus& status : executor.Status()) {
    const OperatorMetrics& m = *status.metrics;
    numbers.insert(numbers.end(),
                   {m.rows_in.value(), m.rows_out.value(), m.bytes_in.value(), m.late_rows.value(),
                    m.bad_records.value(), m.expired_keys.value(), m.timers.value(), m.state_rows.value(),
                    m.watermark_us.value(), m.splits.value(), status.queue_messages, status.queue_bytes,
                    status.ended ? 1 : 0});
  }
  return numbers;
}

CheckpointDriver& JobRun::driver() { return checkpoints_->driver(); }

JobRun::JobRun(JobGraph graph, JobRunOptions options) : options_(std::move(options)) {
  if (options_.state && IsDirectory(options_.state->objects->url())) {
    options_.memory.preferred_directory = options_.state->objects->url();
  }
  ConfigureStateMemory(options_.memory);
  if (options_.state) {
    options_.executor.hold_at_end = true;
    options_.executor.on_checkpoint = [this](uint64_t epoch) { driver().OnSnapshots(epoch); };
    options_.executor.on_all_ended = [this] { driver().OnAllEnded(); };
  }
  executor_ = std::make_unique<Executor>(std::move(graph), options_.executor);
}

void JobRun::RestoreAhead() {
  if (!options_.state || options_.state->restore.kind != RestoreChoice::Kind::kLatest) return;
  try {
    auto newest = CheckpointStore(options_.state->objects).Load(std::nullopt, nullptr);
    if (!newest) return;
    const auto mismatch = CompareState(newest->manifest, DeclaredState(executor_->graph()));
    if (!mismatch.missing.empty() || !mismatch.different.empty()) return;  // Open tells
    const auto older = std::make_shared<const Checkpoint>(std::move(*newest));
    executor_->RestoreAhead(
        [&](const std::string& operator_id, KeyGroupRange range) {
          return ReadOperator(options_.state->objects, older, operator_id, range);
        },
        options_.executor.worker_threads);
    ahead_ = older;
  } catch (const ExternalError&) {  // a file may have been merged away meanwhile
  }
}

void JobRun::Open() {
  if (!options_.state) return;
  const Clock* clock = options_.executor.clock != nullptr ? options_.executor.clock : &system_clock_;
  state_ = std::make_unique<JobState>(executor_->graph(), *options_.state, clock);
  collector_ = std::make_unique<DurableCollector>(state_->writer());
  checkpoints_ = std::make_unique<CheckpointThreads>(*state_, options_, executor_);
  RestoreFunction changes = ahead_ ? state_->ChangesSince(*ahead_) : nullptr;
  if (!changes) ahead_.reset();
  executor_->UseState(collector_.get(), state_->restore(), std::move(changes), state_->job_id());
}

std::optional<uint64_t> JobRun::restored_ahead() const {
  return ahead_ ? std::optional(ahead_->manifest.epoch) : std::nullopt;
}

JobRun::~JobRun() {
  executor_->Stop(StopMode::kImmediate);
  if (checkpoints_) checkpoints_->Stop();
  executor_.reset();
}

void JobRun::Start() {
  if (checkpoints_) checkpoints_->Start();
  executor_->Start();
}

JobResult JobRun::Wait() {
  JobResult result = executor_->Wait();
  if (checkpoints_) {
    checkpoints_->Stop();
    try {
      state_->writer().RemoveUnnamed();
    } catch (const ExternalError&) {  // the next run finds them
    }
    if (const auto failure = driver().failure()) {
      result.outcome = JobResult::Outcome::kFailed;
      result.failure = JobFailure{"", "checkpoint", 0, *failure, nullptr};
    }
  }
  return result;
}

void JobRun::Stop(StopMode mode) {
  if (checkpoints_) driver().NoteStop();
  executor_->Stop(mode);
}

void JobRun::StopAtCheckpoint() { checkpoints_ ? driver().Leave() : executor_->Stop(StopMode::kGraceful); }

bool JobRun::RequestCheckpoint(CheckpointKind kind) {
  if (checkpoints_) driver().Request(kind);
  return checkpoints_ != nullptr;
}

void JobRun::HoldMerges() {
  if (checkpoints_) driver().HoldMerges();
}

void JobRun::SetInterval(int64_t interval_us) {
  if (checkpoints_) driver().SetInterval(interval_us);
}

}  // namespace laminar
