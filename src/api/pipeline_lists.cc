// The list of pipelines with its figures, and acts on several of them.

#include <algorithm>

#include "api/api_context.h"
#include "api/pipeline_json.h"
#include "api/router.h"
#include "base/random_id.h"

namespace laminar::api {

namespace {

/// What a list can be sorted by: the figure of the summary, by the names that `sort` takes.
const std::map<std::string, std::string>& Figures() {
  static const std::map<std::string, std::string> figures = {
      {"throughput", "throughput"},
      {"watermark_lag_ms", "watermark_lag_ms"},
      {"watermark_lag", "watermark_lag_ms"},
      {"lag", "lag"},
      {"backpressure", "backpressure"},
      {"errors", "errors"},
      {"errors_5m", "errors_5m"},
      {"restarts", "restarts"},
      {"last_checkpoint", "last_checkpoint_time"},
      {"last_checkpoint_time", "last_checkpoint_time"}};
  return figures;
}

/// Nullopt: the pipeline has no such figure, as before its first start.
std::optional<double> FigureOf(const Json& summary, const std::string& name) {
  if (!summary.is_object() || !summary.contains(name) || !summary[name].is_number()) return std::nullopt;
  return summary[name].get<double>();
}

HttpResponse ListPipelines(const ApiContext& context, const Call& call) {
  static const std::vector<std::string> states = {
      "Created",    "Starting",           "Running",    "Stopping",  "Stopped",
      "Failed",     "Compiling",          "Scheduling", "Rescaling", "Restarting",
      "Recovering", "CheckpointStopping", "Finishing",  "Finished",  "Failing"};
  const auto wanted = FilterValues(call, "state", states);
  const auto tags = FilterValues(call, "tag");
  const auto name = call.Query("name");
  const std::string text = LowerCase(call.Query("q").value_or(""));
  const bool previews = call.Flag("preview");
  const bool with_summary = !FilterValues(call, "include", {"summary"}).empty();
  const std::string sort = LowerCase(call.Query("sort").value_or(""));
  const auto figure = Figures().find(sort.substr(0, sort.find(':')));
  std::vector<ListItem> items;
  for (const auto& pipeline : context.catalog.All<Pipeline>()) {
    if (pipeline->preview && !previews) continue;
    if (name && !MatchesWildcard(*name, pipeline->name)) continue;
    if (LowerCase(pipeline->name).find(text) == std::string::npos) continue;
    const std::string state = PipelineState(context, *pipeline);
    if (!wanted.empty() && !Contains(wanted, LowerCase(state)) &&
        !Contains(wanted, LowerCase(PipelineDetail(context, *pipeline))))
      continue;
    if (!tags.empty() && std::none_of(pipeline->tags.begin(), pipeline->tags.end(), [&](const auto& t) {
          return Contains(tags, LowerCase(t.first + ":" + t.second));
        }))
      continue;
    items.push_back(
        {pipeline->id, pipeline->name, state, pipeline->created_us, 0, [&context, pipeline, with_summary] {
           Json shown = ShowPipeline(context, *pipeline, false);
           if (with_summary) shown["summary"] = SummaryOf(context, *pipeline);
           return shown;
         }});
    if (figure != Figures().end())
      items.back().number = FigureOf(SummaryOf(context, *pipeline), figure->second);
  }
  std::vector<std::string> sortable = {"name", "state"};
  for (const auto& [known, member] : Figures()) sortable.push_back(known);
  return ListPage(call, std::move(items), sortable);
}

/// The request that an action on one pipeline stands for: its body is what the action takes of `given`.
Json BodyOfAction(const std::string& action, const Json& given) {
  static const std::map<std::string, std::vector<std::string>> takes = {
      {"start", {"ignore_state"}},
      {"stop", {"mode", "timeout_seconds"}},
      {"restart", {"force", "ignore_state"}},
      {"delete", {"force"}}};
  Json body = Json::object();
  for (const auto& [name, value] : given.items()) {
    if (name == "ids" || name == "action" || value.is_null()) continue;
    if (!Contains(takes.at(action), name)) throw Invalid(name, "is not for the action '" + action + "'");
    body[name] = value;
  }
  return body;
}

Json ActOn(const ApiContext& context, const Call& call, const std::string& id, const Json& body) {
  const std::string action = call.body["action"].get<std::string>();
  Json result = {{"id", id}, {"ok", true}};
  try {
    // The id is a client's text: it must not become another path.
    if (!context.catalog.Find<Pipeline>(id)) throw NotFound("pipeline", id);
    const std::string path = "/pipelines/" + id;
    const HttpResponse answer =
        action == "delete" ? context.run(call.request, "DELETE",
                                         path + (body.value("force", false) ? "?force=true" : ""), Json())
                           : context.run(call.request, "POST", path + "/" + action, body);
    const Json told = Json::parse(answer.body);
    for (const auto& [name, value] : told.items()) {
      if (name != "pipeline_id") result[name] = value;
    }
  } catch (...) {
    result["ok"] = false;
    result["error"] = CurrentError(RandomId("req_")).Body()["error"];
  }
  return result;
}

HttpResponse ActOnSeveral(const ApiContext& context, const Call& call) {
  const Json body = BodyOfAction(call.body["action"].get<std::string>(), call.body);
  Json results = Json::array();
  std::vector<std::string> done;
  for (const Json& id : call.body["ids"]) {
    if (Contains(done, id.get<std::string>())) continue;
    done.push_back(id.get<std::string>());
    results.push_back(ActOn(context, call, done.back(), body));
  }
  return Reply({{"results", std::move(results)}});
}

}  // namespace

void AddPipelineLists(ApiContext& context, std::vector<Endpoint>* out) {
  Endpoint list{"GET", "/pipelines", Role::kRead, "pipelines", "List pipelines", "", "Pipeline", {}};
  list.list = true;
  list.query = {{"name", "string", "wildcards * and ?"},
                {"state", "string", "only in these states"},
                {"tag", "string", "key:value"},
                {"preview", "boolean", "previews too"},
                {"include", "string", "summary: figures of each", {"summary"}},
                {"q", "string", "text in the name"}};
  list.handler = [&context](Call& call) { return ListPipelines(context, call); };
  out->push_back(std::move(list));
  out->push_back({"POST", "/pipelines/bulk", Role::kWrite, "pipelines",
                  "Start, stop, restart or delete several", "PipelineBulk", "BulkResults",
                  [&context](Call& call) { return ActOnSeveral(context, call); }});
}

}  // namespace laminar::api
