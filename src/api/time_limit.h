#pragma once

/// Work that waits for another system (a test, a sample) and may hang there.

#include <chrono>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <utility>

#include "api/api_error.h"

namespace laminar::api {

/// A place among the few works that may be under way at once. 429 when all are taken.
class WorkPlace {
 public:
  WorkPlace();
  ~WorkPlace();
  WorkPlace(const WorkPlace&) = delete;
  WorkPlace& operator=(const WorkPlace&) = delete;
};

ApiError TookTooLong(const std::string& what, int64_t limit_us);

/// Runs `work` on a thread of its own and gives its result or throws what it throws. 504 after `limit_us`:
/// then the work goes on alone, so that it must own what it uses (or use what lives as long as the server).
template <typename Result>
Result WithTimeLimit(int64_t limit_us, const std::string& what, std::function<Result()> work) {
  auto place = std::make_shared<WorkPlace>();
  std::packaged_task<Result()> task([place, work = std::move(work)] { return work(); });
  std::future<Result> result = task.get_future();
  place.reset();
  std::thread(std::move(task)).detach();
  if (result.wait_for(std::chrono::microseconds(limit_us)) != std::future_status::ready)
    throw TookTooLong(what, limit_us);
  return result.get();
}

}  // namespace laminar::api
