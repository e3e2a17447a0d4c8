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
      return in(schema.window->start_columns) || in(schema.window->end_columns) || in(schema.window->struct_columns);
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

PhysicalPlanner::Stream PhysicalPlanner::BuildWindowAssign(const LogicalNode& node) {
  Stream input = Materialize(Build(node.inputs[0]));
  WindowAssignOptions options;
  options.input = input.columns;
  options.time_column = node.time_column;
  options.size_us = node.window.size_us;
  options.slide_us = node.window.kind == WindowKind::kTumble ? node.window.size_us : node.window.slide_us;
  options.offset_us = node.window.offset_us;
  options.cumulate = node.window.kind == WindowKind::kCumulate;
  options.processing_time = node.window.processing_time;
  if (node.window.kind == WindowKind::kSession) {
    throw UserError(Reason::kUnsupported, node.span, "a SESSION table function must be grouped by its window").Hint("GROUP BY key, window_start, window_end");
  }
  return AddOperator(input, std::nullopt, DescribeNode(node), node.span, [options] { return MakeWindowAssign(options); }, node.schema.ToSchema());
}

PhysicalPlanner::Stream PhysicalPlanner::BuildDistinct(const LogicalNode& node) {
  Stream input = Build(node.inputs[0]);
  const int count = input.columns.num_columns();
  DeduplicateOptions options;
  input = WithColumns(std::move(input), node.partition_by, &options.keys);
  options.input = input.columns;
  options.ttl_us = script_.settings.updating_ttl_us;
  const auto keys = options.keys;
  Stream out = AddOperator(input, keys, DescribeNode(node), node.span, [options] { return MakeDeduplicate(options); }, input.columns);
  return FirstColumns(std::move(out), count);
}

PhysicalPlanner::Stream PhysicalPlanner::BuildTopN(const LogicalNode& node) {
  const PlanSchema& in = node.inputs[0]->schema;
  Stream input = Build(node.inputs[0]);
  const int count = input.columns.num_columns();
  const std::vector<ExpressionPtr> partition = node.per_window ? WithoutWindow(node.partition_by, in) : node.partition_by;
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
    out = AddOperator(input, keys, DescribeNode(node), node.span, [options] { return MakeDeduplicate(options); }, input.columns);
    if (!node.emit_rank) return FirstColumns(std::move(out), count);
    std::vector<ExpressionPtr> exprs_out;
    for (int i = 0; i < count; ++i) exprs_out.push_back(MakeColumn(i, input.columns.fields[i].name, input.columns.fields[i].type));
    exprs_out.push_back(MakeInt64(1));
    return Apply(std::move(out), {nullptr, std::move(exprs_out)}, node.schema.ToSchema());
  }
  TopNOptions options;
  options.input = input.columns;
  options.input_changelog = in.changelog;
  options.keys = keys;
  options.order_columns = indices;
  options.order = SortColumns(node.order_by);
  options.rank = node.rank_kind == OverKind::kRank ? RankFunction::kRank : node.rank_kind == OverKind::kDenseRank ? RankFunction::kDenseRank : RankFunction::kRowNumber;
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
  out = AddOperator(input, shuffle, DescribeNode(node), node.span, [options] { return MakeTopN(options); }, columns);
  if (width == count) return out;
  // Drop the helper columns between the input's and the rank.
  std::vector<ExpressionPtr> kept;
  for (int i = 0; i < count; ++i) kept.push_back(MakeColumn(i, columns.fields[i].name, columns.fields[i].type));
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
  Stream out = AddOperator(input, std::vector<int>{}, DescribeNode(node), node.span, [options] { return MakeSort(options); }, input.columns);
  return FirstColumns(std::move(out), count);
}

PhysicalPlanner::Stream PhysicalPlanner::BuildOver(const LogicalNode& node) {
  const PlanSchema& in = node.inputs[0]->schema;
  Stream input = Build(node.inputs[0]);
  const int count = input.columns.num_columns();
  const std::vector<ExpressionPtr> partition = node.per_window ? WithoutWindow(node.partition_by, in) : node.partition_by;
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
    if (call.aggregate.distinct) throw UserError(Reason::kUnsupported, node.span, "DISTINCT inside OVER is not supported");
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
  return AddOperator(input, shuffle, DescribeNode(node), node.span, [options] { return MakeOver(options); }, node.schema.ToSchema());
}

}  // namespace laminar::sql
