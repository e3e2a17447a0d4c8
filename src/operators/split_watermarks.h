#pragma once

/// The watermark of a source's rows: the minimum over the splits that are not idle and not finished. Pure
/// arithmetic over times in µs; the operator around it is watermark_generator.h.

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/operator.h"

namespace laminar {

class SplitWatermarks {
 public:
  /// `idle_time_us` ≤ 0: splits never become idle by time.
  explicit SplitWatermarks(int64_t idle_time_us) : idle_time_us_(idle_time_us) {}

  struct Saved {
    int64_t watermark_us;
    bool idle;
  };

  /// What a checkpoint knew about the split of that name, before it is started.
  void Restore(const std::string& name, Saved saved) { restored_[name] = saved; }
  /// No watermark below this comes out.
  void RestoreWatermark(int64_t watermark_us) { watermark_us_ = watermark_us; }

  void Start(int32_t split, const std::string& name, int64_t now_us);
  void Finish(int32_t split);
  void MarkIdle(int32_t split);
  /// Rows of `split` came (an unknown one is started); takes it out of idleness.
  void Touch(int32_t split, int64_t now_us);
  /// Touched before: `watermark_us` is what its rows up to now promise.
  void Advance(int32_t split, int64_t watermark_us);
  /// Makes splits idle that had no row for `idle_time`.
  void Expire(int64_t now_us);
  /// When Expire may have something to do; nullopt: never.
  std::optional<int64_t> next_expiry_us() const;

  /// Never falls; kMinWatermark while a split has sent nothing yet.
  int64_t watermark_us() const { return watermark_us_; }
  /// No split is active. True before the first has started.
  bool idle() const { return active_ == 0; }

  /// Calls `take(name, saved)` for each split that is not finished.
  /// For metrics: those that have been started.
  std::vector<SplitStatus> Status(size_t most) const {
    std::vector<SplitStatus> out;
    for (const auto& [split, state] : splits_) {
      if (out.size() >= most) break;
      out.push_back({state.name, state.watermark_us, state.last_row_us, state.idle});
    }
    return out;
  }

  template <typename Take>
  void ForEach(Take&& take) const {
    for (const auto& [name, saved] : restored_) take(name, saved);
    for (const auto& [split, state] : splits_) {
      take(state.name, Saved{std::max(state.watermark_us, state.restored_us), state.idle});
    }
  }

 private:
  struct Split {
    std::string name;
    int64_t watermark_us = kMinWatermark;
    /// What a checkpoint knew. Counts from the first row on: until then others may yet be started that stood
    /// behind it.
    int64_t restored_us = kMinWatermark;
    int64_t last_row_us = 0;
    bool idle = false;
  };
  Split& Find(int32_t split, int64_t now_us);
  void SetIdle(Split& split, bool idle);
  void Merge();

  const int64_t idle_time_us_;
  std::unordered_map<int32_t, Split> splits_;
  std::map<std::string, Saved> restored_;  ///< not started yet
  int64_t watermark_us_ = kMinWatermark;
  int64_t minimum_us_ = kMinWatermark;  ///< over active splits, as of the last Merge
  int active_ = 0;
  int64_t check_us_ = kMaxWatermark;  ///< no split expires before this
};

}  // namespace laminar
