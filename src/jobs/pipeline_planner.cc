#include "jobs/pipeline_planner.h"

#include <algorithm>

#include "formats/json_encoder.h"
#include "jobs/function_declaration.h"
#include "jobs/plan_graph.h"
#include "jobs/table_declaration.h"
#include "sql/parser.h"

namespace laminar {

namespace {

/// The catalog's records of one kind as SQL, made when they are asked for.
template <typename Record>
class CatalogDeclarations : public sql::DeclarationCatalog {
 public:
  explicit CatalogDeclarations(const Catalog& catalog) : catalog_(catalog) {}
  std::optional<std::string> Declaration(const std::string& name) const override {
    const auto found = catalog_.template FindByName<Record>(name);
    if (!found) return std::nullopt;
    if (std::find(used.begin(), used.end(), name) == used.end()) used.push_back(name);
    return TextOf(*found);
  }
  std::vector<std::string> names() const override {
    std::vector<std::string> out;
    for (const auto& record : catalog_.template All<Record>()) out.push_back(record->name);
    return out;
  }
  mutable std::vector<std::string> used;

 private:
  virtual std::string TextOf(const Record& record) const = 0;

  const Catalog& catalog_;
};

class CatalogTables final : public CatalogDeclarations<ConnectionTable> {
 public:
  CatalogTables(const Catalog& catalog, const PipelinePlanner& planner)
      : CatalogDeclarations(catalog), planner_(planner) {}

 private:
  std::string TextOf(const ConnectionTable& table) const override {
    const auto profile = planner_.ProfileOf(table);
    return TableDeclaration(table, profile.get());
  }

  const PipelinePlanner& planner_;
};

class CatalogFunctions final : public CatalogDeclarations<Udf> {
 public:
  using CatalogDeclarations::CatalogDeclarations;

 private:
  std::string TextOf(const Udf& function) const override { return DeclarationOf(function).text; }
};

struct Position {
  int64_t line = 1, column = 1;
};

/// Columns in UTF-16 units, as browsers and editors count.
Position PositionOf(std::string_view text, int64_t offset) {
  Position out;
  const size_t end = std::min(text.size(), static_cast<size_t>(offset));
  for (size_t i = 0; i < end; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '\n') {
      ++out.line;
      out.column = 1;
    } else if ((byte & 0xC0) != 0x80) {
      out.column += byte >= 0xF0 ? 2 : 1;
    }
  }
  return out;
}

void SetPosition(Diagnostic* diagnostic, SourceSpan span, std::string_view text) {
  if (!span.known()) return;
  const Position begin = PositionOf(text, span.offset);
  const Position end = PositionOf(text, span.offset + std::max<int64_t>(span.length, 1));
  diagnostic->line = begin.line;
  diagnostic->column = begin.column;
  diagnostic->end_line = end.line;
  diagnostic->end_column = end.column;
  diagnostic->offset = span.offset;
}

/// What an operator keeps; null: nothing that the plan knows of.
Json StateJson(const GraphNode& node) {
  StateNote note = node.state;
  if (node.make_source) note = {"read positions", {"split"}, 0, ""};
  Json tables = Json::array();
  if (node.make_operator) {
    for (const StateTableSpec& table : node.make_operator()->state_tables()) {
      tables.push_back({{"name", table.name}, {"layout", table.layout}});
      if (note.kind.empty()) note.kind = table.name;
    }
  }
  if (note.kind.empty()) return nullptr;
  return {{"kind", note.kind},
          {"key", note.key},
          {"ttl", note.ttl_us > 0 ? Json(note.ttl_us / 1000) : Json()},
          {"until", note.until.empty() ? Json() : Json(note.until)},
          {"tables", std::move(tables)}};
}

/// Where each operator comes from in the script, and what state it keeps.
void DescribeNodes(const JobGraph& graph, std::string_view query, Json* nodes) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const GraphNode& node = graph.nodes[i];
    Json& shown = (*nodes)[i];
    shown["span"] = nullptr;
    shown["state"] = nullptr;
    if (node.span.known() && node.span.offset + node.span.length <= static_cast<int64_t>(query.size())) {
      const Position begin = PositionOf(query, node.span.offset);
      const Position end = PositionOf(query, node.span.offset + node.span.length);
      shown["span"] = {
          {"line", begin.line}, {"column", begin.column}, {"end_line", end.line}, {"end_column", end.column}};
    }
    shown["state"] = StateJson(node);
  }
}

}  // namespace

Json FieldsJson(const Schema& schema) {
  Json out = Json::array();
  for (const Field& field : schema.fields)
    out.push_back({{"name", field.name}, {"data_type", field.type.ToString()}, {"nullable", field.nullable}});
  return out;
}

Diagnostic DiagnosticOf(const UserError& error, std::string_view text) {
  Diagnostic out;
  out.code = std::string(ReasonName(error.reason()));
  out.message = error.message();
  out.hint = error.hint();
  SetPosition(&out, error.span(), text);
  return out;
}

std::shared_ptr<const Profile> PipelinePlanner::ProfileOf(const ConnectionTable& table) const {
  return table.profile_id.empty() ? nullptr : catalog_.Find<Profile>(table.profile_id);
}

PlannedPipeline PipelinePlanner::Plan(const std::string& query, const Json& udfs, int parallelism,
                                      sql::SinkCapture capture) const {
  PlannedPipeline out;
  CatalogTables tables(catalog_, *this);
  CatalogFunctions functions(catalog_);
  sql::BinderOptions options = engine_.binder_options();
  options.catalog = &tables;
  options.function_catalog = &functions;
  options.functions_before = OwnFunctions(udfs);
  sql::PlannedScript script = sql::PlanScript(query, options);
  for (const UserError& error : script.errors) out.diagnostics.push_back(DiagnosticOf(error, query));
  for (const sql::Warning& warning : script.warnings) {
    Diagnostic diagnostic{false, warning.code, warning.message, {}, {}};
    SetPosition(&diagnostic, warning.span, query);
    out.diagnostics.push_back(std::move(diagnostic));
  }
  out.pipeline_name = script.pipeline_name;
  out.table_names = tables.used;
  out.udf_names = functions.used;
  for (const Json& udf : udfs) {  // also those that it names and does not call
    if (udf.is_string()) out.udf_names.push_back(FoldName(udf.get<std::string>()));
  }
  out.parallelism = script.settings.parallelism;
  out.checkpoint_interval_us = script.settings.checkpoint_interval_us;
  if (!script.errors.empty()) return out;
  for (const sql::BoundOutput& output : script.outputs) {
    const sql::PlanSchema& rows =
        output.node->inputs.empty() ? output.node->schema : output.node->inputs[0]->schema;
    Schema schema;
    for (const sql::PlanColumn& column : rows.columns) {
      if (!column.hidden) schema.fields.push_back({column.name, column.type, column.nullable});
    }
    out.outputs.push_back({{"sink", output.table ? Json(output.table->name) : Json()},
                           {"schema", {{"fields", FieldsJson(schema)}}},
                           {"updating", rows.changelog}});
    out.captures = out.captures || !output.table;
  }
  sql::PhysicalOptions physical;
  physical.parallelism = parallelism > 0 ? parallelism : out.parallelism.value_or(1);
  physical.formats = engine_.formats;
  physical.functions = engine_.functions;
  physical.capture = capture;
  physical.preview = [this](const Schema&, bool changelog, int) {
    sql::PreviewSink sink;
    if (changelog) sink.format = engine_.formats->Find("debezium_json");
    sink.make = []() -> std::unique_ptr<Sink> { return nullptr; };
    return sink;
  };
  try {
    script.explains.clear();
    const JobGraph graph = sql::MakeJobGraph(script, physical);
    out.graph = GraphJson(graph);
    DescribeNodes(graph, query, &out.graph["nodes"]);
    std::vector<sql::NodePtr> roots;
    for (const auto& output : script.outputs) roots.push_back(output.node);
    out.plan_text = sql::ExplainText(script, roots, &graph);
    out.ok = true;
  } catch (const UserError& error) {
    out.diagnostics.push_back(DiagnosticOf(error, query));
  } catch (const ExternalError& error) {
    out.diagnostics.push_back({true, "EXTERNAL", error.what(), {}, {}});
  }
  return out;
}

CheckedFunction PipelinePlanner::CheckFunction(const std::string& text,
                                               const std::vector<std::string>& before, bool infer) const {
  sql::ParsedScript parsed = sql::ParseScript(text);
  if (!parsed.errors.empty()) throw parsed.errors[0];
  if (parsed.statements.size() != 1 || parsed.statements[0].kind != sql::StatementKind::kCreateFunction)
    throw UserError(Reason::kSyntax, {}, "a definition is one CREATE FUNCTION statement, or its body");
  CatalogFunctions functions(catalog_);
  sql::BinderOptions options = engine_.binder_options();
  options.function_catalog = &functions;
  options.functions_before = before;
  sql::Statement& statement = parsed.statements[0];
  if (infer) statement.returns.reset();
  CheckedFunction out;
  out.declared = sql::Binder(options).DescribeFunction(statement);
  out.calls = functions.used;
  return out;
}

CheckedTable PipelinePlanner::Check(const ConnectionTable& table, const Profile* profile, bool sample) const {
  ConnectionTable resolved = table;
  std::optional<Profile> resolved_profile;
  if (profile) resolved_profile = *profile;
  if (sample) {
    resolved.config = Resolved(table.config, {}, nullptr);
    if (profile) resolved_profile->config = Resolved(profile->config, {}, nullptr);
  }
  const std::string text = TableDeclaration(resolved, resolved_profile ? &*resolved_profile : nullptr);
  sql::ParsedScript parsed = sql::ParseScript(text);
  if (!parsed.errors.empty()) throw UserError(parsed.errors[0].reason(), {}, parsed.errors[0].message());
  sql::BinderOptions options = engine_.binder_options();
  options.may_sample = sample;
  const auto described = sql::Binder(options).Describe(parsed.statements.at(0));
  CheckedTable out;
  if (described->role) {
    out.table_type = *described->role == sql::TableRole::kSource ? "source"
                     : *described->role == sql::TableRole::kSink ? "sink"
                                                                 : "lookup";
  }
  out.open = described->open;
  out.inferred = table.fields.empty() && !described->implied;
  if (!out.open && table.fields.empty()) out.fields = FieldsJson(described->spec.columns);
  if (described->connector && out.table_type == "source" && !described->open) {
    described->connector->PlanSource(described->spec);  // options that contradict each other
  } else if (described->connector && out.table_type == "sink" && described->spec.columns.num_columns() > 0) {
    described->connector->PlanSink(described->spec);
  }
  return out;
}

Json PipelinePlanner::Sample(const ConnectionTable& table, const Profile* profile, int64_t rows) const {
  ConnectionTable resolved = table;
  resolved.config = Resolved(table.config, {}, nullptr);
  std::optional<Profile> resolved_profile;
  if (profile) {
    resolved_profile = *profile;
    resolved_profile->config = Resolved(profile->config, {}, nullptr);
  }
  sql::ParsedScript parsed =
      sql::ParseScript(TableDeclaration(resolved, resolved_profile ? &*resolved_profile : nullptr));
  if (!parsed.errors.empty()) throw UserError(parsed.errors[0].reason(), {}, parsed.errors[0].message());
  sql::BinderOptions options = engine_.binder_options();
  options.may_sample = true;
  const auto described = sql::Binder(options).Describe(parsed.statements.at(0));
  Json out = Json::array();
  const Format* format = described->spec.format;
  if (!described->connector || !format || !format->make_decoder) return out;
  const auto sample = described->connector->Sample(described->spec);
  if (!sample || sample->empty()) return out;
  // A piece of a file ends within a record.
  const size_t last_line = sample->rfind('\n');
  const std::string_view whole =
      std::string_view(*sample).substr(0, last_line == std::string::npos ? sample->size() : last_line + 1);
  const auto decoder = format->make_decoder(described->spec.format_spec, described->spec.columns);
  const DecodeResult decoded = decoder->Decode(whole, rows);
  if (!decoded.bad.empty()) throw QueryError("a record does not fit the schema: " + decoded.bad[0].error);
  JsonObjectWriter writer(described->spec.columns, JsonWriteOptions{});
  writer.Bind(decoded.batch.columns);
  for (int64_t row = 0; row < std::min(rows, decoded.batch.num_rows); ++row) {
    TextBuffer text;
    writer.Write(row, &text);
    out.push_back(Json::parse(text.view(), nullptr, false));
  }
  return out;
}

Json PipelinePlanner::Resolved(const Json& config, const SecretSource::Variables& variables,
                               std::vector<std::string>* secrets_used) const {
  return secrets_.Resolve(DecryptSecrets(config, box_), variables, secrets_used);
}

std::map<std::string, std::string> PipelinePlanner::FunctionDeclarations(
    const std::vector<std::string>& names) const {
  std::map<std::string, std::string> out;
  for (const std::string& name : names) {
    if (const auto found = catalog_.FindByName<Udf>(name)) out[name] = DeclarationOf(*found).text;
  }
  return out;
}

std::map<std::string, std::string> PipelinePlanner::Declarations(
    const std::vector<std::string>& names, const SecretSource::Variables& variables,
    std::vector<std::string>* secrets_used) const {
  std::map<std::string, std::string> out;
  for (const std::string& name : names) {
    const auto found = catalog_.FindByName<ConnectionTable>(name);
    if (!found) continue;
    ConnectionTable table = *found;
    table.config = Resolved(table.config, variables, secrets_used);
    std::optional<Profile> profile;
    if (const auto stored = ProfileOf(table)) {
      profile = *stored;
      profile->config = Resolved(stored->config, variables, secrets_used);
    }
    out[name] = TableDeclaration(table, profile ? &*profile : nullptr);
  }
  return out;
}

}  // namespace laminar
