#pragma once

/// What formats of changes say with weights before the last row of each key is known (operators/last_rows.h).

#include <cstdint>

namespace laminar {

/// Times +1: a new row of its key, the old one (if any) is not given. Times −1: the row of the key goes, of
/// which only the key is given.
inline constexpr int32_t kWithoutOldRow = 2;

}  // namespace laminar
