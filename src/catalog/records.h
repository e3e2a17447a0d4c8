#pragma once

/// The objects that the catalog keeps, as they are stored: one JSON document each. Times are microseconds
/// since 1970 (the API shows them as each page says).

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace laminar {

using Json = nlohmann::json;

/// How to reach an external system. Secret literals in `config` are encrypted (secrets.h).
struct Profile {
  static constexpr const char* kKind = "profile";
  std::string id, name, connector, description;
  Json config = Json::object();  ///< with the client's key spelling
  int64_t created_us = 0, updated_us = 0;
};

/// A declared source, sink or lookup table.
struct ConnectionTable {
  static constexpr const char* kKind = "table";
  std::string id, name, connector;
  std::string profile_id;        ///< empty: none
  std::string table_type;        ///< source, sink, lookup
  Json config = Json::object();  ///< with the client's key spelling
  Json fields = Json::array();   ///< {name, data_type, nullable, …}; empty for open and schema-less tables
  Json schema_extras = Json::object();  ///< format, definition, primary_keys as given
  bool inferred = false;                ///< fields were sampled, or the table is open
  bool open = false;                    ///< no schema: a JSON column that names reach into
  std::string event_time_field;
  Json watermark_delay, idle_time;  ///< as given; null: default
  int64_t created_us = 0, updated_us = 0;
};

struct PreviewSettings {
  int64_t limit = 1000;
  int64_t timeout_seconds = 300;
  bool enable_sinks = false;
};

struct PipelineVersion {
  int version = 1;
  std::string query;
  int parallelism = 1;
  int64_t created_us = 0;
};

struct Pipeline {
  static constexpr const char* kKind = "pipeline";
  std::string id, name, query;
  int parallelism = 1;
  int64_t checkpoint_interval_us = 10'000'000;
  Json udfs = Json::array();  ///< names of functions of the server; its own as documents of Udf
  std::map<std::string, std::string> tags, env_vars;  ///< values of env_vars are encrypted
  bool preview = false;
  PreviewSettings preview_settings;
  Json graph;                            ///< of the plan, as the API shows it
  std::vector<std::string> table_names;  ///< connection tables that the plan names, lower case
  std::vector<std::string> udf_names;    ///< functions of the server that it uses, lower case
  std::string current_job_id;            ///< newest job; empty: never started
  int next_run_id = 1;
  std::string last_checkpoint_id;
  int64_t fencing_token = 0;  ///< raised at each start of a worker; only the newest may write
  std::vector<PipelineVersion> versions;
  std::string updated_by;  ///< who changed its settings last; empty: nobody did
  int64_t created_us = 0, updated_us = 0;
};

struct Job {
  static constexpr const char* kKind = "job";
  std::string id, pipeline_id, pipeline_name;
  int run_id = 1;
  bool running_desired = true;
  std::string detail = "Created";       ///< job_state.h
  std::string stop_mode;                ///< asked for and not done; empty: none
  int stop_timeout_seconds = 30;        ///< after which the next stronger mode is used
  int64_t start_us = 0, finish_us = 0;  ///< 0: not yet
  int tasks = 0;                        ///< subtasks; 0: not known yet
  int parallelism = 1;
  int64_t checkpoint_interval_us = 0;  ///< as of its start
  int restarts = 0;
  std::string failure_message, failure_domain;
  std::string restored_from;      ///< checkpoint; empty: none
  bool allow_drop_state = false;  ///< state that no operator claims is let go
  int64_t checkpoints_asked = 0;  ///< by hand
  int64_t savepoints_asked = 0, savepoints_taken = 0;
  std::string after_job;           ///< starts when that one is over; empty: at once
  std::string restore_checkpoint;  ///< asked for at the start; empty: the newest
  bool ignore_state = false;       ///< asked for at the start
  bool preview = false;
  int version = 1;    ///< of the pipeline
  std::string query;  ///< as it ran
  /// Who last asked for it; empty: nobody did, or nobody knows.
  std::string started_by, stopped_by, rescaled_by, checkpoint_by;
  Json graph;
  Json last_metrics;  ///< of an ended job
  int64_t created_us = 0;
};

struct CheckpointRecord {
  static constexpr const char* kKind = "checkpoint";
  std::string id, job_id, pipeline_id;
  int64_t epoch = 0;
  int64_t start_us = 0, finish_us = 0;
  std::string state = "in_progress";  ///< in_progress, completed, failed
  std::string type = "scheduled";     ///< scheduled, stopping, manual, savepoint
  std::string location;
  std::string failure_reason;
  int64_t size_bytes = 0;
  Json operator_states = Json::array();
};

struct Udf {
  static constexpr const char* kKind = "udf";
  std::string id, name, prefix, definition, language, return_type, kind = "scalar", description, created_by;
  Json parameters = Json::array();  ///< {name, type, nullable}
  bool nullable_return = false;
  std::vector<std::string> calls;  ///< functions of the server that it uses, lower case
  int64_t created_us = 0, updated_us = 0;
};

/// The answer to a POST with an Idempotency-Key, for when it is sent again.
struct StoredAnswer {
  static constexpr const char* kKind = "answer";
  std::string id;       ///< hash of the caller's name and its key
  std::string request;  ///< hash of path and body
  int status = 200;
  std::map<std::string, std::string> headers;
  std::string body;
  int64_t created_us = 0;
};

// Documents. From: missing members keep their defaults, so that a newer version can add some.
void to_json(Json& out, const Profile& in);
void from_json(const Json& in, Profile& out);
void to_json(Json& out, const ConnectionTable& in);
void from_json(const Json& in, ConnectionTable& out);
void to_json(Json& out, const Pipeline& in);
void from_json(const Json& in, Pipeline& out);
void to_json(Json& out, const Job& in);
void from_json(const Json& in, Job& out);
void to_json(Json& out, const CheckpointRecord& in);
void from_json(const Json& in, CheckpointRecord& out);
void to_json(Json& out, const Udf& in);
void from_json(const Json& in, Udf& out);
void to_json(Json& out, const StoredAnswer& in);
void from_json(const Json& in, StoredAnswer& out);

}  // namespace laminar
