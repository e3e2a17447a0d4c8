#include "operators/shared_expressions.h"

#include <algorithm>
#include <map>
#include <string>

namespace laminar {

namespace {

/// Larger parts are not looked at as a whole: their text, made once per node, would cost the cube of a long
/// chain. What they have in common is found in their parts.
constexpr int kLargestShared = 256;

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
  if (size > 1 && size <= kLargestShared && IsShareable(*expression)) {
    Use& use = (*uses)[expression->ToString()];
    use.expression = expression;
    use.size = size;
    ++use.count;
  }
  return size;
}

struct Replaced {
  ExpressionPtr expression;
  int size = 1;  ///< of what it was before
};

Replaced Replace(const ExpressionPtr& expression, const Use& found, const std::string& text,
                 const ExpressionPtr& with) {
  std::vector<ExpressionPtr> children = expression->children();
  bool changed = false;
  int size = 1;
  for (ExpressionPtr& child : children) {
    Replaced replaced = Replace(child, found, text, with);
    changed = changed || replaced.expression != child;
    child = std::move(replaced.expression);
    size += replaced.size;
  }
  if (size == found.size && expression->ToString() == text) return {with, size};
  return {changed ? expression->WithChildren(std::move(children)) : expression, size};
}

/// The largest part that occurs more than once; its expression is null when there is none.
Use LargestRepeated(const std::vector<ExpressionPtr>& expressions) {
  std::map<std::string, Use> uses;
  for (const ExpressionPtr& expression : expressions) {
    if (expression) CountUses(expression, &uses);
  }
  const Use* largest = nullptr;
  for (const auto& [text, use] : uses) {
    if (use.count > 1 && (!largest || use.size > largest->size)) largest = &use;
  }
  return largest ? *largest : Use{};
}

}  // namespace

SharedExpressions ShareExpressions(std::vector<ExpressionPtr> expressions, int num_columns) {
  // Parts found so far stand behind the given expressions, since they may have parts in common too. The
  // largest is found first, so that each only reads what is found after it.
  const size_t given = expressions.size();
  while (true) {
    const Use found = LargestRepeated(expressions);
    if (!found.expression) break;
    const std::string text = found.expression->ToString();
    const int column = num_columns + static_cast<int>(expressions.size() - given);
    const ExpressionPtr with = MakeColumn(column, text, found.expression->type());
    for (ExpressionPtr& expression : expressions) {
      if (expression) expression = Replace(expression, found, text, with).expression;
    }
    expressions.push_back(found.expression);
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
