#pragma once

/// Records of a batch as lines, gathered into large writes.

#include <arrow/type_fwd.h>

#include <string>

#include "types/batch.h"

namespace laminar {

/// Appends each record of the first column (BINARY, as encoders make it) with a newline. NULL records are
/// left out.
void AppendLines(const Batch& records, std::string* out);

/// Write once this much has gathered.
inline constexpr size_t kLineBufferBytes = 256 << 10;

}  // namespace laminar
