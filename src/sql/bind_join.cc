// FROM: tables, subqueries, window table functions and joins.
//
// The FROM clause is bound to a tree of leaves first. Conditions (ON, and the WHERE conjuncts) are bound over
// the columns of all leaves side by side and then handed down the tree: filters to the side they concern,
// equalities to the join, bounds on both row times to an interval join. So `FROM a, b WHERE a.id = b.id` and
// `a JOIN b ON a.id = b.id` give one plan.

#include <arrow/scalar.h>

#include <algorithm>

#include "sql/binder.h"
#include "sql/rules/rules.h"

namespace laminar::sql {

namespace {

enum class Side { kNeither, kLeft, kRight, kBoth };

Side SideOf(const Expression& expression, int left_columns) {
  std::vector<int> columns;
  CollectColumns(expression, &columns);
  bool left = false, right = false;
  for (int column : columns) (column < left_columns ? left : right) = true;
  return left && right ? Side::kBoth : left ? Side::kLeft : right ? Side::kRight : Side::kNeither;
}

std::optional<int64_t> IntervalMicros(const ExpressionPtr& expression) {
  const auto* literal = dynamic_cast<const LiteralExpression*>(expression.get());
  if (!literal || literal->type().id() != TypeId::kInterval || !literal->value()->is_valid)
    return std::nullopt;
  const auto value = static_cast<const arrow::MonthDayNanoIntervalScalar&>(*literal->value()).value;
  if (value.months != 0) return std::nullopt;
  return value.days * 86'400'000'000 + value.nanoseconds / 1000;
}

/// `expression` as row time + offset, over columns of `schema` that start at `first`. A window's end counts
/// as row time + 1 µs.
std::optional<int64_t> OffsetFromRowTime(const ExpressionPtr& expression, const PlanSchema& schema,
                                         int first) {
  if (const auto* column = dynamic_cast<const ColumnExpression*>(expression.get())) {
    const int index = column->index() - first;
    if (index == schema.row_time) return 0;
    if (schema.window) {
      const WindowProperty& window = *schema.window;
      auto contains = [index](const std::vector<int>& v) {
        return std::find(v.begin(), v.end(), index) != v.end();
      };
      // Only for rows that stand for a whole window; a row inside an assigned window has its own row time.
      if (contains(window.end_columns)) return 1;
      if (contains(window.start_columns) &&
          (window.definition.kind == WindowKind::kTumble || window.definition.kind == WindowKind::kHop)) {
        return 1 - window.definition.size_us;
      }
    }
    return std::nullopt;
  }
  const auto* call = dynamic_cast<const CallExpression*>(expression.get());
  if (!call || (call->name() != "+" && call->name() != "-") || call->children().size() != 2)
    return std::nullopt;
  const auto parts = call->children();
  if (auto us = IntervalMicros(parts[1])) {
    auto base = OffsetFromRowTime(parts[0], schema, first);
    if (base) return call->name() == "+" ? *base + *us : *base - *us;
  }
  if (auto us = IntervalMicros(parts[0]); us && call->name() == "+") {
    auto base = OffsetFromRowTime(parts[1], schema, first);
    if (base) return *base + *us;
  }
  return std::nullopt;
}

}  // namespace

namespace {

/// Columns of `node` in the order `order` first, the others behind; properties follow.
NodePtr Reorder(const NodePtr& node, const std::vector<int>& order) {
  const PlanSchema& in = node->schema;
  bool same = true;
  for (size_t i = 0; i < order.size(); ++i) same = same && order[i] == static_cast<int>(i);
  if (same) return node;
  std::vector<int> all = order;
  std::vector<int> where(in.columns.size(), -1);
  for (size_t i = 0; i < order.size(); ++i) where[order[i]] = static_cast<int>(i);
  for (int i = 0; i < in.num_columns(); ++i) {
    if (where[i] >= 0) continue;
    where[i] = static_cast<int>(all.size());
    all.push_back(i);
  }
  auto project = MakeNode(NodeKind::kProject, {node}, node->span);
  PlanSchema& out = project->schema;
  out = in;
  out.columns.clear();
  for (int i : all) {
    project->exprs.push_back(ColumnOf(in, i));
    out.columns.push_back(in.columns[i]);
  }
  auto map = [&](std::vector<int>& columns) {
    for (int& c : columns) c = where[c];
  };
  if (out.row_time >= 0) out.row_time = where[out.row_time];
  map(out.processing_time);
  map(out.key);
  if (out.window) {
    map(out.window->start_columns);
    map(out.window->end_columns);
    map(out.window->struct_columns);
  }
  return project;
}

}  // namespace

BoundRelation Binder::BindWindowTable(const TableRef& ref) {
  BoundRelation input =
      ref.input->kind == TableKind::kQuery ? BindQuery(*ref.input->query) : BindTable(*ref.input);
  SelectContext context;
  context.scope = {&input.node->schema, input.relations, {}};
  std::vector<const Expr*> sizes;
  for (const ExprPtr& size : ref.sizes) sizes.push_back(size.get());
  WindowDefinition definition = BindWindowDefinition(ref.function, sizes, ref.span);
  Expr name;
  name.kind = ExprKind::kName;
  name.span = ref.descriptor->span;
  name.names = ref.descriptor->names;
  ExpressionPtr time = BindName(name, context);
  NodePtr source = input.node;
  const auto* column = dynamic_cast<const ColumnExpression*>(time.get());
  const auto& processing = source->schema.processing_time;
  if (column && std::find(processing.begin(), processing.end(), column->index()) != processing.end()) {
    definition.processing_time = true;
  } else {
    if (time->type().id() == TypeId::kJson) time = CastTo(time, Type::Timestamp(), name.span);
    if (!time->type().is_timestamp()) {
      throw UserError(Reason::kTypeError, name.span,
                      "DESCRIPTOR must name the row time, this is " + time->type().ToString());
    }
    source = WithRowTime(source, time, name.span);
  }
  if (source->schema.window) {
    throw UserError(Reason::kWindowMismatch, ref.span,
                    "the input already has windows (" + source->schema.window->definition.ToString() + ")")
        .Hint("group by its window_start and window_end");
  }
  auto node = MakeNode(NodeKind::kWindowAssign, {source}, ref.span);
  node->window = definition;
  for (const ExprPtr& key : ref.partition_by) {
    node->partition_by.push_back(BindExpr(*key, context));
  }
  node->schema = source->schema;
  node->time_column = definition.processing_time ? column->index() : source->schema.row_time;
  const int first = node->schema.num_columns();
  node->schema.columns.push_back({"window_start", Type::Timestamp(), false, false});
  node->schema.columns.push_back({"window_end", Type::Timestamp(), false, false});
  node->schema.columns.push_back({"window_time", Type::Timestamp(), false, false});
  node->schema.window = WindowProperty{definition, {first}, {first + 1}, {}};
  BoundRelation out;
  out.node = node;
  ScopeRelation relation;
  if (ref.alias) {
    relation.alias = *ref.alias;
  } else if (!input.relations.empty()) {
    relation.alias = input.relations[0].alias;
  }
  relation.first = 0;
  relation.count = node->schema.num_columns();
  relation.open = input.relations.size() == 1 && input.relations[0].open;
  out.relations = {relation};
  return out;
}

std::unique_ptr<Binder::FromTree> Binder::BindFromTree(const TableRef& ref) {
  auto tree = std::make_unique<FromTree>();
  tree->span = ref.span;
  if (ref.kind != TableKind::kJoin) {
    BoundRelation bound = BindTable(ref);
    tree->leaf = bound.node;
    tree->relations = std::move(bound.relations);
    tree->columns = bound.node->schema.columns;
    tree->changelog = bound.node->schema.changelog;
    return tree;
  }
  if (ref.natural)
    throw UserError(Reason::kUnsupported, ref.span, "NATURAL JOIN is not supported")
        .Hint("write USING (column, …)");
  tree->left = BindFromTree(*ref.left);
  tree->kind = ref.join;
  tree->on = ref.on.get();
  tree->using_columns = ref.using_columns;
  tree->columns = tree->left->columns;
  tree->relations = tree->left->relations;
  if (ref.right->kind == TableKind::kUnnest) {
    if (ref.right->with_ordinality)
      throw UserError(Reason::kUnsupported, ref.right->span, "WITH ORDINALITY is not supported yet");
    if (ref.join != JoinKind::kCross && ref.join != JoinKind::kInner) {
      throw UserError(Reason::kUnsupported, ref.right->span, "UNNEST can only be joined with CROSS JOIN");
    }
    SelectContext context;
    PlanSchema schema;
    schema.columns = tree->columns;
    context.scope = {&schema, tree->relations, tree->merged};
    tree->unnest = BindExpr(*ref.right->unnest, context);
    if (tree->unnest->type().id() != TypeId::kArray) {
      throw UserError(Reason::kUnnestNotArray, ref.right->span,
                      "UNNEST needs an array, this is " + tree->unnest->type().ToString());
    }
    const std::string name = !ref.right->column_aliases.empty() ? ref.right->column_aliases[0].text
                             : ref.right->alias                 ? ref.right->alias->text
                                                                : "unnest";
    ScopeRelation relation;
    if (ref.right->alias) relation.alias = *ref.right->alias;
    relation.first = static_cast<int>(tree->columns.size());
    relation.count = 1;
    tree->unnest_name = name;
    tree->columns.push_back({name, tree->unnest->type().element(), true, false});
    tree->relations.push_back(relation);
    tree->changelog = tree->left->changelog;
    return tree;
  }
  if (ref.right->as_of)
    throw UserError(Reason::kUnsupported, ref.right->as_of->span,
                    "lookup and temporal joins are not supported yet");
  tree->right = BindFromTree(*ref.right);
  const int offset = static_cast<int>(tree->columns.size());
  const bool one_sided = tree->kind == JoinKind::kSemi || tree->kind == JoinKind::kAnti;
  for (ScopeRelation relation : tree->right->relations) {
    relation.first += offset;
    for (const ScopeRelation& other : tree->left->relations) {
      if (!relation.alias.text.empty() && EqualsIgnoreCase(other.alias.text, relation.alias.text)) {
        throw UserError(Reason::kDuplicateName, relation.alias.span,
                        "the FROM clause has '" + relation.alias.text + "' twice")
            .Hint("give one an alias");
      }
    }
    if (!one_sided) tree->relations.push_back(relation);
  }
  tree->changelog = tree->left->changelog || tree->right->changelog;
  tree->merged = tree->left->merged;
  if (one_sided) return tree;  // only its ON sees the right side
  tree->columns.insert(tree->columns.end(), tree->right->columns.begin(), tree->right->columns.end());
  for (int column : tree->right->merged) tree->merged.push_back(column + offset);
  for (const Identifier& name : tree->using_columns) {
    // RIGHT and FULL would need the side that is there; the columns stay apart then.
    if (tree->kind == JoinKind::kRight || tree->kind == JoinKind::kFull) break;
    for (size_t i = 0; i < tree->right->columns.size(); ++i) {
      if (!tree->right->columns[i].hidden && EqualsIgnoreCase(tree->right->columns[i].name, name.text))
        tree->merged.push_back(offset + static_cast<int>(i));
    }
  }
  return tree;
}

NodePtr Binder::ResolveFrom(FromTree& tree, std::vector<ExpressionPtr>& conjuncts) {
  if (tree.leaf) {
    NodePtr node = tree.leaf;
    if (!conjuncts.empty()) node = RecogniseTopN(MakeFilter(node, JoinConjuncts(conjuncts), tree.span));
    conjuncts.clear();
    return node;
  }
  const int left_columns = static_cast<int>(tree.left->columns.size());
  if (tree.unnest) {
    std::vector<ExpressionPtr> below, above;
    for (const ExpressionPtr& c : conjuncts)
      (SideOf(*c, left_columns) == Side::kLeft ? below : above).push_back(c);
    NodePtr input = ResolveFrom(*tree.left, below);
    auto node = MakeNode(NodeKind::kUnnest, {input}, tree.span);
    node->array = tree.unnest;
    node->schema = input->schema;
    node->schema.columns.push_back({tree.unnest_name, tree.unnest->type().element(), true, false});
    conjuncts.clear();
    std::vector<int> order;
    for (int i = 0; i < left_columns; ++i) order.push_back(i);
    order.push_back(input->schema.num_columns());
    NodePtr out = Reorder(node, order);
    return above.empty() ? out : MakeFilter(out, JoinConjuncts(above), tree.span);
  }
  // Conditions of this join, over the columns side by side.
  PlanSchema joined;
  joined.columns = tree.left->columns;
  joined.columns.insert(joined.columns.end(), tree.right->columns.begin(), tree.right->columns.end());
  std::vector<ExpressionPtr> on;
  if (tree.on) {
    SelectContext context;
    context.scope = {&joined, tree.left->relations, tree.left->merged};
    for (int column : tree.right->merged) context.scope.merged.push_back(column + left_columns);
    for (ScopeRelation relation : tree.right->relations) {
      relation.first += left_columns;
      context.scope.relations.push_back(relation);
    }
    SplitConjuncts(ToBoolean(BindExpr(*tree.on, context), tree.on->span), &on);
  }
  for (const Identifier& name : tree.using_columns) {
    auto side = [&](const std::vector<ScopeRelation>& relations, int first, int count) {
      SelectContext context;
      PlanSchema schema;
      schema.columns.assign(joined.columns.begin() + first, joined.columns.begin() + first + count);
      context.scope = {&schema, relations, {}};
      Expr expr;
      expr.kind = ExprKind::kName;
      expr.span = name.span;
      expr.names = {name};
      return ShiftColumns(BindName(expr, context), first);
    };
    on.push_back(BindComparison(
        "=", side(tree.left->relations, 0, left_columns),
        side(tree.right->relations, left_columns, static_cast<int>(tree.right->columns.size())), name.span));
  }
  std::vector<ExpressionPtr> here, to_left, to_right, above;
  auto preserves_left =
      tree.kind == JoinKind::kLeft || tree.kind == JoinKind::kFull || tree.kind == JoinKind::kAnti;
  auto preserves_right = tree.kind == JoinKind::kRight || tree.kind == JoinKind::kFull;
  for (const ExpressionPtr& c : on) {
    const Side side = SideOf(*c, left_columns);
    if (side == Side::kLeft && !preserves_left)
      to_left.push_back(c);
    else if (side == Side::kRight && !preserves_right)
      to_right.push_back(ShiftColumns(c, -left_columns));
    else
      here.push_back(c);
  }
  for (const ExpressionPtr& c : conjuncts) {  // from above: filters of the join's result
    const Side side = SideOf(*c, left_columns);
    const bool outer =
        tree.kind == JoinKind::kLeft || tree.kind == JoinKind::kRight || tree.kind == JoinKind::kFull;
    if (c->volatility() != Volatility::kImmutable)
      above.push_back(c);
    else if (side == Side::kLeft && !preserves_right)
      to_left.push_back(c);
    else if (side == Side::kRight && !preserves_left && tree.kind != JoinKind::kSemi)
      to_right.push_back(ShiftColumns(c, -left_columns));
    else if (!outer && side == Side::kBoth)
      here.push_back(c);
    else
      above.push_back(c);
  }
  conjuncts.clear();
  NodePtr left = ResolveFrom(*tree.left, to_left);
  NodePtr right = ResolveFrom(*tree.right, to_right);
  // Joins below may have added hidden columns behind the tables' own.
  const int extra = left->schema.num_columns() - left_columns;
  if (extra > 0) {
    for (ExpressionPtr& c : here) {
      c = Rewrite(c, [&](const ExpressionPtr& e) -> ExpressionPtr {
        const auto* column = dynamic_cast<const ColumnExpression*>(e.get());
        if (!column || column->index() < left_columns) return nullptr;
        return MakeColumn(column->index() + extra, column->name(), column->type());
      });
    }
  }
  NodePtr join = BuildJoin(left, right, tree.kind, std::move(here), tree.span);
  if (tree.kind != JoinKind::kSemi && tree.kind != JoinKind::kAnti) {
    std::vector<int> order;
    for (int i = 0; i < left_columns; ++i) order.push_back(i);
    for (size_t i = 0; i < tree.right->columns.size(); ++i)
      order.push_back(left_columns + extra + static_cast<int>(i));
    join = Reorder(join, order);
  }
  return above.empty() ? join : MakeFilter(join, JoinConjuncts(above), tree.span);
}

NodePtr Binder::BuildJoin(NodePtr left, NodePtr right, JoinKind kind, std::vector<ExpressionPtr> conjuncts,
                          SourceSpan span) {
  const PlanSchema& l = left->schema;
  const PlanSchema& r = right->schema;
  const int nl = l.num_columns();
  auto in = [](const std::vector<int>& v, int c) { return std::find(v.begin(), v.end(), c) != v.end(); };
  const bool one_sided = kind == JoinKind::kSemi || kind == JoinKind::kAnti;

  std::vector<JoinKey> keys;
  std::vector<ExpressionPtr> residual;
  bool same_window = false;
  for (const ExpressionPtr& c : conjuncts) {
    const auto* call = dynamic_cast<const CallExpression*>(c.get());
    if (call && call->name() == "=" && call->children().size() == 2) {
      ExpressionPtr a = call->children()[0];
      ExpressionPtr b = call->children()[1];
      if (SideOf(*a, nl) == Side::kRight && SideOf(*b, nl) == Side::kLeft) std::swap(a, b);
      if (SideOf(*a, nl) == Side::kLeft && SideOf(*b, nl) == Side::kRight) {
        JoinKey key{a, ShiftColumns(b, -nl)};
        if (l.window && r.window) {
          const auto* lc = dynamic_cast<const ColumnExpression*>(key.left.get());
          const auto* rc = dynamic_cast<const ColumnExpression*>(key.right.get());
          auto both = [&](const std::vector<int>& x, const std::vector<int>& y) {
            return lc && rc && in(x, lc->index()) && in(y, rc->index());
          };
          if (both(l.window->start_columns, r.window->start_columns) ||
              both(l.window->end_columns, r.window->end_columns) ||
              both(l.window->struct_columns, r.window->struct_columns)) {
            same_window = true;
            continue;
          }
        }
        keys.push_back(std::move(key));
        continue;
      }
    }
    residual.push_back(c);
  }

  auto node = MakeNode(NodeKind::kJoin, {left, right}, span);
  node->join = kind == JoinKind::kCross ? JoinKind::kInner : kind;
  node->keys = std::move(keys);
  PlanSchema& schema = node->schema;
  auto outer_null = [&](bool is_left) {
    return is_left ? kind == JoinKind::kRight || kind == JoinKind::kFull
                   : kind == JoinKind::kLeft || kind == JoinKind::kFull;
  };
  for (PlanColumn column : l.columns) {
    column.nullable = column.nullable || outer_null(true);
    schema.columns.push_back(column);
  }
  if (!one_sided) {
    for (PlanColumn column : r.columns) {
      column.nullable = column.nullable || outer_null(false);
      schema.columns.push_back(column);
    }
  }
  schema.bounded = l.bounded && r.bounded;

  // A window on both sides: joined when it closes.
  const bool tumble_pair = l.window && r.window && l.window->definition == r.window->definition &&
                           l.window->definition.kind == WindowKind::kTumble;
  if (l.window && r.window && (same_window || tumble_pair)) {
    if (!(l.window->definition == r.window->definition)) {
      throw UserError(Reason::kWindowMismatch, span,
                      "the join is over different windows: " + l.window->definition.ToString() + " and " +
                          r.window->definition.ToString());
    }
    node->kind = NodeKind::kWindowJoin;
    node->residual = JoinConjuncts(residual);
    WindowProperty window = *l.window;
    if (kind == JoinKind::kRight) window = {l.window->definition, {}, {}, {}};
    if (!one_sided && kind != JoinKind::kLeft && kind != JoinKind::kFull) {
      for (int c : r.window->start_columns) window.start_columns.push_back(c + nl);
      for (int c : r.window->end_columns) window.end_columns.push_back(c + nl);
      for (int c : r.window->struct_columns) window.struct_columns.push_back(c + nl);
    }
    if (kind != JoinKind::kFull) {
      schema.window = window;
    }
    schema.row_time = kind == JoinKind::kRight  ? (r.row_time < 0 ? -1 : nl + r.row_time)
                      : kind == JoinKind::kFull ? -1
                                                : l.row_time;
    return node;
  }
  if (node->keys.empty() && one_sided == false && residual.empty()) {
    throw UserError(Reason::kJoinNeedsEquality, span, "a join needs an equality between the two sides")
        .Hint("add ON a.x = b.y");
  }

  // Bounds on both row times: rows can be forgotten as time goes on.
  if (!l.changelog && !r.changelog && node->join == JoinKind::kInner && l.row_time >= 0 && r.row_time >= 0) {
    auto earliest = [&](ExpressionPtr& keep, ExpressionPtr bound) {
      keep = keep ? Call("least", {keep, std::move(bound)}, span) : std::move(bound);
    };
    for (const ExpressionPtr& c : residual) {
      const auto* call = dynamic_cast<const CallExpression*>(c.get());
      if (!call || call->children().size() != 2) continue;
      ExpressionPtr low = call->children()[0];
      ExpressionPtr high = call->children()[1];
      if (call->name() == ">" || call->name() == ">=")
        std::swap(low, high);
      else if (call->name() != "<" && call->name() != "<=")
        continue;
      if (!low->type().is_timestamp() || !high->type().is_timestamp()) continue;
      // low ≤ high, each on its own side: `low` bounds how late its side's partner may come.
      if (SideOf(*low, nl) == Side::kRight && SideOf(*high, nl) == Side::kLeft) {
        if (auto offset = OffsetFromRowTime(low, r, nl))
          earliest(node->left_keep_until,
                   *offset == 0 ? high : Call("-", {high, IntervalLiteral(*offset)}, span));
      } else if (SideOf(*low, nl) == Side::kLeft && SideOf(*high, nl) == Side::kRight) {
        if (auto offset = OffsetFromRowTime(low, l, 0)) {
          ExpressionPtr bound = ShiftColumns(high, -nl);
          earliest(node->right_keep_until,
                   *offset == 0 ? bound : Call("-", {bound, IntervalLiteral(*offset)}, span));
        }
      }
    }
    if (node->left_keep_until && node->right_keep_until && !node->keys.empty()) {
      node->kind = NodeKind::kIntervalJoin;
      node->residual = JoinConjuncts(residual);
      node->left_keep_until = CastTo(node->left_keep_until, Type::Timestamp(), span);
      node->right_keep_until = CastTo(node->right_keep_until, Type::Timestamp(), span);
      // Row time of the result: the later of the two.
      auto project = MakeNode(NodeKind::kProject, {node}, span);
      project->schema = schema;
      for (int i = 0; i < schema.num_columns(); ++i) project->exprs.push_back(ColumnOf(schema, i));
      ExpressionPtr lt = ColumnOf(schema, l.row_time);
      ExpressionPtr rt = ColumnOf(schema, nl + r.row_time);
      lt = CastTo(lt, Type::Timestamp(), span);
      rt = CastTo(rt, Type::Timestamp(), span);
      project->exprs.push_back(Call("greatest", {lt, rt}, span));
      project->schema.row_time = schema.num_columns();
      project->schema.columns.push_back({"row_time", Type::Timestamp(), true, true});
      return project;
    }
    node->left_keep_until = nullptr;
    node->right_keep_until = nullptr;
  }
  if (node->keys.empty()) {
    throw UserError(Reason::kJoinNeedsEquality, span, "a join needs an equality between the two sides")
        .Hint("add ON a.x = b.y");
  }
  node->residual = JoinConjuncts(residual);
  const bool append =
      !l.changelog && !r.changelog && (node->join == JoinKind::kInner || node->join == JoinKind::kSemi);
  schema.changelog = !append;
  if (schema.changelog && !l.key.empty() && !r.key.empty() && !one_sided) {
    schema.key = l.key;
    for (int k : r.key) schema.key.push_back(k + nl);
  }
  return node;
}

}  // namespace laminar::sql
