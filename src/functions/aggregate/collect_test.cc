#include "functions/aggregate/aggregate_tester.h"

namespace laminar {
namespace {

using Rows = AggregateTester::Rows;

AggregateBindArguments Arguments(std::vector<Type> types, bool retractable,
                                 std::vector<Type> order_types = {}, bool descending = false) {
  AggregateBindArguments args;
  args.types = std::move(types);
  args.constants.resize(args.types.size());
  args.order_types = std::move(order_types);
  args.order.resize(args.order_types.size(), {.descending = descending, .nulls_first = descending});
  args.retractable = retractable;
  return args;
}

TEST(ArrayAgg, KeepsNullsAndArrivalOrder) {
  for (bool retractable : {false, true}) {
    AggregateTester agg("array_agg", {Type::Int64()}, retractable);
    EXPECT_EQ(agg.result(), Type::Array(Type::Int64()));
    agg.Add(Rows{{"[3, null, 1, 3]"}, {0, 0, 1, 0}, {}}).Add("[2]").Expect("[[3, null, 3, 2], [1], null]");
    AggregateTester("array_agg", {Type::Int64()}, retractable).Add("[]").Expect("[null]");
    AggregateTester("array_agg", {Type::Int64()}, retractable).Add("[null]").Expect("[[null]]");
  }
}

TEST(ArrayAgg, Ordered) {
  for (bool retractable : {false, true}) {
    const Rows rows{{R"(["a", "b", "c", "d"])", "[2, 1, null, 2]"}, {}, {}};
    AggregateTester("array_agg", Arguments({Type::Text()}, retractable, {Type::Int64()}))
        .Add(rows)
        .Add(Rows{{R"(["e"])", "[1]"}, {}, {}})
        .Expect(R"([["b", "e", "a", "d", "c"]])");
    AggregateTester("array_agg", Arguments({Type::Text()}, retractable, {Type::Int64()}, true))
        .Add(rows)
        .Expect(R"([["c", "a", "d", "b"]])");
  }
}

TEST(ArrayAgg, TakesRowsBack) {
  AggregateTester("array_agg", {Type::Int64()}, true).Add("[1, 2, 1, 3]").Remove("[1]").Expect("[[1, 2, 3]]");
  AggregateTester("array_agg", {Type::Int64()}, true).Add("[1, null]").Remove("[1]").Expect("[[null]]");
  AggregateTester("array_agg", {Type::Int64()}, true).Add("[1]").Remove("[1]").Expect("[null]");
  AggregateTester("array_agg", {Type::Int64()}, true).Remove("[9]").Add("[1, 9]").Expect("[[1]]");
  AggregateTester("array_agg", {Type::Int64()}, true)
      .Add(Rows{{"[7, 8]"}, {}, {3, 1}})
      .Add(Rows{{"[7]"}, {}, {-2}})
      .Expect("[[7, 8]]");
}

TEST(StringAgg, JoinsTextAndSkipsNulls) {
  for (bool retractable : {false, true}) {
    auto args = Arguments({Type::Text(), Type::Text()}, retractable);
    args.constants[1] = arrow::MakeScalar("; ");
    AggregateTester("string_agg", args)
        .Add(Rows{{R"(["a", null, "", "ö"])", R"(["; ", "; ", "; ", "; "])"}, {0, 0, 0, 1}, {}})
        .Expect(R"(["a; ", "ö", null])");
  }
  AggregateTester("listagg", {Type::Text()}).Add(R"(["a", "b"])").Expect(R"(["a,b"])");
  AggregateTester("group_concat", {Type::Text()}).Add("[null]").Expect("[null]");
}

TEST(StringAgg, OrdersByOtherColumns) {
  auto args = Arguments({Type::Text(), Type::Text()}, false, {Type::Int64()}, true);
  args.constants[1] = arrow::MakeScalar("");
  AggregateTester("string_agg", args)
      .Add(Rows{{R"(["a", "b", "c"])", R"(["", "", ""])", "[1, 3, 2]"}, {}, {}})
      .Expect(R"(["bca"])");
}

TEST(StringAgg, WantsAConstantSeparator) {
  EXPECT_THROW(AggregateTester("string_agg", Arguments({Type::Text(), Type::Text()}, false)), UserError);
}

TEST(NthValue, CountsFromOne) {
  for (bool retractable : {false, true}) {
    auto args = Arguments({Type::Int64(), Type::Int64()}, retractable);
    args.constants[1] = arrow::MakeScalar(int64_t{2});
    AggregateTester("nth_value", args)
        .Add(Rows{{"[5, null, 7]", "[2, 2, 2]"}, {0, 0, 1}, {}})
        .Expect("[null, null]");
    args.ignore_nulls = true;
    AggregateTester("nth_value", args).Add(Rows{{"[5, null, 7]", "[2, 2, 2]"}, {}, {}}).Expect("[7]");
  }
  auto args = Arguments({Type::Int64(), Type::Int64()}, false);
  args.constants[1] = arrow::MakeScalar(int64_t{0});
  EXPECT_THROW(AggregateTester("nth_value", args), UserError);
}

TEST(JsonAgg, WritesValuesAsJson) {
  for (bool retractable : {false, true}) {
    AggregateTester("json_agg", {Type::Text()}, retractable)
        .Add(Rows{{R"(["a\"b", null, "ü"])"}, {0, 0, 1}, {}})
        .Add(R"(["c"])")
        .Expect(R"(["[\"a\\\"b\",null,\"c\"]", "[\"ü\"]", null])");
    AggregateTester("json_arrayagg", {Type::Double()}, retractable)
        .Add("[1, 2.5, NaN]")
        .Expect(R"(["[1.0,2.5,null]"])");
  }
  AggregateTester("json_agg", {Type::Int64()}, true).Add("[1, 2]").Remove("[1]").Expect(R"(["[2]"])");
}

TEST(JsonObjectAgg, TheLastOfEqualKeysCounts) {
  for (bool retractable : {false, true}) {
    AggregateTester("json_object_agg", {Type::Text(), Type::Int64()}, retractable)
        .Add(Rows{{R"(["a", "b", null])", "[1, null, 3]"}, {}, {}})
        .Add(Rows{{R"(["a"])", "[4]"}, {}, {}})
        .Expect(R"(["{\"a\":4,\"b\":null}", null])");
  }
}

TEST(MapAgg, TheLastOfEqualKeysCounts) {
  for (bool retractable : {false, true}) {
    AggregateTester("map_agg", {Type::Double(), Type::Text()}, retractable)
        .Add(Rows{{"[0.0, 1, null]", R"(["a", null, "c"])"}, {}, {}})
        .Add(Rows{{"[-0.0, 2]", R"(["d", "e"])"}, {0, 1}, {}})
        .Expect(R"([[[0.0, "d"], [1.0, null]], [[2.0, "e"]], null])");
  }
}

TEST(Histogram, CountsValues) {
  for (bool retractable : {false, true}) {
    AggregateTester("histogram", {Type::Text()}, retractable)
        .Add(Rows{{R"(["b", "a", null, "b"])"}, {}, {}})
        .Add(Rows{{R"(["x"])"}, {1}, {}})
        .Expect(R"([[["a", 1], ["b", 2]], [["x", 1]], null])");
  }
  AggregateTester("histogram", {Type::Int64()}, true).Add("[1, 2]").Remove("[1]").Expect("[[[2, 1]]]");
}

}  // namespace
}  // namespace laminar
