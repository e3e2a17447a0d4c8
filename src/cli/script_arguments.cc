#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "cli/commands.h"
#include "register_all.h"

namespace laminar::cli {

void ScriptArguments::AddTo(CLI::App& command) {
  auto* group = command.add_option_group("script");
  group->add_option("FILE", file, "SQL script, or - for standard input");
  execute = group->add_option("-e,--execute", text_argument, "SQL text instead of a file");
  group->require_option(1);
  command
      .add_option("--parallelism", parallelism,
                  "Subtasks per operator (default: the script's setting, else 1)")
      ->check(CLI::Range(1, 1024));
  command.add_option("--set", settings, "NAME=VALUE, as SET at the start of the script; may be repeated");
}

std::string ScriptArguments::name() const {
  if (execute->count() > 0) return "<command line>";
  return file == "-" ? "<stdin>" : file;
}

std::string ScriptArguments::Read() const {
  if (execute->count() > 0) return text_argument;
  if (file == "-") {
    std::ostringstream text;
    text << std::cin.rdbuf();
    return text.str();
  }
  if (std::filesystem::is_directory(file))
    throw ExternalError("file", "cannot read script '" + file + "': it is a folder");
  std::ifstream in(file, std::ios::binary);
  if (!in) throw ExternalError("file", "cannot open script '" + file + "': " + std::strerror(errno));
  std::ostringstream text;
  text << in.rdbuf();
  if (in.bad()) throw ExternalError("file", "cannot read script '" + file + "'");
  return text.str();
}

std::vector<std::pair<std::string, std::string>> ScriptArguments::Settings() const {
  std::vector<std::pair<std::string, std::string>> out;
  for (const std::string& setting : settings) {
    const size_t equal = setting.find('=');
    if (equal == std::string::npos || equal == 0) {
      throw UserError(Reason::kBadOption, {}, "--set takes NAME=VALUE, not '" + setting + "'");
    }
    out.emplace_back(setting.substr(0, equal), setting.substr(equal + 1));
  }
  return out;
}

sql::PlannedScript Plan(const std::string& text, const ScriptArguments& arguments, bool may_sample) {
  const Registries& registries = AllRegistries();
  sql::BinderOptions options;
  options.functions = &registries.functions;
  options.formats = &registries.formats;
  options.connectors = &registries.connectors;
  options.may_sample = may_sample;
  options.settings = arguments.Settings();
  return sql::PlanScript(text, options);
}

bool Report(const sql::PlannedScript& script, const std::string& file, const std::string& text) {
  for (const sql::Warning& warning : script.warnings) {
    std::string at = file;
    if (warning.span.known()) {
      const LineColumn position = LocateOffset(text, warning.span.offset);
      at += ":" + std::to_string(position.line) + ":" + std::to_string(position.column);
    }
    std::fprintf(stderr, "%s: warning: %s [%s]\n", at.c_str(), warning.message.c_str(), warning.code.c_str());
  }
  for (const UserError& error : script.errors) {
    const std::string shown = RenderError(error, file, text);  // may hold a NUL of the script
    std::fwrite(shown.data(), 1, shown.size(), stderr);
  }
  return !script.errors.empty();
}

int ParallelismOf(const sql::PlannedScript& script, const ScriptArguments& arguments) {
  return arguments.parallelism > 0 ? arguments.parallelism : script.settings.parallelism.value_or(1);
}

}  // namespace laminar::cli
