#pragma once

#include "connectors/connector.h"

namespace laminar {

/// Swallows rows and counts them.
void RegisterBlackhole(ConnectorRegistry& registry);

}  // namespace laminar
