#pragma once

/// Where a table's files are: the URL forms of object stores and of the local disk.

#include <string>

#include "base/error.h"

namespace laminar {

/// The local path of `/abs`, `relative`, `-`, `file:///p`, `file:/p` and `file://localhost/p`. Throws
/// UserError(kUnsupported) for the URL of an object store and (kBadOption) for what is neither.
std::string LocalPathOf(const std::string& url, SourceSpan span);

}  // namespace laminar
