// Connection tables: create, read, change, delete, test, infer.

#include <algorithm>

#include "api/api_context.h"
#include "api/schema_check.h"
#include "api/time_limit.h"
#include "base/clock.h"
#include "base/random_id.h"
#include "connectors/option_text.h"
#include "jobs/pipeline_planner.h"
#include "jobs/schema_types.h"
#include "jobs/table_declaration.h"
#include "sql/parser.h"

namespace laminar::api {

namespace {

Json OrNull(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json ShowTable(const ConnectionTable& table) {
  Json schema = table.schema_extras;
  schema["fields"] = table.fields;
  schema["inferred"] = table.inferred;
  if (table.open)
    schema["fields"] = Json::array({{{"name", "value"}, {"data_type", "JSON"}, {"nullable", true}}});
  return {{"id", table.id},
          {"name", table.name},
          {"connector", table.connector},
          {"connection_profile_id", OrNull(table.profile_id)},
          {"connectionProfileId", OrNull(table.profile_id)},
          {"table_type", table.table_type},
          {"schema", std::move(schema)},
          {"config", MaskSecrets(table.config)},
          {"event_time_field", OrNull(table.event_time_field)},
          {"watermark_delay", table.watermark_delay},
          {"idle_time", table.idle_time},
          {"created_at", TimeText(table.created_us)},
          {"updated_at", TimeText(table.updated_us)}};
}

std::string EtagOfTable(const ConnectionTable& table) { return EtagOf(table.id, table.updated_us); }

bool Given(const Json& body, const char* name) { return body.contains(name) && !body[name].is_null(); }

/// Fields as they are stored: data_type in SQL spelling, defaults left out.
Json StoredField(const Json& field, size_t index) {
  const std::string path = "schema.fields[" + std::to_string(index) + "]";
  const bool data_type = Given(field, "data_type");
  const Json type = data_type ? field["data_type"] : Given(field, "type") ? field["type"] : Json();
  if (type.is_null()) throw Invalid(path + ".type", "is required");
  const auto parsed = ParseSchemaType(type);
  if (!parsed) throw Invalid(path + (data_type ? ".data_type" : ".type"), type.dump() + " is not a type");
  bool nullable = true;
  if (Given(field, "required")) nullable = !field["required"].get<bool>();
  if (Given(field, "nullable")) nullable = field["nullable"].get<bool>();
  Json out = {{"name", field["name"]}, {"data_type", parsed->ToString()}, {"nullable", nullable}};
  for (const char* name : {"description", "metadata", "metadata_key", "primary_key", "expression"}) {
    if (Given(field, name)) out[name] = field[name];
  }
  return out;
}

void ReadSchema(const Json& schema, ConnectionTable* table) {
  table->fields = Json::array();
  table->schema_extras = Json::object();
  for (const char* name : {"format", "framing", "bad_data", "definition", "primary_keys"}) {
    if (Given(schema, name)) table->schema_extras[name] = schema[name];
  }
  if (Given(schema, "fields")) {
    for (size_t i = 0; i < schema["fields"].size(); ++i)
      table->fields.push_back(StoredField(schema["fields"][i], i));
  }
  if (table->fields.empty() && Given(schema, "definition")) {
    const Json& definition = schema["definition"];
    Schema fields{DefinitionFields(definition.value("type", ""), definition.value("schema", ""))};
    table->fields = FieldsJson(fields);
  }
  if (Given(schema, "primary_keys")) {
    for (const Json& key : schema["primary_keys"]) {
      const bool known = std::any_of(table->fields.begin(), table->fields.end(),
                                     [&](const Json& f) { return f["name"] == key; });
      if (!known) throw Invalid("schema.primary_keys", "no field " + key.dump());
    }
  }
}

std::shared_ptr<const Profile> FindProfile(const ApiContext& context, const std::string& id_or_name) {
  if (auto found = context.catalog.Find<Profile>(id_or_name)) return found;
  if (auto found = context.catalog.FindByName<Profile>(id_or_name)) return found;
  throw Invalid("connection_profile_id", "no connection profile '" + id_or_name + "'");
}

/// The kind from `table_type`, `config.type` or `config.table_type`; empty: none is given.
std::string GivenTableType(const Json& body) {
  std::string out = Given(body, "table_type") ? body["table_type"].get<std::string>() : "";
  for (const auto& [key, value] : body["config"].items()) {
    const std::string folded = FoldKey(key);
    if ((folded != "type" && folded != "tabletype") || !value.is_string()) continue;
    const std::string type = LowerCase(value.get<std::string>());
    if (type != "source" && type != "sink" && type != "lookup")
      throw Invalid("config." + key, "'" + type + "' is not source, sink or lookup");
    if (!out.empty() && out != type)
      throw Invalid("table_type", "'" + out + "' contradicts config." + key + " '" + type + "'");
    out = type;
  }
  return out;
}

/// Which kind a `config.type` object describes: source, sink, lookup in that order, the first that SQL
/// accepts.
std::string VariantType(const ApiContext& context, const ConnectionTable& table, const Profile* profile) {
  const ConnectorInfo& info = ConnectorNamed(context, table.connector).info();
  std::string reasons;
  for (const auto& [has, kind] :
       {std::pair{info.source, "source"}, {info.sink, "sink"}, {info.lookup, "lookup"}}) {
    if (!has) continue;
    const bool variant_missing =
        std::any_of(info.options.begin(), info.options.end(), [&](const OptionSpec& option) {
          if (!option.tells_kind || (std::string(kind) == "sink" ? !option.for_sink : !option.for_source))
            return false;
          const OptionList given = TableOptionList(table, nullptr);
          return std::none_of(given.begin(), given.end(), [&](const auto& o) {
            return FoldOptionName(o.first) == FoldOptionName(option.name);
          });
        });
    if (variant_missing) continue;
    ConnectionTable trial = table;
    trial.table_type = kind;
    try {
      context.planner.Check(trial, profile, false);
      return kind;
    } catch (const UserError& error) {
      if (error.reason() != Reason::kUnknownOption && error.reason() != Reason::kMissingOption) return kind;
      reasons += (reasons.empty() ? "" : "; ") + ("as " + std::string(kind) + ": ") + error.message();
    }
  }
  throw Invalid("config.type", "fits no kind of table" + (reasons.empty() ? "" : " (" + reasons + ")"));
}

struct TableDraft {
  ConnectionTable table;
  std::shared_ptr<const Profile> profile;
};

bool IsSecretTableOption(const ConnectorInfo& info, const std::string& dotted) {
  std::string name = dotted;
  for (const char* place : {"type.", "connectortype.", "source.", "sink."}) {
    if (name.starts_with(place)) name = name.substr(std::string(place).size());
  }
  return std::any_of(info.options.begin(), info.options.end(), [&](const OptionSpec& option) {
    return option.secret && FoldOptionName(option.name) == FoldOptionName(name);
  });
}

/// Everything but what only the SQL front end knows.
TableDraft ReadDraft(const ApiContext& context, const Json& body) {
  TableDraft draft;
  ConnectionTable& table = draft.table;
  if (Given(body, "name")) table.name = body["name"].get<std::string>();
  if (Given(body, "connection_profile_id")) {
    draft.profile = FindProfile(context, body["connection_profile_id"].get<std::string>());
    table.profile_id = draft.profile->id;
    table.connector = draft.profile->connector;
  }
  if (Given(body, "connector")) {
    const ConnectorInfo& info = ConnectorNamed(context, body["connector"].get<std::string>()).info();
    if (draft.profile && info.id != draft.profile->connector)
      throw Invalid("connector", "'" + info.id + "' is not the connector of the profile, '" +
                                     draft.profile->connector + "'");
    table.connector = info.id;
  }
  if (table.connector.empty()) throw Invalid("connector", "is required without a connection profile");
  const ConnectorInfo& info = ConnectorNamed(context, table.connector).info();
  if (draft.profile && info.profile == ProfileUse::kNone)
    throw Invalid("connection_profile_id", "connector '" + info.id + "' takes no connection profile");
  CheckSpellings(body["config"], "config");
  table.config = body["config"];
  if (Given(body, "schema")) ReadSchema(body["schema"], &table);
  if (Given(body, "event_time_field")) table.event_time_field = body["event_time_field"].get<std::string>();
  if (Given(body, "watermark_delay")) table.watermark_delay = body["watermark_delay"];
  if (Given(body, "idle_time")) table.idle_time = body["idle_time"];
  if (!table.watermark_delay.is_null()) DurationText(table.watermark_delay, "watermark_delay");
  if (!table.idle_time.is_null()) DurationText(table.idle_time, "idle_time");
  table.table_type = GivenTableType(body);
  if (table.table_type.empty() && HasVariantObject(table.config))
    table.table_type = VariantType(context, table, draft.profile.get());
  if (table.table_type.empty() && info.source + info.sink + info.lookup == 1)
    table.table_type = info.source ? "source" : info.sink ? "sink" : "lookup";
  if (table.table_type.empty()) throw Invalid("table_type", "is required: source, sink or lookup");
  const bool fits = table.table_type == "source" ? info.source
                    : table.table_type == "sink" ? info.sink
                                                 : info.lookup;
  if (!fits) throw Invalid("table_type", "connector '" + info.id + "' cannot be a " + table.table_type);
  if (table.table_type != "source" && !table.event_time_field.empty())
    throw Invalid("event_time_field", "is for sources only");
  if (!table.event_time_field.empty() && !table.fields.empty()) {
    const auto field = std::find_if(table.fields.begin(), table.fields.end(),
                                    [&](const Json& f) { return f["name"] == table.event_time_field; });
    if (field == table.fields.end())
      throw Invalid("event_time_field", "the schema has no field '" + table.event_time_field + "'");
    if (!(*field)["data_type"].get<std::string>().starts_with("TIMESTAMP"))
      throw Invalid("event_time_field", "'" + table.event_time_field + "' is " +
                                            (*field)["data_type"].get<std::string>() + ", not TIMESTAMP");
  }
  return draft;
}

/// What the planner says of the table after a look at its data.
CheckedTable CheckWithSample(const ApiContext& context, const TableDraft& draft) {
  return WithTimeLimit<CheckedTable>(context.test_limit_us, "reading a sample", [&context, draft] {
    return context.planner.Check(draft.table, draft.profile.get(), true);
  });
}

/// Has the SQL front end check the table, and takes what it infers.
void Complete(const ApiContext& context, TableDraft* draft) {
  ConnectionTable& table = draft->table;
  const bool no_schema = table.fields.empty();
  CheckedTable checked = context.planner.Check(table, draft->profile.get(), false);
  const bool needs_sample = no_schema && checked.open && table.table_type == "source";
  if (needs_sample) {
    try {
      checked = CheckWithSample(context, *draft);
    } catch (const ExternalError&) {  // nothing to sample: the table stays open
    } catch (const SecretNotFound&) {
    } catch (const UserError& error) {
      if (error.reason() != Reason::kSchemaMismatch) throw;
    }
  }
  if (no_schema) {
    table.fields = checked.fields;
    table.open = checked.open;
    table.inferred = checked.inferred && table.table_type == "source";
  }
}

void Encrypt(const ApiContext& context, const Json& stored, ConnectionTable* table) {
  const ConnectorInfo& info = ConnectorNamed(context, table->connector).info();
  table->config = EncryptSecrets(
      table->config, stored, [&](const std::string& name) { return IsSecretTableOption(info, name); },
      context.planner.box());
}

HttpResponse CreateTable(ApiContext& context, Call& call) {
  CheckSqlName(call.body["name"].get<std::string>());
  if (context.catalog.FindByName<ConnectionTable>(call.body["name"].get<std::string>()))
    throw AlreadyExists("connection table", call.body["name"].get<std::string>());
  TableDraft draft = ReadDraft(context, call.body);
  Complete(context, &draft);
  ConnectionTable& table = draft.table;
  Encrypt(context, Json::object(), &table);
  table.id = RandomId("tbl_");
  table.created_us = table.updated_us = SystemClock().now_us();
  context.catalog.Update([&](Catalog::Transaction& transaction) {
    if (transaction.FindByName<ConnectionTable>(table.name))
      throw AlreadyExists("connection table", table.name);
    if (!table.profile_id.empty() && !transaction.Find<Profile>(table.profile_id))
      throw Invalid("connection_profile_id", "the connection profile has just been deleted");
    transaction.Put(table);
  });
  return WithEtag(call, Created(ShowTable(table), "/api/v1/connection_tables/" + table.id),
                  EtagOfTable(table));
}

Json PipelinesThatName(const Catalog::Transaction& transaction, const ConnectionTable& table,
                       bool active_only) {
  Json out = Json::array();
  const std::string name = LowerCase(table.name);
  for (const auto& pipeline : transaction.All<Pipeline>()) {
    if (!Contains(pipeline->table_names, name)) continue;
    if (active_only || pipeline->preview) {
      const auto job = transaction.Find<Job>(pipeline->current_job_id);
      if (!job || IsTerminal(ParseDetail(job->detail))) continue;
    }
    out.push_back({{"kind", "pipeline"}, {"id", pipeline->id}, {"name", pipeline->name}});
  }
  return out;
}

HttpResponse PatchTable(ApiContext& context, Call& call) {
  const auto found = context.catalog.Find<ConnectionTable>(call.id());
  if (!found) throw NotFound("connection table", call.id());
  CheckIfMatch(call, EtagOfTable(*found));
  Json body = {{"name", found->name}, {"connector", found->connector}, {"table_type", found->table_type}};
  if (!found->profile_id.empty()) body["connection_profile_id"] = found->profile_id;
  body["config"] = found->config;
  if (call.body.contains("config")) {
    for (const auto& [key, value] : call.body["config"].items()) {
      std::string name = key;
      for (const auto& [known, old] : found->config.items()) {
        if (FoldKey(known) == FoldKey(key)) name = known;
      }
      if (value.is_null())
        body["config"].erase(name);
      else
        body["config"][name] = value;
    }
  }
  Json schema = found->schema_extras;
  if (!found->fields.empty() && !found->inferred) schema["fields"] = found->fields;
  body["schema"] = call.body.contains("schema") ? call.body["schema"] : schema;
  body["event_time_field"] = call.body.contains("event_time_field") ? call.body["event_time_field"]
                                                                    : OrNull(found->event_time_field);
  body["watermark_delay"] =
      call.body.contains("watermark_delay") ? call.body["watermark_delay"] : found->watermark_delay;
  body["idle_time"] = call.body.contains("idle_time") ? call.body["idle_time"] : found->idle_time;
  TableDraft draft = ReadDraft(context, body);
  ConnectionTable& table = draft.table;
  Encrypt(context, found->config, &table);
  Complete(context, &draft);
  table.id = found->id;
  table.created_us = found->created_us;
  table.updated_us = std::max(SystemClock().now_us(), found->updated_us + 1);
  context.catalog.Update([&](Catalog::Transaction& transaction) {
    const auto now = transaction.Find<ConnectionTable>(call.id());
    if (!now) throw NotFound("connection table", call.id());
    Json used_by = PipelinesThatName(transaction, *now, true);
    if (!used_by.empty())
      throw InUse("connection table '" + now->name + "' is used by running pipelines", std::move(used_by));
    transaction.Put(table);
  });
  return WithEtag(call, Reply(ShowTable(table)), EtagOfTable(table));
}

HttpResponse DeleteTable(ApiContext& context, Call& call) {
  context.catalog.Update([&](Catalog::Transaction& transaction) {
    const auto found = transaction.Find<ConnectionTable>(call.id());
    if (!found) throw NotFound("connection table", call.id());
    CheckIfMatch(call, EtagOfTable(*found));
    Json used_by = PipelinesThatName(transaction, *found, false);
    if (!used_by.empty())
      throw InUse("connection table '" + found->name + "' is used by pipelines", std::move(used_by));
    transaction.Delete<ConnectionTable>(found->id);
  });
  return Reply({{"message", "Connection table deleted successfully"}});
}

TableDraft TestDraft(const ApiContext& context, const Json& request) {
  Json body = request;
  if (!Given(body, "name")) body["name"] = "test_table";
  return ReadDraft(context, body);
}

/// Records of the source as rows of the checked schema: at most ten.
Json SampleRows(const ApiContext& context, const TableDraft& draft) {
  return WithTimeLimit<Json>(context.test_limit_us, "reading a sample", [&context, draft] {
    return context.planner.Sample(draft.table, draft.profile.get(), 10);
  });
}

HttpResponse TestTable(ApiContext& context, Call& call) {
  TableDraft draft = TestDraft(context, call.body);
  std::vector<std::pair<std::string, bool>> steps;
  Json result;
  try {
    const bool source = draft.table.table_type == "source";
    source ? CheckWithSample(context, draft) : context.planner.Check(draft.table, draft.profile.get(), false);
    steps.emplace_back("The configuration is valid", false);
    Json rows = Json::array();
    if (source) rows = SampleRows(context, draft);
    steps.emplace_back("Read " + std::to_string(rows.size()) + " sample records", false);
    result = {
        {"success", true}, {"message", "Connection table test successful"}, {"sample_data", std::move(rows)}};
  } catch (const QueryError& error) {
    result = {{"success", false}, {"message", error.what()}, {"sample_data", Json::array()}};
  } catch (const ExternalError& error) {
    throw ApiError(400, "CONNECTION_FAILED", error.what(),
                   {{"reason", error.what()}, {"host", error.system()}});
  }
  result["statistics"] = {{"message_rate", nullptr}, {"lag", nullptr}, {"partitions", nullptr}};
  if (!call.WantsEvents()) return Reply(result);
  HttpResponse out;
  out.content_type = "text/event-stream";
  const auto event = [&](bool error, bool done, const std::string& message) {
    out.body +=
        "event: message\ndata: " + Dump({{"error", error}, {"done", done}, {"message", message}}) + "\n\n";
  };
  for (const auto& [message, error] : steps) event(error, false, message);
  event(!result["success"].get<bool>(), true, result["message"].get<std::string>());
  return out;
}

HttpResponse TestSchema(ApiContext& context, Call& call) {
  const bool has_schema = Given(call.body, "schema") &&
                          (Given(call.body["schema"], "fields") || Given(call.body["schema"], "definition"));
  Json without = call.body;
  if (!without.contains("table_type") || without["table_type"].is_null()) {
    if (GivenTableType(without).empty() && !HasVariantObject(without["config"]))
      without["table_type"] = "source";
  }
  TableDraft given = TestDraft(context, without);
  TableDraft bare = given;
  bare.table.fields = Json::array();
  for (const char* name : {"definition", "primary_keys"}) bare.table.schema_extras.erase(name);
  bare.table.event_time_field.clear();
  CheckedTable inferred;
  Json rows = Json::array();
  try {
    inferred = CheckWithSample(context, bare);
    rows = SampleRows(context, bare);
  } catch (const ExternalError& error) {
    throw ApiError(400, "CONNECTION_FAILED", error.what(),
                   {{"reason", error.what()}, {"host", error.system()}});
  }
  Json fields = inferred.fields;
  for (Json& field : fields) {
    Json samples = Json::array();
    for (const Json& row : rows) {
      const std::string name = field["name"].get<std::string>();
      if (samples.size() < 5 && row.is_object() && row.contains(name)) samples.push_back(row[name]);
    }
    field["sample_values"] = std::move(samples);
  }
  Json errors = Json::array();
  bool forward = true, backward = true;
  if (has_schema) {
    try {
      context.planner.Check(given.table, given.profile.get(), false);
    } catch (const UserError& error) {
      errors.push_back(error.message());
    }
    for (const Json& field : given.table.fields) {
      const auto found = std::find_if(fields.begin(), fields.end(),
                                      [&](const Json& f) { return f["name"] == field["name"]; });
      if (found == fields.end()) {
        if (!field["nullable"].get<bool>() && !inferred.open) {
          errors.push_back("field '" + field["name"].get<std::string>() + "' is not in the data");
          backward = false;
        }
        continue;
      }
      const auto data = ParseTypeName((*found)["data_type"].get<std::string>());
      const auto declared = ParseTypeName(field["data_type"].get<std::string>());
      const bool loose = declared->id() == TypeId::kText || declared->id() == TypeId::kJson ||
                         data->id() == TypeId::kJson || (declared->is_integer() && data->is_integer());
      if (!loose && CommonType(*data, *declared) != *declared) {
        errors.push_back("field '" + field["name"].get<std::string>() + "' is " + data->ToString() +
                         " in the data, not " + declared->ToString());
        backward = false;
      }
    }
    for (const Json& field : fields) {
      forward = forward && std::any_of(given.table.fields.begin(), given.table.fields.end(),
                                       [&](const Json& f) { return f["name"] == field["name"]; });
    }
  }
  return Reply({{"valid", errors.empty()},
                {"inferred_schema", {{"fields", std::move(fields)}}},
                {"compatibility",
                 {{"forward_compatible", forward && errors.empty()},
                  {"backward_compatible", backward && errors.empty()}}},
                {"errors", std::move(errors)}});
}

}  // namespace

void CheckSqlName(const std::string& name) {
  const bool shape =
      !name.empty() && !std::isdigit(static_cast<unsigned char>(name[0])) &&
      std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
  if (!shape)
    throw Invalid("name",
                  "'" + name + "' is not an SQL identifier: letters, digits and _, not a digit first");
  const sql::ParsedScript parsed = sql::ParseScript("SELECT 1 AS " + name + " FROM " + name);
  if (!parsed.errors.empty() || parsed.statements.size() != 1)
    throw Invalid("name", "'" + name + "' is a reserved word of SQL");
}

void AddTableEndpoints(ApiContext& context, std::vector<Endpoint>* out) {
  const std::string tag = "connection tables";
  const std::vector<std::string> kinds = {"source", "sink", "lookup"};
  Endpoint list{"GET", "/connection_tables", Role::kRead, tag, "List connection tables", "", "Table", {}};
  list.list = true;
  list.query = {{"type", "string", "only of these kinds", kinds},
                {"connector", "string", "only of these connectors"},
                {"name", "string", "wildcards * and ?"},
                {"connection_profile_id", "string", "only of this profile"}};
  list.handler = [&context, kinds](Call& call) {
    const auto types = FilterValues(call, "type", kinds);
    const auto connectors = ConnectorFilter(context, call);
    const auto name = call.Query("name");
    const auto profile = call.Query("connection_profile_id");
    std::vector<ListItem> items;
    for (const auto& table : context.catalog.All<ConnectionTable>()) {
      if (!types.empty() && !Contains(types, table->table_type)) continue;
      if (!connectors.empty() && !Contains(connectors, table->connector)) continue;
      if (name && !MatchesWildcard(*name, table->name)) continue;
      if (profile && *profile != table->profile_id) continue;
      items.push_back(
          {table->id, table->name, "", table->created_us, 0, [table] { return ShowTable(*table); }});
    }
    return ListPage(call, std::move(items), {"name"});
  };
  out->push_back(std::move(list));
  out->push_back({"POST", "/connection_tables", Role::kWrite, tag, "Create a connection table", "TableCreate",
                  "Table", [&context](Call& call) { return CreateTable(context, call); }, 201});
  out->push_back({"GET", "/connection_tables/{id}", Role::kRead, tag, "One connection table", "", "Table",
                  [&context](Call& call) {
                    const auto found = context.catalog.Find<ConnectionTable>(call.id());
                    if (!found) throw NotFound("connection table", call.id());
                    return WithEtag(call, Reply(ShowTable(*found)), EtagOfTable(*found));
                  }});
  out->push_back({"PATCH", "/connection_tables/{id}", Role::kWrite, tag, "Change a connection table",
                  "TablePatch", "Table", [&context](Call& call) { return PatchTable(context, call); }});
  out->push_back({"DELETE", "/connection_tables/{id}", Role::kWrite, tag, "Delete a connection table", "",
                  "Message", [&context](Call& call) { return DeleteTable(context, call); }});
  Endpoint test{"POST",
                "/connection_tables/test",
                Role::kRead,
                tag,
                "Test a table that is not saved",
                "TableTest",
                "TableTestResult",
                [&context](Call& call) { return TestTable(context, call); }};
  test.event_stream = true;
  out->push_back(std::move(test));
  out->push_back({"POST", "/connection_tables/schemas/test", Role::kRead, tag, "Check or infer a schema",
                  "TableTest", "SchemaTestResult",
                  [&context](Call& call) { return TestSchema(context, call); }});
}

}  // namespace laminar::api
