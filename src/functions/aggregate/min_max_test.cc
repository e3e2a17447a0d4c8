#include "functions/aggregate/aggregate_tester.h"

namespace laminar {
namespace {

using Rows = AggregateTester::Rows;

TEST(MinMax, KeepTheArgumentsType) {
  for (const Type& type :
       {Type::Int8(), Type::Int16(), Type::Int32(), Type::Int64(), Type::UInt8(), Type::UInt16(),
        Type::UInt32(), Type::UInt64(), Type::Float(), Type::Double(), Type::Date(), Type::Time(),
        Type::Timestamp(), Type::Timestamp(9), Type::TimestampTz()}) {
    for (bool retractable : {false, true}) {
      AggregateTester min("min", {type}, retractable), max("max", {type}, retractable);
      EXPECT_EQ(min.result(), type);
      if (type.is_temporal()) continue;
      min.Add("[5, null, 3]").Add(Rows{{"[4, 9]"}, {0, 1}, {}}).Expect("[3, 9, null]");
      max.Add("[5, null, 3]").Add(Rows{{"[4, 9]"}, {0, 1}, {}}).Expect("[5, 9, null]");
    }
  }
}

TEST(MinMax, OfTimesBefore1970) {
  AggregateTester("min", {Type::Timestamp()})
      .Add(R"(["1969-12-31 23:59:59.999999", "1970-01-01 00:00:00", "9999-12-31 00:00:00"])")
      .Expect(R"(["1969-12-31 23:59:59.999999"])");
  AggregateTester("max", {Type::Date()}, true).Add("[-1, -20]").Expect("[-1]");
}

TEST(MinMax, NanIsGreatest) {
  for (bool retractable : {false, true}) {
    AggregateTester("min", {Type::Double()}, retractable).Add("[NaN, Inf, -Inf]").Expect("[-Inf]");
    AggregateTester("min", {Type::Double()}, retractable).Add("[NaN, 1, 2]").Expect("[1.0]");
    AggregateTester("min", {Type::Double()}, retractable).Add("[NaN]").Expect("[NaN]");
    AggregateTester("max", {Type::Double()}, retractable).Add("[1, NaN, Inf]").Expect("[NaN]");
  }
}

TEST(MinMax, OfNegativeNumbers) {
  AggregateTester("max", {Type::Int64()}).Add("[-5, -3]").Expect("[-3]");
  AggregateTester("max", {Type::Double()}).Add("[-5, -Inf]").Expect("[-5.0]");
  AggregateTester("min", {Type::UInt64()})
      .Add("[18446744073709551615, 9223372036854775808]")
      .Expect("[9223372036854775808]");
}

TEST(MinMax, OfTextByBytes) {
  for (bool retractable : {false, true}) {
    AggregateTester("min", {Type::Text()}, retractable)
        .Add(Rows{{R"(["b", null, "ä", "Z", "zz"])"}, {0, 0, 0, 0, 1}, {}})
        .Add(Rows{{R"(["", "long enough to need another block"])"}, {1, 2}, {}})
        .Expect(R"(["Z", "", "long enough to need another block", null])");
    AggregateTester("max", {Type::Text()}, retractable)
        .Add(R"(["b", null, "ä", "Z", "zz"])")
        .Expect(R"(["ä"])");
    AggregateTester("max", {Type::Text()}, retractable).Add(R"(["", ""])").Expect(R"([""])");
    AggregateTester("min", {Type::Bytes()}, retractable).Add("[null]").Expect("[null]");
  }
}

TEST(MinMax, OfBooleansAndDecimals) {
  for (bool retractable : {false, true}) {
    AggregateTester("max", {Type::Boolean()}, retractable).Add("[false, null, true]").Expect("[true]");
    AggregateTester("min", {Type::Decimal(38, 2)}, retractable)
        .Add(R"(["1.00", "-2.50", null])")
        .Expect(R"(["-2.50"])");
    AggregateTester("max", {Type::Decimal(38, 0)}, retractable)
        .Add(R"(["99999999999999999999999999999999999999", "18446744073709551616"])")
        .Expect(R"(["99999999999999999999999999999999999999"])");
  }
}

TEST(MinMax, RetractionBringsTheNextValueBack) {
  AggregateTester("max", {Type::Int64()}, true).Add("[5, 9, 9, 1]").Remove("[9]").Expect("[9]");
  AggregateTester("max", {Type::Int64()}, true).Add("[5, 9, 9, 1]").Remove("[9, 9]").Expect("[5]");
  AggregateTester("min", {Type::Text()}, true).Add(R"(["a", "b"])").Remove(R"(["a"])").Expect(R"(["b"])");
  AggregateTester("min", {Type::Int64()}, true).Add("[1]").Remove("[1]").Expect("[null]");
  AggregateTester("max", {Type::Double()}, true).Add("[1, NaN]").Remove("[NaN]").Expect("[1.0]");
  AggregateTester("max", {Type::Double()}, true).Add("[0.0]").Remove("[-0.0]").Expect("[null]");
}

TEST(MinMax, ARetractionMayOvertakeItsRow) {
  AggregateTester("min", {Type::Int64()}, true).Remove("[3]").Add("[7]").Expect("[7]");
  AggregateTester("min", {Type::Int64()}, true).Remove("[3]").Add("[7, 3]").Expect("[7]");
}

}  // namespace
}  // namespace laminar
