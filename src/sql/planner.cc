#include "sql/planner.h"

#include <algorithm>

#include "sql/parser.h"
#include "sql/rules/rules.h"

namespace laminar::sql {

PlannedScript PlanScript(std::string_view text, const BinderOptions& options) {
  PlannedScript out;
  ParsedScript parsed = ParseScript(text);
  out.statements = std::move(parsed.statements);
  out.errors = std::move(parsed.errors);
  const bool syntax_ok = out.errors.empty();
  BoundScript bound = Binder(options).Bind(out.statements, parsed.unparsed_names);
  for (UserError& error : bound.errors) {
    const bool nothing_left = !syntax_ok && error.reason() == Reason::kNoOutput;
    if (!nothing_left) out.errors.push_back(std::move(error));
  }
  std::stable_sort(out.errors.begin(), out.errors.end(),
                   [](const UserError& a, const UserError& b) { return a.span().offset < b.span().offset; });
  out.warnings = std::move(bound.warnings);
  out.settings = bound.settings;
  out.pipeline_name = std::move(bound.pipeline_name);
  out.catalog_statements = std::move(bound.catalog_statements);
  if (!out.errors.empty()) return out;

  std::vector<NodePtr> roots;
  for (const BoundOutput& output : bound.outputs) roots.push_back(output.node);
  const std::vector<NodePtr> rewritten = ShareAggregates(PruneColumns(roots));
  for (size_t i = 0; i < rewritten.size(); ++i) out.outputs.push_back({rewritten[i], bound.outputs[i].table});
  for (const auto& [statement, node] : bound.explains)
    out.explains.emplace_back(statement, ShareAggregates(PruneColumns({node}))[0]);
  return out;
}

}  // namespace laminar::sql
