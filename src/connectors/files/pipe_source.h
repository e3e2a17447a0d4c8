#pragma once

/// Reads standard input, or a path that is no regular file (a FIFO, a device), on a thread of its own.

#include <memory>
#include <string>

#include "connectors/files/file_split.h"
#include "runtime/source.h"

namespace laminar {

/// One split, on subtask 0. `path` "-" is standard input. The state holds how many bytes were read; since a
/// pipe cannot be rewound, a restored source leaves out that many bytes of what it is given: right when the
/// same input comes again.
std::unique_ptr<Source> MakePipeSource(std::string path, std::shared_ptr<const FileReadSpec> spec);

}  // namespace laminar
