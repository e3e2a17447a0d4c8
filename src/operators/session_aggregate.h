#pragma once

#include <memory>

#include "operators/window_aggregate.h"

namespace laminar {

/// MakeWindowAggregate for WindowKind::kSession.
std::unique_ptr<Operator> MakeSessionAggregate(WindowAggregateOptions options);

}  // namespace laminar
