#pragma once

/// How subtasks' numbers are laid out in a worker's report, for those who read them.

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

namespace laminar {

inline constexpr int64_t kNoWatermark = std::numeric_limits<int64_t>::min();
inline constexpr int64_t kEndWatermark = std::numeric_limits<int64_t>::max();

/// Places of the numbers in a subtask's report (Worker::SendMetrics).
enum ReportedNumber {
  kNode,
  kSubtask,
  kIn,
  kOut,
  kBytes,
  kLate,
  kBad,
  kState,
  kWatermark,
  kBusy,
  kQueue,
  kQueueMax,
  kTask,
  kBytesOut,
  kSplits,
  kNumbers
};

inline nlohmann::json WatermarkMs(int64_t watermark_us) {
  return watermark_us == kNoWatermark || watermark_us == kEndWatermark ? nlohmann::json()
                                                                       : nlohmann::json(watermark_us / 1000);
}

inline std::string KindOf(const std::string& operator_id) {
  return operator_id.substr(0, operator_id.find('_'));
}

}  // namespace laminar
