#pragma once

/// What JobManager's thread knows of a job that is not over.

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "jobs/job_manager.h"
#include "jobs/worker_process.h"

namespace laminar {

/// The next process of a job, started while the one that it replaces still runs (succession.cc).
struct Successor {
  std::unique_ptr<WorkerProcess> process;
  int parallelism = 1;
  int64_t interval_us = 0;
  int64_t deadline_us = 0;           ///< to be ready, or to have planned
  bool ready = false;                ///< it has restored what there was, and waits to be told
  std::vector<nlohmann::json> said;  ///< to be heard once it has taken over
};

struct JobManager::Active {
  std::string id;
  uint64_t serial = 0;  ///< in this server, from 1
  std::string pipeline_id;
  std::shared_ptr<JobFeed> feed;
  JobDetail detail = JobDetail::kCreated;
  bool has_run = false;
  std::unique_ptr<WorkerProcess> process;
  int parallelism = 1;                  ///< of the running process
  int64_t interval_us = 0;              ///< between its checkpoints
  int64_t checkpoints_asked = 0;        ///< how many of Job::checkpoints_asked it knows
  int64_t savepoint_sent = 0;           ///< Job::savepoints_asked as of the one under way; 0: none is
  std::deque<std::string> error_lines;  ///< the last that the process wrote
  int64_t error_lines_second = 0;       ///< how many of them came in which second
  int error_lines_in_second = 0;
  JobStopMode sent_stop = JobStopMode::kNone;
  bool rescaling = false;
  std::optional<Successor> successor;
  std::unique_ptr<WorkerProcess> leaving;  ///< a predecessor that is done and frees its memory
  bool ready = false;                      ///< to be looked at in this round
  int64_t due_us = 0;                      ///< when to look at it although nothing was said
  bool stream_ended = false;
  Json end;                          ///< the worker's last message
  std::string actor = kServerActor;  ///< who caused the states that it goes through now
  std::string end_reason;            ///< why the server ended it: timeout
  std::vector<std::string> secrets;  ///< values that must not show
  int recoveries = 0;                ///< since it was last healthy
  int64_t launch_at_us = 0;          ///< Recovering
  int64_t launched_us = 0;
  int64_t running_since_us = 0;
  int64_t stop_deadline_us = 0;
  int64_t preview_deadline_us = 0;
};

/// Log lines of a job.
inline constexpr int64_t kLogsKept = 10'000;
inline int64_t NowUs() { return SystemClock().now_us(); }
inline bool IsActive(const Job& job) { return !IsTerminal(ParseDetail(job.detail)); }

}  // namespace laminar
