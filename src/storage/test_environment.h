#pragma once

#include <map>
#include <string>
#include <utility>

#include "storage/storage_options.h"

namespace laminar {

/// An environment of these variables alone, for tests of who reads which.
inline Environment Variables(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const char* name) -> const char* {
    const auto found = values.find(name);
    return found == values.end() ? nullptr : found->second.c_str();
  };
}

}  // namespace laminar
