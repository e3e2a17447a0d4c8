#pragma once

/// Which options `storage.*` nobody may see.

#include <algorithm>
#include <cctype>
#include <string>

namespace laminar {

/// Keys, secrets and tokens; not their ids and paths, nor endpoints.
inline bool IsSecretStorageOption(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const char* open : {"_id", "_path", "endpoint"}) {
    if (name.ends_with(open)) return false;
  }
  for (const char* secret : {"key", "secret", "token"}) {
    if (name.find(secret) != std::string::npos) return true;
  }
  return false;
}

}  // namespace laminar
