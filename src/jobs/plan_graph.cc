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

/// `names` are of `columns`; the names at the same places of `others`.
nlohmann::json SameColumns(const nlohmann::json& names, const nlohmann::json& columns,
                           const nlohmann::json& others) {
  nlohmann::json out = nlohmann::json::array();
  for (const nlohmann::json& name : names) {
    for (size_t i = 0; i < columns.size() && i < others.size(); ++i) {
      if (columns[i].at("name") != name) continue;
      out.push_back(others[i].at("name"));
      break;
    }
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

nlohmann::json ShownGraph(const nlohmann::json& planned, nlohmann::json running) {
  if (!planned.is_object()) return running;
  const auto same = [&](const char* list, std::initializer_list<const char*> names) {
    if (planned[list].size() != running[list].size()) return false;
    for (size_t i = 0; i < planned[list].size(); ++i) {
      for (const char* name : names) {
        if (planned[list][i].at(name) != running[list][i].at(name)) return false;
      }
    }
    return true;
  };
  if (!same("nodes", {"operator_id", "operator"}) || !same("edges", {"src_id", "dest_id"})) return running;
  nlohmann::json out = planned;
  for (size_t i = 0; i < out["nodes"].size(); ++i)
    out["nodes"][i]["parallelism"] = running["nodes"][i]["parallelism"];
  for (size_t i = 0; i < out["edges"].size(); ++i) {
    const nlohmann::json& run = running["edges"][i];
    for (const char* name : {"edge_type", "key_type"}) out["edges"][i][name] = run[name];
    out["edges"][i]["keys"] = SameColumns(run["keys"], run["columns"], out["edges"][i]["columns"]);
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
                     {"operator", node.name.substr(0, node.name.find_first_of("( "))},
                     {"description", node.name},
                     {"parallelism", node.parallelism},
                     {"kind", NodeKindOf(node)},
                     {"time", node.time.empty() ? nlohmann::json() : nlohmann::json(node.time)},
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
