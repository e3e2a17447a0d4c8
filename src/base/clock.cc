#include "base/clock.h"

#include <chrono>

namespace laminar {

using std::chrono::duration_cast;
using std::chrono::microseconds;

int64_t SystemClock::now_us() const {
  return duration_cast<microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

int64_t SystemClock::monotonic_us() const {
  return duration_cast<microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace laminar
