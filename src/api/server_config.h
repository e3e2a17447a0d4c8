#pragma once

/// Settings of the server: defaults, a TOML file, LAMINAR__A__B variables, flags; later ones win.

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/api_context.h"

namespace laminar::api {

class ServerConfig {
 public:
  ServerConfig();
  /// Throw UserError for names that do not exist (with the nearest) and values of another type.
  void ReadFile(const std::string& path);
  void ReadEnvironment(char** environment);
  void Set(const std::string& name, const std::string& text, const std::string& origin);

  std::string Text(const std::string& name) const;
  int64_t Integer(const std::string& name) const;
  bool Boolean(const std::string& name) const;
  std::vector<std::string> List(const std::string& name) const;
  int64_t DurationUs(const std::string& name) const;
  /// Settings of other engines that are known, set, and mean nothing here.
  std::vector<std::string> SetWithoutEffect() const;
  bool IsDefault(const std::string& name) const;
  /// Settings `checkpoint_storage.NAME`, by NAME: options of the store that checkpoint_url names.
  std::map<std::string, std::string> CheckpointStorage() const;
  /// All, with secrets hidden.
  std::vector<ShownSetting> Shown() const;
  /// As a TOML file.
  std::string Print() const;

 private:
  struct Setting {
    std::string name;
    Json value;
    Json default_value;
    bool secret = false;
    bool duration = false;
    std::string origin = "default";
  };
  const Setting& Find(const std::string& name) const;
  Setting& FindForSet(const std::string& name, const std::string& origin);
  std::vector<Setting> settings_;
};

}  // namespace laminar::api
