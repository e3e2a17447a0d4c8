#pragma once

/// VALUES: rows known when planning, sent once.

#include <memory>

#include "runtime/source.h"
#include "types/batch.h"

namespace laminar {

std::unique_ptr<Source> MakeValuesSource(Batch rows);

}  // namespace laminar
