#pragma once

/// Turns records into rows: column 0 of the input holds bytes (each value a message, or a block of framed
/// records), the columns after it are metadata of the record and are repeated for each of its rows, behind
/// the decoded columns. NULL bytes give no row. No state.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "formats/format.h"
#include "operators/bad_records.h"
#include "runtime/operator.h"

namespace laminar {

struct DecodeOptions {
  std::function<std::unique_ptr<Decoder>()> make_decoder = {};  ///< called once per subtask
  BadDataPolicy bad_data = BadDataPolicy::kFail;
  std::string source_name = {};  ///< for messages and dead letters (output kDeadLetterOutput)
  int64_t rows_max = 8192;       ///< in one output batch, about
};

std::unique_ptr<Operator> MakeDecode(DecodeOptions options);

}  // namespace laminar
