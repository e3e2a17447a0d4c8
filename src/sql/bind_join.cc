// FROM: tables, subqueries, window table functions and joins.
//
// The FROM clause is bound to a tree of leaves first. Conditions (ON, and the WHERE conjuncts) are bound over
// the columns of all leaves side by side and then handed down the tree: filters to the side they concern,
// equalities to the join, bounds on both row times to an interval join. So `FROM a, b WHERE a.id = b.id` and
// `a JOIN b ON a.id = b.id` give one plan.

#include <algorithm>
#include <set>

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

/// A row's window bound as row time + offset. A row inside an assigned window has its own row time.
std::optional<int64_t> OffsetOfWindowPart(const ExpressionPtr& expression, const PlanSchema& schema) {
  if (!schema.window || !schema.window->whole) return std::nullopt;
  const WindowDefinition& window = schema.window->definition;
  switch (PartOfWindow(expression, schema)) {
    case WindowPart::kEnd:
      return 1;
    case WindowPart::kTime:
      return 1 - kWindowTimeUs;
    case WindowPart::kStart:
      if (window.kind == WindowKind::kTumble || window.kind == WindowKind::kHop) return 1 - window.size_us;
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

/// `time`, over columns of `schema`, as row time + offset. A window's end counts as row time + 1 µs.
std::optional<int64_t> OffsetFromRowTime(const ExpressionPtr& time, const PlanSchema& schema) {
  const ExpressionPtr expression = WithoutTimeCasts(time);
  if (const int column = ColumnIndex(expression); column >= 0 && column == schema.row_time) return 0;
  if (const auto offset = OffsetOfWindowPart(expression, schema)) return offset;
  const auto* call = dynamic_cast<const CallExpression*>(expression.get());
  if (!call || (call->name() != "+" && call->name() != "-") || call->children().size() != 2)
    return std::nullopt;
  const auto parts = call->children();
  if (auto us = FixedIntervalUs(parts[1])) {
    auto base = OffsetFromRowTime(parts[0], schema);
    if (base) return call->name() == "+" ? *base + *us : *base - *us;
  }
  if (auto us = FixedIntervalUs(parts[0]); us && call->name() == "+") {
    auto base = OffsetFromRowTime(parts[1], schema);
    if (base) return *base + *us;
  }
  return std::nullopt;
}

/// Whether the rows' windows or row times come up in an expression over columns of `schema` that start at
/// `first`.
bool SpeaksOfTime(const Expression& expression, const PlanSchema& schema, int first) {
  std::vector<int> columns;
  CollectColumns(expression, &columns);
  return std::any_of(columns.begin(), columns.end(), [&](int column) {
    const int index = column - first;
    if (index < 0 || index >= schema.num_columns()) return false;
    if (index == schema.row_time) return true;
    return schema.window &&
           (Contains(schema.window->start_columns, index) || Contains(schema.window->end_columns, index) ||
            Contains(schema.window->struct_columns, index) || Contains(schema.window->time_columns, index));
  });
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
    map(out.window->time_columns);
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
  if (source->schema.window) CheckWindowOfWindows(definition, source->schema.window->definition, ref.span);
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
  node->schema.window = WindowProperty{definition, {first}, {first + 1}, {}, {first + 2}};
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
  tree->merged = tree->left->merged;
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
  if (one_sided) return tree;  // only its ON sees the right side
  tree->columns.insert(tree->columns.end(), tree->right->columns.begin(), tree->right->columns.end());
  for (int column : tree->right->merged.hidden) tree->merged.hidden.push_back(column + offset);
  for (const auto& [column, meaning] : tree->right->merged.stands_for)
    tree->merged.stands_for[column + offset] = ShiftColumns(meaning, offset);
  MergeUsingColumns(*tree);
  return tree;
}

/// A column of USING on one side of the join, over that side's columns.
ExpressionPtr Binder::UsingColumn(const FromTree& side, const Identifier& name) {
  PlanSchema schema;
  schema.columns = side.columns;
  SelectContext context;
  context.scope = {&schema, side.relations, side.merged};
  Expr expr;
  expr.kind = ExprKind::kName;
  expr.span = name.span;
  expr.names = {name};
  return BindName(expr, context);
}

void Binder::MergeUsingColumns(FromTree& tree) {
  const int offset = static_cast<int>(tree.left->columns.size());
  // The columns of one side that the bare name finds there.
  auto visible = [](const FromTree& side, const Identifier& name) {
    std::vector<int> found;
    for (size_t i = 0; i < side.columns.size(); ++i) {
      const int column = static_cast<int>(i);
      if (!side.columns[i].hidden && !Contains(side.merged.hidden, column) &&
          EqualsIgnoreCase(side.columns[i].name, name.text))
        found.push_back(column);
    }
    return found;
  };
  for (const Identifier& name : tree.using_columns) {
    const ExpressionPtr left = UsingColumn(*tree.left, name);
    const ExpressionPtr right = ShiftColumns(UsingColumn(*tree.right, name), offset);
    for (const int column : visible(*tree.right, name)) tree.merged.hidden.push_back(column + offset);
    if (tree.kind != JoinKind::kRight && tree.kind != JoinKind::kFull) continue;
    for (const int column : visible(*tree.left, name)) {  // the side that is there
      tree.merged.stands_for[column] =
          tree.kind == JoinKind::kRight ? right : Call("coalesce", {left, right}, name.span);
    }
  }
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
    for (int column : tree.right->merged.hidden) context.scope.merged.hidden.push_back(column + left_columns);
    for (const auto& [column, meaning] : tree.right->merged.stands_for)
      context.scope.merged.stands_for[column + left_columns] = ShiftColumns(meaning, left_columns);
    for (ScopeRelation relation : tree.right->relations) {
      relation.first += left_columns;
      context.scope.relations.push_back(relation);
    }
    SplitConjuncts(ToBoolean(BindExpr(*tree.on, context), tree.on->span), &on);
  }
  for (const Identifier& name : tree.using_columns) {
    on.push_back(BindComparison("=", UsingColumn(*tree.left, name),
                                ShiftColumns(UsingColumn(*tree.right, name), left_columns), name.span));
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

namespace {

/// Whether rows whose windows agree in `parts` are of the same window.
bool MakeSameWindow(const std::set<WindowPart>& parts, const PlanSchema& schema) {
  if (parts.empty() || parts.count(WindowPart::kStruct)) return !parts.empty();
  if (schema.window->definition.kind != WindowKind::kSession) return true;
  return parts.count(WindowPart::kStart) && parts.size() > 1;
}

}  // namespace

NodePtr Binder::BuildJoin(NodePtr left, NodePtr right, JoinKind kind, std::vector<ExpressionPtr> conjuncts,
                          SourceSpan span) {
  const PlanSchema& l = left->schema;
  const PlanSchema& r = right->schema;
  const int nl = l.num_columns();
  const bool one_sided = kind == JoinKind::kSemi || kind == JoinKind::kAnti;

  std::vector<JoinKey> keys, window_keys;
  std::vector<ExpressionPtr> residual;
  std::set<WindowPart> equal_parts;  // of the two sides' windows
  bool speaks_of_times = false;      // compares their windows or row times in another way
  for (const ExpressionPtr& c : conjuncts) {
    const auto* call = dynamic_cast<const CallExpression*>(c.get());
    if (call && call->name() == "=" && call->children().size() == 2) {
      ExpressionPtr a = call->children()[0];
      ExpressionPtr b = call->children()[1];
      if (SideOf(*a, nl) == Side::kRight && SideOf(*b, nl) == Side::kLeft) std::swap(a, b);
      if (SideOf(*a, nl) == Side::kLeft && SideOf(*b, nl) == Side::kRight) {
        JoinKey key{a, ShiftColumns(b, -nl)};
        const WindowPart part = PartOfWindow(key.left, l);
        if (part != WindowPart::kNone && part == PartOfWindow(key.right, r)) {
          equal_parts.insert(part);
          window_keys.push_back(std::move(key));
          continue;
        }
        speaks_of_times =
            speaks_of_times || (SpeaksOfTime(*key.left, l, 0) && SpeaksOfTime(*key.right, r, 0));
        keys.push_back(std::move(key));
        continue;
      }
    }
    speaks_of_times = speaks_of_times || (SpeaksOfTime(*c, l, 0) && SpeaksOfTime(*c, r, nl));
    residual.push_back(c);
  }
  const bool same_window = MakeSameWindow(equal_parts, l);
  if (!same_window) keys.insert(keys.end(), window_keys.begin(), window_keys.end());

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

  // A window on both sides: joined when it closes. Two equal tumbles need no condition that says so, unless
  // the conditions say something else of times, such as that one window follows the other.
  const bool tumble_pair = l.window && r.window && l.window->definition == r.window->definition &&
                           l.window->definition.kind == WindowKind::kTumble && !speaks_of_times;
  if (l.window && r.window && (same_window || tumble_pair)) {
    if (!(l.window->definition == r.window->definition)) {
      throw UserError(Reason::kWindowMismatch, span,
                      "the join is over different windows: " + l.window->definition.ToString() + " and " +
                          r.window->definition.ToString());
    }
    node->kind = NodeKind::kWindowJoin;
    node->residual = JoinConjuncts(residual);
    WindowProperty window = *l.window;
    if (kind == JoinKind::kRight) window = {l.window->definition, {}, {}, {}, {}, r.window->whole};
    if (!one_sided && kind != JoinKind::kLeft && kind != JoinKind::kFull) {
      for (int c : r.window->start_columns) window.start_columns.push_back(c + nl);
      for (int c : r.window->end_columns) window.end_columns.push_back(c + nl);
      for (int c : r.window->struct_columns) window.struct_columns.push_back(c + nl);
      for (int c : r.window->time_columns) window.time_columns.push_back(c + nl);
    }
    if (kind != JoinKind::kFull) {
      schema.window = window;
    }
    schema.row_time = kind == JoinKind::kRight  ? (r.row_time < 0 ? -1 : nl + r.row_time)
                      : kind == JoinKind::kFull ? -1
                                                : l.row_time;
    return AtWindowEnd(node);
  }
  if (node->keys.empty() && one_sided == false && residual.empty()) {
    throw UserError(Reason::kJoinNeedsEquality, span, "a join needs an equality between the two sides")
        .Hint("add ON a.x = b.y");
  }

  // Bounds on both row times: rows can be forgotten as time goes on.
  if (NodePtr interval = AsIntervalJoin(*node, residual, span)) return interval;
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

namespace {

/// A condition that bounds how far the row times of two joined rows are apart.
struct TimeBound {
  bool late;  ///< the right row is not much later than the left; else not much earlier
  /// The most that it is later (or earlier) by. Without a value the bound depends on the row:
  std::optional<int64_t> most_us;
  ExpressionPtr last;  ///< no partner has a row time above last − offset; over its own side's columns
  int64_t offset_us = 0;
};

constexpr int64_t kMostUs = INT64_MAX / 4;  // sums of two stay in range

/// Row times in nanoseconds are floored by the join: what a condition says of them stays a predicate.
bool HasExactRowTime(const PlanSchema& schema) {
  const Type& type = schema.columns[static_cast<size_t>(schema.row_time)].type;
  return type.id() == TypeId::kTimestampTz || type.precision() <= 6;
}

std::optional<TimeBound> TimeBoundOf(const ExpressionPtr& condition, const PlanSchema& left,
                                     const PlanSchema& right) {
  const auto* call = dynamic_cast<const CallExpression*>(condition.get());
  if (!call || call->children().size() != 2) return std::nullopt;
  const bool falls = call->name() == ">" || call->name() == ">=";
  if (!falls && call->name() != "<" && call->name() != "<=") return std::nullopt;
  ExpressionPtr low = call->children()[falls ? 1 : 0], high = call->children()[falls ? 0 : 1];
  if (!low->type().is_timestamp() || !high->type().is_timestamp()) return std::nullopt;
  const int nl = left.num_columns();
  TimeBound bound;
  bound.late = SideOf(*low, nl) == Side::kRight;
  if (!bound.late && SideOf(*low, nl) != Side::kLeft) return std::nullopt;
  if (SideOf(*high, nl) != (bound.late ? Side::kLeft : Side::kRight)) return std::nullopt;
  auto offset = [&](const ExpressionPtr& time, bool of_left) {
    return of_left ? OffsetFromRowTime(time, left) : OffsetFromRowTime(ShiftColumns(time, -nl), right);
  };
  const auto low_offset = offset(low, !bound.late);
  if (!low_offset) return std::nullopt;
  bound.offset_us = *low_offset;
  bound.last = bound.late ? high : ShiftColumns(high, -nl);
  const auto high_offset = offset(high, bound.late);
  int64_t most_us;
  if (high_offset && HasExactRowTime(left) && HasExactRowTime(right) &&
      !__builtin_sub_overflow(*high_offset, *low_offset, &most_us) && std::abs(most_us) < kMostUs) {
    bound.most_us = most_us - (call->name().size() == 1 ? 1 : 0);  // < is ≤ a microsecond earlier
  }
  return bound;
}

/// How much later the right row is than the left one by an equality of both row times.
std::optional<int64_t> OffsetOfEqualTimes(const JoinKey& key, const PlanSchema& left,
                                          const PlanSchema& right) {
  if (!key.left->type().is_timestamp() || !key.right->type().is_timestamp()) return std::nullopt;
  if (!HasExactRowTime(left) || !HasExactRowTime(right)) return std::nullopt;
  const auto l = OffsetFromRowTime(key.left, left);
  const auto r = OffsetFromRowTime(key.right, right);
  int64_t later;
  if (!l || !r || __builtin_sub_overflow(*l, *r, &later) || std::abs(later) >= kMostUs) return std::nullopt;
  return later;
}

}  // namespace

/// An interval join instead of `join` where `conditions` bound both row times, else a null pointer.
NodePtr Binder::AsIntervalJoin(const LogicalNode& join, const std::vector<ExpressionPtr>& conditions,
                               SourceSpan span) {
  const PlanSchema& l = join.inputs[0]->schema;
  const PlanSchema& r = join.inputs[1]->schema;
  if (l.changelog || r.changelog || l.row_time < 0 || r.row_time < 0 || join.keys.empty()) return nullptr;
  // Rows that were given their session come when it closes, behind the watermark.
  for (const PlanSchema* side : {&l, &r}) {
    if (side->window && !side->window->whole && side->window->definition.kind == WindowKind::kSession)
      return nullptr;
  }
  if (join.join == JoinKind::kSemi || join.join == JoinKind::kAnti) return nullptr;
  std::optional<int64_t> most_us[2];  // how much later, how much earlier the right row may be
  ExpressionPtr keep_until[2];        // of the left, of the right row
  std::vector<ExpressionPtr> residual;
  for (const JoinKey& key : join.keys) {
    const auto later = OffsetOfEqualTimes(key, l, r);
    if (!later) continue;
    most_us[0] = std::min(most_us[0].value_or(kMostUs), *later);
    most_us[1] = std::min(most_us[1].value_or(kMostUs), -*later);
  }
  for (const ExpressionPtr& condition : conditions) {
    const auto bound = TimeBoundOf(condition, l, r);
    const size_t side = bound && bound->late ? 0 : 1;
    if (bound && bound->most_us) {
      most_us[side] = std::min(most_us[side].value_or(kMostUs), *bound->most_us);
      continue;
    }
    residual.push_back(condition);
    if (!bound) continue;
    ExpressionPtr until = bound->last;
    if (bound->offset_us != 0) until = Call("-", {until, IntervalLiteral(bound->offset_us)}, span);
    until = CastTo(until, Type::Timestamp(), span);
    keep_until[side] = keep_until[side] ? Call("least", {keep_until[side], until}, span) : until;
  }
  const bool outer = join.join != JoinKind::kInner;  // has to know for how long a row may find a partner
  for (size_t side : {0, 1}) {
    if (most_us[side]) keep_until[side] = nullptr;
    if (!most_us[side] && (outer || !keep_until[side])) return nullptr;
  }
  auto node = std::make_shared<LogicalNode>(join);
  node->kind = NodeKind::kIntervalJoin;
  node->residual = JoinConjuncts(residual);
  node->upper_us = most_us[0];
  if (most_us[1]) node->lower_us = -*most_us[1];
  node->left_keep_until = keep_until[0];
  node->right_keep_until = keep_until[1];
  return WithLaterRowTime(node, span);
}

/// Row time of a join's result: the later of the two sides', or of the one that is there.
NodePtr Binder::WithLaterRowTime(const NodePtr& join, SourceSpan span) {
  const PlanSchema& schema = join->schema;
  auto project = MakeNode(NodeKind::kProject, {join}, span);
  project->schema = schema;
  for (int i = 0; i < schema.num_columns(); ++i) project->exprs.push_back(ColumnOf(schema, i));
  const int left = join->inputs[0]->schema.row_time;
  const int right = join->inputs[0]->schema.num_columns() + join->inputs[1]->schema.row_time;
  ExpressionPtr lt = CastTo(ColumnOf(schema, left), Type::Timestamp(), span);
  ExpressionPtr rt = CastTo(ColumnOf(schema, right), Type::Timestamp(), span);
  project->exprs.push_back(Call("greatest", {lt, rt}, span));  // leaves a NULL out
  project->schema.row_time = schema.num_columns();
  project->schema.columns.push_back({"row_time", Type::Timestamp(), true, true});
  return project;
}

}  // namespace laminar::sql
