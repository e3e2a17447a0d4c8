#pragma once

/// Starts, watches, stops and recovers the jobs of a server. One thread owns all worker processes; what the
/// API asks for is written to the job's record first and acted on by that thread, so that it survives the
/// server.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "catalog/catalog.h"
#include "jobs/job_detail.h"
#include "jobs/job_feed.h"
#include "jobs/pipeline_planner.h"

namespace laminar {

class StateRemoval;
class WorkerProcess;

struct JobSettings {
  std::string executable;  ///< run as `executable worker`
  std::string data_dir;
  std::string checkpoint_url;                             ///< each pipeline's state lies below it
  std::map<std::string, std::string> checkpoint_options;  ///< of its store (storage/object_store.h)
  int allowed_restarts = 20;
  int64_t healthy_us = 120'000'000;       ///< running for so long forgets earlier restarts
  int64_t report_timeout_us = 5'000'000;  ///< a silent worker counts as lost
  int64_t flush_interval_us = 200'000;    ///< of updating operators, unless the script sets it
  int64_t batch_rows = 8192;              ///< that sources make at most
  int64_t preview_reader_timeout_us = 60'000'000;
  int64_t preview_keep_us = 600'000'000;  ///< after its end
  int jobs_kept = 100;                    ///< finished ones per pipeline
};

/// The act is not allowed in this state.
class InvalidState : public std::exception {
 public:
  InvalidState(std::string message, std::string state, std::vector<std::string> allowed)
      : message_(std::move(message)), state_(std::move(state)), allowed_(std::move(allowed)) {}
  const std::string& state() const { return state_; }
  const std::vector<std::string>& allowed() const { return allowed_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_, state_;
  std::vector<std::string> allowed_;
};

/// There is no such object (any more).
class ObjectGone : public std::exception {
 public:
  ObjectGone(std::string resource, std::string id)
      : resource_(std::move(resource)), id_(std::move(id)), message_("no " + resource_ + " '" + id_ + "'") {}
  const std::string& resource() const { return resource_; }
  const std::string& id() const { return id_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string resource_, id_, message_;
};

/// Who caused an event, when nobody asked for it.
inline constexpr const char* kServerActor = "server";

struct StartOptions {
  std::string checkpoint_id;  ///< empty: the newest
  bool ignore_state = false;
  std::optional<int> parallelism;
};

class JobManager {
 public:
  JobManager(Catalog& catalog, const PipelinePlanner& planner, JobSettings settings);
  /// Ends the workers at once; their jobs go on with the next server.
  ~JobManager();

  /// Called on the manager's thread with each entry of a job's /errors, again when its count grows. To be set
  /// before Start.
  using ErrorObserver = std::function<void(const std::string& job_id, const Json& entry)>;
  void SetErrorObserver(ErrorObserver observer) { error_observer_ = std::move(observer); }
  /// Takes up the jobs that ran when the last server ended, and starts the thread.
  void Start();

  // From any thread. Throw ObjectGone, InvalidState, ExternalError. `actor`: who asks, for the job's events.
  /// The new job's id.
  std::string StartPipeline(const std::string& pipeline_id, const StartOptions& options,
                            const std::string& actor);
  /// Returns when the stop should be over, µs.
  int64_t StopJob(const std::string& job_id, JobStopMode mode, int timeout_seconds, const std::string& actor);
  /// Stops what runs (with a checkpoint, or at once when `force`), then starts a new job. Its id.
  std::string RestartPipeline(const std::string& pipeline_id, bool force, const StartOptions& options,
                              const std::string& actor);
  /// Asks for a checkpoint now. A savepoint is kept until DeleteSavepoint.
  void TriggerCheckpoint(const std::string& job_id, bool savepoint, const std::string& actor);
  /// Lets retention have it, and forgets it.
  void DeleteSavepoint(const std::string& checkpoint_id);
  void RescaleJob(const std::string& job_id, int parallelism, const std::string& actor);
  /// Waits for the end of a forced stop. Removes jobs and history too.
  void DeletePipeline(const std::string& pipeline_id, bool force);

  /// Never null for a job that exists.
  std::shared_ptr<JobFeed> Feed(const std::string& job_id);
  /// Process id of a running worker; 0: none.
  int64_t WorkerPid(const std::string& job_id) const;
  int active_jobs() const { return active_count_; }

 private:
  struct Active;

  void FinishDeletions();
  /// Says that a pipeline is being deleted, until nothing of it is left.
  std::string NoteOf(const std::string& pipeline_id) const;
  void RemoveFilesOf(const std::string& pipeline_id, const std::vector<std::string>& jobs);
  void Loop();
  void Wake();
  void Adopt(const std::string& job_id);
  void TakeNewJobs();
  void MarkReady(Active& job);
  void MarkDue(bool woken);
  bool StepReady();
  int64_t DueOf(const Active& job) const;
  /// One look at a job; true when it is over and can be dropped.
  bool StepJob(Active& job);
  void TakeMessages(Active& job);
  void OnMessage(Active& job, const Json& message);
  void TakeErrorLines(Active& job);
  void OnProcessGone(Active& job);
  void ApplyStop(Active& job, const Job& record);
  void CheckTimers(Active& job, const Job& record);
  /// latest, none or an epoch.
  std::string RestoreOf(const Job& job) const;
  /// What all checkpoints have that a worker tells of.
  CheckpointRecord RecordOf(const Active& job, const Json& message) const;
  void OnCheckpoint(Active& job, const Json& message);
  void OnCheckpointFailed(Active& job, const Json& message);
  void Launch(Active& job);
  /// What a worker is told first. Raises the pipeline's fencing token. Throws UserError, SecretNotFound.
  Json Describe(const Pipeline& pipeline, const Job& record, std::vector<std::string>* secrets);
  void BeginRun(Active& job, std::unique_ptr<WorkerProcess> process, int parallelism, int64_t interval_us);
  void StartSuccessor(Active& job, const Job& record);
  void StepSuccessor(Active& job);
  bool TakeOver(Active& job);
  void Recover(Active& job, const std::string& message, const std::string& domain);
  void Fail(Active& job, const std::string& message, const std::string& domain);
  void Finish(Active& job, JobDetail detail, const std::string& reason);
  void SetDetail(Active& job, JobDetail detail, const std::function<void(Job&)>& change = {});
  void Record(const std::string& job_id, const char* kind, Json entry);
  /// Something for the job's history.
  void RecordEvent(const Active& job, const std::string& event, const std::string& description,
                   const Json& details, const std::string& actor);
  void FlushHistory();
  void DropOldJobs(Catalog::Transaction& transaction, const std::string& pipeline_id);
  void DropOldPreviews();
  /// Log file and history of a job that is no more.
  void ForgetHistory(const std::string& job_id);

  Catalog& catalog_;
  const PipelinePlanner& planner_;
  const JobSettings settings_;
  ErrorObserver error_observer_;
  int wake_fd_ = -1;
  int epoll_fd_ = -1;  ///< of wake_fd_, and of what workers write to
  std::atomic<bool> stopping_{false};
  std::atomic<int> active_count_{0};
  std::thread thread_;
  std::unique_ptr<StateRemoval> state_removal_;  ///< null: state lies in local directories

  std::map<std::string, std::unique_ptr<Active>> active_;  // of the loop's thread
  std::vector<HistoryEntry> pending_;                      // of the loop's thread
  std::vector<std::string> dropped_;                       // of the loop's thread: jobs whose history goes
  int64_t last_sequence_ = 0;
  int64_t next_flush_us_ = 0;
  int64_t next_sweep_us_ = 0;
  int64_t next_sweep_all_us_ = 0;
  int64_t next_due_us_ = 0;                          // of all jobs
  std::vector<Active*> ready_;                       // of the loop's thread: to be looked at in this round
  std::unordered_map<uint64_t, Active*> by_serial_;  // of the loop's thread
  uint64_t last_serial_ = 0;                         // of the loop's thread

  mutable std::mutex mutex_;
  std::vector<std::string> new_jobs_;                      // guarded by mutex_
  std::map<std::string, std::shared_ptr<JobFeed>> feeds_;  // guarded by mutex_
  std::map<std::string, int64_t> pids_;                    // guarded by mutex_
};

}  // namespace laminar
