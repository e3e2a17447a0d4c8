#pragma once

#include "connectors/connector.h"

namespace laminar {

/// The events of the Nexmark benchmark: people, auctions and bids of an auction house.
void RegisterNexmark(ConnectorRegistry& registry);

}  // namespace laminar
