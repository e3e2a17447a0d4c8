// EXPLAIN as text and as JSON.

#include <map>
#include <nlohmann/json.hpp>

#include "sql/catalog.h"
#include "sql/planner.h"

namespace laminar::sql {

namespace {

const char* PartitioningName(Partitioning partitioning) {
  switch (partitioning) {
    case Partitioning::kForward:
      return "forward";
    case Partitioning::kHash:
      return "hash";
    case Partitioning::kRebalance:
      return "rebalance";
    case Partitioning::kBroadcast:
      return "broadcast";
    case Partitioning::kGather:
      return "gather";
  }
  return "?";
}

nlohmann::json ColumnsJson(const PlanSchema& schema) {
  nlohmann::json columns = nlohmann::json::array();
  for (const PlanColumn& column : schema.columns) {
    if (!column.hidden)
      columns.push_back(
          {{"name", column.name}, {"type", column.type.ToString()}, {"nullable", column.nullable}});
  }
  return columns;
}

/// What the operator of a node keeps and for how long; empty: nothing.
std::string StateOf(const LogicalNode& node, const Settings& settings) {
  const StateNote note = StateNoteOf(node, settings);
  return note.kind.empty() ? "" : note.kind + ", " + note.until;
}

/// The node's line of ToString, without those of its inputs.
std::string LineOf(const LogicalNode& node, int indent) {
  const std::string lines = ToString(node, indent);
  return lines.substr(0, lines.find('\n'));
}

void AppendLogical(const LogicalNode& node, int indent, const Settings& settings, std::string* out) {
  const std::string line = LineOf(node, indent);
  *out += line + "\n";
  if (const std::string state = StateOf(node, settings); !state.empty())
    *out += std::string(line.find_first_not_of(' ') + 4, ' ') + "state: " + state + "\n";
  for (const NodePtr& input : node.inputs) AppendLogical(*input, indent + 1, settings, out);
}

/// Tables that the node's operator keeps, as a checkpoint holds them.
std::vector<StateTableSpec> StateTables(const GraphNode& node) {
  return node.make_operator ? node.make_operator()->state_tables() : std::vector<StateTableSpec>();
}

nlohmann::json LogicalJson(const LogicalNode& node, const Settings& settings) {
  nlohmann::json out;
  out["node"] = std::string(NodeKindName(node.kind));
  out["description"] = LineOf(node, 0);
  out["changelog"] = node.schema.changelog;
  out["columns"] = ColumnsJson(node.schema);
  if (node.schema.row_time >= 0) out["row_time"] = node.schema.columns[node.schema.row_time].name;
  if (node.schema.window) out["window"] = node.schema.window->definition.ToString();
  if (const std::string state = StateOf(node, settings); !state.empty()) out["state"] = state;
  if (node.span.known()) out["span"] = {{"offset", node.span.offset}, {"length", node.span.length}};
  out["inputs"] = nlohmann::json::array();
  for (const NodePtr& input : node.inputs) out["inputs"].push_back(LogicalJson(*input, settings));
  return out;
}

}  // namespace

std::string ExplainText(const PlannedScript& script, const std::vector<NodePtr>& roots,
                        const JobGraph* graph) {
  std::string out = "Logical plan\n";
  for (const NodePtr& root : roots) AppendLogical(*root, 1, script.settings, &out);
  if (graph) {
    out += "Physical plan\n";
    for (const GraphNode& node : graph->nodes) {
      out += "  #" + std::to_string(node.id) + " " + node.name + "  x" + std::to_string(node.parallelism) +
             "  id " + node.operator_id + "\n";
      for (const GraphEdge& edge : graph->edges) {
        if (edge.to != node.id) continue;
        out += "     <- #" + std::to_string(edge.from) + " " + PartitioningName(edge.partitioning);
        if (edge.input > 0) out += " (input " + std::to_string(edge.input) + ")";
        if (edge.partitioning == Partitioning::kHash) {
          out += " by columns";
          for (int column : edge.key_columns) out += " " + std::to_string(column);
        }
        out += "\n";
      }
      for (const StateTableSpec& table : StateTables(node))
        out += "     state " + table.name + ": " + table.layout + "\n";
    }
  }
  for (const Warning& warning : script.warnings)
    out += "warning: " + warning.message + " [" + warning.code + "]\n";
  return out;
}

std::string ExplainJson(const PlannedScript& script, const std::vector<NodePtr>& roots,
                        const JobGraph* graph) {
  nlohmann::json out;
  out["outputs"] = nlohmann::json::array();
  for (const NodePtr& root : roots) out["outputs"].push_back(LogicalJson(*root, script.settings));
  if (graph) {
    nlohmann::json nodes = nlohmann::json::array(), edges = nlohmann::json::array();
    for (const GraphNode& node : graph->nodes) {
      nodes.push_back({{"id", node.id},
                       {"operator_id", node.operator_id},
                       {"name", node.name},
                       {"parallelism", node.parallelism},
                       {"state", nlohmann::json::array()}});
      for (const StateTableSpec& table : StateTables(node)) {
        nodes.back()["state"].push_back(
            {{"table", table.name}, {"version", table.version}, {"layout", table.layout}});
      }
    }
    for (const GraphEdge& edge : graph->edges) {
      edges.push_back({{"from", edge.from},
                       {"to", edge.to},
                       {"input", edge.input},
                       {"partitioning", PartitioningName(edge.partitioning)},
                       {"key_columns", edge.key_columns}});
    }
    out["graph"] = {{"nodes", nodes}, {"edges", edges}};
  }
  out["warnings"] = nlohmann::json::array();
  for (const Warning& warning : script.warnings) {
    nlohmann::json w = {{"code", warning.code}, {"message", warning.message}};
    if (warning.span.known()) w["span"] = {{"offset", warning.span.offset}, {"length", warning.span.length}};
    out["warnings"].push_back(w);
  }
  return out.dump(2) + "\n";
}

}  // namespace laminar::sql
