#include <gtest/gtest.h>

#include "sql/parser.h"

namespace laminar::sql {
namespace {

/// All errors of a script as `line:column "marked text" message; hint`.
std::string ErrorsOf(const std::string& script) {
  std::string out;
  for (const UserError& error : ParseScript(script).errors) {
    const LineColumn at = LocateOffset(script, error.span().offset);
    if (!out.empty()) out += "\n";
    out += std::to_string(at.line) + ":" + std::to_string(at.column) + " \"" +
           script.substr(error.span().offset, error.span().length) + "\" " + error.message();
    if (!error.hint().empty()) out += "; " + error.hint();
    if (error.reason() != Reason::kSyntax) out += " [" + std::string(ReasonName(error.reason())) + "]";
  }
  return out;
}

struct Case {
  const char* script;
  const char* expected;
};

void ExpectErrors(std::initializer_list<Case> cases) {
  for (const Case& c : cases) EXPECT_EQ(ErrorsOf(c.script), c.expected) << c.script;
}

TEST(Errors, MisspeltKeywords) {
  ExpectErrors({
      {"SELCT 1",
       R"x(1:1 "SELCT" expected a statement such as SELECT, INSERT or CREATE, found 'SELCT'; did you mean SELECT?)x"},
      {"SELECT a FORM t", R"x(1:10 "FORM" expected FROM, found 'FORM'; did you mean FROM?)x"},
      {"SELECT a FROM t WERE x = 1", R"x(1:17 "WERE" expected WHERE, found 'WERE'; did you mean WHERE?)x"},
      {"SELECT a FROM t GROUP YB x", R"x(1:23 "YB" expected BY, found 'YB'; did you mean BY?)x"},
      {"SELECT a FROM t gruop BY x", R"x(1:17 "gruop" expected GROUP, found 'gruop'; did you mean GROUP?)x"},
      {"SELECT a FROM t ODER BY x", R"x(1:17 "ODER" expected ORDER, found 'ODER'; did you mean ORDER?)x"},
      {"SELECT a FROM t JOIN u ONN a = b", R"x(1:24 "ONN" expected ON, found 'ONN'; did you mean ON?)x"},
      {"SELECT a FROM t LEFT JION u",
       R"x(1:22 "JION" expected OUTER or JOIN, found 'JION'; did you mean JOIN?)x"},
      {"SELECT a FROM t WHERE a BETWEN 1 AND 2",
       R"x(1:25 "BETWEN" expected the end of the statement, GROUP, UNION, ORDER or LIMIT, found 'BETWEN'; did you mean BETWEEN?)x"},
      {"SELECT a LIEK 'x' FROM t", R"x(1:10 "LIEK" expected LIKE, found 'LIEK'; did you mean LIKE?)x"},
      {"SELECT sum(a) OVER (PARTITION YB a)", R"x(1:31 "YB" expected BY, found 'YB'; did you mean BY?)x"},
      {"CREATE TABEL t (a INT)",
       R"x(1:8 "TABEL" expected TEMPORARY, TABLE, VIEW, PIPELINE or FUNCTION, found 'TABEL'; did you mean TABLE?)x"},
      {"DROP VEIW v",
       R"x(1:6 "VEIW" expected TEMPORARY, TABLE, VIEW, PIPELINE or FUNCTION, found 'VEIW'; did you mean VIEW?)x"},
      {"EXPLAIN SELCT 1",
       R"x(1:9 "SELCT" expected a statement such as SELECT, INSERT or CREATE, found 'SELCT'; did you mean SELECT?)x"},
      {"CREATE TABLE t (a INTT)", R"x(1:19 "INTT" unknown type 'INTT'; did you mean INT?)x"},
  });
}

TEST(Errors, UnclosedThingsPointAtTheirOpening) {
  ExpectErrors({
      {"SELECT 'abc",
       R"x(1:8 "'" unclosed string: no closing ' for this quote; a quote inside a string is written '')x"},
      {"SELECT \"abc", R"x(1:8 """ unclosed name: no closing " for this quote)x"},
      {"SELECT `abc", R"x(1:8 "`" unclosed name: no closing ` for this quote)x"},
      {"SELECT a /* b", R"x(1:10 "/*" unclosed comment: no '*/' for this '/*')x"},
      {"SELECT a /* b /* c */",
       R"x(1:10 "/*" unclosed comment: no '*/' for this '/*'; comments nest: each '/*' inside needs its own '*/')x"},
      {"CREATE FUNCTION f() AS $x$ a $$", R"x(1:24 "$x$" unclosed string: no closing $x$)x"},
      {"SELECT f(a FROM t", R"x(1:9 "(" unclosed '('; a ')' is missing before FROM)x"},
      {"SELECT f(a, g(b) FROM t;\nSELECT 1", R"x(1:9 "(" unclosed '('; a ')' is missing before FROM)x"},
      {"SELECT a[1 FROM t", R"x(1:9 "[" unclosed '['; a ']' is missing before FROM)x"},
      {"CREATE TABLE t (a INT, b TEXT",
       R"x(1:16 "(" unclosed '('; no ')' follows before the end of the statement)x"},
      {"SELECT a FROM (SELECT b FROM c; SELECT 1",
       R"x(1:15 "(" unclosed '('; no ')' follows before the end of the statement)x"},
      {"SELECT CASE WHEN a THEN b", R"x(1:8 "CASE" CASE without END; close it with END)x"},
      {"SELECT CASE WHEN a THEN b FROM t", R"x(1:27 "FROM" expected WHEN, ELSE or END, found FROM)x"},
      {"SELECT a WHERE b = 'it's'",
       R"x(1:24 "s" expected the end of the statement, GROUP, UNION, ORDER or LIMIT, found 's'; a quote is missing somewhere: the last one of this statement is not closed)x"},
      {"SELECT a) FROM t",
       R"x(1:9 ")" expected ',', the end of the statement, AS, FROM, WHERE, GROUP …, found ')'; no opening bracket goes with it)x"},
  });
}

TEST(Errors, Commas) {
  ExpectErrors({
      {"SELECT a, FROM t", R"x(1:11 "FROM" expected an expression, found FROM; remove the ',' before FROM)x"},
      {"SELECT f(a, ) FROM t", R"x(1:13 ")" expected an expression, found ')'; remove the ',' before ')')x"},
      {"CREATE TABLE t (a INT,)",
       R"x(1:23 ")" expected a column name, found ')'; remove the ',' before ')')x"},
      {"SELECT * FROM t WITH (a = 'x', )",
       R"x(1:32 ")" expected an option name, found ')'; remove the ',' before ')')x"},
      {"SELECT a b c FROM t",
       R"x(1:12 "c" expected ',', the end of the statement, FROM, WHERE, GROUP, UNION …, found 'c'; is a ',' missing before 'c'?)x"},
      {"CREATE TABLE t (a INT b TEXT)",
       R"x(1:23 "b" expected ',', ')', NOT, PRIMARY, METADATA, COMMENT …, found 'b'; is a ',' missing before 'b'?)x"},
      {"SELECT * FROM t WITH (a = 'x' b = 'y')",
       R"x(1:31 "b" expected ',' or ')', found 'b'; is a ',' missing before 'b'?)x"},
  });
}

TEST(Errors, Options) {
  ExpectErrors({
      {"SELECT * FROM t WITH (ttl = 10s)",
       R"x(1:29 "10s" '10s' is neither a number nor a name; write it in quotes: '10s')x"},
      {"SELECT * FROM t WITH (path = /tmp/x)",
       R"x(1:30 "/" expected an option value, found '/'; a value is 'text', a number, true or false, or an interval)x"},
      {"SET a = INTERVAL '1' MONTH",
       R"x(1:9 "INTERVAL '1' MONTH" an option takes an interval of fixed length, not months or years [BAD_INTERVAL])x"},
  });
}

TEST(Errors, KeywordsAsNames) {
  ExpectErrors({
      {"SELECT order FROM t",
       R"x(1:8 "order" expected an expression, found ORDER; ORDER is a keyword; write "order" to use it as a name)x"},
      {"CREATE TABLE t (group INT)",
       R"x(1:17 "group" expected a column name, found GROUP; GROUP is a keyword; write "group" to use it as a name)x"},
      {"SELECT a FROM t WHERE AND b", R"x(1:23 "AND" expected an expression, found AND)x"},
      {"SELECT a AS FROM t", R"x(1:13 "FROM" expected an alias, found FROM)x"},
  });
}

TEST(Errors, OtherDialects) {
  ExpectErrors({
      {"SELECT a WHERE a => 5",
       R"x(1:18 "=>" expected the end of the statement, GROUP, UNION, ORDER or LIMIT, found '=>'; greater or equal is written >=)x"},
      {"SELECT a WHERE a && b",
       R"x(1:18 "&&" expected the end of the statement, GROUP, UNION, ORDER or LIMIT, found '&&'; write AND)x"},
      {"SELECT !a", R"x(1:8 "!" expected an expression, found '!'; write NOT, or <> for unequal)x"},
      {"SELECT a WHERE a NOT NULL",
       R"x(1:18 "NOT" expected the end of the statement, GROUP, UNION, ORDER or LIMIT, found NOT; write IS NOT NULL)x"},
      {"SELECT a FROM t LIMIT 10, 20", R"x(1:25 "," LIMIT takes one number; write LIMIT n OFFSET m)x"},
      {"SELECT x WHERE a = \xE2\x80\x9C"
       "b\xE2\x80\x9D",
       "1:20 \"\xE2\x80\x9C\" unexpected character '\xE2\x80\x9C'; type \" instead"},
      {"SELECT 1st",
       R"x(1:8 "1st" '1st' is neither a number nor a name; a name that starts with a digit is written in double quotes: "1st")x"},
      {"SELECT $1", R"x(1:8 "$" unexpected character '$'; parameters such as $1 are not supported)x"},
      {"INSERT t VALUES (1)", R"x(1:8 "t" expected INTO, found 't')x"},
      {"SELECT * FROM t WITH connector = 'x'", R"x(1:22 "connector" expected '(', found 'connector')x"},
      {"SELECT * FROM TABLE(TUMBLE(bid, DESCRIPTOR(ts), '1s'))",
       R"x(1:28 "bid" expected TABLE before the table's name; write TABLE bid)x"},
      {"CREATE PIPELINE p AS CREATE TABLE t (a INT)",
       R"x(1:22 "CREATE" a pipeline holds one INSERT or one query, not CREATE; other statements stand before CREATE PIPELINE)x"},
  });
}

TEST(Errors, UnsupportedFeaturesHaveAPosition) {
  for (const auto& [script, text] : {
           std::pair{"SELECT a FROM t GROUP BY GROUPING SETS ((a), (b))", "GROUPING"},
           {"SELECT a FROM t GROUP BY x, ROLLUP (a)", "ROLLUP"},
           {"SELECT a FROM t GROUP BY CUBE(a)", "CUBE"},
           {"SELECT a FROM t GROUP BY ALL", "ALL"},
           {"WITH RECURSIVE x AS (SELECT 1) SELECT 1", "RECURSIVE"},
           {"SELECT * FROM t MATCH_RECOGNIZE (PARTITION BY a)", "MATCH_RECOGNIZE"},
           {"SELECT * FROM t TABLESAMPLE BERNOULLI (10)", "TABLESAMPLE"},
           {"SELECT * FROM t, LATERAL (SELECT 1)", "LATERAL"},
           {"SELECT * FROM generate_series(1, 2)", "generate_series"},
           {"SELECT DISTINCT ON (a) b FROM t", "ON"},
           {"SELECT a FROM t EXCEPT ALL SELECT b FROM u", "ALL"},
           {"SELECT a FROM t UNION BY NAME SELECT b FROM u", "BY"},
           {"SELECT a FROM t FETCH FIRST 5 ROWS WITH TIES", "WITH"},
           {"SELECT sum(a) OVER (ORDER BY b GROUPS 1 PRECEDING)", "GROUPS"},
           {"SELECT sum(a) OVER (ORDER BY b ROWS 1 PRECEDING EXCLUDE TIES)", "EXCLUDE"},
           {"SELECT a > ALL (SELECT 1)", "ALL"},
           {"SELECT a LIKE ANY ('x')", "ANY"},
           {"SELECT f(a => 1)", "a"},
           {"SELECT a.b.* FROM t", "*"},
           {"SELECT a FROM t FOR UPDATE", "FOR"},
           {"SELECT a FROM t ASOF JOIN u ON a", "ASOF"},
           {"CREATE TABLE t (a INT DEFAULT 5)", "DEFAULT"},
           {"CREATE TABLE t (a INT, CHECK (a > 1))", "CHECK"},
           {"CREATE TABLE t (a INT GENERATED ALWAYS AS IDENTITY)", "IDENTITY"},
           {"CREATE TABLE s.t (a INT)", "."},
           {"CREATE MATERIALIZED VIEW v AS SELECT 1", "MATERIALIZED"},
           {"CREATE INDEX i ON t (a)", "INDEX"},
           {"INSERT OVERWRITE t SELECT 1", "OVERWRITE"},
           {"INSERT INTO t SELECT 1 ON CONFLICT DO NOTHING", "ON"},
           {"EXPLAIN ANALYZE SELECT 1", "ANALYZE"},
           {"WITH a AS (SELECT 1) INSERT INTO t SELECT 1", "INSERT"},
           {"SELECT ~a", "~"},
           {"SELECT CAST(a AS HUGEINT)", "HUGEINT"},
       }) {
    const ParsedScript parsed = ParseScript(script);
    ASSERT_EQ(parsed.errors.size(), 1u) << script;
    EXPECT_EQ(parsed.errors[0].reason(), Reason::kUnsupported)
        << script << ": " << parsed.errors[0].message();
    EXPECT_EQ(std::string(script).substr(parsed.errors[0].span().offset, parsed.errors[0].span().length),
              text)
        << script;
  }
}

TEST(Errors, EveryStatementReportsItsOwn) {
  const ParsedScript parsed = ParseScript("SELCT 1;\nSELECT 2;\nSELECT FROM t; ;;SELECT a,;SELECT 3");
  EXPECT_EQ(parsed.statements.size(), 2u);
  ASSERT_EQ(parsed.errors.size(), 3u);
  EXPECT_EQ(parsed.errors[0].span().offset, 0);
  EXPECT_EQ(parsed.errors[1].span().offset, 26);
  EXPECT_EQ(parsed.errors[2].span().offset, 45);
}

TEST(Errors, AreBounded) {
  std::string script;
  for (int i = 0; i < 10000; ++i) script += "x;";
  EXPECT_EQ(ParseScript(script).errors.size(), 100u);
}

TEST(Errors, BadBytes) {
  EXPECT_EQ(ErrorsOf("SELECT '\xFF'"), "1:8 \"'\xFF'\" text is not valid UTF-8; bytes are written X'0AFF'");
  EXPECT_EQ(ErrorsOf("SELECT a\xC3 FROM t"),
            "1:9 \"\xC3\" byte 0xC3 is not valid UTF-8; save the script as UTF-8");
  EXPECT_EQ(ErrorsOf(std::string("SELECT \0 1", 10)),
            std::string("1:8 \"\0\" unexpected control character 0x00", 41));
  EXPECT_EQ(ErrorsOf("\xEF\xBB\xBFSELECT\xC2\xA0"
                     "1"),
            "");  // byte order mark, no-break space
  EXPECT_EQ(ErrorsOf(""), "");
  EXPECT_EQ(ErrorsOf(" ;; -- nothing"), "");
}

}  // namespace
}  // namespace laminar::sql
