#include "operators/split_watermarks.h"

#include <algorithm>

namespace laminar {

void SplitWatermarks::Start(int32_t split, const std::string& name, int64_t now_us) {
  const auto [entry, added] = splits_.try_emplace(split);
  if (!added) return;
  Split& state = entry->second;
  state.name = name;
  state.last_row_us = now_us;
  state.idle = true;
  const auto saved = restored_.find(name);
  if (saved != restored_.end()) state.restored_us = saved->second.watermark_us;
  const bool stays_idle = saved != restored_.end() && saved->second.idle;
  if (saved != restored_.end()) restored_.erase(saved);
  if (idle_time_us_ > 0) check_us_ = std::min(check_us_, now_us + idle_time_us_);
  if (stays_idle) return;
  SetIdle(state, false);
  // Not Merge: thousands of splits may start in a row.
  minimum_us_ = active_ == 1 ? state.watermark_us : std::min(minimum_us_, state.watermark_us);
  watermark_us_ = std::max(watermark_us_, minimum_us_);
}

SplitWatermarks::Split& SplitWatermarks::Find(int32_t split, int64_t now_us) {
  const auto found = splits_.find(split);
  if (found != splits_.end()) return found->second;
  Start(split, "#" + std::to_string(split), now_us);
  return splits_.at(split);
}

void SplitWatermarks::SetIdle(Split& split, bool idle) {
  if (split.idle == idle) return;
  split.idle = idle;
  active_ += idle ? -1 : 1;
}

void SplitWatermarks::Finish(int32_t split) {
  const auto found = splits_.find(split);
  if (found == splits_.end()) return;
  const bool was_slowest = !found->second.idle && found->second.watermark_us <= minimum_us_;
  SetIdle(found->second, true);
  splits_.erase(found);
  if (was_slowest) Merge();
}

void SplitWatermarks::MarkIdle(int32_t split) {
  const auto found = splits_.find(split);
  if (found == splits_.end()) return;
  SetIdle(found->second, true);
  Merge();
}

void SplitWatermarks::Touch(int32_t split, int64_t now_us) {
  Split& state = Find(split, now_us);
  state.last_row_us = now_us;
  if (!state.idle) return;
  SetIdle(state, false);
  if (idle_time_us_ > 0) check_us_ = std::min(check_us_, now_us + idle_time_us_);
  Merge();
}

void SplitWatermarks::Advance(int32_t split, int64_t watermark_us) {
  Split& state = splits_.at(split);
  watermark_us = std::max(watermark_us, state.restored_us);
  if (watermark_us <= state.watermark_us) return;
  // Only the slowest split can move the minimum: the others need no look at all splits.
  const bool was_slowest = state.watermark_us <= minimum_us_;
  state.watermark_us = watermark_us;
  if (was_slowest) Merge();
}

void SplitWatermarks::Expire(int64_t now_us) {
  if (idle_time_us_ <= 0 || now_us < check_us_) return;
  check_us_ = kMaxWatermark;
  for (auto& [id, split] : splits_) {
    if (split.idle) continue;
    const int64_t expiry_us = split.last_row_us + idle_time_us_;
    if (expiry_us <= now_us) {
      SetIdle(split, true);
    } else {
      check_us_ = std::min(check_us_, expiry_us);
    }
  }
  Merge();
}

std::optional<int64_t> SplitWatermarks::next_expiry_us() const {
  if (idle_time_us_ <= 0 || active_ == 0 || check_us_ == kMaxWatermark) return std::nullopt;
  return check_us_;
}

void SplitWatermarks::Merge() {
  if (active_ == 0) return;
  minimum_us_ = kMaxWatermark;
  for (const auto& [id, split] : splits_) {
    if (!split.idle) minimum_us_ = std::min(minimum_us_, split.watermark_us);
  }
  watermark_us_ = std::max(watermark_us_, minimum_us_);
}

}  // namespace laminar
