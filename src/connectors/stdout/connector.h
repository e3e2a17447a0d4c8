#pragma once

#include "connectors/connector.h"

namespace laminar {

/// Rows in their format to standard output, one per line.
void RegisterStdout(ConnectorRegistry& registry);

}  // namespace laminar
