// Jobs: list, read, stop, restart, rescale, and what they report.

#include <algorithm>

#include "api/api_context.h"
#include "api/pipeline_json.h"
#include "base/clock.h"

namespace laminar::api {

namespace {

constexpr size_t kStreamChunk = 1 << 20;

int64_t NowMs() { return SystemClock().now_us() / 1000; }
bool Given(const Json& body, const char* name) { return body.contains(name) && !body[name].is_null(); }

/// The job that the path names; 404 when it is another pipeline's.
std::shared_ptr<const Job> JobOf(const ApiContext& context, const Call& call) {
  auto job = context.catalog.Find<Job>(call.id("job_id"));
  const auto pipeline = call.path.find("id");
  if (!job || (pipeline != call.path.end() && job->pipeline_id != pipeline->second))
    throw NotFound("job", call.id("job_id"));
  return job;
}

/// Integers beyond 2^53 and decimals keep their digits as text.
void NumbersAsText(Json* value) {
  if (value->is_number_integer()) {
    const int64_t n =
        value->is_number_unsigned() && value->get<uint64_t>() > INT64_MAX ? INT64_MAX : value->get<int64_t>();
    if (n > (int64_t{1} << 53) || n < -(int64_t{1} << 53)) *value = value->dump();
  } else if (value->is_structured()) {
    for (Json& member : *value) NumbersAsText(&member);
  }
}

class FeedStream final : public EventStream {
 public:
  FeedStream(std::shared_ptr<JobFeed> feed, int64_t after, std::string operator_id, bool numbers_as_text,
             Json state)
      : feed_(std::move(feed)),
        after_(after),
        operator_id_(std::move(operator_id)),
        numbers_as_text_(numbers_as_text),
        state_(std::move(state)) {}

  bool Next(std::string* out) override {
    feed_->Touch(NowMs());
    if (!state_.is_null()) {
      *out += "event: state\ndata: " + state_.dump() + "\n\n";
      state_ = nullptr;
    }
    std::optional<std::pair<int64_t, int64_t>> gap;
    for (const FeedEvent& event : feed_->EventsAfter(after_, kStreamChunk, &gap)) {
      if (gap) {
        *out += "event: gap\ndata: {\"from_id\":" + std::to_string(gap->first) +
                ",\"to_id\":" + std::to_string(gap->second) + "}\n\n";
        gap.reset();
      }
      after_ = event.id;
      std::string data = event.data;
      if (event.name == "output" && (numbers_as_text_ || !operator_id_.empty())) {
        Json parsed = Json::parse(data);
        if (!operator_id_.empty() && parsed["operator_id"] != operator_id_) continue;
        if (numbers_as_text_) {
          for (Json& row : parsed["records"]) {
            NumbersAsText(&row["record"]);
            if (row.contains("before")) NumbersAsText(&row["before"]);
          }
        }
        data = parsed.dump(-1, ' ', false, Json::error_handler_t::replace);
      }
      *out += "id: " + std::to_string(event.id) + "\nevent: " + event.name + "\ndata: " + data + "\n\n";
      if (event.name == "end") return false;
    }
    return true;
  }

 private:
  const std::shared_ptr<JobFeed> feed_;
  int64_t after_;
  const std::string operator_id_;
  const bool numbers_as_text_;
  Json state_;
};

/// New log lines as they come.
class LogStream final : public EventStream {
 public:
  LogStream(std::shared_ptr<JobFeed> feed, std::function<bool(const Json&)> wanted)
      : feed_(std::move(feed)), wanted_(std::move(wanted)) {}
  bool Next(std::string* out) override {
    const bool ended = feed_->ended();
    const std::vector<Json> lines = feed_->Logs();
    size_t from = 0;
    for (size_t i = lines.size(); i-- > 0;) {
      if (lines[i]["id"] == last_id_) {
        from = i + 1;
        break;
      }
    }
    for (size_t i = from; i < lines.size(); ++i) {
      last_id_ = lines[i]["id"].get<std::string>();
      if (wanted_(lines[i])) *out += "event: log\ndata: " + lines[i].dump() + "\n\n";
    }
    if (ended) *out += "event: end\ndata: {}\n\n";
    return !ended;
  }

 private:
  const std::shared_ptr<JobFeed> feed_;
  const std::function<bool(const Json&)> wanted_;
  std::string last_id_;
};

int Severity(const std::string& level) {
  return level == "error" ? 2 : level == "warn" || level == "warning" ? 1 : 0;
}

HttpResponse Output(ApiContext& context, Call& call) {
  const auto job = JobOf(context, call);
  const auto feed = context.jobs.Feed(job->id);
  const std::string operator_id = call.Query("operator_id").value_or("");
  feed->Touch(NowMs());
  bool captures = job->preview || feed->captures();
  if (!captures && job->graph.is_object()) {
    for (const Json& node : job->graph["nodes"])
      captures = captures || node.value("operator", "") == "preview";
  }
  if (!captures) {
    throw InvalidState("the job captures no output: only previews and a SELECT without INSERT do",
                       job->detail, {"preview"});
  }
  const bool as_text = call.Query("numbers") == "string";
  const std::string last_id = call.request.Header("last-event-id");
  if (call.WantsEvents() || call.Flag("stream"))
    return OutputStream(context, job->id, std::atoll(last_id.c_str()), operator_id, as_text);
  const int64_t limit = std::min<int64_t>(call.Integer("limit", 100, 1, INT64_MAX), 10'000);
  const int64_t offset = call.Integer("offset", 0, 0, INT64_MAX - 20'000);
  const auto formats = FilterValues(call, "format", {"json", "csv"});
  if (Contains(formats, "csv")) {
    HttpResponse csv;
    csv.content_type = "text/csv; charset=utf-8";
    csv.body = feed->OutputCsv(operator_id);
    return csv;
  }
  auto page = feed->Output(operator_id, offset, limit);
  if (!page) {
    if (!operator_id.empty()) throw NotFound("operator", operator_id);
    page = Json{{"data", Json::array()}, {"operator_id", ""}, {"total_records", 0}, {"has_more", false}};
  }
  if (as_text) {
    for (Json& row : (*page)["data"]) NumbersAsText(&row["record"]);
  }
  return Reply(*page);
}

HttpResponse Errors(ApiContext& context, Call& call) {
  const auto job = JobOf(context, call);
  const auto levels = FilterValues(call, "level", {"error", "warning"});
  const auto operator_id = call.Query("operator_id");
  const int64_t since = call.Integer("since", 0, 0, INT64_MAX);
  std::vector<Json> entries = context.jobs.Feed(job->id)->Errors();
  std::reverse(entries.begin(), entries.end());
  std::erase_if(entries, [&](const Json& e) {
    return (!levels.empty() && !Contains(levels, e["level"].get<std::string>())) ||
           (operator_id && e["operator_id"] != *operator_id) || e["timestamp"].get<int64_t>() < since;
  });
  return OrderedPage(call, entries);
}

HttpResponse Logs(ApiContext& context, Call& call) {
  const auto job = JobOf(context, call);
  const auto levels = FilterValues(call, "level", {"info", "warn", "error"});
  const int least = levels.empty() ? 0 : Severity(levels[0]);
  const auto operator_id = call.Query("operator_id");
  const int64_t since = call.Integer("since", 0, 0, INT64_MAX);
  const int64_t until = call.Integer("until", INT64_MAX, 0, INT64_MAX);
  const auto text = call.Query("q");
  const auto wanted = [=](const Json& e) {
    return Severity(e["level"].get<std::string>()) >= least &&
           (!operator_id || e["operator_id"] == *operator_id) && e["timestamp"].get<int64_t>() >= since &&
           e["timestamp"].get<int64_t>() <= until &&
           (!text || LowerCase(e["message"].get<std::string>()).find(LowerCase(*text)) != std::string::npos);
  };
  const auto feed = context.jobs.Feed(job->id);
  if (call.Flag("follow")) {
    HttpResponse out;
    out.stream = std::make_unique<LogStream>(feed, wanted);
    return out;
  }
  std::vector<Json> entries = feed->Logs();
  std::erase_if(entries, [&](const Json& e) { return !wanted(e); });
  return OrderedPage(call, entries);
}

Json ShowCheckpoint(const CheckpointRecord& checkpoint, bool whole) {
  Json out = {
      {"id", checkpoint.id},
      {"job_id", checkpoint.job_id},
      {"epoch", checkpoint.epoch},
      {"start_time", checkpoint.start_us / 1000},
      {"finish_time", Millis(checkpoint.finish_us)},
      {"state", checkpoint.state},
      {"type", checkpoint.type},
      {"size_bytes", checkpoint.size_bytes},
      {"operator_states", checkpoint.operator_states},
      {"failure_reason", checkpoint.failure_reason.empty() ? Json() : Json(checkpoint.failure_reason)}};
  if (whole) {
    const size_t colon = checkpoint.location.find("://");
    const std::string scheme = colon == std::string::npos ? "file" : checkpoint.location.substr(0, colon);
    out["backend"] = scheme == "s3"                          ? "s3"
                     : scheme == "gs"                        ? "gcs"
                     : scheme == "abfs" || scheme == "abfss" ? "azure"
                                                             : "filesystem";
    out["location"] = checkpoint.location;
    out["events"] = Json::array({{{"event", "checkpoint"},
                                  {"start_time", checkpoint.start_us / 1000},
                                  {"finish_time", Millis(checkpoint.finish_us)},
                                  {"description", checkpoint.state}}});
  }
  return out;
}

HttpResponse Checkpoints(ApiContext& context, Call& call) {
  const auto job = JobOf(context, call);
  const bool filtered = call.Query("completed").has_value();
  const bool completed = filtered && call.Flag("completed");
  std::vector<std::shared_ptr<const CheckpointRecord>> found;
  for (const auto& checkpoint : context.catalog.All<CheckpointRecord>()) {
    if (checkpoint->job_id != job->id || (filtered && (checkpoint->state == "completed") != completed))
      continue;
    found.push_back(checkpoint);
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a->epoch > b->epoch; });
  std::vector<Json> entries;
  for (const auto& checkpoint : found) entries.push_back(ShowCheckpoint(*checkpoint, false));
  return OrderedPage(call, entries);
}

HttpResponse MetricsHistory(ApiContext& context, Call& call) {
  static const std::vector<std::string> known = {"rate_in",      "rate_out",     "bytes_rate", "busy",
                                                 "backpressure", "late_records", "state_rows"};
  const auto job = JobOf(context, call);
  std::vector<std::string> names = FilterValues(call, "names", known);
  if (names.empty()) names = known;
  const int64_t to = call.Integer("to", NowMs(), 0, INT64_MAX);
  const int64_t from = call.Integer("from", to - 3'600'000, INT64_MIN, INT64_MAX);
  return Reply(context.jobs.Feed(job->id)->History(names, call.Query("operator_id").value_or(""), from, to,
                                                   call.Integer("step", 1000, 1, INT64_MAX)));
}

HttpResponse ListJobs(ApiContext& context, Call& call, const std::string& pipeline_id) {
  static const std::vector<std::string> states = {
      "Running",    "Stopping",           "Stopped",    "Completed", "Failed",
      "Created",    "Compiling",          "Scheduling", "Rescaling", "Restarting",
      "Recovering", "CheckpointStopping", "Finishing",  "Finished",  "Failing"};
  const auto wanted = FilterValues(call, "state", states);
  const auto pipelines = call.Query("pipeline_id");
  const auto running = call.Query("running");
  const bool is_running = running && call.Flag("running");
  std::vector<ListItem> items;
  for (const auto& job : context.catalog.All<Job>()) {
    if (!pipeline_id.empty() && job->pipeline_id != pipeline_id) continue;
    if (pipeline_id.empty() && job->preview && !call.Flag("preview")) continue;
    if (pipelines && job->pipeline_id != *pipelines) continue;
    const JobDetail detail = ParseDetail(job->detail);
    const std::string state(JobStateName(detail));
    if (!wanted.empty() && !Contains(wanted, LowerCase(state)) && !Contains(wanted, LowerCase(job->detail)))
      continue;
    if (running && is_running == IsTerminal(detail)) continue;
    items.push_back({job->id, job->pipeline_name, state, job->created_us, job->start_us,
                     [job] { return ShowJob(*job); }});
  }
  return ListPage(call, std::move(items), {"state", "start_time", "name"});
}

HttpResponse RestartJob(ApiContext& context, Call& call) {
  const auto job = JobOf(context, call);
  StartOptions options;
  if (Given(call.body, "checkpoint_id"))
    options.checkpoint_id = call.body["checkpoint_id"].get<std::string>();
  if (Given(call.body, "ignore_state")) options.ignore_state = call.body["ignore_state"].get<bool>();
  if (Given(call.body, "parallelism")) options.parallelism = call.body["parallelism"].get<int>();
  const bool force = Given(call.body, "force") && call.body["force"].get<bool>();
  const std::string started = context.jobs.RestartPipeline(job->pipeline_id, force, options);
  return Reply({{"message", "Job restarted"}, {"new_job_id", started}}, 202);
}

}  // namespace

HttpResponse OutputStream(ApiContext& context, const std::string& job_id, int64_t after,
                          const std::string& operator_id, bool numbers_as_text) {
  const auto job = context.catalog.Find<Job>(job_id);
  HttpResponse out;
  Json state;
  if (job) state = {{"state", JobStateName(ParseDetail(job->detail))}, {"stateDetail", job->detail}};
  out.stream = std::make_unique<FeedStream>(context.jobs.Feed(job_id), after, operator_id, numbers_as_text,
                                            std::move(state));
  return out;
}

Json ShowJob(const Job& job) {
  const JobDetail detail = ParseDetail(job.detail);
  Json reason;
  if (!job.failure_message.empty()) reason = {{"error", job.failure_message}, {"domain", job.failure_domain}};
  return {{"id", job.id},
          {"pipeline_id", job.pipeline_id},
          {"pipeline_name", job.pipeline_name},
          {"running_desired", job.running_desired},
          {"state", JobStateName(detail)},
          {"stateDetail", job.detail},
          {"run_id", job.run_id},
          {"restarts", job.restarts},
          {"start_time", Millis(job.start_us)},
          {"finish_time", Millis(job.finish_us)},
          {"tasks", job.tasks == 0 ? Json() : Json(job.tasks)},
          {"parallelism", job.parallelism},
          {"failure_message", job.failure_message.empty() ? Json() : Json(job.failure_message)},
          {"failure_reason", std::move(reason)},
          {"version", job.version},
          {"created_at", job.created_us / 1000},
          {"restored_from", job.restored_from.empty() ? Json() : Json(job.restored_from)}};
}

void AddJobPages(ApiContext& context, const std::string& base, std::vector<Endpoint>* out) {
  const std::string tag = "jobs";
  const auto get = [&](const std::string& path, const char* summary, const char* schema,
                       std::function<HttpResponse(Call&)> handler) -> Endpoint& {
    out->push_back({"GET", base + path, Role::kRead, tag, summary, "", schema, std::move(handler)});
    return out->back();
  };
  get("/metrics", "Metrics of a job", "JobMetrics", [&context](Call& call) {
    const auto job = JobOf(context, call);
    return Reply(context.jobs.Feed(job->id)->Metrics(NowMs(), call.Integer("window_seconds", 60, 1, 86'400)));
  }).query = {{"window_seconds", "integer", "for rates and percentiles"}};
  get("/metrics/history", "Metrics over time", "Object",
      [&context](Call& call) { return MetricsHistory(context, call); })
      .query = {{"names", "string", "comma list"},
                {"operator_id", "string", ""},
                {"from", "integer", "ms"},
                {"to", "integer", "ms"},
                {"step", "integer", "ms"}};
  get("/metric-groups", "Sums by sources, transforms and sinks", "MetricGroups", [&context](Call& call) {
    const auto job = JobOf(context, call);
    return Reply(context.jobs.Feed(job->id)->MetricGroups(NowMs()));
  });
  get("/operators", "Operators of the running plan", "Operator", [&context](Call& call) {
    const auto job = JobOf(context, call);
    Json operators = context.jobs.Feed(job->id)->Operators();
    if (operators.empty() && job->graph.is_object()) {
      for (const Json& node : job->graph["nodes"]) {
        operators.push_back({{"operator_id", node["operator_id"]},
                             {"operator_name", node["operator"]},
                             {"description", node["description"]},
                             {"kind", node["kind"]},
                             {"parallelism", node["parallelism"]},
                             {"watermark", nullptr},
                             {"state_bytes", nullptr}});
      }
    }
    const std::vector<Json> entries(operators.begin(), operators.end());
    if (call.Query("limit") || call.Query("offset")) return OrderedPage(call, entries);
    return Reply({{"data", entries},
                  {"has_more", false},
                  {"meta", {{"total", entries.size()}, {"limit", entries.size()}, {"offset", 0}}}});
  }).list = true;
  get("/operators/{operator_id}/metrics", "Metrics of an operator", "OperatorMetrics",
      [&context](Call& call) {
        const auto job = JobOf(context, call);
        const Json found = context.jobs.Feed(job->id)->Operator(call.id("operator_id"), NowMs());
        if (found.is_null()) throw NotFound("operator", call.id("operator_id"));
        return Reply(found);
      });
  get("/watermarks", "Watermarks per operator and subtask", "Object", [&context](Call& call) {
    return Reply(context.jobs.Feed(JobOf(context, call)->id)->Watermarks(NowMs()));
  });
  Endpoint& checkpoints = get("/checkpoints", "Checkpoints, newest first", "Checkpoint",
                              [&context](Call& call) { return Checkpoints(context, call); });
  checkpoints.list = true;
  checkpoints.query = {{"completed", "boolean", "only completed, or only others"}};
  get("/checkpoints/{checkpoint_id}", "One checkpoint", "Checkpoint", [&context](Call& call) {
    const auto job = JobOf(context, call);
    const auto found = context.catalog.Find<CheckpointRecord>(call.id("checkpoint_id"));
    if (!found || found->job_id != job->id) throw NotFound("checkpoint", call.id("checkpoint_id"));
    return Reply(ShowCheckpoint(*found, true));
  });
  Endpoint& output =
      get("/output", "Captured output", "Output", [&context](Call& call) { return Output(context, call); });
  output.event_stream = true;
  output.query = {{"operator_id", "string", ""},
                  {"limit", "integer", ""},
                  {"offset", "integer", ""},
                  {"format", "string", "", {"json", "csv"}},
                  {"stream", "boolean", "as server-sent events"},
                  {"numbers", "string", "string: large integers as text", {"string"}}};
  Endpoint& errors = get("/errors", "Errors, newest first", "JobError",
                         [&context](Call& call) { return Errors(context, call); });
  errors.list = true;
  errors.query = {{"level", "string", "", {"error", "warning"}},
                  {"operator_id", "string", ""},
                  {"since", "integer", "ms"}};
  Endpoint& logs = get("/logs", "Log lines, newest last", "JobLog",
                       [&context](Call& call) { return Logs(context, call); });
  logs.list = true;
  logs.event_stream = true;
  logs.query = {{"level", "string", "at least", {"info", "warn", "error"}},
                {"operator_id", "string", ""},
                {"task_index", "integer", ""},
                {"since", "integer", "ms"},
                {"until", "integer", "ms"},
                {"q", "string", "text in the message"},
                {"follow", "boolean", "as server-sent events"}};
  Endpoint& events = get("/events", "What happened to the job", "Object", [&context](Call& call) {
    std::vector<Json> entries = context.jobs.Feed(JobOf(context, call)->id)->Events();
    std::reverse(entries.begin(), entries.end());
    return OrderedPage(call, entries);
  });
  events.list = true;
}

void AddJobEndpoints(ApiContext& context, std::vector<Endpoint>* out) {
  const std::string tag = "jobs";
  const std::vector<QueryParameter> filters = {{"pipeline_id", "string", ""},
                                               {"state", "string", "only in these states"},
                                               {"running", "boolean", "not over"}};
  Endpoint list{
      "GET",       "/jobs", Role::kRead, tag,
      "List jobs", "",      "Job",       [&context](Call& call) { return ListJobs(context, call, ""); }};
  list.list = true;
  list.query = filters;
  out->push_back(std::move(list));
  Endpoint of_pipeline{"GET",
                       "/pipelines/{id}/jobs",
                       Role::kRead,
                       tag,
                       "Jobs of a pipeline",
                       "",
                       "Job",
                       [&context](Call& call) {
                         if (!context.catalog.Find<Pipeline>(call.id()))
                           throw NotFound("pipeline", call.id());
                         return ListJobs(context, call, call.id());
                       }};
  of_pipeline.list = true;
  of_pipeline.query = filters;
  out->push_back(std::move(of_pipeline));
  const auto one = [&context](Call& call) {
    const auto job = JobOf(context, call);
    Json shown = ShowJob(*job);
    shown["metrics"] = context.jobs.Feed(job->id)->Totals();
    shown["query"] = MaskQuery(job->query);
    shown["graph"] = job->graph;
    return Reply(shown);
  };
  out->push_back({"GET", "/jobs/{job_id}", Role::kRead, tag, "One job", "", "Job", one});
  out->push_back(
      {"GET", "/pipelines/{id}/jobs/{job_id}", Role::kRead, tag, "One job of a pipeline", "", "Job", one});
  Endpoint stop{"POST",
                "/jobs/{job_id}/stop",
                Role::kWrite,
                tag,
                "Stop",
                "Stop",
                "StopInitiated",
                [&context](Call& call) {
                  const auto job = JobOf(context, call);
                  const int seconds =
                      Given(call.body, "timeout_seconds") ? call.body["timeout_seconds"].get<int>() : 30;
                  const JobStopMode mode = Given(call.body, "mode")
                                               ? *ParseStopMode(call.body["mode"].get<std::string>())
                                               : JobStopMode::kCheckpoint;
                  const int64_t due_us = context.jobs.StopJob(job->id, mode, seconds);
                  return Reply({{"message", "Job stop initiated"}, {"expected_finish_time", due_us / 1000}},
                               202);
                },
                202};
  stop.body_optional = true;
  out->push_back(std::move(stop));
  Endpoint restart{"POST",
                   "/jobs/{job_id}/restart",
                   Role::kWrite,
                   tag,
                   "Restart",
                   "PipelineRestart",
                   "JobRestarted",
                   [&context](Call& call) { return RestartJob(context, call); },
                   202};
  restart.body_optional = true;
  out->push_back(std::move(restart));
  out->push_back({"POST", "/jobs/{job_id}/rescale", Role::kWrite, tag, "Run with another parallelism",
                  "Rescale", "Object",
                  [&context](Call& call) {
                    const auto job = JobOf(context, call);
                    context.jobs.RescaleJob(job->id, call.body["parallelism"].get<int>());
                    return Reply({{"message", "Rescale initiated"},
                                  {"job_id", job->id},
                                  {"parallelism", call.body["parallelism"]}},
                                 202);
                  },
                  202});
  Endpoint checkpoint{"POST",
                      "/jobs/{job_id}/checkpoints",
                      Role::kWrite,
                      tag,
                      "Take a checkpoint now",
                      "CheckpointTrigger",
                      "Message",
                      [&context](Call& call) {
                        if (call.body.value("type", Json()) == "savepoint")
                          throw ApiError(501, "NOT_IMPLEMENTED", "savepoints are not in this build",
                                         {{"feature", "savepoint"}});
                        context.jobs.TriggerCheckpoint(JobOf(context, call)->id);
                        return Reply({{"message", "Checkpoint initiated"}}, 202);
                      },
                      202};
  checkpoint.body_optional = true;
  out->push_back(std::move(checkpoint));
  AddJobPages(context, "/jobs/{job_id}", out);
  AddJobPages(context, "/pipelines/{id}/jobs/{job_id}", out);
}

}  // namespace laminar::api
