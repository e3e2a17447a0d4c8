#pragma once

/// Plans pipelines against the catalog's tables, for checks, graphs and starts.

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "catalog/secrets.h"
#include "jobs/engine.h"
#include "jobs/function_check.h"

namespace laminar {

/// A remark on a piece of a script; lines and columns count from 1, columns in UTF-16 units.
struct Diagnostic {
  bool error = true;
  std::string code;
  std::string message;
  std::string hint;
  int64_t line = 0, column = 0, end_line = 0, end_column = 0;  ///< 0: no position; UTF-16 units
  int64_t offset = -1;                                         ///< in bytes; −1: no position
};

struct PlannedPipeline {
  std::vector<Diagnostic> diagnostics;
  bool ok = false;
  Json graph;                            ///< null unless ok
  Json outputs = Json::array();          ///< {sink, schema, updating}
  std::string pipeline_name;             ///< of CREATE PIPELINE
  std::vector<std::string> table_names;  ///< connection tables that the plan names
  std::vector<std::string> udf_names;    ///< functions of the server that it calls
  std::optional<int> parallelism;        ///< of SET
  std::optional<int64_t> checkpoint_interval_us;
  bool captures = false;  ///< has a SELECT without INSERT
  std::string plan_text;
};

/// One table, checked as the SQL front end does.
struct CheckedTable {
  std::string table_type;
  Json fields = Json::array();  ///< {name, data_type, nullable, …}
  bool open = false;
  bool inferred = false;
  std::vector<std::string> warnings;
};

class PipelinePlanner {
 public:
  PipelinePlanner(const Engine& engine, const Catalog& catalog, const SecretBox& box,
                  const SecretSource& secrets)
      : engine_(engine), catalog_(catalog), box_(box), secrets_(secrets) {}

  /// Never throws for what the script says. `udfs`: as a pipeline has them.
  PlannedPipeline Plan(const std::string& query, const Json& udfs, int parallelism,
                       sql::SinkCapture capture = sql::SinkCapture::kNone) const;
  /// A CREATE FUNCTION statement; `before`: others that it may call. `infer`: whatever it says that it
  /// returns, it returns what the body is. Throws UserError with positions in `text`.
  CheckedFunction CheckFunction(const std::string& text, const std::vector<std::string>& before = {},
                                bool infer = false) const;
  /// Throws UserError. `sample`: reads the source to infer a schema that is not given (secrets resolved).
  CheckedTable Check(const ConnectionTable& table, const Profile* profile, bool sample) const;
  /// The first records of a source as JSON rows; empty when it cannot be sampled. Throws as Check does.
  Json Sample(const ConnectionTable& table, const Profile* profile, int64_t rows) const;
  /// CREATE TABLE texts with secrets in the clear, for a worker. Names that are no table are left out. Throws
  /// SecretNotFound, UserError, ExternalError.
  std::map<std::string, std::string> Declarations(const std::vector<std::string>& names,
                                                  const SecretSource::Variables& variables,
                                                  std::vector<std::string>* secrets_used) const;
  /// CREATE FUNCTION texts by name. Names that are no function are left out.
  std::map<std::string, std::string> FunctionDeclarations(const std::vector<std::string>& names) const;
  /// A config with secrets in the clear.
  Json Resolved(const Json& config, const SecretSource::Variables& variables,
                std::vector<std::string>* secrets_used) const;

  const Engine& engine() const { return engine_; }
  const SecretBox& box() const { return box_; }
  const SecretSource& secrets() const { return secrets_; }
  /// Null: the table has none, or it is gone.
  std::shared_ptr<const Profile> ProfileOf(const ConnectionTable& table) const;

 private:
  const Engine& engine_;
  const Catalog& catalog_;
  const SecretBox& box_;
  const SecretSource& secrets_;
};

/// [{name, data_type, nullable}].
Json FieldsJson(const Schema& schema);
Diagnostic DiagnosticOf(const UserError& error, std::string_view text);

}  // namespace laminar
