#include "api/time_limit.h"

#include <atomic>

namespace laminar::api {

namespace {

/// Each holds a thread; those that hang hold it for good.
constexpr int kPlaces = 32;
std::atomic<int> taken{0};

}  // namespace

WorkPlace::WorkPlace() {
  if (++taken <= kPlaces) return;
  --taken;
  throw ApiError(429, "RATE_LIMITED", "too many tests are under way: try again later",
                 {{"retry_after_seconds", 1}});
}

WorkPlace::~WorkPlace() { --taken; }

ApiError TookTooLong(const std::string& what, int64_t limit_us) {
  const int64_t milliseconds = limit_us / 1000;
  return {504,
          "TIMEOUT",
          what + " took longer than " + std::to_string(milliseconds) + " ms",
          {{"limit_ms", milliseconds}}};
}

}  // namespace laminar::api
