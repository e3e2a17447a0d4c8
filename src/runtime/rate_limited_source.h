#pragma once

/// A source that holds another one to a number of rows per second (option `rate_limit`).

#include <functional>
#include <memory>
#include <string_view>

#include "runtime/source.h"

namespace laminar {

/// `rows_in` tells how many rows a batch of `source` stands for (a block of lines is one row of bytes).
std::unique_ptr<Source> MakeRateLimitedSource(std::unique_ptr<Source> source, double rows_per_second,
                                              std::function<int64_t(const Batch&)> rows_in);

}  // namespace laminar
