// Connection profiles: create, read, change, delete, test, complete.

#include <algorithm>
#include <chrono>

#include "api/api_context.h"
#include "api/schema_check.h"
#include "api/time_limit.h"
#include "base/clock.h"
#include "base/random_id.h"
#include "connectors/option_text.h"
#include "jobs/table_declaration.h"

namespace laminar::api {

namespace {

Json ShowProfile(const Profile& profile) {
  return {{"id", profile.id},
          {"name", profile.name},
          {"connector", profile.connector},
          {"description", profile.description},
          {"config", MaskSecrets(profile.config)},
          {"created_at", TimeText(profile.created_us)},
          {"updated_at", TimeText(profile.updated_us)}};
}

/// The spec of a profile option, found as SQL finds it; null: no such option.
const OptionSpec* ProfileOption(const ConnectorInfo& info, const std::string& name) {
  const std::string folded = FoldOptionName(name);
  for (const OptionSpec& option : info.options) {
    if (!option.profile) continue;
    if (FoldOptionName(option.name) == folded) return &option;
    for (const std::string& alias : option.aliases) {
      if (FoldOptionName(alias) == folded) return &option;
    }
    if (option.prefix && folded.starts_with(FoldOptionName(option.name))) return &option;
  }
  return nullptr;
}

bool IsSecretOption(const ConnectorInfo& info, const std::string& dotted) {
  const OptionList as_option = {{dotted, ""}};
  const OptionSpec* option = ProfileOption(info, dotted);
  if (!option && dotted.starts_with("authentication."))
    option = ProfileOption(info, "auth." + dotted.substr(15));
  return option && option->secret;
}

/// Names, required ones, and values where the value is no reference.
void CheckProfileConfig(const ConnectorInfo& info, const Json& config) {
  std::vector<std::string> given;
  for (const auto& [name, value] : ProfileOptionList(config)) {
    const OptionSpec* option = ProfileOption(info, name);
    if (!option) {
      std::vector<std::string> known;
      for (const OptionSpec& spec : info.options) {
        if (spec.profile) known.push_back(spec.name);
      }
      const std::string nearest = NearestName(name, known);
      throw Invalid("config." + name, "connector '" + info.id + "' has no profile option '" + name + "'" +
                                          (nearest.empty() ? "" : ", did you mean '" + nearest + "'?"));
    }
    given.push_back(option->name);
    if (HasReference(value)) continue;
    const bool integer = option->type == OptionType::kInteger && !ParseIntegerText(value);
    const bool boolean = option->type == OptionType::kBoolean && !ParseBooleanText(value);
    const bool list = !option->values.empty() &&
                      std::none_of(option->values.begin(), option->values.end(),
                                   [&](const auto& v) { return FoldOptionName(v) == FoldOptionName(value); });
    if (integer || boolean || list) {
      std::string wanted = integer ? "a whole number" : boolean ? "true or false" : "one of";
      if (list) {
        for (const std::string& v : option->values) wanted += " " + v;
      }
      throw Invalid("config." + name,
                    (option->secret ? "the value" : "'" + value + "'") + " is not " + wanted);
    }
  }
  for (const OptionSpec& option : info.options) {
    if (option.profile && option.required && !Contains(given, option.name))
      throw Invalid("config." + option.name, "is required by connector '" + info.id + "'");
  }
}

const ConnectorInfo& ProfileConnector(const ApiContext& context, const std::string& id) {
  const ConnectorInfo& info = ConnectorNamed(context, id).info();
  if (info.profile == ProfileUse::kNone)
    throw Invalid("connector", "connector '" + info.id + "' takes no connection profile");
  return info;
}

Json Encrypted(const ApiContext& context, const ConnectorInfo& info, const Json& config, const Json& stored) {
  return EncryptSecrets(
      config, stored, [&](const std::string& name) { return IsSecretOption(info, name); },
      context.planner.box());
}

std::string EtagOfProfile(const Profile& profile) { return EtagOf(profile.id, profile.updated_us); }

std::string NullableText(const Json& body, const char* name) {
  return body.contains(name) && body[name].is_string() ? body[name].get<std::string>() : "";
}

HttpResponse CreateProfile(ApiContext& context, Call& call) {
  Profile profile;
  profile.name = call.body["name"].get<std::string>();
  const ConnectorInfo& info = ProfileConnector(context, call.body["connector"].get<std::string>());
  profile.connector = info.id;
  profile.description = NullableText(call.body, "description");
  CheckProfileConfig(info, call.body["config"]);
  profile.config = Encrypted(context, info, call.body["config"], Json::object());
  profile.id = RandomId("prof_");
  profile.created_us = profile.updated_us = SystemClock().now_us();
  context.catalog.Update([&](Catalog::Transaction& transaction) {
    if (transaction.FindByName<Profile>(profile.name))
      throw AlreadyExists("connection profile", profile.name);
    transaction.Put(profile);
  });
  return WithEtag(call, Created(ShowProfile(profile), "/api/v1/connection_profiles/" + profile.id),
                  EtagOfProfile(profile));
}

/// Members by any spelling; null removes, the mask keeps.
Json MergedConfig(Json config, const Json& patch) {
  for (const auto& [key, value] : patch.items()) {
    std::string name = key;
    for (const auto& [known, old] : config.items()) {
      if (FoldKey(known) == FoldKey(key)) name = known;
    }
    if (value.is_null()) {
      config.erase(name);
    } else {
      config[name] = value;
    }
  }
  return config;
}

HttpResponse PatchProfile(ApiContext& context, Call& call) {
  Profile changed;
  context.catalog.Update([&](Catalog::Transaction& transaction) {
    const auto found = transaction.Find<Profile>(call.id());
    if (!found) throw NotFound("connection profile", call.id());
    CheckIfMatch(call, EtagOfProfile(*found));
    changed = *found;
    const ConnectorInfo& info = ConnectorNamed(context, changed.connector).info();
    if (call.body.contains("connector") &&
        &ConnectorNamed(context, call.body["connector"].get<std::string>()).info() != &info)
      throw Invalid("connector", "the connector of a profile cannot be changed");
    if (call.body.contains("name")) {
      const std::string name = call.body["name"].get<std::string>();
      const auto other = transaction.FindByName<Profile>(name);
      if (other && other->id != changed.id) throw AlreadyExists("connection profile", name);
      changed.name = name;
    }
    if (call.body.contains("description")) changed.description = NullableText(call.body, "description");
    if (call.body.contains("config")) {
      const Json merged = MergedConfig(changed.config, call.body["config"]);
      CheckProfileConfig(info, merged);
      changed.config = Encrypted(context, info, merged, found->config);
    }
    changed.updated_us = std::max(SystemClock().now_us(), found->updated_us + 1);
    transaction.Put(changed);
  });
  return WithEtag(call, Reply(ShowProfile(changed)), EtagOfProfile(changed));
}

HttpResponse DeleteProfile(ApiContext& context, Call& call) {
  context.catalog.Update([&](Catalog::Transaction& transaction) {
    const auto found = transaction.Find<Profile>(call.id());
    if (!found) throw NotFound("connection profile", call.id());
    CheckIfMatch(call, EtagOfProfile(*found));
    Json used_by = Json::array();
    for (const auto& table : transaction.All<ConnectionTable>()) {
      if (table->profile_id == found->id)
        used_by.push_back({{"kind", "connection_table"}, {"id", table->id}, {"name", table->name}});
    }
    if (!used_by.empty())
      throw InUse("connection profile '" + found->name + "' is used by tables", std::move(used_by));
    transaction.Delete<Profile>(found->id);
  });
  return Reply({{"message", "Connection profile deleted successfully"}});
}

HttpResponse TestProfile(ApiContext& context, const ConnectorInfo& info, const Json& config) {
  CheckProfileConfig(info, config);
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::string> used;
  const Json resolved = context.planner.Resolved(config, {}, &used);
  const Connector* connector = context.engine.connectors->Find(info.id);
  try {
    const auto result = WithTimeLimit<ConnectionTestResult>(
        context.test_limit_us, "the test",
        [connector, options = ProfileOptionList(resolved)] { return connector->TestConnection(options); });
    const auto elapsed =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
    Json details = {{"latency_ms", elapsed.count()},
                    {"version", result.version.empty() ? Json() : Json(result.version)}};
    return Reply(
        {{"success", true}, {"message", Scrub(result.message, used)}, {"details", std::move(details)}});
  } catch (const ExternalError& error) {
    const std::string reason = Scrub(error.what(), used);
    throw ApiError(400, "CONNECTION_FAILED", reason, {{"reason", reason}, {"host", error.system()}});
  }
}

}  // namespace

void CheckIfMatch(const Call& call, const std::string& etag) {
  const std::string wanted = call.request.Header("if-match");
  if (wanted.empty() || wanted == "*" || wanted.find(etag) != std::string::npos) return;
  throw ApiError(412, "PRECONDITION_FAILED", "the object has been changed since: its ETag is " + etag);
}

std::string EtagOf(const std::string& id, int64_t updated_us) {
  return "\"" + id + "-" + std::to_string(updated_us) + "\"";
}

HttpResponse WithEtag(const Call& call, HttpResponse response, const std::string& etag) {
  response.headers.emplace_back("ETag", etag);
  if (call.request.method == "GET" && call.request.Header("if-none-match").find(etag) != std::string::npos) {
    response.status = 304;
    response.body.clear();
  }
  return response;
}

void AddProfileEndpoints(ApiContext& context, std::vector<Endpoint>* out) {
  const std::string tag = "connection profiles";
  Endpoint list{"GET", "/connection_profiles", Role::kRead, tag, "List connection profiles", "", "Profile",
                {}};
  list.list = true;
  list.query = {{"name", "string", "wildcards * and ?"}, {"connector", "string", "only of these"}};
  list.handler = [&context](Call& call) {
    const auto connectors = ConnectorFilter(context, call);
    const auto name = call.Query("name");
    std::vector<ListItem> items;
    for (const auto& profile : context.catalog.All<Profile>()) {
      if (!connectors.empty() && !Contains(connectors, profile->connector)) continue;
      if (name && !MatchesWildcard(*name, profile->name)) continue;
      items.push_back({profile->id, profile->name, "", profile->created_us, 0,
                       [profile] { return ShowProfile(*profile); }});
    }
    return ListPage(call, std::move(items), {"name"});
  };
  out->push_back(std::move(list));

  out->push_back({"POST", "/connection_profiles", Role::kWrite, tag, "Create a connection profile",
                  "ProfileCreate", "Profile", [&context](Call& call) { return CreateProfile(context, call); },
                  201});
  out->push_back({"GET", "/connection_profiles/{id}", Role::kRead, tag, "One connection profile", "",
                  "Profile", [&context](Call& call) {
                    const auto found = context.catalog.Find<Profile>(call.id());
                    if (!found) throw NotFound("connection profile", call.id());
                    return WithEtag(call, Reply(ShowProfile(*found)), EtagOfProfile(*found));
                  }});
  out->push_back({"PATCH", "/connection_profiles/{id}", Role::kWrite, tag, "Change a connection profile",
                  "ProfilePatch", "Profile", [&context](Call& call) { return PatchProfile(context, call); }});
  out->push_back({"DELETE", "/connection_profiles/{id}", Role::kWrite, tag, "Delete a connection profile", "",
                  "Message", [&context](Call& call) { return DeleteProfile(context, call); }});
  out->push_back({"POST", "/connection_profiles/test", Role::kRead, tag, "Test a profile that is not saved",
                  "ProfileTest", "TestResult", [&context](Call& call) {
                    const ConnectorInfo& info =
                        ProfileConnector(context, call.body["connector"].get<std::string>());
                    return TestProfile(context, info, call.body["config"]);
                  }});
  out->push_back({"POST", "/connection_profiles/{id}/test", Role::kRead, tag, "Test a saved profile", "",
                  "TestResult", [&context](Call& call) {
                    const auto found = context.catalog.Find<Profile>(call.id());
                    if (!found) throw NotFound("connection profile", call.id());
                    return TestProfile(context, ConnectorNamed(context, found->connector).info(),
                                       found->config);
                  }});
  const std::vector<std::string> kinds = {"topics",   "schemas", "tables", "streams",
                                          "subjects", "keys",    "columns"};
  Endpoint complete{"GET",
                    "/connection_profiles/{id}/autocomplete",
                    Role::kRead,
                    tag,
                    "Names of topics, tables …",
                    "",
                    "Suggestions",
                    {}};
  complete.query = {{"type", "string", "what to name", kinds},
                    {"parent", "string", "within this one"},
                    {"prefix", "string", "that begin so"},
                    {"limit", "integer", "at most so many"}};
  complete.handler = [&context, kinds](Call& call) {
    const auto found = context.catalog.Find<Profile>(call.id());
    if (!found) throw NotFound("connection profile", call.id());
    FilterValues(call, "type", kinds);
    const int64_t limit = call.Integer("limit", 100, 1, 1000);
    std::vector<std::string> used;
    const Json resolved = context.planner.Resolved(found->config, {}, &used);
    Json suggestions = Json::array();
    try {
      const Connector& connector = ConnectorNamed(context, found->connector);
      const auto found_names = WithTimeLimit<std::vector<Suggestion>>(
          context.test_limit_us, "asking for names",
          [&connector, options = ProfileOptionList(resolved), kind = call.Query("type").value_or(""),
           parent = call.Query("parent").value_or("")] { return connector.Suggest(options, kind, parent); });
      for (const Suggestion& s : found_names) {
        if (!s.value.starts_with(call.Query("prefix").value_or(""))) continue;
        if (static_cast<int64_t>(suggestions.size()) == limit) break;
        suggestions.push_back(
            {{"value", s.value}, {"label", s.value}, {"type", s.type}, {"metadata", Json::object()}});
      }
    } catch (const ExternalError& error) {
      const std::string reason = Scrub(error.what(), used);
      throw ApiError(400, "CONNECTION_FAILED", reason, {{"reason", reason}, {"host", error.system()}});
    }
    return Reply({{"suggestions", std::move(suggestions)}});
  };
  out->push_back(std::move(complete));
}

}  // namespace laminar::api
