#include "jobs/job_run.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"

namespace laminar {

namespace {

// A failed checkpoint is tried again after this, doubled each time up to the limit.
constexpr int64_t kRetryUs = 500'000;
constexpr int64_t kRetryUsMax = 60'000'000;
/// How often the last checkpoint of a job that has ended is tried before the job fails.
constexpr int kFinalTries = 20;

}  // namespace

/// Decides when a checkpoint begins, writes it, and tells the executor. One thread for that, one that merges.
class JobRun::CheckpointLoop {
 public:
  CheckpointLoop(JobState& state, JobRunOptions& options)
      : state_(state),
        on_checkpoint_(std::move(options.on_checkpoint)),
        on_warning_(std::move(options.on_warning)),
        interval_us_(options.state->interval_us) {}
  ~CheckpointLoop() { Stop(); }

  void Start(Executor& executor) {
    executor_ = &executor;
    next_due_us_ = clock_.monotonic_us() + interval_us_;
    thread_ = std::thread([this] { Run(); });
    merge_thread_ = std::thread([this] { MergeLoop(); });
  }

  /// The job is over.
  void Stop() {
    {
      std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
    if (merge_thread_.joinable()) merge_thread_.join();
  }

  // From the executor's threads.
  void OnSnapshots(uint64_t epoch) {
    std::lock_guard lock(mutex_);
    handed_over_ = epoch;
    changed_.notify_all();
  }
  void OnAllEnded() {
    std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

  void Request(CheckpointKind kind) {
    std::lock_guard lock(mutex_);
    if (requested_ != CheckpointKind::kSavepoint) requested_ = kind;
    changed_.notify_all();
  }
  void NoteStop() {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  /// The next checkpoint is the last: nothing comes behind its barrier.
  void Leave() {
    std::lock_guard lock(mutex_);
    stopping_ = leaving_ = true;
    changed_.notify_all();
  }
  void SetInterval(int64_t interval_us) {
    std::lock_guard lock(mutex_);
    next_due_us_ += interval_us - interval_us_;
    interval_us_ = interval_us;
    changed_.notify_all();
  }
  /// Why the job must be counted as failed although its tasks did not.
  std::optional<std::string> failure() const {
    std::lock_guard lock(mutex_);
    return failure_;
  }

 private:
  void Run() {
    std::unique_lock lock(mutex_);
    while (!over_ && !failure_) {
      if (handed_over_) {
        const uint64_t epoch = *std::exchange(handed_over_, std::nullopt);
        lock.unlock();
        WriteEpoch(epoch);
        lock.lock();
        continue;
      }
      if (!in_flight_ && Due()) {
        if (NothingHappened()) {
          next_due_us_ = clock_.monotonic_us() + interval_us_;
        } else if (Trigger(lock)) {
          continue;
        }
      }
      if (in_flight_ || finished_) {
        changed_.wait(lock);
      } else {
        const int64_t wait_us = std::max<int64_t>(1000, next_due_us_ - clock_.monotonic_us());
        changed_.wait_for(lock, std::chrono::microseconds(wait_us));
      }
    }
  }

  bool Due() {
    if (finished_) return false;
    const bool backing_off = failures_ > 0 && clock_.monotonic_us() < next_due_us_;
    if (ended_ || requested_ || leaving_) return !backing_off;
    return clock_.monotonic_us() >= next_due_us_;
  }

  /// A scheduled checkpoint would be the one that there is: no row, watermark or split has moved since.
  bool NothingHappened() {
    const bool scheduled = !ended_ && !requested_ && !leaving_;
    if (!scheduled) return false;
    std::vector<int64_t> now;
    for (const SubtaskStatus& status : executor_->Status()) {
      const OperatorMetrics& m = *status.metrics;
      now.insert(now.end(), {m.rows_in.value(), m.rows_out.value(), m.bytes_in.value(), m.bad_records.value(),
                             m.expired_keys.value(), m.watermark_us.value(), m.splits.value(),
                             status.queue_messages, status.ended ? 1 : 0});
    }
    const bool same = failures_ == 0 && now == numbers_at_last_;
    numbers_at_last_ = std::move(now);
    return same;
  }

  /// Begins a checkpoint. False when the executor does not take one now.
  bool Trigger(std::unique_lock<std::mutex>& lock) {
    kind_ = ended_       ? (stopping_ ? CheckpointKind::kStopping : CheckpointKind::kFinal)
            : requested_ ? *std::exchange(requested_, std::nullopt)
            : leaving_   ? CheckpointKind::kStopping
                         : CheckpointKind::kScheduled;
    hold_ = kind_ == CheckpointKind::kStopping && !ended_;
    final_ = ended_ || hold_;
    in_flight_ = true;
    next_due_us_ = clock_.monotonic_us() + interval_us_;
    lock.unlock();
    const bool taken = executor_->TriggerCheckpoint(state_.writer().epoch() + 1, hold_);
    lock.lock();
    if (taken) return true;
    // The snapshot before is about to be counted, or the job is over.
    in_flight_ = false;
    next_due_us_ = clock_.monotonic_us() + 1000;
    return false;
  }

  void WriteEpoch(uint64_t epoch) {
    try {
      const int64_t pause_us = executor_->snapshot_pause_us();
      const int64_t start_us = clock_.monotonic_us();
      CheckpointReport report = state_.writer().Write(epoch, kind_);
      report.pause_us = pause_us;
      report.write_us = clock_.monotonic_us() - start_us;
      // The epoch that the subtasks know, whatever number the manifest got.
      executor_->CompleteCheckpoint(epoch);
      if (on_checkpoint_) on_checkpoint_(report);
      std::lock_guard lock(mutex_);
      failures_ = 0;
      in_flight_ = false;
      merge_due_ = true;
      if (final_) finished_ = true;
      changed_.notify_all();
    } catch (const ExternalError& error) {
      WriteFailed(error, dynamic_cast<const StateTakenOver*>(&error) != nullptr);
    }
    bool finished;
    {
      std::lock_guard lock(mutex_);
      finished = finished_;
    }
    if (finished) hold_ ? executor_->Leave() : executor_->Finish();
  }

  void WriteFailed(const ExternalError& error, bool lost) {
    const std::string message = std::string("a checkpoint failed: ") + error.what();
    if (on_warning_) on_warning_(message);
    std::lock_guard lock(mutex_);
    in_flight_ = false;
    ++failures_;
    if (lost || (final_ && failures_ >= kFinalTries)) {
      failure_ = error.what();
      executor_->Stop(StopMode::kImmediate);
      return;
    }
    const int doublings = std::min(failures_ - 1, 7);
    next_due_us_ = clock_.monotonic_us() + std::min(kRetryUs << doublings, kRetryUsMax);
  }

  void MergeLoop() {
    std::unique_lock lock(mutex_);
    while (!over_ && !failure_) {
      if (!std::exchange(merge_due_, false)) {
        changed_.wait(lock);
        continue;
      }
      lock.unlock();
      try {
        state_.writer().Merge();
      } catch (const ExternalError& error) {
        if (on_warning_) on_warning_(std::string("merging state files failed: ") + error.what());
      }
      lock.lock();
    }
  }

  JobState& state_;
  const std::function<void(const CheckpointReport&)> on_checkpoint_;
  const std::function<void(const std::string&)> on_warning_;
  const SystemClock clock_;
  Executor* executor_ = nullptr;
  std::thread thread_;
  std::thread merge_thread_;
  CheckpointKind kind_ = CheckpointKind::kScheduled;  // of the one in flight; checkpoint thread only
  bool final_ = false;                                // likewise
  std::vector<int64_t> numbers_at_last_;              // likewise: when the last checkpoint was due
  bool hold_ = false;                                 // likewise: of StopAtCheckpoint

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // All below guarded by mutex_.
  int64_t interval_us_;
  int64_t next_due_us_ = 0;
  bool in_flight_ = false;
  std::optional<uint64_t> handed_over_;
  std::optional<CheckpointKind> requested_;
  bool stopping_ = false;
  bool leaving_ = false;
  bool ended_ = false;
  bool finished_ = false;  // the last checkpoint is complete
  bool merge_due_ = false;
  bool over_ = false;
  int failures_ = 0;
  std::optional<std::string> failure_;
};

JobRun::JobRun(JobGraph graph, JobRunOptions options) {
  if (options.state) {
    const Clock* clock = options.executor.clock != nullptr ? options.executor.clock : &system_clock_;
    state_ = std::make_unique<JobState>(graph, *options.state, clock);
    collector_ = std::make_unique<DurableCollector>(state_->writer());
    loop_ = std::make_unique<CheckpointLoop>(*state_, options);
    options.executor.collector = collector_.get();
    options.executor.restore = state_->restore();
    options.executor.job_id = state_->job_id();
    options.executor.hold_at_end = true;
    options.executor.on_checkpoint = [loop = loop_.get()](uint64_t epoch) { loop->OnSnapshots(epoch); };
    options.executor.on_all_ended = [loop = loop_.get()] { loop->OnAllEnded(); };
  }
  executor_ = std::make_unique<Executor>(std::move(graph), std::move(options.executor));
}

JobRun::~JobRun() {
  executor_->Stop(StopMode::kImmediate);
  if (loop_) loop_->Stop();
  executor_.reset();
}

void JobRun::Start() {
  if (loop_) loop_->Start(*executor_);
  executor_->Start();
}

JobResult JobRun::Wait() {
  JobResult result = executor_->Wait();
  if (loop_) {
    loop_->Stop();
    try {
      state_->writer().RemoveUnnamed();
    } catch (const ExternalError&) {  // the next run finds them
    }
    if (const auto failure = loop_->failure()) {
      result.outcome = JobResult::Outcome::kFailed;
      result.failure = JobFailure{"", "checkpoint", 0, *failure, nullptr};
    }
  }
  return result;
}

void JobRun::Stop(StopMode mode) {
  if (loop_) loop_->NoteStop();
  executor_->Stop(mode);
}

void JobRun::StopAtCheckpoint() { loop_ ? loop_->Leave() : executor_->Stop(StopMode::kGraceful); }

bool JobRun::RequestCheckpoint(CheckpointKind kind) {
  if (loop_) loop_->Request(kind);
  return loop_ != nullptr;
}

void JobRun::SetInterval(int64_t interval_us) {
  if (loop_) loop_->SetInterval(interval_us);
}

}  // namespace laminar
