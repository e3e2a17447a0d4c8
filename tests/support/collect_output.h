#pragma once

/// An Output that remembers what an operator sent.

#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/operator.h"
#include "support/batch_text.h"

namespace laminar {

class CollectingOutput final : public Output {
 public:
  void Emit(Batch batch) override { batches.push_back(std::move(batch)); }
  /// As the runtime does: falling or equal values are ignored.
  void EmitWatermark(int64_t watermark_us) override {
    if (watermarks.empty() || watermark_us > watermarks.back()) {
      watermarks.push_back(watermark_us);
      rows_before_watermark.push_back(num_rows());
    }
  }
  void EmitIdle(bool idle) override { idles.push_back(idle); }
  void EmitSplit(const SplitEvent& event) override { splits.push_back(event); }

  int64_t num_rows() const {
    int64_t rows = 0;
    for (const Batch& batch : batches) rows += batch.num_rows;
    return rows;
  }
  /// All rows in the order sent, one "+ value value" or "- …" line each (see FormatBatch). Forgets them.
  std::string TakeText() {
    std::string text;
    for (const Batch& batch : std::exchange(batches, {})) text += FormatBatch(batch);
    return text;
  }
  /// The sum of weights per row text; rows that cancel are left out. Keeps the batches.
  std::map<std::string, int64_t> Consolidated() const { return Consolidate(batches); }

  std::vector<Batch> batches;
  std::vector<int64_t> watermarks;
  std::vector<int64_t> rows_before_watermark;  ///< rows sent when watermarks[i] was
  std::vector<bool> idles;
  std::vector<SplitEvent> splits;
};

}  // namespace laminar
