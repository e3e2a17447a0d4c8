#pragma once

/// Who runs tasks, and when. A task is anything with a non-blocking Step (runtime/task.h); a scheduler never
/// looks inside.

#include <atomic>
#include <compare>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "runtime/channel.h"

namespace laminar {

struct StepResult {
  bool more = false;                    ///< run again soon
  std::optional<int64_t> wake_mono_us;  ///< when not `more`: at this monotonic time even without a Notify
};

class Scheduler;

/// When a task is to wake up. Of two at one time the one that was set first comes first: addresses, which
/// differ from run to run, decide nothing.
struct WakeTime {
  int64_t mono_us;
  uint64_t number;
  auto operator<=>(const WakeTime&) const = default;
};

/// Something that can be run and parked. Notify() is thread-safe and may come at any time, also while it
/// runs: then it runs again.
class Runnable : public Wakeable {
 public:
  /// `home`: the worker, of as many as there are (modulo), whose caches are to hold what this works on.
  Runnable(Scheduler* scheduler, int home) : scheduler_(scheduler), home_(home) {}
  void Notify() final;

 private:
  friend class Scheduler;
  virtual StepResult Step() = 0;

  enum State : int { kParked, kQueued, kRunning, kRunningNotified };
  Scheduler* const scheduler_;
  const int home_;
  std::atomic<int> state_{kParked};
  std::optional<WakeTime> timer_;  // guarded by the scheduler's mutex
};

class Scheduler {
 public:
  virtual ~Scheduler() = default;
  /// `runnable` is to be run. Thread-safe.
  virtual void Enqueue(Runnable* runnable) = 0;
  virtual void SetTimer(Runnable* runnable, std::optional<int64_t> mono_us) = 0;

 protected:
  /// Runs one step and parks the task, or says true: it is to be queued again.
  bool RunOnce(Runnable* runnable);
  static int HomeOf(const Runnable* runnable) { return runnable->home_; }
  static std::optional<WakeTime>& TimerOf(Runnable* runnable) { return runnable->timer_; }
};

/// Wake-up times, at most one per task. Not thread-safe.
class TimerQueue {
 public:
  void Set(Runnable* runnable, std::optional<WakeTime>* current, std::optional<int64_t> mono_us);
  std::optional<int64_t> next() const;
  /// Takes one that is due; nullptr when there is none.
  Runnable* PopDue(int64_t now_mono_us);

 private:
  std::map<WakeTime, Runnable*> timers_;
  uint64_t next_number_ = 0;
};

/// Worker threads. Each runs the tasks whose home it is, in turn; one that has nothing to do takes a task
/// that waits for another worker, for one step. Idle workers wait; nothing polls.
class ThreadScheduler final : public Scheduler {
 public:
  ThreadScheduler(const Clock* clock, int threads);
  ~ThreadScheduler() override { Shutdown(); }

  void Start();
  /// Returns when no task is running any more. Later Enqueues are ignored. Not from a worker thread.
  void Shutdown();
  void Enqueue(Runnable* runnable) override;
  void SetTimer(Runnable* runnable, std::optional<int64_t> mono_us) override;

 private:
  struct Worker {
    std::deque<Runnable*> queue;  // of tasks at home here
    std::condition_variable wake;
    bool waiting = false;  // and nobody has woken it yet
  };

  void Work(Worker& self);
  Worker& HomeOf(const Runnable* runnable);
  Runnable* Take(Worker& self);
  void WakeFor(Worker& home);

  const Clock* const clock_;
  std::mutex mutex_;
  std::vector<Worker> workers_;  // guarded by mutex_
  TimerQueue timers_;            // guarded by mutex_
  bool stopping_ = false;        // guarded by mutex_
  std::vector<std::thread> threads_;
};

/// Runs tasks on the caller's thread in an order drawn from a seed: the same seed and inputs give the same
/// run.
class StepScheduler final : public Scheduler {
 public:
  StepScheduler(const Clock* clock, uint64_t seed) : clock_(clock), random_(seed) {}

  /// Runs one step of one runnable task, fires timers that are due; false when there is nothing to run now.
  bool RunOne();
  /// Monotonic time of the next timer: to advance a ManualClock to.
  std::optional<int64_t> next_timer_mono_us();
  void Enqueue(Runnable* runnable) override;
  void SetTimer(Runnable* runnable, std::optional<int64_t> mono_us) override;

 private:
  const Clock* const clock_;
  std::mt19937_64 random_;
  std::mutex mutex_;              // a source's own thread may wake its task
  std::vector<Runnable*> queue_;  // guarded by mutex_
  TimerQueue timers_;             // guarded by mutex_
};

}  // namespace laminar
