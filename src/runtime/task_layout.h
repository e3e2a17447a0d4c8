#pragma once

/// Which nodes of a graph share a task. Pure: no subtask is made here.

#include <string>
#include <vector>

#include "runtime/graph.h"

namespace laminar {

/// A head and what is chained to it; its subtask i makes task i of it.
struct TaskGroup {
  std::vector<int> nodes;  ///< head first, producers before their consumers
  int parallelism = 1;
};

struct TaskLayout {
  std::vector<TaskGroup> groups;  ///< in an order where producers come first
  std::vector<bool> chained;      ///< [edges]: a direct call inside a task
  std::vector<int> group_of;      ///< [nodes]
};

/// Aborts on a graph that is not one (a bug of the planner): a cycle, a wrong id, a node without factory,
/// kForward between different parallelisms, kGather into more than one subtask.
TaskLayout LayOut(const JobGraph& graph);

}  // namespace laminar
