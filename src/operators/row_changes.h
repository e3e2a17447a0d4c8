#pragma once

/// From old and new rows of some keys to a batch of changes. Used by operators that net changes per flush.

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "types/batch.h"

namespace laminar {

/// out[i]: whether row `left_rows[i]` of `left` and row `right_rows[i]` of `right` differ in any column (bit
/// by bit, NULL equals NULL). Columns must have the same types.
std::vector<bool> RowsDiffer(const std::vector<std::shared_ptr<arrow::Array>>& left,
                             const std::vector<int32_t>& left_rows,
                             const std::vector<std::shared_ptr<arrow::Array>>& right,
                             const std::vector<int32_t>& right_rows);

}  // namespace laminar
