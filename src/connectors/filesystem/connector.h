#pragma once

#include "connectors/connector.h"

namespace laminar {

/// A directory of files as a table.
void RegisterFilesystem(ConnectorRegistry& registry);

}  // namespace laminar
