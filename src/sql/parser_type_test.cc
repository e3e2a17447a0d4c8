#include <gtest/gtest.h>

#include "sql/parser.h"

namespace laminar::sql {
namespace {

/// The type that `CAST(x AS text)` names, in its canonical spelling, or the error.
std::string TypeOf(const std::string& text) {
  try {
    return ParseExpression("CAST(x AS " + text + ")")->type.ToString();
  } catch (const UserError& error) {
    return error.message() + (error.hint().empty() ? "" : "; " + error.hint());
  }
}

TEST(Types, Spellings) {
  const std::pair<const char*, const char*> cases[] = {
      {"bool", "BOOLEAN"},
      {"int2", "SMALLINT"},
      {"INTEGER", "INT"},
      {"INT(11)", "INT"},
      {"BIGINT UNSIGNED", "BIGINT UNSIGNED"},
      {"tinyint unsigned", "TINYINT UNSIGNED"},
      {"REAL", "FLOAT"},
      {"FLOAT(53)", "DOUBLE"},
      {"FLOAT(10)", "FLOAT"},
      {"DOUBLE PRECISION", "DOUBLE"},
      {"DECIMAL", "DECIMAL(38,10)"},
      {"NUMERIC(5)", "DECIMAL(5,0)"},
      {"DEC(38, 38)", "DECIMAL(38,38)"},
      {"VARCHAR(20)", "TEXT"},
      {"CHARACTER VARYING(20)", "TEXT"},
      {"STRING", "TEXT"},
      {"UUID", "TEXT"},
      {"VARBINARY(5)", "BYTEA"},
      {"TIME(3)", "TIME"},
      {"TIMESTAMP", "TIMESTAMP"},
      {"TIMESTAMP(9) WITHOUT TIME ZONE", "TIMESTAMP(9)"},
      {"TIMESTAMP(3) WITH LOCAL TIME ZONE", "TIMESTAMPTZ"},
      {"TIMESTAMP_LTZ(3)", "TIMESTAMPTZ"},
      {"DATETIME", "TIMESTAMP"},
      {"INTERVAL DAY TO SECOND(3)", "INTERVAL"},
      {"INTERVAL HOUR", "INTERVAL"},
      {"JSONB", "JSON"},
      {"INT[]", "INT[]"},
      {"INT[3][]", "INT[][]"},
      {"INT ARRAY", "INT[]"},
      {"LIST<TEXT NOT NULL>", "TEXT[]"},
      {"ARRAY(INT)", "INT[]"},
      {"ARRAY<ARRAY<INT>>", "INT[][]"},
      {"ARRAY<ARRAY<ARRAY<INT>>>", "INT[][][]"},
      {"ARRAY<MAP<TEXT, ARRAY<ARRAY<INT>>>>[]", "MAP<TEXT, INT[][]>[][]"},
      {"MAP(TEXT, INT)", "MAP<TEXT, INT>"},
      {"STRUCT<a INT, b: TEXT NOT NULL>", "STRUCT<a INT, b TEXT NOT NULL>"},
      {"ROW(a INT, b ROW<c TEXT>)", "STRUCT<a INT, b STRUCT<c TEXT>>"},
      {"STRUCT<start TIMESTAMP, end TIMESTAMP, order INT, \"a b\" INT>",
       "STRUCT<start TIMESTAMP, end TIMESTAMP, order INT, \"a b\" INT>"},
      {"STRUCT<a INT COMMENT 'x'>", "STRUCT<a INT>"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(TypeOf(text), expected) << text;
}

TEST(Types, AngleBracketsBeforeOperators) {
  EXPECT_EQ(ToString(*ParseExpression("x::ARRAY<INT>=y")), "(CAST(x AS INT[]) = y)");
  EXPECT_EQ(ToString(*ParseExpression("x::ARRAY<INT> > y")), "(CAST(x AS INT[]) > y)");
  EXPECT_EQ(ToString(*ParseExpression("x::ARRAY<ARRAY<INT>>::TEXT")), "CAST(CAST(x AS INT[][]) AS TEXT)");
}

TEST(Types, Errors) {
  EXPECT_EQ(TypeOf("VARCAHR"), "unknown type 'VARCAHR'; did you mean VARCHAR?");
  EXPECT_EQ(TypeOf("foobar"), "unknown type 'foobar'");
  EXPECT_EQ(TypeOf("DECIMAL(39)"), "the precision of DECIMAL must be a whole number up to 38, not 39");
  EXPECT_EQ(TypeOf("DECIMAL(0)"), "the precision of DECIMAL must be from 1 to 38, not 0");
  EXPECT_EQ(TypeOf("DECIMAL(5, 6)"), "the scale of DECIMAL(5,6) exceeds its precision");
  EXPECT_EQ(TypeOf("TIMESTAMP(4)"), "the precision of TIMESTAMP is 0, 3, 6 or 9, not 4");
  EXPECT_EQ(TypeOf("TEXT UNSIGNED"), "UNSIGNED goes with integer types only, not with TEXT");
  EXPECT_EQ(TypeOf("HUGEINT"), "type HUGEINT is not supported");
  EXPECT_EQ(TypeOf("ARRAY"), "expected the type inside, in <…>, found ')'");
  EXPECT_EQ(TypeOf("ARRAY<INT"), "expected '>', NOT or NULL, found ')'");
  EXPECT_EQ(TypeOf("STRUCT<>"), "expected the type inside, in <…>, found '<>'");
  EXPECT_EQ(TypeOf("5"), "expected a type, found number 5");
}

}  // namespace
}  // namespace laminar::sql
