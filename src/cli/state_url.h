#pragma once

/// Where a job's state is, as commands take it: a URL and its store's options.

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "storage/object_store.h"

namespace laminar::cli {

struct StateUrl {
  std::string url;
  std::vector<std::string> options;  ///< name=value

  /// Adds `--state-option`.
  CLI::Option* AddOptionsTo(CLI::App& command);
  /// Throws ExternalError for what no store is.
  std::shared_ptr<ObjectStore> Open(bool create) const;
};

}  // namespace laminar::cli
