// GET /events: one stream with everything that a console shows live.

#include <algorithm>

#include "api/api_context.h"
#include "api/pipeline_json.h"
#include "base/clock.h"

namespace laminar::api {

namespace {

constexpr int64_t kStateIntervalMs = 200;
constexpr int64_t kMetricsIntervalMs = 1'000;
constexpr size_t kTopicsMax = 50;

/// A snapshot of each topic first, then what changes. Sequence numbers count per stream: a reader that comes
/// back gets snapshots again.
class TopicStream final : public EventStream {
 public:
  TopicStream(ApiContext& context, std::vector<std::string> topics)
      : context_(context), topics_(std::move(topics)) {}

  bool Next(std::string* out) override {
    const int64_t now_ms = SystemClock().now_us() / 1000;
    if (now_ms < next_state_ms_) return true;
    next_state_ms_ = now_ms + kStateIntervalMs;
    const bool metrics = now_ms >= next_metrics_ms_;
    if (metrics) next_metrics_ms_ = now_ms + kMetricsIntervalMs;
    for (const std::string& topic : topics_) {
      if (topic == "pipelines") {
        Pipelines(now_ms, out);
      } else if (topic.starts_with("job:")) {
        const std::string rest = topic.substr(4);
        const size_t colon = rest.find(':');
        Job_(rest.substr(0, colon), colon != std::string::npos, metrics, now_ms, out);
      } else if (topic == "checkpoints") {
        Checkpoints(now_ms, out);
      } else if (topic == "errors") {
        Errors(now_ms, out);
      }
    }
    return true;
  }

 private:
  void Send(const char* event, const std::string& topic, Json data, int64_t now_ms, std::string* out) {
    ++sequence_;
    *out += "id: " + std::to_string(sequence_) + "\nevent: " + event + "\ndata: " +
            Json{{"seq", sequence_}, {"time", now_ms}, {"topic", topic}, {"data", std::move(data)}}.dump(
                -1, ' ', false, Json::error_handler_t::replace) +
            "\n\n";
  }

  void Pipelines(int64_t now_ms, std::string* out) {
    std::map<std::string, std::string> now;
    Json changed = Json::array();
    for (const auto& pipeline : context_.catalog.All<Pipeline>()) {
      if (pipeline->preview) continue;
      const std::string state = PipelineState(context_, *pipeline) + "/" +
                                PipelineDetail(context_, *pipeline) + "/" +
                                std::to_string(pipeline->updated_us);
      now[pipeline->id] = state;
      const auto old = pipelines_.find(pipeline->id);
      if (old == pipelines_.end() || old->second != state)
        changed.push_back(ShowPipeline(context_, *pipeline, false));
    }
    if (!snapshot_sent_) {
      Send("snapshot", "pipelines", changed, now_ms, out);
      snapshot_sent_ = true;
    } else {
      for (const Json& pipeline : changed) Send("pipeline", "pipelines", pipeline, now_ms, out);
      for (const auto& [id, state] : pipelines_) {
        if (!now.count(id)) Send("deleted", "pipelines", {{"id", id}}, now_ms, out);
      }
    }
    pipelines_ = std::move(now);
  }

  /// Those of before the stream are on the jobs' pages.
  void Checkpoints(int64_t now_ms, std::string* out) {
    int64_t newest_us = last_checkpoint_us_;
    for (const auto& checkpoint : context_.catalog.All<CheckpointRecord>()) {
      newest_us = std::max(newest_us, checkpoint->finish_us);
      if (last_checkpoint_us_ == 0 || checkpoint->finish_us <= last_checkpoint_us_) continue;
      Send("checkpoint", "checkpoints",
           {{"id", checkpoint->id},
            {"job_id", checkpoint->job_id},
            {"pipeline_id", checkpoint->pipeline_id},
            {"epoch", checkpoint->epoch},
            {"state", checkpoint->state},
            {"type", checkpoint->type},
            {"finish_time", checkpoint->finish_us / 1000},
            {"size_bytes", checkpoint->size_bytes}},
           now_ms, out);
    }
    last_checkpoint_us_ = std::max<int64_t>(newest_us, 1);
  }

  void Errors(int64_t now_ms, std::string* out) {
    if (last_error_ms_ == 0) last_error_ms_ = now_ms;
    int64_t newest_ms = last_error_ms_;
    for (const auto& job : context_.catalog.All<Job>()) {
      if (job->preview || (job->finish_us > 0 && job->finish_us / 1000 + 60'000 < now_ms)) continue;
      for (Json& entry : context_.jobs.Feed(job->id)->ErrorsSince(last_error_ms_ + 1)) {
        newest_ms = std::max(newest_ms, entry["timestamp"].get<int64_t>());
        entry["job_id"] = job->id;
        entry["pipeline_id"] = job->pipeline_id;
        Send("error", "errors", std::move(entry), now_ms, out);
      }
    }
    last_error_ms_ = newest_ms;
  }

  void Job_(const std::string& id, bool wants_metrics, bool tick, int64_t now_ms, std::string* out) {
    const auto job = context_.catalog.Find<Job>(id);
    const std::string topic = "job:" + id + (wants_metrics ? ":metrics" : "");
    if (!job) return;
    if (wants_metrics) {
      if (tick) Send("metrics", topic, context_.jobs.Feed(id)->Metrics(now_ms, 60), now_ms, out);
      return;
    }
    std::string& old = jobs_[id];
    const std::string state =
        job->detail + "/" + std::to_string(job->restarts) + "/" + std::to_string(job->parallelism);
    if (old != state) Send("job", topic, ShowJob(*job), now_ms, out);
    old = state;
  }

  ApiContext& context_;
  const std::vector<std::string> topics_;
  int64_t sequence_ = 0;
  int64_t next_state_ms_ = 0, next_metrics_ms_ = 0;
  int64_t last_checkpoint_us_ = 0, last_error_ms_ = 0;
  bool snapshot_sent_ = false;
  std::map<std::string, std::string> pipelines_, jobs_;
};

}  // namespace

void AddEventsEndpoint(ApiContext& context, std::vector<Endpoint>* out) {
  Endpoint events{
      "GET", "/events", Role::kRead, "server", "Changes of pipelines and jobs, as server-sent events",
      "",    "Object",  {}};
  events.event_stream = true;
  events.query = {
      {"topics", "string", "comma list of pipelines, checkpoints, errors, job:ID, job:ID:metrics"}};
  events.handler = [&context](Call& call) {
    std::vector<std::string> topics;
    const std::string text = call.Query("topics").value_or("pipelines");
    for (size_t from = 0; from <= text.size();) {
      const size_t comma = std::min(text.find(',', from), text.size());
      const std::string topic = text.substr(from, comma - from);
      if (topic != "pipelines" && topic != "checkpoints" && topic != "errors" && !topic.starts_with("job:"))
        throw Invalid("topics",
                      "'" + topic + "' is not pipelines, checkpoints, errors, job:ID or job:ID:metrics");
      topics.push_back(topic);
      from = comma + 1;
    }
    if (topics.size() > kTopicsMax)
      throw Invalid("topics", "more than " + std::to_string(kTopicsMax) + " topics");
    HttpResponse response;
    response.stream = std::make_unique<TopicStream>(context, std::move(topics));
    return response;
  };
  out->push_back(std::move(events));
}

}  // namespace laminar::api
