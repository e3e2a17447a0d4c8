#include <fmt/format.h>
#include <xxhash.h>

#include <cctype>
#include <map>
#include <set>

#include "sql/physical.h"

namespace laminar::sql {

namespace {

/// Without the positions of columns (`price#3` → `price`), which an edit elsewhere may shift.
std::string WithoutPositions(const std::string& name) {
  std::string text;
  for (size_t i = 0; i < name.size(); ++i) {
    const bool position =
        name[i] == '#' && i + 1 < name.size() && std::isdigit(static_cast<unsigned char>(name[i + 1]));
    if (!position) {
      text.push_back(name[i]);
      continue;
    }
    while (i + 1 < name.size() && std::isdigit(static_cast<unsigned char>(name[i + 1]))) ++i;
  }
  return text;
}

}  // namespace

void PhysicalPlanner::AssignOperatorIds() {
  // Node → what its rows come from: the sources and stateful operators before it. Filters and projections in
  // between may be edited freely. Nodes stand behind their inputs.
  std::vector<std::set<std::string>> lineage(graph_.nodes.size());
  std::map<std::string, int> used;
  for (GraphNode& node : graph_.nodes) {
    for (const GraphEdge& edge : graph_.edges) {
      if (edge.to == node.id) lineage[node.id].insert(lineage[edge.from].begin(), lineage[edge.from].end());
    }
    std::string content = WithoutPositions(node.name);
    // A sink is its table: what is written to it may change.
    if (!node.make_sink) {
      for (const std::string& from : lineage[node.id]) content += "\n" + from;
    }
    const bool keeps_state = keeps_state_.count(node.id) > 0;
    const uint64_t hash = XXH3_64bits(content.data(), content.size());
    node.operator_id = fmt::format("{}-{:012x}", keeps_state ? "op" : "st", hash & 0xFFFFFFFFFFFF);
    if (const int n = used[node.operator_id]++; n > 0) node.operator_id += "-" + std::to_string(n);
    if (keeps_state) lineage[node.id] = {node.operator_id};
  }
}

}  // namespace laminar::sql
