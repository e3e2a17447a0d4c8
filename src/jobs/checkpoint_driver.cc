#include "jobs/checkpoint_driver.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace laminar {

namespace {

// A failed checkpoint is tried again after this, doubled each time up to the limit.
constexpr int64_t kRetryUs = 500'000;
constexpr int64_t kRetryUsMax = 60'000'000;
/// How often the last checkpoint of a job that has ended is tried before the job fails.
constexpr int kFinalTries = 20;
/// For an executor that takes no checkpoint because the one before is about to be counted.
constexpr int64_t kNotTakenUs = 1000;
/// So many scheduled checkpoints in a row are left out of a job to which nothing happens: one now and then
/// shows that it could still be taken.
constexpr int kLeftOutMax = 9;

}  // namespace

CheckpointDriver::CheckpointDriver(CheckpointWriter& writer, const Clock* clock, Job job, Options options)
    : writer_(writer),
      clock_(clock),
      job_(std::move(job)),
      options_(std::move(options)),
      interval_us_(options_.interval_us),
      next_due_us_(clock->monotonic_us() + interval_us_) {}

void CheckpointDriver::OnSnapshots(uint64_t epoch) {
  {
    std::lock_guard lock(mutex_);
    handed_over_ = epoch;
  }
  options_.wake();
}

void CheckpointDriver::OnAllEnded() {
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
  }
  options_.wake();
}

void CheckpointDriver::Request(CheckpointKind kind) {
  {
    std::lock_guard lock(mutex_);
    if (requested_ != CheckpointKind::kSavepoint) requested_ = kind;
  }
  options_.wake();
}

void CheckpointDriver::NoteStop() {
  std::lock_guard lock(mutex_);
  stopping_ = true;
}

void CheckpointDriver::Leave() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = leaving_ = true;
  }
  writer_.EndMerging();
  options_.wake();
}

void CheckpointDriver::SetInterval(int64_t interval_us) {
  {
    std::lock_guard lock(mutex_);
    next_due_us_ += interval_us - interval_us_;
    interval_us_ = interval_us;
  }
  options_.wake();
}

std::optional<std::string> CheckpointDriver::failure() const {
  std::lock_guard lock(mutex_);
  return failure_;
}

int64_t CheckpointDriver::Step() {
  std::optional<uint64_t> epoch;
  bool begin = false;
  {
    std::lock_guard lock(mutex_);
    if (failure_ || finished_) return INT64_MAX;
    epoch = std::exchange(handed_over_, std::nullopt);
    begin = !epoch && !in_flight_ && IsDue();
  }
  if (epoch) WriteEpoch(*epoch);
  if (begin) Trigger();
  std::lock_guard lock(mutex_);
  return failure_ || finished_ || in_flight_ ? INT64_MAX : next_due_us_;
}

bool CheckpointDriver::IsDue() const {
  const bool at_once = ended_ || leaving_ || requested_;
  return clock_->monotonic_us() >= next_due_us_ || (at_once && failures_ == 0);
}

/// A scheduled checkpoint would be the one that there is.
bool CheckpointDriver::NothingHappened() {
  {
    std::lock_guard lock(mutex_);
    if (ended_ || leaving_ || requested_) return false;
  }
  std::vector<int64_t> now = job_.activity();
  std::lock_guard lock(mutex_);
  const bool same = failures_ == 0 && now == activity_ && left_out_ < kLeftOutMax;
  activity_ = std::move(now);
  left_out_ = same ? left_out_ + 1 : 0;
  if (same) next_due_us_ = clock_->monotonic_us() + interval_us_;
  return same;
}

void CheckpointDriver::Trigger() {
  if (NothingHappened()) return;
  std::optional<CheckpointKind> requested;
  {
    std::lock_guard lock(mutex_);
    requested = std::exchange(requested_, std::nullopt);
    kind_ = ended_      ? (stopping_ ? CheckpointKind::kStopping : CheckpointKind::kFinal)
            : requested ? *requested
            : leaving_  ? CheckpointKind::kStopping
                        : CheckpointKind::kScheduled;
    hold_ = kind_ == CheckpointKind::kStopping && !ended_;
    is_last_ = ended_ || hold_;
    in_flight_ = true;
    next_due_us_ = clock_->monotonic_us() + interval_us_;
  }
  started_ms_ = clock_->now_us() / 1000;
  if (job_.trigger(writer_.epoch() + 1, hold_)) return;
  std::lock_guard lock(mutex_);
  in_flight_ = false;
  if (!requested_) requested_ = requested;
  next_due_us_ = clock_->monotonic_us() + kNotTakenUs;
}

void CheckpointDriver::WriteEpoch(uint64_t epoch) {
  try {
    const int64_t pause_us = job_.pause_us();
    const int64_t start_us = clock_->monotonic_us();
    CheckpointReport report = writer_.Write(epoch, kind_);
    report.pause_us = pause_us;
    report.write_us = clock_->monotonic_us() - start_us;
    // The epoch that the subtasks know, whatever number the manifest got.
    job_.complete(epoch);
    if (options_.on_checkpoint) options_.on_checkpoint(report);
  } catch (const ExternalError& error) {
    OnWriteFailed(error, epoch);
    return;
  }
  {
    std::lock_guard lock(mutex_);
    failures_ = 0;
    in_flight_ = false;
    merge_due_ = !is_last_;
    finished_ = is_last_;
  }
  options_.wake();
  if (is_last_) hold_ ? job_.leave() : job_.finish();
}

void CheckpointDriver::OnWriteFailed(const ExternalError& error, uint64_t epoch) {
  if (options_.on_failed)
    options_.on_failed({epoch, kind_, started_ms_, clock_->now_us() / 1000, error.what()});
  const bool is_lost = dynamic_cast<const StateTakenOver*>(&error) != nullptr;
  {
    std::lock_guard lock(mutex_);
    in_flight_ = false;
    ++failures_;
    const bool was_asked_for = kind_ == CheckpointKind::kManual || kind_ == CheckpointKind::kSavepoint;
    if (was_asked_for && requested_ != CheckpointKind::kSavepoint) requested_ = kind_;
    const int doublings = std::min(failures_ - 1, 7);
    next_due_us_ = clock_->monotonic_us() + std::min(kRetryUs << doublings, kRetryUsMax);
    if (!is_lost && !(is_last_ && failures_ >= kFinalTries)) return;
    failure_ = error.what();
  }
  job_.give_up();
}

void CheckpointDriver::HoldMerges() {
  std::lock_guard lock(mutex_);
  hold_merges_ = true;
}

bool CheckpointDriver::Merge() {
  {
    std::lock_guard lock(mutex_);
    if (hold_merges_ || !std::exchange(merge_due_, false)) return false;
  }
  try {
    return writer_.Merge();
  } catch (const ExternalError& error) {
    if (options_.on_warning) options_.on_warning(std::string("merging state files failed: ") + error.what());
    return true;
  }
}

}  // namespace laminar
