#include "functions/sql_function.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "functions/function_testing.h"

namespace laminar {
namespace {

using function_testing::Column;
using function_testing::CoreRegistry;
using function_testing::Evaluate;

ExpressionPtr Parameter(int index, Type type) {
  return MakeColumn(index, std::string(1, static_cast<char>('a' + index)), std::move(type));
}

/// f(a, b) → 100 / b + a, where b is NOT NULL.
std::shared_ptr<const SqlFunction> Quotient() {
  auto out = std::make_shared<SqlFunction>();
  out->name = "f";
  out->parameters = {{"a", Type::Int64(), true}, {"b", Type::Int64(), false}};
  out->body = CoreRegistry().BindScalar(
      "+", {CoreRegistry().BindScalar("/", {MakeInt64(100), Parameter(1, Type::Int64())}),
            MakeCoalesce({Parameter(0, Type::Int64()), MakeInt64(1)})});
  return out;
}

Batch Rows(const std::string& a, const std::string& b) {
  Batch batch;
  batch.columns = {Column("BIGINT", a), Column("BIGINT", b)};
  batch.num_rows = batch.columns[0]->length();
  return batch;
}

TEST(SqlFunctionTest, RowsWithNullForNotNull) {
  const auto call = CallSqlFunction(Quotient(), {Parameter(0, Type::Int64()), Parameter(1, Type::Int64())});
  EXPECT_EQ(Evaluate(call, Rows("[1,null,3]", "[10,20,50]")), "[11,6,5]");
  EXPECT_EQ(Evaluate(call, Rows("[1,2,3,4]", "[10,null,50,null]")), "[11,null,5,null]");
  EXPECT_EQ(Evaluate(call, Rows("[1,2]", "[null,null]")), "[null,null]");
  EXPECT_EQ(Evaluate(call, Rows("[]", "[]")), "[]");
  EXPECT_EQ(Evaluate(call, Rows("[1]", "[0]")).rfind("error: function f: ", 0), 0u);
}

TEST(SqlFunctionTest, BodyThatReadsNothing) {
  auto answer = std::make_shared<SqlFunction>();
  answer->name = "answer";
  answer->parameters = {{"a", Type::Int64(), false}};
  answer->body = MakeText("yes");
  const auto call = CallSqlFunction(answer, {Parameter(0, Type::Int64())});
  EXPECT_EQ(Evaluate(call, Rows("[1,null,3]", "[0,0,0]")), R"(["yes",null,"yes"])");
}

TEST(SqlFunctionTest, Constants) {
  const auto call = CallSqlFunction(Quotient(), {Parameter(0, Type::Int64()), MakeInt64(50)});
  EXPECT_EQ(Evaluate(call, Rows("[1,null]", "[0,0]")), "[3,3]");
  EXPECT_EQ(Evaluate(CallSqlFunction(Quotient(), {MakeInt64(1), MakeInt64(50)})), "3");
  EXPECT_EQ(Evaluate(CallSqlFunction(Quotient(), {MakeInt64(1), MakeNull(Type::Null())})), "null");
}

TEST(SqlFunctionTest, VolatileBodyOverConstants) {
  auto random = std::make_shared<SqlFunction>();
  random->name = "r";
  random->parameters = {{"a", Type::Int64(), true}};
  random->body = CoreRegistry().BindScalar("random", {});
  const auto call = CallSqlFunction(random, {MakeInt64(1)});
  EXPECT_EQ(call->volatility(), Volatility::kVolatile);
  const auto values = EvaluateToArray(*call, Rows("[1,2]", "[1,2]"), {});
  EXPECT_FALSE(values->Slice(0, 1)->Equals(values->Slice(1, 1)));
}

TEST(SqlFunctionTest, TextTellsTheBody) {
  const auto call = CallSqlFunction(Quotient(), {MakeInt64(1), MakeInt64(2)});
  EXPECT_EQ(call->ToString(), "f(1, 2){b NOT NULL: ((100 / b#1) + coalesce(a#0, 1))}");
  EXPECT_EQ(call->WithChildren(call->children())->ToString(), call->ToString());
  EXPECT_EQ(Quotient()->Signature(), "f(a BIGINT, b BIGINT NOT NULL) → BIGINT");
}

TEST(SqlFunctionTest, WhatMayBecomeWhat) {
  EXPECT_TRUE(Assignable(Type::Int64(), Type::Int32()));
  EXPECT_TRUE(Assignable(Type::Int32(), Type::Decimal(10, 2)));
  EXPECT_TRUE(Assignable(Type::Double(), Type::Float()));
  EXPECT_TRUE(Assignable(Type::Date(), Type::Timestamp()));
  EXPECT_TRUE(Assignable(Type::Json(), Type::Int32()));
  EXPECT_FALSE(Assignable(Type::Double(), Type::Int64()));
  EXPECT_FALSE(Assignable(Type::Text(), Type::Int64()));
  EXPECT_FALSE(Assignable(Type::Int64(), Type::Text()));
  EXPECT_FALSE(Assignable(Type::Timestamp(), Type::Date()));
}

}  // namespace
}  // namespace laminar
