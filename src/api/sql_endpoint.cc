// POST /sql: a script's statements in order, each as the request that it stands for.

#include <algorithm>

#include "api/api_context.h"
#include "api/router.h"
#include "api/udf_json.h"
#include "base/random_id.h"
#include "connectors/option_text.h"
#include "jobs/table_declaration.h"
#include "sql/parser.h"

namespace laminar::api {

namespace {

using sql::ExprKind;
using sql::Statement;
using sql::StatementKind;

ApiError Refused(const std::string& message, const std::string& hint) {
  return ApiError(400, "VALIDATION_ERROR", message + " (" + hint + ")",
                  {{"field", "query"}, {"reason", message}, {"reason_code", "UNSUPPORTED"}, {"hint", hint}});
}

Json Column(const char* name, const char* type = "TEXT") { return {{"name", name}, {"data_type", type}}; }

/// Where a piece of the script stands in a text that was put together from several.
struct Piece {
  int64_t line_in_text;
  LineColumn in_script;
};

class ScriptRun {
 public:
  ScriptRun(ApiContext& context, Call& call)
      : context_(context),
        call_(call),
        text_(call.body["query"].get<std::string>()),
        dry_run_(call.body.value("dry_run", Json(false)) == true),
        parsed_(sql::ParseScript(text_)) {}

  HttpResponse Run() {
    if (!parsed_.errors.empty()) throw SyntaxError(parsed_.errors[0]);
    Json results = Json::array();
    for (size_t i = 0; i < parsed_.statements.size(); ++i) {
      const Statement& statement = parsed_.statements[i];
      try {
        Json result = RunStatement(statement);
        result["statement"] = TextOf(statement.span);
        if (!result.contains("warnings")) result["warnings"] = Json::array();
        results.push_back(std::move(result));
      } catch (...) {
        throw InStatement(CurrentError(RandomId("req_")), statement, i, results);
      }
    }
    return Reply({{"results", std::move(results)}});
  }

 private:
  std::string TextOf(SourceSpan span) const {
    return text_.substr(static_cast<size_t>(span.offset), static_cast<size_t>(span.length));
  }

  ApiError SyntaxError(const UserError& error) const {
    const LineColumn at = LocateOffset(text_, error.span().offset);
    Json details = {{"field", "query"},        {"reason", error.message()},
                    {"line", at.line},         {"column", at.column},
                    {"errors", Json::array()}, {"reason_code", ReasonName(error.reason())}};
    for (const UserError& each : parsed_.errors) {
      const LineColumn place = LocateOffset(text_, each.span().offset);
      details["errors"].push_back(
          {{"message", each.message()}, {"line", place.line}, {"column", place.column}});
    }
    return ApiError(
        400, "VALIDATION_ERROR",
        "line " + std::to_string(at.line) + ", column " + std::to_string(at.column) + ": " + error.message(),
        std::move(details));
  }

  /// Earlier results stand; the error says where the script stopped, with positions of the whole script.
  ApiError InStatement(const ApiError& error, const Statement& statement, size_t index, const Json& results) {
    Json details = error.details();
    ToScript(&details);
    if (details.contains("errors")) {
      for (Json& each : details["errors"]) ToScript(&each);
    }
    if (!details.value("line", Json()).is_number()) {
      const LineColumn at = LocateOffset(text_, statement.span.offset);
      details["line"] = at.line;
      details["column"] = at.column;
    }
    details["statement_index"] = index;
    details["results"] = results;
    return ApiError(error.status(), error.code(), error.what(), std::move(details));
  }

  void ToScript(Json* position) const {
    for (const auto& [line, column] : {std::pair{"line", "column"}, {"end_line", "end_column"}}) {
      if (!position->value(line, Json()).is_number()) continue;
      const int64_t at = (*position)[line].get<int64_t>();
      for (auto piece = pieces_.rbegin(); piece != pieces_.rend(); ++piece) {
        if (piece->line_in_text > at) continue;
        if (at == piece->line_in_text)
          (*position)[column] = (*position)[column].get<int64_t>() + piece->in_script.column - 1;
        (*position)[line] = piece->in_script.line + at - piece->line_in_text;
        break;
      }
    }
  }

  /// What is behind a pipeline of this script: the views, settings and tables of its own before it.
  std::string WithEarlier(SourceSpan span) {
    std::string out;
    int64_t lines = 1;
    pieces_.clear();
    const auto add = [&](SourceSpan piece) {
      const std::string text = TextOf(piece) + ";\n";
      pieces_.push_back({lines, LocateOffset(text_, piece.offset)});
      lines += std::count(text.begin(), text.end(), '\n');
      out += text;
    };
    for (const SourceSpan& earlier : earlier_) add(earlier);
    add(span);
    return out;
  }

  Json Request(const std::string& method, const std::string& path, const Json& body = nullptr) {
    return Json::parse(context_.run(call_.request, method, path, body).body);
  }

  Json RunStatement(const Statement& statement) {
    pieces_.clear();
    switch (statement.kind) {
      case StatementKind::kCreateTable:
        return CreateTable(statement);
      case StatementKind::kCreateView:
        earlier_.push_back(statement.span);
        return {{"kind", "created"},
                {"object", "view"},
                {"name", statement.name.text},
                {"warnings", {"a view lives in this script only: pipelines after it may read it"}}};
      case StatementKind::kSet:
        earlier_.push_back(statement.span);
        return {{"kind", "set"}, {"name", statement.name.text}};
      case StatementKind::kCreatePipeline:
        return CreatePipeline(statement);
      case StatementKind::kExplain:
        return Explain(statement);
      case StatementKind::kShow:
        return Show(statement);
      case StatementKind::kDescribe:
        return Describe(statement);
      case StatementKind::kDrop:
        return Drop(statement);
      case StatementKind::kOther:
        if (statement.object_kind == "pipeline") return StartOrStop(statement);
        break;
      case StatementKind::kQuery:
        throw Refused("a query alone has nowhere to put its rows here",
                      "see them with POST /pipelines/preview, or CREATE PIPELINE name AS SELECT …");
      case StatementKind::kInsert:
        throw Refused("INSERT needs a pipeline here", "write CREATE PIPELINE name AS INSERT INTO …");
      case StatementKind::kCreateFunction:
        if (!statement.object_kind.empty() && statement.object_kind != "sql")
          throw LanguageNotBuilt(statement.object_kind);
        earlier_.push_back(statement.span);
        return {{"kind", "created"},
                {"object", "function"},
                {"name", statement.name.text},
                {"warnings", {"a function lives in this script only: pipelines after it may call it"}}};
    }
    throw Refused("'" + statement.name.text + "' is not supported", "see docs/sql.md for the statements");
  }

  Json CreateTable(const Statement& statement) {
    const bool memory = std::any_of(statement.options.begin(), statement.options.end(), [](const auto& o) {
      return LowerCase(o.name) == "connector" && LowerCase(o.value) == "memory";
    });
    if (!statement.has_options || memory || statement.query) {
      earlier_.push_back(statement.span);
      return {{"kind", "created"},
              {"object", "table"},
              {"name", statement.name.text},
              {"warnings", {"a table without a connector, or AS SELECT, lives in this script only"}}};
    }
    if (!statement.partitioned_by.empty())
      throw Refused("PARTITIONED BY belongs to tables of a pipeline's own script",
                    "put the CREATE TABLE before INSERT in CREATE PIPELINE's script, or set the connector's "
                    "partitioning options");
    if (statement.if_not_exists && context_.catalog.FindByName<ConnectionTable>(statement.name.text)) {
      return {{"kind", "created"},
              {"object", "table"},
              {"name", statement.name.text},
              {"warnings", {"it exists already and was left as it is"}}};
    }
    if (dry_run_) {
      earlier_.push_back(statement.span);
      return {{"kind", "created"}, {"object", "table"}, {"name", statement.name.text}};
    }
    const Json made = Request("POST", "/connection_tables", TableBody(statement));
    return {{"kind", "created"}, {"object", "table"}, {"id", made["id"]}, {"name", made["name"]}};
  }

  Json TableBody(const Statement& statement) const {
    Json body = {{"name", statement.name.text}, {"config", Json::object()}};
    for (const sql::OptionAssignment& option : statement.options) {
      const std::string name = FoldOptionName(option.name);
      if (name == FoldOptionName("connector")) {
        body["connector"] = option.value;
      } else if (name == FoldOptionName("connection_profile") || name == "connection") {
        body["connection_profile_id"] = option.value;
      } else if (body["config"].contains(option.name)) {
        throw Invalid("query", "option '" + option.name + "' is given twice");
      } else {
        body["config"][option.name] = option.value;
      }
    }
    if (statement.temporary) body["table_type"] = "lookup";
    if (statement.has_columns) body["schema"]["fields"] = Fields(statement);
    for (const sql::Identifier& key : statement.primary_key)
      body["schema"]["primary_keys"].push_back(key.text);
    if (!statement.watermarks.empty()) AddWatermark(statement.watermarks[0], &body);
    return body;
  }

  Json Fields(const Statement& statement) const {
    Json fields = Json::array();
    for (const sql::ColumnDefinition& column : statement.columns) {
      if (!column.type)
        throw Invalid("query", "column '" + column.name.text + "' needs a type in a connection table");
      Json field = {{"name", column.name.text},
                    {"data_type", column.type->ToString()},
                    {"nullable", !column.not_null && !column.primary_key}};
      if (column.primary_key) field["primary_key"] = true;
      if (column.metadata)
        field["metadata_key"] = column.metadata_key.empty() ? column.name.text : column.metadata_key;
      if (column.computed) field["expression"] = TextOf(column.computed->span);
      if (!column.comment.empty()) field["description"] = column.comment;
      fields.push_back(std::move(field));
    }
    return fields;
  }

  /// WATERMARK FOR ts, AS ts, AS ts - INTERVAL '…': what a connection table can say.
  void AddWatermark(const Statement::Watermark& watermark, Json* body) const {
    (*body)["event_time_field"] = watermark.column.text;
    if (!watermark.expr) return;
    const sql::Expr* time = watermark.expr.get();
    int64_t delay_us = 0;
    if (time->kind == ExprKind::kBinary2 && time->text == "-" && time->args[1]->kind == ExprKind::kInterval &&
        time->args[1]->interval.months == 0) {
      delay_us = time->args[1]->interval.days * 86'400'000'000 + time->args[1]->interval.micros;
      time = time->args[0].get();
    }
    const bool is_column = time->kind == ExprKind::kName && time->names.size() == 1 &&
                           EqualsIgnoreCase(time->names[0].text, watermark.column.text);
    if (!is_column || delay_us < 0)
      throw Refused("a connection table's watermark is its event time less a fixed length of time",
                    "write WATERMARK FOR " + watermark.column.text + " AS " + watermark.column.text +
                        " - INTERVAL '5 seconds'");
    (*body)["watermark_delay"] = std::to_string(delay_us) + " microseconds";
  }

  Json CreatePipeline(const Statement& statement) {
    const auto existing = context_.catalog.FindByName<Pipeline>(statement.name.text);
    if (statement.if_not_exists && existing) {
      return {{"kind", "pipeline"},
              {"id", existing->id},
              {"name", existing->name},
              {"warnings", {"it exists already and was left as it is"}}};
    }
    const std::string query = WithEarlier(statement.span);
    const Json checked = Request("POST", "/pipelines/validate_query", {{"query", query}});
    Json warnings = Json::array();
    for (const Json& diagnostic : checked["diagnostics"]) {
      if (diagnostic["severity"] == "warning") warnings.push_back(diagnostic["message"]);
    }
    if (dry_run_ && checked["errors"].empty())
      return {{"kind", "pipeline"}, {"name", statement.name.text}, {"warnings", std::move(warnings)}};
    const Json made = Request("POST", "/pipelines", {{"query", query}, {"name", statement.name.text}});
    return {{"kind", "pipeline"},
            {"object", "pipeline"},
            {"id", made["id"]},
            {"name", made["name"]},
            {"warnings", std::move(warnings)}};
  }

  Json Explain(const Statement& statement) {
    const Statement* inner = statement.inner.get();
    const std::string query = WithEarlier(inner->span);
    const Json checked = Request("POST", "/pipelines/validate_query", {{"query", query}, {"explain", true}});
    if (!checked.contains("plan") || !checked["errors"].empty()) {
      Json errors = Json::array();
      for (const Json& diagnostic : checked["diagnostics"]) {
        if (diagnostic["severity"] == "error") errors.push_back(diagnostic);
      }
      Json details = {{"field", "query"}, {"reason", checked["errors"].at(0)}, {"errors", errors}};
      details["line"] = errors.at(0)["line"];
      details["column"] = errors.at(0)["column"];
      throw ApiError(400, "VALIDATION_ERROR", checked["errors"].at(0).get<std::string>(), std::move(details));
    }
    Json rows = Json::array();
    const std::string plan = checked["plan"].get<std::string>();
    for (size_t from = 0; from < plan.size();) {
      const size_t end = std::min(plan.find('\n', from), plan.size());
      rows.push_back(Json::array({plan.substr(from, end - from)}));
      from = end + 1;
    }
    return {{"kind", "explain"}, {"columns", Json::array({Column("plan")})}, {"rows", std::move(rows)}};
  }

  Json Drop(const Statement& statement) {
    const std::string& kind = statement.object_kind;
    std::string id, path;
    if (kind == "table") {
      if (const auto found = context_.catalog.FindByName<ConnectionTable>(statement.name.text))
        id = found->id;
      path = "/connection_tables/";
    } else if (kind == "pipeline") {
      if (const auto found = context_.catalog.FindByName<Pipeline>(statement.name.text)) id = found->id;
      path = "/pipelines/";
    } else if (kind == "function") {
      if (const auto found = context_.catalog.FindByName<Udf>(statement.name.text)) id = found->id;
      path = "/udfs/";
    }
    Json out = {{"kind", "dropped"}, {"object", kind}, {"name", statement.name.text}};
    if (id.empty() && !statement.flag) throw NotFound(kind, statement.name.text);
    if (id.empty()) out["warnings"] = {"there is none"};
    if (!id.empty()) out["id"] = id;
    if (!id.empty() && !dry_run_) Request("DELETE", path + id);
    return out;
  }

  Json StartOrStop(const Statement& statement) {
    const auto found = context_.catalog.FindByName<Pipeline>(statement.value);
    if (!found) throw NotFound("pipeline", statement.value);
    const bool start = LowerCase(statement.name.text) == "start";
    Json body = Json::object();
    for (const sql::OptionAssignment& option : statement.options) body[option.name] = option.value;
    if (start && !body.empty()) throw Refused("START PIPELINE takes no mode", "leave WITH out");
    Json out = {{"kind", "job"}, {"object", "pipeline"}, {"name", found->name}};
    if (dry_run_) return out;
    const Json answer = Request("POST", "/pipelines/" + found->id + (start ? "/start" : "/stop"), body);
    out["id"] = start ? answer["job_id"] : Json(context_.catalog.Find<Pipeline>(found->id)->current_job_id);
    return out;
  }

  Json Rows(Json columns, Json rows) const {
    return {{"kind", "rows"}, {"columns", std::move(columns)}, {"rows", std::move(rows)}};
  }

  Json Show(const Statement& statement) {
    const std::string& kind = statement.object_kind;
    if (kind == "create table") return ShowCreate(statement);
    Json rows = Json::array();
    if (kind == "table") {
      for (const auto& t : context_.catalog.All<ConnectionTable>())
        rows.push_back({t->name, t->table_type, t->connector, t->id});
      return Rows({Column("name"), Column("type"), Column("connector"), Column("id")}, Sorted(rows));
    }
    if (kind == "pipeline") {
      for (const auto& p : context_.catalog.All<Pipeline>()) {
        if (p->preview) continue;
        const auto job = context_.catalog.Find<Job>(p->current_job_id);
        rows.push_back({p->name, job ? job->detail : "Created", p->parallelism, p->id});
      }
      return Rows({Column("name"), Column("state"), Column("parallelism", "INT"), Column("id")},
                  Sorted(rows));
    }
    if (kind == "job") {
      for (const auto& j : context_.catalog.All<Job>()) {
        if (!j->preview) rows.push_back({j->pipeline_name, j->run_id, j->detail, j->restarts, j->id});
      }
      return Rows({Column("pipeline"), Column("run", "INT"), Column("state"), Column("restarts", "INT"),
                   Column("id")},
                  Sorted(rows));
    }
    if (kind == "connector") {
      for (const Connector* connector : context_.engine.connectors->connectors()) {
        const ConnectorInfo& info = connector->info();
        if (!info.hidden) rows.push_back({info.id, info.source, info.sink, info.lookup, info.enabled});
      }
      return Rows({Column("id"), Column("source", "BOOLEAN"), Column("sink", "BOOLEAN"),
                   Column("lookup", "BOOLEAN"), Column("enabled", "BOOLEAN")},
                  rows);
    }
    if (kind == "function") {
      for (const ScalarFunction* f : context_.engine.functions->scalars())
        rows.push_back({f->names[0], "scalar", f->doc.signature});
      for (const AggregateDefinition* f : context_.engine.functions->aggregates())
        rows.push_back({f->names[0], "aggregate", f->doc.signature});
      for (const auto& f : context_.catalog.All<Udf>()) rows.push_back({f->name, f->kind, SignatureOf(*f)});
      return Rows({Column("name"), Column("kind"), Column("signature")}, Sorted(rows));
    }
    return Rows({Column("name")}, rows);  // views live in scripts only
  }

  static Json Sorted(Json rows) {
    std::sort(rows.begin(), rows.end());
    return rows;
  }

  std::shared_ptr<const ConnectionTable> TableNamed(const std::string& name) const {
    auto found = context_.catalog.FindByName<ConnectionTable>(name);
    if (!found) throw NotFound("table", name);
    return found;
  }

  Json ShowCreate(const Statement& statement) {
    ConnectionTable table = *TableNamed(statement.name.text);
    table.config = MaskSecrets(table.config);
    if (const auto profile = context_.planner.ProfileOf(table))
      table.config["connection_profile"] = profile->name;
    return Rows({Column("statement")}, Json::array({Json::array({TableDeclaration(table, nullptr)})}));
  }

  Json Describe(const Statement& statement) {
    const auto table = TableNamed(statement.name.text);
    Json rows = Json::array();
    if (table->open) rows.push_back({"value", "JSON", true, "no schema: any name reads a member of it"});
    for (const Json& field : table->fields) {
      const std::string expression = field.value("expression", ""), key = field.value("metadata_key", "");
      rows.push_back({field["name"], field["data_type"], field.value("nullable", true),
                      !expression.empty()                        ? "AS " + expression
                      : !key.empty()                             ? "METADATA FROM '" + key + "'"
                      : field.value("primary_key", false)        ? "PRIMARY KEY"
                      : field["name"] == table->event_time_field ? "event time"
                                                                 : ""});
    }
    return Rows({Column("name"), Column("type"), Column("nullable", "BOOLEAN"), Column("extra")}, rows);
  }

  ApiContext& context_;
  Call& call_;
  const std::string text_;
  const bool dry_run_;
  const sql::ParsedScript parsed_;
  std::vector<SourceSpan> earlier_;  ///< statements that later pipelines of the script begin with
  std::vector<Piece> pieces_;        ///< of the text that was last planned
};

}  // namespace

void AddSqlEndpoint(ApiContext& context, std::vector<Endpoint>* out) {
  out->push_back({"POST", "/sql", Role::kWrite, "server",
                  "Run a script: DDL, CREATE PIPELINE, START, STOP, SHOW, DESCRIBE, EXPLAIN", "Sql",
                  "SqlResults", [&context](Call& call) { return ScriptRun(context, call).Run(); }});
}

}  // namespace laminar::api
