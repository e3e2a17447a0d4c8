// One aggregate instead of two that are equal: Nexmark q5 joins the counts of a window with their maximum,
// and would count twice.

#include <optional>
#include <unordered_map>

#include "sql/rules/rules.h"

namespace laminar::sql {

namespace {

class Sharer {
 public:
  NodePtr Share(const NodePtr& node) {
    if (const auto found = shared_.find(node.get()); found != shared_.end()) return found->second;
    NodePtr out = node;
    for (size_t i = 0; i < node->inputs.size(); ++i) {
      const NodePtr input = Share(node->inputs[i]);
      if (input == node->inputs[i]) continue;
      auto copy = std::make_shared<LogicalNode>(*out);
      copy->inputs[i] = input;
      out = copy;
    }
    if (out->kind == NodeKind::kAggregate || out->kind == NodeKind::kWindowAggregate) {
      if (const auto text = TextOf(*out)) out = aggregates_.emplace(*text, out).first->second;
    }
    shared_[node.get()] = out;
    originals_.push_back(node);
    return out;
  }

 private:
  /// Equal texts mean equal rows at equal times; nullopt where there is no such text.
  std::optional<std::string> TextOf(const LogicalNode& node) {
    switch (node.kind) {
      case NodeKind::kProject:
      case NodeKind::kFilter:
      case NodeKind::kWindowAssign:
      case NodeKind::kAggregate:
      case NodeKind::kWindowAggregate:
        break;
      default:  // a scan, a join, …: equal when it is the same node
        return "node " + std::to_string(reinterpret_cast<uintptr_t>(&node));
    }
    std::string text(NodeKindName(node.kind));
    bool good = true;
    auto add = [&](const ExpressionPtr& expression) {
      text += "|";
      if (!expression) return;
      text += expression->ToString() + ":" + expression->type().ToString();
      good = good && expression->volatility() == Volatility::kImmutable;
    };
    auto add_all = [&](const std::vector<ExpressionPtr>& expressions) {
      text += "#" + std::to_string(expressions.size());
      for (const ExpressionPtr& expression : expressions) add(expression);
    };
    add_all(node.exprs);
    add(node.predicate);
    add_all(node.groups);
    for (const AggregateCall& call : node.calls) {
      text += "|" + call.ToString();
      add_all(call.args);
      add_all(call.order_args);
      add(call.filter);
    }
    text += "|" + node.window.ToString() + (node.window.processing_time ? " processing" : "") +
            (node.window_from_columns ? " given" : "") + " over " + std::to_string(node.time_column);
    const PlanSchema& schema = node.schema;
    for (const PlanColumn& column : schema.columns)
      text += "|" + column.name + " " + column.type.ToString() + (column.hidden ? " hidden" : "");
    text += "|time " + std::to_string(schema.row_time);
    for (const NodePtr& input : node.inputs) {
      const auto below = TextOf(*input);
      if (!below) return std::nullopt;
      text += "(" + *below + ")";
    }
    return good ? std::optional(text) : std::nullopt;
  }

  std::unordered_map<const LogicalNode*, NodePtr> shared_;  // by the node as it was
  std::vector<NodePtr> originals_;                          // keeps the addresses from being used again
  std::unordered_map<std::string, NodePtr> aggregates_;
};

}  // namespace

std::vector<NodePtr> ShareAggregates(const std::vector<NodePtr>& roots) {
  Sharer sharer;
  std::vector<NodePtr> out;
  for (const NodePtr& root : roots) out.push_back(sharer.Share(root));
  return out;
}

}  // namespace laminar::sql
