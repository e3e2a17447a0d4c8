#pragma once

/// The physical plan as the runtime sees it: nodes with factories, edges with a partitioning. Made by sql/,
/// run by runtime/executor.h. Knows nothing of SQL.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "runtime/operator.h"
#include "runtime/sink.h"
#include "runtime/source.h"
#include "types/type.h"

namespace laminar {

enum class Partitioning {
  kForward,    ///< subtask i to subtask i; both ends have the same parallelism; chained into one task
  kHash,       ///< by key group of `key_columns`
  kRebalance,  ///< round robin by batch
  kBroadcast,  ///< every batch to every subtask
  kGather,     ///< all to subtask 0 of a node of parallelism 1
};

struct GraphNode {
  int id = 0;
  std::string operator_id;  ///< stable across edits elsewhere in the script; key of its state
  std::string name;         ///< for people: "window_aggregate(auction; count(*))"
  int parallelism = 1;
  /// Exactly one of the three is set. Called once per subtask.
  std::function<std::unique_ptr<Source>()> make_source;
  std::function<std::unique_ptr<Operator>()> make_operator;
  std::function<std::unique_ptr<Sink>()> make_sink;
  // For people.
  SourceSpan span = {};   ///< where in the script
  bool updating = false;  ///< its rows may take back earlier ones
};

struct GraphEdge {
  int from = 0;
  int to = 0;
  int input = 0;  ///< which input of `to`
  Partitioning partitioning = Partitioning::kForward;
  std::vector<int> key_columns;  ///< kHash: indices into the rows that flow here
  int output = 0;       ///< which output of `from`: 0 the main one, others are side outputs (dead letters)
  Schema columns = {};  ///< of the rows that flow here; for people
};

struct JobGraph {
  std::vector<GraphNode> nodes;  ///< nodes[i].id == i
  std::vector<GraphEdge> edges;
};

}  // namespace laminar
