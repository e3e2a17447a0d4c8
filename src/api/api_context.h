#pragma once

/// What all endpoints work on, and the lists of them by noun.

#include <functional>
#include <string>
#include <vector>

#include "api/endpoint.h"
#include "catalog/catalog.h"
#include "jobs/job_manager.h"
#include "jobs/pipeline_planner.h"

namespace laminar::api {

class EventLog;

/// One effective setting, for GET /settings.
struct ShownSetting {
  std::string name;
  Json value;
  Json default_value;
  std::string origin;  ///< default, file, environment, flag
};

struct ApiContext {
  Catalog& catalog;
  JobManager& jobs;
  const PipelinePlanner& planner;
  const Engine& engine;
  std::string version;
  bool auth = false;
  int64_t started_us = 0;
  int64_t default_checkpoint_interval_us = 10'000'000;
  int64_t test_limit_us = 30'000'000;  ///< for what waits for another system
  std::string data_dir{};
  std::vector<ShownSetting> settings{};
  /// Router::Run.
  std::function<HttpResponse(const HttpRequest& from, const std::string& method, const std::string& path,
                             const Json& body)>
      run{};
};

void AddConnectorEndpoints(ApiContext& context, std::vector<Endpoint>* out);
void AddProfileEndpoints(ApiContext& context, std::vector<Endpoint>* out);
void AddTableEndpoints(ApiContext& context, std::vector<Endpoint>* out);
void AddPipelineEndpoints(ApiContext& context, std::vector<Endpoint>* out);
void AddJobEndpoints(ApiContext& context, std::vector<Endpoint>* out);
void AddUdfEndpoints(ApiContext& context, std::vector<Endpoint>* out);
void AddEventsEndpoint(ApiContext& context, EventLog& log, std::vector<Endpoint>* out);
void AddSqlEndpoint(ApiContext& context, std::vector<Endpoint>* out);
void AddServerEndpoints(ApiContext& context, std::vector<Endpoint>* out);

/// The connector that a body names. 400 with the nearest known name.
const Connector& ConnectorNamed(const ApiContext& context, const std::string& id);
/// Values of the filter `connector`, as ids. 400 for a name that no connector has.
std::vector<std::string> ConnectorFilter(const ApiContext& context, const Call& call);
/// 400 for what SQL does not read as a name.
void CheckSqlName(const std::string& name);
/// 412 when the request has an If-Match that is not `etag`.
void CheckIfMatch(const Call& call, const std::string& etag);
std::string EtagOf(const std::string& id, int64_t updated_us);
/// Adds the ETag; 304 for a matching If-None-Match.
HttpResponse WithEtag(const Call& call, HttpResponse response, const std::string& etag);

/// OpenAPI 3.1 of the endpoints.
Json OpenApi(const std::vector<Endpoint>& endpoints, const std::string& version);
/// Prometheus text.
std::string MetricsText(const ApiContext& context);

}  // namespace laminar::api
