#pragma once

#include "runtime/checkpoint.h"

namespace laminar {

/// What leads from one snapshot to a later one, for Executor::UseState.
RestoreFunction ChangesBetween(const JobSnapshot& older, const JobSnapshot& newer);

}  // namespace laminar
