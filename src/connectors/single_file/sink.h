#pragma once

#include <memory>
#include <string>

#include "runtime/sink.h"

namespace laminar {

/// Writes records as lines to `path`, which is made or emptied at the first start. State: path → length; a
/// restored sink cuts the file back to it, so that rows written after the checkpoint appear once. `header`
/// opens the file.
std::unique_ptr<Sink> MakeSingleFileSink(std::string path, std::string header);

}  // namespace laminar
