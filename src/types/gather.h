#pragma once

/// Rows of a column by index. Does what arrow::compute::Take does without its dispatch, which costs more than
/// the work itself for the small pieces that a shuffle makes.

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>

namespace laminar {

/// Rows `rows[0..n)` of `column`, each in range. Copies.
std::shared_ptr<arrow::Array> Gather(const std::shared_ptr<arrow::Array>& column, const int32_t* rows,
                                     int64_t n);

}  // namespace laminar
