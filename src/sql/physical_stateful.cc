// Operators with state: aggregates, joins, ordering.

#include <algorithm>

#include "operators/deduplicate.h"
#include "operators/group_aggregate.h"
#include "operators/interval_join.h"
#include "operators/over.h"
#include "operators/sort.h"
#include "operators/top_n.h"
#include "operators/updating_join.h"
#include "operators/window_aggregate.h"
#include "operators/window_assign.h"
#include "operators/window_join.h"
#include "sql/catalog.h"
#include "sql/physical.h"

namespace laminar::sql {

namespace {

/// PARTITION BY without the window's own columns, which the operator handles apart.
std::vector<ExpressionPtr> WithoutWindow(const std::vector<ExpressionPtr>& items, const PlanSchema& schema) {
  if (!schema.window) return items;
  auto is_window = [&](const ExpressionPtr& e) {
    std::vector<int> columns;
    CollectColumns(*e, &columns);
    if (columns.empty()) return false;
    return std::all_of(columns.begin(), columns.end(), [&](int c) {
      auto in = [c](const std::vector<int>& v) { return std::find(v.begin(), v.end(), c) != v.end(); };
      return in(schema.window->start_columns) || in(schema.window->end_columns) ||
             in(schema.window->struct_columns) || in(schema.window->time_columns);
    });
  };
  std::vector<ExpressionPtr> out;
  for (const ExpressionPtr& item : items) {
    if (!is_window(item)) out.push_back(item);
  }
  return out;
}

std::vector<SortColumn> SortColumns(const std::vector<OrderKey>& order) {
  std::vector<SortColumn> out;
  for (const OrderKey& key : order) out.push_back(key.sort);
  return out;
}

std::vector<int> TakeFront(std::vector<int>* from, size_t count) {
  std::vector<int> out(from->begin(), from->begin() + static_cast<long>(count));
  from->erase(from->begin(), from->begin() + static_cast<long>(count));
  return out;
}

}  // namespace

namespace {

/// Rows with their sessions: collected per key and session, taken apart again when the session closes.
NodePtr SessionRows(const LogicalNode& assign, const FunctionRegistry& functions) {
  const PlanSchema& in = assign.inputs[0]->schema;
  std::vector<ExpressionPtr> columns;
  std::vector<Field> fields;
  for (int i = 0; i < in.num_columns(); ++i) {
    columns.push_back(ColumnOf(in, i));
    fields.push_back({"c" + std::to_string(i), in.columns[i].type, true});
  }
  const Type row = Type::Struct(std::move(fields));
  AggregateCall rows;
  rows.name = "array_agg";
  rows.args = {MakeStruct(std::move(columns), row)};
  AggregateBindArguments bind;
  bind.types = {row};
  bind.constants = {nullptr};
  rows.function = functions.FindAggregate(rows.name)->bind(bind).function;

  auto sessions = MakeNode(NodeKind::kWindowAggregate, assign.inputs, assign.span);
  sessions->window = assign.window;
  sessions->time_column = assign.time_column;
  sessions->groups = assign.partition_by;
  sessions->calls = {rows};
  PlanSchema& kept = sessions->schema;
  for (const ExpressionPtr& key : assign.partition_by)
    kept.columns.push_back({"key" + std::to_string(kept.num_columns()), key->type(), true, false});
  const int array = kept.num_columns();
  kept.columns.push_back({"rows", Type::Array(row), true, false});
  kept.columns.push_back({"window_start", Type::Timestamp(), false, false});
  kept.columns.push_back({"window_end", Type::Timestamp(), false, false});
  kept.bounded = in.bounded;

  auto unnest = MakeNode(NodeKind::kUnnest, {sessions}, assign.span);
  unnest->array = ColumnOf(kept, array);
  unnest->schema = kept;
  unnest->schema.columns.push_back({"row", row, true, false});

  auto project = MakeNode(NodeKind::kProject, {unnest}, assign.span);
  project->schema = assign.schema;
  for (int i = 0; i < in.num_columns(); ++i)
    project->exprs.push_back(MakeFieldAccess(ColumnOf(unnest->schema, array + 3), i));
  const ExpressionPtr end = ColumnOf(kept, array + 2);
  project->exprs.push_back(ColumnOf(kept, array + 1));
  project->exprs.push_back(end);
  project->exprs.push_back(functions.BindScalar("-", {end, IntervalLiteral(1000)}));
  return project;
}

}  // namespace

PhysicalPlanner::Stream PhysicalPlanner::BuildWindowAssign(const LogicalNode& node) {
  if (node.window.kind == WindowKind::kSession) {
    own_nodes_.push_back(SessionRows(node, *options_.functions));
    return Build(own_nodes_.back());
  }
  Stream input = Materialize(Build(node.inputs[0]));
  WindowAssignOptions options;
  options.input = input.columns;
  options.time_column = node.time_column;
  options.size_us = node.window.size_us;
  options.slide_us = node.window.kind == WindowKind::kTumble ? node.window.size_us : node.window.slide_us;
  options.offset_us = node.window.offset_us;
  options.cumulate = node.window.kind == WindowKind::kCumulate;
  options.processing_time = node.window.processing_time;
  return AddOperator(
      input, std::nullopt, DescribeNode(node), node.span, [options] { return MakeWindowAssign(options); },
      node.schema.ToSchema());
}

PhysicalPlanner::Stream PhysicalPlanner::BuildDistinct(const LogicalNode& node) {
  Stream input = Build(node.inputs[0]);
  const int count = input.columns.num_columns();
  DeduplicateOptions options;
  input = WithColumns(std::move(input), node.partition_by, &options.keys);
  options.input = input.columns;
  options.ttl_us = script_.settings.updating_ttl_us;
  const auto keys = options.keys;
  Stream out = AddOperator(
      input, keys, DescribeNode(node), node.span, [options] { return MakeDeduplicate(options); },
      input.columns);
  return FirstColumns(std::move(out), count);
}

PhysicalPlanner::Stream PhysicalPlanner::BuildTopN(const LogicalNode& node) {
  const PlanSchema& in = node.inputs[0]->schema;
  Stream input = Build(node.inputs[0]);
  const int count = input.columns.num_columns();
  const std::vector<ExpressionPtr> partition =
      node.per_window ? WithoutWindow(node.partition_by, in) : node.partition_by;
  std::vector<ExpressionPtr> exprs = partition;
  for (const OrderKey& key : node.order_by) exprs.push_back(key.expr);
  std::vector<int> indices;
  input = WithColumns(std::move(input), exprs, &indices);
  const std::vector<int> keys = TakeFront(&indices, partition.size());
  const int width = input.columns.num_columns();

  Stream out;
  if (!node.per_window && !node.schema.changelog) {  // keep-first by row time
    DeduplicateOptions options;
    options.input = input.columns;
    options.keys = keys;
    options.time_column = in.row_time;
    options.ttl_us = script_.settings.updating_ttl_us;
    out = AddOperator(
        input, keys, DescribeNode(node), node.span, [options] { return MakeDeduplicate(options); },
        input.columns);
    if (!node.emit_rank) return FirstColumns(std::move(out), count);
    std::vector<ExpressionPtr> exprs_out;
    for (int i = 0; i < count; ++i)
      exprs_out.push_back(MakeColumn(i, input.columns.fields[i].name, input.columns.fields[i].type));
    exprs_out.push_back(MakeInt64(1));
    return Apply(std::move(out), {nullptr, std::move(exprs_out)}, node.schema.ToSchema());
  }
  TopNOptions options;
  options.input = input.columns;
  options.input_changelog = in.changelog;
  options.keys = keys;
  options.order_columns = indices;
  options.order = SortColumns(node.order_by);
  options.rank = node.rank_kind == OverKind::kRank        ? RankFunction::kRank
                 : node.rank_kind == OverKind::kDenseRank ? RankFunction::kDenseRank
                                                          : RankFunction::kRowNumber;
  options.from = node.rank_from;
  options.to = node.rank_to;
  options.emit_rank = node.emit_rank;
  options.per_window = node.per_window;
  if (node.per_window) {
    options.window_start = in.window->start_columns.at(0);
    options.window_end = in.window->end_columns.at(0);
  }
  options.ttl_us = script_.settings.updating_ttl_us;
  Schema columns = input.columns;
  if (node.emit_rank) columns.fields.push_back({"rank", Type::Int64(), false});
  // A window's rows without a key of their own are spread by window.
  std::vector<int> shuffle = keys;
  if (node.per_window && keys.empty()) shuffle = {options.window_start};
  out = AddOperator(
      input, shuffle, DescribeNode(node), node.span, [options] { return MakeTopN(options); }, columns);
  if (width == count) return out;
  // Drop the helper columns between the input's and the rank.
  std::vector<ExpressionPtr> kept;
  for (int i = 0; i < count; ++i)
    kept.push_back(MakeColumn(i, columns.fields[i].name, columns.fields[i].type));
  if (node.emit_rank) kept.push_back(MakeColumn(width, "rank", Type::Int64()));
  return Apply(std::move(out), {nullptr, std::move(kept)}, node.schema.ToSchema());
}

PhysicalPlanner::Stream PhysicalPlanner::BuildSort(const LogicalNode& node) {
  const PlanSchema& in = node.inputs[0]->schema;
  Stream input = Build(node.inputs[0]);
  const int count = input.columns.num_columns();
  std::vector<ExpressionPtr> exprs;
  for (const OrderKey& key : node.order_by) exprs.push_back(key.expr);
  SortOptions options;
  input = WithColumns(std::move(input), exprs, &options.order_columns);
  options.input = input.columns;
  options.order = SortColumns(node.order_by);
  options.per_window = node.per_window;
  if (node.per_window) {
    options.window_start = in.window->start_columns.at(0);
    options.window_end = in.window->end_columns.at(0);
  }
  Stream out = AddOperator(
      input, std::vector<int>{}, DescribeNode(node), node.span, [options] { return MakeSort(options); },
      input.columns);
  return FirstColumns(std::move(out), count);
}

PhysicalPlanner::Stream PhysicalPlanner::BuildOver(const LogicalNode& node) {
  const PlanSchema& in = node.inputs[0]->schema;
  Stream input = Build(node.inputs[0]);
  const int count = input.columns.num_columns();
  const std::vector<ExpressionPtr> partition =
      node.per_window ? WithoutWindow(node.partition_by, in) : node.partition_by;
  std::vector<ExpressionPtr> exprs = partition;
  for (const OrderKey& key : node.order_by) exprs.push_back(key.expr);
  for (const OverCall& call : node.over_calls) {
    const auto& args = call.kind == OverKind::kAggregate ? call.aggregate.args : call.args;
    exprs.insert(exprs.end(), args.begin(), args.end());
    exprs.insert(exprs.end(), call.aggregate.order_args.begin(), call.aggregate.order_args.end());
    if (call.aggregate.filter) exprs.push_back(call.aggregate.filter);
  }
  std::vector<int> indices;
  input = WithColumns(std::move(input), exprs, &indices);
  OverOptions options;
  options.input = input.columns;
  options.num_output_columns = count;
  options.keys = TakeFront(&indices, partition.size());
  options.order_columns = TakeFront(&indices, node.order_by.size());
  options.order = SortColumns(node.order_by);
  for (const OverCall& call : node.over_calls) {
    OverSpec spec;
    spec.function = static_cast<OverFunction>(call.kind);
    spec.aggregate = call.aggregate.function;
    if (call.aggregate.distinct)
      throw UserError(Reason::kUnsupported, node.span, "DISTINCT inside OVER is not supported");
    const auto& args = call.kind == OverKind::kAggregate ? call.aggregate.args : call.args;
    spec.args = TakeFront(&indices, args.size() + call.aggregate.order_args.size());
    if (call.aggregate.filter) spec.filter = TakeFront(&indices, 1)[0];
    spec.ignore_nulls = call.ignore_nulls;
    spec.offset = call.offset;
    spec.type = call.type;
    options.calls.push_back(std::move(spec));
  }
  options.rows_frame = node.frame.rows;
  options.preceding = node.frame.preceding;
  if (!node.per_window && node.over_calls[0].kind == OverKind::kRowNumber) {  // alone: rows up to this one
    options.calls[0].function = OverFunction::kAggregate;
    options.calls[0].aggregate = options_.functions->FindAggregate("count")->bind({}).function;
    options.rows_frame = true;
    options.preceding.reset();
  }
  options.whole_partition = node.frame.whole_partition;
  options.per_window = node.per_window;
  if (node.per_window) {
    options.window_start = in.window->start_columns.at(0);
    options.window_end = in.window->end_columns.at(0);
  } else {
    options.time_column = in.row_time;
  }
  options.ttl_us = script_.settings.updating_ttl_us;
  std::vector<int> shuffle = options.keys;
  if (node.per_window && shuffle.empty()) shuffle = {options.window_start};
  return AddOperator(
      input, shuffle, DescribeNode(node), node.span, [options] { return MakeOver(options); },
      node.schema.ToSchema());
}

}  // namespace laminar::sql

namespace laminar::sql {

// ---- aggregates
// -------------------------------------------------------------------------------------------------

namespace {

laminar::WindowSpec WindowSpecOf(const LogicalNode& node) {
  using Kind = laminar::WindowKind;
  laminar::WindowSpec spec;
  switch (node.window.kind) {
    case WindowKind::kTumble:
      spec.kind = Kind::kTumble;
      break;
    case WindowKind::kHop:
      spec.kind = Kind::kHop;
      break;
    case WindowKind::kCumulate:
      spec.kind = Kind::kCumulate;
      break;
    case WindowKind::kSession:
      spec.kind = Kind::kSession;
      break;
  }
  if (node.window_from_columns) spec.kind = Kind::kFromColumns;
  spec.size_us = node.window.size_us;
  spec.slide_us = node.window.kind == WindowKind::kTumble ? node.window.size_us : node.window.slide_us;
  spec.offset_us = node.window.offset_us;
  spec.processing_time = node.window.processing_time && !node.window_from_columns;
  return spec;
}

}  // namespace

PhysicalPlanner::Stream PhysicalPlanner::BuildAggregate(const LogicalNode& node) {
  const PlanSchema& in = node.inputs[0]->schema;
  Stream input = Build(node.inputs[0]);
  const bool windowed = node.kind == NodeKind::kWindowAggregate;
  // Only what the aggregate reads: keys, arguments, filters, then the window's columns.
  std::vector<ExpressionPtr> columns;
  std::vector<std::string> names;
  std::map<std::string, int> known;
  auto add = [&](const ExpressionPtr& e) {
    const auto [at, fresh] = known.emplace(e->ToString(), static_cast<int>(columns.size()));
    if (fresh) {
      columns.push_back(e);
      names.push_back(e->ToString());
    }
    return at->second;
  };
  auto add_column = [&](int index) {
    return add(MakeColumn(index, in.columns[index].name, in.columns[index].type));
  };
  std::vector<int> keys;
  for (const ExpressionPtr& group : node.groups) keys.push_back(add(group));
  std::vector<AggregateSpec> calls;
  for (const AggregateCall& call : node.calls) {
    AggregateSpec spec;
    spec.function = call.function;
    spec.distinct = call.distinct;
    for (const ExpressionPtr& arg : call.args) spec.args.push_back(add(arg));
    for (const ExpressionPtr& arg : call.order_args) spec.order.push_back(add(arg));
    if (call.filter) spec.filter = add(call.filter);
    spec.name = node.schema.columns.at(node.groups.size() + calls.size()).name;
    calls.push_back(std::move(spec));
  }
  int start = -1, end = -1, time = -1;
  if (windowed && node.window_from_columns) {
    start = add_column(in.window->start_columns.at(0));
    end = add_column(in.window->end_columns.at(0));
  } else if (windowed && !node.window.processing_time) {
    time = add_column(node.time_column);
  }
  if (columns.empty()) add(MakeBoolean(true));  // count(*) alone: rows without columns still count
  Schema schema;
  for (size_t i = 0; i < columns.size(); ++i) schema.fields.push_back({names[i], columns[i]->type(), true});
  input = Apply(std::move(input), {nullptr, std::move(columns)}, schema);

  if (!windowed) {
    GroupAggregateOptions options;
    options.input = schema;
    options.keys = keys;
    options.calls = std::move(calls);
    options.input_retracts = in.changelog;
    options.ttl_us = script_.settings.updating_ttl_us;
    return AddOperator(
        input, keys, DescribeNode(node), node.span, [options] { return MakeGroupAggregate(options); },
        node.schema.ToSchema());
  }
  WindowAggregateOptions options;
  options.input = schema;
  options.keys = keys;
  options.calls = std::move(calls);
  options.window = WindowSpecOf(node);
  options.time_column = time;
  options.start_column = start;
  options.end_column = end;
  std::vector<int> shuffle = keys;
  if (shuffle.empty() && start >= 0) shuffle = {start};  // whole windows are independent of one another
  return AddOperator(
      input, shuffle, DescribeNode(node), node.span, [options] { return MakeWindowAggregate(options); },
      node.schema.ToSchema());
}

// ---- joins
// ------------------------------------------------------------------------------------------------------

namespace {

laminar::JoinKind JoinKindOf(JoinKind kind) {
  switch (kind) {
    case JoinKind::kLeft:
      return laminar::JoinKind::kLeft;
    case JoinKind::kRight:
      return laminar::JoinKind::kRight;
    case JoinKind::kFull:
      return laminar::JoinKind::kFull;
    case JoinKind::kSemi:
      return laminar::JoinKind::kSemi;
    case JoinKind::kAnti:
      return laminar::JoinKind::kAnti;
    default:
      return laminar::JoinKind::kInner;
  }
}

}  // namespace

PhysicalPlanner::Stream PhysicalPlanner::BuildJoin(const LogicalNode& node) {
  const PlanSchema& l = node.inputs[0]->schema;
  const PlanSchema& r = node.inputs[1]->schema;
  Stream left = Build(node.inputs[0]);
  Stream right = Build(node.inputs[1]);
  const int nl = left.columns.num_columns();
  const int nr = right.columns.num_columns();
  std::vector<ExpressionPtr> left_exprs, right_exprs;
  for (const JoinKey& key : node.keys) {
    left_exprs.push_back(key.left);
    right_exprs.push_back(key.right);
  }
  int left_end = -1, right_end = -1;
  const bool windowed = node.kind == NodeKind::kWindowJoin;
  if (windowed) {
    // Start and end are keys: session windows can share one of them.
    for (const auto* columns : {&l.window->start_columns, &l.window->end_columns}) {
      left_exprs.push_back(MakeColumn(columns->at(0), l.columns[columns->at(0)].name, Type::Timestamp()));
    }
    for (const auto* columns : {&r.window->start_columns, &r.window->end_columns}) {
      right_exprs.push_back(MakeColumn(columns->at(0), r.columns[columns->at(0)].name, Type::Timestamp()));
    }
    left_end = l.window->end_columns.at(0);
    right_end = r.window->end_columns.at(0);
  }
  JoinSpec spec;
  left = Materialize(WithColumns(std::move(left), left_exprs, &spec.left_keys));
  right = Materialize(WithColumns(std::move(right), right_exprs, &spec.right_keys));
  spec.left = left.columns;
  spec.right = right.columns;
  spec.kind = JoinKindOf(node.join);
  const int extra = left.columns.num_columns() - nl;
  if (node.residual) {
    // The joined row has the left side's helper columns in between.
    std::vector<int> map;
    for (int i = 0; i < nl; ++i) map.push_back(i);
    for (int i = 0; i < nr; ++i) map.push_back(nl + extra + i);
    spec.predicate = RemapColumns(node.residual, map);
  }
  for (int i = 0; i < nl; ++i) spec.output.push_back(i);
  if (node.join != JoinKind::kSemi && node.join != JoinKind::kAnti) {
    for (int i = 0; i < nr; ++i) spec.output.push_back(nl + extra + i);
  }

  std::function<std::unique_ptr<Operator>()> make;
  if (windowed) {
    WindowJoinOptions options{spec, left_end, right_end, static_cast<int>(node.keys.size())};
    make = [options] { return MakeWindowJoin(options); };
  } else if (node.kind == NodeKind::kIntervalJoin) {
    IntervalJoinOptions options;
    options.join = spec;
    options.left_time = l.row_time;
    options.right_time = r.row_time;
    if (node.lower_us) options.lower = {*node.lower_us, true};
    if (node.upper_us) options.upper = {*node.upper_us, true};
    options.left_keep_until = node.left_keep_until;
    options.right_keep_until = node.right_keep_until;
    make = [options] { return MakeIntervalJoin(options); };
  } else {
    UpdatingJoinOptions options;
    options.join = spec;
    options.left_changelog = l.changelog;
    options.right_changelog = r.changelog;
    options.ttl_us = script_.settings.updating_ttl_us;
    make = [options] { return MakeUpdatingJoin(options); };
  }
  // Window joins without other keys meet in one subtask per window.
  std::vector<int> left_shuffle = spec.left_keys, right_shuffle = spec.right_keys;
  if (windowed && node.keys.size() > 0) {
    left_shuffle.resize(node.keys.size());
    right_shuffle.resize(node.keys.size());
  }
  Stream out;
  out.parallelism = options_.parallelism;
  out.node = AddNode(DescribeNode(node), out.parallelism, true);
  out.columns = node.schema.ToSchema();
  out.span = node.span;
  graph_.nodes[out.node].make_operator = std::move(make);
  Connect(left, out.node, 0, left_shuffle);
  Connect(right, out.node, 1, right_shuffle);
  return out;
}

}  // namespace laminar::sql
