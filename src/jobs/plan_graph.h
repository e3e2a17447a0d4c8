#pragma once

/// A job graph as the API shows it: operator ids by kind and place in the plan, nodes, edges.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "runtime/graph.h"

namespace laminar {

/// `source`, `transform` or `sink`.
std::string NodeKindOf(const GraphNode& node);
/// [nodes]: `source_1`, `transform_1`, `transform_2`, `sink_1` …
std::vector<std::string> ApiOperatorIds(const JobGraph& graph);
/// {"nodes":[…], "edges":[…]}.
nlohmann::json GraphJson(const JobGraph& graph);
/// The graph of a running job in the words of the plan that the server made of the same script: that has
/// places in the script, and its texts hold no secrets' values. `running` itself when the two are not alike.
nlohmann::json ShownGraph(const nlohmann::json& planned, nlohmann::json running);

}  // namespace laminar
