#include "runtime/watermark_merge.h"

#include <algorithm>

namespace laminar {

void WatermarkMerge::Advance(int input, int64_t watermark_us) {
  Input& state = inputs_[static_cast<size_t>(input)];
  if (watermark_us <= state.watermark_us) return;
  state.watermark_us = watermark_us;
  Merge();
}

void WatermarkMerge::SetIdle(int input, bool idle) {
  inputs_[static_cast<size_t>(input)].idle = idle;
  Merge();
}

void WatermarkMerge::End(int input) {
  inputs_[static_cast<size_t>(input)].ended = true;
  Merge();
}

void WatermarkMerge::Merge() {
  int64_t minimum = kMaxWatermark;
  bool any_active = false;
  bool any_open = false;
  bool any_ended = false;
  for (const Input& input : inputs_) {
    if (input.ended) {
      any_ended = true;
      continue;
    }
    any_open = true;
    if (input.idle) continue;
    any_active = true;
    minimum = std::min(minimum, input.watermark_us);
  }
  // Beside an ended input the others may be about to end too (subtasks without splits): announcing idleness
  // would let the consumer run ahead of the rows that come with the end.
  idle_ = any_open && !any_active && !any_ended;
  // All idle: the watermark stays where it is. Ended ones beside them must not lift it to +∞, or the rows of
  // an input that wakes up later would all be late.
  if (any_active || !any_open) watermark_us_ = std::max(watermark_us_, minimum);
}

}  // namespace laminar
