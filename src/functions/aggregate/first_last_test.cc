#include "functions/aggregate/aggregate_tester.h"

namespace laminar {
namespace {

using Rows = AggregateTester::Rows;

AggregateBindArguments Ordered(std::vector<Type> types, std::vector<Type> order_types,
                               bool descending = false, bool retractable = false) {
  AggregateBindArguments args;
  args.types = std::move(types);
  for (const Type& type : order_types) {
    args.order_types.push_back(type);
    args.order.push_back({.descending = descending, .nulls_first = descending});
  }
  args.retractable = retractable;
  return args;
}

TEST(FirstLast, ByArrivalKeepNulls) {
  for (bool retractable : {false, true}) {
    const Rows rows{{"[null, 2, 5, 3]"}, {0, 0, 1, 1}, {}};
    AggregateTester("first_value", {Type::Int64()}, retractable)
        .Add(rows)
        .Add("[8]")
        .Expect("[null, 5, null]");
    AggregateTester("last_value", {Type::Int64()}, retractable)
        .Add(rows)
        .Add("[null]")
        .Expect("[null, 3, null]");
    AggregateTester("last", {Type::Int64()}, retractable).Add(rows).Add("[8]").Expect("[8, 3, null]");
  }
}

TEST(FirstLast, MaySkipNulls) {
  for (bool retractable : {false, true}) {
    AggregateBindArguments args;
    args.types = {Type::Text()};
    args.ignore_nulls = true;
    args.retractable = retractable;
    AggregateTester("first_value", args).Add(R"([null, "b", "c"])").Expect(R"(["b"])");
    AggregateTester("last_value", args).Add(R"([null, "b", null])").Add("[null]").Expect(R"(["b"])");
  }
}

TEST(FirstLast, ByOrderThenArrival) {
  for (bool retractable : {false, true}) {
    const auto args = Ordered({Type::Text()}, {Type::Int64()}, false, retractable);
    const Rows rows{{R"(["a", "b", null, "d"])", "[5, 2, 2, 7]"}, {}, {}};
    const Rows more{{R"(["long enough for a block of its own", "f"])", "[2, 7]"}, {}, {}};
    AggregateTester("first_value", args).Add(rows).Add(more).Expect(R"(["b"])");
    AggregateTester("last_value", args).Add(rows).Add(more).Expect(R"(["f"])");
    const auto down = Ordered({Type::Text()}, {Type::Int64()}, true, retractable);
    AggregateTester("first_value", down).Add(rows).Add(more).Expect(R"(["d"])");
    AggregateTester("last_value", down)
        .Add(rows)
        .Add(more)
        .Expect(R"(["long enough for a block of its own"])");
  }
}

TEST(FirstLast, ByTwoColumns) {
  for (bool retractable : {false, true}) {
    const auto args = Ordered({Type::Int64()}, {Type::Text(), Type::Double()}, false, retractable);
    AggregateTester("last_value", args)
        .Add(Rows{{"[1, 2, 3]", R"(["b", "a", "b"])", "[1.5, 9, NaN]"}, {}, {}})
        .Expect("[3]");
  }
}

TEST(FirstLast, OfNestedValues) {
  const Type type = Type::Struct({{"a", Type::Int64(), true}, {"b", Type::Array(Type::Text()), true}});
  AggregateTester("last_value", {type})
      .Add(R"([{"a": 1, "b": ["x"]}, {"a": 2, "b": ["y", null, "a longer text"]}])")
      .Expect(R"([{"a": 2, "b": ["y", null, "a longer text"]}, null])");
}

TEST(FirstLast, RetractionGivesTheNeighbour) {
  const auto args = Ordered({Type::Int64()}, {Type::Int64()}, false, true);
  const Rows rows{{"[10, 20, 30]", "[1, 2, 3]"}, {}, {}};
  AggregateTester("last_value", args).Add(rows).Add(Rows{{"[30]", "[3]"}, {}, {-1}}).Expect("[20]");
  AggregateTester("first_value", args).Add(rows).Add(Rows{{"[10]", "[1]"}, {}, {-1}}).Expect("[20]");
  AggregateTester("first_value", {Type::Int64()}, true).Add("[1, 2]").Remove("[1, 2]").Expect("[null]");
  AggregateTester("first_value", {Type::Int64()}, true).Remove("[7]").Add("[8, 7]").Expect("[8]");
}

TEST(FirstLast, OfEqualRowsTheLatestIsTakenBack) {
  AggregateTester("last_value", {Type::Int64()}, true).Add("[7, 8, 7]").Remove("[7]").Expect("[8]");
}

TEST(AnyValue, IsNotNull) {
  AggregateTester("any_value", {Type::Int64()}).Add("[null, 4]").Expect("[4, null]");
}

TEST(ArgMinMax, TakeTheFirstOfEqualRows) {
  for (bool retractable : {false, true}) {
    const std::vector<Type> types = {Type::Text(), Type::Double()};
    const Rows rows{{R"(["a", "b", "c", "d", null])", "[2, 1, 1, null, 0.5]"}, {}, {}};
    const Rows more{{R"(["e", "f"])", "[2, NaN]"}, {}, {}};
    AggregateTester("arg_min", types, retractable).Add(rows).Expect("[null]");
    AggregateTester("arg_max", types, retractable)
        .Add(rows)
        .Add(Rows{{R"(["e"])", "[2]"}, {}, {}})
        .Expect(R"(["a"])");
    AggregateTester("max_by", types, retractable).Add(rows).Add(more).Expect(R"(["f"])");
  }
  AggregateTester("min_by", {Type::Text(), Type::Int64()}, true)
      .Add(Rows{{R"(["a", "b"])", "[1, 2]"}, {}, {}})
      .Add(Rows{{R"(["a"])", "[1]"}, {}, {-1}})
      .Expect(R"(["b"])");
}

TEST(MinMax, OfArrays) {
  for (bool retractable : {false, true}) {
    const Type type = Type::Array(Type::Int64());
    AggregateTester("min", {type}, retractable).Add("[[2], [1, 5], [1], null]").Expect("[[1]]");
    AggregateTester("max", {type}, retractable).Add("[[2], [1, 5], [1], null]").Expect("[[2]]");
  }
}

}  // namespace
}  // namespace laminar
