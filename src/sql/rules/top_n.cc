// A filter on a rank is a top-N. The rank column may have passed through projections in between.

#include <arrow/scalar.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <set>

#include "sql/binder.h"
#include "sql/rules/rules.h"

namespace laminar::sql {

namespace {

constexpr int64_t kNoBound = std::numeric_limits<int64_t>::max();

struct RankBounds {
  int64_t from = 1;
  int64_t to = kNoBound;
};

std::optional<int64_t> IntegerLiteral(const ExpressionPtr& expression) {
  const auto* literal = dynamic_cast<const LiteralExpression*>(expression.get());
  if (!literal || literal->type().id() != TypeId::kInt64 || !literal->value()->is_valid) return std::nullopt;
  return static_cast<const arrow::Int64Scalar&>(*literal->value()).value;
}

/// Narrows `bounds` when `conjunct` compares column `rank` with a literal.
bool TakeBound(const ExpressionPtr& conjunct, int rank, RankBounds* bounds) {
  const auto* call = dynamic_cast<const CallExpression*>(conjunct.get());
  if (!call || call->children().size() != 2) return false;
  ExpressionPtr column = call->children()[0];
  ExpressionPtr literal = call->children()[1];
  std::string op = call->name();
  if (dynamic_cast<const LiteralExpression*>(column.get())) {
    std::swap(column, literal);
    if (op[0] == '<')
      op[0] = '>';
    else if (op[0] == '>')
      op[0] = '<';
  }
  const auto* ref = dynamic_cast<const ColumnExpression*>(column.get());
  const auto value = IntegerLiteral(literal);
  if (!ref || ref->index() != rank || !value) return false;
  if (op == "=")
    bounds->from = std::max(bounds->from, *value), bounds->to = std::min(bounds->to, *value);
  else if (op == "<=")
    bounds->to = std::min(bounds->to, *value);
  else if (op == "<")
    bounds->to = std::min(bounds->to, *value - 1);
  else if (op == ">=")
    bounds->from = std::max(bounds->from, *value);
  else if (op == ">")
    bounds->from = std::max(bounds->from, *value + 1);
  else
    return false;
  return true;
}

bool IsRank(OverKind kind) {
  return kind == OverKind::kRowNumber || kind == OverKind::kRank || kind == OverKind::kDenseRank;
}

/// The Over node below projections, with the chain from the top one down to just above it.
const LogicalNode* FindOver(const NodePtr& node, std::vector<NodePtr>* projects) {
  if (node->kind == NodeKind::kProject) {
    projects->push_back(node);
    return FindOver(node->inputs[0], projects);
  }
  if (node->kind == NodeKind::kOver && node->over_calls.size() == 1 && IsRank(node->over_calls[0].kind))
    return node.get();
  return nullptr;
}

std::shared_ptr<LogicalNode> MakeTopN(const LogicalNode& over, RankBounds bounds) {
  const PlanSchema& in = over.inputs[0]->schema;
  auto node = std::make_shared<LogicalNode>(over);
  node->kind = NodeKind::kTopN;
  node->rank_kind = over.over_calls[0].kind;
  node->over_calls.clear();
  node->rank_from = bounds.from;
  node->rank_to = bounds.to;
  node->emit_rank = true;
  if (over.per_window) return node;
  const auto* first =
      over.order_by.empty() ? nullptr : dynamic_cast<const ColumnExpression*>(over.order_by[0].expr.get());
  const bool by_row_time = first && first->index() == in.row_time && over.order_by.size() == 1 &&
                           !over.order_by[0].sort.descending && !in.default_row_time;
  if (by_row_time && !in.changelog && bounds.from == 1 && bounds.to == 1 &&
      node->rank_kind == OverKind::kRowNumber) {
    return node;  // keep-first: append-only, its row is final once the watermark has passed it
  }
  node->schema.changelog = true;
  node->schema.row_time = -1;
  node->schema.key.clear();
  if (bounds.from == bounds.to && node->rank_kind == OverKind::kRowNumber) {
    for (const ExpressionPtr& item : over.partition_by) {
      const auto* column = dynamic_cast<const ColumnExpression*>(item.get());
      if (!column) {
        node->schema.key.clear();
        break;
      }
      node->schema.key.push_back(column->index());
    }
  }
  return node;
}

/// The same projection over a new input: keeps names and hidden columns, takes over whether rows may change.
NodePtr Reproject(const LogicalNode& project, const NodePtr& input) {
  auto copy = std::make_shared<LogicalNode>(project);
  copy->inputs = {input};
  copy->schema.changelog = input->schema.changelog;
  if (input->schema.row_time < 0) copy->schema.row_time = -1;
  copy->schema.key.clear();
  for (int key : input->schema.key) {
    bool found = false;
    for (size_t i = 0; i < project.exprs.size() && !found; ++i) {
      const auto* column = dynamic_cast<const ColumnExpression*>(project.exprs[i].get());
      if (!column || column->index() != key) continue;
      copy->schema.key.push_back(static_cast<int>(i));
      found = true;
    }
    if (!found) {
      copy->schema.key.clear();
      break;
    }
  }
  return copy;
}

void CheckOver(const LogicalNode& over) {
  const PlanSchema& in = over.inputs[0]->schema;
  if (over.per_window) return;
  if (in.changelog) {
    throw UserError(Reason::kOverOnUpdating, over.span,
                    "OVER needs an append-only input, this one is updating")
        .Hint("filter a rank to the first n rows, or window the aggregation before OVER");
  }
  const auto* first = over.order_by.size() == 1
                          ? dynamic_cast<const ColumnExpression*>(over.order_by[0].expr.get())
                          : nullptr;
  const bool by_row_time = !over.frame.whole_partition && first && first->index() == in.row_time &&
                           !over.order_by[0].sort.descending;
  for (const OverCall& call : over.over_calls) {
    if (by_row_time && call.kind == OverKind::kRowNumber) continue;
    const bool framed = call.kind == OverKind::kAggregate || call.kind == OverKind::kLag ||
                        call.kind == OverKind::kFirstValue || call.kind == OverKind::kLastValue ||
                        call.kind == OverKind::kNthValue;
    if (!framed) {
      const std::string text = call.ToString();
      const std::string name = text.substr(0, text.find('('));
      const bool rank = call.kind == OverKind::kRowNumber || call.kind == OverKind::kRank ||
                        call.kind == OverKind::kDenseRank;
      throw UserError(Reason::kOverNeedsWindow, over.span,
                      name + "() over an unbounded input needs a window" +
                          (rank ? ", or a filter on its first n rows" : ""))
          .Hint(rank ? "PARTITION BY the window, or filter e.g. WHERE rn <= 10 in an outer query"
                     : "PARTITION BY the window");
    }
  }
  if (!by_row_time) {
    throw UserError(Reason::kOverNeedsWindow, over.span,
                    "OVER on an input without windows must be ORDER BY its row time, ascending")
        .Hint(in.row_time < 0 ? "declare WATERMARK FOR on the source table"
              : over.frame.whole_partition && !over.order_by.empty()
                  ? "end the frame at CURRENT ROW"
                  : "ORDER BY " + in.columns[in.row_time].name);
  }
}

}  // namespace

NodePtr RecogniseTopN(const NodePtr& node) {
  std::vector<NodePtr> projects;
  const LogicalNode* over = FindOver(node->inputs[0], &projects);
  if (!over) return node;
  // Where the rank column stands at the filter, followed up through the projections.
  const int rank_below = over->schema.num_columns() - 1;
  std::vector<int> ranks{rank_below};
  for (auto project = projects.rbegin(); project != projects.rend(); ++project) {
    std::vector<int> above;
    for (size_t i = 0; i < (*project)->exprs.size(); ++i) {
      const auto* column = dynamic_cast<const ColumnExpression*>((*project)->exprs[i].get());
      if (column && std::find(ranks.begin(), ranks.end(), column->index()) != ranks.end())
        above.push_back(static_cast<int>(i));
    }
    ranks = above;
  }
  std::vector<ExpressionPtr> conjuncts, rest;
  SplitConjuncts(node->predicate, &conjuncts);
  RankBounds bounds;
  for (const ExpressionPtr& conjunct : conjuncts) {
    bool taken = false;
    for (int rank : ranks) taken = taken || TakeBound(conjunct, rank, &bounds);
    if (!taken) rest.push_back(conjunct);
  }
  if (bounds.to == kNoBound) return node;
  NodePtr top = MakeTopN(*over, bounds);
  for (auto project = projects.rbegin(); project != projects.rend(); ++project) {
    top = Reproject(**project, top);
  }
  return rest.empty() ? top : MakeFilter(top, JoinConjuncts(rest), node->span);
}

void CheckOvers(const std::vector<NodePtr>& roots) {
  std::set<const LogicalNode*> seen;
  std::function<void(const NodePtr&)> visit = [&](const NodePtr& node) {
    if (!seen.insert(node.get()).second) return;
    if (node->kind == NodeKind::kOver) CheckOver(*node);
    for (const NodePtr& input : node->inputs) visit(input);
  };
  for (const NodePtr& root : roots) visit(root);
}

}  // namespace laminar::sql
