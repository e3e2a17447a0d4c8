#pragma once

/// The states of a job and of a pipeline (docs/jobs.md has the table), as they are stored and shown.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace laminar {

enum class JobDetail {
  kCreated,
  kCompiling,
  kScheduling,
  kRunning,
  kRescaling,
  kRestarting,
  kRecovering,
  kCheckpointStopping,
  kStopping,
  kFinishing,
  kFinished,
  kStopped,
  kFailing,
  kFailed,
};

std::string_view DetailName(JobDetail detail);
JobDetail ParseDetail(std::string_view name);
/// Finished, Stopped and Failed: never left.
bool IsTerminal(JobDetail detail);
bool MayFollow(JobDetail from, JobDetail to);

/// Running, Stopping, Stopped, Completed or Failed.
std::string_view JobStateName(JobDetail detail);
/// Of a pipeline whose newest job is in `detail`; `has_run`: the job has been Running before.
std::string_view PipelineStateName(std::optional<JobDetail> detail, bool has_run);

enum class JobStopMode { kNone, kCheckpoint, kGraceful, kImmediate, kForce };
std::string_view StopModeName(JobStopMode mode);
/// nullopt: no such mode.
std::optional<JobStopMode> ParseStopMode(std::string_view name);

}  // namespace laminar
