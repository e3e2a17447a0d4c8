// Statements: tables, views, inserts, settings.

#include <arrow/scalar.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <thread>

#include "connectors/options_reader.h"
#include "sql/binder.h"
#include "sql/parser.h"
#include "sql/rules/rules.h"

namespace laminar::sql {

namespace {

/// How far `watermark` stays behind column `time` where it is that column less a fixed length of time.
std::optional<int64_t> FixedDelayUs(const ExpressionPtr& watermark, int time) {
  const ExpressionPtr value = WithoutTimeCasts(watermark);
  if (ColumnIndex(value) == time) return 0;
  const auto* call = dynamic_cast<const CallExpression*>(value.get());
  if (!call || call->name() != "-" || call->children().size() != 2) return std::nullopt;
  if (ColumnIndex(WithoutTimeCasts(call->children()[0])) != time) return std::nullopt;
  const auto delay_us = FixedIntervalUs(call->children()[1]);
  return delay_us && *delay_us >= 0 ? delay_us : std::nullopt;
}

/// Whether a column of a query is nothing but text literals (and NULLs) that can be read as `type`, as of
/// VALUES.
bool AreTextLiteralsOf(const Type& type, const LogicalNode& node, int column) {
  auto fits = [&](const ExpressionPtr& e) {
    if (!dynamic_cast<const LiteralExpression*>(e.get())) return false;
    if (e->type().is_null()) return true;
    if (e->type().id() != TypeId::kText || !CanCast(e->type(), type)) return false;
    const bool null = !static_cast<const LiteralExpression&>(*e).value()->is_valid;
    const auto value = FoldConstant(*MakeCast(e, type, /*try_cast=*/true));
    return null || (value && value->is_valid);
  };
  switch (node.kind) {
    case NodeKind::kValues:
      return std::all_of(node.rows.begin(), node.rows.end(),
                         [&](const auto& row) { return fits(row[column]); });
    case NodeKind::kProject: {
      const int below = ColumnIndex(node.exprs[column]);
      return below >= 0 ? AreTextLiteralsOf(type, *node.inputs[0], below) : fits(node.exprs[column]);
    }
    default:
      return false;
  }
}

const char* RoleName(TableRole role) {
  switch (role) {
    case TableRole::kSource:
      return "source";
    case TableRole::kSink:
      return "sink";
    case TableRole::kLookup:
      return "lookup";
    case TableRole::kMemory:
      return "memory";
  }
  return "?";
}

std::vector<std::string> Keys(const auto& map) {
  std::vector<std::string> out;
  for (const auto& [name, value] : map) out.push_back(name);
  return out;
}

}  // namespace

BoundScript Binder::Bind(std::vector<Statement>& statements, const std::vector<std::string>& unparsed_names) {
  for (const std::string& name : unparsed_names) failed_names_.insert(FoldName(name));
  for (Statement& statement : statements) {
    const Statement* inner = &statement;
    while (inner->inner) inner = inner->inner.get();
    if (inner->kind == StatementKind::kInsert) inserted_names_.insert(FoldName(inner->name.text));
  }
  for (const auto& [name, value] : options_.settings) {
    Statement set;
    set.kind = StatementKind::kSet;
    set.name.text = name;
    set.value = value;
    try {
      BindSet(set);
    } catch (const UserError& error) {
      script_.errors.push_back(error);
    }
  }
  for (const Statement& statement : statements) {  // they hold for the whole script, wherever they stand
    try {
      BindSettings(statement);
    } catch (UserError& error) {
      script_.errors.push_back(error.At(statement.span));
    }
  }
  BindFunctionsBefore();
  for (Statement& statement : statements) {
    uses_failed_name_ = false;
    try {
      BindStatement(statement);
    } catch (UserError& error) {
      if (!uses_failed_name_) script_.errors.push_back(error.At(statement.span));
      const bool declares = statement.kind == StatementKind::kCreateTable ||
                            statement.kind == StatementKind::kCreateView ||
                            statement.kind == StatementKind::kCreateFunction;
      if (declares) failed_names_.insert(FoldName(statement.name.text));
    }
  }
  MergeOutputs();
  const auto declared = tables_;  // dead letters may be declared behind their source, or by the catalog
  for (const auto& [name, table] : declared) {
    if (table->bad_data != BadData::kDeadLetter) continue;
    const std::shared_ptr<TableDefinition> found = FindTable(FoldName(table->dead_letter));
    if (!found) {
      script_.errors.push_back(
          UserError(Reason::kUnknownTable, table->spec.options.span("dead_letter"),
                    "no table '" + table->dead_letter + "' for dead letters")
              .Hint("declare it: CREATE TABLE " + table->dead_letter +
                    " (raw BYTEA, error TEXT, source TEXT, position TEXT, timestamp TIMESTAMP) WITH (…)"));
      continue;
    }
    found->role = TableRole::kSink;
    table->dead_letter_table = found;
    if (found->order.empty()) {
      for (const Field& field :
           {Field{"raw", Type::Bytes()}, Field{"error", Type::Text()}, Field{"source", Type::Text()},
            Field{"position", Type::Text()}, Field{"timestamp", Type::Timestamp()}}) {
        found->order.push_back({0, found->spec.columns.num_columns()});
        found->spec.columns.fields.push_back(field);
      }
    }
  }
  if (script_.outputs.empty() && script_.explains.empty() && script_.errors.empty()) {
    script_.errors.push_back(
        memory_.empty()
            ? UserError(Reason::kNoOutput, {}, "the script has no INSERT and no query, so nothing would run")
                  .Hint("add INSERT INTO … SELECT …, or a SELECT")
            : UserError(Reason::kNoOutput, {},
                        "the script inserts into memory tables only, so nothing comes out")
                  .Hint("read them: SELECT * FROM " + memory_.begin()->first + ", or INSERT INTO a sink"));
  }
  if (script_.errors.empty()) {
    std::vector<NodePtr> roots;
    for (const BoundOutput& output : script_.outputs) roots.push_back(output.node);
    for (const auto& [statement, node] : script_.explains) roots.push_back(node);
    try {
      CheckOvers(roots);
    } catch (const UserError& error) {
      script_.errors.push_back(error);
    }
    WarnUnboundedState();
  }
  return std::move(script_);
}

/// SET, RESET and the options of a pipeline.
void Binder::BindSettings(const Statement& statement) {
  if (statement.kind == StatementKind::kSet) BindSet(statement);
  if (statement.kind == StatementKind::kCreatePipeline) {
    for (const OptionAssignment& option : statement.options) {
      Statement set;
      set.kind = StatementKind::kSet;
      set.name = {option.name, false, option.name_span};
      set.value = option.value;
      set.value_span = option.value_span;
      set.span = option.name_span;
      BindSet(set);
    }
  }
  if (statement.kind == StatementKind::kExplain) BindSettings(*statement.inner);
}

void Binder::BindStatement(Statement& statement) {
  auto unsupported = [&](const std::string& what, const std::string& hint) {
    throw UserError(Reason::kUnsupported, statement.span, what).Hint(hint);
  };
  switch (statement.kind) {
    case StatementKind::kCreateTable:
      BindCreateTable(statement);
      return;
    case StatementKind::kCreateView: {
      const std::string name = FoldName(statement.name.text);
      if ((views_.count(name) && !statement.or_replace) || tables_.count(name)) {
        if (statement.if_not_exists) return;
        throw UserError(Reason::kDuplicateName, statement.name.span,
                        "'" + statement.name.text + "' exists already")
            .Hint("use CREATE OR REPLACE VIEW");
      }
      BoundRelation bound = BindQuery(*statement.query);
      if (!statement.column_list.empty()) RenameColumns(bound, statement.column_list, statement.name.span);
      views_[name] = bound.node;
      return;
    }
    case StatementKind::kCreatePipeline: {
      if (!script_.pipeline_name.empty()) {
        throw UserError(Reason::kDuplicateName, statement.name.span, "a script can hold one CREATE PIPELINE")
            .Hint("put the second one into its own script");
      }
      script_.pipeline_name = statement.name.text;
      BindStatement(*statement.inner);
      return;
    }
    case StatementKind::kInsert:
      BindInsert(statement);
      return;
    case StatementKind::kQuery: {
      BoundRelation bound = BindQuery(*statement.query);
      AddOutput(bound.node, nullptr, {}, statement.span);
      return;
    }
    case StatementKind::kSet:
      return;  // BindSettings has read it
    case StatementKind::kExplain: {
      const size_t before = script_.outputs.size();
      BindStatement(*statement.inner);
      if (script_.outputs.size() == before)
        throw UserError(Reason::kUnsupported, statement.span, "EXPLAIN takes an INSERT or a query");
      while (script_.outputs.size() > before) {
        script_.explains.emplace_back(&statement, script_.outputs.back().node);
        script_.outputs.pop_back();
      }
      return;
    }
    case StatementKind::kCreateFunction:
      BindCreateFunction(statement);
      return;
    case StatementKind::kDrop:
    case StatementKind::kShow:
    case StatementKind::kDescribe:
      unsupported("DROP, SHOW and DESCRIBE work through the server only",
                  "remove the statement from the script");
      return;
    case StatementKind::kOther:
      unsupported("'" + statement.name.text + "' statements are not supported",
                  "a script holds CREATE, INSERT, SELECT, SET and EXPLAIN");
      return;
  }
}

/// `memory` or `disk`.
std::string Binder::StateBackendOf(const Statement& statement) {
  const std::string value = FoldName(statement.value);
  if (value == "memory" || value == "disk") return value;
  if (value == "rocksdb") {
    script_.warnings.push_back(
        {"STATE_BACKEND", statement.value_span,
         "state_backend 'rocksdb' is another name of 'disk': mapped files on a local disk, not "
         "RocksDB"});
    return "disk";
  }
  throw UserError(Reason::kBadOption, statement.value_span, "no state backend '" + statement.value + "'")
      .Hint("there are 'memory' and 'disk' ('rocksdb' means 'disk')");
}

namespace {

/// Bytes of a whole number and B, KB, MB, GB or TB, of 1024 each.
int64_t MemorySizeOf(const Statement& statement) {
  const std::string& text = statement.value;
  int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string unit = FoldName(std::string(parsed.ptr, text.data() + text.size()));
  unit.erase(0, unit.find_first_not_of(' '));
  static const std::map<std::string, int> shifts = {{"b", 0},    {"kb", 10},  {"kib", 10},
                                                    {"mb", 20},  {"mib", 20}, {"gb", 30},
                                                    {"gib", 30}, {"tb", 40},  {"tib", 40}};
  const auto shift = shifts.find(unit);
  if (parsed.ec != std::errc() || number <= 0 || shift == shifts.end() ||
      number > INT64_MAX >> shift->second) {
    throw UserError(Reason::kBadOption, statement.value_span, "'" + text + "' is no size of memory")
        .Hint("write '1GB' or '512 MB'");
  }
  return number << shift->second;
}

}  // namespace

void Binder::BindSet(const Statement& statement) {
  const std::string name = FoldName(statement.name.text);
  Settings& settings = script_.settings;
  auto duration = [&]() -> int64_t {
    auto us = ParseDurationUs(statement.value);
    if (!us || *us < 0) {
      throw UserError(Reason::kBadOption, statement.value_span,
                      "'" + statement.value + "' is not a length of time")
          .Hint("write '5s', '10 minutes' or '1 day'");
    }
    return *us;
  };
  const bool reset = statement.flag;
  if (name == "updating_ttl")
    settings.updating_ttl_us = reset ? 0 : duration();
  else if (name == "updating_flush_interval")
    settings.updating_flush_interval_us = reset ? std::nullopt : std::optional(duration());
  else if (name == "checkpoint_interval")
    settings.checkpoint_interval_us = reset ? std::nullopt : std::optional(duration());
  else if (name == "idle_time")
    settings.idle_time_us = reset ? std::nullopt : std::optional(duration());
  else if (name == "watermark_delay")
    settings.watermark_delay_us = reset ? std::nullopt : std::optional(duration());
  else if (name == "parallelism") {
    settings.parallelism.reset();
    if (!reset) {
      const bool digits = !statement.value.empty() && statement.value.size() <= 4 &&
                          std::all_of(statement.value.begin(), statement.value.end(), ::isdigit);
      const int value = digits ? std::stoi(statement.value) : 0;
      if (value < 1 || value > 1024)
        throw UserError(Reason::kBadOption, statement.value_span,
                        "parallelism must be a whole number from 1 to 1024, not '" + statement.value + "'");
      settings.parallelism = value;
    }
  } else if (name == "error_on_division_by_zero") {
    const std::string value = FoldName(statement.value);
    if (!reset && value != "true" && value != "false")
      throw UserError(Reason::kBadOption, statement.value_span,
                      "error_on_division_by_zero is true or false, not '" + statement.value + "'");
    settings.error_on_division_by_zero = reset || value == "true";
  } else if (name == "state_backend") {
    settings.state_backend = reset ? "" : StateBackendOf(statement);
  } else if (name == "state_memory_limit") {
    settings.state_memory_limit = reset ? 0 : MemorySizeOf(statement);
  } else if (name == "state_directory") {
    settings.state_directory = reset ? "" : statement.value;
  } else if (name == "timezone") {
    const std::string value = FoldName(statement.value);
    if (!reset && value != "utc")
      throw UserError(Reason::kUnsupported, statement.value_span, "only the time zone UTC is supported");
  } else if (name != "schema_registry_debug") {
    const std::vector<std::string> names = {"updating_ttl",
                                            "updating_flush_interval",
                                            "parallelism",
                                            "checkpoint_interval",
                                            "idle_time",
                                            "watermark_delay",
                                            "state_backend",
                                            "state_memory_limit",
                                            "state_directory",
                                            "timezone",
                                            "error_on_division_by_zero",
                                            "schema_registry_debug"};
    UserError error(Reason::kUnknownSetting, statement.name.span, "no setting '" + statement.name.text + "'");
    const std::string nearest = NearestName(name, names);
    std::string list;
    for (const auto& n : names) list += (list.empty() ? "" : ", ") + n;
    throw error.Hint((nearest.empty() ? "" : "did you mean '" + nearest + "'? ") + ("settings: " + list));
  }
  if (settings.state_backend == "memory" && settings.state_memory_limit > 0) {
    throw UserError(Reason::kBadOption, statement.value_span,
                    "state_memory_limit bounds state on disk; state_backend 'memory' knows no limit")
        .Hint("SET state_backend = 'disk', or leave the limit out");
  }
}

// ---- tables
// -----------------------------------------------------------------------------------------------------

void Binder::ReadOptions(TableDefinition& table, const TableDeclaration& declaration) {
  std::string id;
  SourceSpan id_span = declaration.span;
  std::vector<RawOption> raw;
  for (const OptionAssignment& option : declaration.options) {
    if (FoldName(option.name) == "connector") {
      id = option.value;
      id_span = option.value_span;
    }
    raw.push_back({option.name, option.value, option.name_span, option.value_span});
  }
  if (id.empty()) {
    throw UserError(Reason::kMissingOption, declaration.span, "table '" + table.name + "' has no connector")
        .Hint("add connector = '…' to WITH");
  }
  table.connector = options_.connectors->Find(id);
  if (!table.connector) {
    UserError error(Reason::kBadOption, id_span, "no connector '" + id + "'");
    const std::string nearest = NearestName(id, options_.connectors->ids());
    std::string list;
    for (const auto& name : options_.connectors->ids()) list += (list.empty() ? "" : ", ") + name;
    throw error.Hint(nearest.empty() ? "connectors: " + list : "did you mean '" + nearest + "'?");
  }
  std::optional<laminar::TableKind> known;
  if (declaration.role == TableRole::kLookup) known = laminar::TableKind::kLookup;
  TableOptions read =
      ReadTableOptions(raw, table.connector->info(), *options_.formats, declaration.span, known,
                       /*references_stand=*/!options_.may_sample);
  if (!declaration.overlaid) {
    for (const std::string& warning : read.warnings) Warn("REPEATED_OPTION", declaration.span, warning);
  }
  if (!read.errors.empty()) {
    for (size_t i = 1; i < read.errors.size(); ++i) script_.errors.push_back(read.errors[i]);
    throw read.errors[0];
  }
  table.spec.options = std::move(read.options);
  table.spec.format = read.format;
  table.spec.format_spec = std::move(read.format_spec);
  table.spec.format_spec.table_name = table.name;
  if (read.kind) {
    table.role = *read.kind == laminar::TableKind::kSource ? TableRole::kSource
                 : *read.kind == laminar::TableKind::kSink ? TableRole::kSink
                                                           : TableRole::kLookup;
  }
  const Options& options = table.spec.options;
  const std::string bad = FoldName(options.Text("bad_data", "fail"));
  table.bad_data = bad == "drop"          ? BadData::kDrop
                   : bad == "dead_letter" ? BadData::kDeadLetter
                                          : BadData::kFail;
  if (auto ignore = table.spec.format_spec.options.find("ignore_parse_errors");
      ignore != table.spec.format_spec.options.end()) {
    ignore->second.used = true;
    if (FoldName(ignore->second.value) == "true") table.bad_data = BadData::kDrop;
  }
  table.dead_letter = options.Text("dead_letter");
  if (table.bad_data == BadData::kDeadLetter && table.dead_letter.empty()) {
    throw UserError(Reason::kMissingOption, options.span("bad_data"),
                    "bad_data = 'dead_letter' needs the option dead_letter")
        .Hint("add dead_letter = '<sink table>'");
  }
  table.watermark_delay_us =
      options.DurationUs("watermark_delay", script_.settings.watermark_delay_us.value_or(1'000'000));
  table.idle_time_us = options.DurationUs("idle_time", script_.settings.idle_time_us.value_or(300'000'000));
  table.rate_limit = options.Double("rate_limit", 0);
  table.event_time = options.Text("event_time_field");
  table.watermark_field = options.Text("watermark_field");
}

void Binder::DefineColumns(TableDefinition& table, const TableDeclaration& declaration) {
  std::set<std::string> seen;
  for (const ColumnDefinition& column : *declaration.columns) {
    if (!seen.insert(column.name.text).second) {
      throw UserError(Reason::kDuplicateName, column.name.span,
                      "column '" + column.name.text + "' is declared twice");
    }
    if (column.computed) {
      table.order.push_back({2, static_cast<int>(table.computed.size())});
      table.computed.push_back({column.name.text, column.type, column.computed.get(), column.name.span});
      continue;
    }
    if (!column.type)
      throw UserError(Reason::kSyntax, column.name.span, "column '" + column.name.text + "' has no type");
    bool metadata = column.metadata;
    std::string key =
        column.metadata ? (column.metadata_key.empty() ? column.name.text : column.metadata_key) : "";
    const bool raw = table.connector && table.spec.format && table.spec.format->fixed_schema &&
                     table.spec.format->fixed_schema(table.spec.format_spec).num_columns() > 0;
    if (!metadata && raw) {  // raw formats: a column named like a metadata key is that key
      for (const MetadataColumn& known : table.connector->info().metadata) {
        if (EqualsIgnoreCase(known.key, column.name.text)) {
          metadata = true;
          key = known.key;
        }
      }
    }
    if (metadata) {
      if (!key.empty() && key[0] == '_') key.erase(0, 1);
      const MetadataColumn* found = nullptr;
      std::vector<std::string> keys;
      if (table.connector) {
        for (const MetadataColumn& known : table.connector->info().metadata) {
          keys.push_back(known.key);
          if (EqualsIgnoreCase(known.key, key)) found = &known;
        }
      }
      if (!found) {
        UserError error(Reason::kMetadataUnknown, column.name.span,
                        "no metadata '" + key + "' in this connector");
        std::string list;
        for (const auto& k : keys) list += (list.empty() ? "" : ", ") + k;
        throw error.Hint(keys.empty() ? "it has no metadata columns" : "metadata: " + list);
      }
      table.order.push_back({1, static_cast<int>(table.metadata.size())});
      table.metadata.push_back({column.name.text, found->key, *column.type});
      table.spec.metadata_keys.push_back(found->key);
      continue;
    }
    if (column.primary_key) {
      if (!table.spec.primary_key.empty() || !declaration.primary_key.empty()) {
        throw UserError(Reason::kDuplicateName, column.name.span, "a table has one PRIMARY KEY")
            .Hint("write PRIMARY KEY (a, b) behind the columns for a key of several");
      }
      table.spec.primary_key.push_back(table.spec.columns.num_columns());
    }
    table.order.push_back({0, table.spec.columns.num_columns()});
    table.spec.columns.fields.push_back(
        {column.name.text, *column.type, !column.not_null && !column.primary_key});
  }
  for (const Identifier& name : declaration.primary_key) {
    const int index = table.spec.columns.IndexOf(name.text);
    if (index < 0)
      throw UserError(Reason::kUnknownColumn, name.span,
                      "PRIMARY KEY column '" + name.text + "' is not a column of the table");
    if (std::find(table.spec.primary_key.begin(), table.spec.primary_key.end(), index) ==
        table.spec.primary_key.end())
      table.spec.primary_key.push_back(index);
  }
  table.spec.format_spec.primary_key = table.spec.primary_key;
}

void Binder::CheckEventTime(TableDefinition& table, const TableDeclaration& declaration) {
  if (declaration.watermark_column) {
    table.has_watermark_clause = true;
    table.event_time = declaration.watermark_column->text;
    table.event_time_span = declaration.watermark_column->span;
    table.watermark = declaration.watermark_expr;
  }
  const bool changelog = table.spec.format && table.spec.format->changelog && table.role != TableRole::kSink;
  if (!changelog) return;
  if (!table.event_time.empty() || declaration.watermark_column) {
    throw UserError(Reason::kEventTimeWithDebezium,
                    declaration.watermark_column ? declaration.watermark_column->span
                                                 : table.spec.options.span("event_time_field"),
                    "a table of changes has no event time of its own");
  }
  if (!table.computed.empty()) {
    throw UserError(Reason::kVirtualWithDebezium, table.computed[0].span,
                    "a table of changes cannot have computed columns")
        .Hint("compute '" + table.computed[0].name + "' in a view");
  }
}

std::shared_ptr<TableDefinition> Binder::DefineTable(const TableDeclaration& declaration) {
  auto table = std::make_shared<TableDefinition>();
  table->name = declaration.name.text;
  table->span = declaration.span;
  table->role = declaration.role;
  table->spec.name = table->name;
  table->spec.partition_by = declaration.partition_by;
  bool memory = !declaration.has_options;
  for (const OptionAssignment& option : declaration.options)
    memory = memory || (FoldName(option.name) == "connector" && FoldName(option.value) == "memory");
  if (memory) {
    table->role = TableRole::kMemory;
    table->test_input = options_.memory_tables_are_inputs && !inserted_names_.count(FoldName(table->name));
  } else {
    ReadOptions(*table, declaration);
    if (declaration.role && table->role != declaration.role && declaration.role == TableRole::kLookup) {
      throw UserError(Reason::kBadOption, declaration.span,
                      "a TEMPORARY table is a lookup table, its type is not '" +
                          std::string(RoleName(*table->role)) + "'");
    }
  }
  if (declaration.has_columns) {
    DefineColumns(*table, declaration);
  } else if (memory) {
    throw UserError(Reason::kSyntax, declaration.span,
                    "table '" + table->name + "' has neither columns nor a connector")
        .Hint("add (column TYPE, …) or WITH (connector = …)");
  }
  if (!memory) {
    if (auto implied = table->connector->ImpliedSchema(table->spec)) {
      table->implied = true;
      if (!declaration.has_columns) {
        table->spec.columns = *implied;
        for (int i = 0; i < implied->num_columns(); ++i) table->order.push_back({0, i});
      } else {
        for (const Field& field : table->spec.columns.fields) {
          const int index = implied->IndexOf(field.name);
          if (index < 0 || implied->fields[index].type != field.type) {
            throw UserError(
                Reason::kSchemaMismatch, declaration.span,
                index < 0
                    ? "connector " + table->connector->info().id + " has no column '" + field.name + "'"
                    : "column '" + field.name + "' of connector " + table->connector->info().id + " is " +
                          implied->fields[index].type.ToString() + ", not " + field.type.ToString());
          }
        }
      }
    }
    if (table->spec.format && table->spec.format->fixed_schema && table->role != TableRole::kSink) {
      const Schema fixed = table->spec.format->fixed_schema(table->spec.format_spec);
      if (fixed.num_columns() > 0) {
        if (!declaration.has_columns) {
          table->spec.columns = fixed;
          for (int i = 0; i < fixed.num_columns(); ++i) table->order.push_back({0, i});
        } else if (table->spec.columns.num_columns() > fixed.num_columns()) {
          throw UserError(Reason::kSchemaMismatch, declaration.span,
                          "format " + table->spec.format->names[0] + " gives one column (" +
                              fixed.ToString() + "), the table declares " +
                              std::to_string(table->spec.columns.num_columns()));
        }
      }
    }
  }
  CheckEventTime(*table, declaration);
  if (table->spec.format && table->spec.format->changelog && table->role == TableRole::kSource &&
      table->spec.primary_key.empty()) {
    throw UserError(Reason::kDebeziumNeedsPrimaryKey, declaration.span,
                    "a source of changes needs a PRIMARY KEY")
        .Hint("declare it, e.g. id BIGINT PRIMARY KEY");
  }
  return table;
}

void Binder::BindCreateTable(Statement& statement) {
  const std::string name = FoldName(statement.name.text);
  if (tables_.count(name) || views_.count(name)) {
    if (statement.if_not_exists) return;
    throw UserError(Reason::kDuplicateName, statement.name.span,
                    "'" + statement.name.text + "' exists already")
        .Hint("use another name, or CREATE TABLE IF NOT EXISTS");
  }
  if (statement.query && !statement.has_options && !statement.has_columns) {  // a named intermediate result
    BoundRelation bound = BindQuery(*statement.query);
    views_[name] = bound.node;
    return;
  }
  if (statement.watermarks.size() > 1) {
    throw UserError(Reason::kMultipleWatermarks, statement.watermarks[1].span,
                    "a table can have one WATERMARK");
  }
  TableDeclaration declaration;
  declaration.name = statement.name;
  declaration.span = statement.name.span;
  declaration.has_columns = statement.has_columns;
  declaration.columns = &statement.columns;
  declaration.primary_key = statement.primary_key;
  declaration.has_options = statement.has_options;
  declaration.options = statement.options;
  if (!statement.watermarks.empty()) {
    declaration.watermark_column = &statement.watermarks[0].column;
    declaration.watermark_expr = statement.watermarks[0].expr.get();
  }
  if (statement.temporary) declaration.role = TableRole::kLookup;
  for (const ExprPtr& item : statement.partitioned_by) {
    if (item->kind != ExprKind::kName)
      throw UserError(Reason::kUnsupported, item->span, "PARTITIONED BY takes column names here");
    declaration.partition_by.push_back(item->names.back().text);
  }
  auto table = DefineTable(declaration);
  tables_[name] = table;
  if (table->connector) declarations_[name] = declaration;
  // Computed columns and the watermark are checked where they are declared, even if nothing reads the table.
  if (table->role != TableRole::kSink && (!table->computed.empty() || !table->event_time.empty()) &&
      !table->order.empty()) {
    auto probe = MakeNode(NodeKind::kScan, {}, statement.span);
    for (const Field& field : table->spec.columns.fields)
      probe->schema.columns.push_back({field.name, field.type, field.nullable, false});
    for (const MetadataReference& m : table->metadata)
      probe->schema.columns.push_back({m.name, m.type, true, false});
    try {
      FinishScan(probe, *table, statement.span);
    } catch (...) {
      tables_.erase(name);
      throw;
    }
  }
  if (statement.query) {
    BoundRelation bound = BindQuery(*statement.query);
    AddOutput(bound.node, table, {}, statement.span);
  }
}

std::vector<std::string> Binder::TableNames() const {
  std::vector<std::string> names = Keys(tables_);
  if (options_.catalog) {
    for (std::string& name : options_.catalog->names()) names.push_back(std::move(name));
  }
  return names;
}

std::shared_ptr<TableDefinition> Binder::FindTable(const std::string& name) {
  if (auto found = tables_.find(name); found != tables_.end()) return found->second;
  if (!options_.catalog || views_.count(name)) return nullptr;
  const auto text = options_.catalog->Declaration(name);
  if (!text) return nullptr;
  ParsedScript parsed = ParseScript(*text);
  try {
    if (!parsed.errors.empty()) throw parsed.errors[0];
    script_.catalog_statements.push_back(std::make_unique<Statement>(std::move(parsed.statements.at(0))));
    BindCreateTable(*script_.catalog_statements.back());
  } catch (const UserError& error) {  // its positions are those of a text that the user does not see
    throw UserError(error.reason(), {}, "connection table '" + name + "': " + error.message())
        .Hint(error.hint());
  }
  return tables_.at(name);
}

std::shared_ptr<const TableDefinition> Binder::Describe(Statement& statement) {
  BindCreateTable(statement);
  if (!script_.errors.empty()) throw script_.errors[0];
  const std::shared_ptr<TableDefinition> table = tables_.at(FoldName(statement.name.text));
  if (table->connector && table->role == TableRole::kSource) InferSchema(*table, statement.span);
  return table;
}

// ---- reading
// ----------------------------------------------------------------------------------------------------

void Binder::InferSchema(TableDefinition& table, SourceSpan span) {
  if (!table.order.empty() || table.open) return;
  auto set = [&](Schema schema) {
    table.spec.columns = std::move(schema);
    for (int i = 0; i < table.spec.columns.num_columns(); ++i) table.order.push_back({0, i});
  };
  if (options_.may_sample && table.spec.format && table.spec.format->infer) {
    if (auto sample = table.connector->Sample(table.spec); sample && !sample->empty()) {
      Schema inferred = table.spec.format->infer(table.spec.format_spec, *sample);
      if (inferred.num_columns() > 0) {
        set(std::move(inferred));
        return;
      }
    }
  }
  // No schema known: one JSON column that names reach into.
  const bool json = table.spec.format && table.spec.format->names[0] == "json";
  if (options_.may_sample && !json) {
    throw UserError(Reason::kSchemaMismatch, span,
                    "table '" + table.name + "' declares no columns, and they cannot be read from its data")
        .Hint("declare them: CREATE TABLE " + table.name + " (column TYPE, …) WITH (…)");
  }
  table.open = true;
  set(Schema{{{"value", Type::Json(), true}}});
  if (json) table.spec.format_spec.options["unstructured"].value = "true";
}

NodePtr Binder::FinishScan(NodePtr node, const TableDefinition& table, SourceSpan span) {
  // 1. Declared columns in declared order, computed ones from the others.
  if (!table.computed.empty() || !table.metadata.empty()) {
    const int num_physical = table.spec.columns.num_columns();
    SelectContext context;
    ScopeRelation relation;
    relation.count = node->schema.num_columns();
    context.scope = {&node->schema, {relation}, {}};
    for (const ComputedColumn& column : table.computed)
      context.aliases.emplace_back(column.name, column.expr);
    std::vector<ExpressionPtr> exprs;
    std::vector<std::string> names;
    for (const auto& slot : table.order) {
      if (slot.kind == 2) {
        const ComputedColumn& column = table.computed[slot.index];
        context.resolving = {FoldName(column.name)};
        ExpressionPtr value = BindExpr(*column.expr, context);
        if (column.type) value = CastTo(value, *column.type, column.span);
        exprs.push_back(std::move(value));
        names.push_back(column.name);
      } else {
        const int index = slot.kind == 0 ? slot.index : num_physical + slot.index;
        const PlanColumn& column = node->schema.columns[index];
        exprs.push_back(MakeColumn(index, column.name, column.type));
        names.push_back(column.name);
      }
    }
    node = MakeProject(node, std::move(exprs), std::move(names), span);
  }
  // 2. Event time and watermark.
  const PlanSchema& schema = node->schema;
  auto find = [&](const std::string& name, SourceSpan at) {
    int index = -1;
    for (int pass = 0; pass < 2 && index < 0; ++pass) {
      for (int i = 0; i < schema.num_columns() && index < 0; ++i) {
        const PlanColumn& column = schema.columns[i];
        if (!column.hidden && (pass == 0 ? column.name == name : EqualsIgnoreCase(column.name, name)))
          index = i;
      }
    }
    if (index < 0) {
      std::vector<std::string> names;
      for (const PlanColumn& c : schema.columns) names.push_back(c.name);
      UserError error(Reason::kUnknownColumn, at, "no column '" + name + "' for the event time");
      const std::string nearest = NearestName(name, names);
      throw nearest.empty() ? error : error.Hint("did you mean '" + nearest + "'?");
    }
    return index;
  };
  const SourceSpan at =
      table.has_watermark_clause ? table.event_time_span : table.spec.options.span("event_time_field");
  if (table.event_time.empty() && table.watermark_field.empty()) {
    if (schema.row_time < 0) return node;  // changes have none
    auto watermark = MakeNode(NodeKind::kWatermark, {node}, span);
    watermark->schema = schema;
    watermark->table = node->table;
    watermark->time_column = schema.row_time;
    watermark->delay_us = table.watermark_delay_us;
    return watermark;
  }
  const std::string& time_name = table.event_time.empty() ? table.watermark_field : table.event_time;
  int time = find(time_name, at);
  if (table.open) {
    throw UserError(Reason::kWatermarkType, at,
                    "the event time of a table without a schema must be declared as a column")
        .Hint("declare the columns");
  }
  if (!schema.columns[time].type.is_timestamp()) {
    throw UserError(Reason::kWatermarkType, at,
                    "the event time '" + time_name + "' must be a TIMESTAMP, it is " +
                        schema.columns[time].type.ToString());
  }
  auto watermark = MakeNode(NodeKind::kWatermark, {node}, span);
  watermark->schema = schema;
  watermark->time_column = time;
  watermark->schema.row_time = time;
  watermark->schema.default_row_time = false;
  if (table.watermark) {
    SelectContext context;
    ScopeRelation relation;
    relation.count = schema.num_columns();
    context.scope = {&schema, {relation}, {}};
    ExpressionPtr value = BindExpr(*table.watermark, context);
    if (!value->type().is_timestamp()) {
      throw UserError(Reason::kWatermarkType, table.watermark->span,
                      "a watermark must be a TIMESTAMP, this is " + value->type().ToString())
          .Hint("write e.g. " + time_name + " - INTERVAL '5' SECOND");
    }
    if (const auto delay_us = FixedDelayUs(value, time)) {
      watermark->delay_us = *delay_us;
    } else {
      watermark->watermark = CastTo(value, Type::Timestamp(), table.watermark->span);
    }
  } else if (!table.watermark_field.empty()) {
    const int field = find(table.watermark_field, table.spec.options.span("watermark_field"));
    if (!schema.columns[field].type.is_timestamp()) {
      throw UserError(Reason::kWatermarkType, table.spec.options.span("watermark_field"),
                      "the watermark '" + table.watermark_field + "' must be a TIMESTAMP");
    }
    watermark->watermark = CastTo(MakeColumn(field, schema.columns[field].name, schema.columns[field].type),
                                  Type::Timestamp(), at);
  } else {
    watermark->delay_us = table.has_watermark_clause ? 0 : table.watermark_delay_us;
  }
  return watermark;
}

NodePtr Binder::MakeScan(const std::shared_ptr<TableDefinition>& table, SourceSpan span) {
  InferSchema(*table, span);
  auto node = MakeNode(NodeKind::kScan, {}, span);
  node->table = table;
  for (const Field& field : table->spec.columns.fields)
    node->schema.columns.push_back({field.name, field.type, field.nullable, false});
  for (const MetadataReference& m : table->metadata)
    node->schema.columns.push_back({m.name, m.type, true, false});
  if (table->test_input) {
    node->schema.changelog = options_.changelog_inputs.count(FoldName(table->name)) > 0;
    node->schema.bounded = false;
    if (node->schema.changelog) {
      node->schema.key = table->spec.primary_key;
    } else if (table->event_time.empty() && table->watermark_field.empty()) {
      node->schema.default_row_time = true;  // arrival, as for any source
      node->schema.row_time = node->schema.num_columns();
      node->schema.columns.push_back({"event_time", Type::Timestamp(), false, true});
    }
    return FinishScan(node, *table, span);
  }
  const SourcePlan plan = table->connector->PlanSource(table->spec);
  node->schema.changelog = plan.changelog || (table->spec.format && table->spec.format->changelog);
  node->schema.bounded = plan.bounded;
  if (node->schema.changelog) {
    node->schema.key = table->spec.primary_key;
    return FinishScan(node, *table, span);
  }
  if (table->event_time.empty() && table->watermark_field.empty()) {
    node->schema.default_row_time = true;
    if (plan.emits == SourcePlan::Emits::kRows && plan.default_event_time >= 0 &&
        plan.default_event_time < table->spec.columns.num_columns()) {
      node->schema.row_time = plan.default_event_time;  // one of the connector's visible columns
      return FinishScan(node, *table, span);
    }
    node->schema.row_time = node->schema.num_columns();
    node->schema.columns.push_back({"event_time", Type::Timestamp(), true, true});
  }
  return FinishScan(node, *table, span);
}

NodePtr Binder::ReadMemoryTable(const std::shared_ptr<TableDefinition>& table, SourceSpan span) {
  const std::string key = FoldName(table->name);
  auto found = memory_.find(key);
  if (found == memory_.end()) {
    throw UserError(Reason::kMemoryTableUnwritten, span,
                    "nothing is inserted into table '" + table->name + "' before it is read")
        .Hint("INSERT INTO " + table->name + " first, or give it WITH (connector = …)");
  }
  return found->second;
}

NodePtr Binder::ReadTable(const std::shared_ptr<TableDefinition>& table, SourceSpan span) {
  const std::string key = FoldName(table->name);
  if (table->role == TableRole::kMemory && !table->test_input) return ReadMemoryTable(table, span);
  if (table->role == TableRole::kSink) {
    throw UserError(Reason::kReadFromSink, span, "table '" + table->name + "' is a sink and cannot be read")
        .Hint("declare a second table over the same data with type = 'source'");
  }
  if (table->role == TableRole::kLookup) {
    throw UserError(Reason::kUnsupported, span, "lookup tables are not supported yet");
  }
  if (!table->test_input && !table->connector->info().source) {
    throw UserError(Reason::kReadFromSink, span,
                    "connector " + table->connector->info().id + " cannot be read from");
  }
  if (table->spec.format && table->spec.format->changelog && table->spec.primary_key.empty()) {
    throw UserError(Reason::kDebeziumNeedsPrimaryKey, table->span, "a source of changes needs a PRIMARY KEY")
        .Hint("declare it, e.g. id BIGINT PRIMARY KEY");
  }
  if (table->role != TableRole::kMemory) table->role = TableRole::kSource;
  NodePtr& scan = scans_[key];
  if (!scan) scan = MakeScan(table, span);
  return scan;
}

Binder::TableDeclaration Binder::OverlaidDeclaration(const TableRef& ref) {
  TableDeclaration declaration;
  if (auto known = declarations_.find(FoldName(ref.name.text)); known != declarations_.end()) {
    declaration = known->second;
    declaration.overlaid = true;
  }
  declaration.name = ref.name;
  declaration.span = ref.name.span;
  declaration.has_options = true;
  if (!declaration.overlaid || !ref.columns.empty()) {
    declaration.has_columns = !ref.columns.empty();
    declaration.columns = &ref.columns;
    declaration.primary_key.clear();
  }
  for (const OptionAssignment& option : ref.options) {
    const bool connector = FoldName(option.name) == "connector";
    for (const OptionAssignment& before : declaration.options) {
      if (!connector || !declaration.overlaid || FoldName(before.name) != "connector") continue;
      if (options_.connectors->Find(before.value) == options_.connectors->Find(option.value)) continue;
      throw UserError(Reason::kBadOption, option.value_span,
                      "table '" + ref.name.text + "' has connector '" + before.value +
                          "', which options behind FROM cannot change")
          .Hint("give it another name");
    }
    declaration.options.push_back(option);
  }
  return declaration;
}

BoundRelation Binder::BindTable(const TableRef& ref) {
  BoundRelation out;
  ScopeRelation relation;
  switch (ref.kind) {
    case sql::TableKind::kJoin:
      throw UserError(Reason::kUnsupported, ref.span, "a join is not allowed here");
    case sql::TableKind::kUnnest: {
      throw UserError(Reason::kUnsupported, ref.span, "UNNEST needs a table to its left")
          .Hint("write FROM t CROSS JOIN UNNEST(t.items) AS u(x)");
    }
    case sql::TableKind::kWindow:
      return BindWindowTable(ref);
    case sql::TableKind::kQuery:
    case sql::TableKind::kValues: {
      out = BindQuery(*ref.query);
      if (!ref.column_aliases.empty()) RenameColumns(out, ref.column_aliases, ref.span);
      if (ref.alias) relation.alias = *ref.alias;
      relation.count = out.node->schema.num_columns();
      out.relations = {relation};
      return out;
    }
    case sql::TableKind::kNamed:
      break;
  }
  if (!ref.qualifier.empty()) {
    throw UserError(Reason::kUnknownTable, ref.qualifier[0].span, "no schema '" + ref.qualifier[0].text + "'")
        .Hint("tables of a script have plain names");
  }
  if (ref.as_of)
    throw UserError(Reason::kUnsupported, ref.as_of->span, "FOR SYSTEM_TIME AS OF is not supported yet");
  const std::string name = FoldName(ref.name.text);
  relation.alias = ref.alias ? *ref.alias : ref.name;
  bool found = false;
  for (auto scope = ctes_.rbegin(); scope != ctes_.rend() && !found; ++scope) {
    if (auto cte = scope->find(name); cte != scope->end() && !ref.has_options) {
      out = cte->second;
      found = true;
    }
  }
  if (!found && !ref.has_options) {
    if (auto view = views_.find(name); view != views_.end()) {
      out.node = view->second;
      found = true;
    } else if (auto table = FindTable(name)) {
      out.node = ReadTable(table, ref.name.span);
      relation.open = table->open;
      found = true;
    }
  }
  if (!found && ref.has_options) {
    TableDeclaration declaration = OverlaidDeclaration(ref);
    if (ref.watermark_column) declaration.watermark_column = &*ref.watermark_column;
    if (ref.watermark_column) declaration.watermark_expr = ref.watermark_expr.get();
    declaration.role = TableRole::kSource;
    auto table = DefineTable(declaration);
    table->role = TableRole::kSource;
    // Not shared: its options hold for this place only.
    out.node = MakeScan(table, ref.name.span);
    relation.open = table->open;
    found = true;
  }
  if (!found) {
    std::vector<std::string> names = TableNames();
    for (const auto& view : Keys(views_)) names.push_back(view);
    for (const auto& scope : ctes_) {
      for (const auto& cte : Keys(scope)) names.push_back(cte);
    }
    uses_failed_name_ = failed_names_.count(name) > 0;
    UserError error(Reason::kUnknownTable, ref.name.span, "no table '" + ref.name.text + "'");
    const std::string nearest = NearestName(ref.name.text, names);
    throw error.Hint(nearest.empty()
                         ? "declare it with CREATE TABLE " + ref.name.text + " (…) WITH (connector = …)"
                         : "did you mean '" + nearest + "'?");
  }
  if (!ref.column_aliases.empty()) {
    out.relations = {ScopeRelation{}};
    RenameColumns(out, ref.column_aliases, ref.span);
  }
  relation.count = out.node->schema.num_columns();
  out.relations = {relation};
  return out;
}

// ---- writing
// ----------------------------------------------------------------------------------------------------

void Binder::BindInsert(Statement& statement) {
  const std::shared_ptr<TableDefinition> found = FindTable(FoldName(statement.name.text));
  if (!found) {
    if (views_.count(FoldName(statement.name.text)))
      throw UserError(Reason::kWriteToSource, statement.name.span,
                      "'" + statement.name.text + "' is a view and cannot be written");
    uses_failed_name_ = failed_names_.count(FoldName(statement.name.text)) > 0;
    UserError error(Reason::kUnknownTable, statement.name.span, "no table '" + statement.name.text + "'");
    const std::string nearest = NearestName(statement.name.text, TableNames());
    throw error.Hint(nearest.empty() ? "declare it with CREATE TABLE" : "did you mean '" + nearest + "'?");
  }
  BoundRelation bound = BindQuery(*statement.query);
  AddOutput(bound.node, found, statement.column_list, statement.name.span);
}

NodePtr Binder::MatchColumns(NodePtr input, const TableDefinition& table,
                             const std::vector<Identifier>& columns, SourceSpan span) {
  const PlanSchema& in = input->schema;
  std::vector<int> visible;
  for (int i = 0; i < in.num_columns(); ++i) {
    if (!in.columns[i].hidden) visible.push_back(i);
  }
  std::vector<int> target;
  if (columns.empty()) {
    if (static_cast<int>(visible.size()) != table.spec.columns.num_columns()) {
      throw UserError(Reason::kSchemaMismatch, span,
                      "the query has " + std::to_string(visible.size()) + " columns, table '" + table.name +
                          "' has " + std::to_string(table.spec.columns.num_columns()))
          .Hint("columns of the table: " + table.spec.columns.ToString());
    }
    for (int i = 0; i < table.spec.columns.num_columns(); ++i) target.push_back(i);
  } else {
    if (columns.size() != visible.size()) {
      throw UserError(Reason::kSchemaMismatch, span,
                      "the column list has " + std::to_string(columns.size()) + " names, the query " +
                          std::to_string(visible.size()) + " columns");
    }
    for (const Identifier& name : columns) {
      const int index = table.spec.columns.IndexOf(name.text);
      if (index < 0)
        throw UserError(Reason::kUnknownColumn, name.span,
                        "no column '" + name.text + "' in table '" + table.name + "'");
      if (std::find(target.begin(), target.end(), index) != target.end())
        throw UserError(Reason::kDuplicateName, name.span, "column '" + name.text + "' is named twice");
      target.push_back(index);
    }
  }
  std::vector<ExpressionPtr> exprs, checks;
  std::vector<std::string> names;
  for (int i = 0; i < table.spec.columns.num_columns(); ++i) {
    const Field& field = table.spec.columns.fields[i];
    names.push_back(field.name);
    const auto at = std::find(target.begin(), target.end(), i);
    if (at == target.end()) {
      if (!field.nullable)
        throw UserError(Reason::kSchemaMismatch, span,
                        "column '" + field.name + "' of '" + table.name + "' is NOT NULL and gets no value");
      exprs.push_back(MakeNull(field.type));
      continue;
    }
    const PlanColumn& source = in.columns[visible[at - target.begin()]];
    ExpressionPtr value = MakeColumn(visible[at - target.begin()], source.name, source.type);
    const Type& to = field.type;
    const bool number_to_integer =
        (source.type.is_floating() || source.type.id() == TypeId::kDecimal) && to.is_integer();
    const bool allowed =
        source.type == to || ImplicitlyCastable(source.type, to) || to.id() == TypeId::kText ||
        (source.type.is_numeric() && to.is_numeric()) || source.type.id() == TypeId::kJson ||
        (source.type.is_temporal() && to.is_temporal() && CanCast(source.type, to)) ||
        (source.type.is_nested() && CanCast(source.type, to)) ||
        (source.type.id() == TypeId::kText && AreTextLiteralsOf(to, *input, visible[at - target.begin()]));
    if (!allowed || !CanCast(source.type, to)) {
      throw UserError(Reason::kTypeError, span,
                      "column '" + source.name + "' is " + source.type.ToString() + ", column '" +
                          field.name + "' of '" + table.name + "' is " + to.ToString())
          .Hint("cast it in the SELECT list");
    }
    if (number_to_integer)
      Warn("TRUNCATED", span,
           "column '" + source.name + "' is " + source.type.ToString() + " and is cut to " + to.ToString());
    // A primary key may be NULL: that of an updating query is its group key.
    if (!field.nullable && source.nullable && !Contains(table.spec.primary_key, i)) {
      const std::string text =
          "column '" + field.name + "' of '" + table.name + "' is NOT NULL and would get a NULL";
      checks.push_back(Call("assert_not_null", {value, MakeText(text)}, span));
    }
    exprs.push_back(CastTo(std::move(value), to, span));
  }
  if (!checks.empty()) input = MakeFilter(input, JoinConjuncts(checks), span);
  return MakeProject(input, std::move(exprs), std::move(names), span);
}

void Binder::AddOutput(NodePtr input, std::shared_ptr<TableDefinition> table,
                       const std::vector<Identifier>& columns, SourceSpan span) {
  if (!table) {  // the preview: names must be unique
    std::map<std::string, int> used;
    auto copy = std::make_shared<LogicalNode>(*input);
    bool renamed = false;
    for (PlanColumn& column : copy->schema.columns) {
      if (column.hidden) continue;
      const std::string base = column.name;
      for (int n = 1; used.count(column.name); ++n) {
        column.name = base + "_" + std::to_string(n);
        renamed = true;
      }
      used[column.name] = 1;
    }
    auto sink = MakeNode(NodeKind::kSink, {renamed ? NodePtr(copy) : input}, span);
    sink->schema = sink->inputs[0]->schema;
    script_.outputs.push_back({sink, nullptr});
    return;
  }
  if (table->role == TableRole::kMemory) {
    const std::string key = FoldName(table->name);
    if (memory_.count(key))
      throw UserError(Reason::kMemoryTableTwice, span, "table '" + table->name + "' is written twice")
          .Hint("combine the two with UNION ALL");
    NodePtr node = MatchColumns(input, *table, columns, span);
    if (!table->computed.empty() || !table->event_time.empty()) node = FinishScan(node, *table, span);
    memory_[key] = node;
    return;
  }
  if (table->role == TableRole::kSource || table->role == TableRole::kLookup) {
    throw UserError(Reason::kWriteToSource, span,
                    "table '" + table->name + "' is a " + RoleName(*table->role) + " and cannot be written")
        .Hint("declare a second table with type = 'sink'");
  }
  if (!table->connector->info().sink)
    throw UserError(Reason::kWriteToSource, span,
                    "connector " + table->connector->info().id + " cannot be written to");
  table->role = TableRole::kSink;
  if (!table->computed.empty())
    throw UserError(Reason::kSchemaMismatch, table->computed[0].span, "a sink cannot have computed columns");
  if (!table->metadata.empty())
    throw UserError(Reason::kMetadataUnknown, span, "metadata columns cannot be written")
        .Hint("remove '" + table->metadata[0].name + "' from the sink");
  if (table->order.empty()) {  // takes names and types of the query
    table->schema_from_insert = true;
    std::set<std::string> seen;
    for (const PlanColumn& column : input->schema.columns) {
      if (column.hidden) continue;
      const auto position = static_cast<size_t>(table->spec.columns.num_columns());
      // The names of a column list count; MatchColumns tells if there are too few or too many.
      const std::string& name = position < columns.size() ? columns[position].text : column.name;
      if (!seen.insert(name).second) {
        throw UserError(Reason::kDuplicateName, span,
                        columns.empty() ? "the query has two columns '" + name + "'"
                                        : "column '" + name + "' is named twice")
            .Hint("give one an alias");
      }
      const Type type = column.type.is_null() ? Type::Text() : column.type;
      table->order.push_back({0, table->spec.columns.num_columns()});
      table->spec.columns.fields.push_back({name, type, true});
    }
  }
  NodePtr node = MatchColumns(input, *table, columns, span);
  const ConnectorInfo& info = table->connector->info();
  if (node->schema.changelog && table->spec.format && !info.updating_format.empty() &&
      table->spec.format == options_.formats->Find(info.default_format)) {
    table->spec.format = options_.formats->Find(info.updating_format);
  }
  const bool format_takes = table->spec.format && table->spec.format->changelog;
  if (node->schema.changelog) {
    const SinkPlan plan = table->connector->PlanSink(table->spec);
    const bool takes = plan.takes == SinkPlan::Takes::kRows ? plan.changelog : format_takes || plan.changelog;
    if (!takes) {
      throw UserError(
          Reason::kUpdatingIntoAppendSink, span,
          "the query updates rows that it has sent before, sink '" + table->name + "' can only append")
          .Hint("use format = 'debezium_json', or aggregate in a window");
    }
  }
  const bool key_is_written = std::all_of(node->schema.key.begin(), node->schema.key.end(),
                                          [&](int key) { return key < table->spec.columns.num_columns(); });
  if (format_takes && table->spec.primary_key.empty() && !node->schema.key.empty() && key_is_written) {
    // A sink without a primary key takes the query's.
    table->spec.primary_key = node->schema.key;
    table->spec.format_spec.primary_key = node->schema.key;
  }
  if (node->schema.row_time >= 0)
    table->spec.event_time_column =
        node->schema.row_time < table->spec.columns.num_columns() ? node->schema.row_time : -1;
  auto sink = MakeNode(NodeKind::kSink, {node}, span);
  sink->schema = node->schema;
  sink->table = table;
  script_.outputs.push_back({sink, table});
}

void Binder::MergeOutputs() {
  std::vector<BoundOutput> merged;
  std::map<const TableDefinition*, std::vector<NodePtr>> inputs;
  for (BoundOutput& output : script_.outputs) {
    if (output.table) {
      std::vector<NodePtr>& all = inputs[output.table.get()];
      all.push_back(output.node->inputs[0]);
      if (all.size() > 1) continue;
    }
    merged.push_back(std::move(output));
  }
  for (BoundOutput& output : merged) {
    if (!output.table || inputs[output.table.get()].size() == 1) continue;
    auto all = MakeNode(NodeKind::kUnion, {}, output.node->span);
    PlanSchema& schema = all->schema;
    for (const NodePtr& input : inputs[output.table.get()]) {
      auto project = MakeNode(NodeKind::kProject, {input}, input->span);
      const PlanSchema& in = input->schema;
      for (int i = 0; i < in.num_columns(); ++i) {
        if (in.columns[i].hidden) continue;
        project->exprs.push_back(ColumnOf(in, i));
        project->schema.columns.push_back(in.columns[i]);
      }
      const int row_time = in.row_time < project->schema.num_columns() ? in.row_time : -1;
      project->schema.row_time = row_time;
      project->schema.changelog = in.changelog;
      project->schema.bounded = in.bounded;
      if (all->inputs.empty()) {
        schema = project->schema;
        schema.key = in.key;
        for (int key : in.key) {
          if (key >= schema.num_columns()) schema.key.clear();
        }
      }
      if (schema.row_time != row_time) schema.row_time = -1;
      if (schema.key != in.key) schema.key.clear();
      schema.changelog = schema.changelog || in.changelog;
      schema.bounded = schema.bounded && in.bounded;
      all->inputs.push_back(project);
    }
    auto sink = std::make_shared<LogicalNode>(*output.node);
    sink->inputs = {all};
    sink->schema = schema;
    output.node = sink;
  }
  script_.outputs = std::move(merged);
}

void Binder::WarnUnboundedState() {
  if (script_.settings.updating_ttl_us > 0) return;
  std::set<const LogicalNode*> seen;
  std::function<void(const NodePtr&)> visit = [&](const NodePtr& node) {
    if (!seen.insert(node.get()).second) return;
    const bool keeps = node->kind == NodeKind::kAggregate || node->kind == NodeKind::kJoin ||
                       node->kind == NodeKind::kDistinct ||
                       (node->kind == NodeKind::kOver && !node->per_window && !node->partition_by.empty() &&
                        (node->frame.rows || !node->frame.preceding)) ||
                       (node->kind == NodeKind::kTopN && !node->per_window &&
                        (!node->partition_by.empty() || node->inputs[0]->schema.changelog));
    const bool global = node->kind == NodeKind::kAggregate && node->groups.empty();
    const bool bounded = node->inputs.empty() || node->schema.bounded;
    if (keeps && !global && !bounded) {
      std::string keys;
      auto add = [&](const ExpressionPtr& e) { keys += (keys.empty() ? "" : ", ") + e->ToString(); };
      for (const auto& e : node->groups) add(e);
      for (const auto& e : node->partition_by) add(e);
      for (const auto& k : node->keys) add(k.left);
      Warn("UNBOUNDED_STATE", node->span,
           std::string(NodeKindName(node->kind)) + " by " + (keys.empty() ? "whole row" : keys) +
               " keeps its state for ever; SET updating_ttl bounds it");
    }
    for (const NodePtr& input : node->inputs) visit(input);
  };
  for (const BoundOutput& output : script_.outputs) visit(output.node);
}

}  // namespace laminar::sql
