#include <gtest/gtest.h>

#include "sql/parser.h"

namespace laminar::sql {
namespace {

QueryPtr ParseOne(const std::string& text) {
  ParsedScript parsed = ParseScript(text);
  for (const UserError& error : parsed.errors) ADD_FAILURE() << RenderError(error, "query", text);
  if (parsed.statements.size() != 1 || !parsed.statements[0].query) {
    ADD_FAILURE() << text;
    return std::make_unique<Query>();
  }
  return std::move(parsed.statements[0].query);
}

std::string Canonical(const std::string& text) { return ToString(*ParseOne(text)); }

TEST(Select, Items) {
  const QueryPtr query = ParseOne(
      "SELECT *, t.*, * EXCEPT (a, \"B\"), t.* EXCLUDE c, * REPLACE (a + 1 AS a, 2 b), x AS y, z w, 1 FROM "
      "t");
  const auto& items = query->select->items;
  ASSERT_EQ(items.size(), 8u);
  EXPECT_TRUE(items[0].star);
  EXPECT_FALSE(items[0].star_table.has_value());
  EXPECT_EQ(items[1].star_table->text, "t");
  EXPECT_EQ(items[2].except[1].text, "B");
  EXPECT_TRUE(items[2].except[1].quoted);
  EXPECT_EQ(items[3].except[0].text, "c");
  EXPECT_EQ(items[4].replace[1].second.text, "b");
  EXPECT_EQ(items[5].alias->text, "y");
  EXPECT_EQ(items[6].alias->text, "w");
  EXPECT_FALSE(items[7].alias.has_value());
}

TEST(Select, AliasesThatAreAlsoKeywords) {
  const QueryPtr query = ParseOne(
      "SELECT count(*) count, end, a offset, b window, c fetch, d filter, e over, f AS order FROM t rows");
  const auto& items = query->select->items;
  EXPECT_EQ(items[0].alias->text, "count");
  EXPECT_EQ(items[1].expr->names[0].text, "end");
  EXPECT_EQ(items[2].alias->text, "offset");
  EXPECT_EQ(items[3].alias->text, "window");
  EXPECT_EQ(items[4].alias->text, "fetch");
  EXPECT_EQ(items[5].alias->text, "filter");
  EXPECT_EQ(items[6].alias->text, "over");
  EXPECT_EQ(items[7].alias->text, "order");
  EXPECT_EQ(query->select->from->alias->text, "rows");
}

TEST(Select, Clauses) {
  EXPECT_EQ(Canonical("select distinct a from t where b group by 1, c having count(*) > 1 window w as "
                      "(partition by a), v as (w rows 1 preceding) "
                      "qualify rank() over w = 1 order by a desc nulls first limit 5 offset 6"),
            "SELECT DISTINCT a FROM t WHERE b GROUP BY 1, c HAVING (count(*) > 1) WINDOW w AS (PARTITION BY "
            "a), v AS (w ROWS BETWEEN 1 PRECEDING "
            "AND CURRENT ROW) QUALIFY (rank() OVER (w) = 1) ORDER BY a DESC NULLS FIRST LIMIT 5 OFFSET 6");
  EXPECT_EQ(Canonical("SELECT a FROM t OFFSET 5 LIMIT 1"), "SELECT a FROM t LIMIT 1 OFFSET 5");
  EXPECT_EQ(Canonical("SELECT a FROM t FETCH NEXT ROW ONLY"), "SELECT a FROM t LIMIT 1");
  EXPECT_EQ(Canonical("SELECT a FROM t LIMIT ALL"), "SELECT a FROM t");
  EXPECT_EQ(Canonical("SELECT a FROM t QUALIFY x WINDOW w AS ()"),
            "SELECT a FROM t WINDOW w AS () QUALIFY x");
}

TEST(Select, GroupByList) {
  EXPECT_EQ(ParseOne("SELECT a FROM t GROUP BY (a, b), ROW(c, d), (e)")->select->group_by.size(), 4u);
}

TEST(SetOperations, Precedence) {
  EXPECT_EQ(Canonical("SELECT 1 UNION SELECT 2 UNION ALL SELECT 3"),
            "(SELECT 1 UNION SELECT 2) UNION ALL SELECT 3");
  EXPECT_EQ(Canonical("SELECT 1 UNION DISTINCT SELECT 2 INTERSECT SELECT 3"),
            "SELECT 1 UNION (SELECT 2 INTERSECT SELECT 3)");
  EXPECT_EQ(Canonical("SELECT 1 EXCEPT (SELECT 2 UNION SELECT 3) ORDER BY 1"),
            "SELECT 1 EXCEPT (SELECT 2 UNION SELECT 3) ORDER BY 1");
  EXPECT_EQ(Canonical("(SELECT 1 LIMIT 1) UNION ALL (SELECT 2 LIMIT 2) LIMIT 3"),
            "(SELECT 1 LIMIT 1) UNION ALL (SELECT 2 LIMIT 2) LIMIT 3");
  EXPECT_EQ(Canonical("(SELECT a FROM t LIMIT 5) ORDER BY a"),
            "SELECT * FROM (SELECT a FROM t LIMIT 5) ORDER BY a");
  EXPECT_EQ(Canonical("SELECT * EXCEPT SELECT 1"), "SELECT * EXCEPT SELECT 1");
  EXPECT_EQ(Canonical("SELECT * FROM a EXCEPT (SELECT * FROM b)"), "SELECT * FROM a EXCEPT SELECT * FROM b");
}

TEST(With, CommonTableExpressions) {
  const QueryPtr query = ParseOne(
      "WITH a AS (SELECT 1 x), b (y) AS MATERIALIZED (SELECT x FROM a) SELECT * FROM b UNION ALL SELECT * "
      "FROM a");
  ASSERT_EQ(query->with.size(), 2u);
  EXPECT_EQ(query->with[1].name.text, "b");
  EXPECT_EQ(query->with[1].columns[0].text, "y");
  EXPECT_NE(query->left, nullptr);
  EXPECT_EQ(Canonical("WITH a AS (SELECT 1) (WITH b AS (SELECT 2) SELECT * FROM b) LIMIT 1"),
            "WITH a AS (SELECT 1) SELECT * FROM (WITH b AS (SELECT 2) SELECT * FROM b) LIMIT 1");
}

TEST(Brackets, QueryOrExpressionOrJoin) {
  EXPECT_EQ(Canonical("SELECT ((SELECT 1) + 2)"), "SELECT ((SELECT 1) + 2)");
  EXPECT_EQ(Canonical("SELECT ((SELECT 1))"), "SELECT (SELECT 1)");
  EXPECT_EQ(Canonical("SELECT ((SELECT 1) UNION (SELECT 2))"), "SELECT (SELECT 1 UNION SELECT 2)");
  EXPECT_EQ(Canonical("SELECT a IN ((SELECT 1), 2)"), "SELECT (a IN ((SELECT 1), 2))");
  EXPECT_EQ(Canonical("SELECT * FROM ((SELECT 1 a) x JOIN t ON x.a = t.a)"),
            "SELECT * FROM (SELECT 1 AS a) AS x JOIN t ON (x.a = t.a)");
  EXPECT_EQ(Canonical("SELECT * FROM ((SELECT 1) UNION ALL (SELECT 2)) x"),
            "SELECT * FROM (SELECT 1 UNION ALL SELECT 2) AS x");
  EXPECT_EQ(Canonical("SELECT * FROM (((SELECT 1)))"), "SELECT * FROM (SELECT 1)");
  EXPECT_EQ(Canonical("SELECT values, (values) FROM t"), "SELECT values, values FROM t");
}

TEST(From, CommaBindsWeakerThanJoin) {
  const QueryPtr query = ParseOne("SELECT * FROM a, b LEFT JOIN c USING (x), d");
  const TableRef& outer = *query->select->from;
  EXPECT_TRUE(outer.comma);
  EXPECT_EQ(outer.right->name.text, "d");
  EXPECT_TRUE(outer.left->comma);
  EXPECT_EQ(outer.left->right->join, JoinKind::kLeft);
  EXPECT_EQ(outer.left->right->using_columns[0].text, "x");
}

TEST(From, JoinKinds) {
  const std::pair<const char*, JoinKind> kinds[] = {
      {"JOIN", JoinKind::kInner},          {"INNER JOIN", JoinKind::kInner},
      {"LEFT JOIN", JoinKind::kLeft},      {"LEFT OUTER JOIN", JoinKind::kLeft},
      {"RIGHT JOIN", JoinKind::kRight},    {"FULL OUTER JOIN", JoinKind::kFull},
      {"LEFT SEMI JOIN", JoinKind::kSemi}, {"SEMI JOIN", JoinKind::kSemi},
      {"LEFT ANTI JOIN", JoinKind::kAnti}, {"ANTI JOIN", JoinKind::kAnti}};
  for (const auto& [words, kind] : kinds) {
    const QueryPtr query = ParseOne(std::string("SELECT * FROM a ") + words + " b ON a.x = b.x");
    EXPECT_EQ(query->select->from->join, kind) << words;
    EXPECT_NE(query->select->from->on, nullptr) << words;
  }
  EXPECT_EQ(ParseOne("SELECT * FROM a CROSS JOIN b")->select->from->join, JoinKind::kCross);
  EXPECT_TRUE(ParseOne("SELECT * FROM a NATURAL LEFT JOIN b")->select->from->natural);
  EXPECT_EQ(ParseOne("SELECT * FROM a JOIN b")->select->from->on,
            nullptr);  // equal windows: the binder judges
}

TEST(From, InlineOptions) {
  const QueryPtr query = ParseOne(
      "SELECT * FROM events (id INT, ts TIMESTAMP METADATA FROM 'timestamp', WATERMARK FOR ts AS ts - "
      "INTERVAL '1' SECOND, PRIMARY KEY (ID)) "
      "WITH (connector = 'kafka', 'tls.ca' = 'x', a.b.c = true, n = 5, m = -1.5, w = json, l = ['a', 'b'], i "
      "= INTERVAL '1 day 1 second') e");
  const TableRef& table = *query->select->from;
  EXPECT_EQ(table.alias->text, "e");
  EXPECT_TRUE(table.has_options);
  ASSERT_EQ(table.columns.size(), 2u);
  EXPECT_TRUE(table.columns[0].primary_key);
  EXPECT_EQ(table.columns[1].metadata_key, "timestamp");
  EXPECT_EQ(table.watermark_column->text, "ts");
  EXPECT_EQ(ToString(*table.watermark_expr), "(ts - INTERVAL '1 second')");
  const std::pair<const char*, const char*> expected[] = {
      {"connector", "kafka"}, {"tls.ca", "x"}, {"a.b.c", "true"}, {"n", "5"},
      {"m", "-1.5"},          {"w", "json"},   {"l", "a,b"},      {"i", "86401000000 microseconds"}};
  ASSERT_EQ(table.options.size(), std::size(expected));
  for (size_t i = 0; i < table.options.size(); ++i) {
    EXPECT_EQ(table.options[i].name, expected[i].first);
    EXPECT_EQ(table.options[i].value, expected[i].second);
  }
}

TEST(From, AsOf) {
  const QueryPtr query =
      ParseOne("SELECT * FROM o LEFT JOIN dim FOR SYSTEM_TIME AS OF o.p_time AS d (a, b) ON o.k = d.a");
  const TableRef& dim = *query->select->from->right;
  EXPECT_EQ(ToString(*dim.as_of), "o.p_time");
  EXPECT_EQ(dim.alias->text, "d");
  EXPECT_EQ(dim.column_aliases.size(), 2u);
}

TEST(From, WindowFunctions) {
  const QueryPtr query = ParseOne(
      "SELECT * FROM TABLE(HOP(TABLE bid, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '10' SECOND, "
      "INTERVAL '1' SECOND)) AS w");
  const TableRef& hop = *query->select->from;
  EXPECT_EQ(hop.kind, TableKind::kWindow);
  EXPECT_EQ(hop.function, TableFunctionKind::kHop);
  EXPECT_EQ(hop.input->name.text, "bid");
  EXPECT_EQ(hop.descriptor->kind, ExprKind::kDescriptor);
  EXPECT_EQ(hop.descriptor->names[0].text, "ts");
  EXPECT_EQ(hop.sizes.size(), 3u);
  EXPECT_EQ(hop.alias->text, "w");
}

TEST(From, NamedWindowArgumentsComeInOrder) {
  EXPECT_EQ(Canonical("SELECT * FROM TABLE(HOP(SIZE => 10, DATA => TABLE bid, OFFSET => 1, TIMECOL => "
                      "DESCRIPTOR(ts), SLIDE => 2))"),
            "SELECT * FROM TABLE(HOP(TABLE bid, DESCRIPTOR(ts), 2, 10, 1))");
  EXPECT_EQ(
      Canonical(
          "SELECT * FROM CUMULATE(DATA => TABLE bid, TIMECOL => DESCRIPTOR(ts), SIZE => 10, STEP => 2)"),
      "SELECT * FROM TABLE(CUMULATE(TABLE bid, DESCRIPTOR(ts), 2, 10))");
  EXPECT_EQ(Canonical("SELECT * FROM TABLE(SESSION(DATA => TABLE bid PARTITION BY a, b, TIMECOL => "
                      "DESCRIPTOR(ts), GAP => '1s'))"),
            "SELECT * FROM TABLE(SESSION(TABLE bid PARTITION BY a, b, DESCRIPTOR(ts), '1s'))");
  EXPECT_EQ(Canonical("SELECT * FROM TUMBLE((SELECT a FROM t), DESCRIPTOR(ts), '1s') x"),
            "SELECT * FROM TABLE(TUMBLE(TABLE (SELECT a FROM t), DESCRIPTOR(ts), '1s')) AS x");
}

TEST(From, Unnest) {
  const QueryPtr query =
      ParseOne("SELECT * FROM t CROSS JOIN UNNEST(t.a) WITH ORDINALITY AS u (x, n), LATERAL explode(b) v");
  const TableRef& comma = *query->select->from;
  EXPECT_EQ(comma.right->kind, TableKind::kUnnest);
  EXPECT_EQ(comma.right->alias->text, "v");
  EXPECT_TRUE(comma.left->right->with_ordinality);
  EXPECT_EQ(comma.left->right->column_aliases[1].text, "n");
}

TEST(From, TablesNamedLikeFunctions) {
  EXPECT_EQ(Canonical("SELECT * FROM session, tumble t, window, hop AS h, unnest"),
            "SELECT * FROM session, tumble AS t, window, hop AS h, unnest");
  EXPECT_EQ(ParseOne("SELECT * FROM session (user TEXT) WITH (a = 'b')")->select->from->kind,
            TableKind::kNamed);
}

TEST(From, Values) {
  const QueryPtr query = ParseOne("SELECT * FROM (VALUES (1, 'a'), ROW(2, NULL)) v (a, b)");
  EXPECT_EQ(query->select->from->kind, TableKind::kValues);
  EXPECT_EQ(query->select->from->query->values.size(), 2u);
}

TEST(From, LongLists) {
  std::string joins = "SELECT * FROM t", unions = "SELECT 1", many = "SELECT 1";
  for (int i = 0; i < 500; ++i) joins += i % 2 ? ", t" : " JOIN t ON a";
  EXPECT_TRUE(ParseScript(joins).errors.empty());
  for (int i = 0; i < 500; ++i) unions += " UNION ALL SELECT 1";
  EXPECT_TRUE(ParseScript(unions).errors.empty());
  for (int i = 0; i < 20000; ++i) many += " UNION ALL SELECT 1";
  EXPECT_EQ(ParseScript(many).errors.size(), 1u);
  std::string brackets = "SELECT * FROM ";
  for (int i = 0; i < 20000; ++i) brackets += "(";
  EXPECT_EQ(ParseScript(brackets).errors.size(), 1u);
  EXPECT_EQ(ParseScript(brackets + "SELECT 1").errors.size(), 1u);
}

}  // namespace
}  // namespace laminar::sql
