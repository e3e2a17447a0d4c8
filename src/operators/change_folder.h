#pragma once

/// Net changes per key: collects weighted rows, and gives back for each key what is left, −old next to its
/// +new.

#include <cstdint>
#include <vector>

#include "types/batch.h"

namespace laminar {

class ChangeFolder {
 public:
  /// Columns of the key; empty: the whole row is the key, and rows only cancel their equals.
  explicit ChangeFolder(std::vector<int> key_columns);

  void Add(Batch batch);
  int64_t num_rows() const { return num_rows_; }
  int64_t num_bytes() const { return num_bytes_; }
  /// What remains of the rows added since the last call: keys in the order of their first row, each with
  /// weights −1, +1, −1 … while it has both, a row of weight ±n n times. Empty when all cancelled. Weights
  /// are always there.
  Batch Fold();

 private:
  const std::vector<int> key_columns_;
  std::vector<Batch> batches_;
  int64_t num_rows_ = 0;
  int64_t num_bytes_ = 0;
};

}  // namespace laminar
