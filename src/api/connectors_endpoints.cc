// GET /connectors: what the connectors' own descriptions say.

#include <algorithm>

#include "api/api_context.h"
#include "connectors/options_reader.h"

namespace laminar::api {

namespace {

const char* JsonType(OptionType type) {
  switch (type) {
    case OptionType::kInteger:
      return "integer";
    case OptionType::kDouble:
      return "number";
    case OptionType::kBoolean:
      return "boolean";
    case OptionType::kList:
      return "array";
    case OptionType::kText:
    case OptionType::kDuration:
    case OptionType::kSize:
      return "string";
  }
  return "string";
}

Json DefaultOf(const OptionSpec& option) {
  const Json parsed = Json::parse(option.default_value, nullptr, false);
  const bool fits = (option.type == OptionType::kInteger && parsed.is_number_integer()) ||
                    (option.type == OptionType::kDouble && parsed.is_number()) ||
                    (option.type == OptionType::kBoolean && parsed.is_boolean());
  return fits ? parsed : Json(option.default_value);
}

void AddOption(const OptionSpec& option, Json* schema) {
  Json property = {{"type", JsonType(option.type)}, {"description", option.description}};
  if (option.type == OptionType::kList) property["items"] = {{"type", "string"}};
  if (option.type == OptionType::kDuration) property["format"] = "duration";
  if (option.type == OptionType::kSize) property["format"] = "size";
  if (!option.values.empty()) property["enum"] = option.values;
  if (!option.default_value.empty()) property["default"] = DefaultOf(option);
  if (option.secret) property["secret"] = true;
  (*schema)["properties"][option.name] = std::move(property);
  if (option.required) (*schema)["required"].push_back(option.name);
}

Json KindSchema(const ConnectorInfo& info, bool source, bool profile) {
  Json out = {{"type", "object"}, {"required", Json::array()}, {"properties", Json::object()}};
  for (const OptionSpec& option : info.options) {
    if (option.profile != profile) continue;
    if (profile || (source ? option.for_source : option.for_sink)) AddOption(option, &out);
  }
  if (profile) return out;
  for (const OptionSpec& option : CommonOptions()) {
    const bool named_elsewhere =
        option.name == "connector" || option.name == "connection_profile" || option.name == "type";
    if (named_elsewhere || out["properties"].contains(option.name)) continue;
    if (info.formats.empty() && (option.name == "format" || option.name.starts_with("framing"))) continue;
    if (source ? option.for_source : option.for_sink) AddOption(option, &out);
  }
  return out;
}

Json ShowConnector(const ConnectorInfo& info) {
  Json types = Json::array(), schema = Json::object();
  for (const auto& [has, name, source] :
       {std::tuple{info.source, "source", true}, {info.sink, "sink", false}, {info.lookup, "lookup", true}}) {
    if (!has) continue;
    types.push_back(name);
    schema[name] = KindSchema(info, source, false);
  }
  return {{"id", info.id},
          {"name", info.name},
          {"description", info.description},
          {"icon", info.id},
          {"version", info.version},
          {"category", info.category},
          {"type", std::move(types)},
          {"features", Json(info.features.empty() ? std::map<std::string, bool>{{"exactly_once", false}}
                                                  : info.features)},
          {"supported_formats", info.formats},
          {"configuration_schema", std::move(schema)},
          {"connection_schema", info.profile == ProfileUse::kNone ? Json() : KindSchema(info, true, true)},
          {"metadata",
           [&] {
             Json keys = Json::array();
             for (const MetadataColumn& column : info.metadata)
               keys.push_back({{"key", column.key}, {"data_type", column.type.ToString()}});
             return keys;
           }()},
          {"enabled", info.enabled},
          {"hidden", info.hidden},
          {"testing", info.enabled},
          {"custom_schemas", !info.implied_schema}};
}

}  // namespace

const Connector& ConnectorNamed(const ApiContext& context, const std::string& id) {
  if (const Connector* found = context.engine.connectors->Find(id)) return *found;
  const std::string nearest = NearestName(id, context.engine.connectors->ids());
  throw Invalid("connector",
                "no connector '" + id + "'" + (nearest.empty() ? "" : ", did you mean '" + nearest + "'?"));
}

std::vector<std::string> ConnectorFilter(const ApiContext& context, const Call& call) {
  std::vector<std::string> out = FilterValues(call, "connector");
  for (std::string& name : out) name = ConnectorNamed(context, name).info().id;
  return out;
}

void AddConnectorEndpoints(ApiContext& context, std::vector<Endpoint>* out) {
  const std::vector<std::string> categories = {"messaging", "database", "cloud", "storage", "search",
                                               "cache",     "http",     "iot",   "internal"};
  Endpoint list{"GET", "/connectors", Role::kOpen, "connectors", "List connectors", "", "Connector", {}};
  list.list = true;
  list.query = {{"category", "string", "only of these categories", categories},
                {"type", "string", "only those that can be this", {"source", "sink", "lookup"}},
                {"hidden", "boolean", "hidden ones too"}};
  list.handler = [&context, categories](Call& call) {
    const auto wanted_category = FilterValues(call, "category", categories);
    const auto wanted_type = FilterValues(call, "type", {"source", "sink", "lookup"});
    const bool hidden = call.Flag("hidden");
    std::vector<Json> entries;
    for (const Connector* connector : context.engine.connectors->connectors()) {
      const ConnectorInfo& info = connector->info();
      if (info.hidden && !hidden) continue;
      if (!wanted_category.empty() && !Contains(wanted_category, info.category)) continue;
      const bool type = wanted_type.empty() || (info.source && Contains(wanted_type, "source")) ||
                        (info.sink && Contains(wanted_type, "sink")) ||
                        (info.lookup && Contains(wanted_type, "lookup"));
      if (type) entries.push_back(ShowConnector(info));
    }
    if (call.Query("limit") || call.Query("offset") || call.Query("starting_after"))
      return OrderedPage(call, entries);
    return Reply({{"data", entries},
                  {"has_more", false},
                  {"meta", {{"total", entries.size()}, {"limit", entries.size()}, {"offset", 0}}}});
  };
  out->push_back(std::move(list));

  Endpoint one{"GET", "/connectors/{id}", Role::kOpen, "connectors", "One connector", "", "Connector", {}};
  one.handler = [&context](Call& call) {
    const Connector* found = context.engine.connectors->Find(call.id());
    if (!found) throw NotFound("connector", call.id());
    return Reply(ShowConnector(found->info()));
  };
  out->push_back(std::move(one));
}

}  // namespace laminar::api
