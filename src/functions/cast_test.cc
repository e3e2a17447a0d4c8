#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "functions/function_testing.h"

namespace laminar::function_testing {
namespace {

struct CastCase {
  Value value;
  std::string type;
  std::string result;
};

void Check(const std::vector<CastCase>& cases) {
  for (const CastCase& c : cases) EXPECT_EQ(Cast(c.value, c.type), c.result) << "as " << c.type;
}

TEST(CastTest, Numbers) {
  Check({
      {Int(300), "TINYINT", "error: cannot cast 300 to TINYINT"},
      {Int(127), "TINYINT", "127"},
      {Int(-1), "BIGINT UNSIGNED", "error: cannot cast -1 to BIGINT UNSIGNED"},
      {V("BIGINT UNSIGNED", "18446744073709551615"), "BIGINT",
       "error: cannot cast 18446744073709551615 to BIGINT"},
      {V("BIGINT UNSIGNED", "18446744073709551615"), "DOUBLE", "1.8446744073709552e+19"},
      {V("TINYINT", "-5"), "BIGINT", "-5"},
      {V("INT", "7"), "SMALLINT UNSIGNED", "7"},
      {Double(1.9), "BIGINT", "1"},
      {Double(-1.9), "INT", "-1"},
      {Double(3e10), "INT", "error: cannot cast 30000000000 to INT"},
      {Double(9223372036854775807.0), "BIGINT", "error: cannot cast 9.223372036854776e+18 to BIGINT"},
      {Double(-9223372036854775808.0), "BIGINT", "-9223372036854775808"},
      {Double(1e300), "FLOAT", "error: cannot cast 1e+300 to FLOAT"},
      {Double(0.1), "FLOAT", "0.1"},
      {V("FLOAT", "1.5"), "DOUBLE", "1.5"},
      {V("BOOLEAN", "true"), "INT", "1"},
      {Int(0), "BOOLEAN", "false"},
      {Null("BIGINT"), "INT", "null"},
      {Null(), "INT", "null"},
  });
  EXPECT_EQ(Cast(Int(300), "TINYINT", true), "null");
}

TEST(CastTest, Decimals) {
  Check({
      {Int(5), "DECIMAL(4,2)", "5.00"},
      {Int(500), "DECIMAL(4,2)", "error: cannot cast 500 to DECIMAL(4,2)"},
      {Text("1.005"), "DECIMAL(10,2)", "1.01"},
      {Text("-1.005"), "DECIMAL(10,2)", "-1.01"},
      {Text("1e3"), "DECIMAL(10,2)", "1000.00"},
      {Text("12345678901234567890.123456789"), "DECIMAL(38,9)", "12345678901234567890.123456789"},
      {Text("abc"), "DECIMAL(10,2)", "error: cannot cast 'abc' to DECIMAL(10,2)"},
      {V("DECIMAL(10,2)", "1.99"), "BIGINT", "1"},
      {V("DECIMAL(10,2)", "-1.99"), "INT", "-1"},
      {V("DECIMAL(10,2)", "1.25"), "DOUBLE", "1.25"},
      {V("DECIMAL(10,2)", "1.25"), "DECIMAL(10,1)", "1.3"},
      {V("DECIMAL(10,2)", "1.20"), "TEXT", "\"1.20\""},
      {Double(1.1), "DECIMAL(10,3)", "1.100"},
      {V("BIGINT UNSIGNED", "18446744073709551615"), "DECIMAL(20,0)", "18446744073709551615"},
      {V("DECIMAL(20,0)", "18446744073709551615"), "BIGINT UNSIGNED", "18446744073709551615"},
  });
}

TEST(CastTest, TextToScalars) {
  Check({
      {Text("abc"), "BIGINT", "error: cannot cast 'abc' to BIGINT"},
      {Text(" 42 "), "BIGINT", "42"},
      {Text("+7"), "INT", "7"},
      {Text(""), "INT", "error: cannot cast '' to INT"},
      {Text("1.0"), "BIGINT", "error: cannot cast '1.0' to BIGINT"},
      {Text("99999999999"), "INT", "error: cannot cast '99999999999' to INT"},
      {Text("1e3"), "DOUBLE", "1000.0"},
      {Text("yes"), "BOOLEAN", "true"},
      {Text("F"), "BOOLEAN", "false"},
      {Text("maybe"), "BOOLEAN", "error: cannot cast 'maybe' to BOOLEAN"},
      {Text("2024-02-29"), "DATE", "\"2024-02-29\""},
      {Text("2023-02-29"), "DATE", "error: cannot cast '2023-02-29' to DATE"},
      {Text("1969-12-31 23:59:59"), "DATE", "\"1969-12-31\""},
      {Text("10:20:30.5"), "TIME", "\"10:20:30.500\""},
      {Text("2024-01-01T10:00:00Z"), "TIMESTAMP", "\"2024-01-01T10:00:00\""},
      {Text("2024-01-01 10:00:00+02:00"), "TIMESTAMPTZ", "\"2024-01-01T08:00:00Z\""},
      {Text("2024-01-01 10:00:00.123456789"), "TIMESTAMP(9)", "\"2024-01-01T10:00:00.123456789\""},
      {Text("2024-01-01 10:00:00.987654"), "TIMESTAMP(3)", "\"2024-01-01T10:00:00.987\""},
      {Text("1969-12-31 23:59:59.9"), "TIMESTAMP(0)", "\"1969-12-31T23:59:59\""},
      {Text("2263-01-01"), "TIMESTAMP(9)", "error: cannot cast '2263-01-01' to TIMESTAMP(9)"},
      {Text("5 minutes"), "INTERVAL", "\"PT5M\""},
      {Text("1 day 02:00:00"), "INTERVAL", "\"P1DT2H\""},
      {Text("1-2"), "INTERVAL", "\"P1Y2M\""},
      {Text("soon"), "INTERVAL", "error: cannot cast 'soon' to INTERVAL"},
      {Text("hé"), "BYTEA", "\"aMOp\""},
      {V("BYTEA", "\"aMOp\""), "TEXT", "\"aMOp\""},
  });
  EXPECT_EQ(Cast(Text("abc"), "BIGINT", true), "null");
  EXPECT_EQ(Cast(Text("abc"), "TIMESTAMP", true), "null");
}

TEST(CastTest, ToText) {
  Check({
      {Int(-42), "TEXT", "\"-42\""},
      {Double(1), "TEXT", "\"1.0\""},
      {Double(0.1), "TEXT", "\"0.1\""},
      {Double(1e20), "TEXT", "\"1e+20\""},
      {Double(std::nan("")), "TEXT", "\"NaN\""},
      {Double(-std::numeric_limits<double>::infinity()), "TEXT", "\"-Infinity\""},
      {V("BOOLEAN", "true"), "TEXT", "\"true\""},
      {V("DATE", "\"0099-01-02\""), "TEXT", "\"0099-01-02\""},
      {Timestamp("2024-01-01T10:00:00.5"), "TEXT", "\"2024-01-01 10:00:00.500\""},
      {V("TIMESTAMPTZ", "\"2024-01-01T10:00:00Z\""), "TEXT", "\"2024-01-01 10:00:00Z\""},
      {Interval("90 minutes"), "TEXT", "\"PT1H30M\""},
      {V("INT[]", "[1,null]"), "TEXT", "\"[1,null]\""},
      {V("STRUCT<a INT, b TEXT>", R"({"a":1,"b":"x"})"), "TEXT", R"("{\"a\":1,\"b\":\"x\"}")"},
      {V("MAP<TEXT, INT>", R"({"k":1})"), "TEXT", R"("{\"k\":1}")"},
  });
}

TEST(CastTest, Moments) {
  Check({
      {Int(1'700'000'000'123'456'789), "TIMESTAMP", "\"2023-11-14T22:13:20.123456\""},
      {Int(-1), "TIMESTAMP", "\"1969-12-31T23:59:59.999999\""},
      {Int(1'700'000'000'123'456'789), "TIMESTAMP(9)", "\"2023-11-14T22:13:20.123456789\""},
      {Timestamp("2023-11-14T22:13:20.123456"), "BIGINT", "1700000000123456000"},
      {Timestamp("9999-12-31"), "BIGINT", "error: cannot cast '9999-12-31 00:00:00' to BIGINT"},
      {Timestamp("9999-12-31"), "TIMESTAMP(9)", "error: cannot cast '9999-12-31 00:00:00' to TIMESTAMP(9)"},
      {Timestamp("1969-12-31 23:00:00"), "DATE", "\"1969-12-31\""},
      {Timestamp("1969-12-31 23:00:00.5"), "TIME", "\"23:00:00.500\""},
      {V("DATE", "\"1969-12-31\""), "TIMESTAMP", "\"1969-12-31T00:00:00\""},
      {Timestamp("2024-01-01 10:00:00.999999"), "TIMESTAMP(3)", "\"2024-01-01T10:00:00.999\""},
      {Timestamp("2024-01-01 10:00:00"), "TIMESTAMPTZ", "\"2024-01-01T10:00:00Z\""},
      {V("TIMESTAMP(9)", "\"2024-01-01T00:00:00.000001999\""), "TIMESTAMP", "\"2024-01-01T00:00:00.000001\""},
      {V("DATE", "\"2024-01-01\""), "BIGINT", "error: there is no cast from DATE to BIGINT"},
  });
}

TEST(CastTest, Json) {
  Check({
      {V("JSON", "\"5\""), "BIGINT", "5"},
      {V("JSON", "5"), "BIGINT", "5"},
      {V("JSON", "5.5"), "BIGINT", "error: cannot cast '5.5' to BIGINT"},
      {V("JSON", "5"), "DOUBLE", "5.0"},
      {V("JSON", "true"), "BOOLEAN", "true"},
      {Value{Type::Json(), MakeText("null")->Evaluate({}, {})->scalar()}, "BIGINT", "null"},
      {V("JSON", "{}"), "BIGINT", "error: cannot cast JSON '{}' to BIGINT"},
      {V("JSON", "\"a\\\"b\""), "TEXT", "\"a\\\"b\""},
      {V("JSON", "{\"a\": 1}"), "TEXT", "\"{\\\"a\\\": 1}\""},
      {V("JSON", "\"2024-01-01T00:00:00Z\""), "TIMESTAMP", "\"2024-01-01T00:00:00\""},
      {V("JSON", "1700000000"), "TIMESTAMP", "\"2023-11-14T22:13:20\""},
      {V("JSON", "1700000000123"), "TIMESTAMP", "\"2023-11-14T22:13:20.123\""},
      {Text("{\"a\":1}"), "JSON", "{\"a\":1}"},
      {Text("{a}"), "JSON", "error: cannot cast '{a}' to JSON"},
      {Int(5), "JSON", "5"},
      {V("INT[]", "[1,null]"), "JSON", "[1,null]"},
      {V("JSON", R"({"A":1,"b":["x",null],"c":{"k":1.5}})"),
       "STRUCT<a INT, b TEXT[], c MAP<TEXT, DOUBLE>, d DATE>",
       R"({"a":1,"b":["x",null],"c":{"k":1.5},"d":null})"},
      {V("JSON", "5"), "INT[]", "error: cannot cast JSON '5' to INT[]"},
      {Text("[1,2]"), "BIGINT[]", "[1,2]"},
  });
  EXPECT_EQ(Cast(Text("{a}"), "JSON", true), "null");
  EXPECT_EQ(Cast(V("JSON", "[1,\"x\"]"), "INT[]", true), "[1,null]");
}

TEST(CastTest, Nested) {
  Check({
      {V("INT[]", "[1,null,3]"), "TEXT[]", R"(["1",null,"3"])"},
      {V("TEXT[]", R"(["1","x"])"), "INT[]", "error: cannot cast 'x' to INT"},
      {V("STRUCT<a INT, b TEXT>", R"({"a":1,"b":"2"})"), "STRUCT<x DOUBLE, y INT>", R"({"x":1.0,"y":2})"},
      {V("MAP<TEXT, INT>", R"({"1":1})"), "MAP<BIGINT, DOUBLE>", R"({"1":1.0})"},
      {V("STRUCT<a INT>", R"({"a":1})"), "STRUCT<a INT, b INT>",
       "error: there is no cast from STRUCT<a INT> to STRUCT<a INT, b INT>"},
  });
}

}  // namespace
}  // namespace laminar::function_testing
