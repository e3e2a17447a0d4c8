#pragma once

/// The watermark of an operator from those of its input channels (docs/runtime.md "Watermarks"). Pure
/// arithmetic.

#include <cstdint>
#include <vector>

#include "runtime/operator.h"

namespace laminar {

class WatermarkMerge {
 public:
  explicit WatermarkMerge(int inputs) : inputs_(static_cast<size_t>(inputs)) {}

  /// Starts from the watermark of a checkpoint: nothing below it comes out any more.
  void Restore(int64_t watermark_us) { watermark_us_ = watermark_us; }
  void Advance(int input, int64_t watermark_us);
  void SetIdle(int input, bool idle);
  /// The data of `input` has ended: it counts as +∞. (An input that was stopped keeps its watermark: don't
  /// call this.)
  void End(int input);

  /// Never falls. kMaxWatermark once all have ended.
  int64_t watermark_us() const { return watermark_us_; }
  /// Nothing is coming: all inputs that have not ended are idle, and there is one.
  bool idle() const { return idle_; }

 private:
  struct Input {
    int64_t watermark_us = kMinWatermark;
    bool idle = false;
    bool ended = false;
  };
  void Merge();

  std::vector<Input> inputs_;
  int64_t watermark_us_ = kMinWatermark;
  bool idle_ = false;
};

}  // namespace laminar
