#pragma once

/// Pipelines and jobs as the API shows them.

#include <string>

#include "api/api_context.h"

namespace laminar::api {

Json ShowPipeline(const ApiContext& context, const Pipeline& pipeline, bool with_graph);
Json ShowJob(const Job& job);
/// Seconds, milliseconds: as pipelines and jobs show times. Null for 0.
Json Millis(int64_t us);
std::string PipelineState(const ApiContext& context, const Pipeline& pipeline);
std::string PipelineDetail(const ApiContext& context, const Pipeline& pipeline);
/// The pages of a job: metrics, output … under `/jobs/{id}` and `/pipelines/{pipeline_id}/jobs/{id}`.
void AddJobPages(ApiContext& context, const std::string& base, std::vector<Endpoint>* out);
/// Server-sent events of a job's output. `after`: id of the last event that the reader has.
HttpResponse OutputStream(ApiContext& context, const std::string& job_id, int64_t after,
                          const std::string& operator_id, bool numbers_as_text);
/// Literals of secret options in a script, masked.
std::string MaskQuery(const std::string& query);

}  // namespace laminar::api
