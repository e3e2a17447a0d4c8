// Any text as a script, through binder, rules and physical planner: a plan, or errors that point into the
// text. Opens nothing, as `laminar check`.

#include <string>

#include "register_all.h"
#include "sql/parser_test_random.h"
#include "sql/planner.h"

namespace {

using namespace laminar;

void CheckInside(const SourceSpan& span, const std::string& text) {
  if (!span.known()) return;  // of the script as a whole
  const bool inside =
      span.offset >= 0 && span.length >= 0 && span.offset + span.length <= static_cast<int64_t>(text.size());
  LAMINAR_CHECK(inside, "a span lies outside the script");
}

void PlanGraph(const sql::PlannedScript& script, const std::string& text, int parallelism) {
  const Registries& registries = AllRegistries();
  sql::PhysicalOptions options;
  options.parallelism = parallelism;
  options.formats = &registries.formats;
  options.functions = &registries.functions;
  options.preview = [](const Schema&, bool, int) {
    return sql::PreviewSink{nullptr, []() -> std::unique_ptr<Sink> { return nullptr; }};
  };
  options.test_input = [](const std::string&, const Schema&) -> std::unique_ptr<Source> { return nullptr; };
  try {
    const JobGraph graph = sql::MakeJobGraph(script, options);
    std::vector<sql::NodePtr> roots;
    for (const auto& output : script.outputs) roots.push_back(output.node);
    sql::ExplainText(script, roots, &graph);
    sql::ExplainJson(script, roots, &graph);
  } catch (const UserError& error) {
    CheckInside(error.span(), text);
    RenderError(error, "script", text);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const Registries& registries = AllRegistries();
  sql::BinderOptions options;
  options.functions = &registries.functions;
  options.formats = &registries.formats;
  options.connectors = &registries.connectors;
  options.memory_tables_are_inputs = true;
  const sql::PlannedScript script = sql::PlanScript(text, options);
  for (const sql::Warning& warning : script.warnings) CheckInside(warning.span, text);
  for (const UserError& error : script.errors) {
    CheckInside(error.span(), text);
    RenderError(error, "script", text);
  }
  if (!script.errors.empty()) return 0;
  for (const int parallelism : {1, 3}) PlanGraph(script, text, parallelism);
  return 0;
}

/// Token-wise damage finds more than flipped bytes.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t size_max, unsigned int seed) {
  return sql::DamageTokens(data, size, size_max, seed);
}
