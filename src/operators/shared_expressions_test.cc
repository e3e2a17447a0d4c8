#include "operators/shared_expressions.h"

#include <gtest/gtest.h>

#include "functions/register_scalar_core.h"
#include "functions/register_text.h"
#include "functions/registry.h"

namespace laminar {
namespace {

class ShareExpressionsTest : public ::testing::Test {
 protected:
  ShareExpressionsTest() {
    RegisterCoreFunctions(registry_);
    RegisterTextFunctions(registry_);
  }
  ExpressionPtr Call(const std::string& name, std::vector<ExpressionPtr> arguments) const {
    return registry_.BindScalar(name, std::move(arguments));
  }
  ExpressionPtr Equals(ExpressionPtr a, const char* b) const {
    return Call("=", {std::move(a), MakeText(b)});
  }

  FunctionRegistry registry_;
  const ExpressionPtr name_ = MakeColumn(0, "name", Type::Text());
  const ExpressionPtr number_ = MakeColumn(1, "number", Type::Int64());
};

TEST_F(ShareExpressionsTest, LeavesWhatOccursOnce) {
  const auto upper = Call("upper", {name_});
  const SharedExpressions out = ShareExpressions({upper, Call("lower", {name_}), name_, nullptr, name_}, 2);
  EXPECT_TRUE(out.shared.empty());
  EXPECT_EQ(out.expressions[0], upper);
  EXPECT_EQ(out.expressions[3], nullptr);
}

TEST_F(ShareExpressionsTest, TakesOutTheLargestPartsInTheOrderOfEvaluation) {
  const auto lower = Call("lower", {name_});
  const auto is_a = Equals(lower, "a");
  const SharedExpressions out =
      ShareExpressions({MakeAnd(is_a, Equals(lower, "b")), MakeOr(is_a, Equals(name_, "c")), lower}, 2);
  ASSERT_EQ(out.shared.size(), 2u);
  EXPECT_EQ(out.shared[0]->ToString(), lower->ToString());
  const auto shared_lower = MakeColumn(2, lower->ToString(), Type::Text());
  EXPECT_EQ(out.shared[1]->ToString(), Equals(shared_lower, "a")->ToString());
  const auto shared_is_a = MakeColumn(3, is_a->ToString(), Type::Boolean());
  EXPECT_EQ(out.expressions[0]->ToString(), MakeAnd(shared_is_a, Equals(shared_lower, "b"))->ToString());
  EXPECT_EQ(out.expressions[1]->ToString(), MakeOr(shared_is_a, Equals(name_, "c"))->ToString());
  EXPECT_EQ(out.expressions[2]->ToString(), shared_lower->ToString());
}

TEST_F(ShareExpressionsTest, LeavesWhatCanFail) {
  const auto quotient = Call("/", {MakeInt64(1), number_});
  ASSERT_TRUE(quotient->can_fail());
  EXPECT_TRUE(ShareExpressions({quotient, quotient}, 2).shared.empty());
}

}  // namespace
}  // namespace laminar
