#pragma once

/// The one list of everything that can be extended. Included only by cli/ and tests.

#include "connectors/connector.h"
#include "formats/format.h"
#include "functions/registry.h"

namespace laminar {

struct Registries {
  FunctionRegistry functions;
  FormatRegistry formats;
  ConnectorRegistry connectors;
};

/// All of them, built once. Also initialises Arrow compute.
const Registries& AllRegistries();

}  // namespace laminar
