#pragma once

/// Counters of one subtask of one operator. The task writes, anyone may read at any time.

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

/// Rows by how long they took, in four buckets for each power of two microseconds: a percentile read from it
/// is off by a tenth.
class LatencyHistogram {
 public:
  static constexpr int kBuckets = 128;  ///< the last takes all from 2 hours on

  void Add(int64_t us, int64_t rows) { buckets_[static_cast<size_t>(BucketOf(us))].Add(rows); }
  int64_t rows(int bucket) const { return buckets_[static_cast<size_t>(bucket)].value(); }

  static int BucketOf(int64_t us) {
    if (us < 4) return us < 0 ? 0 : static_cast<int>(us);
    const int power = std::bit_width(static_cast<uint64_t>(us)) - 1;
    return std::min(kBuckets - 1, power * 4 + static_cast<int>((us >> (power - 2)) & 3) - 4);
  }
  /// Least and first greater value of a bucket.
  static int64_t LowerUs(int bucket) {
    if (bucket < 4) return bucket;
    return (4LL + bucket % 4) << (bucket / 4 - 1);
  }

 private:
  std::array<Counter, kBuckets> buckets_;
};

/// A source split as its watermark generator sees it.
struct SplitStatus {
  std::string name;
  int64_t watermark_us = 0;  ///< INT64_MIN: none yet
  int64_t last_row_us = 0;   ///< wall clock; 0: no row yet
  bool idle = false;
};

/// What is handed over now and then under a lock. The task gives, one reader takes.
class StatusBoard {
 public:
  void SetSplits(std::vector<SplitStatus> splits) {
    std::lock_guard lock(mutex_);
    splits_ = std::move(splits);
  }
  std::vector<SplitStatus> splits() const {
    std::lock_guard lock(mutex_);
    return splits_;
  }
  /// A bad record that was dropped: one is kept until it is taken, the others are only counted elsewhere.
  bool wants_bad_record() const { return !has_bad_.load(std::memory_order_relaxed); }
  void GiveBadRecord(std::string error, std::string_view record) {
    std::lock_guard lock(mutex_);
    bad_error_ = std::move(error);
    bad_record_ = std::string(record);
    has_bad_.store(true, std::memory_order_relaxed);
  }
  bool TakeBadRecord(std::string* error, std::string* record) {
    if (!has_bad_.load(std::memory_order_relaxed)) return false;
    std::lock_guard lock(mutex_);
    *error = std::move(bad_error_);
    *record = std::move(bad_record_);
    has_bad_.store(false, std::memory_order_relaxed);
    return true;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<SplitStatus> splits_;     // guarded by mutex_
  std::string bad_error_, bad_record_;  // guarded by mutex_
  std::atomic<bool> has_bad_{false};
};

struct OperatorMetrics {
  Counter rows_in;
  Counter rows_out;
  Counter bytes_in;          ///< sources and decoders: bytes read
  Counter bytes_out;         ///< sinks: of the records; else what left over channels
  Counter late_rows;         ///< dropped: every window of the row had closed (metric `late_records`)
  Counter bad_records;       ///< dropped by `bad_data`
  Counter timers;            ///< that fired by the wall clock
  Counter expired_keys;      ///< keys dropped by `updating_ttl`
  Counter state_rows;        ///< entries held in state, as of the last flush
  Counter watermark_us;      ///< INT64_MIN before the first
  Counter busy_us;           ///< time spent in this operator's chain
  Counter splits;            ///< sources: splits that are not finished
  LatencyHistogram latency;  ///< sinks: from a row's arrival at the source, or of what let it out, to Write
  mutable StatusBoard board;
};

}  // namespace laminar
