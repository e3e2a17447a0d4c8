#include <gtest/gtest.h>

#include <functional>

#include "sql/parser.h"
#include "sql/parser_test_corpus.h"

/// Spans: every node's text is exactly what it was parsed from.

namespace laminar::sql {
namespace {

using Visit = std::function<void(const Expr&)>;

void VisitQuery(const Query& query, const Visit& visit);

void VisitExpr(const Expr& expr, const Visit& visit) {
  visit(expr);
  for (const ExprPtr& arg : expr.args) {
    if (arg) VisitExpr(*arg, visit);
  }
  for (const OrderItem& item : expr.order_by) VisitExpr(*item.expr, visit);
  if (expr.filter) VisitExpr(*expr.filter, visit);
  if (expr.else_branch) VisitExpr(*expr.else_branch, visit);
  if (expr.query) VisitQuery(*expr.query, visit);
  if (expr.over) {
    for (const ExprPtr& key : expr.over->partition_by) VisitExpr(*key, visit);
    for (const OrderItem& item : expr.over->order_by) VisitExpr(*item.expr, visit);
  }
}

void VisitTable(const TableRef& table, const Visit& visit) {
  if (table.query) VisitQuery(*table.query, visit);
  if (table.left) VisitTable(*table.left, visit);
  if (table.right) VisitTable(*table.right, visit);
  if (table.input) VisitTable(*table.input, visit);
  if (table.on) VisitExpr(*table.on, visit);
  if (table.unnest) VisitExpr(*table.unnest, visit);
  if (table.as_of) VisitExpr(*table.as_of, visit);
  for (const ExprPtr& size : table.sizes) VisitExpr(*size, visit);
}

void VisitQuery(const Query& query, const Visit& visit) {
  for (const auto& cte : query.with) VisitQuery(*cte.query, visit);
  if (query.left) VisitQuery(*query.left, visit);
  if (query.right) VisitQuery(*query.right, visit);
  for (const auto& row : query.values) {
    for (const ExprPtr& value : row) VisitExpr(*value, visit);
  }
  if (query.select) {
    for (const SelectItem& item : query.select->items) {
      if (item.expr) VisitExpr(*item.expr, visit);
    }
    if (query.select->from) VisitTable(*query.select->from, visit);
    if (query.select->where) VisitExpr(*query.select->where, visit);
    for (const ExprPtr& key : query.select->group_by) VisitExpr(*key, visit);
    if (query.select->having) VisitExpr(*query.select->having, visit);
  }
  for (const OrderItem& item : query.order_by) VisitExpr(*item.expr, visit);
}

bool IsPartOf(const SourceSpan& inner, const SourceSpan& outer) {
  return inner.offset >= outer.offset && inner.offset + inner.length <= outer.offset + outer.length;
}

/// The text of a node's span, parsed by itself, is that node again; children lie inside their parents.
TEST(Spans, TextOfANodeParsesToThatNode) {
  int nodes = 0;
  for (const std::string& text : ValidStatements()) {
    const ParsedScript parsed = ParseScript(text);
    ASSERT_EQ(parsed.statements.size(), 1u) << text;
    if (!parsed.statements[0].query) continue;
    VisitQuery(*parsed.statements[0].query, [&](const Expr& expr) {
      ASSERT_TRUE(expr.span.known()) << ToString(expr);
      const std::string slice = text.substr(expr.span.offset, expr.span.length);
      for (const ExprPtr& arg : expr.args) {
        if (!arg) continue;
        EXPECT_TRUE(IsPartOf(arg->span, expr.span)) << slice << " / " << ToString(*arg);
      }
      // These make sense only where they stand: the unit or key that became a string, a KEY … VALUE pair,
      // count(*)'s star.
      const bool positional = expr.kind == ExprKind::kNamedArg || expr.kind == ExprKind::kStar ||
                              slice.empty() ||
                              (expr.kind == ExprKind::kString && slice.find('\'') == std::string::npos);
      if (positional) return;
      ++nodes;
      try {
        EXPECT_EQ(ToString(*ParseExpression(slice)), ToString(expr)) << slice;
      } catch (const UserError& error) {
        ADD_FAILURE() << slice << ": " << error.message();
      }
    });
  }
  EXPECT_GT(nodes, 600);
}

std::string Slice(const std::string& text, const SourceSpan& span) {
  return text.substr(span.offset, span.length);
}

TEST(Spans, Expressions) {
  const std::string text = "SELECT  ( a + b ) * -c::INT  AS x , count( * ) OVER (ORDER BY d) FROM t ; ";
  const ParsedScript parsed = ParseScript(text);
  const Select& select = *parsed.statements[0].query->select;
  EXPECT_EQ(Slice(text, parsed.statements[0].span),
            "SELECT  ( a + b ) * -c::INT  AS x , count( * ) OVER (ORDER BY d) FROM t");
  EXPECT_EQ(Slice(text, select.items[0].span), "( a + b ) * -c::INT  AS x");
  EXPECT_EQ(Slice(text, select.items[0].alias->span), "x");
  const Expr& product = *select.items[0].expr;
  EXPECT_EQ(Slice(text, product.span), "( a + b ) * -c::INT");
  EXPECT_EQ(Slice(text, product.args[0]->span), "a + b");
  EXPECT_EQ(Slice(text, product.args[1]->span), "-c::INT");
  EXPECT_EQ(Slice(text, product.args[1]->args[0]->span), "c::INT");
  EXPECT_EQ(Slice(text, select.items[1].expr->span), "count( * ) OVER (ORDER BY d)");
  EXPECT_EQ(Slice(text, select.items[1].expr->over->span), "(ORDER BY d)");
  EXPECT_EQ(Slice(text, select.items[1].expr->names[0].span), "count");
}

TEST(Spans, DesugaredCalls) {
  const std::string text = "EXTRACT(HOUR FROM ts) + POSITION('a' IN s)";
  const ExprPtr sum = ParseExpression(text);
  EXPECT_EQ(Slice(text, sum->args[0]->span), "EXTRACT(HOUR FROM ts)");
  EXPECT_EQ(Slice(text, sum->args[0]->names[0].span), "EXTRACT");
  EXPECT_EQ(Slice(text, sum->args[0]->args[0]->span), "HOUR");
  EXPECT_EQ(Slice(text, sum->args[1]->args[0]->span), "s");
}

TEST(Spans, TypesThatEndInDoubleBrackets) {
  const std::string text = "SELECT x::ARRAY<ARRAY<INT>> , CAST(y AS MAP<TEXT, ARRAY<INT>>)FROM t";
  const ParsedScript parsed = ParseScript(text);
  EXPECT_EQ(Slice(text, parsed.statements[0].query->select->items[0].span), "x::ARRAY<ARRAY<INT>>");
  EXPECT_EQ(Slice(text, parsed.statements[0].query->select->items[1].span),
            "CAST(y AS MAP<TEXT, ARRAY<INT>>)");
}

TEST(Spans, TablesAndQueries) {
  const std::string text =
      "WITH c AS (SELECT 1) SELECT * FROM t WITH (a = 'b', tls.ca = -5) AS x JOIN (SELECT 2) y ON x.a = y.b "
      ", c UNION ALL (SELECT 3) LIMIT 5";
  const ParsedScript parsed = ParseScript(text);
  ASSERT_EQ(parsed.statements.size(), 1u) << parsed.errors[0].message();
  const Query& query = *parsed.statements[0].query;
  EXPECT_EQ(Slice(text, query.span), text);
  EXPECT_EQ(Slice(text, query.with[0].query->span), "SELECT 1");
  EXPECT_EQ(Slice(text, query.right->span), "SELECT 3");
  const TableRef& comma = *query.left->select->from;
  EXPECT_EQ(Slice(text, comma.span), "t WITH (a = 'b', tls.ca = -5) AS x JOIN (SELECT 2) y ON x.a = y.b , c");
  EXPECT_EQ(Slice(text, comma.left->span),
            "t WITH (a = 'b', tls.ca = -5) AS x JOIN (SELECT 2) y ON x.a = y.b");
  const TableRef& named = *comma.left->left;
  EXPECT_EQ(Slice(text, named.span), "t WITH (a = 'b', tls.ca = -5) AS x");
  EXPECT_EQ(Slice(text, named.options[1].name_span), "tls.ca");
  EXPECT_EQ(Slice(text, named.options[1].value_span), "-5");
  EXPECT_EQ(Slice(text, comma.left->right->span), "(SELECT 2) y");
}

TEST(Spans, Definitions) {
  const std::string text =
      "CREATE TABLE t (a DECIMAL(10, 2) NOT NULL, WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH (x = "
      "y.z)";
  const ParsedScript parsed = ParseScript(text);
  const Statement& statement = parsed.statements[0];
  EXPECT_EQ(Slice(text, statement.name.span), "t");
  EXPECT_EQ(Slice(text, statement.columns[0].type_span), "DECIMAL(10, 2)");
  EXPECT_EQ(Slice(text, statement.watermarks[0].span), "WATERMARK FOR ts AS ts - INTERVAL '1' SECOND");
  EXPECT_EQ(Slice(text, statement.watermarks[0].expr->span), "ts - INTERVAL '1' SECOND");
  EXPECT_EQ(statement.options[0].value, "y.z");
  EXPECT_EQ(Slice(text, statement.options[0].value_span), "y.z");
}

}  // namespace
}  // namespace laminar::sql
