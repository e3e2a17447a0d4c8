#include "sql/physical.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>

#include <algorithm>
#include <set>

#include "base/arrow_result.h"
#include "connectors/options_reader.h"
#include "operators/decode.h"
#include "operators/encode.h"
#include "operators/last_rows.h"
#include "operators/limit.h"
#include "operators/unnest.h"
#include "operators/values_source.h"
#include "operators/watermark_generator.h"
#include "runtime/rate_limited_source.h"
#include "sql/catalog.h"

namespace laminar::sql {

namespace {

std::vector<ExpressionPtr> AllColumns(const Schema& schema) {
  std::vector<ExpressionPtr> out;
  for (int i = 0; i < schema.num_columns(); ++i)
    out.push_back(MakeColumn(i, schema.fields[i].name, schema.fields[i].type));
  return out;
}

Schema SchemaOf(const std::vector<ExpressionPtr>& exprs, const std::vector<std::string>& names) {
  Schema out;
  for (size_t i = 0; i < exprs.size(); ++i) out.fields.push_back({names[i], exprs[i]->type(), true});
  return out;
}

BadDataPolicy PolicyOf(BadData bad) {
  switch (bad) {
    case BadData::kFail:
      return BadDataPolicy::kFail;
    case BadData::kDrop:
      return BadDataPolicy::kDrop;
    case BadData::kDeadLetter:
      return BadDataPolicy::kDeadLetter;
  }
  return BadDataPolicy::kFail;
}

int64_t CountRows(const Batch& batch) { return batch.num_rows; }

/// Rows in blocks of whole lines, about: a newline inside quotes counts as one.
int64_t CountLines(const Batch& batch) {
  int64_t lines = 0;
  const auto& blocks = static_cast<const arrow::BinaryArray&>(*batch.columns[0]);
  for (int64_t row = 0; row < blocks.length(); ++row) {
    const std::string_view block = blocks.GetView(row);
    lines += std::count(block.begin(), block.end(), '\n') + (block.empty() || block.back() == '\n' ? 0 : 1);
  }
  return lines;
}

}  // namespace

JobGraph MakeJobGraph(const PlannedScript& script, const PhysicalOptions& options) {
  return PhysicalPlanner(script, options).Run();
}

JobGraph PhysicalPlanner::Run() {
  std::set<const LogicalNode*> seen;
  std::function<void(const NodePtr&)> count = [&](const NodePtr& node) {
    ++parents_[node.get()];
    if (!seen.insert(node.get()).second) return;
    for (const NodePtr& input : node->inputs) count(input);
  };
  for (const BoundOutput& output : script_.outputs) count(output.node);
  for (const auto& [statement, node] : script_.explains) count(node);
  for (const BoundOutput& output : script_.outputs) BuildSink(*output.node);
  for (const auto& [statement, node] : script_.explains) BuildSink(*node);
  BuildDeadLetterSinks();
  AssignOperatorIds();
  return std::move(graph_);
}

int PhysicalPlanner::AddNode(const std::string& name, int parallelism, bool keeps_state) {
  GraphNode node;
  node.id = static_cast<int>(graph_.nodes.size());
  node.name = name;
  node.parallelism = parallelism;
  if (building_ != nullptr) {
    node.span = building_->span;
    const PlanSchema& rows = building_->schema;
    node.updating = rows.changelog;
    if (rows.row_time >= 0) node.time = rows.columns[static_cast<size_t>(rows.row_time)].name;
    if (keeps_state) node.state = StateNoteOf(*building_, script_.settings);
  } else {
    node.span = sink_span_;
  }
  if (keeps_state) keeps_state_.insert(node.id);
  graph_.nodes.push_back(std::move(node));
  return graph_.nodes.back().id;
}

int PhysicalPlanner::ParallelismFor(const Stream& input, const std::optional<std::vector<int>>& keys) const {
  if (!keys) return input.parallelism;
  return keys->empty() ? 1 : options_.parallelism;
}

void PhysicalPlanner::Connect(const Stream& from, int to, int input,
                              const std::optional<std::vector<int>>& keys, int output) {
  LAMINAR_CHECK(!from.pending, "a pending projection must be materialized first");
  GraphEdge edge;
  edge.from = from.node;
  edge.to = to;
  edge.input = input;
  edge.output = output;
  if (output == 0) edge.columns = from.columns;
  const int target = graph_.nodes[to].parallelism;
  if (!keys) {
    edge.partitioning = from.parallelism == target ? Partitioning::kForward
                        : target == 1              ? Partitioning::kGather
                                                   : Partitioning::kRebalance;
  } else if (target == 1) {
    edge.partitioning = from.parallelism == 1 ? Partitioning::kForward : Partitioning::kGather;
  } else {
    edge.partitioning = Partitioning::kHash;
    edge.key_columns = *keys;
  }
  graph_.edges.push_back(std::move(edge));
}

PhysicalPlanner::Stream PhysicalPlanner::AddOperator(const Stream& input,
                                                     const std::optional<std::vector<int>>& keys,
                                                     const std::string& name, SourceSpan span,
                                                     std::function<std::unique_ptr<Operator>()> make,
                                                     Schema columns) {
  const Stream ready = Materialize(input);
  Stream out;
  out.parallelism = ParallelismFor(ready, keys);
  out.node = AddNode(name, out.parallelism, keys.has_value());
  out.columns = std::move(columns);
  out.span = span;
  graph_.nodes[out.node].make_operator = std::move(make);
  Connect(ready, out.node, 0, keys);
  return out;
}

PhysicalPlanner::Stream PhysicalPlanner::Apply(Stream input, ProjectFilterOptions what, Schema columns) {
  if (input.pending) {
    if (auto fused = Fuse(*input.pending, what)) {
      input.pending = std::move(fused);
      input.columns = std::move(columns);
      return input;
    }
    input = Materialize(std::move(input));
  }
  input.pending = std::move(what);
  input.columns = std::move(columns);
  return input;
}

PhysicalPlanner::Stream PhysicalPlanner::Materialize(Stream input) {
  if (!input.pending) return input;
  auto options = std::make_shared<ProjectFilterOptions>(std::move(*input.pending));
  input.pending.reset();
  std::string name = options->filter ? "filter(" + options->filter->ToString() + ")" : "project";
  Stream out;
  out.parallelism = input.parallelism;
  out.columns = input.columns;
  out.span = input.span;
  out.node = AddNode(name, out.parallelism, false);
  graph_.nodes[out.node].make_operator = [options] { return MakeProjectFilter(*options); };
  Connect(input, out.node, 0, std::nullopt);
  return out;
}

PhysicalPlanner::Stream PhysicalPlanner::WithColumns(Stream input, const std::vector<ExpressionPtr>& exprs,
                                                     std::vector<int>* indices) {
  std::vector<ExpressionPtr> columns = AllColumns(input.columns);
  Schema schema = input.columns;
  std::map<std::string, int> known;
  indices->clear();
  bool added = false;
  for (const ExpressionPtr& expr : exprs) {
    if (const auto* column = dynamic_cast<const ColumnExpression*>(expr.get())) {
      indices->push_back(column->index());
      continue;
    }
    const auto [found, fresh] = known.emplace(expr->ToString(), schema.num_columns());
    if (fresh) {
      columns.push_back(expr);
      schema.fields.push_back({expr->ToString(), expr->type(), true});
      added = true;
    }
    indices->push_back(found->second);
  }
  if (!added) return input;
  return Apply(std::move(input), {nullptr, std::move(columns)}, std::move(schema));
}

PhysicalPlanner::Stream PhysicalPlanner::FirstColumns(Stream input, int count) {
  if (input.columns.num_columns() == count) return input;
  Schema schema;
  schema.fields.assign(input.columns.fields.begin(), input.columns.fields.begin() + count);
  auto columns = AllColumns(schema);
  return Apply(std::move(input), {nullptr, std::move(columns)}, std::move(schema));
}

PhysicalPlanner::Stream PhysicalPlanner::Build(const NodePtr& node) {
  if (auto found = built_.find(node.get()); found != built_.end()) return found->second;
  Stream stream;
  const LogicalNode* outer = std::exchange(building_, node.get());
  try {
    stream = BuildNode(*node);
  } catch (UserError& error) {
    throw error.At(node->table ? node->table->span : node->span);
  }
  if (parents_[node.get()] > 1) stream = Materialize(std::move(stream));
  building_ = outer;
  built_[node.get()] = stream;
  return stream;
}

PhysicalPlanner::Stream PhysicalPlanner::BuildNode(const LogicalNode& node) {
  switch (node.kind) {
    case NodeKind::kScan:
      return node.table->test_input ? BuildTestInput(node) : BuildScan(node);
    case NodeKind::kValues:
      return BuildValues(node);
    case NodeKind::kProject:
      return Apply(Build(node.inputs[0]), {nullptr, node.exprs}, node.schema.ToSchema());
    case NodeKind::kFilter: {
      Stream input = Build(node.inputs[0]);
      return Apply(std::move(input), {node.predicate, std::nullopt}, node.schema.ToSchema());
    }
    case NodeKind::kUnnest:
      return BuildUnnest(node);
    case NodeKind::kUnion:
      return BuildUnion(node);
    case NodeKind::kWatermark:
      return BuildWatermark(node);
    case NodeKind::kWindowAssign:
      return BuildWindowAssign(node);
    case NodeKind::kAggregate:
    case NodeKind::kWindowAggregate:
      return BuildAggregate(node);
    case NodeKind::kDistinct:
      return BuildDistinct(node);
    case NodeKind::kJoin:
    case NodeKind::kIntervalJoin:
    case NodeKind::kWindowJoin:
      return BuildJoin(node);
    case NodeKind::kOver:
      return BuildOver(node);
    case NodeKind::kTopN:
      return BuildTopN(node);
    case NodeKind::kSort:
      return BuildSort(node);
    case NodeKind::kLimit:
      return BuildLimit(node);
    case NodeKind::kSink:
      break;
  }
  LAMINAR_CHECK(false, "a sink inside a plan");
  return {};
}

// ---- sources
// ----------------------------------------------------------------------------------------------------

PhysicalPlanner::Stream PhysicalPlanner::BuildTestInput(const LogicalNode& node) {
  const Schema columns = node.schema.ToSchema();
  Stream out;
  out.parallelism = 1;
  out.node = AddNode("input(" + node.table->name + ")", 1, true);
  out.columns = columns;
  auto make = options_.test_input;
  const std::string name = node.table->name;
  graph_.nodes[out.node].make_source = [make, name, columns] { return make(name, columns); };
  return out;
}

PhysicalPlanner::Stream PhysicalPlanner::BuildValues(const LogicalNode& node) {
  Batch batch;
  batch.num_rows = static_cast<int64_t>(node.rows.size());
  const EvalContext context;
  Batch one;
  one.num_rows = 1;
  const Schema columns = node.schema.ToSchema();
  for (int c = 0; c < columns.num_columns(); ++c) {
    arrow::ArrayVector cells;
    try {
      for (const auto& row : node.rows) cells.push_back(EvaluateToArray(*row[c], one, context));
    } catch (const QueryError& error) {
      throw UserError(Reason::kTypeError, node.span, error.what());
    }
    batch.columns.push_back(OrThrow(arrow::Concatenate(cells), "VALUES"));
  }
  Stream out;
  out.node = AddNode("values(" + std::to_string(node.rows.size()) + " rows)", 1, true);
  out.columns = columns;
  out.span = node.span;
  graph_.nodes[out.node].make_source = [batch] { return MakeValuesSource(batch); };
  return out;
}

PhysicalPlanner::Stream PhysicalPlanner::BuildScan(const LogicalNode& node) {
  const TableDefinition& table = *node.table;
  // The columns that the plan reads, in the order of the scan: physical, metadata, then the default event
  // time.
  TableSpec spec = table.spec;
  Schema physical;
  std::vector<const MetadataReference*> metadata;
  bool event_time = false;
  for (const PlanColumn& column : node.schema.columns) {
    if (column.hidden) {
      event_time = true;
      continue;
    }
    auto is = [&](const MetadataReference& m) { return m.name == column.name; };
    if (auto found = std::find_if(table.metadata.begin(), table.metadata.end(), is);
        found != table.metadata.end()) {
      metadata.push_back(&*found);
    } else {
      physical.fields.push_back({column.name, column.type, column.nullable});
    }
  }
  spec.metadata_keys.clear();
  for (const MetadataReference* m : metadata) spec.metadata_keys.push_back(m->key);
  spec.columns = physical;
  const SourcePlan plan = table.connector->PlanSource(spec);

  Stream out;
  out.span = node.span;
  out.parallelism =
      plan.parallelism_max > 0 ? std::min(plan.parallelism_max, options_.parallelism) : options_.parallelism;
  out.node = AddNode("source(" + table.name + ")", out.parallelism, true);
  graph_.nodes[out.node].make_source = plan.make;
  if (table.rate_limit > 0) {
    const bool lines =
        plan.emits == SourcePlan::Emits::kRecords && spec.format_spec.framing == FramingMethod::kNewline;
    graph_.nodes[out.node].make_source = [make = plan.make, rate = table.rate_limit, lines] {
      return MakeRateLimitedSource(make(), rate, lines ? CountLines : CountRows);
    };
  }

  std::vector<ExpressionPtr> exprs;
  std::vector<std::string> names;
  int time_column = plan.default_event_time;
  Schema raw;
  if (plan.emits == SourcePlan::Emits::kRecords) {
    const Format* format = spec.format;
    if (!format || !format->make_decoder)
      throw UserError(Reason::kBadOption, table.span,
                      "table '" + table.name + "' needs a format that can be read")
          .Hint("add format = 'json'");
    auto format_spec = std::make_shared<FormatSpec>(spec.format_spec);
    for (int& key : format_spec->primary_key) key = physical.IndexOf(table.spec.columns.fields[key].name);
    std::erase(format_spec->primary_key, -1);
    format_spec->table_columns = table.spec.columns;
    format->make_decoder(*format_spec, physical);  // checks the options
    if (auto unused = UnusedFormatOptions(*format_spec, *format); !unused.empty()) throw unused[0];
    DecodeOptions decode;
    decode.make_decoder = [format, format_spec, physical] {
      return format->make_decoder(*format_spec, physical);
    };
    decode.bad_data = PolicyOf(table.bad_data);
    decode.source_name = table.name;
    // One reader, many decoders, unless the format needs its records in order.
    const bool spread = plan.spread_decoding && !format->order_dependent && !format->changelog;
    Stream decoded;
    decoded.span = node.span;
    decoded.parallelism = spread ? options_.parallelism : out.parallelism;
    decoded.node =
        AddNode("decode(" + format->names[0] + ", " + table.name + ")", decoded.parallelism, false);
    graph_.nodes[decoded.node].make_operator = [decode] { return MakeDecode(decode); };
    Connect(out, decoded.node, 0, std::nullopt);
    out = decoded;
    raw = physical;
    for (const MetadataReference* m : metadata) {
      Type type = m->type;
      for (const MetadataColumn& known : table.connector->info().metadata) {
        if (known.key == m->key) type = known.type;
      }
      raw.fields.push_back({m->name, type, true});
    }
    if (time_column >= 0) {
      time_column = raw.num_columns();
      raw.fields.push_back({"event_time", Type::Timestamp(), true});
    }
    if (table.bad_data == BadData::kDeadLetter) AddDeadLetters(out, table);
    if (format->changelog) {  // its changes may lack the old row
      LastRowsOptions last{raw, format_spec->primary_key};
      out.columns = raw;
      out = AddOperator(
          std::move(out), last.keys, "last_rows(" + table.name + ")", node.span,
          [last] { return MakeLastRows(last); }, raw);
      StateNote& state = graph_.nodes[static_cast<size_t>(out.node)].state;
      state = {"last row of each key", {}, 0, "for ever"};
      for (const int key : last.keys) state.key.push_back(raw.fields[static_cast<size_t>(key)].name);
    }
  } else {
    raw = plan.schema;
  }
  for (size_t i = 0; i < physical.fields.size(); ++i) {
    exprs.push_back(MakeColumn(static_cast<int>(i), physical.fields[i].name, physical.fields[i].type));
    names.push_back(physical.fields[i].name);
  }
  for (size_t i = 0; i < metadata.size(); ++i) {
    const int index = physical.num_columns() + static_cast<int>(i);
    exprs.push_back(
        MakeCast(MakeColumn(index, metadata[i]->name, raw.fields[index].type), metadata[i]->type));
    names.push_back(metadata[i]->name);
  }
  if (event_time) {
    exprs.push_back(time_column >= 0 ? MakeCast(MakeColumn(time_column, "event_time", Type::Timestamp()),
                                                Type::Timestamp())
                                     : options_.functions->BindScalar("now", {}));
    names.push_back("event_time");
  }
  out.columns = raw;
  const bool as_is = !event_time ? raw.num_columns() == static_cast<int>(exprs.size())
                                 : time_column == static_cast<int>(exprs.size()) - 1 &&
                                       raw.num_columns() == static_cast<int>(exprs.size());
  if (as_is) return out;
  Schema columns = SchemaOf(exprs, names);
  return Apply(std::move(out), {nullptr, std::move(exprs)}, std::move(columns));
}

PhysicalPlanner::Stream PhysicalPlanner::BuildWatermark(const LogicalNode& node) {
  Stream input = Materialize(Build(node.inputs[0]));
  WatermarkOptions options;
  options.time_column = node.time_column;
  options.watermark = node.watermark;
  options.delay_us = node.delay_us;
  std::function<const TableDefinition*(const LogicalNode&)> find =
      [&](const LogicalNode& n) -> const TableDefinition* {
    return n.table ? n.table.get() : n.inputs.size() == 1 ? find(*n.inputs[0]) : nullptr;
  };
  if (const TableDefinition* table = find(node)) {
    options.idle_time_us = table->idle_time_us;
    options.bad_data = PolicyOf(table->bad_data);
    options.source_name = table->name;
  }
  const std::string name = "watermark(" + node.schema.columns[node.time_column].name + ")";
  Stream out = AddOperator(
      input, std::nullopt, name, node.span, [options] { return MakeWatermarkGenerator(options); },
      input.columns);
  if (!options.watermark) graph_.nodes[static_cast<size_t>(out.node)].watermark_delay_us = options.delay_us;
  if (const TableDefinition* table = find(node); table && table->bad_data == BadData::kDeadLetter)
    AddDeadLetters(out, *table);
  return out;
}

void PhysicalPlanner::AddDeadLetters(Stream from, const TableDefinition& table) {
  from.columns = DeadLetterSchema();
  dead_letters_[table.dead_letter_table.get()].push_back(std::move(from));
}

void PhysicalPlanner::BuildDeadLetterSinks() {
  for (const auto& [table, streams] : dead_letters_) {
    sink_span_ = graph_.nodes[static_cast<size_t>(streams.at(0).node)].span;
    const Schema letters = DeadLetterSchema();
    Stream all;
    all.parallelism = 1;
    all.node = AddNode("dead_letters(" + table->name + ")", 1, false);
    all.columns = letters;
    graph_.nodes[all.node].make_operator = [] { return MakeProjectFilter({}); };
    for (const Stream& stream : streams) Connect(stream, all.node, 0, std::vector<int>{}, kDeadLetterOutput);
    std::vector<ExpressionPtr> exprs;
    std::vector<std::string> names;
    for (const Field& field : table->spec.columns.fields) {
      const int index = letters.IndexOf(field.name);
      exprs.push_back(index < 0
                          ? MakeNull(field.type)
                          : MakeCast(MakeColumn(index, field.name, letters.fields[index].type), field.type));
      names.push_back(field.name);
    }
    Schema columns = SchemaOf(exprs, names);
    BuildTableSink(Apply(std::move(all), {nullptr, std::move(exprs)}, std::move(columns)), *table, false, {},
                   -1);
  }
}

// ---- without state
// ----------------------------------------------------------------------------------------------

PhysicalPlanner::Stream PhysicalPlanner::BuildUnion(const LogicalNode& node) {
  std::vector<Stream> inputs;
  int parallelism = 1;
  for (const NodePtr& input : node.inputs) {
    inputs.push_back(Materialize(Build(input)));
    parallelism = std::max(parallelism, inputs.back().parallelism);
  }
  Stream out;
  out.parallelism = parallelism;
  out.columns = node.schema.ToSchema();
  out.span = node.span;
  out.node = AddNode("union_all", parallelism, false);
  graph_.nodes[out.node].make_operator = [] { return MakeProjectFilter({}); };
  for (const Stream& input : inputs) {
    // Rows of one key must keep their order where they may be taken back: no spreading of a changelog.
    std::optional<std::vector<int>> keys;
    if (node.schema.changelog && input.parallelism != parallelism) {
      keys.emplace();
      for (int i = 0; i < out.columns.num_columns(); ++i) keys->push_back(i);
    }
    Connect(input, out.node, 0, keys);
  }
  return out;
}

PhysicalPlanner::Stream PhysicalPlanner::BuildUnnest(const LogicalNode& node) {
  Stream input = Build(node.inputs[0]);
  UnnestOptions options;
  for (int i = 0; i < input.columns.num_columns(); ++i) options.keep.push_back(i);
  std::vector<int> indices;
  input = WithColumns(std::move(input), {node.array}, &indices);
  options.column = indices[0];
  return AddOperator(
      input, std::nullopt, "unnest(" + node.array->ToString() + ")", node.span,
      [options] { return MakeUnnest(options); }, node.schema.ToSchema());
}

PhysicalPlanner::Stream PhysicalPlanner::BuildLimit(const LogicalNode& node) {
  LimitOptions options;
  if (node.limit >= 0) options.limit = node.limit;
  options.offset = node.offset;
  return AddOperator(
      Build(node.inputs[0]), std::vector<int>{}, "limit(" + std::to_string(node.limit) + ")", node.span,
      [options] { return MakeLimit(options); }, node.schema.ToSchema());
}

// ---- sinks
// ------------------------------------------------------------------------------------------------------

void PhysicalPlanner::BuildSink(const LogicalNode& node) {
  Stream input = Build(node.inputs[0]);
  sink_span_ = node.span.known() ? node.span : node.inputs[0]->span;
  const PlanSchema& schema = node.inputs[0]->schema;
  std::vector<ExpressionPtr> exprs;
  std::vector<std::string> names;
  std::vector<int> where(schema.columns.size(), -1);
  for (int i = 0; i < schema.num_columns(); ++i) {
    if (schema.columns[i].hidden) continue;
    where[i] = static_cast<int>(exprs.size());
    exprs.push_back(MakeColumn(i, schema.columns[i].name, schema.columns[i].type));
    names.push_back(schema.columns[i].name);
  }
  const size_t num_visible = exprs.size();
  std::vector<int> key;  // with columns of its own where the query does not show them
  for (int k : schema.key) {
    if (where[k] < 0) {
      where[k] = static_cast<int>(exprs.size());
      exprs.push_back(ColumnOf(schema, k));
      names.push_back("key");
    }
    key.push_back(where[k]);
  }
  if (schema.one_row) {
    key = {static_cast<int>(exprs.size())};
    exprs.push_back(MakeInt64(0));
    names.push_back("key");
  }
  if (exprs.size() != static_cast<size_t>(schema.num_columns()) || exprs.size() > num_visible) {
    Schema columns = SchemaOf(exprs, names);
    input = Apply(std::move(input), {nullptr, std::move(exprs)}, std::move(columns));
  }
  const bool writes = node.table && options_.capture != SinkCapture::kOnly;
  const bool captures = !node.table || options_.capture != SinkCapture::kNone;
  if (writes && captures) input = Materialize(std::move(input));
  if (writes) {
    BuildTableSink(captures ? input : std::move(input), *node.table, schema.changelog, key,
                   schema.row_time >= 0 ? where[schema.row_time] : -1);
  }
  if (captures) {
    Schema shown;
    for (const PlanColumn& column : schema.columns) {
      if (!column.hidden) shown.fields.push_back({column.name, column.type, column.nullable});
    }
    BuildPreview(std::move(input), shown, schema.changelog, key);
  }
}

void PhysicalPlanner::BuildTableSink(Stream input, const TableDefinition& table, bool changelog,
                                     std::vector<int> key, int row_time) {
  try {
    BuildSinkOf(table, std::move(input), changelog, std::move(key), row_time);
  } catch (UserError& error) {
    throw error.At(table.span);
  }
}

void PhysicalPlanner::BuildSinkOf(const TableDefinition& table, Stream input, bool changelog,
                                  std::vector<int> key, int row_time) {
  TableSpec spec = table.spec;
  spec.event_time_column = row_time;
  const SinkPlan plan = table.connector->PlanSink(spec);
  if (!spec.primary_key.empty()) key = spec.primary_key;
  if (key.empty()) {
    for (int i = 0; i < spec.columns.num_columns(); ++i) key.push_back(i);
  }
  if (plan.takes == SinkPlan::Takes::kRows) {
    const int width = spec.columns.num_columns();
    if (std::any_of(key.begin(), key.end(), [&](int k) { return k >= width; })) {  // not among its columns
      key.clear();
      for (int i = 0; i < width; ++i) key.push_back(i);
    }
    input = FirstColumns(std::move(input), width);
  }
  // Changes of one key must reach one subtask in order.
  std::optional<std::vector<int>> keys;
  if (changelog) keys = key;
  if (plan.takes == SinkPlan::Takes::kRecords) {
    const Format* format = spec.format;
    if (!format || !format->make_encoder)
      throw UserError(Reason::kBadOption, table.span,
                      "table '" + table.name + "' needs a format that can be written")
          .Hint("add format = 'json'");
    auto format_spec = std::make_shared<FormatSpec>(spec.format_spec);
    format_spec->primary_key = changelog ? key : spec.primary_key;
    const Schema columns = spec.columns;
    format->make_encoder(*format_spec, columns);  // checks the options
    if (auto unused = UnusedFormatOptions(*format_spec, *format); !unused.empty()) throw unused[0];
    EncodeOptions encode;
    encode.make_encoder = [format, format_spec, columns] {
      return format->make_encoder(*format_spec, columns);
    };
    encode.primary_key = format_spec->primary_key;
    encode.changelog = changelog;
    input = AddOperator(
        input, keys, "encode(" + format->names[0] + ")", table.span, [encode] { return MakeEncode(encode); },
        Schema{{{"record", Type::Bytes(), false}}});
    keys.reset();
  }
  const Stream ready = Materialize(std::move(input));
  const int parallelism = plan.parallelism_max > 0 ? std::min(plan.parallelism_max, options_.parallelism)
                          : keys                   ? options_.parallelism
                                                   : ready.parallelism;
  const int sink = AddNode("sink(" + table.name + ")", parallelism, true);
  graph_.nodes[sink].make_sink = plan.make;
  Connect(ready, sink, 0, keys);
}

void PhysicalPlanner::BuildPreview(Stream input, const Schema& columns, bool changelog,
                                   std::vector<int> key) {
  PreviewSink preview = options_.preview(columns, changelog, previews_++);
  if (!preview.format) input = FirstColumns(std::move(input), columns.num_columns());
  if (preview.format) {
    auto format_spec = std::make_shared<FormatSpec>();
    if (key.empty()) {
      for (int i = 0; i < columns.num_columns(); ++i) key.push_back(i);
    }
    format_spec->primary_key = key;
    // For people: times as text, not the epoch milliseconds of Debezium.
    format_spec->options["timestamp_format"].value = "rfc3339";
    const Format* format = preview.format;
    EncodeOptions encode;
    encode.make_encoder = [format, format_spec, columns] {
      return format->make_encoder(*format_spec, columns);
    };
    encode.primary_key = key;
    encode.changelog = changelog;
    std::optional<std::vector<int>> keys;
    if (changelog) keys = key;
    input = AddOperator(
        input, keys, "encode(preview)", {}, [encode] { return MakeEncode(encode); },
        Schema{{{"record", Type::Bytes(), false}}});
  }
  const Stream ready = Materialize(std::move(input));
  const int sink = AddNode("preview", 1, true);
  graph_.nodes[sink].make_sink = preview.make;
  Connect(ready, sink, 0, std::nullopt);
}

}  // namespace laminar::sql
