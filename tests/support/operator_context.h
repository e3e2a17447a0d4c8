#pragma once

/// What an operator needs to run on its own in a test.

#include <memory>
#include <utility>

#include "base/clock.h"
#include "runtime/operator.h"

namespace laminar {

struct OperatorBench {
  ManualClock clock{1'000'000'000};
  OperatorMetrics metrics;
  bool finished = false;  ///< finish_upstream was called

  OperatorContext Context(int subtask = 0, int parallelism = 1) {
    OperatorContext context;
    context.operator_id = "test";
    context.subtask = subtask;
    context.parallelism = parallelism;
    context.key_groups = KeyGroupRange::Of(subtask, parallelism);
    context.clock = &clock;
    context.metrics = &metrics;
    context.finish_upstream = [this] { finished = true; };
    return context;
  }

  std::unique_ptr<Operator> Open(std::unique_ptr<Operator> opened) {
    opened->Open(Context());
    return opened;
  }
};

}  // namespace laminar
