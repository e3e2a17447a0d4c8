#pragma once

/// Where Arrow's Status meets our exceptions: converted once, at the edge.

#include <arrow/result.h>
#include <arrow/status.h>

#include <string>
#include <utility>

#include "base/error.h"

namespace laminar {

/// Throws QueryError for what a row of data caused (Invalid, TypeError), ExternalError for I/O, and aborts
/// on anything that only a bug of ours can cause.
inline void OrThrow(const arrow::Status& status, const char* context = "") {
  if (status.ok()) [[likely]] {
    return;
  }
  std::string message = *context ? std::string(context) + ": " + status.message() : status.message();
  if (status.IsIOError()) throw ExternalError("file", message);
  throw QueryError(std::move(message));
}

template <typename T>
T OrThrow(arrow::Result<T> result, const char* context = "") {
  if (!result.ok()) [[unlikely]] {
    OrThrow(result.status(), context);
  }
  return std::move(result).MoveValueUnsafe();
}

}  // namespace laminar
