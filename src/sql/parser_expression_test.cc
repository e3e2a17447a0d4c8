#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "sql/parser.h"

namespace laminar::sql {
namespace {

std::string Canonical(const std::string& text) {
  try {
    return ToString(*ParseExpression(text));
  } catch (const UserError& error) {
    return std::string(ReasonName(error.reason())) + " at " + std::to_string(error.span().offset) + ": " +
           error.message();
  }
}

using Cases = std::vector<std::pair<const char*, const char*>>;

void ExpectCanonical(const Cases& cases) {
  for (const auto& [text, expected] : cases) EXPECT_EQ(Canonical(text), expected) << text;
}

TEST(Precedence, FollowsPostgres) {
  ExpectCanonical({
      {"a + b * c", "(a + (b * c))"},
      {"a - b - c", "((a - b) - c)"},
      {"a * b ^ c", "(a * (b ^ c))"},
      {"-a ^ b", "((-a) ^ b)"},
      {"-a::INT", "(-CAST(a AS INT))"},
      {"-a.b[1]", "(-a.b[1])"},
      {"a || b + c", "(a || (b + c))"},
      {"a || b = c || d", "((a || b) = (c || d))"},
      {"a -> 'b' ->> 'c' = 'd'", "(((a -> 'b') ->> 'c') = 'd')"},
      {"a < b + 1 AND c", "((a < (b + 1)) AND c)"},
      {"a OR b AND c OR d", "((a OR (b AND c)) OR d)"},
      {"NOT a = b AND c", "((NOT (a = b)) AND c)"},
      {"NOT NOT a", "(NOT (NOT a))"},
      {"a = NOT b AND c", "((a = (NOT b)) AND c)"},
      {"a = b IS NULL", "((a = b) IS NULL)"},
      {"NOT a IS NULL", "(NOT (a IS NULL))"},
      {"a BETWEEN 1 + 1 AND 2 || 3 AND b", "((a BETWEEN (1 + 1) AND (2 || 3)) AND b)"},
      {"a LIKE b || '%' OR c", "((a LIKE (b || '%')) OR c)"},
      {"a IN (1) = b", "((a IN (1)) = b)"},
      {"a ~ b || c", "((a ~ b) || c)"},
      {"a & b + c << d", "((a & (b + c)) << d)"},
      {"a + b AT TIME ZONE 'x'", "(a + at_time_zone(b, 'x'))"},
      {"a AT TIME ZONE 'x'::TEXT", "at_time_zone(a, CAST('x' AS TEXT))"},
      {"a IS DISTINCT FROM b + 1 AND c", "((a IS DISTINCT FROM (b + 1)) AND c)"},
      {"(a, b) = (1, 2)", "(ROW(a, b) = ROW(1, 2))"},
      {"- - 1", "(-(-1))"},
      {"a - -1", "(a - (-1))"},
      {"a<-1", "(a < (-1))"},
      {"a=-1", "(a = (-1))"},
  });
}

TEST(Operators, HaveOneSpellingInTheTree) {
  ExpectCanonical({
      {"a == b", "(a = b)"},
      {"a != b", "(a <> b)"},
      {"a <=> b", "(a IS NOT DISTINCT FROM b)"},
      {"a is not distinct from b", "(a IS NOT DISTINCT FROM b)"},
      {"a not like b escape '!'", "(a NOT LIKE b ESCAPE '!')"},
      {"a NOT SIMILAR TO b", "(a NOT SIMILAR TO b)"},
      {"a IS NOT UNKNOWN", "(a IS NOT UNKNOWN)"},
      {"a IS JSON VALUE", "(a IS JSON)"},
      {"a = ANY (SELECT 1)", "(a IN (SELECT 1))"},
      {"a <> ALL (SELECT 1)", "(a NOT IN (SELECT 1))"},
      {"NOT EXISTS (SELECT 1)", "(NOT EXISTS (SELECT 1))"},
      {"a NOT BETWEEN SYMMETRIC 1 AND 2", "(a NOT BETWEEN SYMMETRIC 1 AND 2)"},
      {"symmetric BETWEEN symmetric AND 2", "(symmetric BETWEEN symmetric AND 2)"},
      {"some(a) = some(b)", "(some(a) = some(b))"},
      {"a = some(b)", "(a = some(b))"},
  });
}

TEST(Names, NonReservedWordsAreColumns) {
  for (const char* word :
       {"timestamp", "start",      "end",     "count",   "min",       "max",        "sum",      "avg",
        "rows",      "row_number", "window",  "offset",  "partition", "key",        "value",    "hour",
        "day",       "minute",     "second",  "month",   "year",      "date",       "time",     "type",
        "name",      "user",       "level",   "topic",   "status",    "state",      "format",   "location",
        "method",    "path",       "sources", "session", "hop",       "tumble",     "text",     "message",
        "data",      "begin",      "plan",    "first",   "last",      "partitions", "interval", "json",
        "row",       "array",      "map",     "struct",  "values",    "table",      "set",      "desc",
        "asc",       "by",         "cast",    "exists",  "extract",   "trim",       "nulls",    "over",
        "filter",    "escape",     "at",      "zone",    "unnest",    "semi",       "returning"}) {
    EXPECT_EQ(Canonical(word), word);
    EXPECT_EQ(Canonical(std::string(word) + " + 1"), "(" + std::string(word) + " + 1)");
    EXPECT_EQ(Canonical(std::string("f(") + word + ", " + word + ")"),
              std::string("f(") + word + ", " + word + ")");
  }
}

TEST(Names, PathsAndFields) {
  ExpectCanonical({
      {"window.start", "window.start"},
      {"t.order.select", "t.order.select"},
      {"\"A b\".\"c\"\"d\"", "\"A b\".\"c\"\"d\""},
      {"`a``b`", "\"a`b\""},
      {"(s).f.g", "((s).f).g"},
      {"f(x).y", "(f(x)).y"},
      {"a[1].b.c", "((a[1]).b).c"},
      {"a[1:2][3]", "a[1:2][3]"},
      {"a[:b]", "a[:b]"},
      {"a[:]", "a[:]"},
      {"m['k']['l']", "m['k']['l']"},
      {"a[CASE WHEN b THEN 1 END:]", "a[CASE WHEN b THEN 1 END:]"},
  });
  const ExprPtr field = ParseExpression("a.b[1].c");
  EXPECT_EQ(field->kind, ExprKind::kField);
  EXPECT_EQ(field->args[0]->kind, ExprKind::kSubscript);
  EXPECT_EQ(field->args[0]->args[0]->kind, ExprKind::kName);
  EXPECT_EQ(field->args[0]->args[0]->names.size(), 2u);
}

TEST(Names, QuotedNamesAreNoKeywords) {
  ExpectCanonical({
      {"\"null\" + \"current_date\"", "(\"null\" + \"current_date\")"},
      {"\"case\"", "\"case\""},
      {"\"count\"(a)", "\"count\"(a)"},
  });
}

TEST(Literals, Numbers) {
  ExpectCanonical({{"1_000", "1000"},
                   {"0x1F", "31"},
                   {"0xFFFF_FFFF_FFFF_FFFF", "18446744073709551615"},
                   {".5", ".5"},
                   {"1.", "1."},
                   {"1e3", "1e3"},
                   {"1.5E-10", "1.5E-10"},
                   {"007", "007"}});
  EXPECT_EQ(Canonical("1st"), "SYNTAX at 0: '1st' is neither a number nor a name");
  EXPECT_EQ(Canonical("1__0"), "SYNTAX at 0: '1__0' is neither a number nor a name");
  EXPECT_EQ(Canonical("0x1FFFFFFFFFFFFFFFF"),
            "SYNTAX at 0: hexadecimal number 0x1FFFFFFFFFFFFFFFF does not fit 64 bits");
}

TEST(Literals, Strings) {
  EXPECT_EQ(ParseExpression("'it''s'")->text, "it's");
  EXPECT_EQ(ParseExpression("'a\\n'")->text, "a\\n");
  EXPECT_EQ(ParseExpression("E'a\\n\\'\\x41\\u00e4\\\\'")->text, "a\n'A\xC3\xA4\\");
  EXPECT_EQ(ParseExpression("''")->text, "");
  EXPECT_EQ(ParseExpression("'line\nbreak'")->text, "line\nbreak");
  const ExprPtr bytes = ParseExpression("x'0aFF'");
  EXPECT_EQ(bytes->kind, ExprKind::kBinary);
  EXPECT_EQ(bytes->text, "\x0A\xFF");
  EXPECT_EQ(Canonical("X'0'"),
            "SYNTAX at 0: a binary literal takes an even number of hexadecimal digits, such as X'0AFF'");
}

TEST(Literals, TypedStrings) {
  const ExprPtr date = ParseExpression("date '2024-01-01'");
  EXPECT_EQ(date->kind, ExprKind::kTypedString);
  EXPECT_EQ(date->type, Type::Date());
  EXPECT_EQ(date->text, "2024-01-01");
  EXPECT_EQ(ParseExpression("TIMESTAMP(3) 'x'")->type, Type::Timestamp(3));
  EXPECT_EQ(ParseExpression("TIMESTAMP WITH TIME ZONE 'x'")->type, Type::TimestampTz());
  EXPECT_EQ(ParseExpression("TIMESTAMP WITHOUT TIME ZONE 'x'")->type, Type::Timestamp());
  EXPECT_EQ(ParseExpression("timestamp_ltz 'x'")->type, Type::TimestampTz());
  EXPECT_EQ(Canonical("timestamp - date"), "(timestamp - date)");
  EXPECT_EQ(Canonical("date(timestamp)"), "date(timestamp)");
  EXPECT_EQ(Canonical("JSON '{}'"), "CAST('{}' AS JSON)");
}

TEST(Constructors, ArraysStructsMaps) {
  ExpectCanonical({
      {"[1, 2]", "ARRAY[1, 2]"},
      {"ARRAY[]", "ARRAY[]"},
      {"[[1], []]", "ARRAY[ARRAY[1], ARRAY[]]"},
      {"(1, 'a')", "ROW(1, 'a')"},
      {"((1))", "1"},
      {"STRUCT(1 AS a, 2, b AS \"C d\")", "ROW(1 AS a, 2, b AS \"C d\")"},
      {"ROW(1)", "ROW(1)"},
      {"ROW()", "ROW()"},
      {"MAP {'a': 1, b: x::INT}", "MAP {'a': 1, b: CAST(x AS INT)}"},
      {"MAP['a', 1, 'b', 2]", "MAP {'a': 1, 'b': 2}"},
      {"MAP(k, v)", "MAP(k, v)"},
  });
  EXPECT_EQ(ParseExpression("(1, 2)")->field_names.size(), 2u);
}

TEST(Case, BothForms) {
  const ExprPtr simple = ParseExpression("CASE x WHEN 1 THEN 'a' WHEN 2 THEN 'b' END");
  EXPECT_TRUE(simple->flag);
  EXPECT_EQ(simple->args.size(), 5u);
  EXPECT_EQ(simple->else_branch, nullptr);
  const ExprPtr searched = ParseExpression("CASE WHEN a THEN b ELSE c END");
  EXPECT_FALSE(searched->flag);
  EXPECT_EQ(searched->args.size(), 2u);
  EXPECT_NE(searched->else_branch, nullptr);
  EXPECT_EQ(Canonical("CASE end WHEN end THEN end ELSE end END"), "CASE end WHEN end THEN end ELSE end END");
}

TEST(Functions, SpecialSyntaxBecomesPlainCalls) {
  ExpectCanonical({
      {"EXTRACT(EPOCH FROM a - b)", "date_part('epoch', (a - b))"},
      {"extract('year' FROM ts)", "date_part('year', ts)"},
      {"EXTRACT_JSON(a, '$')", "EXTRACT_JSON(a, '$')"},
      {"TRIM(BOTH 'x' FROM s)", "btrim(s, 'x')"},
      {"TRIM(LEADING 'x' FROM s)", "ltrim(s, 'x')"},
      {"TRIM(TRAILING FROM s)", "rtrim(s)"},
      {"TRIM('x' FROM s)", "btrim(s, 'x')"},
      {"TRIM(LEADING s)", "ltrim(s)"},
      {"TRIM(s)", "TRIM(s)"},
      {"TRIM(both)", "TRIM(both)"},
      {"TRIM(s, 'x')", "TRIM(s, 'x')"},
      {"SUBSTRING(s FROM 2 FOR 3)", "SUBSTRING(s, 2, 3)"},
      {"SUBSTRING(s FROM 2)", "SUBSTRING(s, 2)"},
      {"SUBSTRING(s FOR 3)", "SUBSTRING(s, 1, 3)"},
      {"POSITION('a' IN s)", "strpos(s, 'a')"},
      {"OVERLAY(s PLACING r FROM 1 FOR 2)", "OVERLAY(s, r, 1, 2)"},
      {"FLOOR(ts TO HOUR)", "floor_to(ts, 'hour')"},
      {"CEILING(ts TO DAY)", "ceil_to(ts, 'day')"},
      {"FLOOR(x)", "FLOOR(x)"},
      {"TIMESTAMPADD(SQL_TSI_DAY, 1, ts)", "TIMESTAMPADD('day', 1, ts)"},
      {"TIMESTAMPDIFF(minute, a, b)", "TIMESTAMPDIFF('minute', a, b)"},
      {"DATEDIFF(day, a)", "DATEDIFF(day, a)"},
      {"DATE_DIFF('day', a, b)", "DATE_DIFF('day', a, b)"},
      {"current_timestamp", "current_timestamp()"},
      {"CURRENT_DATE - 1", "(CURRENT_DATE() - 1)"},
      {"left(s, 1) || RIGHT(s, 2)", "(left(s, 1) || RIGHT(s, 2))"},
      {"replace(a, 'x', 'y')", "replace(a, 'x', 'y')"},
      {"count(*)", "count(*)"},
      {"count ( * )", "count(*)"},
      {"count(ALL a)", "count(a)"},
      {"my.f(1)", "my.f(1)"},
      {"TUMBLE(timestamp, INTERVAL '1' HOUR)", "TUMBLE(timestamp, INTERVAL '3600 seconds')"},
  });
}

TEST(Functions, Suffixes) {
  ExpectCanonical({
      {"count(DISTINCT a, b) FILTER (WHERE c > 1)", "count(DISTINCT a, b) FILTER (WHERE (c > 1))"},
      {"percentile_cont(0.5) WITHIN GROUP (ORDER BY x DESC)",
       "percentile_cont(0.5) WITHIN GROUP (ORDER BY x DESC)"},
      {"array_agg(a ORDER BY b, c DESC NULLS LAST)", "array_agg(a ORDER BY b, c DESC NULLS LAST)"},
      {"first_value(a IGNORE NULLS) OVER w", "first_value(a) IGNORE NULLS OVER (w)"},
      {"first_value(a) RESPECT NULLS OVER w", "first_value(a) OVER (w)"},
      {"first_value(a) OVER w IGNORE NULLS", "first_value(a) IGNORE NULLS OVER (w)"},
      {"sum(a) OVER (ORDER BY b RANGE INTERVAL '1' HOUR PRECEDING)",
       "sum(a) OVER (ORDER BY b RANGE BETWEEN INTERVAL '3600 seconds' PRECEDING AND CURRENT ROW)"},
      {"sum(a) OVER (rows PARTITION BY range ROWS BETWEEN rows PRECEDING AND UNBOUNDED FOLLOWING)",
       "sum(a) OVER (rows PARTITION BY range ROWS BETWEEN rows PRECEDING AND UNBOUNDED FOLLOWING)"},
      {"sum(a) OVER (ROWS unbounded PRECEDING)",
       "sum(a) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"},
      {"group_concat(a SEPARATOR ';')", "group_concat(a, ';')"},
  });
}

TEST(Functions, Json) {
  ExpectCanonical({
      {"JSON_OBJECT('a', b)", "JSON_OBJECT('a', b)"},
      {"JSON_OBJECT(KEY 'a' VALUE b, 'c': d, e VALUE f)",
       "JSON_OBJECT(KEY 'a' VALUE b, KEY 'c' VALUE d, KEY e VALUE f)"},
      {"JSON_OBJECT(key: value)", "JSON_OBJECT(KEY key VALUE value)"},
      {"JSON_OBJECT(KEY value VALUE key)", "JSON_OBJECT(KEY value VALUE key)"},
      {"JSON_OBJECT(key, value)", "JSON_OBJECT(key, value)"},
      {"JSON_OBJECT('a': 1 NULL ON NULL)", "JSON_OBJECT(KEY 'a' VALUE 1)"},
      {"JSON_OBJECT('a': 1 ABSENT ON NULL)", "JSON_OBJECT(KEY 'a' VALUE 1 ABSENT ON NULL)"},
      {"JSON_VALUE(j, '$' RETURNING BIGINT ERROR ON EMPTY DEFAULT 1 + 2 ON ERROR)",
       "JSON_VALUE(j, '$' RETURNING BIGINT ERROR ON EMPTY DEFAULT (1 + 2) ON ERROR)"},
      {"JSON_VALUE(j, '$' NULL ON EMPTY)", "JSON_VALUE(j, '$')"},
      {"JSON_QUERY(j, '$' WITH UNCONDITIONAL ARRAY WRAPPER)", "JSON_QUERY(j, '$' WITH WRAPPER)"},
      {"JSON_QUERY(j, '$' WITHOUT WRAPPER)", "JSON_QUERY(j, '$')"},
  });
}

TEST(Chains, LongOnesAreBalanced) {
  std::string text = "a = 0";
  for (int i = 1; i < 20000; ++i) text += " OR a = " + std::to_string(i);
  const ExprPtr expr = ParseExpression(text);
  int height = 0;
  for (const Expr* node = expr.get(); node->text == "or"; node = node->args[0].get()) ++height;
  EXPECT_LE(height, 40);
  EXPECT_EQ(expr->span.length, static_cast<int64_t>(text.size()));
  EXPECT_EQ(Canonical("a AND b AND c AND d"), "(((a AND b) AND c) AND d)");
}

TEST(Chains, HaveABound) {
  auto chain = [](const std::string& first, const std::string& link, int count) {
    std::string text = first;
    for (int i = 0; i < count; ++i) text += link;
    return Canonical(text).substr(0, 30);
  };
  EXPECT_EQ(chain("a", " + b", 500).substr(0, 3), "(((");
  EXPECT_EQ(chain("a", " + b", 20000).substr(0, 6), "SYNTAX");
  EXPECT_EQ(chain("a", "[1]", 20000).substr(0, 6), "SYNTAX");
  EXPECT_EQ(chain("a", "::INT", 20000).substr(0, 6), "SYNTAX");
  EXPECT_EQ(chain("a::INT", "[]", 20000).substr(0, 6), "SYNTAX");
  EXPECT_EQ(chain("(a)", ".b", 20000).substr(0, 6), "SYNTAX");
  EXPECT_EQ(chain("a", " IS NULL", 20000).substr(0, 6), "SYNTAX");
  EXPECT_EQ(chain("a", ".b", 1000).substr(0, 3), "a.b");
}

TEST(Nesting, HasABound) {
  auto nested = [](const std::string& open, const std::string& inner, const std::string& close, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += open;
    text += inner;
    for (int i = 0; i < count; ++i) text += close;
    return Canonical(text);
  };
  EXPECT_EQ(nested("(", "1", ")", 150), "1");
  for (int count : {250, 20000}) {
    EXPECT_NE(nested("(", "1", ")", count).find("nested deeper than 200 levels"), std::string::npos);
    EXPECT_NE(nested("NOT ", "a", "", count).find("nested deeper"), std::string::npos);
    EXPECT_NE(nested("-", "a", "", 1).find("-a"), std::string::npos);
    EXPECT_NE(nested("- ", "a", "", count).find("nested deeper"), std::string::npos);
    EXPECT_NE(nested("CASE WHEN ", "a", " THEN 1 END", count).find("nested deeper"), std::string::npos);
    EXPECT_NE(nested("f(", "a", ")", count).find("nested deeper"), std::string::npos);
    EXPECT_NE(nested("[", "a", "]", count).find("nested deeper"), std::string::npos);
    EXPECT_NE(nested("(SELECT ", "a", ")", count).find("nested deeper"), std::string::npos);
    EXPECT_NE(nested("a IN (", "a", ")", count).find("nested deeper"), std::string::npos);
    EXPECT_NE(Canonical("a::" + std::string(0, ' ') +
                        [count] {
                          std::string type;
                          for (int i = 0; i < count; ++i) type += "ARRAY<";
                          return type + "INT";
                        }())
                  .find("nested deeper"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace laminar::sql
