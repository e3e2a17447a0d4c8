// Pipelines: create, read, change, delete, start, stop, restart, rescale, validate, preview.

#include <algorithm>
#include <regex>

#include "api/api_context.h"
#include "api/pipeline_json.h"
#include "api/udf_json.h"
#include "base/clock.h"
#include "base/random_id.h"
#include "sql/parser.h"

namespace laminar::api {

namespace {

constexpr size_t kDiagnosticsMax = 100;
/// One of them is in every option name whose literal is masked.
constexpr const char* kSecretWords[] = {"password", "secret",    "token",        "jwt",
                                        "api_key",  "nkey_seed", "authorization"};

bool Given(const Json& body, const char* name) { return body.contains(name) && !body[name].is_null(); }

std::shared_ptr<const Job> CurrentJob(const ApiContext& context, const Pipeline& pipeline) {
  return pipeline.current_job_id.empty() ? nullptr : context.catalog.Find<Job>(pipeline.current_job_id);
}

std::shared_ptr<const Pipeline> PipelineOf(const ApiContext& context, const std::string& id) {
  auto found = context.catalog.Find<Pipeline>(id);
  if (!found) throw NotFound("pipeline", id);
  return found;
}

std::string EtagOfPipeline(const Pipeline& pipeline) { return EtagOf(pipeline.id, pipeline.updated_us); }

/// Edits that a hint spells out: "did you mean 'x'?" replaces what the diagnostic points at.
Json FixesOf(const Diagnostic& diagnostic) {
  static constexpr std::string_view kStart = "did you mean '";
  Json fixes = Json::array();
  const size_t begin = diagnostic.hint.find(kStart);
  const size_t end = begin == std::string::npos ? begin : diagnostic.hint.find('\'', begin + kStart.size());
  if (end == std::string::npos || diagnostic.line == 0) return fixes;
  const std::string name = diagnostic.hint.substr(begin + kStart.size(), end - begin - kStart.size());
  fixes.push_back({{"label", "replace by " + name},
                   {"edits", Json::array({{{"line", diagnostic.line},
                                           {"column", diagnostic.column},
                                           {"end_line", diagnostic.end_line},
                                           {"end_column", diagnostic.end_column},
                                           {"text", name}}})}});
  return fixes;
}

/// `statements`: of the script, for `statement_index`. Columns count UTF-16 units.
Json ShowDiagnostic(const Diagnostic& diagnostic, const std::vector<SourceSpan>& statements) {
  auto or_null = [](int64_t n) { return n > 0 ? Json(n) : Json(); };
  Json index;
  for (size_t i = 0; i < statements.size(); ++i) {
    if (diagnostic.offset >= statements[i].offset) index = i;
  }
  return {{"severity", diagnostic.error ? "error" : "warning"},
          {"code", diagnostic.code},
          {"message", diagnostic.message},
          {"hint", diagnostic.hint.empty() ? Json() : Json(diagnostic.hint)},
          {"line", or_null(diagnostic.line)},
          {"column", or_null(diagnostic.column)},
          {"end_line", or_null(diagnostic.end_line)},
          {"end_column", or_null(diagnostic.end_column)},
          {"statement_index", std::move(index)},
          {"fixes", FixesOf(diagnostic)},
          {"doc", "docs/diagnostics.md#" + LowerCase(diagnostic.code)}};
}

std::vector<SourceSpan> StatementSpans(const std::string& script) {
  std::vector<SourceSpan> out;
  for (const auto& statement : sql::ParseScript(script).statements) out.push_back(statement.span);
  return out;
}

std::string ErrorText(const Diagnostic& diagnostic) {
  const std::string at = diagnostic.line > 0 ? "line " + std::to_string(diagnostic.line) + ", column " +
                                                   std::to_string(diagnostic.column) + ": "
                                             : "";
  return at + diagnostic.message + (diagnostic.hint.empty() ? "" : " (" + diagnostic.hint + ")");
}

/// 400 for the errors of a script.
ApiError ScriptError(const PlannedPipeline& planned, const std::string& script) {
  Json errors = Json::array(), details = {{"field", "query"}};
  const Diagnostic* first = nullptr;
  const std::vector<SourceSpan> statements = StatementSpans(script);
  for (const Diagnostic& diagnostic : planned.diagnostics) {
    if (!diagnostic.error || errors.size() >= kDiagnosticsMax) continue;
    if (!first) first = &diagnostic;
    errors.push_back(ShowDiagnostic(diagnostic, statements));
  }
  details["reason"] = first ? first->message : "the query cannot be planned";
  details["reason_code"] = first ? first->code : "UNSUPPORTED";
  details["line"] = first && first->line > 0 ? Json(first->line) : Json();
  details["column"] = first && first->column > 0 ? Json(first->column) : Json();
  details["errors"] = std::move(errors);
  const bool type = first && first->code == "TYPE_ERROR";
  return ApiError(400, type ? "TYPE_ERROR" : "VALIDATION_ERROR",
                  first ? ErrorText(*first) : "the query cannot be planned", std::move(details));
}

std::map<std::string, std::string> EncryptedVariables(const ApiContext& context, const Json& given,
                                                      const std::map<std::string, std::string>& stored) {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : given.items()) {
    const auto old = stored.find(name);
    const bool keeps = value == kSecretMask && old != stored.end();
    out[name] = keeps ? old->second : context.planner.box().Encrypt(value.get<std::string>());
  }
  return out;
}

/// The parts that create and preview share: the query planned.
Pipeline Drafted(const Json& body, const Json& udfs, const PlannedPipeline& planned, int parallelism) {
  Pipeline out;
  out.id = RandomId("pipe_");
  out.query = body["query"].get<std::string>();
  out.udfs = udfs;
  out.parallelism = parallelism;
  out.graph = planned.graph;
  out.table_names = planned.table_names;
  out.udf_names = planned.udf_names;
  out.created_us = out.updated_us = SystemClock().now_us();
  out.versions = {{1, out.query, parallelism, out.created_us}};
  return out;
}

HttpResponse CreatePipeline(ApiContext& context, Call& call) {
  const Json& body = call.body;
  const Json udfs = ReadPipelineUdfs(context, body);
  CheckPipelineUdfs(context, udfs);
  const int asked = Given(body, "parallelism") ? body["parallelism"].get<int>() : 0;
  const PlannedPipeline planned = context.planner.Plan(body["query"].get<std::string>(), udfs, asked);
  if (!planned.ok) throw ScriptError(planned, body["query"].get<std::string>());
  Pipeline pipeline = Drafted(body, udfs, planned, asked > 0 ? asked : planned.parallelism.value_or(1));
  pipeline.name = Given(body, "name") ? body["name"].get<std::string>() : planned.pipeline_name;
  if (pipeline.name.empty())
    throw Invalid("name", "is required unless the query has CREATE PIPELINE name AS");
  if (pipeline.name.size() > 128) throw Invalid("name", "is longer than 128 characters");
  pipeline.checkpoint_interval_us =
      Given(body, "checkpoint_interval_micros")
          ? body["checkpoint_interval_micros"].get<int64_t>()
          : planned.checkpoint_interval_us.value_or(context.default_checkpoint_interval_us);
  if (Given(body, "tags")) pipeline.tags = body["tags"].get<std::map<std::string, std::string>>();
  if (Given(body, "env_vars")) pipeline.env_vars = EncryptedVariables(context, body["env_vars"], {});
  context.catalog.Update([&](Catalog::Transaction& transaction) {
    if (transaction.FindByName<Pipeline>(pipeline.name)) throw AlreadyExists("pipeline", pipeline.name);
    for (const std::string& table : pipeline.table_names) {
      if (!transaction.FindByName<ConnectionTable>(table))
        throw Invalid("query", "connection table '" + table + "' has just been deleted");
    }
    for (const std::string& udf : pipeline.udf_names) {
      if (!transaction.FindByName<Udf>(udf))
        throw Invalid("query", "function '" + udf + "' has just been deleted");
    }
    transaction.Put(pipeline);
  });
  if (body.value("start", Json(false)) == true) context.jobs.StartPipeline(pipeline.id, {}, call.actor());
  const Json shown = ShowPipeline(context, *PipelineOf(context, pipeline.id), true);
  return WithEtag(call, Created(shown, "/api/v1/pipelines/" + pipeline.id), EtagOfPipeline(pipeline));
}

JobStopMode StopModeOf(const Json& text) {
  return text.is_string() ? ParseStopMode(text.get<std::string>()).value_or(JobStopMode::kCheckpoint)
                          : JobStopMode::kCheckpoint;
}

HttpResponse PatchPipeline(ApiContext& context, Call& call) {
  const Json& body = call.body;
  std::optional<PlannedPipeline> planned;
  const auto before = PipelineOf(context, call.id());
  if (Given(body, "name") && body["name"] != before->name)
    throw Invalid("name", "the name of a pipeline cannot be changed");
  if (body.contains("query") && body["query"] != before->query) {
    planned = context.planner.Plan(body["query"].get<std::string>(), before->udfs,
                                   body.value("parallelism", before->parallelism));
    if (!planned->ok) throw ScriptError(*planned, body["query"].get<std::string>());
  }
  std::string rescale, start;
  bool was_active = false;
  context.catalog.Update([&](Catalog::Transaction& transaction) {
    const auto found = transaction.Find<Pipeline>(call.id());
    if (!found) throw NotFound("pipeline", call.id());
    CheckIfMatch(call, EtagOfPipeline(*found));
    const auto job = found->current_job_id.empty() ? nullptr : transaction.Find<Job>(found->current_job_id);
    was_active = job && !IsTerminal(ParseDetail(job->detail));
    Pipeline changed = *found;
    if (planned) {
      if (was_active) {
        throw InvalidState("the query can only be changed while the pipeline does not run",
                           PipelineState(context, *found), {"Created", "Stopped", "Failed"});
      }
      changed.query = body["query"].get<std::string>();
      changed.graph = planned->graph;
      changed.table_names = planned->table_names;
      changed.udf_names = planned->udf_names;
      changed.versions.push_back({static_cast<int>(changed.versions.size()) + 1, changed.query,
                                  changed.parallelism, SystemClock().now_us()});
    }
    if (body.contains("parallelism")) {
      changed.parallelism = body["parallelism"].get<int>();
      if (was_active && job->parallelism != changed.parallelism) rescale = job->id;
    }
    if (body.contains("checkpoint_interval_micros"))
      changed.checkpoint_interval_us = body["checkpoint_interval_micros"].get<int64_t>();
    if (body.contains("tags")) changed.tags = body["tags"].get<std::map<std::string, std::string>>();
    if (body.contains("env_vars"))
      changed.env_vars = EncryptedVariables(context, body["env_vars"], found->env_vars);
    changed.updated_by = call.actor();
    changed.updated_us = std::max(SystemClock().now_us(), found->updated_us + 1);
    transaction.Put(std::move(changed));
  });
  if (!rescale.empty()) context.jobs.RescaleJob(rescale, body["parallelism"].get<int>(), call.actor());
  if (body.contains("stop")) {
    const JobStopMode mode = StopModeOf(body["stop"]);
    if (mode == JobStopMode::kNone && !was_active) {
      context.jobs.StartPipeline(call.id(), {}, call.actor());
    } else {
      const auto job = CurrentJob(context, *PipelineOf(context, call.id()));
      if (!job)
        throw InvalidState("the pipeline does not run", "Created", {"Starting", "Running", "Stopping"});
      context.jobs.StopJob(job->id, mode, 30, call.actor());
    }
  }
  const auto now = PipelineOf(context, call.id());
  return WithEtag(call, Reply(ShowPipeline(context, *now, true)), EtagOfPipeline(*now));
}

StartOptions StartOptionsOf(const Json& body) {
  StartOptions out;
  if (Given(body, "checkpoint_id")) out.checkpoint_id = body["checkpoint_id"].get<std::string>();
  if (Given(body, "ignore_state")) out.ignore_state = body["ignore_state"].get<bool>();
  if (Given(body, "parallelism")) out.parallelism = body["parallelism"].get<int>();
  return out;
}

HttpResponse StopPipeline(ApiContext& context, Call& call) {
  const auto pipeline = PipelineOf(context, call.id());
  const auto job = CurrentJob(context, *pipeline);
  if (!job || IsTerminal(ParseDetail(job->detail)))
    throw InvalidState("the pipeline does not run", PipelineState(context, *pipeline),
                       {"Starting", "Running", "Stopping"});
  const int seconds = Given(call.body, "timeout_seconds") ? call.body["timeout_seconds"].get<int>() : 30;
  const int64_t due_us =
      context.jobs.StopJob(job->id, StopModeOf(call.body.value("mode", Json())), seconds, call.actor());
  return Reply({{"message", "Job stop initiated"}, {"expected_finish_time", due_us / 1000}}, 202);
}

HttpResponse RescalePipeline(ApiContext& context, Call& call) {
  const auto pipeline = PipelineOf(context, call.id());
  const auto job = CurrentJob(context, *pipeline);
  if (!job) throw InvalidState("the pipeline does not run", PipelineState(context, *pipeline), {"Running"});
  context.jobs.RescaleJob(job->id, call.body["parallelism"].get<int>(), call.actor());
  return Reply(
      {{"message", "Rescale initiated"}, {"job_id", job->id}, {"parallelism", call.body["parallelism"]}},
      202);
}

HttpResponse ValidateQuery(ApiContext& context, Call& call) {
  const PlannedPipeline planned =
      context.planner.Plan(call.body["query"].get<std::string>(), ReadPipelineUdfs(context, call.body),
                           Given(call.body, "parallelism") ? call.body["parallelism"].get<int>() : 0);
  Json errors = Json::array(), diagnostics = Json::array();
  const std::vector<SourceSpan> statements = StatementSpans(call.body["query"].get<std::string>());
  for (const Diagnostic& diagnostic : planned.diagnostics) {
    if (diagnostics.size() >= kDiagnosticsMax) break;
    if (diagnostic.error) errors.push_back(ErrorText(diagnostic));
    diagnostics.push_back(ShowDiagnostic(diagnostic, statements));
  }
  Json out = {{"graph", planned.ok ? planned.graph : Json()},
              {"errors", std::move(errors)},
              {"diagnostics", std::move(diagnostics)},
              {"column_unit", "utf-16"},
              {"outputs", planned.ok ? planned.outputs : Json::array()}};
  if (Given(call.body, "explain") && call.body["explain"].get<bool>()) out["plan"] = planned.plan_text;
  return Reply(out);
}

HttpResponse Preview(ApiContext& context, Call& call) {
  const Json& body = call.body;
  const Json udfs = ReadPipelineUdfs(context, body);
  CheckPipelineUdfs(context, udfs);
  const bool sinks = Given(body, "enable_sinks") && body["enable_sinks"].get<bool>();
  const PlannedPipeline planned = context.planner.Plan(
      body["query"].get<std::string>(), udfs, 1, sinks ? sql::SinkCapture::kBoth : sql::SinkCapture::kOnly);
  if (!planned.ok) throw ScriptError(planned, body["query"].get<std::string>());
  Pipeline pipeline = Drafted(body, udfs, planned, 1);
  pipeline.name = pipeline.id;
  pipeline.preview = true;
  pipeline.preview_settings.enable_sinks = sinks;
  if (Given(body, "limit")) pipeline.preview_settings.limit = body["limit"].get<int64_t>();
  if (Given(body, "timeout_seconds"))
    pipeline.preview_settings.timeout_seconds = body["timeout_seconds"].get<int64_t>();
  context.catalog.Update([&](Catalog::Transaction& transaction) { transaction.Put(pipeline); });
  const std::string job = context.jobs.StartPipeline(pipeline.id, {}, call.actor());
  if (call.WantsEvents()) {
    StreamOptions options = StreamOptionsOf(call);
    options.limit = pipeline.preview_settings.limit;
    return OutputStream(context, job, options);
  }
  Json shown = ShowPipeline(context, *PipelineOf(context, pipeline.id), true);
  shown["job_id"] = job;
  return Created(shown, "/api/v1/pipelines/" + pipeline.id);
}

}  // namespace

Json SummaryOf(const ApiContext& context, const Pipeline& pipeline) {
  const auto job = CurrentJob(context, pipeline);
  if (!job) return Json();
  Json summary = context.jobs.Feed(job->id)->Summary(SystemClock().now_us() / 1000);
  summary["restarts"] = job->restarts;
  const auto last = context.catalog.Find<CheckpointRecord>(pipeline.last_checkpoint_id);
  summary["last_checkpoint"] =
      last ? Json{{"time", Millis(last->finish_us)}, {"state", last->state}, {"size_bytes", last->size_bytes}}
           : Json();
  summary["last_checkpoint_time"] = last ? Millis(last->finish_us) : Json();
  return summary;
}

Json Millis(int64_t us) { return us == 0 ? Json() : Json(us / 1000); }

std::string PipelineState(const ApiContext& context, const Pipeline& pipeline) {
  const auto job = CurrentJob(context, pipeline);
  if (!job) return "Created";
  return std::string(PipelineStateName(ParseDetail(job->detail), job->start_us > 0));
}

std::string PipelineDetail(const ApiContext& context, const Pipeline& pipeline) {
  const auto job = CurrentJob(context, pipeline);
  return job ? job->detail : "Created";
}

std::string MaskQuery(const std::string& query) {
  // Most queries have none of the words, and the expression below is slow.
  const std::string lower = LowerCase(query);
  const bool suspicious =
      std::any_of(std::begin(kSecretWords), std::end(kSecretWords),
                  [&](const char* word) { return lower.find(word) != std::string::npos; });
  if (!suspicious) return query;
  static const std::regex secret(
      R"re(((?:'[^']*(?:password|secret|token|jwt|api_key|nkey_seed|authorization)[^']*'|"[^"]*(?:password|secret|token|jwt|api_key|nkey_seed)[^"]*"|\b[\w.]*(?:password|secret_access_key|api_secret|api_key|auth_token|jwt|nkey_seed|secret)\w*)\s*=\s*)'((?:[^']|'')*)')re",
      std::regex::icase | std::regex::optimize);
  std::string out;
  auto from = query.cbegin();
  for (std::sregex_iterator it(query.begin(), query.end(), secret), end; it != end; ++it) {
    const std::smatch& match = *it;
    out.append(from, query.cbegin() + match.position(0));
    const std::string value = match[2].str();
    out += match[1].str() + "'" + (HasReference(value) ? value : kSecretMask) + "'";
    from = query.cbegin() + match.position(0) + match.length(0);
  }
  out.append(from, query.cend());
  return out;
}

Json ShowPipeline(const ApiContext& context, const Pipeline& pipeline, bool with_graph) {
  const auto job = CurrentJob(context, pipeline);
  const std::string detail = job ? job->detail : "Created";
  const std::string state =
      job ? std::string(PipelineStateName(ParseDetail(detail), job->start_us > 0)) : "Created";
  Json action;
  if (job && !IsTerminal(ParseDetail(detail))) {
    if (!job->stop_mode.empty())
      action = job->stop_mode;
    else if (detail == "Rescaling")
      action = "rescale";
    else if (detail == "Restarting" || (!job->after_job.empty() && state == "Starting"))
      action = "restart";
    else if (state == "Starting")
      action = "start";
  }
  const bool in_progress = state == "Starting" || state == "Stopping" || detail == "Rescaling" ||
                           detail == "Restarting" || detail == "Recovering";
  Json env = Json::object();
  for (const auto& [name, value] : pipeline.env_vars) env[name] = kSecretMask;
  Json out = {{"id", pipeline.id},
              {"name", pipeline.name},
              {"query", MaskQuery(pipeline.query)},
              {"parallelism", pipeline.parallelism},
              {"checkpoint_interval_micros", pipeline.checkpoint_interval_us},
              {"udfs", ShowPipelineUdfs(pipeline.udfs)},
              {"tags", Json(pipeline.tags)},
              {"env_vars", std::move(env)},
              {"state", state},
              {"stateDetail", detail},
              {"created_at", pipeline.created_us / 1000},
              {"updated_at", pipeline.updated_us / 1000},
              {"action", std::move(action)},
              {"action_text", detail == "Recovering" ? detail : state},
              {"action_in_progress", in_progress},
              {"preview", pipeline.preview},
              {"current_job_id", pipeline.current_job_id.empty() ? Json() : Json(pipeline.current_job_id)}};
  if (out["tags"].is_null()) out["tags"] = Json::object();
  if (with_graph) out["graph"] = pipeline.graph;
  return out;
}

void AddPipelineEndpoints(ApiContext& context, std::vector<Endpoint>* out) {
  const std::string tag = "pipelines";
  AddPipelineLists(context, out);
  out->push_back({"POST", "/pipelines", Role::kWrite, tag, "Create a pipeline", "PipelineCreate", "Pipeline",
                  [&context](Call& call) { return CreatePipeline(context, call); }, 201});
  out->push_back(
      {"GET", "/pipelines/{id}", Role::kRead, tag, "One pipeline", "", "Pipeline", [&context](Call& call) {
         const auto pipeline = PipelineOf(context, call.id());
         return WithEtag(call, Reply(ShowPipeline(context, *pipeline, true)), EtagOfPipeline(*pipeline));
       }});
  out->back().handler = [&context](Call& call) {
    const auto pipeline = PipelineOf(context, call.id());
    HttpResponse response = Reply(ShowPipeline(context, *pipeline, true));
    response.headers.emplace_back("ETag", EtagOfPipeline(*pipeline));  // its state changes without it: no 304
    return response;
  };
  out->push_back({"PATCH", "/pipelines/{id}", Role::kWrite, tag, "Change, stop, start or rescale a pipeline",
                  "PipelinePatch", "Pipeline",
                  [&context](Call& call) { return PatchPipeline(context, call); }});
  Endpoint remove{
      "DELETE", "/pipelines/{id}", Role::kWrite, tag, "Delete a pipeline with its jobs", "", "Message", {}};
  remove.query = {{"force", "boolean", "stop it first"}};
  remove.handler = [&context](Call& call) {
    const auto pipeline = PipelineOf(context, call.id());
    CheckIfMatch(call, EtagOfPipeline(*pipeline));
    context.jobs.DeletePipeline(call.id(), call.Flag("force"));
    return Reply({{"message", "Pipeline deleted successfully"}});
  };
  out->push_back(std::move(remove));
  Endpoint start{"POST",          "/pipelines/{id}/start", Role::kWrite, tag, "Start: makes a job",
                 "PipelineStart", "PipelineStarted",       {},           202};
  start.body_optional = true;
  start.handler = [&context](Call& call) {
    const std::string job = context.jobs.StartPipeline(PipelineOf(context, call.id())->id,
                                                       StartOptionsOf(call.body), call.actor());
    return Reply({{"message", "Pipeline start initiated"}, {"job_id", job}, {"pipeline_id", call.id()}}, 202);
  };
  out->push_back(std::move(start));
  Endpoint stop{"POST", "/pipelines/{id}/stop", Role::kWrite, tag, "Stop", "Stop", "StopInitiated", {}, 202};
  stop.body_optional = true;
  stop.handler = [&context](Call& call) { return StopPipeline(context, call); };
  out->push_back(std::move(stop));
  Endpoint restart{"POST",    "/pipelines/{id}/restart", Role::kWrite,      tag,
                   "Restart", "PipelineRestart",         "PipelineStarted", {},
                   202};
  restart.body_optional = true;
  restart.handler = [&context](Call& call) {
    const bool force = Given(call.body, "force") && call.body["force"].get<bool>();
    const std::string job = context.jobs.RestartPipeline(PipelineOf(context, call.id())->id, force,
                                                         StartOptionsOf(call.body), call.actor());
    return Reply({{"message", "Pipeline restart initiated"}, {"job_id", job}}, 202);
  };
  out->push_back(std::move(restart));
  out->push_back({"POST", "/pipelines/{id}/rescale", Role::kWrite, tag, "Run with another parallelism",
                  "Rescale", "Object", [&context](Call& call) { return RescalePipeline(context, call); },
                  202});
  out->push_back({"POST", "/pipelines/validate_query", Role::kRead, tag, "Plan only", "ValidateQuery",
                  "Validation", [&context](Call& call) { return ValidateQuery(context, call); }});
  Endpoint preview{"POST",
                   "/pipelines/preview",
                   Role::kWrite,
                   tag,
                   "A short run with captured output",
                   "Preview",
                   "Pipeline",
                   [&context](Call& call) { return Preview(context, call); },
                   201};
  preview.event_stream = true;
  preview.query = {{"numbers", "string", "string: BIGINT, unsigned and DECIMAL as text", {"string"}},
                   {"max_rows_per_second", "integer", "of the stream: what is more is left out and counted"}};
  out->push_back(std::move(preview));
  Endpoint versions{
      "GET", "/pipelines/{id}/versions", Role::kRead, tag, "Queries that the pipeline has had", "", "Object",
      {}};
  versions.list = true;
  versions.handler = [&context](Call& call) {
    const auto pipeline = PipelineOf(context, call.id());
    std::vector<Json> entries;
    for (auto v = pipeline->versions.rbegin(); v != pipeline->versions.rend(); ++v) {
      entries.push_back({{"id", std::to_string(v->version)},
                         {"version", v->version},
                         {"query", MaskQuery(v->query)},
                         {"parallelism", v->parallelism},
                         {"created_at", v->created_us / 1000}});
    }
    return OrderedPage(call, entries);
  };
  out->push_back(std::move(versions));
  Endpoint checkpoints{"GET",
                       "/pipelines/{id}/checkpoints",
                       Role::kRead,
                       tag,
                       "Checkpoints of all its jobs, newest first",
                       "",
                       "Checkpoint",
                       {}};
  checkpoints.list = true;
  checkpoints.query = {{"completed", "boolean", "only completed, or only others"}};
  checkpoints.handler = [&context](Call& call) {
    return CheckpointList(context, call, PipelineOf(context, call.id())->id, "");
  };
  out->push_back(std::move(checkpoints));
  out->push_back({"GET", "/pipelines/{id}/versions/{version}", Role::kRead, tag, "One version of the query",
                  "", "Object", [&context](Call& call) {
                    const auto pipeline = PipelineOf(context, call.id());
                    for (const PipelineVersion& v : pipeline->versions) {
                      if (std::to_string(v.version) != call.id("version")) continue;
                      return Reply({{"version", v.version},
                                    {"query", MaskQuery(v.query)},
                                    {"parallelism", v.parallelism},
                                    {"created_at", v.created_us / 1000}});
                    }
                    throw NotFound("version", call.id("version"));
                  }});
}

}  // namespace laminar::api
