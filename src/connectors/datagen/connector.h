#pragma once

#include "connectors/connector.h"

namespace laminar {

/// Made-up rows of any declared columns.
void RegisterDatagen(ConnectorRegistry& registry);

}  // namespace laminar
