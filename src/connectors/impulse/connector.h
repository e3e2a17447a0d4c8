#pragma once

#include "connectors/connector.h"

namespace laminar {

/// A counter at a fixed rate.
void RegisterImpulse(ConnectorRegistry& registry);

}  // namespace laminar
