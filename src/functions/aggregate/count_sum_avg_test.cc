#include "functions/aggregate/aggregate_tester.h"

namespace laminar {
namespace {

using Rows = AggregateTester::Rows;

TEST(Count, CountsRowsWithoutArguments) {
  AggregateTester("count", std::vector<Type>{})
      .Add(Rows{{}, {0, 1, 0, 0}, {}})
      .Add(Rows{{}, {1}, {}})
      .Expect("[3, 2, 0]");
  AggregateTester("count", std::vector<Type>{}).Add(Rows{{}, {0, 0, 0, 0, 0}, {}}).Expect("[5]");
}

TEST(Count, SkipsRowsWithAnyNull) {
  AggregateTester("count", {Type::Int64()}).Add("[1, null, 3]").Add("[null]").Expect("[2]");
  AggregateTester("count", {Type::Int64(), Type::Text()})
      .Add(Rows{{"[1, null, 3, 4]", R"(["a", "b", null, "d"])"}, {}, {}})
      .Expect("[2]");
  AggregateTester("count", {Type::Null()}).Add("[null, null]").Expect("[0]");
}

TEST(Count, AddsWeights) {
  AggregateTester("count", {Type::Int64()}, true)
      .Add(Rows{{"[1, null, 3, 5]"}, {0, 0, 1, 0}, {1, 1, 2, -1}})
      .Expect("[0, 2]");
}

TEST(Sum, OfIntegersIsBigint) {
  AggregateTester sum("sum", {Type::Int32()});
  EXPECT_EQ(sum.result(), Type::Int64());
  sum.Add("[1, null, -3]").Add("[10]").Add(Rows{{"[7, 8]"}, {1, 0}, {}}).Expect("[16, 7, null]");
}

TEST(Sum, OfNothingIsNull) {
  AggregateTester("sum", {Type::Int64()}).Add("[null, null]").Expect("[null]");
  AggregateTester("sum", {Type::Double()}).Add("[]").Expect("[null]");
  AggregateTester("sum", {Type::Null()}).Add("[null]").Expect("[null]");
}

TEST(Sum, MayLeaveTheRangeAndComeBack) {
  AggregateTester("sum", {Type::Int64()})
      .Add("[9223372036854775807, 9223372036854775807, -9223372036854775807, -5]")
      .Expect("[9223372036854775802]");
}

TEST(Sum, OutOfRangeIsAnError) {
  AggregateTester sum("sum", {Type::Int64()});
  sum.Add("[9223372036854775807, 1]");
  try {
    sum.Result();
    FAIL() << "no overflow";
  } catch (const QueryError& error) {
    EXPECT_STREQ(error.what(),
                 "sum 9223372036854775808 is out of range of BIGINT: cast the argument to DECIMAL or DOUBLE");
  }
}

TEST(Sum, OfUnsignedIntegersIsUnsigned) {
  AggregateTester sum("sum", {Type::UInt32()}, true);
  EXPECT_EQ(sum.result(), Type::UInt64());
  sum.Add("[18446744073709551615]").Add("[7]").Remove("[18446744073709551615]").Expect("[7]");
}

TEST(Sum, MultipliesByWeight) {
  AggregateTester("sum", {Type::Int64()}, true)
      .Add(Rows{{"[5, 7, 11]"}, {0, 1, 0}, {3, 2, -1}})
      .Expect("[4, 14]");
}

TEST(Sum, RetractedToNothingIsNull) {
  AggregateTester("sum", {Type::Int64()}, true).Add("[5, 7]").Remove("[7, 5]").Expect("[null]");
}

TEST(Sum, OfDecimalsKeepsTheScale) {
  AggregateTester sum("sum", {Type::Decimal(10, 2)}, true);
  EXPECT_EQ(sum.result(), Type::Decimal(38, 2));
  sum.Add(R"(["1.25", null, "-3.50", "100.00"])").Remove(R"(["100.00"])").Expect(R"(["-2.25"])");
}

TEST(Sum, OfDecimalsMayLeaveTheRangeAndComeBack) {
  const std::string big(38, '9');
  AggregateTester("sum", {Type::Decimal(38, 0)})
      .Add(R"([")" + big + R"(", ")" + big + R"(", ")" + big + R"("])")
      .Add(R"(["-)" + big + R"(", "-)" + big + R"("])")
      .Expect(R"([")" + big + R"("])");
  AggregateTester over("sum", {Type::Decimal(38, 0)});
  over.Add(R"([")" + big + R"(", "1"])");
  EXPECT_THROW(over.Result(), QueryError);
}

TEST(Sum, OfDecimalsWithBigWeights) {
  AggregateTester("sum", {Type::Decimal(38, 0)}, true)
      .Add(Rows{
          {R"(["99999999999999999999999999999999999999", "-99999999999999999999999999999999999999", "-3"])"},
          {},
          {2000000000, 1999999999, -2000000000}})
      .Add(Rows{{R"(["-6000000000"])"}, {}, {}})
      .Expect(R"(["99999999999999999999999999999999999999"])");
}

TEST(Sum, OfDoublesIsCompensated) {
  AggregateTester("sum", {Type::Double()}).Add("[1e16, 1, 1, -1e16]").Expect("[2.0]");
}

TEST(Sum, OfDoublesFollowsIeeeOnAppendOnlyInput) {
  AggregateTester("sum", {Type::Double()}).Add("[1, Inf]").Add("[5]").Expect("[Inf]");
  AggregateTester("sum", {Type::Double()}).Add("[-Inf, Inf]").Expect("[NaN]");
  AggregateTester("sum", {Type::Float()}).Add("[1.5, NaN]").Expect("[NaN]");
}

TEST(Sum, TakingBackNanAndInfinityRestoresTheValue) {
  AggregateTester("sum", {Type::Double()}, true).Add("[1.5, NaN, 2]").Remove("[NaN]").Expect("[3.5]");
  AggregateTester("sum", {Type::Double()}, true).Add("[1.5, Inf, 2]").Expect("[Inf]");
  AggregateTester("sum", {Type::Double()}, true).Add("[Inf, -Inf, 2]").Expect("[NaN]");
  AggregateTester("sum", {Type::Double()}, true).Add("[Inf, -Inf, 2]").Remove("[Inf]").Expect("[-Inf]");
  AggregateTester("sum", {Type::Double()}, true).Add("[Inf, -Inf, 2]").Remove("[-Inf, Inf]").Expect("[2.0]");
}

TEST(Sum, RetractionsDoNotDrift) {
  AggregateTester sum("sum", {Type::Double()}, true);
  sum.Add("[0.1, 1e15, 0.2, 3e12]");
  for (int i = 0; i < 50; ++i) sum.Add("[0.3, 1e14]").Remove("[1e14, 0.3]");
  sum.Remove("[1e15, 3e12, 0.2]").Expect("[0.1]");
}

TEST(Sum, RefusesTextAndCountsArguments) {
  EXPECT_THROW(AggregateTester("sum", {Type::Text()}), UserError);
  EXPECT_THROW(AggregateTester("sum", {Type::Int64(), Type::Int64()}), UserError);
  EXPECT_THROW(AggregateTester("sum", std::vector<Type>{}), UserError);
}

TEST(Average, OfIntegersIsExactBeforeDividing) {
  AggregateTester avg("avg", {Type::Int64()}, true);
  EXPECT_EQ(avg.result(), Type::Double());
  avg.Add("[9223372036854775807, 9223372036854775807, null]").Expect("[9223372036854775807.0]");
  AggregateTester("avg", {Type::Int64()}, true).Add("[1, 2, 4]").Remove("[4]").Expect("[1.5]");
  AggregateTester("mean", {Type::UInt8()}).Add("[1, 2, 3]").Expect("[2.0]");
}

TEST(Average, OfDoubles) {
  AggregateTester("avg", {Type::Double()}).Add("[1, null, 2]").Add("[6]").Expect("[3.0]");
  AggregateTester("avg", {Type::Double()}, true).Add("[1, Inf, 2]").Remove("[Inf]").Expect("[1.5]");
  AggregateTester("avg", {Type::Double()}).Add("[null]").Expect("[null]");
}

TEST(Average, OfDecimalsRoundsHalfAwayFromZero) {
  AggregateTester avg("avg", {Type::Decimal(10, 2)}, true);
  EXPECT_EQ(avg.result(), Type::Decimal(14, 6));
  avg.Add(R"(["1.00", "1.00", "0.00"])").Expect(R"(["0.666667"])");
  AggregateTester("avg", {Type::Decimal(10, 2)})
      .Add(R"(["-1.00", "-1.00", "0.00"])")
      .Expect(R"(["-0.666667"])");
  AggregateTester("avg", {Type::Decimal(10, 2)}).Add(R"([null])").Expect("[null]");
}

}  // namespace
}  // namespace laminar
