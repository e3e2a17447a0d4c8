#include "api/event_log.h"

#include <algorithm>

#include "api/api_context.h"
#include "api/pipeline_json.h"
#include "base/clock.h"
#include "base/random_id.h"

namespace laminar::api {

EventLog::EventLog(size_t entries_max, size_t bytes_max)
    : run_(RandomId("")), entries_max_(entries_max), bytes_max_(bytes_max), last_(SystemClock().now_us()) {}

void EventLog::Add(const std::string& topic, const char* name, const Json& data) {
  auto event = std::make_shared<LoggedEvent>();
  event->time_ms = SystemClock().now_us() / 1000;
  event->topic = topic;
  event->name = name;
  event->data = Dump(data);
  std::lock_guard lock(mutex_);
  event->seq = ++last_;
  bytes_ += event->data.size();
  events_.push_back(std::move(event));
  while (events_.size() > entries_max_ || (bytes_ > bytes_max_ && events_.size() > 1)) {
    bytes_ -= events_.front()->data.size();
    events_.pop_front();
  }
}

int64_t EventLog::last() const {
  std::lock_guard lock(mutex_);
  return last_;
}

bool EventLog::Reaches(int64_t seq) const {
  std::lock_guard lock(mutex_);
  return seq <= last_ && seq + static_cast<int64_t>(events_.size()) >= last_;
}

std::vector<std::shared_ptr<const LoggedEvent>> EventLog::After(const std::set<std::string>& topics,
                                                                size_t bytes_max, int64_t* seq) const {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<const LoggedEvent>> out;
  size_t bytes = 0;
  const int64_t behind = std::clamp<int64_t>(last_ - *seq, 0, static_cast<int64_t>(events_.size()));
  for (size_t i = events_.size() - static_cast<size_t>(behind); i < events_.size() && bytes < bytes_max;
       ++i) {
    *seq = events_[i]->seq;
    if (!topics.count(events_[i]->topic)) continue;
    bytes += events_[i]->data.size();
    out.push_back(events_[i]);
  }
  return out;
}

namespace {

std::string ShownState(const ApiContext& context, const Pipeline& pipeline) {
  return PipelineState(context, pipeline) + "/" + PipelineDetail(context, pipeline) + "/" +
         std::to_string(pipeline.updated_us);
}

std::string ShownState(const Job& job) {
  return job.detail + "/" + std::to_string(job.restarts) + "/" + std::to_string(job.parallelism);
}

}  // namespace

EventWriter::EventWriter(const ApiContext& context, Catalog& catalog, JobManager& jobs, EventLog& log)
    : context_(context), log_(log) {
  for (const auto& pipeline : catalog.All<Pipeline>())
    pipelines_[pipeline->id] = ShownState(context, *pipeline);
  for (const auto& job : catalog.All<Job>()) jobs_[job->id] = ShownState(*job);
  catalog.SetObserver([this](const Catalog::Transaction& changes) { OnChange(changes); });
  jobs.SetErrorObserver([this](const std::string& job, const Json& entry) { OnError(job, entry); });
}

/// Runs within the catalog's update: may read records, nothing else.
void EventWriter::OnChange(const Catalog::Transaction& changes) {
  for (const auto& [id, job] : changes.Changed<Job>()) {
    if (!job) {
      jobs_.erase(id);
      continue;
    }
    const std::string state = ShownState(*job);
    if (std::exchange(jobs_[id], state) != state) log_.Add("job:" + id, "job", ShowJob(*job));
    ShowIfChanged(job->pipeline_id);
  }
  for (const auto& [id, pipeline] : changes.Changed<Pipeline>()) {
    if (pipeline) {
      ShowIfChanged(id);
    } else if (pipelines_.erase(id) > 0) {
      log_.Add("pipelines", "deleted", {{"id", id}});
    }
  }
  for (const auto& [id, checkpoint] : changes.Changed<CheckpointRecord>()) {
    if (checkpoint) log_.Add("checkpoints", "checkpoint", CheckpointEvent(*checkpoint));
  }
}

void EventWriter::ShowIfChanged(const std::string& pipeline_id) {
  const auto pipeline = context_.catalog.Find<Pipeline>(pipeline_id);
  if (!pipeline || pipeline->preview) return;
  const std::string state = ShownState(context_, *pipeline);
  if (std::exchange(pipelines_[pipeline_id], state) == state) return;
  log_.Add("pipelines", "pipeline", ShowPipeline(context_, *pipeline, false));
}

void EventWriter::OnError(const std::string& job_id, const Json& entry) {
  const auto job = context_.catalog.Find<Job>(job_id);
  if (!job || job->preview) return;
  log_.Add("errors", "error", ErrorEvent(*job, entry));
}

}  // namespace laminar::api
