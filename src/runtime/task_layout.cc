#include "runtime/task_layout.h"

#include "base/error.h"

namespace laminar {

namespace {

void CheckNode(const GraphNode& node, size_t index, int incoming) {
  LAMINAR_CHECK(node.id == static_cast<int>(index), "node ids must be positions: " + node.name);
  LAMINAR_CHECK(node.parallelism >= 1 && node.parallelism <= kKeyGroups, "parallelism of " + node.name);
  const int factories = (node.make_source ? 1 : 0) + (node.make_operator ? 1 : 0) + (node.make_sink ? 1 : 0);
  LAMINAR_CHECK(factories == 1, "exactly one factory: " + node.name);
  LAMINAR_CHECK((incoming == 0) == (node.make_source != nullptr),
                "sources and only they have no input: " + node.name);
}

void CheckEdge(const GraphEdge& edge, const JobGraph& graph) {
  const auto nodes = static_cast<int>(graph.nodes.size());
  LAMINAR_CHECK(edge.from >= 0 && edge.from < nodes && edge.to >= 0 && edge.to < nodes, "edge to nowhere");
  const GraphNode& from = graph.nodes[static_cast<size_t>(edge.from)];
  const GraphNode& to = graph.nodes[static_cast<size_t>(edge.to)];
  LAMINAR_CHECK(edge.partitioning != Partitioning::kForward || from.parallelism == to.parallelism,
                "forward edge between different parallelisms: " + from.name + " to " + to.name);
  LAMINAR_CHECK(edge.partitioning != Partitioning::kGather || to.parallelism == 1,
                "gather into several: " + to.name);
  LAMINAR_CHECK(edge.input >= 0 && edge.output >= 0, "edge of " + from.name);
}

/// Node indices, producers first, in the order of ids where the graph leaves it open.
std::vector<int> TopologicalOrder(const JobGraph& graph, std::vector<int> incoming) {
  std::vector<int> order;
  std::vector<bool> taken(graph.nodes.size(), false);
  while (order.size() < graph.nodes.size()) {
    const size_t before = order.size();
    for (size_t node = 0; node < graph.nodes.size(); ++node) {
      if (taken[node] || incoming[node] > 0) continue;
      taken[node] = true;
      order.push_back(static_cast<int>(node));
      for (const GraphEdge& edge : graph.edges) {
        if (edge.from == static_cast<int>(node)) --incoming[static_cast<size_t>(edge.to)];
      }
    }
    LAMINAR_CHECK(order.size() > before, "the job graph has a cycle");
  }
  return order;
}

}  // namespace

TaskLayout LayOut(const JobGraph& graph) {
  std::vector<int> incoming(graph.nodes.size(), 0);
  for (const GraphEdge& edge : graph.edges) {
    CheckEdge(edge, graph);
    ++incoming[static_cast<size_t>(edge.to)];
  }
  for (size_t i = 0; i < graph.nodes.size(); ++i) CheckNode(graph.nodes[i], i, incoming[i]);

  TaskLayout layout;
  layout.group_of.assign(graph.nodes.size(), -1);
  std::vector<int> chained_to(graph.nodes.size(), -1);
  for (const GraphEdge& edge : graph.edges) {
    const bool chained =
        edge.partitioning == Partitioning::kForward && incoming[static_cast<size_t>(edge.to)] == 1;
    layout.chained.push_back(chained);
    if (chained) chained_to[static_cast<size_t>(edge.to)] = edge.from;
  }
  for (int node : TopologicalOrder(graph, incoming)) {
    const int producer = chained_to[static_cast<size_t>(node)];
    int group;
    if (producer >= 0) {
      group = layout.group_of[static_cast<size_t>(producer)];
    } else {
      group = static_cast<int>(layout.groups.size());
      layout.groups.push_back({{}, graph.nodes[static_cast<size_t>(node)].parallelism});
    }
    layout.group_of[static_cast<size_t>(node)] = group;
    layout.groups[static_cast<size_t>(group)].nodes.push_back(node);
  }
  return layout;
}

}  // namespace laminar
