#include "functions/expression.h"

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "functions/function_testing.h"

namespace laminar::function_testing {
namespace {

Batch MakeBatch(const std::vector<std::pair<std::string, std::string>>& columns, int64_t offset = 0) {
  Batch batch;
  for (const auto& [type, json] : columns) batch.columns.push_back(Column(type, json)->Slice(offset));
  batch.num_rows = batch.columns[0]->length();
  return batch;
}

ExpressionPtr Bool(int index) { return MakeColumn(index, "b", Type::Boolean()); }
ExpressionPtr X() { return MakeColumn(0, "x", Type::Int64()); }
ExpressionPtr Bind(const std::string& name, std::vector<ExpressionPtr> arguments) {
  return CoreRegistry().BindScalar(name, std::move(arguments));
}

TEST(ExpressionTest, ThreeValuedLogic) {
  const Batch batch = MakeBatch({{"BOOLEAN", "[null,true,true,true,false,false,false,null,null,null]"},
                                 {"BOOLEAN", "[true,true,false,null,true,false,null,true,false,null]"}},
                                1);
  EXPECT_EQ(Evaluate(MakeAnd(Bool(0), Bool(1)), batch),
            "[true,false,null,false,false,false,null,false,null]");
  EXPECT_EQ(Evaluate(MakeOr(Bool(0), Bool(1)), batch), "[true,true,true,true,false,null,true,null,null]");
  EXPECT_EQ(Evaluate(MakeAnd(Bool(0), MakeBoolean(false)), batch),
            "[false,false,false,false,false,false,false,false,false]");
  EXPECT_EQ(Evaluate(MakeOr(MakeNull(Type::Boolean()), Bool(1)), batch),
            "[true,null,null,true,null,null,true,null,null]");
}

TEST(ExpressionTest, RightSideOnlyWhereLeftIsOpen) {
  const Batch batch = MakeBatch({{"BIGINT", "[7,0,null,2,0,5]"}}, 1);
  const auto not_zero = Bind("<>", {X(), MakeInt64(0)});
  const auto quotient = Bind(">", {Bind("/", {MakeInt64(10), X()}), MakeInt64(3)});
  EXPECT_EQ(Evaluate(MakeAnd(not_zero, quotient), batch), "[false,null,true,false,false]");
  EXPECT_EQ(Evaluate(MakeOr(Bind("=", {X(), MakeInt64(0)}), quotient), batch), "[true,null,true,true,false]");
  EXPECT_EQ(Evaluate(MakeAnd(quotient, not_zero), batch), "error: division by zero: 10 / 0");
}

TEST(ExpressionTest, CaseEvaluatesBranchesOnTheirRows) {
  const Batch batch = MakeBatch({{"BIGINT", "[9,0,2,null,5]"}}, 1);
  const auto not_zero = Bind("<>", {X(), MakeInt64(0)});
  const auto quotient = Bind("/", {MakeInt64(10), X()});
  EXPECT_EQ(Evaluate(MakeCase({not_zero}, {quotient}, MakeInt64(-1)), batch), "[-1,5,-1,2]");
  // Nothing that can fail: evaluated whole.
  EXPECT_EQ(Evaluate(MakeCase({not_zero}, {MakeText("x")}, MakeNull(Type::Text())), batch),
            R"([null,"x",null,"x"])");
  EXPECT_EQ(Evaluate(MakeCase({MakeBoolean(true)}, {X()}, MakeInt64(-1)), batch), "[0,2,null,5]");
  EXPECT_EQ(Evaluate(MakeCase({MakeBoolean(false), not_zero}, {MakeInt64(1), X()}, MakeInt64(-1)), batch),
            "[-1,2,-1,5]");
}

TEST(ExpressionTest, CaseOfEveryWidth) {
  const Batch batch = MakeBatch({{"BIGINT", "[1,2,3]"}});
  const auto odd = Bind("<>", {X(), MakeInt64(2)});
  for (const auto& [type, a, b] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {"BOOLEAN", "true", "false"},
           {"TINYINT", "1", "2"},
           {"SMALLINT", "1", "2"},
           {"INT", "1", "2"},
           {"DOUBLE", "1.5", "2.5"},
           {"DECIMAL(10,2)", "1.50", "2.50"},
           {"INTERVAL", "\"PT1S\"", "\"P1D\""},
           {"INT[]", "[1,null]", "[]"},
           {"STRUCT<a INT>", "{\"a\":1}", "{\"a\":null}"},
           {"MAP<TEXT, INT>", "{\"a\":1}", "{}"}}) {
    const Value first = V(type, a);
    const Value second = V(type, b);
    const auto choice =
        MakeCase({odd}, {MakeLiteral(first.scalar, first.type)}, MakeLiteral(second.scalar, second.type));
    EXPECT_EQ(Evaluate(choice, batch), "[" + a + "," + b + "," + a + "]") << type;
  }
}

TEST(ExpressionTest, Coalesce) {
  const Batch batch = MakeBatch({{"BIGINT", "[5,null,1,null]"}, {"BIGINT", "[0,null,0,8]"}}, 1);
  const auto y = MakeColumn(1, "y", Type::Int64());
  EXPECT_EQ(Evaluate(MakeCoalesce({X(), y}), batch), "[null,1,8]");
  EXPECT_EQ(Evaluate(MakeCoalesce({X(), y, MakeInt64(7)}), batch), "[7,1,8]");
  // 1 / y is asked only where x is NULL: never for y = 0.
  EXPECT_EQ(Evaluate(MakeCoalesce({X(), Bind("/", {MakeInt64(16), y})}), batch), "[null,1,2]");
  EXPECT_EQ(Evaluate(MakeCoalesce({MakeNull(Type::Int64()), MakeInt64(3)})), "3");
}

TEST(ExpressionTest, EmptyBatch) {
  const Batch batch = EmptyBatch(Schema{{{"x", Type::Int64()}}});
  const auto failing = Bind("/", {MakeInt64(1), X()});
  EXPECT_EQ(Evaluate(failing, batch), "[]");
  EXPECT_EQ(Evaluate(MakeCase({Bind("=", {X(), MakeInt64(1)})}, {failing}, MakeInt64(1)), batch), "[]");
  std::vector<int32_t> rows = {1, 2};
  EvaluateFilter(*MakeBoolean(true), batch, {}, &rows);
  EXPECT_TRUE(rows.empty());
}

TEST(ExpressionTest, StructsAndFields) {
  const Type type = *ParseTypeName("STRUCT<a BIGINT, b TEXT>");
  const Batch batch =
      MakeBatch({{"STRUCT<a BIGINT, b TEXT>", R"([null,{"a":1,"b":"x"},null,{"a":null,"b":"y"}])"}}, 1);
  const auto s = MakeColumn(0, "s", type);
  EXPECT_EQ(Evaluate(MakeFieldAccess(s, 0), batch), "[1,null,null]");
  EXPECT_EQ(Evaluate(MakeFieldAccess(s, 1), batch), R"(["x",null,"y"])");
  const auto made = MakeStruct({MakeFieldAccess(s, 0), MakeText("k")}, type);
  EXPECT_EQ(Evaluate(made, batch), R"([{"a":1,"b":"k"},{"a":null,"b":"k"},{"a":null,"b":"k"}])");
  EXPECT_EQ(Evaluate(MakeStruct({MakeInt64(1), MakeNull(Type::Null())}, type)), R"({"a":1,"b":null})");
  EXPECT_EQ(Evaluate(MakeFieldAccess(MakeNull(type), 0)), "null");
}

TEST(ExpressionTest, Filter) {
  const Batch batch = MakeBatch({{"BOOLEAN", "[true,true,null,false,true]"}}, 1);
  std::vector<int32_t> rows;
  EvaluateFilter(*Bool(0), batch, {}, &rows);
  EXPECT_EQ(rows, (std::vector<int32_t>{0, 3}));
  EvaluateFilter(*MakeBoolean(true), batch, {}, &rows);
  EXPECT_EQ(rows.size(), 4u);
  EvaluateFilter(*MakeNull(Type::Boolean()), batch, {}, &rows);
  EXPECT_TRUE(rows.empty());
}

TEST(ExpressionTest, FoldConstant) {
  EXPECT_EQ(FoldConstant(*Bind("+", {MakeInt64(1), MakeInt64(2)}))->ToString(), "3");
  EXPECT_EQ(FoldConstant(*Bind("/", {MakeInt64(1), MakeInt64(0)})), nullptr);
  EXPECT_EQ(FoldConstant(*X()), nullptr);
}

TEST(ExpressionTest, CanonicalText) {
  EXPECT_EQ(Bind("+", {X(), MakeInt64(1)})->ToString(), "(x#0 + 1)");
  EXPECT_EQ(MakeText("it's")->ToString(), "'it''s'");
  EXPECT_EQ(MakeCast(X(), Type::Text())->ToString(), "CAST(x#0 AS TEXT)");
  EXPECT_EQ(MakeNull(Type::Int64())->ToString(), "NULL::BIGINT");
  EXPECT_EQ(MakeAnd(MakeBoolean(true), Bool(1))->ToString(), "(TRUE AND b#1)");
  EXPECT_EQ(MakeLiteral(V("INT", "5").scalar, Type::Int32())->ToString(), "'5'::INT");
}

TEST(ExpressionTest, WithChildren) {
  const Batch batch = MakeBatch({{"BIGINT", "[1,2]"}});
  const auto sum = Bind("+", {X(), MakeInt64(1)});
  EXPECT_EQ(Evaluate(sum->WithChildren({MakeInt64(10), X()}), batch), "[11,12]");
  const auto both = MakeAnd(MakeBoolean(true), MakeBoolean(false));
  EXPECT_EQ(Evaluate(both->WithChildren({MakeBoolean(true), MakeBoolean(true)})), "true");
}

}  // namespace
}  // namespace laminar::function_testing
