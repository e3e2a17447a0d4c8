#pragma once

/// The commands of `laminar`: each adds itself to the parser and gives what to run.

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/planner.h"

namespace laminar::cli {

/// What `main` runs after parsing: the exit code.
using Command = std::function<int()>;

void AddRun(CLI::App& app, Command* chosen);
void AddCheck(CLI::App& app, Command* chosen);
void AddExplain(CLI::App& app, Command* chosen);
void AddTest(CLI::App& app, Command* chosen);
void AddFunctions(CLI::App& app, Command* chosen);
void AddConnectors(CLI::App& app, Command* chosen);
void AddCheckpoint(CLI::App& app, Command* chosen);
void AddServer(CLI::App& app, Command* chosen);
void AddWorker(CLI::App& app, Command* chosen);
void AddClient(CLI::App& app, Command* chosen);
void AddCompletion(CLI::App& app, Command* chosen);

/// Exit codes.
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;  ///< the script or its run failed; the error is on stderr
inline constexpr int kUsage = 2;   ///< the command line is wrong
inline constexpr int kInterrupted = 130;

/// FILE, `-` or `-e SQL`, as every command that takes a script has it.
struct ScriptArguments {
  std::string file;
  std::string text_argument;
  const CLI::Option* execute = nullptr;  ///< `-e`: given, the text counts even if it is empty
  int parallelism = 0;                   ///< 0: the script's, else 1
  std::vector<std::string> settings;

  void AddTo(CLI::App& command);
  /// Name for messages.
  std::string name() const;
  /// Throws ExternalError.
  std::string Read() const;
  /// `--set` as pairs. Throws UserError.
  std::vector<std::pair<std::string, std::string>> Settings() const;
};

/// Plans with all registries. Never throws for what the script says.
sql::PlannedScript Plan(const std::string& text, const ScriptArguments& arguments, bool may_sample);
/// Errors and warnings on stderr; true when there was an error.
bool Report(const sql::PlannedScript& script, const std::string& file, const std::string& text);
int ParallelismOf(const sql::PlannedScript& script, const ScriptArguments& arguments);

}  // namespace laminar::cli
