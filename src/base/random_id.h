#pragma once

/// Ids that clients see: a prefix that says the kind, and ten random letters and digits.

#include <string>
#include <string_view>

namespace laminar {

/// `pipe_` + 10 of [0-9A-Za-z], drawn from the system's random source. Thread-safe.
std::string RandomId(std::string_view prefix);
/// `bytes` from the system's random source. Thread-safe.
std::string RandomBytes(size_t bytes);

}  // namespace laminar
