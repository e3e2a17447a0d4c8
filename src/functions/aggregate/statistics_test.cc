#include <cmath>

#include "functions/aggregate/aggregate_tester.h"
#include "functions/aggregate/double_double.h"

namespace laminar {
namespace {

using Rows = AggregateTester::Rows;

TEST(Variance, SampleAndPopulation) {
  AggregateTester("var_samp", {Type::Int64()})
      .Add("[1, 2, null, 3]")
      .Add("[4]")
      .Expect("[1.6666666666666667]");
  AggregateTester("variance", {Type::Double()}).Add("[1, 2, 3, 4]").Expect("[1.6666666666666667]");
  AggregateTester("var_pop", {Type::Int64()}).Add("[1, 2, 3, 4]").Expect("[1.25]");
  AggregateTester("stddev_pop", {Type::Int64()}).Add("[2, 4, 4, 4, 5, 5, 7, 9]").Expect("[2.0]");
  AggregateTester("stddev", {Type::Int64()}).Add("[2, 4, 4, 4]").Expect("[1.0]");
}

TEST(Variance, OfFewRows) {
  AggregateTester("var_samp", {Type::Double()}).Add("[1]").Expect("[null]");
  AggregateTester("var_pop", {Type::Double()}).Add("[1]").Expect("[0.0]");
  AggregateTester("stddev", {Type::Double()}).Add("[null]").Expect("[null]");
}

TEST(Variance, FarFromZeroKeepsItsDigits) {
  AggregateTester("var_pop", {Type::Double()}).Add("[1000000000000.25, 1000000000000.75]").Expect("[0.0625]");
  AggregateTester("var_pop", {Type::Double()}).Add("[0.1, 0.1, 0.1]").Expect("[0.0]");
}

TEST(Variance, TakesRowsBackWithoutDrift) {
  AggregateTester var("var_pop", {Type::Double()}, true);
  var.Add("[1, 2, 3, 4]");
  for (int i = 0; i < 20; ++i) var.Add("[1e8, 0.1]").Remove("[1e8, 0.1]");
  var.Expect("[1.25]");
  AggregateTester("var_pop", {Type::Double()}, true).Add("[1, 2, NaN]").Expect("[NaN]");
  AggregateTester("var_pop", {Type::Double()}, true)
      .Add("[1, 2, NaN, Inf]")
      .Remove("[NaN, Inf]")
      .Expect("[0.25]");
  AggregateTester("var_pop", {Type::Double()}, true)
      .Add(Rows{{"[1, 2]"}, {}, {3, 3}})
      .Add(Rows{{"[1]"}, {}, {-2}})
      .Expect("[0.1875]");
}

TEST(Regression, OfALine) {
  const std::vector<Type> types = {Type::Double(), Type::Int64()};
  const Rows line{{"[5, 7, 9, null, 1]", "[2, 3, 4, 1, null]"}, {}, {}};
  AggregateTester("regr_slope", types).Add(line).Expect("[2.0]");
  AggregateTester("regr_intercept", types).Add(line).Expect("[1.0]");
  AggregateTester("regr_r2", types).Add(line).Expect("[1.0]");
  AggregateTester("regr_count", types).Add(line).Expect("[3]");
  AggregateTester("regr_avgx", types).Add(line).Expect("[3.0]");
  AggregateTester("regr_avgy", types).Add(line).Expect("[7.0]");
  AggregateTester("regr_sxx", types).Add(line).Expect("[2.0]");
  AggregateTester("regr_syy", types).Add(line).Expect("[8.0]");
  AggregateTester("regr_sxy", types).Add(line).Expect("[4.0]");
  AggregateTester("corr", types).Add(line).Expect("[1.0]");
  AggregateTester("covar_pop", types).Add(line).Expect("[1.3333333333333333]");
  AggregateTester("covar_samp", types).Add(line).Expect("[2.0]");
}

TEST(Regression, WithoutVariationIsNull) {
  const std::vector<Type> types = {Type::Double(), Type::Double()};
  AggregateTester("corr", types).Add(Rows{{"[1, 2]", "[0.1, 0.1]"}, {}, {}}).Expect("[null]");
  AggregateTester("regr_slope", types).Add(Rows{{"[1, 2]", "[3, 3]"}, {}, {}}).Expect("[null]");
  AggregateTester("regr_r2", types).Add(Rows{{"[1, 1]", "[3, 4]"}, {}, {}}).Expect("[1.0]");
  AggregateTester("covar_samp", types).Add(Rows{{"[1]", "[3]"}, {}, {}}).Expect("[null]");
  AggregateTester("covar_pop", types).Add(Rows{{"[null]", "[3]"}, {}, {}}).Expect("[null]");
}

TEST(Regression, TakesPairsBack) {
  const std::vector<Type> types = {Type::Double(), Type::Double()};
  AggregateTester("regr_slope", types, true)
      .Add(Rows{{"[5, 7, 100, NaN]", "[2, 3, -4, 1]"}, {}, {}})
      .Add(Rows{{"[100, NaN]", "[-4, 1]"}, {}, {-1, -1}})
      .Expect("[2.0]");
}

TEST(DoubleDouble, SubtractsWhatItAdded) {
  DoubleDouble sum;
  for (double x : {1e10, 0.1, -3.7e-5, 1e7}) sum.AddProduct(x, x);
  for (double x : {1e10, -3.7e-5, 1e7}) sum.AddProduct(-x, x);
  EXPECT_NEAR(sum.value(), 0.01, 1e-9);
}

}  // namespace
}  // namespace laminar
