#pragma once

/// Pipelines and jobs as the API shows them.

#include <string>

#include "api/api_context.h"

namespace laminar::api {

Json ShowPipeline(const ApiContext& context, const Pipeline& pipeline, bool with_graph);
Json ShowJob(const Job& job);
/// As GET /events shows them.
Json CheckpointEvent(const CheckpointRecord& checkpoint);
Json ErrorEvent(const Job& job, Json entry);
/// What a list shows of a pipeline beside its record; null before its first start.
Json SummaryOf(const ApiContext& context, const Pipeline& pipeline);
/// A page of checkpoints, newest first: of one job, or with an empty `job_id` of all the pipeline's.
HttpResponse CheckpointList(ApiContext& context, const Call& call, const std::string& pipeline_id,
                            const std::string& job_id);
/// Seconds, milliseconds: as pipelines and jobs show times. Null for 0.
Json Millis(int64_t us);
std::string PipelineState(const ApiContext& context, const Pipeline& pipeline);
std::string PipelineDetail(const ApiContext& context, const Pipeline& pipeline);
/// The list of pipelines, and acts on several of them.
void AddPipelineLists(ApiContext& context, std::vector<Endpoint>* out);
/// The pages of a job: metrics, output … under `/jobs/{id}` and `/pipelines/{pipeline_id}/jobs/{id}`.
void AddJobPages(ApiContext& context, const std::string& base, std::vector<Endpoint>* out);
struct StreamOptions {
  int64_t after = 0;             ///< id of the last event that the reader has
  std::string operator_id = {};  ///< empty: all
  bool exact_numbers = false;
  int64_t rows_per_second = 0;  ///< 0: all; what comes faster is left out and counted
  int64_t limit = 0;            ///< of a preview; 0: none
};
/// What the query says of it.
StreamOptions StreamOptionsOf(const Call& call);
/// Server-sent events of a job's output.
HttpResponse OutputStream(ApiContext& context, const std::string& job_id, const StreamOptions& options);
/// Literals of secret options in a script, masked.
std::string MaskQuery(const std::string& query);

}  // namespace laminar::api
