#pragma once

/// What MakeCast gives; planner rules look through it.

#include <vector>

#include "functions/expression.h"

namespace laminar {

class CastExpression : public Expression {
 public:
  CastExpression(ExpressionPtr input, Type to, bool try_cast)
      : Expression(std::move(to)), input_(std::move(input)), try_cast_(try_cast) {}
  const ExpressionPtr& input() const { return input_; }
  bool try_cast() const { return try_cast_; }
  std::vector<ExpressionPtr> children() const override { return {input_}; }
  Volatility volatility() const override { return input_->volatility(); }

 private:
  ExpressionPtr input_;
  bool try_cast_;
};

}  // namespace laminar
