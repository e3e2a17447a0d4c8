#include "runtime/scheduler.h"

#include <algorithm>
#include <chrono>

namespace laminar {

void Runnable::Notify() {
  int state = state_.load();
  while (true) {
    if (state == kQueued || state == kRunningNotified) return;
    const int next = state == kParked ? kQueued : kRunningNotified;
    if (!state_.compare_exchange_weak(state, next)) continue;
    if (next == kQueued) scheduler_->Enqueue(this);
    return;
  }
}

void Scheduler::RunOnce(Runnable* runnable) {
  runnable->state_.store(Runnable::kRunning);
  const StepResult result = runnable->Step();
  if (!result.more) {
    SetTimer(runnable, result.wake_mono_us);
    int expected = Runnable::kRunning;
    // Fails when it was notified meanwhile: what it was told may have come after it looked.
    if (runnable->state_.compare_exchange_strong(expected, Runnable::kParked)) return;
  }
  runnable->state_.store(Runnable::kQueued);
  Enqueue(runnable);
}

void TimerQueue::Set(Runnable* runnable, std::optional<WakeTime>* current, std::optional<int64_t> mono_us) {
  if (*current && mono_us == (*current)->mono_us) return;
  if (*current) timers_.erase(**current);
  current->reset();
  if (!mono_us) return;
  *current = WakeTime{*mono_us, next_number_++};
  timers_.emplace(**current, runnable);
}

std::optional<int64_t> TimerQueue::next() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first.mono_us;
}

Runnable* TimerQueue::PopDue(int64_t now_mono_us) {
  if (timers_.empty() || timers_.begin()->first.mono_us > now_mono_us) return nullptr;
  Runnable* runnable = timers_.begin()->second;
  timers_.erase(timers_.begin());
  return runnable;
}

ThreadScheduler::ThreadScheduler(const Clock* clock, int threads)
    : clock_(clock), num_threads_(std::max(1, threads)) {}

void ThreadScheduler::Start() {
  for (int i = 0; i < num_threads_; ++i) threads_.emplace_back([this] { Work(); });
}

void ThreadScheduler::Shutdown() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void ThreadScheduler::Enqueue(Runnable* runnable) {
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(runnable);
  }
  changed_.notify_one();
}

void ThreadScheduler::SetTimer(Runnable* runnable, std::optional<int64_t> mono_us) {
  bool sooner;
  {
    std::lock_guard lock(mutex_);
    const auto before = timers_.next();
    timers_.Set(runnable, &TimerOf(runnable), mono_us);
    sooner = mono_us && (!before || *mono_us < *before);
  }
  // Some waiting worker has to wait for less; all are woken, since which one minds the timers is not fixed.
  if (sooner) changed_.notify_all();
}

void ThreadScheduler::Work() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (const auto due = timers_.next(); due && *due <= clock_->monotonic_us()) {
      Runnable* runnable = timers_.PopDue(*due);
      TimerOf(runnable).reset();
      lock.unlock();
      runnable->Notify();
      lock.lock();
      continue;
    }
    if (!queue_.empty()) {
      Runnable* runnable = queue_.front();
      queue_.pop_front();
      lock.unlock();
      RunOnce(runnable);
      lock.lock();
    } else if (const auto due = timers_.next()) {
      const int64_t wait_us = *due - clock_->monotonic_us();
      if (wait_us > 0) changed_.wait_for(lock, std::chrono::microseconds(wait_us));
    } else {
      changed_.wait(lock);
    }
  }
}

bool StepScheduler::RunOne() {
  Runnable* picked = nullptr;
  {
    std::unique_lock lock(mutex_);
    while (Runnable* due = timers_.PopDue(clock_->monotonic_us())) {
      TimerOf(due).reset();
      lock.unlock();
      due->Notify();
      lock.lock();
    }
    if (queue_.empty()) return false;
    const size_t index = random_() % queue_.size();
    picked = queue_[index];
    queue_[index] = queue_.back();
    queue_.pop_back();
  }
  RunOnce(picked);
  return true;
}

std::optional<int64_t> StepScheduler::next_timer_mono_us() {
  std::lock_guard lock(mutex_);
  return timers_.next();
}

void StepScheduler::Enqueue(Runnable* runnable) {
  std::lock_guard lock(mutex_);
  queue_.push_back(runnable);
}

void StepScheduler::SetTimer(Runnable* runnable, std::optional<int64_t> mono_us) {
  std::lock_guard lock(mutex_);
  timers_.Set(runnable, &TimerOf(runnable), mono_us);
}

}  // namespace laminar
