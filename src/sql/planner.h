#pragma once

/// A script's way from text to a job graph: parse, bind, rewrite (planner.cc), then make operators
/// (physical.cc).

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/graph.h"
#include "sql/binder.h"
#include "sql/logical.h"

namespace laminar::sql {

/// A script after all rules. `errors` empty: it can run.
struct PlannedScript {
  std::vector<Statement> statements;  ///< kept alive: tables point into them
  std::vector<BoundOutput> outputs;
  std::vector<Warning> warnings;
  std::vector<UserError> errors;  ///< by position
  Settings settings;
  std::string pipeline_name;
  std::vector<std::unique_ptr<Statement>> catalog_statements;  ///< of the catalog's tables that it uses
  std::vector<std::pair<const Statement*, NodePtr>> explains;
};

/// Never throws for what the script says. Opens no file unless options.may_sample.
PlannedScript PlanScript(std::string_view text, const BinderOptions& options);

/// Where rows of the preview (a query without INSERT) go.
struct PreviewSink {
  const Format* format = nullptr;  ///< null: the sink takes rows with weights
  std::function<std::unique_ptr<Sink>()> make;
};

/// Whether rows for sinks also, or only, go to the preview (PhysicalOptions::preview).
enum class SinkCapture { kNone, kBoth, kOnly };

struct PhysicalOptions {
  int parallelism = 1;
  SinkCapture capture = SinkCapture::kNone;
  const FormatRegistry* formats = nullptr;
  const FunctionRegistry* functions = nullptr;
  /// `columns` are the visible ones; `number` counts previews of the script from 0.
  std::function<PreviewSink(const Schema& columns, bool changelog, int number)> preview;
  /// Inputs of a SQL test: a source of rows of the given columns, in that order.
  std::function<std::unique_ptr<Source>(const std::string& table, const Schema& columns)> test_input;
};

/// Throws UserError for what only shows here (options of formats and connectors that contradict each other).
JobGraph MakeJobGraph(const PlannedScript& script, const PhysicalOptions& options);

/// What the operator of a node keeps, and for how long.
StateNote StateNoteOf(const LogicalNode& node, const Settings& settings);

/// Text of EXPLAIN: the logical plan with properties, then the physical one.
std::string ExplainText(const PlannedScript& script, const std::vector<NodePtr>& roots,
                        const JobGraph* graph);
/// The same as a JSON document: {"outputs":[…], "graph":{"nodes":[…],"edges":[…]}, "warnings":[…]}.
std::string ExplainJson(const PlannedScript& script, const std::vector<NodePtr>& roots,
                        const JobGraph* graph);

}  // namespace laminar::sql
