#include "functions/aggregate/aggregate_tester.h"

namespace laminar {
namespace {

using Rows = AggregateTester::Rows;

TEST(Bits, OfEachIntegerType) {
  for (const Type& type : {Type::Int8(), Type::Int32(), Type::Int64(), Type::UInt8(), Type::UInt64()}) {
    for (bool retractable : {false, true}) {
      const Rows rows{{"[7, 13, null, 5]"}, {0, 0, 0, 1}, {}};
      AggregateTester bit_and("bit_and", {type}, retractable);
      EXPECT_EQ(bit_and.result(), type);
      bit_and.Add(rows).Add("[15]").Expect("[5, 5, null]");
      AggregateTester("bit_or", {type}, retractable).Add(rows).Add("[16]").Expect("[31, 5, null]");
      AggregateTester("bit_xor", {type}, retractable).Add(rows).Add("[1]").Expect("[11, 5, null]");
    }
  }
}

TEST(Bits, OfNegativeNumbers) {
  for (bool retractable : {false, true}) {
    AggregateTester("bit_and", {Type::Int16()}, retractable).Add("[-1, -2]").Expect("[-2]");
    AggregateTester("bit_or", {Type::Int64()}, retractable).Add("[-8, 3]").Expect("[-5]");
  }
}

TEST(Bits, TakeRowsBack) {
  AggregateTester("bit_and", {Type::Int32()}, true).Add("[7, 5, 6]").Remove("[6]").Expect("[5]");
  AggregateTester("bit_or", {Type::Int32()}, true).Add("[1, 2, 3]").Remove("[2]").Expect("[3]");
  AggregateTester("bit_or", {Type::Int32()}, true).Add("[1, 2, 3]").Remove("[2, 3]").Expect("[1]");
  AggregateTester("bit_xor", {Type::Int32()}, true).Add("[6, 3]").Remove("[3]").Expect("[6]");
  AggregateTester("bit_xor", {Type::Int32()}, true).Add(Rows{{"[6, 3]"}, {}, {2, 3}}).Expect("[3]");
}

TEST(Bools, ThreeValued) {
  AggregateTester("bool_and", {Type::Boolean()}).Add("[true, null]").Expect("[true]");
  AggregateTester("every", {Type::Boolean()}).Add("[true, false]").Expect("[false]");
  AggregateTester("bool_or", {Type::Boolean()}).Add("[false, null]").Expect("[false]");
  AggregateTester("some", {Type::Boolean()}).Add("[false, true]").Expect("[true]");
  AggregateTester("bool_or", {Type::Boolean()}).Add("[null]").Expect("[null]");
}

TEST(Bools, TakeRowsBack) {
  AggregateTester("bool_and", {Type::Boolean()}, true)
      .Add("[true, false]")
      .Remove("[false]")
      .Expect("[true]");
  AggregateTester("bool_or", {Type::Boolean()}, true).Add("[true, false]").Remove("[true]").Expect("[false]");
  EXPECT_THROW(AggregateTester("bool_or", {Type::Int64()}), UserError);
}

}  // namespace
}  // namespace laminar
