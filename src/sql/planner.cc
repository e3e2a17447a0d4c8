#include "sql/planner.h"

#include <algorithm>
#include <cctype>

#include "sql/parser.h"
#include "sql/rules/rules.h"

namespace laminar::sql {

namespace {

/// An unknown table that some statement of the script declares: that statement has the mistake, and reports
/// it.
bool IsFollowUp(const UserError& error, std::string_view text) {
  if (error.reason() != Reason::kUnknownTable || !error.span().known()) return false;
  const std::string name = FoldName(
      text.substr(static_cast<size_t>(error.span().offset), static_cast<size_t>(error.span().length)));
  const std::string folded = FoldName(text);
  auto is_word = [&](size_t at) {
    return at < folded.size() && (std::isalnum(static_cast<unsigned char>(folded[at])) || folded[at] == '_');
  };
  for (size_t at = folded.find(name); at != std::string::npos; at = folded.find(name, at + 1)) {
    if (is_word(at + name.size())) continue;
    size_t before = at;
    while (before > 0 && std::isspace(static_cast<unsigned char>(folded[before - 1]))) --before;
    if (before == at) continue;
    const std::string_view head(folded.data(), before);
    if (head.ends_with("create table") || head.ends_with("create view") ||
        head.ends_with("temporary table") || head.ends_with("replace view") || head.ends_with("exists"))
      return true;
  }
  return false;
}

}  // namespace

PlannedScript PlanScript(std::string_view text, const BinderOptions& options) {
  PlannedScript out;
  ParsedScript parsed = ParseScript(text);
  out.statements = std::move(parsed.statements);
  out.errors = std::move(parsed.errors);
  const bool syntax_ok = out.errors.empty();
  BoundScript bound = Binder(options).Bind(out.statements);
  for (UserError& error : bound.errors) {
    const bool nothing_left = !syntax_ok && error.reason() == Reason::kNoOutput;
    if (!nothing_left && !IsFollowUp(error, text)) out.errors.push_back(std::move(error));
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
