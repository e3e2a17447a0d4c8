#pragma once

/// The list of connectors. One line in register_connectors.cc adds one.

#include "connectors/connector.h"

namespace laminar {

void RegisterAllConnectors(ConnectorRegistry& registry);

}  // namespace laminar
