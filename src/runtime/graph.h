#pragma once

/// The physical plan as the runtime sees it: nodes with factories, edges with a partitioning. Made by sql/,
/// run by runtime/executor.h. Knows nothing of SQL.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
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

/// What an operator keeps, for people.
struct StateNote {
  std::string kind = {};              ///< "groups of each open window"; empty: nothing
  std::vector<std::string> key = {};  ///< expressions by which it is told apart
  int64_t ttl_us = 0;                 ///< an entry goes when it is untouched so long; 0: not by the clock
  std::string until = {};             ///< "until the watermark passes its end"
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
  std::string time = {};  ///< column of its rows' event time; empty: none
  StateNote state = {};
  /// Makers of watermarks: how far a split's watermark is behind its highest event time. Nullopt: not fixed.
  std::optional<int64_t> watermark_delay_us = {};
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
