#include "api/server_config.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "connectors/option_text.h"
#include "storage/secret_option.h"

namespace laminar::api {

namespace {

Json FromToml(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return number->get();
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* list = node.as_array()) {
    Json out = Json::array();
    for (const toml::node& item : *list) out.push_back(FromToml(item));
    return out;
  }
  return nullptr;
}

/// What stands behind it are the store's own names.
constexpr char kStorage[] = "checkpoint_storage.";

/// Named by the API's contract. A source hands on what it has, and never waits for more; a job is a process
/// with as many subtasks as it is asked for.
constexpr char kLinger[] = "pipeline.source_batch_linger";
constexpr char kTaskSlots[] = "worker.task_slots";

UserError Wrong(const std::string& name, const std::string& reason, const std::string& origin) {
  return UserError(Reason::kBadOption, {}, "setting '" + name + "' (" + origin + ") " + reason);
}

}  // namespace

ServerConfig::ServerConfig() {
  const auto add = [&](const char* name, Json value, bool secret = false, bool duration = false) {
    settings_.push_back({name, value, value, secret, duration, "default"});
  };
  add("data_dir", "./laminar-data");
  add("api.bind_address", "127.0.0.1");
  add("api.http_port", 5115);
  add("api.auth.mode", "auto");
  add("api.auth.tokens", Json::array(), true);
  add("api.cors_origins", Json::array({"*"}));
  add("api.connections_max", 1000);
  add("api.request_timeout", "30s", false, true);
  add("api.test_timeout", "30s", false, true);
  add("metrics.open", true);
  add("database.type", "sqlite");
  add("database.url", "", true);
  add("checkpoint_url", "");
  add("default_checkpoint_interval", "10s", false, true);
  add("secrets.file", "");
  add("secrets.env_allow", Json::array({"*"}));
  add("pipeline.allowed_restarts", 20);
  add("pipeline.healthy_duration", "2 min", false, true);
  add("pipeline.worker_timeout", "5s", false, true);
  add("pipeline.update_aggregate_flush_interval", "200ms", false, true);
  add("pipeline.source_batch_size", 8192);
  add(kLinger, "10ms", false, true);
  add(kTaskSlots, 16);
}

const ServerConfig::Setting& ServerConfig::Find(const std::string& name) const {
  const auto found =
      std::find_if(settings_.begin(), settings_.end(), [&](const Setting& s) { return s.name == name; });
  LAMINAR_CHECK(found != settings_.end(), "no setting " + name);
  return *found;
}

ServerConfig::Setting& ServerConfig::FindForSet(const std::string& name, const std::string& origin) {
  std::vector<std::string> known;
  if (name.starts_with(kStorage) && name.size() > sizeof kStorage - 1) {
    const bool is_new = std::none_of(settings_.begin(), settings_.end(),
                                     [&](const Setting& setting) { return setting.name == name; });
    if (is_new) settings_.push_back({name, "", "", IsSecretStorageOption(name), false, "default"});
  }
  for (Setting& setting : settings_) {
    if (FoldOptionName(setting.name) == FoldOptionName(name)) return setting;
    known.push_back(setting.name);
  }
  const std::string nearest = NearestName(name, known);
  UserError error = Wrong(name, "does not exist", origin);
  throw nearest.empty() ? error : error.Hint("did you mean '" + nearest + "'?");
}

void ServerConfig::Set(const std::string& name, const std::string& text, const std::string& origin) {
  Setting& setting = FindForSet(name, origin);
  if (setting.default_value.is_number_integer()) {
    const auto number = ParseIntegerText(text);
    if (!number) throw Wrong(name, "is a whole number, not '" + text + "'", origin);
    setting.value = *number;
  } else if (setting.default_value.is_boolean()) {
    const auto flag = ParseBooleanText(text);
    if (!flag) throw Wrong(name, "is true or false, not '" + text + "'", origin);
    setting.value = *flag;
  } else if (setting.default_value.is_array()) {
    setting.value = ParseList(text);
  } else {
    if (setting.duration && !ParseDurationUs(text))
      throw Wrong(name, "is a duration, not '" + text + "'", origin);
    setting.value = text;
  }
  setting.origin = origin;
}

void ServerConfig::ReadFile(const std::string& path) {
  if (!std::filesystem::is_regular_file(path))
    throw UserError(Reason::kBadOption, {}, "no configuration file '" + path + "'");
  toml::table root;
  try {
    root = toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    throw UserError(Reason::kBadOption, {},
                    "configuration file '" + path + "': " + std::string(error.description()) + " (line " +
                        std::to_string(error.source().begin.line) + ")");
  }
  const std::function<void(const std::string&, const toml::table&)> walk = [&](const std::string& prefix,
                                                                               const toml::table& table) {
    for (const auto& [key, node] : table) {
      const std::string name = prefix + std::string(key.str());
      if (const auto* inner = node.as_table()) {
        walk(name + ".", *inner);
        continue;
      }
      const Json value = FromToml(node);
      if (value.is_array()) {
        Setting& setting = FindForSet(name, path);
        if (!setting.default_value.is_array()) throw Wrong(name, "is no list", path);
        setting.value = value;
        setting.origin = "file";
      } else {
        Set(name, value.is_string() ? value.get<std::string>() : value.dump(), "file");
      }
    }
  };
  walk("", root);
}

void ServerConfig::ReadEnvironment(char** environment) {
  for (char** entry = environment; *entry; ++entry) {
    const std::string text = *entry;
    const size_t equal = text.find('=');
    if (!text.starts_with("LAMINAR__") || equal == std::string::npos) continue;
    std::string name = LowerCase(text.substr(9, equal - 9));
    for (size_t at = 0; (at = name.find("__", at)) != std::string::npos;) name.replace(at, 2, ".");
    Set(name, text.substr(equal + 1), "environment");
  }
  if (const char* tokens = std::getenv("LAMINAR_API_TOKENS")) Set("api.auth.tokens", tokens, "environment");
  if (const char* file = std::getenv("LAMINAR_SECRETS_FILE")) Set("secrets.file", file, "environment");
}

std::string ServerConfig::Text(const std::string& name) const { return Find(name).value.get<std::string>(); }
int64_t ServerConfig::Integer(const std::string& name) const { return Find(name).value.get<int64_t>(); }
bool ServerConfig::Boolean(const std::string& name) const { return Find(name).value.get<bool>(); }
std::vector<std::string> ServerConfig::List(const std::string& name) const {
  return Find(name).value.get<std::vector<std::string>>();
}
int64_t ServerConfig::DurationUs(const std::string& name) const {
  return ParseDurationUs(Text(name)).value_or(0);
}
std::vector<std::string> ServerConfig::SetWithoutEffect() const {
  std::vector<std::string> out;
  for (const char* name : {kLinger, kTaskSlots}) {
    if (!IsDefault(name)) out.emplace_back(name);
  }
  return out;
}
bool ServerConfig::IsDefault(const std::string& name) const { return Find(name).origin == "default"; }

std::map<std::string, std::string> ServerConfig::CheckpointStorage() const {
  std::map<std::string, std::string> options;
  for (const Setting& setting : settings_) {
    if (setting.name.starts_with(kStorage)) {
      options[setting.name.substr(sizeof kStorage - 1)] = setting.value.get<std::string>();
    }
  }
  return options;
}

std::vector<ShownSetting> ServerConfig::Shown() const {
  std::vector<ShownSetting> out;
  for (const Setting& setting : settings_) {
    const bool hide = setting.secret && setting.value != setting.default_value;
    out.push_back(
        {setting.name, hide ? Json("********") : setting.value, setting.default_value, setting.origin});
  }
  return out;
}

std::string ServerConfig::Print() const {
  std::map<std::string, std::string> sections;  // by name; "" comes first
  for (const ShownSetting& setting : Shown()) {
    const size_t dot = setting.name.rfind('.');
    const bool hidden = setting.value != setting.default_value && setting.value == "********";
    sections[dot == std::string::npos ? "" : setting.name.substr(0, dot)] +=
        (hidden ? "# " : "") + setting.name.substr(dot == std::string::npos ? 0 : dot + 1) + " = " +
        setting.value.dump() + "  # " + setting.origin + "\n";
  }
  std::string out;
  for (const auto& [name, lines] : sections) out += (name.empty() ? "" : "\n[" + name + "]\n") + lines;
  return out;
}

}  // namespace laminar::api
