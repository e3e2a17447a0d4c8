#pragma once

#include "connectors/connector.h"

namespace laminar {

/// Connectors whose clients are not in this build: listed (`enabled: false`) and checked, so that profiles,
/// tables and pipelines can be made; a job that uses one fails at its start and says so. A connector that
/// gets its client leaves this list.
void RegisterDescribed(ConnectorRegistry& registry);

}  // namespace laminar
