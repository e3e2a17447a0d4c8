#pragma once

/// Time comes in through this interface so that tests and the simulator can be the clock.

#include <cstdint>

namespace laminar {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall clock, microseconds since 1970-01-01T00:00Z.
  virtual int64_t now_us() const = 0;
  /// Never goes back; for intervals and rates only.
  virtual int64_t monotonic_us() const = 0;
};

/// The machine's clock. Thread-safe.
class SystemClock final : public Clock {
 public:
  int64_t now_us() const override;
  int64_t monotonic_us() const override;
};

/// A clock that stands still until told. Not thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(int64_t start_us = 0) : now_us_(start_us) {}
  int64_t now_us() const override { return now_us_; }
  int64_t monotonic_us() const override { return now_us_; }
  void Advance(int64_t us) { now_us_ += us; }
  void Set(int64_t us) { now_us_ = us; }

 private:
  int64_t now_us_;
};

}  // namespace laminar
