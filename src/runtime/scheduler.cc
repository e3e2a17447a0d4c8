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

bool Scheduler::RunOnce(Runnable* runnable) {
  runnable->state_.store(Runnable::kRunning);
  const StepResult result = runnable->Step();
  if (!result.more) {
    SetTimer(runnable, result.wake_mono_us);
    int expected = Runnable::kRunning;
    // Fails when it was notified meanwhile: what it was told may have come after it looked.
    if (runnable->state_.compare_exchange_strong(expected, Runnable::kParked)) return false;
  }
  runnable->state_.store(Runnable::kQueued);
  return true;
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
    : clock_(clock), workers_(static_cast<size_t>(std::max(1, threads))) {}

void ThreadScheduler::Start() {
  for (Worker& worker : workers_) threads_.emplace_back([this, &worker] { Work(worker); });
}

void ThreadScheduler::Shutdown() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (Worker& worker : workers_) worker.wake.notify_one();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

ThreadScheduler::Worker& ThreadScheduler::HomeOf(const Runnable* runnable) {
  return workers_[static_cast<size_t>(Scheduler::HomeOf(runnable)) % workers_.size()];
}

/// After a task was queued at `home`: wakes that worker, or while it is busy another that is not.
void ThreadScheduler::WakeFor(Worker& home) {
  Worker* idle = &home;
  if (!idle->waiting) {
    const auto found =
        std::find_if(workers_.begin(), workers_.end(), [](const Worker& worker) { return worker.waiting; });
    if (found == workers_.end()) return;
    idle = &*found;
  }
  idle->waiting = false;
  idle->wake.notify_one();
}

void ThreadScheduler::Enqueue(Runnable* runnable) {
  std::lock_guard lock(mutex_);
  Worker& home = HomeOf(runnable);
  home.queue.push_back(runnable);
  WakeFor(home);
}

void ThreadScheduler::SetTimer(Runnable* runnable, std::optional<int64_t> mono_us) {
  std::lock_guard lock(mutex_);
  const auto before = timers_.next();
  timers_.Set(runnable, &TimerOf(runnable), mono_us);
  if (!mono_us || (before && *before <= *mono_us)) return;
  // Some waiting worker has to wait for less; all are woken, since which one minds the timers is not fixed.
  for (Worker& worker : workers_) worker.wake.notify_one();
}

/// The task that waits longest here, or else at the worker with the most of them; nullptr: none waits.
Runnable* ThreadScheduler::Take(Worker& self) {
  Worker* from = &self;
  if (from->queue.empty()) {
    from = &*std::max_element(workers_.begin(), workers_.end(), [](const Worker& a, const Worker& b) {
      return a.queue.size() < b.queue.size();
    });
  }
  if (from->queue.empty()) return nullptr;
  Runnable* runnable = from->queue.front();
  from->queue.pop_front();
  return runnable;
}

void ThreadScheduler::Work(Worker& self) {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto due = timers_.next();
    if (due && *due <= clock_->monotonic_us()) {
      Runnable* runnable = timers_.PopDue(*due);
      TimerOf(runnable).reset();
      lock.unlock();
      runnable->Notify();
      lock.lock();
    } else if (Runnable* runnable = Take(self)) {
      lock.unlock();
      const bool again = RunOnce(runnable);
      lock.lock();
      if (!again) continue;
      Worker& home = HomeOf(runnable);
      home.queue.push_back(runnable);
      if (&home != &self) WakeFor(home);  // this one needs no waking, and no thief
    } else {
      self.waiting = true;
      if (due) {
        self.wake.wait_for(lock, std::chrono::microseconds(*due - clock_->monotonic_us()));
      } else {
        self.wake.wait(lock);
      }
      self.waiting = false;
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
  if (RunOnce(picked)) Enqueue(picked);
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
