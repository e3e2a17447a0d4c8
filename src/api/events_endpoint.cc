// GET /events: one stream with everything that a console shows live.

#include <algorithm>

#include "api/api_context.h"
#include "api/event_log.h"
#include "api/pipeline_json.h"
#include "base/clock.h"

namespace laminar::api {

namespace {

constexpr int64_t kMetricsIntervalMs = 1'000;
constexpr size_t kTopicsMax = 50;
constexpr size_t kStreamChunk = 1 << 20;
/// What a snapshot holds of checkpoints and errors: the newest.
constexpr size_t kSnapshotCheckpoints = 20;
constexpr size_t kSnapshotErrors = 100;
constexpr int64_t kSnapshotErrorsMs = 300'000;

int64_t NowMs() { return SystemClock().now_us() / 1000; }

bool IsMetrics(const std::string& topic) { return topic.starts_with("job:") && topic.ends_with(":metrics"); }
std::string JobOfTopic(const std::string& topic) {
  const std::string rest = topic.substr(4);
  return rest.substr(0, rest.find(':'));
}

/// A snapshot of each topic first, unless the reader has been here before and the log still has all that came
/// since; then what happens. Metrics are sent each second and are not in the log.
class TopicStream final : public EventStream {
 public:
  TopicStream(ApiContext& context, const EventLog& log, std::vector<std::string> topics,
              const std::string& last_id)
      : context_(context), log_(log), topics_(std::move(topics)), logged_(topics_.begin(), topics_.end()) {
    if (last_id.empty()) {
      snapshot_ = "start";
    } else if (!last_id.starts_with(log.run() + "-")) {
      snapshot_ = "another_run";
    } else {
      position_ = std::atoll(last_id.c_str() + log.run().size() + 1);
    }
  }

  bool Next(std::string* out) override {
    const int64_t now_ms = NowMs();
    if (snapshot_.empty() && !log_.Reaches(position_)) snapshot_ = "too_old";
    if (!snapshot_.empty()) Snapshot(now_ms, out);
    for (const auto& event : log_.After(logged_, kStreamChunk, &position_)) {
      *out += "id: " + log_.run() + "-" + std::to_string(event->seq) + "\nevent: " + event->name +
              "\ndata: {\"seq\":" + std::to_string(event->seq) +
              ",\"time\":" + std::to_string(event->time_ms) + ",\"topic\":" + Dump(event->topic) +
              ",\"data\":" + event->data + "}\n\n";
    }
    if (now_ms >= next_metrics_ms_) Metrics(now_ms, out);
    return true;
  }

 private:
  void Send(const std::string& event, const std::string& topic, Json data, int64_t now_ms,
            std::string* out) const {
    Json shown = {{"seq", position_}, {"time", now_ms}, {"topic", topic}, {"data", std::move(data)}};
    if (!snapshot_.empty()) shown["snapshot"] = snapshot_;
    *out += "event: " + event + "\ndata: " + Dump(shown) + "\n\n";
  }

  /// The log's end is read first: what happens meanwhile is in the snapshot and comes again after it.
  void Snapshot(int64_t now_ms, std::string* out) {
    position_ = log_.last();
    size_t last = out->size();
    for (const std::string& topic : topics_) {
      if (IsMetrics(topic)) continue;
      const auto job = topic.starts_with("job:") ? context_.catalog.Find<Job>(JobOfTopic(topic)) : nullptr;
      if (topic.starts_with("job:") && !job) continue;
      last = out->size();
      Send(job ? "job" : "snapshot", topic,
           job                      ? ShowJob(*job)
           : topic == "pipelines"   ? Pipelines()
           : topic == "checkpoints" ? Checkpoints()
                                    : Errors(now_ms),
           now_ms, out);
    }
    // Only the last has an id: a reader whose connection breaks within the snapshot has not seen it.
    if (last < out->size()) out->insert(last, "id: " + log_.run() + "-" + std::to_string(position_) + "\n");
    snapshot_.clear();
  }

  Json Pipelines() const {
    Json out = Json::array();
    for (const auto& pipeline : context_.catalog.All<Pipeline>()) {
      if (!pipeline->preview) out.push_back(ShowPipeline(context_, *pipeline, false));
    }
    return out;
  }

  Json Checkpoints() const {
    auto all = context_.catalog.All<CheckpointRecord>();
    std::sort(all.begin(), all.end(),
              [](const auto& a, const auto& b) { return a->finish_us < b->finish_us; });
    Json out = Json::array();
    const size_t first = all.size() - std::min(all.size(), kSnapshotCheckpoints);
    for (size_t i = first; i < all.size(); ++i) out.push_back(CheckpointEvent(*all[i]));
    return out;
  }

  Json Errors(int64_t now_ms) const {
    std::vector<Json> found;
    for (const auto& job : context_.catalog.All<Job>()) {
      const int64_t since_ms = now_ms - kSnapshotErrorsMs;
      if (job->preview || (job->finish_us > 0 && job->finish_us / 1000 < since_ms)) continue;
      for (Json& entry : context_.jobs.Feed(job->id)->ErrorsSince(since_ms))
        found.push_back(ErrorEvent(*job, std::move(entry)));
    }
    std::sort(found.begin(), found.end(),
              [](const Json& a, const Json& b) { return a["timestamp"] < b["timestamp"]; });
    if (found.size() > kSnapshotErrors)
      found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(kSnapshotErrors));
    return found;
  }

  void Metrics(int64_t now_ms, std::string* out) {
    next_metrics_ms_ = now_ms + kMetricsIntervalMs;
    for (const std::string& topic : topics_) {
      if (!IsMetrics(topic) || !context_.catalog.Find<Job>(JobOfTopic(topic))) continue;
      Send("metrics", topic, context_.jobs.Feed(JobOfTopic(topic))->Metrics(now_ms, 60), now_ms, out);
    }
  }

  ApiContext& context_;
  const EventLog& log_;
  const std::vector<std::string> topics_;
  const std::set<std::string> logged_;
  std::string snapshot_;  ///< why one is to be sent; empty: none is
  int64_t position_ = 0;  ///< in the log: what has been sent
  int64_t next_metrics_ms_ = 0;
};

std::vector<std::string> TopicsOf(const Call& call) {
  std::vector<std::string> topics;
  const std::string text = call.Query("topics").value_or("pipelines");
  for (size_t from = 0; from <= text.size();) {
    const size_t comma = std::min(text.find(',', from), text.size());
    const std::string topic = text.substr(from, comma - from);
    if (topic != "pipelines" && topic != "checkpoints" && topic != "errors" && !topic.starts_with("job:"))
      throw Invalid("topics",
                    "'" + topic + "' is not pipelines, checkpoints, errors, job:ID or job:ID:metrics");
    if (!Contains(topics, topic)) topics.push_back(topic);
    from = comma + 1;
  }
  if (topics.size() > kTopicsMax)
    throw Invalid("topics", "more than " + std::to_string(kTopicsMax) + " topics");
  return topics;
}

}  // namespace

Json CheckpointEvent(const CheckpointRecord& checkpoint) {
  return {{"id", checkpoint.id},
          {"job_id", checkpoint.job_id},
          {"pipeline_id", checkpoint.pipeline_id},
          {"epoch", checkpoint.epoch},
          {"state", checkpoint.state},
          {"type", checkpoint.type},
          {"finish_time", checkpoint.finish_us / 1000},
          {"size_bytes", checkpoint.size_bytes}};
}

Json ErrorEvent(const Job& job, Json entry) {
  entry["job_id"] = job.id;
  entry["pipeline_id"] = job.pipeline_id;
  return entry;
}

void AddEventsEndpoint(ApiContext& context, EventLog& log, std::vector<Endpoint>* out) {
  Endpoint events{
      "GET", "/events", Role::kRead, "server", "Changes of pipelines and jobs, as server-sent events",
      "",    "Object",  {}};
  events.event_stream = true;
  events.query = {
      {"topics", "string", "comma list of pipelines, checkpoints, errors, job:ID, job:ID:metrics"}};
  events.handler = [&context, &log](Call& call) {
    HttpResponse response;
    response.stream =
        std::make_unique<TopicStream>(context, log, TopicsOf(call), call.request.Header("last-event-id"));
    return response;
  };
  out->push_back(std::move(events));
}

}  // namespace laminar::api
