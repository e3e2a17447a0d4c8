// SELECT, VALUES, set operations, ORDER BY and LIMIT.

#include <arrow/scalar.h>

#include <algorithm>
#include <limits>

#include "sql/binder.h"
#include "sql/rules/rules.h"

namespace laminar::sql {

std::shared_ptr<LogicalNode> MakeNode(NodeKind kind, std::vector<NodePtr> inputs, SourceSpan span) {
  auto node = std::make_shared<LogicalNode>();
  node->kind = kind;
  node->inputs = std::move(inputs);
  node->span = span;
  return node;
}

NodePtr MakeFilter(NodePtr input, ExpressionPtr predicate, SourceSpan span) {
  auto node = MakeNode(NodeKind::kFilter, {input}, span);
  node->predicate = std::move(predicate);
  node->schema = input->schema;
  return node;
}

NodePtr MakeProject(NodePtr input, std::vector<ExpressionPtr> exprs, std::vector<std::string> names,
                    SourceSpan span) {
  const PlanSchema& in = input->schema;
  auto node = MakeNode(NodeKind::kProject, {input}, span);
  PlanSchema& out = node->schema;
  out.changelog = in.changelog;
  out.bounded = in.bounded;
  out.default_row_time = in.default_row_time;
  std::vector<int> where(in.columns.size(), -1);  // first output that passes the input column on
  for (size_t i = 0; i < exprs.size(); ++i) {
    const int column = ColumnIndex(exprs[i]);
    const bool nullable = column < 0 || in.columns[column].nullable;
    out.columns.push_back({names[i], exprs[i]->type(), nullable, false});
    if (column >= 0 && where[column] < 0) where[column] = static_cast<int>(i);
    const auto* call = dynamic_cast<const CallExpression*>(exprs[i].get());
    if ((call && call->name() == "proctime") || (column >= 0 && Contains(in.processing_time, column))) {
      out.processing_time.push_back(static_cast<int>(i));
    }
  }
  auto carry = [&](int column) {  // passes an input column on, hidden unless it is there already
    if (where[column] >= 0) return where[column];
    where[column] = static_cast<int>(out.columns.size());
    PlanColumn hidden = in.columns[column];
    hidden.hidden = true;
    out.columns.push_back(hidden);
    exprs.push_back(MakeColumn(column, hidden.name, hidden.type));
    return where[column];
  };
  if (in.row_time >= 0) out.row_time = carry(in.row_time);
  if (in.window) {
    WindowProperty window;
    window.definition = in.window->definition;
    window.whole = in.window->whole;
    const size_t visible = names.size();
    for (size_t i = 0; i < visible; ++i) {
      switch (PartOfWindow(exprs[i], in)) {
        case WindowPart::kStruct:
          window.struct_columns.push_back(static_cast<int>(i));
          break;
        case WindowPart::kStart:
          window.start_columns.push_back(static_cast<int>(i));
          break;
        case WindowPart::kEnd:
          window.end_columns.push_back(static_cast<int>(i));
          break;
        case WindowPart::kTime:
          window.time_columns.push_back(static_cast<int>(i));
          break;
        case WindowPart::kNone:
          break;
      }
    }
    if (window.start_columns.empty() && !in.window->start_columns.empty())
      window.start_columns.push_back(carry(in.window->start_columns[0]));
    if (window.end_columns.empty() && !in.window->end_columns.empty())
      window.end_columns.push_back(carry(in.window->end_columns[0]));
    out.window = std::move(window);
  }
  for (int key : in.key) out.key.push_back(carry(key));  // so that a sink can tell an update of a row
  out.one_row = in.one_row;
  node->exprs = std::move(exprs);
  return node;
}

int64_t Binder::BindCount(const Expr& expr, const char* what) {
  if (expr.kind == ExprKind::kNumber && expr.text.find_first_of(".eE") == std::string::npos &&
      expr.text.size() < 19)
    return std::stoll(expr.text);
  throw UserError(Reason::kTypeError, expr.span, std::string(what) + " must be a whole number");
}

NodePtr Binder::BindValues(const Query& query) {
  auto node = MakeNode(NodeKind::kValues, {}, query.span);
  SelectContext context;
  for (const auto& row : query.values) {
    if (row.size() != query.values[0].size()) {
      throw UserError(Reason::kSyntax, query.span, "all rows of VALUES must have the same number of columns");
    }
    std::vector<ExpressionPtr> bound;
    for (const ExprPtr& value : row) bound.push_back(BindExpr(*value, context));
    node->rows.push_back(std::move(bound));
  }
  for (size_t c = 0; c < query.values[0].size(); ++c) {
    std::vector<ExpressionPtr> column;
    for (auto& row : node->rows) column.push_back(row[c]);
    const Type type = Unify(column, query.span, "a column of VALUES");
    for (size_t i = 0; i < column.size(); ++i) node->rows[i][c] = column[i];
    node->schema.columns.push_back({"column" + std::to_string(c + 1), type, true, false});
  }
  node->schema.bounded = true;
  return node;
}

NodePtr Binder::MakeDistinct(NodePtr input, SourceSpan span) {
  if (input->schema.changelog) {
    auto node = MakeNode(NodeKind::kAggregate, {input}, span);
    for (int i = 0; i < input->schema.num_columns(); ++i) {
      const PlanColumn& column = input->schema.columns[i];
      if (column.hidden) continue;
      node->groups.push_back(MakeColumn(i, column.name, column.type));
      node->schema.key.push_back(node->schema.num_columns());
      node->schema.columns.push_back(column);
    }
    node->schema.changelog = true;
    node->schema.bounded = input->schema.bounded;
    return node;
  }
  auto node = MakeNode(NodeKind::kDistinct, {input}, span);
  for (int i = 0; i < input->schema.num_columns(); ++i) {
    const PlanColumn& column = input->schema.columns[i];
    if (!column.hidden) node->partition_by.push_back(MakeColumn(i, column.name, column.type));
  }
  node->schema = input->schema;
  return node;
}

NodePtr Binder::BindSetOperation(const Query& query) {
  if (query.operation == SetOperation::kIntersect || query.operation == SetOperation::kExcept) {
    throw UserError(Reason::kUnsupported, query.span,
                    query.operation == SetOperation::kIntersect ? "INTERSECT is not supported yet"
                                                                : "EXCEPT is not supported yet");
  }
  std::vector<NodePtr> sides{BindQuery(*query.left).node, BindQuery(*query.right).node};
  std::vector<std::vector<int>> visible(2);
  for (int s = 0; s < 2; ++s) {
    for (int i = 0; i < sides[s]->schema.num_columns(); ++i) {
      if (!sides[s]->schema.columns[i].hidden) visible[s].push_back(i);
    }
  }
  if (visible[0].size() != visible[1].size()) {
    throw UserError(Reason::kSchemaMismatch, query.span,
                    "UNION of " + std::to_string(visible[0].size()) + " and " +
                        std::to_string(visible[1].size()) + " columns");
  }
  std::vector<Type> types;
  std::vector<std::string> names;
  for (size_t c = 0; c < visible[0].size(); ++c) {
    const PlanColumn& a = sides[0]->schema.columns[visible[0][c]];
    const PlanColumn& b = sides[1]->schema.columns[visible[1][c]];
    auto type = CommonType(a.type, b.type);
    if (!type) {
      throw UserError(Reason::kTypeError, query.span,
                      "column " + std::to_string(c + 1) + " of UNION is " + a.type.ToString() + " and " +
                          b.type.ToString());
    }
    types.push_back(*type);
    names.push_back(a.name);
  }
  const bool timed = sides[0]->schema.row_time >= 0 && sides[1]->schema.row_time >= 0;
  const bool windowed = sides[0]->schema.window && sides[1]->schema.window &&
                        sides[0]->schema.window->definition == sides[1]->schema.window->definition;
  auto node = MakeNode(NodeKind::kUnion, {}, query.span);
  // Where both sides have their row time in the same output column, that column is the result's.
  auto time_position = [&](int s) {
    const auto at = std::find(visible[s].begin(), visible[s].end(), sides[s]->schema.row_time);
    return at == visible[s].end() ? -1 : static_cast<int>(at - visible[s].begin());
  };
  const int shared_time = timed && time_position(0) == time_position(1) ? time_position(0) : -1;
  bool changelog = false, bounded = true, default_time = false;
  for (int s = 0; s < 2; ++s) {
    const PlanSchema& in = sides[s]->schema;
    std::vector<ExpressionPtr> exprs;
    for (size_t c = 0; c < types.size(); ++c) {
      const int i = visible[s][c];
      exprs.push_back(CastTo(MakeColumn(i, in.columns[i].name, in.columns[i].type), types[c], query.span));
    }
    auto project = MakeNode(NodeKind::kProject, {sides[s]}, query.span);
    project->schema.columns.clear();
    for (size_t c = 0; c < types.size(); ++c)
      project->schema.columns.push_back({names[c], types[c], true, false});
    if (shared_time >= 0) {
      project->schema.row_time = shared_time;
    } else if (timed) {
      project->schema.row_time = static_cast<int>(exprs.size());
      exprs.push_back(CastTo(MakeColumn(in.row_time, "row_time", in.columns[in.row_time].type),
                             Type::Timestamp(), query.span));
      project->schema.columns.push_back({"row_time", Type::Timestamp(), true, true});
    }
    if (windowed) {
      const int first = static_cast<int>(exprs.size());
      for (int which : {0, 1}) {
        const auto& columns = which == 0 ? in.window->start_columns : in.window->end_columns;
        exprs.push_back(
            MakeColumn(columns[0], which == 0 ? "window_start" : "window_end", Type::Timestamp()));
        project->schema.columns.push_back(
            {which == 0 ? "window_start" : "window_end", Type::Timestamp(), true, true});
      }
      WindowProperty window{in.window->definition, {first}, {first + 1}, {}, {}, in.window->whole};
      for (size_t c = 0; c < types.size(); ++c) {
        const int i = visible[s][c];
        if (Contains(in.window->start_columns, i)) window.start_columns.push_back(static_cast<int>(c));
        if (Contains(in.window->end_columns, i)) window.end_columns.push_back(static_cast<int>(c));
        if (Contains(in.window->struct_columns, i)) window.struct_columns.push_back(static_cast<int>(c));
        if (Contains(in.window->time_columns, i)) window.time_columns.push_back(static_cast<int>(c));
      }
      project->schema.window = std::move(window);
    }
    changelog = changelog || in.changelog;
    bounded = bounded && in.bounded;
    default_time = default_time || in.default_row_time;
    project->schema.changelog = in.changelog;
    project->exprs = std::move(exprs);
    node->inputs.push_back(project);
  }
  node->schema = node->inputs[0]->schema;
  if (windowed) {  // only columns that hold the window on both sides
    auto common = [](std::vector<int> a, const std::vector<int>& b) {
      std::erase_if(a, [&](int c) { return !Contains(b, c); });
      return a;
    };
    const WindowProperty& other = *node->inputs[1]->schema.window;
    WindowProperty& window = *node->schema.window;
    window.start_columns = common(window.start_columns, other.start_columns);
    window.end_columns = common(window.end_columns, other.end_columns);
    window.struct_columns = common(window.struct_columns, other.struct_columns);
    window.time_columns = common(window.time_columns, other.time_columns);
    window.whole = window.whole && other.whole;
  } else {
    node->schema.window.reset();
  }
  node->schema.changelog = changelog;
  node->schema.bounded = bounded;
  node->schema.default_row_time = default_time && timed;
  return query.operation == SetOperation::kUnion ? MakeDistinct(node, query.span) : NodePtr(node);
}

BoundRelation Binder::BindQuery(const Query& query) {
  CteScope scope;
  ctes_.push_back(scope);
  struct Pop {
    std::vector<CteScope>& ctes;
    ~Pop() { ctes.pop_back(); }
  } pop{ctes_};
  for (const Query::Cte& cte : query.with) {
    BoundRelation bound = BindQuery(*cte.query);
    if (!cte.columns.empty()) RenameColumns(bound, cte.columns, cte.name.span);
    ctes_.back()[FoldName(cte.name.text)] = std::move(bound);
  }
  NodePtr node;
  if (query.select) {
    node = BindSelect(query, *query.select);
  } else {
    node = query.left ? BindSetOperation(query) : BindValues(query);
    node = BindOrderAndLimit(node, query);
  }
  BoundRelation out;
  out.node = node;
  ScopeRelation relation;
  relation.count = node->schema.num_columns();
  out.relations = {relation};
  return out;
}

namespace {

/// The name of a SELECT item without an alias.
std::string DefaultName(const Expr& expr, size_t position) {
  switch (expr.kind) {
    case ExprKind::kName:
    case ExprKind::kField:
      return expr.names.back().text;
    case ExprKind::kFunction:
      return FoldName(expr.names.back().text);
    case ExprKind::kCast:
      return DefaultName(*expr.args[0], position);
    case ExprKind::kCase:
      return "case";
    default:
      return "column" + std::to_string(position + 1);
  }
}

/// `ORDER BY 2`, `GROUP BY 1`: the position, or −1.
int Ordinal(const Expr& expr, size_t count, const char* clause) {
  if (expr.kind != ExprKind::kNumber || expr.text.find_first_of(".eE") != std::string::npos) return -1;
  const long long n = expr.text.size() > 9 ? 0 : std::stoll(expr.text);
  if (n < 1 || n > static_cast<long long>(count)) {
    throw UserError(Reason::kSyntax, expr.span,
                    std::string(clause) + " position " + expr.text +
                        " is not in the SELECT list, which has " + std::to_string(count) + " items");
  }
  return static_cast<int>(n) - 1;
}

/// The first of `names` that `wanted` means, an exact match before one ignoring case; −1: none.
int FindName(const Identifier& wanted, const std::vector<std::string>& names) {
  const auto exact = std::find(names.begin(), names.end(), wanted.text);
  if (exact != names.end()) return static_cast<int>(exact - names.begin());
  for (size_t i = 0; i < names.size() && !wanted.quoted; ++i) {
    if (EqualsIgnoreCase(names[i], wanted.text)) return static_cast<int>(i);
  }
  return -1;
}

/// The columns that `*` or `t.*` stands for.
std::vector<int> StarColumns(const SelectItem& item, const Scope& scope) {
  std::vector<int> out;
  bool relation_found = !item.star_table;
  for (const ScopeRelation& relation : scope.relations) {
    if (item.star_table && !EqualsIgnoreCase(relation.alias.text, item.star_table->text)) continue;
    relation_found = true;
    for (int i = relation.first; i < relation.first + relation.count; ++i) {
      const bool merged = !item.star_table && Contains(scope.merged.hidden, i);
      if (!scope.schema->columns[i].hidden && !merged) out.push_back(i);
    }
  }
  if (!relation_found)
    throw UserError(Reason::kUnknownTable, item.star_table->span,
                    "no table '" + item.star_table->text + "' in FROM");
  return out;
}

}  // namespace

bool HasAggregate(const Expr& expr, const FunctionRegistry& functions) {
  if (expr.kind == ExprKind::kFunction && !expr.over &&
      functions.FindAggregate(FoldName(expr.names.back().text)))
    return true;
  if (expr.over) {
    for (const auto& item : expr.over->order_by) {
      if (HasAggregate(*item.expr, functions)) return true;
    }
    for (const auto& item : expr.over->partition_by) {
      if (HasAggregate(*item, functions)) return true;
    }
  }
  for (const ExprPtr& arg : expr.args) {
    if (arg && HasAggregate(*arg, functions)) return true;
  }
  return expr.else_branch && HasAggregate(*expr.else_branch, functions);
}

NodePtr Binder::BindSelect(const Query& query, const Select& select) {
  SelectContext context;
  context.named_windows = &select.windows;
  NodePtr node;
  std::unique_ptr<FromTree> tree;
  PlanSchema from_schema;  // columns of all tables side by side, before hidden ones are added
  if (select.from) {
    tree = BindFromTree(*select.from);
    from_schema.columns = tree->columns;
    if (tree->leaf) from_schema = tree->leaf->schema;
    context.scope = {&from_schema, tree->relations, tree->merged};
  } else {
    auto one = MakeNode(NodeKind::kValues, {}, select.span);
    one->rows = {{}};
    one->schema.bounded = true;
    node = one;
    from_schema = node->schema;
    context.scope = {&from_schema, {}, {}};
  }
  for (const SelectItem& item : select.items) {
    if (item.alias && item.expr) context.aliases.emplace_back(item.alias->text, item.expr.get());
  }
  // Conditions with subqueries are joins behind FROM; the others are bound over FROM and handed down.
  std::vector<const Expr*> parts, tests, with_values;
  if (select.where) SplitAst(*select.where, &parts);
  std::vector<ExpressionPtr> where;
  auto bind_where = [&] {
    where.clear();
    tests.clear();
    with_values.clear();
    for (const Expr* part : parts) {
      if (IsSubqueryTest(*part)) {
        tests.push_back(part);
      } else if (!ScalarSubqueries(*part).empty()) {
        with_values.push_back(part);
      } else {
        SplitConjuncts(ToBoolean(BindExpr(*part, context), part->span), &where);
      }
    }
  };
  {
    auto aliases = std::move(context.aliases);
    context.aliases.clear();
    try {
      bind_where();
    } catch (UserError& error) {
      // An alias of the SELECT list may be filtered on where no column has the name.
      context.aliases = aliases;
      if (error.reason() != Reason::kUnknownColumn) throw;
      bind_where();
    }
    context.aliases = std::move(aliases);
  }
  if (tree) {
    node = ResolveFrom(*tree, where);
  } else if (!where.empty()) {
    node = MakeFilter(node, JoinConjuncts(where), select.span);
  }
  context.scope.schema = &node->schema;  // same columns first, then hidden ones
  auto join = [&](NodePtr joined) {
    node = std::move(joined);
    context.scope.schema = &node->schema;
  };
  for (const Expr* test : tests) join(JoinSubquery(node, *test, context));
  std::vector<const Expr*> holders = with_values;
  for (const SelectItem& item : select.items) {
    if (item.expr) holders.push_back(item.expr.get());
  }
  for (const Expr* holder : holders) {
    for (const Expr* value : ScalarSubqueries(*holder)) join(JoinScalar(node, *value, context));
  }
  for (const Expr* part : with_values)
    join(MakeFilter(node, ToBoolean(BindExpr(*part, context), part->span), part->span));

  // What the SELECT list, HAVING, QUALIFY and ORDER BY want, bound over the input.
  bool aggregating = !select.group_by.empty() || select.having != nullptr;
  for (const SelectItem& item : select.items)
    aggregating = aggregating || (item.expr && HasAggregate(*item.expr, *options_.functions));
  for (const OrderItem& item : query.order_by)
    aggregating = aggregating || HasAggregate(*item.expr, *options_.functions);
  context.allow_aggregates = aggregating;
  context.allow_over = true;
  context.allow_windows = true;

  std::vector<ExpressionPtr> exprs;
  std::vector<std::string> names;
  std::vector<const Expr*> sources;
  std::vector<SourceSpan> spans;  // of the items that exprs come from
  std::vector<UserError> item_errors;
  for (size_t position = 0; position < select.items.size(); ++position) {
    const SelectItem& item = select.items[position];
    if (!item.star) {
      try {
        exprs.push_back(BindExpr(*item.expr, context));
      } catch (const UserError& error) {
        item_errors.push_back(error);
        if (error.reason() == Reason::kUnsupported) break;  // maybe of the list as a whole
        continue;
      }
      names.push_back(item.alias ? item.alias->text : DefaultName(*item.expr, position));
      sources.push_back(item.expr.get());
      spans.push_back(item.expr->span);
      continue;
    }
    std::vector<int> columns = StarColumns(item, context.scope);
    std::vector<ExpressionPtr> values;
    std::vector<std::string> column_names;
    for (int column : columns) {
      const ExpressionPtr value = ColumnOf(*context.scope.schema, column);
      values.push_back(item.star_table ? value : context.scope.merged.Meaning(column, value));
      column_names.push_back(context.scope.schema->columns[column].name);
    }
    auto position_of = [&](const Identifier& name, const char* purpose) {
      const int found = FindName(name, column_names);
      if (found >= 0) return found;
      UserError error(Reason::kUnknownColumn, name.span, "no column '" + name.text + "' to " + purpose);
      const std::string nearest = NearestName(name.text, column_names);
      throw nearest.empty() ? error : error.Hint("did you mean '" + nearest + "'?");
    };
    for (const auto& [replacement, name] : item.replace)
      values[position_of(name, "replace")] = BindExpr(*replacement, context);
    std::set<int> left_out;
    for (const Identifier& name : item.except) left_out.insert(position_of(name, "leave out"));
    if (left_out.size() == columns.size())
      throw UserError(Reason::kUnknownColumn, item.span, "'*' names no column here");
    for (size_t i = 0; i < columns.size(); ++i) {
      if (left_out.count(static_cast<int>(i))) continue;
      exprs.push_back(values[i]);
      names.push_back(column_names[i]);
      sources.push_back(nullptr);
      spans.push_back(item.span);
    }
  }
  if (!item_errors.empty()) {
    for (size_t i = 1; i < item_errors.size(); ++i) {
      // An alias that fails does so wherever it is used.
      const bool told = std::any_of(
          item_errors.begin(), item_errors.begin() + static_cast<ptrdiff_t>(i),
          [&](const UserError& before) { return before.span().offset == item_errors[i].span().offset; });
      if (!told && !uses_failed_name_) script_.errors.push_back(item_errors[i]);
    }
    throw item_errors[0];
  }
  const size_t num_items = exprs.size();
  for (const SelectItem& item : select.items) {
    if (item.star && aggregating && !context.windows.empty()) {
      throw UserError(Reason::kWindowNotGrouped, item.span,
                      "'*' cannot stand beside a window of the GROUP BY")
          .Hint("name the columns");
    }
  }

  ExpressionPtr having =
      select.having ? ToBoolean(BindExpr(*select.having, context), select.having->span) : nullptr;
  ExpressionPtr qualify =
      select.qualify ? ToBoolean(BindExpr(*select.qualify, context), select.qualify->span) : nullptr;
  // ORDER BY: positions and aliases mean select items; other expressions become hidden columns.
  std::vector<OrderKey> order;
  std::vector<int> order_item;
  std::vector<ExpressionPtr> order_exprs;
  for (const OrderItem& item : query.order_by) {
    int index = Ordinal(*item.expr, num_items, "ORDER BY");
    if (index < 0 && item.expr->kind == ExprKind::kName && item.expr->names.size() == 1)
      index = FindName(item.expr->names[0], names);
    ExpressionPtr by = index >= 0 ? exprs[index] : BindExpr(*item.expr, context);
    const bool hidden = index < 0 || by->type().id() == TypeId::kJson;
    order_item.push_back(hidden ? -1 : index);
    order_exprs.push_back(hidden ? Sortable(std::move(by), item.expr->span) : nullptr);
    order.push_back({nullptr, {item.descending, item.nulls_first.value_or(item.descending)}});
  }

  std::vector<ExpressionPtr*> outputs;
  std::vector<SourceSpan> output_spans;
  auto add_output = [&](ExpressionPtr& e, SourceSpan at) {
    outputs.push_back(&e);
    output_spans.push_back(at);
  };
  for (size_t i = 0; i < exprs.size(); ++i) add_output(exprs[i], spans[i]);
  for (size_t i = 0; i < order_exprs.size(); ++i) {
    if (order_exprs[i]) add_output(order_exprs[i], query.order_by[i].expr->span);
  }
  if (having) add_output(having, select.having->span);
  if (qualify) add_output(qualify, select.qualify->span);

  if (aggregating) {
    std::vector<ExpressionPtr> groups;
    std::vector<SourceSpan> group_spans;
    context.allow_over = false;
    for (const ExprPtr& item : select.group_by) {
      int index = Ordinal(*item, num_items, "GROUP BY");
      context.allow_aggregates = false;
      if (index >= 0) {
        if (!sources[index] && index >= static_cast<int>(num_items))
          throw UserError(Reason::kSyntax, item->span, "'*' cannot be grouped by");
        groups.push_back(sources[index] ? BindExpr(*sources[index], context) : exprs[index]);
      } else {
        groups.push_back(BindExpr(*item, context));
      }
      group_spans.push_back(item->span);
    }
    if (context.unnest)
      throw UserError(Reason::kUnsupported, context.unnest_span, "UNNEST beside GROUP BY is not supported")
          .Hint("unnest in a subquery");
    node = BuildAggregate(node, select, context, std::move(groups), std::move(group_spans), outputs,
                          output_spans);
  } else {
    if (!context.windows.empty()) {
      throw UserError(Reason::kWindowNotGrouped, context.windows[0].span,
                      "a window function in the SELECT list needs a GROUP BY that names it")
          .Hint(
              "add it to GROUP BY, or use TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), …)) to give each row its "
              "window");
    }
    if (context.unnest) {
      auto unnest = MakeNode(NodeKind::kUnnest, {node}, context.unnest_span);
      unnest->array = context.unnest;
      unnest->schema = node->schema;
      const int element = unnest->schema.num_columns();
      const Type type = context.unnest->type().element();
      unnest->schema.columns.push_back({"unnest", type, true, false});
      node = unnest;
      for (ExpressionPtr* output : outputs) {
        *output = Rewrite(*output, [&](const ExpressionPtr& e) -> ExpressionPtr {
          const auto* placeholder = dynamic_cast<const PlaceholderExpression*>(e.get());
          return placeholder && placeholder->index() < 0 ? MakeColumn(element, "unnest", type) : nullptr;
        });
      }
    }
  }
  if (having) {
    node = MakeFilter(node, having, select.having->span);
  }
  if (!context.overs.empty()) {
    std::vector<ExpressionPtr*> over_outputs;
    for (ExpressionPtr* output : outputs) {
      if (output != &having) over_outputs.push_back(output);
    }
    if (node->schema.changelog) {
      // A rank that an outer query filters on is a top-N, which takes changes (rules/top_n.cc).
      for (const auto& use : context.overs) {
        const bool rank = use.call.kind == OverKind::kRowNumber || use.call.kind == OverKind::kRank ||
                          use.call.kind == OverKind::kDenseRank;
        if (!rank)
          throw UserError(Reason::kOverOnUpdating, use.span,
                          "OVER needs an append-only input, this one is updating")
              .Hint("window the aggregation before OVER");
      }
    }
    node = BuildOvers(node, context, over_outputs);
  }
  if (qualify) node = RecogniseTopN(MakeFilter(node, qualify, select.qualify->span));

  for (size_t i = 0; i < order.size(); ++i) {
    if (order_item[i] >= 0) continue;
    order_item[i] = static_cast<int>(exprs.size());
    exprs.push_back(order_exprs[i]);
    names.push_back("order" + std::to_string(i));
  }
  NodePtr project = MakeProject(node, exprs, names, select.span);
  if (exprs.size() > num_items) {
    auto copy = std::make_shared<LogicalNode>(*project);
    for (size_t i = num_items; i < exprs.size(); ++i) copy->schema.columns[i].hidden = true;
    project = copy;
  }
  // Subqueries keep default names unique; the sinks complain about duplicates that the user wrote.
  for (size_t i = 0; i < order.size(); ++i) {
    order[i].expr = MakeColumn(order_item[i], project->schema.columns[order_item[i]].name,
                               project->schema.columns[order_item[i]].type);
  }
  node = project;
  if (select.distinct) node = MakeDistinct(node, select.span);

  const int64_t limit = query.limit ? BindCount(*query.limit, "LIMIT") : -1;
  const int64_t offset = query.offset ? BindCount(*query.offset, "OFFSET") : 0;
  return OrderAndLimit(node, std::move(order), limit, offset,
                       query.order_by.empty() ? query.span : query.order_by[0].expr->span);
}

NodePtr Binder::BindOrderAndLimit(NodePtr node, const Query& query) {
  std::vector<OrderKey> order;
  for (const OrderItem& item : query.order_by) {
    SelectContext context;
    ScopeRelation relation;
    relation.count = node->schema.num_columns();
    context.scope = {&node->schema, {relation}, {}};
    const auto visible = std::count_if(node->schema.columns.begin(), node->schema.columns.end(),
                                       [](const PlanColumn& column) { return !column.hidden; });
    const int index = Ordinal(*item.expr, static_cast<size_t>(visible), "ORDER BY");
    ExpressionPtr expr =
        Sortable(index >= 0 ? ColumnOf(node->schema, index) : BindExpr(*item.expr, context), item.expr->span);
    order.push_back({std::move(expr), {item.descending, item.nulls_first.value_or(item.descending)}});
  }
  const int64_t limit = query.limit ? BindCount(*query.limit, "LIMIT") : -1;
  const int64_t offset = query.offset ? BindCount(*query.offset, "OFFSET") : 0;
  return OrderAndLimit(node, std::move(order), limit, offset,
                       query.order_by.empty() ? query.span : query.order_by[0].expr->span);
}

namespace {

/// The first n rows by some order, else by arrival: an updating top-N over everything.
NodePtr FirstRows(const NodePtr& node, std::vector<OrderKey> order, int64_t limit, int64_t offset,
                  SourceSpan span) {
  auto top = MakeNode(NodeKind::kTopN, {node}, span);
  top->schema = node->schema;
  top->schema.changelog = true;
  top->schema.row_time = -1;
  top->order_by = std::move(order);
  top->rank_from = offset + 1;
  top->rank_to = limit >= 0 ? offset + limit : std::numeric_limits<int64_t>::max();
  return top;
}

}  // namespace

NodePtr Binder::OrderAndLimit(NodePtr node, std::vector<OrderKey> order, int64_t limit, int64_t offset,
                              SourceSpan span) {
  if (!order.empty()) {
    const bool windowed = node->schema.window && !node->schema.changelog;
    if (windowed && limit >= 0) {
      auto top = MakeNode(NodeKind::kTopN, {node}, span);
      top->schema = node->schema;
      top->order_by = std::move(order);
      top->per_window = true;
      top->rank_from = offset + 1;
      top->rank_to = offset + limit;
      const int start = node->schema.window->start_columns[0];
      const int end = node->schema.window->end_columns[0];
      for (int column : {start, end}) {
        top->partition_by.push_back(
            MakeColumn(column, node->schema.columns[column].name, node->schema.columns[column].type));
      }
      return AtWindowEnd(top);
    }
    if (windowed || (node->schema.bounded && !node->schema.changelog)) {
      auto sort = MakeNode(NodeKind::kSort, {node}, span);
      sort->schema = node->schema;
      sort->order_by = std::move(order);
      sort->per_window = windowed;
      node = AtWindowEnd(sort);
    } else if (limit >= 0) {
      return FirstRows(node, std::move(order), limit, offset, span);
    } else {
      Warn("ORDER_BY_IGNORED", span,
           node->schema.changelog ? "ORDER BY has no effect on rows that are updated as more input comes"
                                  : "ORDER BY has no effect on an unbounded input without windows");
    }
  }
  if ((limit >= 0 || offset > 0) && node->schema.changelog) return FirstRows(node, {}, limit, offset, span);
  if (limit >= 0 || offset > 0) {
    auto node_limit = MakeNode(NodeKind::kLimit, {node}, span);
    node_limit->schema = node->schema;
    node_limit->limit = limit;
    node_limit->offset = offset;
    return node_limit;
  }
  return node;
}

void Binder::RenameColumns(BoundRelation& relation, const std::vector<Identifier>& names, SourceSpan span) {
  const NodePtr copy = relation.node;
  // A projection that only renames, so that the shared node below keeps its own names.
  std::vector<ExpressionPtr> exprs;
  std::vector<std::string> new_names;
  std::set<std::string> seen;
  for (const Identifier& name : names) {
    if (!seen.insert(name.text).second)
      throw UserError(Reason::kDuplicateName, name.span, "column '" + name.text + "' is named twice");
  }
  size_t next = 0;
  for (int i = 0; i < copy->schema.num_columns(); ++i) {
    const PlanColumn& column = copy->schema.columns[i];
    if (column.hidden) continue;
    if (next >= names.size()) {
      throw UserError(Reason::kSchemaMismatch, span,
                      "the column list has " + std::to_string(names.size()) +
                          (names.size() == 1 ? " name" : " names") + ", the query has more columns");
    }
    exprs.push_back(MakeColumn(i, column.name, column.type));
    new_names.push_back(names[next++].text);
  }
  if (next < names.size()) {
    throw UserError(Reason::kSchemaMismatch, names[next].span,
                    "the column list has " + std::to_string(names.size()) + " names, the query has " +
                        std::to_string(next) + " columns");
  }
  relation.node = MakeProject(relation.node, std::move(exprs), std::move(new_names), span);
  relation.relations[0].count = relation.node->schema.num_columns();
}

}  // namespace laminar::sql
