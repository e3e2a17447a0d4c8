// The server itself: ping, version, settings, the catalogue for completion, OpenAPI, Prometheus.

#include "api/api_context.h"
#include "api/pipeline_json.h"
#include "api/schemas.h"
#include "api/udf_json.h"
#include "base/clock.h"
#include "sql/parser_words.h"

namespace laminar::api {

namespace {

#ifdef NDEBUG
constexpr bool kOptimized = true;
#else
constexpr bool kOptimized = false;
#endif

const char* RoleName(Role role) {
  return role == Role::kAdmin ? "admin" : role == Role::kWrite ? "write" : "read";
}

Json FunctionsJson(const ApiContext& context) {
  const FunctionRegistry& functions = *context.engine.functions;
  Json out = Json::array();
  const auto add = [&](const FunctionDoc& doc, const std::vector<std::string>& names, const char* kind) {
    out.push_back({{"name", names[0]},
                   {"aliases", std::vector<std::string>(names.begin() + 1, names.end())},
                   {"kind", kind},
                   {"group", doc.group},
                   {"signature", doc.signature},
                   {"description", doc.description},
                   {"example", doc.example}});
  };
  for (const ScalarFunction* f : functions.scalars()) add(f->doc, f->names, "scalar");
  for (const AggregateDefinition* f : functions.aggregates()) add(f->doc, f->names, "aggregate");
  for (const auto& f : context.catalog.All<Udf>())
    add({"User-defined", SignatureOf(*f), f->description, "", ""}, {f->name}, f->kind.c_str());
  return out;
}

Json CatalogJson(const ApiContext& context) {
  Json tables = Json::array(), pipelines = Json::array(), connectors = Json::array();
  for (const auto& table : context.catalog.All<ConnectionTable>()) {
    tables.push_back({{"id", table->id},
                      {"name", table->name},
                      {"table_type", table->table_type},
                      {"connector", table->connector},
                      {"open", table->open},
                      {"columns", table->fields}});
  }
  for (const auto& pipeline : context.catalog.All<Pipeline>()) {
    if (!pipeline->preview) pipelines.push_back({{"id", pipeline->id}, {"name", pipeline->name}});
  }
  for (const Connector* connector : context.engine.connectors->connectors()) {
    Json options = Json::array();
    for (const OptionSpec& option : connector->info().options)
      options.push_back(
          {{"name", option.name}, {"description", option.description}, {"values", option.values}});
    connectors.push_back({{"id", connector->info().id}, {"options", std::move(options)}});
  }
  static const std::vector<std::string> settings = {
      "updating_ttl",  "updating_flush_interval", "parallelism",    "checkpoint_interval",
      "idle_time",     "watermark_delay",         "timezone",       "error_on_division_by_zero",
      "state_backend", "state_memory_limit",      "state_directory"};
  return {{"tables", std::move(tables)},
          {"views", Json::array()},
          {"keywords", sql::Keywords()},
          {"functions", FunctionsJson(context)},
          {"connectors", std::move(connectors)},
          {"formats", context.engine.formats->names()},
          {"settings", settings},
          {"pipelines", std::move(pipelines)}};
}

}  // namespace

void AddServerEndpoints(ApiContext& context, std::vector<Endpoint>* out) {
  const std::string tag = "server";
  out->push_back({"GET", "/ping", Role::kOpen, tag, "Is the server there?", "", "Pong",
                  [](Call&) { return Reply("Pong"); }});
  out->push_back(
      {"GET", "/whoami", Role::kRead, tag, "Name and role of the token", "", "Object", [](Call& call) {
         return Reply({{"name", call.principal.name}, {"role", RoleName(call.principal.role)}});
       }});
  out->push_back(
      {"GET", "/server", Role::kRead, tag, "Version, uptime, limits", "", "Object", [&context](Call&) {
         return Reply(
             {{"version", context.version},
              {"build", {{"compiler", "g++ " __VERSION__}, {"optimized", kOptimized}}},
              {"secret_names", context.planner.secrets().Names()},
              {"started_at", context.started_us / 1000},
              {"uptime_seconds", (SystemClock().now_us() - context.started_us) / 1'000'000},
              {"auth_mode", context.auth ? "token" : "none"},
              {"features",
               {{"udfs", true},
                {"checkpoints", true},
                {"savepoints", true},
                {"sql", true},
                {"idempotency_keys", true},
                {"schema_registry", false},
                {"webhooks", false}}},
              {"limits",
               {{"body_bytes", 1 << 20}, {"list_limit", 100}, {"parallelism", 128}, {"output_rows", 10'000}}},
              {"running_jobs", context.jobs.active_jobs()}});
       }});
  out->push_back(
      {"GET", "/settings", Role::kRead, tag, "Effective settings and where they come from", "", "Object",
       [&context](Call&) {
         Json data = Json::array();
         for (const ShownSetting& s : context.settings)
           data.push_back(
               {{"name", s.name}, {"value", s.value}, {"default", s.default_value}, {"origin", s.origin}});
         return Reply({{"data", data},
                       {"has_more", false},
                       {"meta", {{"total", data.size()}, {"limit", data.size()}, {"offset", 0}}}});
       }});
  out->push_back({"GET", "/catalog", Role::kRead, tag, "Everything that a query may name", "", "Object",
                  [&context](Call& call) {
                    HttpResponse response = Reply(CatalogJson(context));
                    const std::string etag =
                        "\"" + std::to_string(std::hash<std::string>()(response.body)) + "\"";
                    return WithEtag(call, std::move(response), etag);
                  }});
}

Json OpenApi(const std::vector<Endpoint>& endpoints, const std::string& version) {
  Json paths = Json::object();
  const Json error = {
      {"description", "error"},
      {"content", {{"application/json", {{"schema", {{"$ref", "#/components/schemas/Error"}}}}}}}};
  for (const Endpoint& endpoint : endpoints) {
    Json parameters = Json::array();
    size_t at = 0;
    while ((at = endpoint.path.find('{', at)) != std::string::npos) {
      const size_t end = endpoint.path.find('}', at);
      parameters.push_back({{"name", endpoint.path.substr(at + 1, end - at - 1)},
                            {"in", "path"},
                            {"required", true},
                            {"schema", {{"type", "string"}}}});
      at = end;
    }
    std::vector<QueryParameter> query = endpoint.query;
    if (endpoint.list) {
      for (const char* name : {"limit", "offset"}) query.push_back({name, "integer", "paging"});
      query.push_back({"starting_after", "string", "paging: rows after this id"});
      query.push_back({"sort", "string", "field[:asc|desc]"});
    }
    for (const QueryParameter& p : query) {
      Json schema = {{"type", p.type}};
      if (!p.values.empty()) schema["enum"] = p.values;
      parameters.push_back({{"name", p.name},
                            {"in", "query"},
                            {"required", false},
                            {"description", p.description},
                            {"schema", std::move(schema)}});
    }
    Json body_schema = {{"$ref", "#/components/schemas/" + endpoint.response}};
    if (endpoint.list) {
      body_schema = {{"type", "object"},
                     {"required", {"data", "has_more", "meta"}},
                     {"properties",
                      {{"data", {{"type", "array"}, {"items", std::move(body_schema)}}},
                       {"has_more", {{"type", "boolean"}}},
                       {"meta", {{"type", "object"}}}}}};
    }
    Json content = {{"application/json", {{"schema", std::move(body_schema)}}}};
    if (endpoint.event_stream) content["text/event-stream"] = {{"schema", {{"type", "string"}}}};
    if (endpoint.path.ends_with("/output")) content["text/csv"] = {{"schema", {{"type", "string"}}}};
    Json responses = {
        {std::to_string(endpoint.success), {{"description", "success"}, {"content", std::move(content)}}},
        {"default", error}};
    Json operation = {{"summary", endpoint.summary},
                      {"tags", Json::array({endpoint.tag})},
                      {"responses", std::move(responses)}};
    std::string id = LowerCase(endpoint.method);
    for (const char c : endpoint.path) id += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
    operation["operationId"] = id;
    if (!parameters.empty()) operation["parameters"] = std::move(parameters);
    if (!endpoint.request.empty()) {
      operation["requestBody"] = {
          {"required", !endpoint.body_optional},
          {"content",
           {{"application/json", {{"schema", {{"$ref", "#/components/schemas/" + endpoint.request}}}}}}}};
    }
    if (endpoint.role != Role::kOpen)
      operation["security"] = Json::array({{{"bearer", Json::array()}}, Json::object()});
    paths[endpoint.path][LowerCase(endpoint.method)] = std::move(operation);
  }
  return {{"openapi", "3.1.0"},
          {"info",
           {{"title", "Laminar"},
            {"version", version},
            {"description",
             "Streaming SQL: connectors, connection profiles, connection tables, pipelines, jobs."}}},
          {"servers", Json::array({{{"url", "/api/v1"}}})},
          {"paths", std::move(paths)},
          {"components",
           {{"schemas", Schemas()},
            {"securitySchemes", {{"bearer", {{"type", "http"}, {"scheme", "bearer"}}}}}}}};
}

std::string MetricsText(const ApiContext& context) {
  std::string out = "# TYPE laminar_jobs_active gauge\nlaminar_jobs_active " +
                    std::to_string(context.jobs.active_jobs()) +
                    "\n# TYPE laminar_pipelines gauge\nlaminar_pipelines " +
                    std::to_string(context.catalog.All<Pipeline>().size()) + "\n";
  static const std::vector<std::pair<const char*, const char*>> metrics = {
      {"records_in", "laminar_operator_records_in_total"},
      {"records_out", "laminar_operator_records_out_total"},
      {"bytes_in", "laminar_operator_bytes_in_total"},
      {"bytes_out", "laminar_operator_bytes_out_total"},
      {"latency_p99", "laminar_operator_latency_p99_ms"},
      {"state_bytes", "laminar_operator_state_bytes"},
      {"queue_fill", "laminar_operator_queue_fill"},
      {"late_records", "laminar_operator_late_records_total"},
      {"bad_records", "laminar_operator_bad_records_total"},
      {"backpressure", "laminar_operator_backpressure"},
      {"busy", "laminar_operator_busy"},
      {"watermark", "laminar_operator_watermark_ms"},
      {"state_rows", "laminar_operator_state_rows"}};
  std::map<std::string, std::string> lines;
  for (const auto& job : context.catalog.All<Job>()) {
    if (IsTerminal(ParseDetail(job->detail)) || job->preview) continue;
    const Json shown = context.jobs.Feed(job->id)->Metrics(SystemClock().now_us() / 1000, 60);
    if (!shown.contains("operators")) continue;
    for (const Json& op : shown["operators"]) {
      const std::string labels = "{pipeline=" + Json(job->pipeline_name).dump() + ",job=\"" + job->id +
                                 "\",operator=\"" + op["operator_id"].get<std::string>() + "\"} ";
      for (const auto& [member, name] : metrics) {
        if (op.contains(member) && op[member].is_number())
          lines[name] += name + labels + op[member].dump() + "\n";
      }
    }
    const std::string of_job = "{pipeline=" + Json(job->pipeline_name).dump() + ",job=\"" + job->id + "\"";
    for (const auto& [member, quantile] :
         {std::pair{"latency_p50", "0.5"}, {"latency_p95", "0.95"}, {"latency_p99", "0.99"}}) {
      if (shown[member].is_number())
        lines["laminar_job_latency_ms"] += "laminar_job_latency_ms" + of_job + ",quantile=\"" + quantile +
                                           "\"} " + shown[member].dump() + "\n";
    }
    lines["laminar_job_errors_total"] +=
        "laminar_job_errors_total" + of_job + "} " + shown["errors"].dump() + "\n";
    lines["laminar_job_restarts_total"] +=
        "laminar_job_restarts_total{pipeline=" + Json(job->pipeline_name).dump() + ",job=\"" + job->id +
        "\"} " + std::to_string(job->restarts) + "\n";
  }
  for (const auto& [name, text] : lines)
    out += "# TYPE " + name + (name.ends_with("_total") ? " counter\n" : " gauge\n") + text;
  return out;
}

}  // namespace laminar::api
