#pragma once

/// Inside of MakeJobGraph: logical nodes → operators and edges. physical.cc has sources, sinks and what keeps
/// no state; physical_stateful.cc the rest.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "operators/project_filter.h"
#include "sql/catalog.h"
#include "sql/planner.h"

namespace laminar::sql {

class PhysicalPlanner {
 public:
  PhysicalPlanner(const PlannedScript& script, const PhysicalOptions& options)
      : script_(script), options_(options) {}
  JobGraph Run();

 private:
  /// Rows that a graph node sends, with a projection and filter still to be applied to them.
  struct Stream {
    int node = -1;
    int parallelism = 1;
    Schema columns;  ///< after `pending`
    std::optional<ProjectFilterOptions> pending;
    SourceSpan span;
  };

  Stream Build(const NodePtr& node);
  Stream BuildNode(const LogicalNode& node);
  Stream BuildScan(const LogicalNode& node);
  Stream BuildTestInput(const LogicalNode& node);
  Stream BuildValues(const LogicalNode& node);
  Stream BuildWatermark(const LogicalNode& node);
  Stream BuildUnion(const LogicalNode& node);
  Stream BuildUnnest(const LogicalNode& node);
  Stream BuildLimit(const LogicalNode& node);
  void BuildSink(const LogicalNode& node);
  void BuildTableSink(Stream input, const TableDefinition& table, bool changelog, std::vector<int> key,
                      int row_time);
  void BuildSinkOf(const TableDefinition& table, Stream input, bool changelog, std::vector<int> key,
                   int row_time);
  void AddDeadLetters(Stream from, const TableDefinition& table);
  void BuildDeadLetterSinks();
  void BuildPreview(Stream input, const Schema& columns, bool changelog, std::vector<int> key);

  // physical_stateful.cc
  Stream BuildWindowAssign(const LogicalNode& node);
  Stream BuildAggregate(const LogicalNode& node);
  Stream BuildDistinct(const LogicalNode& node);
  Stream BuildTopN(const LogicalNode& node);
  Stream BuildSort(const LogicalNode& node);
  Stream BuildOver(const LogicalNode& node);
  Stream BuildJoin(const LogicalNode& node);

  /// Adds a projection or filter; nothing runs until something else reads the stream.
  Stream Apply(Stream input, ProjectFilterOptions what, Schema columns);
  /// Makes an operator of what is pending.
  Stream Materialize(Stream input);
  /// The stream with `exprs` as columns: plain columns are found, others are appended. `indices`: one per
  /// expression.
  Stream WithColumns(Stream input, const std::vector<ExpressionPtr>& exprs, std::vector<int>* indices);
  /// Only the first `count` columns.
  Stream FirstColumns(Stream input, int count);
  /// Adds an operator behind `input`, reached by hash of `keys` (nullopt: row by row as they come; empty: all
  /// in one subtask).
  Stream AddOperator(const Stream& input, const std::optional<std::vector<int>>& keys,
                     const std::string& name, SourceSpan span,
                     std::function<std::unique_ptr<Operator>()> make, Schema columns);
  /// operator_ids.cc: from an operator's content and what it is fed by, so that an edit elsewhere in the
  /// script changes no id; equals are told apart by their order.
  void AssignOperatorIds();
  int AddNode(const std::string& name, int parallelism, bool keeps_state);
  void Connect(const Stream& from, int to, int input, const std::optional<std::vector<int>>& keys,
               int output = 0);
  int ParallelismFor(const Stream& input, const std::optional<std::vector<int>>& keys) const;

  const PlannedScript& script_;
  const PhysicalOptions& options_;
  JobGraph graph_;
  const LogicalNode* building_ = nullptr;  ///< whose nodes are being added
  SourceSpan sink_span_;                   ///< of nodes that are added for no logical one
  std::map<const LogicalNode*, Stream> built_;
  std::vector<NodePtr> own_nodes_;  // made here; kept, so that built_ never sees an address twice
  std::map<const LogicalNode*, int> parents_;
  std::set<int> keeps_state_;
  /// Side outputs with records that could not be used, and the sinks that take them.
  std::map<const TableDefinition*, std::vector<Stream>> dead_letters_;
  int previews_ = 0;
};

}  // namespace laminar::sql
