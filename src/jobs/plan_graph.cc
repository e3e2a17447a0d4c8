#include "jobs/plan_graph.h"

#include <map>
#include <nlohmann/json.hpp>

namespace laminar {

namespace {

const char* EdgeType(Partitioning partitioning) {
  switch (partitioning) {
    case Partitioning::kForward:
      return "forward";
    case Partitioning::kBroadcast:
      return "broadcast";
    case Partitioning::kHash:
    case Partitioning::kRebalance:
    case Partitioning::kGather:
      return "shuffle";
  }
  return "forward";
}

std::string KeyType(const GraphEdge& edge) {
  if (edge.partitioning != Partitioning::kHash) return "";
  std::string out;
  for (const int column : edge.key_columns)
    out += (out.empty() ? "column " : ", column ") + std::to_string(column + 1);
  return out;
}

nlohmann::json ColumnsOf(const GraphEdge& edge) {
  nlohmann::json out = nlohmann::json::array();
  for (const Field& field : edge.columns.fields)
    out.push_back({{"name", field.name}, {"data_type", field.type.ToString()}});
  return out;
}

nlohmann::json KeysOf(const GraphEdge& edge) {
  nlohmann::json out = nlohmann::json::array();
  for (const int column : edge.key_columns) {
    const bool known = column < edge.columns.num_columns();
    out.push_back(known ? edge.columns.fields[static_cast<size_t>(column)].name
                        : "column " + std::to_string(column + 1));
  }
  return out;
}

}  // namespace

std::string NodeKindOf(const GraphNode& node) {
  return node.make_source ? "source" : node.make_sink ? "sink" : "transform";
}

std::vector<std::string> ApiOperatorIds(const JobGraph& graph) {
  std::map<std::string, int> count;
  std::vector<std::string> out;
  for (const GraphNode& node : graph.nodes) {
    const std::string kind = NodeKindOf(node);
    out.push_back(kind + "_" + std::to_string(++count[kind]));
  }
  return out;
}

nlohmann::json GraphJson(const JobGraph& graph) {
  const std::vector<std::string> ids = ApiOperatorIds(graph);
  nlohmann::json nodes = nlohmann::json::array(), edges = nlohmann::json::array();
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const GraphNode& node = graph.nodes[i];
    nodes.push_back({{"node_id", node.id},
                     {"operator_id", ids[i]},
                     {"operator", node.name.substr(0, node.name.find('('))},
                     {"description", node.name},
                     {"parallelism", node.parallelism},
                     {"kind", NodeKindOf(node)},
                     {"updating", node.updating}});
  }
  for (const GraphEdge& edge : graph.edges) {
    edges.push_back({{"src_id", edge.from},
                     {"dest_id", edge.to},
                     {"key_type", KeyType(edge)},
                     {"value_type", edge.output == 0 ? "rows" : "dead letters"},
                     {"edge_type", EdgeType(edge.partitioning)},
                     {"columns", ColumnsOf(edge)},
                     {"keys", KeysOf(edge)}});
  }
  return {{"nodes", std::move(nodes)}, {"edges", std::move(edges)}};
}

}  // namespace laminar
