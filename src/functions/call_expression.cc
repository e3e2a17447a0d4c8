#include "functions/call_expression.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"

namespace laminar {

namespace {

bool IsWord(const std::string& name) {
  return std::isalpha(static_cast<unsigned char>(name[0])) || name[0] == '_';
}

class BoundCall final : public CallExpression {
 public:
  BoundCall(std::string name, BoundScalar bound, Volatility volatility, std::vector<ExpressionPtr> arguments)
      : CallExpression(std::move(name), std::move(arguments), bound.result), bound_(std::move(bound)) {
    volatility_ = volatility;
    can_fail_ = bound_.can_fail;
    for (const ExpressionPtr& argument : arguments_) {
      volatility_ = std::max(volatility_, argument->volatility());
      can_fail_ = can_fail_ || argument->can_fail();
    }
    own_volatility_ = volatility;
  }

  arrow::Result<arrow::Datum> Evaluate(const Batch& rows, const EvalContext& context) const override {
    std::vector<arrow::Datum> values;
    values.reserve(arguments_.size());
    for (const ExpressionPtr& argument : arguments_) {
      ARROW_ASSIGN_OR_RAISE(auto value, argument->Evaluate(rows, context));
      values.push_back(std::move(value));
    }
    return bound_.kernel({values, rows.num_rows, context});
  }

  std::string ToString() const override {
    if (!IsWord(name_) && arguments_.size() == 2) {
      return "(" + arguments_[0]->ToString() + " " + name_ + " " + arguments_[1]->ToString() + ")";
    }
    std::string out = name_ + "(";
    for (size_t i = 0; i < arguments_.size(); ++i) {
      if (i) out += ", ";
      out += arguments_[i]->ToString();
    }
    return out + ")";
  }

  ExpressionPtr WithChildren(std::vector<ExpressionPtr> children) const override {
    LAMINAR_CHECK(children.size() == arguments_.size(), "WithChildren of " + name_);
    return std::make_shared<BoundCall>(name_, bound_, own_volatility_, std::move(children));
  }
  Volatility volatility() const override { return volatility_; }
  bool can_fail() const override { return can_fail_; }

 private:
  BoundScalar bound_;
  Volatility own_volatility_;
  Volatility volatility_;  // of the call and what is below it
  bool can_fail_;
};

}  // namespace

ExpressionPtr MakeCall(std::string name, BoundScalar bound, Volatility volatility,
                       std::vector<ExpressionPtr> arguments) {
  return std::make_shared<BoundCall>(std::move(name), std::move(bound), volatility, std::move(arguments));
}

}  // namespace laminar
