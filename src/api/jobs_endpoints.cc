// Jobs: list, read, stop, restart, rescale, and what they report.

#include <algorithm>

#include "api/api_context.h"
#include "api/pipeline_json.h"
#include "base/clock.h"
#include "jobs/exact_numbers.h"

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

class FeedStream final : public EventStream {
 public:
  FeedStream(std::shared_ptr<JobFeed> feed, const StreamOptions& options, Json state)
      : feed_(std::move(feed)), options_(options), after_(options.after), state_(std::move(state)) {}

  bool Next(std::string* out) override {
    const int64_t now_ms = NowMs();
    feed_->Touch(now_ms);
    if (!state_.is_null()) {
      *out += "event: state\ndata: " + state_.dump() + "\n\n";
      state_ = nullptr;
      next_progress_ms_ = now_ms + kProgressMs;
    }
    std::optional<std::pair<int64_t, int64_t>> gap;
    for (const FeedEvent& event : feed_->EventsAfter(after_, kStreamChunk, &gap)) {
      if (gap) {
        *out += "event: gap\ndata: {\"from_id\":" + std::to_string(gap->first) +
                ",\"to_id\":" + std::to_string(gap->second) + "}\n\n";
        gap.reset();
      }
      after_ = event.id;
      if (event.name == "output" && !Wanted(event, now_ms)) continue;
      *out += "id: " + std::to_string(event.id) + "\nevent: " + event.name + "\ndata: " +
              (event.name == "output" && options_.exact_numbers ? Exact(event.data) : event.data) + "\n\n";
      if (event.name == "end") return false;
    }
    if (now_ms >= next_progress_ms_) SendProgress(now_ms, out);
    return true;
  }

 private:
  /// The operator of an output event: `{"operator_id":"…",` is how its text begins.
  static std::string OperatorOf(const std::string& data) {
    const size_t begin = data.find(":\"") + 2;
    return data.substr(begin, data.find('"', begin) - begin);
  }
  std::string Exact(const std::string& data) const {
    return WithExactNumbers(data, feed_->Columns(OperatorOf(data)), 4);
  }
  bool Wanted(const FeedEvent& event, int64_t now_ms) {
    if (!options_.operator_id.empty() && OperatorOf(event.data) != options_.operator_id) return false;
    rows_ += event.rows;
    if (options_.rows_per_second <= 0) return true;
    if (std::exchange(second_, now_ms / 1000) != now_ms / 1000) rows_in_second_ = 0;
    if (rows_in_second_ >= options_.rows_per_second) {
      left_out_ += event.rows;
      return false;
    }
    rows_in_second_ += event.rows;
    return true;
  }
  void SendProgress(int64_t now_ms, std::string* out) {
    next_progress_ms_ = now_ms + kProgressMs;
    Json progress = feed_->Progress();
    progress["limit_left"] =
        options_.limit > 0 ? Json(std::max<int64_t>(0, options_.limit - feed_->OutputTotal())) : Json();
    progress["left_out"] = left_out_;
    *out += "event: progress\ndata: " + progress.dump() + "\n\n";
  }

  static constexpr int64_t kProgressMs = 1'000;
  const std::shared_ptr<JobFeed> feed_;
  const StreamOptions options_;
  int64_t after_;
  Json state_;
  int64_t next_progress_ms_ = 0;
  int64_t rows_ = 0, second_ = 0, rows_in_second_ = 0, left_out_ = 0;
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
  const bool exact = call.Query("numbers") == "string";
  if (call.WantsEvents() || call.Flag("stream")) {
    StreamOptions options = StreamOptionsOf(call);
    options.after = std::atoll(call.request.Header("last-event-id").c_str());
    options.operator_id = operator_id;
    return OutputStream(context, job->id, options);
  }
  const int64_t limit = std::min<int64_t>(call.Integer("limit", 100, 1, INT64_MAX), 10'000);
  const int64_t offset = call.Integer("offset", 0, 0, INT64_MAX - 20'000);
  const auto formats = FilterValues(call, "format", {"json", "csv"});
  if (Contains(formats, "csv")) {
    HttpResponse csv;
    csv.content_type = "text/csv; charset=utf-8";
    csv.body = feed->OutputCsv(operator_id);
    return csv;
  }
  auto page = feed->Output(operator_id, offset, limit, exact);
  if (!page) {
    if (!operator_id.empty()) throw NotFound("operator", operator_id);
    return Reply({{"data", Json::array()}, {"operator_id", ""}, {"total_records", 0}, {"has_more", false}});
  }
  HttpResponse out;
  out.body = std::move(*page);
  return out;
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
  const int64_t task = call.Integer("task_index", -1, 0, INT64_MAX);
  const auto wanted = [=](const Json& e) {
    return Severity(e["level"].get<std::string>()) >= least &&
           (!operator_id || e["operator_id"] == *operator_id) && (task < 0 || e["task_index"] == task) &&
           e["timestamp"].get<int64_t>() >= since && e["timestamp"].get<int64_t>() <= until &&
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
  Json operators = checkpoint.operator_states;
  if (!whole) {
    for (Json& one : operators) one.erase("subtask_states");
  }
  Json out = {
      {"id", checkpoint.id},
      {"job_id", checkpoint.job_id},
      {"epoch", checkpoint.epoch},
      {"start_time", checkpoint.start_us / 1000},
      {"finish_time", Millis(checkpoint.finish_us)},
      {"state", checkpoint.state},
      {"type", checkpoint.type},
      {"size_bytes", checkpoint.size_bytes},
      {"operator_states", std::move(operators)},
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

HttpResponse MetricsHistory(ApiContext& context, Call& call) {
  static const std::vector<std::string> known = {"rate_in",    "rate_out",       "bytes_rate",
                                                 "busy",       "backpressure",   "late_records",
                                                 "state_rows", "bytes_out_rate", "watermark_lag_ms"};
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
  const std::string started = context.jobs.RestartPipeline(job->pipeline_id, force, options, call.actor());
  return Reply({{"message", "Job restarted"}, {"new_job_id", started}}, 202);
}

}  // namespace

StreamOptions StreamOptionsOf(const Call& call) {
  StreamOptions out;
  out.exact_numbers = call.Query("numbers") == "string";
  out.rows_per_second = call.Integer("max_rows_per_second", 0, 0, INT64_MAX);
  return out;
}

HttpResponse CheckpointList(ApiContext& context, const Call& call, const std::string& pipeline_id,
                            const std::string& job_id) {
  const bool filtered = call.Query("completed").has_value();
  const bool completed = filtered && call.Flag("completed");
  std::vector<std::shared_ptr<const CheckpointRecord>> found;
  for (const auto& checkpoint : context.catalog.All<CheckpointRecord>()) {
    if (checkpoint->pipeline_id != pipeline_id || (!job_id.empty() && checkpoint->job_id != job_id)) continue;
    if (!filtered || (checkpoint->state == "completed") == completed) found.push_back(checkpoint);
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::pair(a->epoch, a->start_us) > std::pair(b->epoch, b->start_us);
  });
  std::vector<Json> entries;
  for (const auto& checkpoint : found) entries.push_back(ShowCheckpoint(*checkpoint, false));
  return OrderedPage(call, entries);
}

HttpResponse OutputStream(ApiContext& context, const std::string& job_id, const StreamOptions& options) {
  const auto job = context.catalog.Find<Job>(job_id);
  HttpResponse out;
  Json state;
  if (job) state = {{"state", JobStateName(ParseDetail(job->detail))}, {"stateDetail", job->detail}};
  out.stream = std::make_unique<FeedStream>(context.jobs.Feed(job_id), options, std::move(state));
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
          {"checkpoint_interval_micros", job.checkpoint_interval_us},
          {"started_by", job.started_by.empty() ? Json() : Json(job.started_by)},
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
  Endpoint& checkpoints =
      get("/checkpoints", "Checkpoints, newest first", "Checkpoint", [&context](Call& call) {
        const auto job = JobOf(context, call);
        return CheckpointList(context, call, job->pipeline_id, job->id);
      });
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
                  {"numbers", "string", "string: BIGINT, unsigned and DECIMAL as text", {"string"}},
                  {"max_rows_per_second", "integer", "of a stream: what is more is left out and counted"}};
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
                  const int64_t due_us = context.jobs.StopJob(job->id, mode, seconds, call.actor());
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
                    context.jobs.RescaleJob(job->id, call.body["parallelism"].get<int>(), call.actor());
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
                        const bool savepoint = call.body.value("type", Json()) == "savepoint";
                        context.jobs.TriggerCheckpoint(JobOf(context, call)->id, savepoint, call.actor());
                        return Reply(
                            {{"message", savepoint ? "Savepoint initiated" : "Checkpoint initiated"}}, 202);
                      },
                      202};
  checkpoint.body_optional = true;
  out->push_back(std::move(checkpoint));
  out->push_back({"DELETE", "/jobs/{job_id}/checkpoints/{checkpoint_id}", Role::kWrite, tag,
                  "Delete a savepoint", "", "Message", [&context](Call& call) {
                    const auto job = JobOf(context, call);
                    const auto found = context.catalog.Find<CheckpointRecord>(call.id("checkpoint_id"));
                    if (!found || found->job_id != job->id)
                      throw NotFound("checkpoint", call.id("checkpoint_id"));
                    context.jobs.DeleteSavepoint(found->id);
                    return Reply({{"message", "Savepoint deleted successfully"}});
                  }});
  AddJobPages(context, "/jobs/{job_id}", out);
  AddJobPages(context, "/pipelines/{id}/jobs/{job_id}", out);
}

}  // namespace laminar::api
