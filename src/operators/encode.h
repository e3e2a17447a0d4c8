#pragma once

/// Turns rows into records: the output has one BINARY column, then the row time where it is asked for. For
/// changelog formats rows are held back until the flush and folded per primary key, so that −old and +new of
/// a key are neighbours and changes that cancel are not written. Nothing is held over a barrier: no state.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "formats/format.h"
#include "runtime/operator.h"

namespace laminar {

struct EncodeOptions {
  std::function<std::unique_ptr<Encoder>()> make_encoder = {};  ///< called once per subtask
  bool changelog = false;             ///< the format carries changes and the input may have weights
  std::vector<int> primary_key = {};  ///< changelog: columns to fold by; empty: whole rows
  int time_column = -1;               ///< passed on behind the records; append-only formats only
  std::vector<int> columns =
      {};  ///< what is encoded, in this order; empty: all columns (the key refers to the input's)
  int64_t held_rows_max = 65'536;  ///< changelog: folds and writes sooner when so much is held
  int64_t held_bytes_max = 64 << 20;
};

std::unique_ptr<Operator> MakeEncode(EncodeOptions options);

}  // namespace laminar
