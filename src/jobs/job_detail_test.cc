#include "jobs/job_detail.h"

#include <gtest/gtest.h>

namespace laminar {
namespace {

TEST(JobDetail, NamesGoBothWays) {
  for (int i = 0; i <= static_cast<int>(JobDetail::kFailed); ++i) {
    const auto detail = static_cast<JobDetail>(i);
    EXPECT_EQ(ParseDetail(DetailName(detail)), detail);
  }
}

TEST(JobDetail, OverIsWhatNothingFollows) {
  for (const JobDetail over : {JobDetail::kFinished, JobDetail::kStopped, JobDetail::kFailed}) {
    EXPECT_TRUE(IsTerminal(over));
    EXPECT_FALSE(MayFollow(over, JobDetail::kRunning));
  }
  EXPECT_FALSE(IsTerminal(JobDetail::kFailing));
  EXPECT_TRUE(MayFollow(JobDetail::kRunning, JobDetail::kRecovering));
}

TEST(JobDetail, PipelineStates) {
  EXPECT_EQ(PipelineStateName(std::nullopt, false), "Created");
  EXPECT_EQ(PipelineStateName(JobDetail::kScheduling, false), "Starting");
  EXPECT_EQ(PipelineStateName(JobDetail::kScheduling, true), "Running");
  EXPECT_EQ(PipelineStateName(JobDetail::kFinished, true), "Stopped");
  EXPECT_EQ(JobStateName(JobDetail::kFinished), "Completed");
}

TEST(JobDetail, StopModesAreOrderedByStrength) {
  EXPECT_LT(*ParseStopMode("checkpoint"), *ParseStopMode("Immediate"));
  EXPECT_LT(*ParseStopMode("immediate"), *ParseStopMode("force"));
  EXPECT_FALSE(ParseStopMode("gently"));
}

}  // namespace
}  // namespace laminar
