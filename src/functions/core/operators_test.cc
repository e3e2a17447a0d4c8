#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "functions/function_testing.h"

namespace laminar::function_testing {
namespace {

const double kNaN = std::nan("");
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

TEST(OperatorsTest, IntegerArithmetic) {
  CheckCases({
      {"+", {Int(1), Int(2)}, "3"},
      {"+", {Int(kMax), Int(1)}, "error: 9223372036854775807 + 1 overflows BIGINT"},
      {"-", {Int(kMin), Int(1)}, "error: -9223372036854775808 - 1 overflows BIGINT"},
      {"*", {Int(kMax), Int(2)}, "error: 9223372036854775807 * 2 overflows BIGINT"},
      {"+", {V("INT", "2147483647"), V("INT", "1")}, "error: 2147483647 + 1 overflows INT"},
      {"+", {V("TINYINT", "100"), V("TINYINT", "100")}, "200"},
      {"-", {V("BIGINT UNSIGNED", "1"), V("BIGINT UNSIGNED", "2")}, "error: 1 - 2 overflows BIGINT UNSIGNED"},
      {"/", {Int(7), Int(2)}, "3"},
      {"/", {Int(-7), Int(2)}, "-3"},
      {"/", {Int(7), Int(0)}, "error: division by zero: 7 / 0"},
      {"/", {Int(kMin), Int(-1)}, "error: -9223372036854775808 / -1 overflows BIGINT"},
      {"%", {Int(kMin), Int(-1)}, "0"},
      {"%", {Int(-7), Int(3)}, "-1"},
      {"%", {Int(7), Int(-3)}, "1"},
      {"mod", {Int(7), Int(0)}, "error: division by zero: 7 % 0"},
      {"negate", {Int(5)}, "-5"},
      {"negate", {Int(kMin)}, "error: -(-9223372036854775808) overflows BIGINT"},
      {"+", {Int(1), Null("BIGINT")}, "null"},
      {"+", {Null(), Null()}, "null"},
      {"/", {Null("BIGINT"), Int(0)}, "null"},
  });
  EXPECT_EQ(ResultType("+", {V("SMALLINT", "1"), V("SMALLINT", "1")}), "INT");
  EXPECT_EQ(ResultType("+", {V("INT UNSIGNED", "1"), V("INT UNSIGNED", "1")}), "BIGINT");
  EXPECT_EQ(ResultType("+", {Text("a"), Int(1)}), "error: cannot cast 'a' to BIGINT");
  EXPECT_EQ(Call("+", {Text("2"), Int(1)}), "3");
  EXPECT_EQ(ResultType("+", {V("BOOLEAN", "true"), Int(1)}), "error: no operator BOOLEAN + BIGINT");
}

TEST(OperatorsTest, OverflowUnderNullIsNoOverflow) {
  Batch batch;
  batch.num_rows = 2;
  // The value under the NULL is whatever the builder left; make it overflow for certain by slicing a wider
  // array.
  batch.columns = {Column("BIGINT", "[9223372036854775807, 1]"), Column("BIGINT", "[null, 5]")};
  const auto sum =
      CoreRegistry().BindScalar("+", {MakeColumn(0, "a", Type::Int64()), MakeColumn(1, "b", Type::Int64())});
  EXPECT_EQ(Evaluate(sum, batch), "[null,6]");
}

TEST(OperatorsTest, RealArithmetic) {
  CheckCases({
      {"+", {Double(1.5), Int(1)}, "2.5"},
      {"/", {Double(1), Int(0)}, "null"},  // Infinity has no JSON text
      {"%", {Double(-7.5), Double(2)}, "-1.5"},
      {"negate", {Double(0.5)}, "-0.5"},
      {"+", {V("FLOAT", "1.5"), V("FLOAT", "1.5")}, "3.0"},
      {"*", {V("DECIMAL(5,2)", "1.50"), Double(2)}, "3.0"},
      {"+", {V("JSON", "1"), Int(2)}, "3.0"},
      {"+", {V("JSON", "\"1.5\""), V("JSON", "2")}, "3.5"},
  });
  EXPECT_EQ(ResultType("+", {V("FLOAT", "1"), V("FLOAT", "1")}), "FLOAT");
  EXPECT_EQ(ResultType("+", {V("FLOAT", "1"), Int(1)}), "DOUBLE");
}

TEST(OperatorsTest, DecimalArithmetic) {
  CheckCases({
      {"+", {V("DECIMAL(5,2)", "1.50"), V("DECIMAL(5,1)", "0.1")}, "1.60"},
      {"-", {V("DECIMAL(5,2)", "1.50"), Int(2)}, "-0.50"},
      {"*", {V("DECIMAL(5,2)", "1.50"), V("DECIMAL(5,2)", "0.25")}, "0.3750"},
      {"/", {V("DECIMAL(5,2)", "1.00"), V("DECIMAL(5,2)", "3.00")}, "0.33333333"},
      {"/", {V("DECIMAL(5,2)", "2.00"), Int(3)}, "0.6666666666666666666667"},
      {"/", {V("DECIMAL(5,2)", "-2.00"), V("DECIMAL(5,2)", "3.00")}, "-0.66666667"},
      {"/", {V("DECIMAL(5,2)", "2.00"), V("DECIMAL(5,2)", "0.00")}, "error: division by zero: 2.00 / 0.00"},
      {"%", {V("DECIMAL(5,2)", "-7.50"), Int(2)}, "-1.50"},
      {"*",
       {V("DECIMAL(38,0)", "99999999999999999999999999999999999999"), V("DECIMAL(38,0)", "10")},
       "error: 99999999999999999999999999999999999999 * 10 overflows DECIMAL(38,0)"},
      {"negate", {V("DECIMAL(5,2)", "1.50")}, "-1.50"},
      {"+", {V("DECIMAL(5,2)", "1.50"), Null()}, "null"},
  });
  EXPECT_EQ(ResultType("+", {V("DECIMAL(5,2)", "1"), V("DECIMAL(5,2)", "1")}), "DECIMAL(6,2)");
  EXPECT_EQ(ResultType("*", {V("DECIMAL(5,2)", "1"), V("DECIMAL(4,1)", "1")}), "DECIMAL(10,3)");
  EXPECT_EQ(ResultType("*", {V("DECIMAL(38,10)", "1"), V("DECIMAL(38,10)", "1")}), "DECIMAL(38,6)");
}

TEST(OperatorsTest, TemporalArithmetic) {
  CheckCases({
      {"+", {Timestamp("2024-01-31 10:00:00"), Interval("1 month")}, "\"2024-02-29T10:00:00\""},
      {"+", {Interval("1 month"), Timestamp("2023-01-31")}, "\"2023-02-28T00:00:00\""},
      {"-", {Timestamp("2024-03-31"), Interval("1 month")}, "\"2024-02-29T00:00:00\""},
      {"-", {Timestamp("1970-01-01"), Interval("1 second")}, "\"1969-12-31T23:59:59\""},
      {"+", {Timestamp("1969-12-31 12:00:00"), Interval("1 year 1 day")}, "\"1971-01-01T12:00:00\""},
      {"+", {V("DATE", "\"2024-02-28\""), Int(2)}, "\"2024-03-01\""},
      {"-", {V("DATE", "\"1970-01-01\""), Int(1)}, "\"1969-12-31\""},
      {"-", {V("DATE", "\"2024-03-01\""), V("DATE", "\"2024-02-01\"")}, "29"},
      {"-", {Timestamp("2024-03-01 12:00:00"), Timestamp("2024-02-28 11:00:00")}, "\"P2DT1H\""},
      {"-", {Timestamp("2024-02-28 11:00:00"), Timestamp("2024-03-01 12:00:00")}, "\"P-2DT-1H\""},
      {"-", {Timestamp("2024-01-02"), V("DATE", "\"2024-01-01\"")}, "\"P1D\""},
      {"+", {V("TIME", "\"23:00:00\""), Interval("2 hours")}, "\"01:00:00\""},
      {"-", {V("TIME", "\"01:00:00\""), Interval("2 hours")}, "\"23:00:00\""},
      {"-", {V("TIME", "\"03:00:00\""), V("TIME", "\"01:30:00\"")}, "\"PT1H30M\""},
      {"+", {Interval("1 day"), Interval("2 hours")}, "\"P1DT2H\""},
      {"-", {Interval("1 hour"), Interval("90 minutes")}, "\"PT-30M\""},
      {"*", {Interval("1 day 1 hour"), Int(3)}, "\"P3DT3H\""},
      {"*", {Double(1.5), Interval("1 day")}, "\"P1DT12H\""},
      {"/", {Interval("1 hour"), Int(2)}, "\"PT30M\""},
      {"negate", {Interval("1 hour")}, "\"PT-1H\""},
      {"+",
       {V("TIMESTAMP(9)", "\"2024-01-01T00:00:00.000000001\""), Interval("1 second")},
       "\"2024-01-01T00:00:01.000000001\""},
      {"+", {V("TIMESTAMPTZ", "\"2024-01-31T00:00:00Z\""), Interval("1 month")}, "\"2024-02-29T00:00:00Z\""},
      {"+", {V("JSON", "\"2024-01-01\""), Interval("1 day")}, "\"2024-01-02T00:00:00\""},
      {"+",
       {V("TIMESTAMP(9)", "\"2262-01-01T00:00:00\""), Interval("10 years")},
       "error: 2262-01-01 00:00:00 + INTERVAL 'P10Y' is out of range"},
  });
}

TEST(OperatorsTest, DatePlusIntervalColumnIsTimestamp) {
  const auto sum = CoreRegistry().BindScalar(
      "+", {MakeColumn(0, "d", Type::Date()), MakeColumn(1, "i", Type::Interval())});
  EXPECT_EQ(sum->type(), Type::Timestamp());
  // A constant without time part keeps the date.
  const Value month = Interval("1 month");
  const auto date = CoreRegistry().BindScalar(
      "+", {MakeColumn(0, "d", Type::Date()), MakeLiteral(month.scalar, month.type)});
  Batch batch;
  batch.num_rows = 2;
  batch.columns = {Column("DATE", R"(["2024-01-31","1968-01-31"])")};
  EXPECT_EQ(Evaluate(date, batch), R"(["2024-02-29","1968-02-29"])");
}

TEST(OperatorsTest, Comparisons) {
  CheckCases({
      {"=", {Int(1), Double(1)}, "true"},
      {"<>", {Int(1), Int(2)}, "true"},
      {"<", {Int(-1), V("BIGINT UNSIGNED", "1")}, "true"},
      {"<=", {Int(2), Int(2)}, "true"},
      {">", {Int(2), Int(2)}, "false"},
      {">=", {Text("b"), Text("a")}, "true"},
      {"<", {Text("a"), Text("ab")}, "true"},
      {"<", {Text("Z"), Text("a")}, "true"},
      {"=", {Double(kNaN), Double(kNaN)}, "true"},
      {">", {Double(kNaN), Double(INFINITY)}, "true"},
      {"<", {Double(kNaN), Double(1)}, "false"},
      {">=", {Double(1), Double(kNaN)}, "false"},
      {"=", {Double(-0.0), Double(0.0)}, "true"},
      {"=", {Int(1), Null("BIGINT")}, "null"},
      {"=", {Null(), Null()}, "null"},
      {">", {Timestamp("2024-01-02"), Text("2024-01-01")}, "true"},
      {"=", {Text("5"), Int(5)}, "true"},
      {"<", {V("DATE", "\"2024-01-01\""), Timestamp("2024-01-01 00:00:01")}, "true"},
      {"=", {V("JSON", "\"x\""), Text("x")}, "true"},
      {">", {V("JSON", "10"), Int(9)}, "true"},
      {"=", {V("DECIMAL(5,2)", "1.50"), V("DECIMAL(9,4)", "1.5")}, "true"},
      {"<", {V("DECIMAL(5,2)", "-1.50"), Int(0)}, "true"},
      {"=", {Interval("1 month"), Interval("30 days")}, "true"},
      {">", {Interval("25 hours"), Interval("1 day")}, "true"},
      {"=", {V("BOOLEAN", "true"), V("BOOLEAN", "false")}, "false"},
      {"=", {V("INT[]", "[1,2]"), V("INT[]", "[1,2]")}, "true"},
      {"<", {V("INT[]", "[1,2]"), V("INT[]", "[1,3]")}, "true"},
      {"=",
       {V("STRUCT<a INT, b TEXT>", R"({"a":1,"b":"x"})"), V("STRUCT<a INT, b TEXT>", R"({"a":1,"b":"x"})")},
       "true"},
      {"is_distinct_from", {Int(1), Null("BIGINT")}, "true"},
      {"is_distinct_from", {Null("BIGINT"), Null("BIGINT")}, "false"},
      {"is_not_distinct_from", {Int(1), Int(1)}, "true"},
      {"is_not_distinct_from", {Null(), Null()}, "true"},
      {"is_not_distinct_from", {Double(kNaN), Double(kNaN)}, "true"},
  });
  EXPECT_EQ(ResultType("=", {Int(1), V("INT[]", "[1]")}), "error: no operator BIGINT = INT[]");
}

TEST(OperatorsTest, ComparisonOverManyRows) {
  // Past one block of 64, from an odd offset, with NULLs.
  std::string json = "[";
  for (int i = 0; i < 200; ++i) json += (i ? "," : "") + (i % 7 == 0 ? "null" : std::to_string(i));
  Batch batch;
  batch.columns = {Column("BIGINT", json + "]")->Slice(3)};
  batch.num_rows = 197;
  std::vector<int32_t> rows;
  const auto column = MakeColumn(0, "x", Type::Int64());
  EvaluateFilter(*CoreRegistry().BindScalar(">", {column, MakeInt64(150)}), batch, {}, &rows);
  std::vector<int32_t> expected;
  for (int i = 3; i < 200; ++i) {
    if (i % 7 != 0 && i > 150) expected.push_back(i - 3);
  }
  EXPECT_EQ(rows, expected);
}

TEST(OperatorsTest, NarrowColumnIsNotWidenedForConstant) {
  const auto compare = CoreRegistry().BindScalar("=", {MakeColumn(0, "x", Type::Int32()), MakeInt64(5)});
  EXPECT_EQ(compare->children()[0]->type(), Type::Int32());
}

TEST(OperatorsTest, NullTests) {
  CheckCases({
      {"is_null", {Null("TEXT")}, "true"},
      {"is_null", {Int(1)}, "false"},
      {"is_null", {Null()}, "true"},
      {"is_not_null", {V("STRUCT<a INT>", R"({"a":null})")}, "true"},
      {"is_true", {Null("BOOLEAN")}, "false"},
      {"is_not_true", {Null("BOOLEAN")}, "true"},
      {"is_false", {V("BOOLEAN", "false")}, "true"},
      {"is_not_false", {V("BOOLEAN", "true")}, "true"},
      {"is_unknown", {Null("BOOLEAN")}, "true"},
      {"is_not_unknown", {V("BOOLEAN", "true")}, "true"},
      {"not", {V("BOOLEAN", "true")}, "false"},
      {"not", {Null("BOOLEAN")}, "null"},
  });
}

TEST(OperatorsTest, InList) {
  CheckCases({
      {"in_list", {Int(2), Int(1), Int(2)}, "true"},
      {"in_list", {Int(3), Int(1), Int(2)}, "false"},
      {"in_list", {Int(3), Int(1), Null("BIGINT")}, "null"},
      {"in_list", {Int(1), Int(1), Null("BIGINT")}, "true"},
      {"in_list", {Null("BIGINT"), Int(1)}, "null"},
      {"in_list", {Text("b"), Text("a"), Text("b")}, "true"},
      {"in_list", {Double(1.5), Int(1), Double(1.5)}, "true"},
      {"in_list", {V("INT", "1"), Int(1), Int(5)}, "true"},
      {"in_list", {Timestamp("2024-01-01"), Text("2024-01-01")}, "true"},
      {"in_list", {V("BOOLEAN", "true"), V("BOOLEAN", "false")}, "false"},
  });
}

TEST(OperatorsTest, Patterns) {
  CheckCases({
      {"like", {Text("laminar"), Text("lam%")}, "true"},
      {"like", {Text("laminar"), Text("%nar")}, "true"},
      {"like", {Text("laminar"), Text("%min%")}, "true"},
      {"like", {Text("laminar"), Text("laminar")}, "true"},
      {"like", {Text("Laminar"), Text("lam%")}, "false"},
      {"like", {Text("laminar"), Text("l_m%r")}, "true"},
      {"like", {Text("a\nb"), Text("a%b")}, "true"},
      {"like", {Text("é"), Text("_")}, "true"},
      {"like", {Text("50%"), Text("50\\%")}, "true"},
      {"like", {Text("500"), Text("50\\%")}, "false"},
      {"like", {Text("50%"), Text("50x%"), Text("x")}, "true"},
      {"like", {Text("a.c"), Text("a.c%_%")}, "false"},
      {"like", {Text(""), Text("%")}, "true"},
      {"like", {Text(""), Text("")}, "true"},
      {"like",
       {Text("x"), Text("x\\")},
       "error: 'x\\' is not a pattern: the pattern ends with its escape character"},
      {"ilike", {Text("Laminar"), Text("lAM%")}, "true"},
      {"similar_to", {Text("abc"), Text("(a|b)%")}, "true"},
      {"similar_to", {Text("abc"), Text("b%")}, "false"},
      {"similar_to", {Text("a.c"), Text("a.c")}, "true"},
      {"similar_to", {Text("abc"), Text("a.c")}, "false"},
      {"~", {Text("abc"), Text("b")}, "true"},
      {"~", {Text("abc"), Text("^b")}, "false"},
      {"~*", {Text("ABC"), Text("b")}, "true"},
      {"!~", {Text("abc"), Text("x")}, "true"},
      {"!~*", {Text("abc"), Text("B")}, "false"},
      {"~", {Null("TEXT"), Text("x")}, "null"},
  });
  EXPECT_TRUE(Call("~", {Text("a"), Text("(")}).starts_with("error: '(' is not a pattern"));
}

TEST(OperatorsTest, BitsAndConcat) {
  CheckCases({
      {"&", {Int(6), Int(3)}, "2"},
      {"|", {Int(6), Int(3)}, "7"},
      {"#", {Int(6), Int(3)}, "5"},
      {"<<", {Int(1), Int(4)}, "16"},
      {">>", {Int(-16), Int(2)}, "-4"},
      {"<<", {Int(1), Int(64)}, "error: cannot shift by 64: 0 to 63 bits"},
      {"||", {Text("a"), Int(1)}, "\"a1\""},
      {"||", {Text("a"), Null("TEXT")}, "null"},
      {"||", {V("INT[]", "[1]"), V("BIGINT[]", "[2,null]")}, "[1,2,null]"},
      {"||", {V("INT[]", "[1]"), Int(2)}, "[1,2]"},
      {"||", {Int(0), V("INT[]", "[1]")}, "[0,1]"},
      {"||", {V("INT[][]", "[[1]]"), V("INT[]", "[2]")}, "[[1],[2]]"},
  });
}

TEST(OperatorsTest, ErrorTexts) {
  try {
    CoreRegistry().BindScalar("is_nul", {MakeInt64(1)});
    FAIL();
  } catch (const UserError& error) {
    EXPECT_EQ(error.reason(), Reason::kUnknownFunction);
    EXPECT_EQ(error.message(), "no function 'is_nul'");
    EXPECT_EQ(error.hint(), "did you mean 'is_null'?");
  }
  try {
    CoreRegistry().BindScalar("not", {MakeText("a")->children().empty() ? MakeInt64(1) : MakeInt64(2)});
    FAIL();
  } catch (const UserError& error) {
    EXPECT_EQ(error.reason(), Reason::kTypeError);
    EXPECT_EQ(error.message(), "not(BIGINT) does not exist");
    EXPECT_EQ(error.hint(), "there is: NOT x → boolean");
  }
}

}  // namespace
}  // namespace laminar::function_testing
