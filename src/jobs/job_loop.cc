// The thread of JobManager: starts workers, takes what they report, applies what the records ask for.

#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "base/random_id.h"
#include "jobs/active_job.h"
#include "jobs/function_declaration.h"
#include "jobs/plan_graph.h"
#include "sql/logical.h"
#include "storage/secret_option.h"

namespace laminar {

namespace {

constexpr int64_t kSweepAllUs = 500'000;
/// Until the next look at a job that is about to change by itself.
constexpr int64_t kSoonUs = 10'000;
constexpr int64_t kFlushUs = 1'000'000;
constexpr int64_t kSweepUs = 5'000'000;
constexpr int64_t kBackoffUs = 500'000;
constexpr int64_t kBackoffMaxUs = 60'000'000;
/// Reading samples to infer a schema and opening what a plan names may take that long.
constexpr int64_t kStartTimeoutUs = 60'000'000;
/// As many manifests as the worker keeps.
constexpr size_t kCheckpointsKept = 10;
constexpr int64_t kErrorsKept = 1'000;
/// Of what a worker writes to standard error: into its log each second, and beside the error when it dies.
constexpr int kErrorLinesPerSecond = 100;
constexpr size_t kErrorLinesKept = 20;

std::string EndedBy(int status) {
  if (WIFSIGNALED(status)) return "was ended by signal " + std::to_string(WTERMSIG(status));
  return "ended with exit status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

void JobManager::Adopt(const std::string& job_id) {
  Feed(job_id);
  {
    std::lock_guard lock(mutex_);
    new_jobs_.push_back(job_id);
  }
  Wake();
}

void JobManager::TakeNewJobs() {
  std::vector<std::string> ids;
  {
    std::lock_guard lock(mutex_);
    ids.swap(new_jobs_);
  }
  for (const std::string& id : ids) {
    const auto record = catalog_.Find<Job>(id);
    if (!record || !IsActive(*record) || active_.count(id)) continue;
    auto job = std::make_unique<Active>();
    job->id = id;
    job->pipeline_id = record->pipeline_id;
    job->feed = Feed(id);
    job->detail = ParseDetail(record->detail);
    job->has_run = record->start_us > 0;
    job->feed->OnState(std::string(JobStateName(job->detail)), record->detail);
    Active& added = *active_.emplace(id, std::move(job)).first->second;
    added.serial = ++last_serial_;
    by_serial_[added.serial] = &added;
    MarkReady(added);
    if (added.detail == JobDetail::kCreated) {
      added.actor = record->started_by;
      RecordEvent(
          added, "start", record->after_job.empty() ? "start asked for" : "restart of " + record->after_job,
          {{"after_job", record->after_job.empty() ? Json() : Json(record->after_job)}}, record->started_by);
      continue;
    }
    // It ran under a server that has ended, and ended with it.
    if (!record->stop_mode.empty()) {
      added.actor = record->stopped_by;
      Finish(added, JobDetail::kStopped, "stopped");
    } else if (added.detail == JobDetail::kFailing) {
      Finish(added, JobDetail::kFailed, "failed");
    } else {
      Recover(added, "the server was restarted", "internal");
    }
  }
}

void JobManager::MarkReady(Active& job) {
  if (!std::exchange(job.ready, true)) ready_.push_back(&job);
}

/// Records are looked at when the API has changed some, and twice a second; in between only jobs whose
/// workers have said something or whose time has come.
void JobManager::MarkDue(bool woken) {
  const int64_t now_us = NowUs();
  const bool all = woken || now_us >= next_sweep_all_us_;
  if (all) next_sweep_all_us_ = now_us + kSweepAllUs;
  if (!all && now_us < next_due_us_) return;
  next_due_us_ = INT64_MAX;
  for (const auto& [id, job] : active_) {
    if (all || now_us >= job->due_us) {
      MarkReady(*job);
    } else {
      next_due_us_ = std::min(next_due_us_, job->due_us);
    }
  }
}

/// True when a job has ended: another may wait for that.
bool JobManager::StepReady() {
  bool some_over = false;
  for (Active* job : std::exchange(ready_, {})) {
    job->ready = false;
    bool over = true;
    try {
      over = StepJob(*job);
    } catch (const std::exception& error) {  // the metadata store; the next round tries again
      spdlog::error("job {}: {}", job->id, error.what());
      over = false;
    }
    some_over = some_over || over;
    if (over) {
      by_serial_.erase(job->serial);
      active_.erase(std::string(job->id));
    } else {
      job->due_us = DueOf(*job);
      next_due_us_ = std::min(next_due_us_, job->due_us);
    }
  }
  active_count_ = static_cast<int>(active_.size());
  return some_over;
}

int64_t JobManager::DueOf(const Active& job) const {
  int64_t due_us = INT64_MAX;
  for (const int64_t at : {job.launch_at_us, job.stop_deadline_us, job.preview_deadline_us}) {
    if (at > 0) due_us = std::min(due_us, at);
  }
  const bool ends = job.stream_ended || job.leaving;  // the process is about to be reaped
  const bool writes =
      (job.process && job.process->wants_write()) || (job.successor && job.successor->process->wants_write());
  return ends || writes ? std::min(due_us, NowUs() + kSoonUs) : due_us;
}

void JobManager::Loop() {
  bool woken = true;
  epoll_event wake{};
  wake.events = EPOLLIN;
  epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &wake);
  while (!stopping_) {
    TakeNewJobs();
    MarkDue(std::exchange(woken, false));
    woken = StepReady();
    FlushHistory();
    DropOldPreviews();
    const int64_t wait_us = std::min(next_sweep_all_us_, next_due_us_) - NowUs();
    const auto wait_ms = static_cast<int>(std::clamp<int64_t>(wait_us / 1000 + 1, 0, 1000));
    epoll_event events[64];
    const int count = epoll_wait(epoll_fd_, events, 64, woken ? 0 : wait_ms);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 != 0) {
        const auto job = by_serial_.find(events[i].data.u64);
        if (job != by_serial_.end()) MarkReady(*job->second);
        continue;
      }
      uint64_t wakes = 0;
      woken = read(wake_fd_, &wakes, sizeof wakes) > 0 || woken;
    }
  }
  FlushHistory();
  active_.clear();  // kills the workers: their jobs stay as they are, for the next server
}

bool JobManager::StepJob(Active& job) {
  if (job.leaving && job.leaving->Reap()) job.leaving.reset();
  if (job.successor) StepSuccessor(job);
  if (job.process) {
    job.process->Flush();
    TakeErrorLines(job);
    if (!job.stream_ended) {
      job.stream_ended = !job.process->Read();
      if (job.stream_ended) job.process->Unwatch();
      TakeMessages(job);
    }
    if (job.process->Reap()) {
      if (!job.stream_ended) {
        job.process->Read();
        TakeMessages(job);
      }
      TakeErrorLines(job);
      OnProcessGone(job);
    } else if (job.end.is_object()) {
      TakeOver(job);
    }
  }
  if (IsTerminal(job.detail)) return true;
  const auto record = catalog_.Find<Job>(job.id);
  if (!record) return true;  // deleted
  ApplyStop(job, *record);
  if (!IsTerminal(job.detail)) CheckTimers(job, *record);
  return IsTerminal(job.detail);
}

void JobManager::ApplyStop(Active& job, const Job& record) {
  const JobStopMode mode = ParseStopMode(record.stop_mode).value_or(JobStopMode::kNone);
  if (mode <= job.sent_stop) return;
  job.actor = record.stopped_by;
  RecordEvent(job, "stop", "stop asked for: " + record.stop_mode, {{"mode", record.stop_mode}}, job.actor);
  if (!job.process) {
    Finish(job, JobDetail::kStopped, job.end_reason.empty() ? "stopped" : job.end_reason);
    return;
  }
  const bool runs = job.detail == JobDetail::kRunning || job.detail == JobDetail::kFinishing ||
                    job.detail == JobDetail::kRescaling || job.detail == JobDetail::kCheckpointStopping ||
                    job.detail == JobDetail::kStopping;
  job.sent_stop = mode;
  job.rescaling = false;
  job.successor.reset();
  job.stop_deadline_us = NowUs() + record.stop_timeout_seconds * 1'000'000LL;
  const bool to_checkpoint_stopping = mode == JobStopMode::kCheckpoint && job.detail == JobDetail::kRunning;
  if (job.detail != JobDetail::kStopping)
    SetDetail(job, to_checkpoint_stopping ? JobDetail::kCheckpointStopping : JobDetail::kStopping);
  if (!runs || mode == JobStopMode::kForce) {
    job.process->Kill();  // nothing has run yet, or nothing is to be saved
  } else {
    job.process->Send({{"type", "stop"}, {"mode", record.stop_mode}});
  }
}

void JobManager::CheckTimers(Active& job, const Job& record) {
  const int64_t now_us = NowUs();
  if (!job.process) {
    if (job.detail == JobDetail::kCreated && !record.after_job.empty()) {
      const auto before = catalog_.Find<Job>(record.after_job);
      if (before && IsActive(*before)) return;
    }
    if (now_us >= job.launch_at_us) Launch(job);
    return;
  }
  if (job.stop_deadline_us > 0 && now_us >= job.stop_deadline_us && job.sent_stop != JobStopMode::kForce) {
    const JobStopMode next =
        job.sent_stop == JobStopMode::kImmediate ? JobStopMode::kForce : JobStopMode::kImmediate;
    job.stop_deadline_us = 0;
    catalog_.Update([&](Catalog::Transaction& transaction) {
      const auto found = transaction.Find<Job>(job.id);
      if (!found) return;
      Job changed = *found;
      changed.stop_mode = std::string(StopModeName(next));
      changed.stopped_by = kServerActor;
      transaction.Put(std::move(changed));
    });
    return;
  }
  const int64_t silent_us = now_us - std::max(job.launched_us, job.feed->last_report_ms() * 1000);
  const bool starting = job.detail == JobDetail::kCompiling || job.detail == JobDetail::kScheduling;
  if (silent_us > (starting ? kStartTimeoutUs : settings_.report_timeout_us) && job.end.is_null()) {
    job.end = {{"outcome", "lost"}};
    job.process->Kill();
    return;
  }
  if (job.running_since_us > 0 && now_us - job.running_since_us > settings_.healthy_us) job.recoveries = 0;
  if (record.parallelism != job.parallelism && job.detail == JobDetail::kRunning && !job.rescaling) {
    job.rescaling = true;
    job.actor = record.rescaled_by;
    RecordEvent(
        job, "rescale",
        "parallelism " + std::to_string(job.parallelism) + " to " + std::to_string(record.parallelism),
        {{"from", job.parallelism}, {"to", record.parallelism}}, job.actor);
    SetDetail(job, JobDetail::kRescaling);
    StartSuccessor(job, record);
  }
  if (job.detail == JobDetail::kRunning && record.checkpoints_asked > job.checkpoints_asked) {
    job.checkpoints_asked = record.checkpoints_asked;
    RecordEvent(job, "checkpoint", "checkpoint asked for", {{"type", "manual"}}, record.checkpoint_by);
    job.process->Send({{"type", "checkpoint"}});
  }
  if (job.detail == JobDetail::kRunning && job.savepoint_sent == 0 &&
      record.savepoints_asked > record.savepoints_taken) {
    job.savepoint_sent = record.savepoints_asked;
    RecordEvent(job, "checkpoint", "savepoint asked for", {{"type", "savepoint"}}, record.checkpoint_by);
    job.process->Send({{"type", "checkpoint"}, {"savepoint", true}});
  }
  if (const auto pipeline = catalog_.Find<Pipeline>(job.pipeline_id);
      pipeline && pipeline->checkpoint_interval_us != job.interval_us && job.detail == JobDetail::kRunning) {
    RecordEvent(job, "settings",
                "checkpoint interval " + sql::DurationText(job.interval_us) + " to " +
                    sql::DurationText(pipeline->checkpoint_interval_us),
                {{"checkpoint_interval_micros", pipeline->checkpoint_interval_us}}, pipeline->updated_by);
    job.interval_us = pipeline->checkpoint_interval_us;
    job.process->Send({{"type", "interval"}, {"interval_us", job.interval_us}});
  }
  if (job.preview_deadline_us > 0 && record.stop_mode.empty()) {
    const bool unread = now_us - std::max(job.launched_us, job.feed->last_read_ms() * 1000) >
                        settings_.preview_reader_timeout_us;
    if (now_us >= job.preview_deadline_us || unread) {
      job.end_reason = "timeout";
      job.preview_deadline_us = 0;
      StopJob(job.id, JobStopMode::kImmediate, 5, kServerActor);
    }
  }
}

std::string JobManager::RestoreOf(const Job& job) const {
  // A job that has run goes on from its own last checkpoint.
  if (job.start_us > 0) return "latest";
  if (job.ignore_state) return "none";
  if (job.restore_checkpoint.empty()) return "latest";
  const auto checkpoint = catalog_.Find<CheckpointRecord>(job.restore_checkpoint);
  return checkpoint ? std::to_string(checkpoint->epoch) : "latest";
}

CheckpointRecord JobManager::RecordOf(const Active& job, const Json& message) const {
  static const std::map<std::string, std::string> types = {{"scheduled", "scheduled"},
                                                           {"final", "stopping"},
                                                           {"stopping", "stopping"},
                                                           {"manual", "manual"},
                                                           {"savepoint", "savepoint"}};
  CheckpointRecord record;
  record.id = RandomId("chk_");
  record.job_id = job.id;
  record.pipeline_id = job.pipeline_id;
  record.epoch = message.at("epoch").get<int64_t>();
  const auto type = types.find(message.value("kind", "scheduled"));
  record.type = type == types.end() ? "scheduled" : type->second;
  record.location = settings_.checkpoint_url + "/" + job.pipeline_id;
  return record;
}

void JobManager::OnCheckpointFailed(Active& job, const Json& message) {
  CheckpointRecord record = RecordOf(job, message);
  record.state = "failed";
  record.start_us = message.at("started_ms").get<int64_t>() * 1000;
  record.finish_us = message.at("failed_ms").get<int64_t>() * 1000;
  record.failure_reason = Scrub(message.value("message", ""), job.secrets);
  const std::string text = "a checkpoint failed: " + record.failure_reason;
  Record(job.id, "error", job.feed->AddError("warning", "", 0, text, "", "", 0));
  RecordEvent(job, "checkpoint failed", text, {{"checkpoint_id", record.id}, {"epoch", record.epoch}},
              kServerActor);
  catalog_.Update([&](Catalog::Transaction& transaction) {
    std::vector<std::shared_ptr<const CheckpointRecord>> older;
    for (const auto& checkpoint : transaction.All<CheckpointRecord>()) {
      if (checkpoint->pipeline_id == job.pipeline_id && checkpoint->state == "failed")
        older.push_back(checkpoint);
    }
    std::sort(older.begin(), older.end(),
              [](const auto& a, const auto& b) { return a->finish_us < b->finish_us; });
    for (size_t i = 0; i + kCheckpointsKept <= older.size(); ++i)
      transaction.Delete<CheckpointRecord>(older[i]->id);
    transaction.Put(record);
  });
}

void JobManager::OnCheckpoint(Active& job, const Json& message) {
  CheckpointRecord record = RecordOf(job, message);
  record.finish_us = message.at("finished_ms").get<int64_t>() * 1000;
  record.start_us =
      record.finish_us - message.value("write_us", int64_t{0}) - message.value("pause_us", int64_t{0});
  const auto kept_from = message.value("kept_from", int64_t{0});
  record.state = "completed";
  record.size_bytes = message.value("size_bytes", int64_t{0});
  record.operator_states = message.at("operators");
  catalog_.Update([&](Catalog::Transaction& transaction) {
    std::vector<std::shared_ptr<const CheckpointRecord>> older;
    for (const auto& checkpoint : transaction.All<CheckpointRecord>()) {
      const bool goes_by_itself = checkpoint->state == "completed" && checkpoint->type != "savepoint";
      if (checkpoint->pipeline_id == job.pipeline_id && goes_by_itself) older.push_back(checkpoint);
    }
    std::sort(older.begin(), older.end(), [](const auto& a, const auto& b) { return a->epoch < b->epoch; });
    for (size_t i = 0; i < older.size(); ++i) {
      if (i + kCheckpointsKept <= older.size() || older[i]->epoch < kept_from)
        transaction.Delete<CheckpointRecord>(older[i]->id);
    }
    transaction.Put(record);
    if (const auto pipeline = transaction.Find<Pipeline>(job.pipeline_id)) {
      Pipeline changed = *pipeline;
      changed.last_checkpoint_id = record.id;
      transaction.Put(std::move(changed));
    }
    if (record.type != "savepoint" || job.savepoint_sent == 0) return;
    Job changed = *transaction.Find<Job>(job.id);
    changed.savepoints_taken = job.savepoint_sent;
    transaction.Put(std::move(changed));
    job.savepoint_sent = 0;
  });
}

void JobManager::TakeErrorLines(Active& job) {
  for (std::string& line : job.process->TakeErrorLines()) {
    line = Scrub(std::move(line), job.secrets);
    job.error_lines.push_back(line);
    if (job.error_lines.size() > kErrorLinesKept) job.error_lines.pop_front();
    const int64_t second = NowUs() / 1'000'000;
    if (second != std::exchange(job.error_lines_second, second)) job.error_lines_in_second = 0;
    if (++job.error_lines_in_second > kErrorLinesPerSecond) continue;
    const bool last = job.error_lines_in_second == kErrorLinesPerSecond;
    Record(job.id, "log",
           job.feed->AddLog("warn", last ? "more lines of this second are left out" : line,
                            {{"stream", "stderr"}}));
  }
}

Json JobManager::Describe(const Pipeline& pipeline, const Job& record, std::vector<std::string>* secrets) {
  int64_t token = 0;
  catalog_.Update([&](Catalog::Transaction& transaction) {
    Pipeline changed = *transaction.Find<Pipeline>(pipeline.id);
    token = ++changed.fencing_token;
    transaction.Put(std::move(changed));
  });
  SecretSource::Variables variables;
  for (const auto& [name, value] : pipeline.env_vars) variables[name] = planner_.box().Decrypt(value);
  for (const auto& [name, value] : variables) secrets->push_back(value);
  Json description = {{"type", "job"},
                      {"v", kWorkerProtocolVersion},
                      {"job_id", record.id},
                      {"pipeline_id", pipeline.id},
                      {"run_id", record.run_id},
                      {"token", token},
                      {"lock_file", settings_.data_dir + "/locks/" + pipeline.id + ".lock"},
                      {"script", planner_.secrets().ResolveScript(record.query, variables, secrets)},
                      {"tables", planner_.Declarations(pipeline.table_names, variables, secrets)},
                      {"functions", planner_.FunctionDeclarations(pipeline.udf_names)},
                      {"own_functions", OwnFunctions(pipeline.udfs)},
                      {"parallelism", record.parallelism},
                      {"flush_interval_us", settings_.flush_interval_us},
                      {"batch_rows", settings_.batch_rows}};
  if (pipeline.preview) {
    description["capture"] = pipeline.preview_settings.enable_sinks ? "both" : "only";
    description["limit"] = pipeline.preview_settings.limit;
    return description;
  }
  description["state_url"] = settings_.checkpoint_url + "/" + pipeline.id;
  description["state_options"] = settings_.checkpoint_options;
  for (const auto& [name, value] : settings_.checkpoint_options) {
    if (IsSecretStorageOption(name)) secrets->push_back(value);
  }
  description["checkpoint_interval_us"] = pipeline.checkpoint_interval_us;
  description["allow_drop"] = record.allow_drop_state;
  description["restore"] = RestoreOf(record);
  return description;
}

void JobManager::BeginRun(Active& job, std::unique_ptr<WorkerProcess> process, int parallelism,
                          int64_t interval_us) {
  job.process = std::move(process);
  job.parallelism = parallelism;
  job.interval_us = interval_us;
  job.end = nullptr;
  job.savepoint_sent = 0;
  job.error_lines.clear();
  job.stream_ended = false;
  job.sent_stop = JobStopMode::kNone;
  job.rescaling = false;
  job.launched_us = NowUs();
  job.launch_at_us = 0;
  job.process->Watch(epoll_fd_, job.serial, /*errors=*/true);
  if (const auto record = catalog_.Find<Job>(job.id)) job.checkpoints_asked = record->checkpoints_asked;
  std::lock_guard lock(mutex_);
  pids_[job.id] = job.process->pid();
}

void JobManager::Launch(Active& job) {
  const auto pipeline = catalog_.Find<Pipeline>(job.pipeline_id);
  const auto record = catalog_.Find<Job>(job.id);
  if (!pipeline || !record) return;
  SetDetail(job, JobDetail::kCompiling);
  try {
    job.secrets.clear();
    const Json description = Describe(*pipeline, *record, &job.secrets);
    if (pipeline->preview)
      job.preview_deadline_us = NowUs() + pipeline->preview_settings.timeout_seconds * 1'000'000;
    auto process = std::make_unique<WorkerProcess>(settings_.executable,
                                                   settings_.data_dir + "/logs/" + job.id + ".log");
    BeginRun(job, std::move(process), record->parallelism, pipeline->checkpoint_interval_us);
    job.process->Send(description);
  } catch (const SecretNotFound& error) {
    Fail(job, error.what(), "user");
  } catch (const UserError& error) {
    Fail(job, error.message(), "user");
  } catch (const ExternalError& error) {
    Recover(job, error.what(), "external");
  }
}

void JobManager::TakeMessages(Active& job) {
  std::string line;
  while (job.process->NextMessage(&line)) {
    const Json message = Json::parse(line, nullptr, false);
    if (message.is_object()) OnMessage(job, message);
  }
}

void JobManager::OnMessage(Active& job, const Json& message) {
  const std::string type = message.value("type", "");
  if (type == "metrics" || type == "alive") {
    job.feed->OnMetrics(message);
  } else if (type == "output") {
    job.feed->OnOutput(message);
  } else if (type == "plan") {
    const auto record = catalog_.Find<Job>(job.id);
    Json running = Json::parse(Scrub(message.at("graph").dump(), job.secrets), nullptr, false);
    if (running.is_discarded()) running = message.at("graph");  // a secret looks like JSON
    const Json graph = ShownGraph(record ? record->graph : Json(), std::move(running));
    job.feed->SetPlan(graph, message.at("outputs"));
    const int tasks = job.feed->Tasks();
    catalog_.Update([&](Catalog::Transaction& transaction) {
      const auto found = transaction.Find<Job>(job.id);
      if (!found) return;
      Job changed = *found;
      changed.tasks = tasks;
      changed.graph = graph;
      transaction.Put(std::move(changed));
    });
  } else if (type == "state") {
    const std::string state = message.value("state", "");
    const bool stopping = job.detail == JobDetail::kStopping || job.detail == JobDetail::kCheckpointStopping;
    if (stopping || job.detail == JobDetail::kRescaling) return;
    if (state == "Scheduling") SetDetail(job, JobDetail::kScheduling);
    if (state == "Finishing" && job.detail == JobDetail::kRunning) {
      job.actor = kServerActor;
      SetDetail(job, JobDetail::kFinishing);
    }
    if (state == "Running") {
      job.running_since_us = NowUs();
      job.has_run = true;
      SetDetail(job, JobDetail::kRunning, [](Job& record) {
        if (record.start_us == 0) record.start_us = NowUs();
      });
    }
  } else if (type == "error") {
    const std::string text = Scrub(message.value("message", ""), job.secrets);
    Record(job.id, "error",
           job.feed->AddError(
               message.value("level", "error"), message.value("operator_id", ""),
               message.value("task_index", 0), text, Scrub(message.value("details", ""), job.secrets),
               Scrub(message.value("record", ""), job.secrets), message.value("bad_records", int64_t{0})));
  } else if (type == "log") {
    Record(job.id, "log",
           job.feed->AddLog(message.value("level", "info"), Scrub(message.value("message", ""), job.secrets),
                            message.value("details", Json::object()), message.value("operator_id", "")));
  } else if (type == "checkpoint") {
    job.feed->OnCheckpoint(message);
    OnCheckpoint(job, message);
  } else if (type == "checkpoint_failed") {
    OnCheckpointFailed(job, message);
  } else if (type == "restored") {
    const int64_t epoch = message.at("epoch").get<int64_t>();
    std::shared_ptr<const CheckpointRecord> from;
    for (const auto& checkpoint : catalog_.All<CheckpointRecord>()) {
      const bool usable = checkpoint->pipeline_id == job.pipeline_id && checkpoint->state == "completed";
      if (usable && checkpoint->epoch <= epoch && (!from || checkpoint->epoch > from->epoch))
        from = checkpoint;
    }
    RecordEvent(job, "restored", "from checkpoint " + std::to_string(epoch), {{"epoch", epoch}}, job.actor);
    if (!from) return;
    catalog_.Update([&](Catalog::Transaction& transaction) {
      Job record = *transaction.Find<Job>(job.id);
      record.restored_from = from->id;
      transaction.Put(std::move(record));
    });
  } else if (type == "end") {
    job.end = message;
  }
}

void JobManager::OnProcessGone(Active& job) {
  const int status = *job.process->Reap();
  if (TakeOver(job)) return;
  job.successor.reset();  // has not been told to start
  job.process.reset();
  {
    std::lock_guard lock(mutex_);
    pids_.erase(job.id);
  }
  job.stop_deadline_us = 0;
  job.feed->OnProcessEnded();
  const std::string outcome = job.end.is_object() ? job.end.value("outcome", "") : "";
  if (outcome == "finished") {
    if (job.detail == JobDetail::kStopping || job.detail == JobDetail::kCheckpointStopping) {
      Finish(job, JobDetail::kStopped, "stopped");
    } else {
      job.actor = kServerActor;
      if (job.detail == JobDetail::kRunning) SetDetail(job, JobDetail::kFinishing);
      Finish(job, JobDetail::kFinished, job.end.value("reason", "finished"));
    }
    return;
  }
  if (outcome == "stopped" || outcome == "cancelled") {
    if (job.rescaling) {
      job.rescaling = false;
      job.launch_at_us = NowUs();
    } else {
      Finish(job, JobDetail::kStopped, job.end_reason.empty() ? "stopped" : job.end_reason);
    }
    return;
  }
  if (job.sent_stop >= JobStopMode::kImmediate || job.detail == JobDetail::kStopping) {
    Finish(job, JobDetail::kStopped, job.end_reason.empty() ? "stopped" : job.end_reason);
    return;
  }
  if (outcome == "failed") {
    const Json& failure = job.end["failure"];
    const std::string message = Scrub(failure.value("message", ""), job.secrets);
    const std::string domain = failure.value("domain", "internal");
    Record(job.id, "error",
           job.feed->AddError("error", failure.value("operator_id", ""), failure.value("task_index", 0),
                              message, "domain: " + domain, Scrub(failure.value("record", ""), job.secrets)));
    if (domain == "user") {
      Fail(job, message, domain);
    } else {
      Recover(job, message, domain);
    }
    return;
  }
  const std::string message = outcome == "lost" ? "the worker made no report for too long and was ended"
                                                : "the worker process " + EndedBy(status);
  std::string details = "domain: internal";
  for (const std::string& line : job.error_lines) details += "\n" + line;
  Record(job.id, "error", job.feed->AddError("error", "", 0, message, details, ""));
  Recover(job, message, "internal");
}

void JobManager::Recover(Active& job, const std::string& message, const std::string& domain) {
  ++job.recoveries;
  if (job.recoveries > settings_.allowed_restarts) {
    Fail(job, message + " (gave up after " + std::to_string(settings_.allowed_restarts) + " restarts)",
         domain);
    return;
  }
  const int shift = std::clamp(job.recoveries - 2, 0, 20);
  const int64_t wait_us = job.recoveries <= 1 ? 0 : std::min(kBackoffMaxUs, kBackoffUs << shift);
  job.launch_at_us = NowUs() + wait_us;
  job.running_since_us = 0;
  job.actor = kServerActor;
  RecordEvent(job, "recovering", message, {{"domain", domain}, {"wait_ms", wait_us / 1000}}, job.actor);
  SetDetail(job, JobDetail::kRecovering, [&](Job& record) {
    ++record.restarts;
    record.failure_message = message;
    record.failure_domain = domain;
  });
}

void JobManager::Fail(Active& job, const std::string& message, const std::string& domain) {
  const std::string text = Scrub(message, job.secrets);
  if (job.feed->Errors().empty())
    Record(job.id, "error", job.feed->AddError("error", "", 0, text, "domain: " + domain, ""));
  job.actor = kServerActor;
  SetDetail(job, JobDetail::kFailing, [&](Job& record) {
    record.failure_message = text;
    record.failure_domain = domain;
  });
  Finish(job, JobDetail::kFailed, "failed");
}

void JobManager::Finish(Active& job, JobDetail detail, const std::string& reason) {
  job.process.reset();
  job.successor.reset();
  const Json metrics = job.feed->Metrics(NowUs() / 1000, 60);
  SetDetail(job, detail, [&](Job& record) {
    record.finish_us = NowUs();
    record.stop_mode.clear();
    record.running_desired = false;
    record.last_metrics = metrics;
    if (detail != JobDetail::kFailed) record.failure_message = record.failure_domain = "";
  });
  job.feed->OnEnd(reason);
  catalog_.Update([&](Catalog::Transaction& transaction) { DropOldJobs(transaction, job.pipeline_id); });
}

void JobManager::SetDetail(Active& job, JobDetail detail, const std::function<void(Job&)>& change) {
  const bool same = job.detail == detail;
  catalog_.Update([&](Catalog::Transaction& transaction) {
    const auto found = transaction.Find<Job>(job.id);
    if (!found) return;
    Job record = *found;
    record.detail = std::string(DetailName(detail));
    if (change) change(record);
    transaction.Put(std::move(record));
  });
  job.detail = detail;
  if (same) return;
  const std::string name(DetailName(detail));
  job.feed->OnState(std::string(JobStateName(detail)), name);
  RecordEvent(job, "state", name, {{"state", JobStateName(detail)}, {"stateDetail", name}}, job.actor);
  Record(job.id, "log",
         job.feed->AddLog(detail == JobDetail::kFailed       ? "error"
                          : detail == JobDetail::kRecovering ? "warn"
                                                             : "info",
                          "job is " + name, {}));
}

void JobManager::Record(const std::string& job_id, const char* kind, Json entry) {
  if (error_observer_ && std::string_view(kind) == "error") error_observer_(job_id, entry);
  last_sequence_ = std::max(last_sequence_ + 1, NowUs());
  pending_.push_back(
      {job_id, kind, last_sequence_, entry.dump(-1, ' ', false, Json::error_handler_t::replace)});
}

void JobManager::RecordEvent(const Active& job, const std::string& event, const std::string& description,
                             const Json& details, const std::string& actor) {
  Record(job.id, "event", job.feed->AddEvent(event, description, details, actor));
}

void JobManager::FlushHistory() {
  const int64_t now_us = NowUs();
  if (pending_.empty() || (now_us < next_flush_us_ && !stopping_)) return;
  next_flush_us_ = now_us + kFlushUs;
  try {
    catalog_.Append(pending_);
    std::map<std::pair<std::string, std::string>, int> touched;
    for (const HistoryEntry& entry : pending_) ++touched[{entry.job_id, entry.kind}];
    for (const auto& [key, count] : touched)
      if (count > 20)
        catalog_.TrimHistory(key.first, key.second, key.second == "error" ? kErrorsKept : kLogsKept);
    pending_.clear();
  } catch (const ExternalError&) {  // kept for the next time, within bounds
    if (pending_.size() > static_cast<size_t>(kLogsKept)) pending_.clear();
  }
}

void JobManager::DropOldJobs(Catalog::Transaction& transaction, const std::string& pipeline_id) {
  std::vector<std::shared_ptr<const Job>> over;
  for (const auto& job : transaction.All<Job>()) {
    if (job->pipeline_id == pipeline_id && !IsActive(*job)) over.push_back(job);
  }
  if (static_cast<int>(over.size()) <= settings_.jobs_kept) return;
  std::sort(over.begin(), over.end(), [](const auto& a, const auto& b) { return a->run_id < b->run_id; });
  over.resize(over.size() - static_cast<size_t>(settings_.jobs_kept));
  for (const auto& job : over) {
    transaction.Delete<Job>(job->id);
    dropped_.push_back(job->id);
    std::lock_guard lock(mutex_);
    feeds_.erase(job->id);
  }
}

void JobManager::DropOldPreviews() {
  const int64_t now_us = NowUs();
  if (now_us < next_sweep_us_) return;
  next_sweep_us_ = now_us + kSweepUs;
  for (const std::string& job : std::exchange(dropped_, {})) ForgetHistory(job);
  for (const auto& pipeline : catalog_.All<Pipeline>()) {
    if (!pipeline->preview) continue;
    const auto job = catalog_.Find<Job>(pipeline->current_job_id);
    if (job && (IsActive(*job) || now_us - job->finish_us < settings_.preview_keep_us)) continue;
    try {
      DeletePipeline(pipeline->id, false);
    } catch (const std::exception&) {  // gone already, or started again
    }
  }
}

}  // namespace laminar
