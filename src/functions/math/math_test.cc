#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "functions/function_testing.h"

namespace laminar::function_testing {
namespace {

const double kNaN = std::nan("");

TEST(MathTest, Rounding) {
  CheckCases({
      {"abs", {Int(-5)}, "5"},
      {"abs",
       {Int(std::numeric_limits<int64_t>::min())},
       "error: abs(-9223372036854775808) overflows BIGINT"},
      {"abs", {Double(-3.5)}, "3.5"},
      {"abs", {V("DECIMAL(5,2)", "-1.50")}, "1.50"},
      {"abs", {V("INT UNSIGNED", "7")}, "7"},
      {"abs", {V("JSON", "-2")}, "2.0"},
      {"sign", {Int(-5)}, "-1"},
      {"sign", {Double(0)}, "0.0"},
      {"sign", {V("DECIMAL(5,2)", "-0.50")}, "-1"},
      {"sign", {V("DECIMAL(5,2)", "0")}, "0"},
      {"ceil", {Double(1.2)}, "2.0"},
      {"ceil", {V("DECIMAL(5,2)", "1.20")}, "2"},
      {"ceil", {V("DECIMAL(5,2)", "-1.20")}, "-1"},
      {"ceil", {Int(3)}, "3"},
      {"floor", {Double(-1.2)}, "-2.0"},
      {"floor", {V("DECIMAL(5,2)", "-1.20")}, "-2"},
      {"round", {Double(2.5)}, "3.0"},
      {"round", {Double(-2.5)}, "-3.0"},
      {"round", {Double(2.345), Int(2)}, "2.35"},
      {"round", {Double(1234.5), Int(-2)}, "1200.0"},
      {"round", {Double(kNaN), Int(2)}, "null"},
      {"round", {Int(1250), Int(-2)}, "1300"},
      {"round", {Int(-1250), Int(-2)}, "-1300"},
      {"round",
       {Int(std::numeric_limits<int64_t>::max()), Int(-1)},
       "error: round(9223372036854775807, -1) overflows BIGINT"},
      {"round", {V("DECIMAL(5,2)", "1.25"), Int(1)}, "1.3"},
      {"round", {V("DECIMAL(5,2)", "999.99"), Int(0)}, "1000"},
      {"round", {V("DECIMAL(5,2)", "149.99"), Int(-2)}, "100"},
      {"round", {V("DECIMAL(5,2)", "1.25"), Int(5)}, "1.25"},
      {"trunc", {Double(-2.789), Int(1)}, "-2.7"},
      {"trunc", {V("DECIMAL(5,2)", "-1.99")}, "-1"},
      {"trunc", {Int(1299), Int(-2)}, "1200"},
      {"round", {Null("DOUBLE")}, "null"},
  });
  EXPECT_EQ(ResultType("ceil", {V("DECIMAL(5,2)", "1")}), "DECIMAL(4,0)");
  EXPECT_EQ(ResultType("round", {V("DECIMAL(5,2)", "1"), Int(1)}), "DECIMAL(5,1)");
  EXPECT_EQ(ResultType("round", {Text("x")}), "error: cannot cast 'x' to BIGINT");
}

TEST(MathTest, Reals) {
  CheckCases({
      {"sqrt", {Int(16)}, "4.0"},
      {"sqrt", {Double(-1)}, "null"},  // NaN
      {"cbrt", {Int(-27)}, "-3.0"},
      {"power", {Int(2), Int(10)}, "1024.0"},
      {"exp", {Int(0)}, "1.0"},
      {"ln", {Int(1)}, "0.0"},
      {"log", {Int(100)}, "2.0"},
      {"log", {Int(2), Int(8)}, "3.0"},
      {"log2", {Int(8)}, "3.0"},
      {"log10", {Int(1000)}, "3.0"},
      {"atan2", {Int(0), Int(1)}, "0.0"},
      {"degrees", {Double(M_PI)}, "180.0"},
      {"isnan", {Double(kNaN)}, "true"},
      {"isnan", {Double(1)}, "false"},
      {"iszero", {Double(-0.0)}, "true"},
      {"nanvl", {Double(kNaN), Int(1)}, "1.0"},
      {"width_bucket", {Int(5), Int(0), Int(10), Int(4)}, "3"},
      {"width_bucket", {Int(-1), Int(0), Int(10), Int(4)}, "0"},
      {"width_bucket", {Int(10), Int(0), Int(10), Int(4)}, "5"},
      {"width_bucket", {Int(1), Int(10), Int(0), Int(4)}, "4"},
      {"sin", {V("DECIMAL(5,2)", "0")}, "0.0"},
      {"sin", {V("JSON", "0")}, "0.0"},
      {"sqrt", {Text("16")}, "4.0"},  // an untyped literal
  });
  EXPECT_EQ(Call("round", {Double(3.14159), Int(2)}), "3.14");
}

TEST(MathTest, Integers) {
  CheckCases({
      {"gcd", {Int(12), Int(-18)}, "6"},
      {"gcd", {Int(0), Int(0)}, "0"},
      {"gcd",
       {Int(std::numeric_limits<int64_t>::min()), Int(0)},
       "error: gcd(-9223372036854775808, 0) overflows BIGINT"},
      {"lcm", {Int(4), Int(6)}, "12"},
      {"lcm", {Int(0), Int(6)}, "0"},
      {"lcm",
       {Int(std::numeric_limits<int64_t>::max()), Int(2)},
       "error: lcm(9223372036854775807, 2) overflows BIGINT"},
      {"factorial", {Int(20)}, "2432902008176640000"},
      {"factorial", {Int(21)}, "error: factorial(21): 0 to 20 fit BIGINT"},
      {"bit_count", {Int(-1)}, "64"},
      {"div", {Int(-7), Int(2)}, "-3"},
      {"div", {Int(7), Int(0)}, "error: division by zero: div(7, 0)"},
      {"bin", {Int(10)}, "\"1010\""},
      {"bin", {Int(0)}, "\"0\""},
      {"hex", {Int(255)}, "\"FF\""},
      {"hex", {Int(-1)}, "\"FFFFFFFFFFFFFFFF\""},
      {"hex", {Text("az")}, "\"617A\""},
      {"conv", {Text("ff"), Int(16), Int(2)}, "\"11111111\""},
      {"conv", {Text("x"), Int(10), Int(2)}, "null"},
      {"conv", {Text("1"), Int(1), Int(2)}, "error: conv from base 1 to 2: bases are 2 to 36"},
  });
}

TEST(MathTest, Random) {
  const auto random = CoreRegistry().BindScalar("random", {});
  EXPECT_EQ(random->volatility(), Volatility::kVolatile);
  EXPECT_EQ(FoldConstant(*random), nullptr);
  Batch batch;
  batch.num_rows = 100;
  const auto in_range = MakeAnd(CoreRegistry().BindScalar(">=", {random, MakeInt64(0)}),
                                CoreRegistry().BindScalar("<", {random, MakeInt64(1)}));
  std::vector<int32_t> rows;
  EvaluateFilter(*in_range, batch, {}, &rows);
  EXPECT_EQ(rows.size(), 100u);
  EXPECT_NE(Evaluate(random, batch), Evaluate(random, batch));
  EXPECT_EQ(Evaluate(CoreRegistry().BindScalar("rand_integer", {MakeInt64(1)}), Slice(batch, 0, 2)), "[0,0]");
}

TEST(ConditionalTest, Functions) {
  CheckCases({
      {"coalesce", {Null(), Int(2), Int(3)}, "2"},
      {"coalesce", {Null("BIGINT"), Null("BIGINT")}, "null"},
      {"coalesce", {V("INT", "1"), Double(2.5)}, "1.0"},
      {"nvl", {Null("TEXT"), Text("x")}, "\"x\""},
      {"nvl2", {Null("BIGINT"), Text("a"), Text("b")}, "\"b\""},
      {"nvl2", {Int(1), Text("a"), Text("b")}, "\"a\""},
      {"nullif", {Int(1), Int(1)}, "null"},
      {"nullif", {Int(1), Int(2)}, "1"},
      {"nullif", {Null("BIGINT"), Int(2)}, "null"},
      {"nullif", {Int(1), Null("BIGINT")}, "1"},
      {"if", {V("BOOLEAN", "true"), Int(1), Int(2)}, "1"},
      {"if", {Null("BOOLEAN"), Int(1), Int(2)}, "2"},
      {"greatest", {Int(1), Null("BIGINT"), Int(3)}, "3"},
      {"greatest", {Text("b"), Text("ab")}, "\"b\""},
      {"least", {Int(1), Null("BIGINT"), Int(3)}, "1"},
      {"least", {Null("BIGINT"), Null("BIGINT")}, "null"},
      {"least", {V("INT", "1"), Double(0.5)}, "0.5"},
      {"greatest", {Timestamp("2024-01-01"), V("DATE", "\"2024-02-01\"")}, "\"2024-02-01T00:00:00\""},
      {"typeof", {V("INT[]", "[1]")}, "\"INT[]\""},
      {"typeof", {Null("BIGINT")}, "\"BIGINT\""},
  });
  EXPECT_EQ(ResultType("greatest", {Int(1), Text("a")}), "error: cannot cast 'a' to BIGINT");
}

}  // namespace
}  // namespace laminar::function_testing
