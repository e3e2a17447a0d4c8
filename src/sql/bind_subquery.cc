// Subqueries in expressions, as joins.
//
// `[NOT] IN (query)` and `[NOT] EXISTS (query)` among the AND-ed conditions of a WHERE become semi and anti
// joins. The query's own WHERE may compare with columns of the outer query; those conditions go to the join.
// `(query)` as a value is a query of one row, joined to every row by a constant.

#include <algorithm>
#include <set>
#include <string>

#include "sql/binder.h"
#include "sql/rules/rules.h"

namespace laminar::sql {

namespace {

/// `test` without NOT in front: the IN or EXISTS, or null; turns `negated` round for each NOT.
const Expr* SubqueryTest(const Expr& test, bool* negated) {
  if (test.kind == ExprKind::kUnary && test.text == "not") {
    *negated = !*negated;
    return SubqueryTest(*test.args[0], negated);
  }
  if (test.kind != ExprKind::kInQuery && test.kind != ExprKind::kExists) return nullptr;
  if (test.negated) *negated = !*negated;
  return &test;
}

/// `node` with a hidden column behind the others.
NodePtr WithHidden(const NodePtr& node, ExpressionPtr value) {
  auto project = MakeNode(NodeKind::kProject, {node}, node->span);
  project->schema = node->schema;
  for (int i = 0; i < node->schema.num_columns(); ++i) project->exprs.push_back(ColumnOf(node->schema, i));
  project->schema.columns.push_back({"key", value->type(), false, true});
  project->exprs.push_back(std::move(value));
  return project;
}

int OnlyVisibleColumn(const PlanSchema& schema, SourceSpan span) {
  int found = -1;
  for (int i = 0; i < schema.num_columns(); ++i) {
    if (schema.columns[i].hidden) continue;
    if (found >= 0)
      throw UserError(Reason::kSchemaMismatch, span, "a subquery in an expression must have one column");
    found = i;
  }
  return found;
}

bool IsOneRow(const LogicalNode& node) {
  if (node.schema.one_row) return true;
  if (node.kind == NodeKind::kValues) return node.rows.size() <= 1;
  if (node.kind == NodeKind::kLimit) return node.limit >= 0 && node.limit <= 1;
  return node.kind == NodeKind::kProject && IsOneRow(*node.inputs[0]);
}

void CollectScalars(const Expr& expr, std::vector<const Expr*>* out) {
  if (expr.kind == ExprKind::kSubquery) {
    out->push_back(&expr);
    return;
  }
  for (const ExprPtr& arg : expr.args) {
    if (arg) CollectScalars(*arg, out);
  }
  if (expr.else_branch) CollectScalars(*expr.else_branch, out);
  if (expr.filter) CollectScalars(*expr.filter, out);
}

}  // namespace

void SplitAst(const Expr& condition, std::vector<const Expr*>* parts) {
  if (condition.kind == ExprKind::kBinary2 && condition.text == "and") {
    SplitAst(*condition.args[0], parts);
    SplitAst(*condition.args[1], parts);
  } else {
    parts->push_back(&condition);
  }
}

bool IsSubqueryTest(const Expr& condition) {
  bool negated = false;
  return SubqueryTest(condition, &negated) != nullptr;
}

std::vector<const Expr*> ScalarSubqueries(const Expr& expr) {
  std::vector<const Expr*> found;
  CollectScalars(expr, &found);
  return found;
}

Binder::Subquery Binder::BindTestedQuery(const Query& query, bool exists, SelectContext& outer) {
  Subquery out;
  const bool plain = query.select && query.with.empty() && !query.limit && !query.offset &&
                     query.select->from && query.select->group_by.empty() && !query.select->having &&
                     !query.select->qualify &&
                     (exists || (query.select->items.size() == 1 && query.select->items[0].expr &&
                                 !HasAggregate(*query.select->items[0].expr, *options_.functions) &&
                                 !query.select->items[0].expr->over));
  const bool counts = exists && query.select && !query.select->items.empty() && query.select->items[0].expr &&
                      HasAggregate(*query.select->items[0].expr, *options_.functions);
  if (!plain || counts) {
    out.node = BindQuery(query).node;
    if (!exists) {
      const int column = OnlyVisibleColumn(out.node->schema, query.span);
      out.value = ColumnOf(out.node->schema, column);
      out.nullable = out.node->schema.columns[column].nullable;
    }
    return out;
  }
  const Select& select = *query.select;
  std::unique_ptr<FromTree> tree = BindFromTree(*select.from);
  PlanSchema schema;
  schema.columns = tree->columns;
  if (tree->leaf) schema = tree->leaf->schema;
  SelectContext inner;
  inner.scope = {&schema, tree->relations, tree->merged};
  inner.outer = &outer;
  std::vector<const Expr*> parts;
  if (select.where) SplitAst(*select.where, &parts);
  std::vector<ExpressionPtr> own;
  const int width = schema.num_columns();
  for (const Expr* part : parts) {
    if (IsSubqueryTest(*part)) continue;
    std::vector<ExpressionPtr> conjuncts;
    SplitConjuncts(ToBoolean(BindExpr(*part, inner), part->span), &conjuncts);
    for (ExpressionPtr& conjunct : conjuncts) {
      std::vector<int> columns;
      CollectColumns(*conjunct, &columns);
      const bool correlated = std::any_of(columns.begin(), columns.end(), [&](int c) { return c >= width; });
      (correlated ? out.on : own).push_back(std::move(conjunct));
    }
  }
  std::set<std::string> conditions;
  for (const ExpressionPtr& conjunct : own) conditions.insert(conjunct->ToString());
  out.node = ResolveFrom(*tree, own);
  out.width = width;
  inner.outer = nullptr;
  inner.scope.schema = &out.node->schema;
  for (const Expr* part : parts) {
    if (!IsSubqueryTest(*part)) continue;
    out.node = JoinSubquery(out.node, *part, inner);
    inner.scope.schema = &out.node->schema;
  }
  if (exists) return out;
  out.value = BindExpr(*select.items[0].expr, inner);
  const int column = ColumnIndex(out.value);
  out.nullable = (column < 0 || out.node->schema.columns[column].nullable) &&
                 conditions.count(Call("is_not_null", {out.value}, query.span)->ToString()) == 0;
  return out;
}

NodePtr Binder::JoinSubquery(NodePtr left, const Expr& condition, SelectContext& context) {
  bool negated = false;
  const Expr& test = *SubqueryTest(condition, &negated);
  if (test.kind == ExprKind::kExists) {
    const Subquery sub = BindTestedQuery(*test.query, true, context);
    return JoinTested(left, nullptr, sub, negated ? JoinKind::kAnti : JoinKind::kSemi, test.span);
  }
  const ExpressionPtr value = BindExpr(*test.args[0], context);
  Subquery sub = BindTestedQuery(*test.query, false, context);
  if (!negated) return JoinTested(left, value, sub, JoinKind::kSemi, test.span);
  left = MakeFilter(left, Call("is_not_null", {value}, test.span), test.span);
  NodePtr none_equal = JoinTested(left, value, sub, JoinKind::kAnti, test.span);
  if (!sub.nullable) return none_equal;
  // A NULL among the query's values could be any value: nothing is known not to be in it.
  sub.node = MakeFilter(sub.node, Call("is_null", {sub.value}, test.span), test.span);
  return JoinTested(none_equal, nullptr, sub, JoinKind::kAnti, test.span);
}

/// `value` null: any row of the query that meets its conditions counts.
NodePtr Binder::JoinTested(NodePtr left, const ExpressionPtr& value, Subquery sub, JoinKind kind,
                           SourceSpan span) {
  const bool by_constant = value == nullptr && sub.on.empty();
  if (by_constant) {
    left = WithHidden(left, MakeInt64(1));
    sub.node = WithHidden(sub.node, MakeInt64(1));
  }
  const int num_left = left->schema.num_columns();
  std::vector<ExpressionPtr> on;
  if (value) on.push_back(BindComparison("=", value, ShiftColumns(sub.value, num_left), span));
  if (by_constant) {
    on.push_back(Call("=",
                      {ColumnOf(left->schema, num_left - 1),
                       MakeColumn(num_left + sub.node->schema.num_columns() - 1, "key", Type::Int64())},
                      span));
  }
  for (const ExpressionPtr& conjunct : sub.on) {  // columns of the query, then those of the outer one
    on.push_back(Rewrite(conjunct, [&](const ExpressionPtr& e) -> ExpressionPtr {
      const auto* column = dynamic_cast<const ColumnExpression*>(e.get());
      if (!column) return nullptr;
      const int index = column->index();
      return MakeColumn(index < sub.width ? num_left + index : index - sub.width, column->name(),
                        column->type());
    }));
  }
  return BuildJoin(left, sub.node, kind, std::move(on), span);
}

NodePtr Binder::JoinScalar(NodePtr left, const Expr& expr, SelectContext& context) {
  NodePtr right = BindQuery(*expr.query).node;
  const int value = OnlyVisibleColumn(right->schema, expr.span);
  if (!IsOneRow(*right)) {
    throw UserError(Reason::kUnsupported, expr.span,
                    "a subquery used as a value must be one row: an aggregate without GROUP BY")
        .Hint("write it as a join");
  }
  left = WithHidden(left, MakeInt64(1));
  right = WithHidden(right, MakeInt64(1));
  const int num_left = left->schema.num_columns();
  const int key = num_left + right->schema.num_columns() - 1;
  NodePtr join = BuildJoin(
      left, right, JoinKind::kLeft,
      {Call("=", {ColumnOf(left->schema, num_left - 1), MakeColumn(key, "key", Type::Int64())}, expr.span)},
      expr.span);
  auto hidden = std::make_shared<LogicalNode>(*join);
  for (int i = num_left; i < hidden->schema.num_columns(); ++i) hidden->schema.columns[i].hidden = true;
  context.scalars[&expr] = num_left + value;
  return hidden;
}

}  // namespace laminar::sql
