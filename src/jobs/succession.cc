// Rescaling: the next process of a job is started, reads the script, plans, and restores the newest
// checkpoint while the one that it replaces still runs. Only then is that one asked to leave at a checkpoint,
// and as soon as it has said that it is done, the next one is told to start: it reads what has changed
// meanwhile. It takes the pipeline's lock before it opens anything, as each worker does.

#include "base/error.h"
#include "catalog/secrets.h"
#include "jobs/active_job.h"

namespace laminar {

namespace {

/// A successor that has not planned by then is given up: the job stops and starts again without one.
constexpr int64_t kPlanTimeoutUs = 20'000'000;
/// One that has not restored the newest checkpoint by then likewise.
constexpr int64_t kRestoreTimeoutUs = 300'000'000;

void AskToLeave(WorkerProcess& process) { process.Send({{"type", "stop"}, {"mode", "checkpoint"}}); }

}  // namespace

/// Whatever keeps it from starting is told by the start that follows the stop.
void JobManager::StartSuccessor(Active& job, const Job& record) {
  const auto pipeline = catalog_.Find<Pipeline>(job.pipeline_id);
  Successor next;
  try {
    if (!pipeline) throw ExternalError("jobs", "the pipeline is gone");
    Json description = Describe(*pipeline, record, &job.secrets);
    description["predecessor"] = job.process->pid();
    next.process = std::make_unique<WorkerProcess>(settings_.executable,
                                                   settings_.data_dir + "/logs/" + job.id + ".log");
    next.process->Send(description);
  } catch (const std::exception&) {
    AskToLeave(*job.process);
    return;
  }
  next.parallelism = record.parallelism;
  next.interval_us = pipeline->checkpoint_interval_us;
  next.deadline_us = NowUs() + kPlanTimeoutUs;
  next.process->Watch(epoll_fd_, job.serial, /*errors=*/false);
  job.successor = std::move(next);
  job.process->Send({{"type", "hold_merges"}});
}

void JobManager::StepSuccessor(Active& job) {
  Successor& next = *job.successor;
  next.process->Flush();
  const bool ended = !next.process->Read();
  for (std::string line; next.process->NextMessage(&line);) {
    Json message = Json::parse(line, nullptr, false);
    if (!message.is_object()) continue;
    const std::string type = message.value("type", "");
    if (type == "planned") {
      next.deadline_us = NowUs() + kRestoreTimeoutUs;
    } else if (type == "ready") {
      next.ready = true;
      if (job.process) AskToLeave(*job.process);
    } else {
      next.said.push_back(std::move(message));
    }
  }
  const bool late = !next.ready && NowUs() > next.deadline_us;
  if (!ended && !late) return;
  if (!next.ready && job.process) AskToLeave(*job.process);
  job.successor.reset();
}

/// True when the process has left its job to a successor, which is the job's process from here on.
bool JobManager::TakeOver(Active& job) {
  const std::string outcome = job.end.is_object() ? job.end.value("outcome", "") : "";
  if (outcome != "stopped" || !job.rescaling || !job.successor || !job.successor->ready) return false;
  Successor next = std::move(*job.successor);
  job.successor.reset();
  next.process->Send({{"type", "start"}});
  job.process->Unwatch();
  job.leaving = std::move(job.process);
  job.stop_deadline_us = 0;
  job.feed->OnProcessEnded();
  BeginRun(job, std::move(next.process), next.parallelism, next.interval_us);
  SetDetail(job, JobDetail::kScheduling);
  for (const Json& message : next.said) OnMessage(job, message);
  return true;
}

}  // namespace laminar
