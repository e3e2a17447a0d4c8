#include "runtime/scheduler.h"

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <set>
#include <thread>

namespace laminar {
namespace {

class Called final : public Runnable {
 public:
  Called(Scheduler* scheduler, int home, std::function<bool()> step)
      : Runnable(scheduler, home), step_(std::move(step)) {}

 private:
  StepResult Step() override { return {step_(), std::nullopt}; }
  const std::function<bool()> step_;
};

TEST(ThreadScheduler, RunsEachTaskOnItsOwnWorker) {
  constexpr int kSteps = 1000;
  const SystemClock clock;
  ThreadScheduler scheduler(&clock, 2);
  std::atomic<int> steps[2] = {0, 0};
  std::set<std::thread::id> threads[2];
  std::promise<void> done[2];
  const auto task = [&](int self) {
    return [&, self] {
      if (steps[self] < kSteps) threads[self].insert(std::this_thread::get_id());
      if (++steps[self] == kSteps) done[self].set_value();
      return steps[1 - self] < kSteps || steps[self] < kSteps;  // both have work as long as it is watched
    };
  };
  Called first(&scheduler, 0, task(0)), second(&scheduler, 3, task(1));
  first.Notify();
  second.Notify();
  scheduler.Start();
  for (std::promise<void>& each : done) each.get_future().wait();
  scheduler.Shutdown();
  EXPECT_EQ(threads[0].size(), 1u);
  EXPECT_EQ(threads[1].size(), 1u);
  EXPECT_NE(threads[0], threads[1]);
}

TEST(ThreadScheduler, AnIdleWorkerTakesWhatWaitsForAnother) {
  const SystemClock clock;
  ThreadScheduler scheduler(&clock, 2);
  std::promise<void> helped, done;
  Called waiting(&scheduler, 0, [&] {
    helped.set_value();
    return false;
  });
  Called busy(&scheduler, 0, [&] {
    waiting.Notify();
    helped.get_future().wait();  // its own worker cannot run the other one meanwhile
    done.set_value();
    return false;
  });
  busy.Notify();
  scheduler.Start();
  done.get_future().wait();
  scheduler.Shutdown();
}

}  // namespace
}  // namespace laminar
