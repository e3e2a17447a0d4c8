#include "jobs/job_manager.h"

#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "base/local_file.h"
#include "base/random_id.h"
#include "jobs/active_job.h"
#include "jobs/state_removal.h"
#include "state/checkpoint_store.h"
#include "storage/bucket_client.h"
#include "storage/object_store.h"

namespace laminar {

JobManager::JobManager(Catalog& catalog, const PipelinePlanner& planner, JobSettings settings)
    : catalog_(catalog), planner_(planner), settings_(std::move(settings)) {
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  MakeDirectories(settings_.data_dir + "/locks");
  MakeDirectories(settings_.data_dir + "/logs");
  MakeDirectories(settings_.data_dir + "/deleted");
  if (OpenBucket(settings_.checkpoint_url, settings_.checkpoint_options) != nullptr) {
    state_removal_ =
        std::make_unique<StateRemoval>(settings_.checkpoint_url, settings_.checkpoint_options,
                                       [this](const std::string& id) { RemoveFile(NoteOf(id)); });
  }
}

JobManager::~JobManager() {
  stopping_ = true;
  Wake();
  if (thread_.joinable()) thread_.join();
  close(wake_fd_);
  close(epoll_fd_);
}

/// What a deletion leaves outside of the metadata store. State in a bucket goes later, and the note with it.
void JobManager::RemoveFilesOf(const std::string& pipeline_id, const std::vector<std::string>& jobs) {
  std::error_code ignored;
  if (!state_removal_) {
    const auto state = OpenObjectStore(settings_.checkpoint_url + "/" + pipeline_id, {});
    std::filesystem::remove_all(state->url(), ignored);
  }
  RemoveFile(settings_.data_dir + "/locks/" + pipeline_id + ".lock");
  for (const std::string& job : jobs) ForgetHistory(job);
  if (state_removal_) {
    state_removal_->Add(pipeline_id);
  } else {
    RemoveFile(NoteOf(pipeline_id));
  }
}

std::string JobManager::NoteOf(const std::string& pipeline_id) const {
  return settings_.data_dir + "/deleted/" + pipeline_id;
}

/// A server that was killed within a deletion has noted it before: its files go now, or the note if the
/// pipeline is still there.
void JobManager::FinishDeletions() {
  for (const std::string& id : ListNames(settings_.data_dir + "/deleted")) {
    std::ifstream note(NoteOf(id));
    std::vector<std::string> jobs;
    for (std::string job; note >> job;) jobs.push_back(job);
    if (catalog_.Find<Pipeline>(id)) {
      RemoveFile(NoteOf(id));
    } else {
      RemoveFilesOf(id, jobs);
    }
  }
}

void JobManager::Start() {
  FinishDeletions();
  for (const auto& job : catalog_.All<Job>()) {
    if (IsActive(*job)) Adopt(job->id);
  }
  thread_ = std::thread([this] { Loop(); });
}

void JobManager::Wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof one);
}

// ---- what the API asks for
// ----------------------------------------------------------------------------------

namespace {

Job NewJob(const Pipeline& pipeline, const StartOptions& options, const std::string& actor) {
  Job job;
  job.id = RandomId("job_");
  job.pipeline_id = pipeline.id;
  job.pipeline_name = pipeline.name;
  job.run_id = pipeline.next_run_id;
  job.parallelism = options.parallelism.value_or(pipeline.parallelism);
  job.restore_checkpoint = options.checkpoint_id;
  job.ignore_state = options.ignore_state;
  job.preview = pipeline.preview;
  job.version = pipeline.versions.empty() ? 1 : pipeline.versions.back().version;
  job.query = pipeline.query;
  job.graph = pipeline.graph;
  job.checkpoint_interval_us = pipeline.checkpoint_interval_us;
  job.started_by = actor;
  job.created_us = NowUs();
  return job;
}

std::shared_ptr<const Job> CurrentJob(const Catalog::Transaction& transaction, const Pipeline& pipeline) {
  return pipeline.current_job_id.empty() ? nullptr : transaction.Find<Job>(pipeline.current_job_id);
}

void CheckCheckpoint(const Catalog::Transaction& transaction, const StartOptions& options,
                     const std::string& pipeline_id) {
  if (options.checkpoint_id.empty()) return;
  const auto checkpoint = transaction.Find<CheckpointRecord>(options.checkpoint_id);
  if (!checkpoint || checkpoint->pipeline_id != pipeline_id)
    throw ObjectGone("checkpoint", options.checkpoint_id);
  if (checkpoint->state != "completed")
    throw InvalidState("checkpoint " + checkpoint->id + " is " + checkpoint->state, checkpoint->state,
                       {"completed"});
}

}  // namespace

std::string JobManager::StartPipeline(const std::string& pipeline_id, const StartOptions& options,
                                      const std::string& actor) {
  std::string job_id;
  catalog_.Update([&](Catalog::Transaction& transaction) {
    const auto found = transaction.Find<Pipeline>(pipeline_id);
    if (!found) throw ObjectGone("pipeline", pipeline_id);
    if (const auto current = CurrentJob(transaction, *found); current && IsActive(*current)) {
      throw InvalidState("the pipeline is running already: job " + current->id,
                         std::string(PipelineStateName(ParseDetail(current->detail), current->start_us > 0)),
                         {"Created", "Stopped", "Failed"});
    }
    CheckCheckpoint(transaction, options, pipeline_id);
    Pipeline pipeline = *found;
    Job job = NewJob(pipeline, options, actor);
    job_id = job.id;
    pipeline.current_job_id = job.id;
    ++pipeline.next_run_id;
    if (options.parallelism) pipeline.parallelism = *options.parallelism;
    transaction.Put(std::move(pipeline));
    transaction.Put(std::move(job));
  });
  Adopt(job_id);
  return job_id;
}

int64_t JobManager::StopJob(const std::string& job_id, JobStopMode mode, int timeout_seconds,
                            const std::string& actor) {
  catalog_.Update([&](Catalog::Transaction& transaction) {
    const auto found = transaction.Find<Job>(job_id);
    if (!found) throw ObjectGone("job", job_id);
    if (!IsActive(*found)) {
      throw InvalidState("the job is over: " + found->detail, found->detail, {"Running", "Stopping"});
    }
    const auto asked = ParseStopMode(found->stop_mode).value_or(JobStopMode::kNone);
    Job job = *found;
    if (mode == JobStopMode::kNone) {
      const JobDetail detail = ParseDetail(job.detail);
      if (detail == JobDetail::kStopping || detail == JobDetail::kCheckpointStopping)
        throw InvalidState("the stop has begun already", job.detail, {"Running"});
      job.stop_mode.clear();
      job.stopped_by.clear();
      job.running_desired = true;
    } else {
      if (mode < asked) {
        throw InvalidState("the job is stopping with the stronger mode '" + job.stop_mode + "'", job.detail,
                           {job.stop_mode});
      }
      if (mode > asked) job.stopped_by = actor;
      job.stop_mode = std::string(StopModeName(mode));
      job.stop_timeout_seconds = timeout_seconds;
      job.running_desired = false;
    }
    transaction.Put(std::move(job));
  });
  Wake();
  return NowUs() + timeout_seconds * 1'000'000LL;
}

std::string JobManager::RestartPipeline(const std::string& pipeline_id, bool force,
                                        const StartOptions& options, const std::string& actor) {
  std::string job_id, previous_id;
  catalog_.Update([&](Catalog::Transaction& transaction) {
    const auto found = transaction.Find<Pipeline>(pipeline_id);
    if (!found) throw ObjectGone("pipeline", pipeline_id);
    CheckCheckpoint(transaction, options, pipeline_id);
    Pipeline pipeline = *found;
    const auto current = CurrentJob(transaction, pipeline);
    const bool active = current && IsActive(*current);
    if (active && !current->after_job.empty() && current->detail == "Created")
      throw InvalidState("a restart is under way: job " + current->id, current->detail,
                         {"Running", "Stopped"});
    if (active) {
      Job old = *current;
      const JobStopMode mode = force ? JobStopMode::kImmediate : JobStopMode::kCheckpoint;
      if (ParseStopMode(old.stop_mode).value_or(JobStopMode::kNone) < mode) {
        old.stop_mode = std::string(StopModeName(mode));
        old.stopped_by = actor;
      }
      old.running_desired = false;
      transaction.Put(std::move(old));
    }
    Job job = NewJob(pipeline, options, actor);
    job.allow_drop_state = force;
    if (active) job.after_job = current->id;
    job_id = job.id;
    pipeline.current_job_id = job.id;
    ++pipeline.next_run_id;
    if (options.parallelism) pipeline.parallelism = *options.parallelism;
    transaction.Put(std::move(pipeline));
    transaction.Put(std::move(job));
  });
  Adopt(job_id);
  return job_id;
}

void JobManager::RescaleJob(const std::string& job_id, int parallelism, const std::string& actor) {
  catalog_.Update([&](Catalog::Transaction& transaction) {
    const auto found = transaction.Find<Job>(job_id);
    if (!found) throw ObjectGone("job", job_id);
    if (!IsActive(*found) || !found->stop_mode.empty())
      throw InvalidState("only a running job can be rescaled", found->detail, {"Running"});
    Job job = *found;
    job.parallelism = parallelism;
    job.rescaled_by = actor;
    transaction.Put(std::move(job));
    if (const auto pipeline = transaction.Find<Pipeline>(found->pipeline_id)) {
      Pipeline changed = *pipeline;
      changed.parallelism = parallelism;
      changed.updated_us = NowUs();
      transaction.Put(std::move(changed));
    }
  });
  Wake();
}

void JobManager::TriggerCheckpoint(const std::string& job_id, bool savepoint, const std::string& actor) {
  catalog_.Update([&](Catalog::Transaction& transaction) {
    const auto found = transaction.Find<Job>(job_id);
    if (!found) throw ObjectGone("job", job_id);
    if (found->detail != "Running" || found->preview)
      throw InvalidState(found->preview ? "a preview keeps no state" : "the job is not running",
                         found->detail, {"Running"});
    Job job = *found;
    ++(savepoint ? job.savepoints_asked : job.checkpoints_asked);
    job.checkpoint_by = actor;
    transaction.Put(std::move(job));
  });
  Wake();
}

void JobManager::DeleteSavepoint(const std::string& checkpoint_id) {
  const auto found = catalog_.Find<CheckpointRecord>(checkpoint_id);
  if (!found) throw ObjectGone("checkpoint", checkpoint_id);
  if (found->type != "savepoint" || found->state != "completed") {
    throw InvalidState("only savepoints are deleted by hand, other checkpoints go by themselves", found->type,
                       {"savepoint"});
  }
  CheckpointStore(OpenObjectStore(found->location, settings_.checkpoint_options))
      .Unpin(static_cast<uint64_t>(found->epoch));
  catalog_.Update(
      [&](Catalog::Transaction& transaction) { transaction.Delete<CheckpointRecord>(checkpoint_id); });
}

void JobManager::DeletePipeline(const std::string& pipeline_id, bool force) {
  const auto pipeline = catalog_.Find<Pipeline>(pipeline_id);
  if (!pipeline) throw ObjectGone("pipeline", pipeline_id);
  const auto active = [&] {
    std::vector<std::string> out;
    for (const auto& job : catalog_.All<Job>()) {
      if (job->pipeline_id == pipeline_id && IsActive(*job)) out.push_back(job->id);
    }
    return out;
  };
  if (force) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (std::vector<std::string> left = active(); !left.empty(); left = active()) {
      for (const std::string& job : left) {
        try {
          StopJob(job, JobStopMode::kForce, 5, kServerActor);
        } catch (const InvalidState&) {  // it has just ended
        }
      }
      if (std::chrono::steady_clock::now() > deadline)
        throw ExternalError("jobs", "the job does not end", ExternalError::Retry::kBackoff);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  std::vector<std::string> jobs;
  std::ofstream note(NoteOf(pipeline_id));
  for (const auto& job : catalog_.All<Job>()) {
    if (job->pipeline_id == pipeline_id) note << job->id << "\n";
  }
  note.close();
  catalog_.Update([&](Catalog::Transaction& transaction) {
    const auto found = transaction.Find<Pipeline>(pipeline_id);
    if (!found) throw ObjectGone("pipeline", pipeline_id);
    if (const auto current = CurrentJob(transaction, *found); current && IsActive(*current)) {
      throw InvalidState("the pipeline is running: stop it first, or delete it with ?force=true",
                         std::string(PipelineStateName(ParseDetail(current->detail), current->start_us > 0)),
                         {"Created", "Stopped", "Failed"});
    }
    for (const auto& job : transaction.All<Job>()) {
      if (job->pipeline_id != pipeline_id) continue;
      jobs.push_back(job->id);
      transaction.Delete<Job>(job->id);
    }
    for (const auto& checkpoint : transaction.All<CheckpointRecord>()) {
      if (checkpoint->pipeline_id == pipeline_id) transaction.Delete<CheckpointRecord>(checkpoint->id);
    }
    transaction.Delete<Pipeline>(pipeline_id);
  });
  RemoveFilesOf(pipeline_id, jobs);
  std::lock_guard lock(mutex_);
  for (const std::string& job : jobs) feeds_.erase(job);
}

void JobManager::ForgetHistory(const std::string& job_id) {
  RemoveFile(settings_.data_dir + "/logs/" + job_id + ".log");
  for (const char* kind : {"error", "log", "event"}) catalog_.TrimHistory(job_id, kind, 0);
}

std::shared_ptr<JobFeed> JobManager::Feed(const std::string& job_id) {
  {
    std::lock_guard lock(mutex_);
    if (auto found = feeds_.find(job_id); found != feeds_.end()) return found->second;
  }
  const auto job = catalog_.Find<Job>(job_id);
  if (!job) throw ObjectGone("job", job_id);
  auto feed = std::make_shared<JobFeed>(job_id);
  for (const char* kind : {"error", "log", "event"}) {
    for (const HistoryEntry& entry : catalog_.History(job_id, kind, kLogsKept)) {
      const Json document = Json::parse(entry.document, nullptr, false);
      if (document.is_object()) feed->RestoreHistory(kind, document);
    }
  }
  if (!job->last_metrics.is_null()) feed->RestoreMetrics(job->last_metrics);
  if (!IsActive(*job))
    feed->OnEnd(job->detail == "Failed" ? "failed" : job->detail == "Stopped" ? "stopped" : "finished");
  std::lock_guard lock(mutex_);
  return feeds_.emplace(job_id, feed).first->second;
}

int64_t JobManager::WorkerPid(const std::string& job_id) const {
  std::lock_guard lock(mutex_);
  const auto found = pids_.find(job_id);
  return found == pids_.end() ? 0 : found->second;
}

}  // namespace laminar
