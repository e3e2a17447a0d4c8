#pragma once

/// LIMIT n OFFSET m: skips m rows, passes n, then says that no more input is needed, which ends the job's
/// sources where nothing else reads them. Counts are state. Needs all rows in one subtask, and an append-only
/// input.

#include <cstdint>
#include <memory>
#include <optional>

#include "runtime/operator.h"

namespace laminar {

struct LimitOptions {
  std::optional<int64_t> limit = std::nullopt;  ///< nullopt: OFFSET alone
  int64_t offset = 0;
};

std::unique_ptr<Operator> MakeLimit(LimitOptions options);

}  // namespace laminar
