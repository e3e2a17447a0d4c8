#include <algorithm>
#include <csignal>
#include <cstdio>

#include "cli/commands.h"
#include "laminar_version.h"

namespace {

int Run(int argc, char** argv) {
  using namespace laminar;
  CLI::App app{"Laminar: streaming SQL on one machine, from one binary."};
  app.name("laminar");
  app.set_version_flag("--version", std::string("laminar ") + kLaminarVersion);
  app.require_subcommand(1);
  cli::Command chosen;
  cli::AddRun(app, &chosen);
  cli::AddCheck(app, &chosen);
  cli::AddExplain(app, &chosen);
  cli::AddTest(app, &chosen);
  cli::AddFunctions(app, &chosen);
  cli::AddConnectors(app, &chosen);
  cli::AddCheckpoint(app, &chosen);
  cli::AddServer(app, &chosen);
  cli::AddWorker(app, &chosen);
  cli::AddClient(app, &chosen);
  cli::AddCompletion(app, &chosen);
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  if (argc > 1 && argv[1][0] != '-' && std::find(names.begin(), names.end(), argv[1]) == names.end()) {
    const std::string nearest = NearestName(argv[1], names);
    std::fprintf(stderr, "laminar: no command '%s'%s; see laminar --help\n", argv[1],
                 nearest.empty() ? "" : (", did you mean '" + nearest + "'?").c_str());
    return cli::kUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? cli::kOk : cli::kUsage;
  }
  try {
    return chosen();
  } catch (const UserError& error) {
    std::fputs(RenderError(error, "laminar", "").c_str(), stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "laminar: error: %s\n", error.what());
  }
  return cli::kFailed;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of the write
  return Run(argc, argv);
}
