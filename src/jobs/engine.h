#pragma once

/// What planning needs of the build: the registries of functions, formats and connectors.

#include "connectors/connector.h"
#include "formats/format.h"
#include "functions/registry.h"
#include "sql/planner.h"

namespace laminar {

struct Engine {
  const FunctionRegistry* functions = nullptr;
  const FormatRegistry* formats = nullptr;
  const ConnectorRegistry* connectors = nullptr;

  sql::BinderOptions binder_options() const {
    sql::BinderOptions options;
    options.functions = functions;
    options.formats = formats;
    options.connectors = connectors;
    return options;
  }
};

}  // namespace laminar
