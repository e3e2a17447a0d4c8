#include "jobs/job_detail.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "types/type.h"

namespace laminar {

namespace {

using D = JobDetail;

struct DetailRow {
  JobDetail detail;
  const char* name;
  const char* job_state;
  const char* pipeline_state;
  std::vector<JobDetail> next;
};

const std::vector<DetailRow>& Rows() {
  static const std::vector<DetailRow> rows = {
      {D::kCreated,
       "Created",
       "Running",
       "Starting",
       {D::kCompiling, D::kStopping, D::kStopped, D::kFailing}},
      {D::kCompiling,
       "Compiling",
       "Running",
       "Starting",
       {D::kScheduling, D::kRecovering, D::kStopping, D::kFailing}},
      {D::kScheduling,
       "Scheduling",
       "Running",
       "Starting",
       {D::kRunning, D::kRecovering, D::kStopping, D::kFailing}},
      {D::kRunning,
       "Running",
       "Running",
       "Running",
       {D::kCheckpointStopping, D::kStopping, D::kFinishing, D::kRescaling, D::kRestarting, D::kRecovering,
        D::kFailing}},
      {D::kRescaling,
       "Rescaling",
       "Running",
       "Running",
       {D::kScheduling, D::kCompiling, D::kRecovering, D::kStopping, D::kFailing, D::kFinishing}},
      {D::kRestarting,
       "Restarting",
       "Running",
       "Running",
       {D::kScheduling, D::kCompiling, D::kRecovering, D::kStopping, D::kFailing}},
      {D::kRecovering, "Recovering", "Running", "Running", {D::kCompiling, D::kFailing, D::kStopping}},
      {D::kCheckpointStopping,
       "CheckpointStopping",
       "Stopping",
       "Stopping",
       {D::kStopped, D::kStopping, D::kRecovering, D::kFailing}},
      {D::kStopping, "Stopping", "Stopping", "Stopping", {D::kStopped, D::kFailing}},
      {D::kFinishing,
       "Finishing",
       "Running",
       "Running",
       {D::kFinished, D::kRecovering, D::kStopping, D::kFailing}},
      {D::kFinished, "Finished", "Completed", "Stopped", {}},
      {D::kStopped, "Stopped", "Stopped", "Stopped", {}},
      {D::kFailing, "Failing", "Running", "Running", {D::kFailed}},
      {D::kFailed, "Failed", "Failed", "Failed", {}},
  };
  return rows;
}

const DetailRow& RowOf(JobDetail detail) { return Rows()[static_cast<size_t>(detail)]; }

constexpr std::array<std::string_view, 5> kStopModes = {"none", "checkpoint", "graceful", "immediate",
                                                        "force"};

}  // namespace

std::string_view DetailName(JobDetail detail) { return RowOf(detail).name; }

JobDetail ParseDetail(std::string_view name) {
  for (const DetailRow& row : Rows()) {
    if (name == row.name) return row.detail;
  }
  LAMINAR_CHECK(false, "unknown job detail " + std::string(name));
}

bool IsTerminal(JobDetail detail) { return RowOf(detail).next.empty(); }

bool MayFollow(JobDetail from, JobDetail to) {
  const auto& next = RowOf(from).next;
  return std::find(next.begin(), next.end(), to) != next.end();
}

std::string_view JobStateName(JobDetail detail) { return RowOf(detail).job_state; }

std::string_view PipelineStateName(std::optional<JobDetail> detail, bool has_run) {
  if (!detail) return "Created";
  const bool starts_again = *detail == D::kCompiling || *detail == D::kScheduling;
  if (starts_again && has_run) return "Running";
  return RowOf(*detail).pipeline_state;
}

std::string_view StopModeName(JobStopMode mode) { return kStopModes[static_cast<size_t>(mode)]; }

std::optional<JobStopMode> ParseStopMode(std::string_view name) {
  for (size_t i = 0; i < kStopModes.size(); ++i) {
    if (EqualsIgnoreCase(name, kStopModes[i])) return static_cast<JobStopMode>(i);
  }
  return std::nullopt;
}

}  // namespace laminar
