// Column pruning over the whole plan.
//
//  1. Parents before children, collect which output columns of each node anyone reads; of STRUCT columns,
//  which fields.
//  2. Children before parents, rebuild each node with those columns only and renumber the expressions above.
//
// A scan that ends up with `bid STRUCT<auction, price>` makes the decoder skip the other fields' bytes.

#include <algorithm>
#include <map>
#include <set>

#include "sql/binder.h"
#include "sql/rules/rules.h"

namespace laminar::sql {

namespace {

/// What is read of a value: all of it, or some STRUCT fields; neither means only whether it is NULL.
struct Need {
  bool all = false;
  std::map<int, Need> fields;

  void Add(const Need& other) {
    all = all || other.all;
    for (const auto& [field, need] : other.fields) fields[field].Add(need);
  }
};
using Needs = std::map<int, Need>;  // by column

const Need kAll{true, {}};

/// Adds what `expression` reads when `wanted` is read of its value.
void Collect(const ExpressionPtr& expression, const Need& wanted, Needs* out) {
  if (const auto* column = dynamic_cast<const ColumnExpression*>(expression.get())) {
    (*out)[column->index()].Add(wanted);
    return;
  }
  if (const auto* field = dynamic_cast<const FieldExpression*>(expression.get())) {
    Need inner;
    inner.fields[field->field()] = wanted;
    Collect(field->input(), inner, out);
    return;
  }
  const auto* call = dynamic_cast<const CallExpression*>(expression.get());
  const bool presence = call && (call->name() == "is_null" || call->name() == "is_not_null");
  for (const ExpressionPtr& child : expression->children()) Collect(child, presence ? Need{} : kAll, out);
}

Type PruneType(const Type& type, const Need& need) {
  if (need.all || type.id() != TypeId::kStruct) return type;
  std::vector<Field> fields;
  for (size_t i = 0; i < type.fields().size(); ++i) {
    auto wanted = need.fields.find(static_cast<int>(i));
    if (wanted == need.fields.end()) continue;
    Field field = type.fields()[i];
    field.type = PruneType(field.type, wanted->second);
    fields.push_back(std::move(field));
  }
  if (fields.empty()) fields.push_back(type.fields()[0]);  // something must carry the validity
  return Type::Struct(std::move(fields));
}

struct Rebuilt {
  NodePtr node;
  std::vector<int> map;  ///< old column → new column, −1: dropped
};

/// The expression over a rebuilt input: columns renumbered, fields of narrowed STRUCTs found by name.
ExpressionPtr Translate(const ExpressionPtr& expression, const Rebuilt& input, int first_old = 0,
                        int first_new = 0) {
  return Rewrite(expression, [&](const ExpressionPtr& e) -> ExpressionPtr {
    if (const auto* column = dynamic_cast<const ColumnExpression*>(e.get())) {
      if (column->index() < first_old || column->index() >= first_old + static_cast<int>(input.map.size()))
        return nullptr;
      const int index = input.map[column->index() - first_old];
      LAMINAR_CHECK(index >= 0, "a column that is read was pruned: " + column->name());
      return MakeColumn(first_new + index, column->name(), input.node->schema.columns[index].type);
    }
    if (const auto* field = dynamic_cast<const FieldExpression*>(e.get())) {
      ExpressionPtr inner = Translate(field->input(), input, first_old, first_new);
      if (inner == field->input()) return e;
      const std::string& name = field->input()->type().fields()[field->field()].name;
      return MakeFieldAccess(inner, inner->type().FieldIndex(name));
    }
    return nullptr;
  });
}

class Pruner {
 public:
  std::vector<NodePtr> Run(const std::vector<NodePtr>& roots) {
    std::vector<NodePtr> order;
    std::set<const LogicalNode*> seen;
    for (const NodePtr& root : roots) PostOrder(root, &seen, &order);
    for (auto node = order.rbegin(); node != order.rend(); ++node) Visit(**node);
    for (const NodePtr& node : order) Rebuild(node);
    std::vector<NodePtr> out;
    for (const NodePtr& root : roots) out.push_back(rebuilt_.at(root.get()).node);
    return out;
  }

 private:
  void PostOrder(const NodePtr& node, std::set<const LogicalNode*>* seen, std::vector<NodePtr>* order) {
    if (!seen->insert(node.get()).second) return;
    for (const NodePtr& input : node->inputs) PostOrder(input, seen, order);
    order->push_back(node);
  }

  static void AddWindow(const PlanSchema& schema, Needs* needs) {
    if (!schema.window) return;
    (*needs)[schema.window->start_columns.at(0)].all = true;
    (*needs)[schema.window->end_columns.at(0)].all = true;
  }

  bool KeepsWatermark(const LogicalNode& node) {
    return !node.schema.default_row_time || needs_[&node].count(node.time_column);
  }

  /// Phase 1 for one node, all of whose parents were visited.
  void Visit(const LogicalNode& node) {
    Needs& out = needs_[&node];
    auto in = [&](size_t i) -> Needs& { return needs_[node.inputs[i].get()]; };
    auto pass = [&](int limit) {
      for (const auto& [column, need] : out) {
        if (column < limit) in(0)[column].Add(need);
      }
    };
    auto all = [&](const std::vector<ExpressionPtr>& exprs, Needs* to) {
      for (const ExpressionPtr& e : exprs) Collect(e, kAll, to);
    };
    switch (node.kind) {
      case NodeKind::kScan:
      case NodeKind::kValues:
        break;
      case NodeKind::kSink:
        for (int i = 0; i < node.schema.num_columns(); ++i) {
          if (!node.schema.columns[i].hidden) in(0)[i].all = true;
        }
        for (int key : node.schema.key) in(0)[key].all = true;
        break;
      case NodeKind::kProject:
        for (const auto& [column, need] : out) Collect(node.exprs[column], need, &in(0));
        break;
      case NodeKind::kFilter:
        pass(node.schema.num_columns());
        Collect(node.predicate, kAll, &in(0));
        break;
      case NodeKind::kUnion:
        for (size_t i = 0; i < node.inputs.size(); ++i) {
          for (const auto& [column, need] : out) in(i)[column].Add(kAll);
        }
        break;
      case NodeKind::kUnnest:
        pass(node.schema.num_columns() - 1);
        Collect(node.array, kAll, &in(0));
        break;
      case NodeKind::kWatermark:
        pass(node.schema.num_columns());
        if (KeepsWatermark(node)) {
          in(0)[node.time_column].all = true;
          if (node.watermark) Collect(node.watermark, kAll, &in(0));
        }
        break;
      case NodeKind::kWindowAssign:
        pass(node.schema.num_columns() - 3);
        in(0)[node.time_column].all = true;
        all(node.partition_by, &in(0));
        break;
      case NodeKind::kAggregate:
      case NodeKind::kWindowAggregate:
        all(node.groups, &in(0));
        for (size_t i = 0; i < node.calls.size(); ++i) {
          if (!out.count(static_cast<int>(node.groups.size() + i))) continue;
          all(node.calls[i].args, &in(0));
          all(node.calls[i].order_args, &in(0));
          if (node.calls[i].filter) Collect(node.calls[i].filter, kAll, &in(0));
        }
        if (node.kind == NodeKind::kWindowAggregate) {
          if (node.window_from_columns)
            AddWindow(node.inputs[0]->schema, &in(0));
          else if (node.time_column >= 0)
            in(0)[node.time_column].all = true;
        }
        break;
      case NodeKind::kDistinct:
      case NodeKind::kTopN:
      case NodeKind::kSort:
      case NodeKind::kOver: {
        pass(node.inputs[0]->schema.num_columns());
        all(node.partition_by, &in(0));
        for (const OrderKey& key : node.order_by) Collect(key.expr, kAll, &in(0));
        for (const OverCall& call : node.over_calls) {
          all(call.args, &in(0));
          all(call.aggregate.args, &in(0));
          all(call.aggregate.order_args, &in(0));
          if (call.aggregate.filter) Collect(call.aggregate.filter, kAll, &in(0));
        }
        if (node.per_window) AddWindow(node.inputs[0]->schema, &in(0));
        const int row_time = node.inputs[0]->schema.row_time;
        if (!node.per_window && row_time >= 0 &&
            (node.kind == NodeKind::kOver || (node.kind == NodeKind::kTopN && !node.schema.changelog)))
          in(0)[row_time].all = true;
        break;
      }
      case NodeKind::kLimit:
        pass(node.schema.num_columns());
        break;
      case NodeKind::kJoin:
      case NodeKind::kIntervalJoin:
      case NodeKind::kWindowJoin: {
        const int nl = node.inputs[0]->schema.num_columns();
        Needs both = out;
        if (node.residual) Collect(node.residual, kAll, &both);
        for (const auto& [column, need] : both) {
          if (column < nl)
            in(0)[column].Add(need);
          else
            in(1)[column - nl].Add(need);
        }
        for (const JoinKey& key : node.keys) {
          Collect(key.left, kAll, &in(0));
          Collect(key.right, kAll, &in(1));
        }
        if (node.left_keep_until) Collect(node.left_keep_until, kAll, &in(0));
        if (node.right_keep_until) Collect(node.right_keep_until, kAll, &in(1));
        if (node.kind == NodeKind::kIntervalJoin) {
          for (size_t i : {0, 1}) in(i)[node.inputs[i]->schema.row_time].all = true;
        }
        if (node.kind == NodeKind::kWindowJoin) {
          AddWindow(node.inputs[0]->schema, &in(0));
          AddWindow(node.inputs[1]->schema, &in(1));
        }
        break;
      }
    }
  }

  static void MapProperties(PlanSchema* schema, const std::vector<int>& map) {
    auto list = [&](std::vector<int>& columns) {
      std::vector<int> kept;
      for (int c : columns) {
        if (map[c] >= 0) kept.push_back(map[c]);
      }
      columns = std::move(kept);
    };
    if (schema->row_time >= 0) schema->row_time = map[schema->row_time];
    const size_t keys = schema->key.size();
    list(schema->key);
    if (schema->key.size() != keys) schema->key.clear();
    list(schema->processing_time);
    if (schema->window) {
      list(schema->window->start_columns);
      list(schema->window->end_columns);
      list(schema->window->struct_columns);
      list(schema->window->time_columns);
    }
  }

  /// The input with only the columns that its parent reads: what is stored or shuffled should be no wider.
  Rebuilt Narrow(const LogicalNode& node, size_t i, const Needs& wanted) {
    const Rebuilt& input = rebuilt_.at(node.inputs[i].get());
    std::vector<bool> keep(input.node->schema.columns.size(), false);
    size_t kept = 0;
    for (const auto& [column, need] : wanted) {
      const int index = input.map[column];
      if (index >= 0 && !keep[index]) {
        keep[index] = true;
        ++kept;
      }
    }
    if (kept == keep.size() || kept == 0) return input;
    auto project = MakeNode(NodeKind::kProject, {input.node}, node.span);
    const PlanSchema& schema = input.node->schema;
    project->schema = schema;
    project->schema.columns.clear();
    std::vector<int> map(keep.size(), -1);
    for (size_t c = 0; c < keep.size(); ++c) {
      if (!keep[c]) continue;
      map[c] = project->schema.num_columns();
      project->schema.columns.push_back(schema.columns[c]);
      project->exprs.push_back(
          MakeColumn(static_cast<int>(c), schema.columns[c].name, schema.columns[c].type));
    }
    MapProperties(&project->schema, map);
    Rebuilt out{project, input.map};
    for (int& c : out.map) c = c >= 0 ? map[c] : -1;
    return out;
  }

  /// Needs of one join or ordering input by this node alone (others may share the input and want more).
  Needs OwnNeeds(const LogicalNode& node, size_t side) {
    Pruner alone;
    alone.needs_[&node] = needs_[&node];
    alone.Visit(node);
    return alone.needs_[node.inputs[side].get()];
  }

  void Rebuild(const NodePtr& old) {
    const Needs& needs = needs_[old.get()];
    auto node = std::make_shared<LogicalNode>(*old);
    Rebuilt out;
    auto translate_all = [](std::vector<ExpressionPtr>& exprs, const Rebuilt& input) {
      for (ExpressionPtr& e : exprs) e = Translate(e, input);
    };
    auto translate_call = [&](AggregateCall& call, const Rebuilt& input) {
      translate_all(call.args, input);
      translate_all(call.order_args, input);
      if (call.filter) call.filter = Translate(call.filter, input);
    };
    // Output columns that are the input's, then `extra` of the node's own from `first_extra` on.
    auto follow = [&](const Rebuilt& input, int first_extra) {
      out.map = input.map;
      PlanSchema schema = old->schema;
      std::vector<PlanColumn> columns = input.node->schema.columns;
      for (size_t c = 0; c < input.map.size(); ++c) {  // names and hidden flags are this node's
        if (input.map[c] >= 0) {
          const Type type = columns[input.map[c]].type;
          columns[input.map[c]] = old->schema.columns[c];
          columns[input.map[c]].type = type;
        }
      }
      for (int c = first_extra; c < old->schema.num_columns(); ++c) {
        out.map.push_back(static_cast<int>(columns.size()));
        columns.push_back(old->schema.columns[c]);
      }
      schema.columns = std::move(columns);
      node->schema = std::move(schema);
      MapProperties(&node->schema, out.map);
    };
    auto input = [&](size_t i) -> const Rebuilt& { return rebuilt_.at(old->inputs[i].get()); };
    const int num_old_input = old->inputs.empty() ? 0 : old->inputs[0]->schema.num_columns();

    switch (old->kind) {
      case NodeKind::kScan:
      case NodeKind::kValues: {
        out.map.assign(old->schema.columns.size(), -1);
        node->schema.columns.clear();
        auto keep = [&](int c, const Type& type) {
          out.map[c] = node->schema.num_columns();
          PlanColumn column = old->schema.columns[c];
          column.type = type;
          node->schema.columns.push_back(column);
        };
        for (const auto& [c, need] : needs)
          keep(c, old->kind == NodeKind::kScan ? PruneType(old->schema.columns[c].type, need)
                                               : old->schema.columns[c].type);
        if (old->table && old->schema.changelog && !old->table->test_input) {  // last_rows is by the key
          for (int key : old->table->spec.primary_key) {
            if (!needs.count(key)) keep(key, old->schema.columns[key].type);
          }
        }
        if (node->schema.columns.empty() && !old->schema.columns.empty())
          keep(0, PruneType(old->schema.columns[0].type, Need{}));
        MapProperties(&node->schema, out.map);
        for (auto& row : node->rows) {
          std::vector<ExpressionPtr> kept(node->schema.columns.size());
          for (size_t c = 0; c < out.map.size(); ++c) {
            if (out.map[c] >= 0) kept[out.map[c]] = row[c];
          }
          row = std::move(kept);
        }
        break;
      }
      case NodeKind::kProject: {
        const Rebuilt& in = input(0);
        node->inputs = {in.node};
        out.map.assign(old->schema.columns.size(), -1);
        node->exprs.clear();
        node->schema.columns.clear();
        for (const auto& [c, need] : needs) {
          out.map[c] = node->schema.num_columns();
          node->exprs.push_back(Translate(old->exprs[c], in));
          PlanColumn column = old->schema.columns[c];
          column.type = node->exprs.back()->type();
          node->schema.columns.push_back(column);
        }
        MapProperties(&node->schema, out.map);
        break;
      }
      case NodeKind::kFilter:
        node->inputs = {input(0).node};
        node->predicate = Translate(old->predicate, input(0));
        follow(input(0), num_old_input);
        break;
      case NodeKind::kLimit:
        node->inputs = {input(0).node};
        follow(input(0), num_old_input);
        break;
      case NodeKind::kSink: {
        const Rebuilt in = Narrow(*old, 0, OwnNeeds(*old, 0));
        node->inputs = {in.node};
        follow(in, num_old_input);
        break;
      }
      case NodeKind::kUnion: {
        std::vector<int> kept;
        for (const auto& [c, need] : needs) kept.push_back(c);
        node->inputs.clear();
        for (size_t i = 0; i < old->inputs.size();
             ++i) {  // all inputs must have the same columns in the same order
          const Rebuilt& in = input(i);
          auto project = MakeNode(NodeKind::kProject, {in.node}, old->span);
          project->schema.changelog = in.node->schema.changelog;
          project->schema.bounded = in.node->schema.bounded;
          for (int c : kept) {
            const PlanColumn& column = in.node->schema.columns[in.map[c]];
            project->exprs.push_back(MakeColumn(in.map[c], column.name, column.type));
            project->schema.columns.push_back(column);
          }
          node->inputs.push_back(project);
        }
        out.map.assign(old->schema.columns.size(), -1);
        node->schema.columns.clear();
        for (int c : kept) {
          out.map[c] = node->schema.num_columns();
          node->schema.columns.push_back(old->schema.columns[c]);
        }
        MapProperties(&node->schema, out.map);
        break;
      }
      case NodeKind::kUnnest:
        node->inputs = {input(0).node};
        node->array = Translate(old->array, input(0));
        follow(input(0), num_old_input);
        break;
      case NodeKind::kWatermark: {
        if (!KeepsWatermark(*old)) {
          rebuilt_[old.get()] = input(0);
          return;
        }
        node->inputs = {input(0).node};
        node->time_column = input(0).map[old->time_column];
        if (old->watermark) node->watermark = Translate(old->watermark, input(0));
        follow(input(0), num_old_input);
        break;
      }
      case NodeKind::kWindowAssign:
        node->inputs = {input(0).node};
        node->time_column = input(0).map[old->time_column];
        translate_all(node->partition_by, input(0));
        follow(input(0), num_old_input);
        break;
      case NodeKind::kAggregate:
      case NodeKind::kWindowAggregate: {
        const Rebuilt& in = input(0);
        node->inputs = {in.node};
        translate_all(node->groups, in);
        node->calls.clear();
        node->schema.columns.assign(old->schema.columns.begin(),
                                    old->schema.columns.begin() + static_cast<long>(old->groups.size()));
        out.map.clear();
        for (size_t i = 0; i < old->groups.size(); ++i) out.map.push_back(static_cast<int>(i));
        for (size_t i = 0; i < old->calls.size(); ++i) {
          const int c = static_cast<int>(old->groups.size() + i);
          if (!needs.count(c)) {
            out.map.push_back(-1);
            continue;
          }
          AggregateCall call = old->calls[i];
          translate_call(call, in);
          out.map.push_back(node->schema.num_columns());
          node->calls.push_back(std::move(call));
          node->schema.columns.push_back(old->schema.columns[c]);
        }
        for (int c = static_cast<int>(old->groups.size() + old->calls.size()); c < old->schema.num_columns();
             ++c) {
          out.map.push_back(node->schema.num_columns());
          node->schema.columns.push_back(old->schema.columns[c]);
        }
        if (old->kind == NodeKind::kWindowAggregate && !old->window_from_columns && old->time_column >= 0)
          node->time_column = in.map[old->time_column];
        MapProperties(&node->schema, out.map);
        break;
      }
      case NodeKind::kDistinct:
      case NodeKind::kTopN:
      case NodeKind::kSort:
      case NodeKind::kOver: {
        const Rebuilt in = Narrow(*old, 0, OwnNeeds(*old, 0));
        node->inputs = {in.node};
        translate_all(node->partition_by, in);
        for (OrderKey& key : node->order_by) key.expr = Translate(key.expr, in);
        for (OverCall& call : node->over_calls) {
          translate_all(call.args, in);
          translate_call(call.aggregate, in);
        }
        follow(in, num_old_input);
        if (old->kind == NodeKind::kTopN && old->emit_rank && !needs.count(num_old_input)) {
          node->emit_rank = false;
          node->schema.columns.pop_back();
          out.map.back() = -1;
        }
        break;
      }
      case NodeKind::kJoin:
      case NodeKind::kIntervalJoin:
      case NodeKind::kWindowJoin: {
        const Rebuilt left = Narrow(*old, 0, OwnNeeds(*old, 0));
        const Rebuilt right = Narrow(*old, 1, OwnNeeds(*old, 1));
        node->inputs = {left.node, right.node};
        const int nl = static_cast<int>(left.map.size());
        const int new_left = left.node->schema.num_columns();
        for (JoinKey& key : node->keys) {
          key.left = Translate(key.left, left);
          key.right = Translate(key.right, right);
        }
        if (node->left_keep_until) node->left_keep_until = Translate(node->left_keep_until, left);
        if (node->right_keep_until) node->right_keep_until = Translate(node->right_keep_until, right);
        if (node->residual) {
          node->residual = Rewrite(node->residual, [&](const ExpressionPtr& e) -> ExpressionPtr {
            std::vector<int> columns;
            CollectColumns(*e, &columns);
            if (columns.empty()) return e;
            const bool l = std::all_of(columns.begin(), columns.end(), [&](int c) { return c < nl; });
            const bool r = std::all_of(columns.begin(), columns.end(), [&](int c) { return c >= nl; });
            if (l) return Translate(e, left);
            if (r) return Translate(e, right, nl, new_left);
            return nullptr;
          });
        }
        out.map = left.map;
        node->schema.columns.clear();
        auto add = [&](const Rebuilt& side, int first_old, bool map_too) {
          const int first = node->schema.num_columns();
          std::vector<PlanColumn> columns = side.node->schema.columns;
          for (size_t c = 0; c < side.map.size(); ++c) {
            if (side.map[c] < 0) continue;
            const Type type = columns[side.map[c]].type;
            columns[side.map[c]] = old->schema.columns[first_old + static_cast<int>(c)];
            columns[side.map[c]].type = type;
          }
          for (PlanColumn& column : columns) node->schema.columns.push_back(std::move(column));
          if (map_too) {
            for (int c : side.map) out.map.push_back(c < 0 ? -1 : first + c);
          }
        };
        add(left, 0, false);
        if (old->join != JoinKind::kSemi && old->join != JoinKind::kAnti) add(right, nl, true);
        MapProperties(&node->schema, out.map);
        break;
      }
    }
    out.node = node;
    rebuilt_[old.get()] = std::move(out);
  }

  std::map<const LogicalNode*, Needs> needs_;
  std::map<const LogicalNode*, Rebuilt> rebuilt_;
};

}  // namespace

std::vector<NodePtr> PruneColumns(const std::vector<NodePtr>& roots) { return Pruner().Run(roots); }

}  // namespace laminar::sql
