#include "catalog/records.h"

namespace laminar {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(PreviewSettings, limit, timeout_seconds, enable_sinks)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(PipelineVersion, version, query, parallelism, created_us)

#define LAMINAR_DOCUMENT(Type, ...)                                                         \
  void to_json(Json& nlohmann_json_j, const Type& nlohmann_json_t) {                        \
    NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(NLOHMANN_JSON_TO, __VA_ARGS__))                \
  }                                                                                         \
  void from_json(const Json& nlohmann_json_j, Type& nlohmann_json_t) {                      \
    const Type nlohmann_json_default_obj;                                                   \
    NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(NLOHMANN_JSON_FROM_WITH_DEFAULT, __VA_ARGS__)) \
  }

LAMINAR_DOCUMENT(Profile, id, name, connector, description, config, created_us, updated_us)
LAMINAR_DOCUMENT(ConnectionTable, id, name, connector, profile_id, table_type, config, fields, schema_extras,
                 inferred, open, event_time_field, watermark_delay, idle_time, created_us, updated_us)
LAMINAR_DOCUMENT(Pipeline, id, name, query, parallelism, checkpoint_interval_us, udfs, tags, env_vars,
                 preview, preview_settings, graph, table_names, udf_names, current_job_id, last_checkpoint_id,
                 next_run_id, fencing_token, versions, updated_by, created_us, updated_us)
LAMINAR_DOCUMENT(Job, id, pipeline_id, pipeline_name, run_id, running_desired, detail, stop_mode,
                 stop_timeout_seconds, after_job, allow_drop_state, checkpoints_asked, savepoints_asked,
                 savepoints_taken, start_us, finish_us, tasks, parallelism, checkpoint_interval_us, restarts,
                 failure_message, failure_domain, restored_from, restore_checkpoint, ignore_state, preview,
                 version, query, started_by, stopped_by, rescaled_by, checkpoint_by, graph, last_metrics,
                 created_us)
LAMINAR_DOCUMENT(CheckpointRecord, id, job_id, pipeline_id, epoch, start_us, finish_us, state, type, location,
                 failure_reason, size_bytes, operator_states)
LAMINAR_DOCUMENT(Udf, id, name, prefix, definition, language, return_type, kind, description, created_by,
                 parameters, nullable_return, calls, created_us, updated_us)
LAMINAR_DOCUMENT(StoredAnswer, id, request, status, headers, body, created_us)

}  // namespace laminar
