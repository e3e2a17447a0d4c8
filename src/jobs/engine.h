#pragma once

/// What planning needs of the build: the registries of functions, formats and connectors.

#include "connectors/connector.h"
#include "formats/format.h"
#include "functions/registry.h"
#include "sql/planner.h"
#include "state/state_memory.h"

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

/// What a script's SET options say of the memory of its state.
inline StateMemoryOptions StateMemoryOf(const sql::Settings& settings) {
  StateMemoryOptions options;
  const bool limited = settings.state_backend.empty() && settings.state_memory_limit > 0;
  if (limited || settings.state_backend == "disk") options.backend = StateBackend::kDisk;
  options.limit_bytes = settings.state_memory_limit;
  options.directory = settings.state_directory;
  return options;
}

}  // namespace laminar
