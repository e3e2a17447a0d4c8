#include "functions/aggregate/aggregate_tester.h"

namespace laminar {
namespace {

using Rows = AggregateTester::Rows;

/// f(p) WITHIN GROUP (ORDER BY x)
AggregateBindArguments WithinGroup(double p, Type type, bool retractable, bool descending = false) {
  AggregateBindArguments args;
  args.types = {Type::Double()};
  args.constants = {arrow::MakeScalar(p)};
  args.order_types = {std::move(type)};
  args.order = {{.descending = descending, .nulls_first = descending}};
  args.retractable = retractable;
  return args;
}

TEST(Median, HasTheArgumentsType) {
  for (bool retractable : {false, true}) {
    AggregateTester median("median", {Type::Int32()}, retractable);
    EXPECT_EQ(median.result(), Type::Int32());
    median.Add(Rows{{"[5, null, 1]"}, {}, {}}).Add(Rows{{"[9, -3]"}, {0, 1}, {}}).Expect("[5, -3, null]");
    AggregateTester("median", {Type::Int64()}, retractable).Add("[-4, -1]").Expect("[-2]");
    AggregateTester("median", {Type::Int64()}, retractable)
        .Add("[9223372036854775807, 9223372036854775805]")
        .Expect("[9223372036854775806]");
    AggregateTester("median", {Type::Double()}, retractable).Add("[4, 1]").Add("[2, NaN]").Expect("[3.0]");
    AggregateTester("median", {Type::Decimal(10, 2)}, retractable)
        .Add(R"(["1.00", "1.03"])")
        .Expect(R"(["1.01"])");
    AggregateTester("median", {Type::UInt64()}, retractable)
        .Add("[18446744073709551615, 18446744073709551613]")
        .Expect("[18446744073709551614]");
    AggregateTester("median", {Type::Timestamp()}, retractable)
        .Add(R"(["1969-12-31 00:00:00", "1970-01-02 00:00:00", "1980-01-01 00:00:00"])")
        .Expect(R"(["1970-01-02 00:00:00"])");
  }
}

TEST(Percentile, Continuous) {
  for (bool retractable : {false, true}) {
    const Rows rows{{"[0, 0, 0, 0, 0]", "[40, 10, null, 20, 30]"}, {}, {}};
    AggregateTester("percentile_cont", WithinGroup(0.5, Type::Int64(), retractable))
        .Add(rows)
        .Expect("[25.0]");
    AggregateTester("percentile_cont", WithinGroup(0, Type::Int32(), retractable)).Add(rows).Expect("[10.0]");
    AggregateTester("percentile_cont", WithinGroup(1, Type::Int8(), retractable)).Add(rows).Expect("[40.0]");
    AggregateTester("percentile_cont", WithinGroup(0.1, Type::Double(), retractable))
        .Add(rows)
        .Expect("[13.0]");
    AggregateTester("percentile_cont", WithinGroup(0.1, Type::Double(), retractable, true))
        .Add(rows)
        .Expect("[37.0]");
  }
}

TEST(Percentile, Discrete) {
  for (bool retractable : {false, true}) {
    const Rows rows{{"[0, 0, 0, 0]", "[40, 10, 20, 30]"}, {}, {}};
    AggregateTester disc("percentile_disc", WithinGroup(0.5, Type::Int32(), retractable));
    EXPECT_EQ(disc.result(), Type::Int32());
    disc.Add(rows).Expect("[20]");
    AggregateTester("percentile_disc", WithinGroup(0.51, Type::Int64(), retractable))
        .Add(rows)
        .Expect("[30]");
    AggregateTester("percentile_disc", WithinGroup(0, Type::Int64(), retractable)).Add(rows).Expect("[10]");
    AggregateTester("percentile_disc", WithinGroup(0.25, Type::Int64(), retractable, true))
        .Add(rows)
        .Expect("[40]");
    AggregateTester("percentile_disc", WithinGroup(0.5, Type::Text(), retractable))
        .Add(Rows{{"[0, 0, 0]", R"(["b", "c", "a text that is too long for a small string"])"}, {}, {}})
        .Expect(R"(["b"])");
  }
}

TEST(Percentile, TakesRowsBack) {
  AggregateTester("median", {Type::Int64()}, true).Add("[1, 5, 9]").Remove("[9]").Expect("[3]");
  AggregateTester("median", {Type::Int64()}, true).Add("[1]").Remove("[1]").Expect("[null]");
}

TEST(Percentile, WantsAConstantFraction) {
  auto args = WithinGroup(1.5, Type::Int64(), false);
  EXPECT_THROW(AggregateTester("percentile_cont", args), UserError);
  args.constants = {nullptr};
  EXPECT_THROW(AggregateTester("percentile_cont", args), UserError);
  EXPECT_THROW(AggregateTester("percentile_cont", WithinGroup(0.5, Type::Text(), false)), UserError);
}

TEST(Mode, TakesTheLeastOfTheMostFrequent) {
  for (bool retractable : {false, true}) {
    AggregateTester("mode", {Type::Int64()}, retractable)
        .Add("[3, 1, null, null, null]")
        .Add("[1, 3, 2]")
        .Expect("[1]");
    AggregateTester("mode", {Type::Text()}, retractable).Add(R"(["b", "b", "a"])").Expect(R"(["b"])");
  }
  AggregateTester("mode", {Type::Int64()}, true).Add("[3, 3, 1]").Remove("[3, 3]").Expect("[1]");
}

TEST(ApproxDistinct, IsExactForFewValues) {
  for (bool retractable : {false, true}) {
    AggregateTester distinct("approx_distinct", {Type::Double()}, retractable);
    EXPECT_EQ(distinct.result(), Type::UInt64());
    distinct.Add("[0.0, -0.0, NaN, NaN, 3, null]").Add("[3, 4]").Expect("[4, 0]");
  }
  AggregateTester("approx_distinct", {Type::Text()}, true)
      .Add(R"(["a", "b", "a"])")
      .Remove(R"(["a", "b"])")
      .Expect("[1]");
}

TEST(ApproxDistinct, IsNearForManyValues) {
  AggregateTester distinct("approx_count_distinct", {Type::Int64()});
  for (int batch = 0; batch < 20; ++batch) {
    std::string values = "[";
    for (int i = 0; i < 5000; ++i) values += (i ? "," : "") + std::to_string(batch * 2500 + i);
    distinct.Add(values + "]");
  }
  const auto estimate = std::static_pointer_cast<arrow::UInt64Array>(distinct.Result())->Value(0);
  EXPECT_NEAR(static_cast<double>(estimate), 52500, 52500 * 0.03);
  distinct.Expect("[" + std::to_string(estimate) + "]");  // the same however it was put together
}

TEST(ApproxPercentile, IsExactForFewValues) {
  AggregateTester("approx_median", {Type::Int64()}).Add("[1, 2]").Add("[3, 4, null]").Expect("[2.5, null]");
  AggregateTester("approx_median", {Type::Int64()}, true).Add("[1, 2, 30]").Remove("[30]").Expect("[1.5]");
  AggregateTester("approx_percentile_cont", WithinGroup(1, Type::Int64(), false))
      .Add(Rows{{"[0, 0, 0]", "[7, 9, 8]"}, {}, {}})
      .Expect("[9.0]");
}

TEST(ApproxPercentile, IsNearForManyValues) {
  for (double p : {0.01, 0.25, 0.5, 0.99}) {
    AggregateTester percentile("approx_percentile_cont", WithinGroup(p, Type::Int64(), false));
    for (int batch = 0; batch < 10; ++batch) {
      std::string fractions = "[", values = "[";
      for (int i = 0; i < 1000; ++i) {
        fractions += i ? ",0" : "0";
        values += (i ? "," : "") + std::to_string((i * 10 + batch) * 7919 % 10000);
      }
      percentile.Add(Rows{{fractions + "]", values + "]"}, {}, {}});
    }
    const auto result = std::static_pointer_cast<arrow::DoubleArray>(percentile.Result())->Value(0);
    EXPECT_NEAR(result, p * 10000, 60) << p;
  }
}

TEST(ApproxPercentile, WithWeights) {
  AggregateBindArguments args = WithinGroup(0.5, Type::Double(), false);
  args.types.insert(args.types.begin(), Type::Int64());
  args.constants.insert(args.constants.begin(), nullptr);
  AggregateTester("approx_percentile_cont_with_weight", args)
      .Add(Rows{{"[1, 98, 1, null, 0]", "[0, 0, 0, 0, 0]", "[1, 2, 3, 100, 200]"}, {}, {}})
      .Expect("[2.0]");
  args.retractable = true;
  EXPECT_THROW(AggregateTester("approx_percentile_cont_with_weight", args), UserError);
}

}  // namespace
}  // namespace laminar
