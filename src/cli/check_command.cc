#include <cstdio>

#include "cli/commands.h"
#include "cli/preview.h"
#include "register_all.h"

namespace laminar::cli {

namespace {

/// Makes the graph too, since some errors only show there. nullopt after an error, which is reported.
std::optional<JobGraph> GraphOf(sql::PlannedScript& script, const ScriptArguments& arguments,
                                const std::string& text) {
  const Registries& registries = AllRegistries();
  sql::PhysicalOptions options;
  options.parallelism = ParallelismOf(script, arguments);
  options.formats = &registries.formats;
  options.functions = &registries.functions;
  options.preview = JsonPreview(registries);
  try {
    return sql::MakeJobGraph(script, options);
  } catch (const UserError& error) {
    std::fputs(RenderError(error, arguments.name(), text).c_str(), stderr);
    return std::nullopt;
  }
}

int Check(const ScriptArguments& arguments) {
  const std::string text = arguments.Read();
  sql::PlannedScript script = Plan(text, arguments, /*may_sample=*/false);
  if (Report(script, arguments.name(), text)) return kFailed;
  return GraphOf(script, arguments, text) ? kOk : kFailed;
}

int Explain(const ScriptArguments& arguments, bool json) {
  const std::string text = arguments.Read();
  sql::PlannedScript script = Plan(text, arguments, /*may_sample=*/false);
  const bool failed = !script.errors.empty();
  if (failed) {
    Report(script, arguments.name(), text);
    return kFailed;
  }
  auto graph = GraphOf(script, arguments, text);
  if (!graph) return kFailed;
  std::vector<sql::NodePtr> roots;
  for (const auto& output : script.outputs) roots.push_back(output.node);
  for (const auto& [statement, node] : script.explains) roots.push_back(node);
  const std::string out =
      json ? sql::ExplainJson(script, roots, &*graph) : sql::ExplainText(script, roots, &*graph);
  std::fputs(out.c_str(), stdout);
  return kOk;
}

}  // namespace

void AddCheck(CLI::App& app, Command* chosen) {
  auto* command =
      app.add_subcommand("check", "Check a script without running it or opening anything it names");
  auto arguments = std::make_shared<ScriptArguments>();
  arguments->AddTo(*command);
  command->callback([=] { *chosen = [=] { return Check(*arguments); }; });
}

void AddExplain(CLI::App& app, Command* chosen) {
  auto* command = app.add_subcommand("explain", "Print the logical and physical plan of a script");
  auto arguments = std::make_shared<ScriptArguments>();
  auto json = std::make_shared<bool>(false);
  arguments->AddTo(*command);
  command->add_flag("--json", *json, "As one JSON document");
  command->callback([=] { *chosen = [=] { return Explain(*arguments, *json); }; });
}

}  // namespace laminar::cli
