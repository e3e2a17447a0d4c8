#pragma once

/// Counters of one subtask of one operator. The task writes, anyone may read at any time.

#include <atomic>
#include <cstdint>

namespace laminar {

/// A number that only its task changes; readers see a recent value.
class Counter {
 public:
  void Add(int64_t n) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  void Set(int64_t n) { value_.store(n, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

struct OperatorMetrics {
  Counter rows_in;
  Counter rows_out;
  Counter bytes_in;      ///< sources and decoders: bytes read
  Counter late_rows;     ///< dropped: every window of the row had closed (metric `late_records`)
  Counter bad_records;   ///< dropped by `bad_data`
  Counter expired_keys;  ///< keys dropped by `updating_ttl`
  Counter state_rows;    ///< entries held in state, as of the last flush
  Counter watermark_us;  ///< INT64_MIN before the first
  Counter busy_us;       ///< time spent in this operator's chain
};

}  // namespace laminar
