#pragma once

/// Reading of `storage.*` options and of the environment, and of URLs: what is the same for all object
/// stores.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/object_store.h"

namespace laminar {

/// Environment variables by name; null where there is none.
using Environment = std::function<const char*(const char* name)>;
/// That of the process.
Environment ProcessEnvironment();

/// Options by their proper names, however they were written: with or without `storage.` and the vendor's
/// prefix, in any case, with '-' or '_'. ExternalErrors are of `system`.
class StorageOptionReader {
 public:
  /// `names`: what there is; they begin with `vendor` and '_'. ExternalError for others.
  StorageOptionReader(std::string system, std::string_view vendor, std::vector<std::string> names,
                      const StorageOptions& options, const Environment& environment);

  /// Empty when it is not given.
  std::string Text(const std::string& name) const;
  /// The option, else the first of these variables that is set.
  std::string Text(const std::string& name, const std::vector<const char*>& variables) const;
  std::optional<bool> Boolean(const std::string& name) const;
  std::string Variable(const char* name) const;
  [[noreturn]] void Refuse(const std::string& message) const;
  /// `scheme://host…` without '/' at its end; an ExternalError when it is none or holds credentials.
  std::string CheckedEndpoint(const std::string& endpoint) const;

 private:
  const std::string system_;
  const Environment& environment_;
  std::map<std::string, std::string> options_;
};

std::string LowerText(std::string text);
/// Cuts `prefix` (in small letters) off `text`, whatever its case; false when it does not begin so.
bool TakePrefix(std::string_view* text, std::string_view prefix);
/// `host/rest` → both; no slash: all is host.
std::pair<std::string, std::string> CutAtSlash(std::string_view text);
std::string WithoutSlashes(std::string text);

}  // namespace laminar
