#include "api/schemas.h"

#include <nlohmann/json.hpp>

namespace laminar::api {

namespace {

// `x-user-map`: keys are the user's and never rewritten.
constexpr const char* kRequests = R"json({
"ProfileCreate": {"type":"object","required":["name","connector","config"],"properties":{
  "name":{"type":"string","minLength":1,"maxLength":128},
  "connector":{"type":"string","minLength":1,"maxLength":64},
  "description":{"type":["string","null"],"maxLength":10000},
  "config":{"type":"object"}}},
"ProfileTest": {"type":"object","required":["connector","config"],"properties":{
  "name":{"type":["string","null"]},
  "connector":{"type":"string","minLength":1,"maxLength":64},
  "description":{"type":["string","null"]},
  "config":{"type":"object"}}},
"ProfilePatch": {"type":"object","properties":{
  "name":{"type":"string","minLength":1,"maxLength":128},
  "connector":{"type":"string"},
  "description":{"type":["string","null"],"maxLength":10000},
  "config":{"type":"object"}}},
"SchemaField": {"type":"object","required":["name"],"properties":{
  "name":{"type":"string","minLength":1,"maxLength":256},
  "type":{"type":["string","object"]},
  "data_type":{"type":["string","object"]},
  "nullable":{"type":["boolean","null"]},
  "required":{"type":["boolean","null"]},
  "description":{"type":["string","null"]},
  "metadata":{"type":["object","null"],"x-user-map":true},
  "metadata_key":{"type":["string","null"]},
  "primary_key":{"type":["boolean","null"]},
  "expression":{"type":["string","null"]},
  "sample_values":{"type":["array","null"]}}},
"TableSchema": {"type":"object","properties":{
  "fields":{"type":["array","null"],"maxItems":10000,"items":{"$ref":"#/components/schemas/SchemaField"}},
  "primary_keys":{"type":["array","null"],"items":{"type":"string"}},
  "format":{"type":["string","object","null"]},
  "framing":{"type":["string","object","null"]},
  "bad_data":{"type":["string","object","null"]},
  "definition":{"type":["object","null"],"properties":{
    "type":{"type":"string"},"schema":{"type":"string"},"message_name":{"type":["string","null"]}}},
  "inferred":{"type":["boolean","null"]}}},
"TableCreate": {"type":"object","required":["name","config"],"properties":{
  "name":{"type":"string","minLength":1,"maxLength":128},
  "connector":{"type":["string","null"]},
  "connection_profile_id":{"type":["string","null"]},
  "table_type":{"type":["string","null"],"enum":["source","sink","lookup",null]},
  "schema":{"anyOf":[{"$ref":"#/components/schemas/TableSchema"},{"type":"null"}]},
  "config":{"type":"object"},
  "event_time_field":{"type":["string","null"]},
  "watermark_delay":{"type":["string","integer","null"]},
  "idle_time":{"type":["string","integer","null"]}}},
"TableTest": {"type":"object","required":["config"],"properties":{
  "name":{"type":["string","null"]},
  "connector":{"type":["string","null"]},
  "connection_profile_id":{"type":["string","null"]},
  "table_type":{"type":["string","null"],"enum":["source","sink","lookup",null]},
  "schema":{"anyOf":[{"$ref":"#/components/schemas/TableSchema"},{"type":"null"}]},
  "config":{"type":"object"},
  "event_time_field":{"type":["string","null"]},
  "watermark_delay":{"type":["string","integer","null"]},
  "idle_time":{"type":["string","integer","null"]}}},
"TablePatch": {"type":"object","properties":{
  "config":{"type":"object"},
  "schema":{"anyOf":[{"$ref":"#/components/schemas/TableSchema"},{"type":"null"}]},
  "event_time_field":{"type":["string","null"]},
  "watermark_delay":{"type":["string","integer","null"]},
  "idle_time":{"type":["string","integer","null"]}}},
"StringMap": {"type":"object","additionalProperties":{"type":"string","maxLength":65536}},
"PipelineCreate": {"type":"object","required":["query"],"properties":{
  "name":{"type":["string","null"],"minLength":1,"maxLength":128},
  "query":{"type":"string","minLength":1},
  "parallelism":{"type":["integer","null"],"minimum":1,"maximum":128},
  "checkpoint_interval_micros":{"type":["integer","null"],"minimum":1000000,"maximum":86400000000},
  "udfs":{"type":["array","null"],"maxItems":100,"items":{"$ref":"#/components/schemas/PipelineUdf"}},
  "tags":{"anyOf":[{"$ref":"#/components/schemas/StringMap"},{"type":"null"}]},
  "env_vars":{"anyOf":[{"$ref":"#/components/schemas/StringMap"},{"type":"null"}]},
  "start":{"type":["boolean","null"]}}},
"PipelinePatch": {"type":"object","properties":{
  "name":{"type":["string","null"]},
  "query":{"type":"string","minLength":1},
  "parallelism":{"type":"integer","minimum":1,"maximum":128},
  "checkpoint_interval_micros":{"type":"integer","minimum":1000000,"maximum":86400000000},
  "tags":{"$ref":"#/components/schemas/StringMap"},
  "env_vars":{"$ref":"#/components/schemas/StringMap"},
  "stop":{"type":"string","enum":["none","checkpoint","graceful","immediate","force"]}}},
"PipelineStart": {"type":"object","properties":{
  "checkpoint_id":{"type":["string","null"]},
  "ignore_state":{"type":["boolean","null"]},
  "parallelism":{"type":["integer","null"],"minimum":1,"maximum":128}}},
"PipelineRestart": {"type":"object","properties":{
  "force":{"type":["boolean","null"]},
  "checkpoint_id":{"type":["string","null"]},
  "ignore_state":{"type":["boolean","null"]},
  "parallelism":{"type":["integer","null"],"minimum":1,"maximum":128}}},
"Stop": {"type":"object","properties":{
  "mode":{"type":["string","null"],"enum":["checkpoint","graceful","immediate","force",null]},
  "timeout_seconds":{"type":["integer","null"],"minimum":1,"maximum":3600}}},
"Rescale": {"type":"object","required":["parallelism"],"properties":{
  "parallelism":{"type":"integer","minimum":1,"maximum":128}}},
"PipelineBulk": {"type":"object","required":["ids","action"],"properties":{
  "ids":{"type":"array","maxItems":100,"items":{"type":"string","minLength":1,"maxLength":64}},
  "action":{"type":"string","enum":["start","stop","restart","delete"]},
  "mode":{"type":["string","null"],"enum":["checkpoint","graceful","immediate","force",null]},
  "timeout_seconds":{"type":["integer","null"],"minimum":1,"maximum":3600},
  "force":{"type":["boolean","null"]},
  "ignore_state":{"type":["boolean","null"]}}},
"ValidateQuery": {"type":"object","required":["query"],"properties":{
  "query":{"type":"string"},
  "udfs":{"type":["array","null"],"maxItems":100,"items":{"$ref":"#/components/schemas/PipelineUdf"}},
  "parallelism":{"type":["integer","null"],"minimum":1,"maximum":128},
  "explain":{"type":["boolean","null"]}}},
"Preview": {"type":"object","required":["query"],"properties":{
  "query":{"type":"string","minLength":1},
  "udfs":{"type":["array","null"],"maxItems":100,"items":{"$ref":"#/components/schemas/PipelineUdf"}},
  "enable_sinks":{"type":["boolean","null"]},
  "limit":{"type":["integer","null"],"minimum":1,"maximum":10000},
  "timeout_seconds":{"type":["integer","null"],"minimum":1,"maximum":3600}}},
"CheckpointTrigger": {"type":"object","properties":{
  "type":{"type":["string","null"],"enum":["checkpoint","savepoint",null]}}},
"UdfParameter": {"type":"object","required":["name","type"],"properties":{
  "name":{"type":"string","minLength":1},"type":{"type":["string","object"]},"nullable":{"type":["boolean","null"]}}},
"UdfCreate": {"type":"object","required":["definition","language"],"properties":{
  "name":{"type":["string","null"],"minLength":1,"maxLength":128},
  "prefix":{"type":["string","null"]},
  "definition":{"type":"string","minLength":1},
  "language":{"type":"string","enum":["rust","python","sql","cpp"]},
  "return_type":{"type":["string","object","null"]},
  "parameters":{"type":["array","null"],"maxItems":256,"items":{"$ref":"#/components/schemas/UdfParameter"}},
  "nullable_return":{"type":["boolean","null"]},
  "kind":{"type":["string","null"],"enum":["scalar","aggregate","async",null]},
  "description":{"type":["string","null"],"maxLength":10000}}},
"UdfTest": {"type":"object","required":["input"],"properties":{
  "input":{"type":"object","x-user-map":true},
  "expected":{"x-user-map":true}}},
"UdfValidate": {"type":"object","required":["definition","language"],"properties":{
  "name":{"type":["string","null"],"minLength":1,"maxLength":128},
  "prefix":{"type":["string","null"]},
  "definition":{"type":"string","minLength":1},
  "language":{"type":"string","enum":["rust","python","sql","cpp"]},
  "return_type":{"type":["string","object","null"]},
  "parameters":{"type":["array","null"],"maxItems":256,"items":{"$ref":"#/components/schemas/UdfParameter"}},
  "nullable_return":{"type":["boolean","null"]},
  "kind":{"type":["string","null"],"enum":["scalar","aggregate","async",null]},
  "description":{"type":["string","null"],"maxLength":10000},
  "tests":{"type":["array","null"],"maxItems":100,"items":{"$ref":"#/components/schemas/UdfTest"}}}},
"PipelineUdf": {"type":["string","object"],"required":["definition"],"properties":{
  "name":{"type":["string","null"],"minLength":1,"maxLength":128},
  "prefix":{"type":["string","null"]},
  "definition":{"type":"string","minLength":1},
  "language":{"type":["string","null"],"enum":["rust","python","sql","cpp",null]},
  "return_type":{"type":["string","object","null"]},
  "parameters":{"type":["array","null"],"maxItems":256,"items":{"$ref":"#/components/schemas/UdfParameter"}},
  "nullable_return":{"type":["boolean","null"]},
  "kind":{"type":["string","null"],"enum":["scalar","aggregate","async",null]},
  "description":{"type":["string","null"],"maxLength":10000}}},
"Sql": {"type":"object","required":["query"],"properties":{
  "query":{"type":"string","minLength":1},
  "dry_run":{"type":["boolean","null"]}}}
})json";

constexpr const char* kResponses = R"json({
"Error": {"type":"object","required":["error"],"properties":{"error":{"type":"object","required":["code","message","details"],
  "properties":{"code":{"type":"string"},"message":{"type":"string"},"details":{"type":"object"}}}}},
"Pong": {"type":"string"},
"Message": {"type":"object","required":["message"],"properties":{"message":{"type":"string"}}},
"Connector": {"type":"object","required":["id","name","description","icon","version","category","type","features","supported_formats","configuration_schema","enabled","hidden","testing","custom_schemas"],
  "properties":{"id":{"type":"string"},"name":{"type":"string"},"description":{"type":"string"},"icon":{"type":"string"},"version":{"type":"string"},
  "category":{"type":"string","enum":["messaging","database","cloud","storage","search","cache","http","iot","internal"]},
  "type":{"type":"array","items":{"type":"string","enum":["source","sink","lookup"]}},
  "features":{"type":"object","additionalProperties":{"type":"boolean"}},
  "supported_formats":{"type":"array","items":{"type":"string"}},
  "configuration_schema":{"type":"object"},"connection_schema":{"type":["object","null"]},
  "enabled":{"type":"boolean"},"hidden":{"type":"boolean"},"testing":{"type":"boolean"},"custom_schemas":{"type":"boolean"}}},
"Profile": {"type":"object","required":["id","name","connector","description","config","created_at","updated_at"],"properties":{
  "id":{"type":"string"},"name":{"type":"string"},"connector":{"type":"string"},"description":{"type":"string"},
  "config":{"type":"object"},"created_at":{"type":"string","format":"date-time"},"updated_at":{"type":"string","format":"date-time"}}},
"TestResult": {"type":"object","required":["success","message","details"],"properties":{
  "success":{"type":"boolean"},"message":{"type":"string"},"details":{"type":"object"}}},
"Suggestions": {"type":"object","required":["suggestions"],"properties":{"suggestions":{"type":"array","items":{"type":"object"}}}},
"Table": {"type":"object","required":["id","name","connector","table_type","config","schema","created_at","updated_at"],"properties":{
  "id":{"type":"string"},"name":{"type":"string"},"connector":{"type":"string"},
  "connection_profile_id":{"type":["string","null"]},"connectionProfileId":{"type":["string","null"]},
  "table_type":{"type":"string","enum":["source","sink","lookup"]},
  "config":{"type":"object"},"schema":{"type":"object"},"event_time_field":{"type":["string","null"]},
  "watermark_delay":{"type":["string","integer","null"]},"idle_time":{"type":["string","integer","null"]},
  "created_at":{"type":"string","format":"date-time"},"updated_at":{"type":"string","format":"date-time"}}},
"TableTestResult": {"type":"object","required":["success","message","sample_data","statistics"],"properties":{
  "success":{"type":"boolean"},"message":{"type":"string"},"sample_data":{"type":"array"},"statistics":{"type":"object"}}},
"SchemaTestResult": {"type":"object","required":["valid","inferred_schema","compatibility","errors"],"properties":{
  "valid":{"type":"boolean"},"inferred_schema":{"type":"object"},"compatibility":{"type":"object"},
  "errors":{"type":"array","items":{"type":"string"}}}},
"Graph": {"type":["object","null"],"required":["nodes","edges"],"properties":{"nodes":{"type":"array"},"edges":{"type":"array"}}},
"Pipeline": {"type":"object","required":["id","name","query","parallelism","checkpoint_interval_micros","state","stateDetail","created_at","updated_at","action","action_text","action_in_progress","preview","current_job_id"],"properties":{
  "id":{"type":"string"},"name":{"type":"string"},"query":{"type":"string"},"parallelism":{"type":"integer"},
  "checkpoint_interval_micros":{"type":"integer"},"udfs":{"type":"array"},"tags":{"type":"object"},"env_vars":{"type":"object"},
  "state":{"type":"string","enum":["Created","Starting","Running","Stopping","Stopped","Failed"]},"stateDetail":{"type":"string"},
  "created_at":{"type":"integer"},"updated_at":{"type":"integer"},"action":{"type":["string","null"]},"action_text":{"type":"string"},
  "action_in_progress":{"type":"boolean"},"graph":{"$ref":"#/components/schemas/Graph"},"preview":{"type":"boolean"},
  "current_job_id":{"type":["string","null"]},"job_id":{"type":"string"}}},
"PipelineStarted": {"type":"object","required":["message","job_id"],"properties":{
  "message":{"type":"string"},"job_id":{"type":"string"},"pipeline_id":{"type":"string"}}},
"BulkResults": {"type":"object","required":["results"],"properties":{"results":{"type":"array","items":{"type":"object",
  "required":["id","ok"],"properties":{"id":{"type":"string"},"ok":{"type":"boolean"},"job_id":{"type":"string"},
  "error":{"type":"object"}}}}}},
"Validation": {"type":"object","required":["graph","errors","diagnostics","outputs"],"properties":{
  "graph":{"$ref":"#/components/schemas/Graph"},"errors":{"type":"array","items":{"type":"string"}},
  "diagnostics":{"type":"array"},"outputs":{"type":"array"}}},
"Job": {"type":"object","required":["id","pipeline_id","running_desired","state","stateDetail","run_id","start_time","finish_time","tasks","failure_message","created_at"],"properties":{
  "id":{"type":"string"},"pipeline_id":{"type":"string"},"running_desired":{"type":"boolean"},
  "state":{"type":"string","enum":["Running","Completed","Failed","Stopping","Stopped"]},"stateDetail":{"type":"string"},
  "run_id":{"type":"integer"},"restarts":{"type":"integer"},"start_time":{"type":["integer","null"]},"finish_time":{"type":["integer","null"]},
  "tasks":{"type":["integer","null"]},"parallelism":{"type":"integer"},"failure_message":{"type":["string","null"]},
  "failure_reason":{"type":["object","null"]},"created_at":{"type":"integer"},"restored_from":{"type":["string","null"]},
  "metrics":{"type":"object"}}},
"StopInitiated": {"type":"object","required":["message","expected_finish_time"],"properties":{
  "message":{"type":"string"},"expected_finish_time":{"type":"integer"}}},
"JobRestarted": {"type":"object","required":["message","new_job_id"],"properties":{
  "message":{"type":"string"},"new_job_id":{"type":"string"}}},
"JobMetrics": {"type":"object","required":["records_in","records_out","bytes_in","bytes_out","errors","warnings","late_records","latency_p50","latency_p95","latency_p99","throughput","backpressure","watermark","operators"],"properties":{
  "records_in":{"type":"integer"},"records_out":{"type":"integer"},"bytes_in":{"type":"integer"},"bytes_out":{"type":"integer"},
  "errors":{"type":"integer"},"warnings":{"type":"integer"},"late_records":{"type":"integer"},
  "latency_p50":{"type":["number","null"]},"latency_p95":{"type":["number","null"]},"latency_p99":{"type":["number","null"]},
  "throughput":{"type":"number"},"backpressure":{"type":"number"},"state_bytes":{"type":["integer","null"]},
  "watermark":{"type":["integer","null"]},"operators":{"type":"array"}}},
"MetricGroups": {"type":"object","required":["sources","transforms","sinks"],"properties":{
  "sources":{"type":"object"},"transforms":{"type":"object"},"sinks":{"type":"object"}}},
"Operator": {"type":"object","required":["operator_id","operator_name","description","kind","parallelism"],"properties":{
  "operator_id":{"type":"string"},"operator_name":{"type":"string"},"description":{"type":"string"},"kind":{"type":"string"},
  "parallelism":{"type":"integer"},"watermark":{"type":["integer","null"]},"state_bytes":{"type":["integer","null"]}}},
"OperatorMetrics": {"type":"object","required":["operator_id","operator_name","subtasks","metrics","subtask_metrics"],"properties":{
  "operator_id":{"type":"string"},"operator_name":{"type":"string"},"subtasks":{"type":"integer"},
  "metrics":{"type":"object"},"subtask_metrics":{"type":"array"}}},
"Checkpoint": {"type":"object","required":["id","job_id","epoch","start_time","finish_time","state","type","size_bytes"],"properties":{
  "id":{"type":"string"},"job_id":{"type":"string"},"epoch":{"type":"integer"},"start_time":{"type":"integer"},"finish_time":{"type":["integer","null"]},
  "state":{"type":"string"},"type":{"type":"string"},"size_bytes":{"type":"integer"},"operator_states":{"type":"array"}}},
"Output": {"type":"object","required":["data","operator_id","total_records","has_more"],"properties":{
  "data":{"type":"array"},"operator_id":{"type":"string"},"total_records":{"type":"integer"},"has_more":{"type":"boolean"}}},
"JobError": {"type":"object","required":["id","timestamp","level","operator_id","task_index","message","details","record","count"],"properties":{
  "id":{"type":"string"},"timestamp":{"type":"integer"},"level":{"type":"string"},"operator_id":{"type":["string","null"]},
  "task_index":{"type":["integer","null"]},"message":{"type":"string"},"details":{"type":"string"},"record":{"type":["string","null"]},"count":{"type":"integer"}}},
"JobLog": {"type":"object","required":["id","timestamp","level","message"],"properties":{
  "id":{"type":"string"},"timestamp":{"type":"integer"},"level":{"type":"string"},"message":{"type":"string"},"details":{"type":"object"}}},
"SqlResults": {"type":"object","required":["results"],"properties":{"results":{"type":"array","items":{"type":"object",
  "required":["statement","kind","warnings"],"properties":{"statement":{"type":"string"},
  "kind":{"type":"string","enum":["created","dropped","altered","pipeline","job","rows","explain","set"]},
  "object":{"type":"string"},"id":{"type":"string"},"name":{"type":"string"},
  "columns":{"type":"array","items":{"type":"object"}},"rows":{"type":"array","items":{"type":"array"}},
  "warnings":{"type":"array","items":{"type":"string"}}}}}}},
"Udf": {"type":"object","required":["id","name","definition","language","return_type","parameters","kind","created_at","updated_at"],"properties":{
  "id":{"type":"string"},"name":{"type":"string"},"prefix":{"type":["string","null"]},"definition":{"type":"string"},"language":{"type":"string"},
  "return_type":{"type":"string"},"parameters":{"type":"array","items":{"type":"object"}},"nullable_return":{"type":"boolean"},
  "kind":{"type":"string","enum":["scalar","aggregate","async"]},"description":{"type":"string"},"created_by":{"type":"string"},"used_by":{"type":"array"},
  "created_at":{"type":"string","format":"date-time"},"updated_at":{"type":"string","format":"date-time"}}},
"UdfValidation": {"type":"object","required":["valid","message","warnings","name"],"properties":{
  "valid":{"type":"boolean"},"message":{"type":"string"},"warnings":{"type":"array","items":{"type":"string"}},"name":{"type":"string"},
  "signature":{"type":"string"},"test_results":{"type":"array","items":{"type":"object","required":["input","output","success"]}}}},
"Object": {"type":"object"}
})json";

}  // namespace

const nlohmann::json& Schemas() {
  static const nlohmann::json schemas = [] {
    nlohmann::json all = nlohmann::json::parse(kRequests);
    all.update(nlohmann::json::parse(kResponses));
    return all;
  }();
  return schemas;
}

}  // namespace laminar::api
