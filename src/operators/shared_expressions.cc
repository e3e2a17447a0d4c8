#include "operators/shared_expressions.h"

#include <algorithm>
#include <map>
#include <string>

namespace laminar {

namespace {

bool IsShareable(const Expression& expression) {
  const bool costs = !dynamic_cast<const ColumnExpression*>(&expression) &&
                     !dynamic_cast<const LiteralExpression*>(&expression) &&
                     !dynamic_cast<const FieldExpression*>(&expression);
  return costs && !expression.can_fail() && expression.volatility() == Volatility::kImmutable;
}

struct Use {
  ExpressionPtr expression;
  int count = 0;
  int size = 0;  ///< nodes
};

/// Counts each shareable part by its text; returns the number of nodes.
int CountUses(const ExpressionPtr& expression, std::map<std::string, Use>* uses) {
  int size = 1;
  for (const ExpressionPtr& child : expression->children()) size += CountUses(child, uses);
  if (size > 1 && IsShareable(*expression)) {
    Use& use = (*uses)[expression->ToString()];
    use.expression = expression;
    use.size = size;
    ++use.count;
  }
  return size;
}

ExpressionPtr Replace(const ExpressionPtr& expression, const std::string& text, const ExpressionPtr& with) {
  std::vector<ExpressionPtr> children = expression->children();
  if (children.empty()) return expression;
  if (expression->ToString() == text) return with;
  bool changed = false;
  for (ExpressionPtr& child : children) {
    ExpressionPtr replaced = Replace(child, text, with);
    changed = changed || replaced != child;
    child = std::move(replaced);
  }
  return changed ? expression->WithChildren(std::move(children)) : expression;
}

/// The largest part that occurs more than once; null pointer when there is none.
ExpressionPtr LargestRepeated(const std::vector<ExpressionPtr>& expressions) {
  std::map<std::string, Use> uses;
  for (const ExpressionPtr& expression : expressions) {
    if (expression) CountUses(expression, &uses);
  }
  const Use* largest = nullptr;
  for (const auto& [text, use] : uses) {
    if (use.count > 1 && (!largest || use.size > largest->size)) largest = &use;
  }
  return largest ? largest->expression : nullptr;
}

}  // namespace

SharedExpressions ShareExpressions(std::vector<ExpressionPtr> expressions, int num_columns) {
  // Parts found so far stand behind the given expressions, since they may have parts in common too. The
  // largest is found first, so that each only reads what is found after it.
  const size_t given = expressions.size();
  while (const ExpressionPtr found = LargestRepeated(expressions)) {
    const std::string text = found->ToString();
    const int column = num_columns + static_cast<int>(expressions.size() - given);
    const ExpressionPtr with = MakeColumn(column, text, found->type());
    for (ExpressionPtr& expression : expressions) {
      if (expression) expression = Replace(expression, text, with);
    }
    expressions.push_back(found);
  }
  // In the order of evaluation the last found comes first.
  const int count = static_cast<int>(expressions.size() - given);
  const auto turn = [&](const auto& self, const ExpressionPtr& expression) -> ExpressionPtr {
    if (const auto* column = dynamic_cast<const ColumnExpression*>(expression.get())) {
      if (column->index() < num_columns) return expression;
      const int turned = num_columns + count - 1 - (column->index() - num_columns);
      return MakeColumn(turned, column->name(), column->type());
    }
    std::vector<ExpressionPtr> children = expression->children();
    if (children.empty()) return expression;
    for (ExpressionPtr& child : children) child = self(self, child);
    return expression->WithChildren(std::move(children));
  };
  SharedExpressions out;
  if (count == 0) {
    out.expressions = std::move(expressions);
    return out;
  }
  for (ExpressionPtr& expression : expressions) {
    if (expression) expression = turn(turn, expression);
  }
  out.shared.assign(expressions.rbegin(), expressions.rbegin() + count);
  expressions.resize(given);
  out.expressions = std::move(expressions);
  return out;
}

}  // namespace laminar
