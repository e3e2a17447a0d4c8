#pragma once

/// Completes changes whose old row is not known: keeps the last row of each primary key and takes that one
/// back when the key changes, whatever the change itself says its old row was. So what is taken back is
/// always what was sent.
///
/// Weights of the input: +1 the key's row, −1 the key's row goes; and from formats that do not know the old
/// row ±kWithoutOldRow: +, the key's new row, whether or not there was one; −, the key's row goes, of which
/// only the key is given. Output: +1 and −1. A row goes only if it is there: what was never sent is not taken
/// back.
///
/// State: one row per key, for ever.

#include <memory>
#include <vector>

#include "runtime/operator.h"
#include "types/type.h"

namespace laminar {

struct LastRowsOptions {
  Schema input;
  std::vector<int> keys;  ///< the primary key; rows are dealt by it
};

std::unique_ptr<Operator> MakeLastRows(LastRowsOptions options);

}  // namespace laminar
