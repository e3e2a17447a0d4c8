#pragma once

#include "connectors/connector.h"

namespace laminar {

/// One local file, or standard input, as a table.
void RegisterSingleFile(ConnectorRegistry& registry);

}  // namespace laminar
