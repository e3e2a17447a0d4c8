#include <signal.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "api/http_client.h"
#include "api/server.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "jobs/worker.h"
#include "jobs/worker_protocol.h"
#include "laminar_version.h"
#include "register_all.h"

extern char** environ;

namespace laminar::cli {

namespace {

Engine TheEngine() {
  const Registries& registries = AllRegistries();
  return {&registries.functions, &registries.formats, &registries.connectors};
}

struct ServerArguments {
  std::string config_file;
  std::vector<std::pair<std::string, std::string>> flags;  ///< setting, value
  std::string run_file;
  bool print = false, follow = false;
};

/// Creates and starts the pipeline of a script, unless there is one of its name. The id of its job; empty: it
/// has none.
std::string RunScript(const std::string& path, const std::string& address, const std::string& token) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw ExternalError("file", "cannot open '" + path + "'");
  std::ostringstream text;
  text << in.rdbuf();
  const nlohmann::json body = {
      {"name", std::filesystem::path(path).stem().string()}, {"query", text.str()}, {"start", true}};
  const api::ClientAnswer answer = api::Fetch(address, token, "POST", "/api/v1/pipelines", body.dump());
  if (answer.status != 201 && answer.status != 409) throw ExternalError("server", path + ": " + answer.body);
  std::printf("pipeline '%s' %s\n", body["name"].get<std::string>().c_str(),
              answer.status == 201 ? "was created and started" : "is there already");
  const std::string target = "/api/v1/pipelines?name=" + Escaped(body["name"].get<std::string>());
  const auto found =
      nlohmann::json::parse(api::Fetch(address, token, "GET", target, "").body, nullptr, false);
  if (!found.is_object() || !found.contains("data") || found["data"].empty()) return "";
  const nlohmann::json job = found["data"][0].value("current_job_id", nlohmann::json());
  return job.is_string() ? job.get<std::string>() : "";
}

int RunServer(const ServerArguments& arguments) {
  api::ServerConfig config;
  if (!arguments.config_file.empty()) config.ReadFile(arguments.config_file);
  config.ReadEnvironment(environ);
  for (const auto& [name, value] : arguments.flags) config.Set(name, value, "flag");
  if (arguments.print) {
    std::fputs(config.Print().c_str(), stdout);
    return kOk;
  }
  spdlog::set_default_logger(spdlog::stderr_color_mt("server"));  // standard output says what was asked for
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // before any thread is started
  const Engine engine = TheEngine();
  std::jthread follower;  // ends when the server does, which goes first
  api::Server server(engine, config, std::filesystem::read_symlink("/proc/self/exe").string(),
                     kLaminarVersion);
  // Scripts wait for this line to learn the port.
  std::printf("listening on http://%s:%d\n", config.Text("api.bind_address").c_str(), server.port());
  if (!arguments.run_file.empty()) {
    const auto tokens = config.List("api.auth.tokens");
    const std::string token = tokens.empty() ? "" : tokens[0].substr(tokens[0].rfind(':') + 1);
    const std::string address = "http://127.0.0.1:" + std::to_string(server.port());
    const std::string job = RunScript(arguments.run_file, address, token);
    if (arguments.follow && !job.empty()) {
      follower = std::jthread([=] {
        try {
          FollowStream(address, token, "/jobs/" + job + "/output", /*only_rows=*/true);
        } catch (const ExternalError&) {  // the server has ended
        }
      });
    }
  }
  std::fflush(stdout);
  int signal = 0;
  sigwait(&ends, &signal);
  return kOk;
}

}  // namespace

void AddServer(CLI::App& app, Command* chosen) {
  auto* command =
      app.add_subcommand("server", "REST API and scheduler; keeps everything in one data directory");
  auto arguments = std::make_shared<ServerArguments>();
  const auto flag = [&](const char* option, const char* setting, const char* help) {
    command->add_option_function<std::string>(
        option,
        [arguments, setting](const std::string& value) { arguments->flags.emplace_back(setting, value); },
        help);
  };
  command->add_option("--config", arguments->config_file, "TOML file with settings");
  flag("--data-dir", "data_dir", "Metadata, keys and checkpoints (default ./laminar-data)");
  flag("--port", "api.http_port", "Port of the API (default 5115; 0: any free one)");
  flag("--bind", "api.bind_address", "Address to listen on (default 127.0.0.1)");
  command->add_option("--run", arguments->run_file,
                      "Create and start a pipeline from this script, unless it is there already");
  command->add_flag("--follow", arguments->follow, "With --run: print the rows of its SELECT as they come");
  command->add_flag("--print-config", arguments->print, "Print the effective settings and end");
  command->callback([=] { *chosen = [=] { return RunServer(*arguments); }; });
}

void AddWorker(CLI::App& app, Command* chosen) {
  auto* command = app.add_subcommand("worker", "Run one job for a server (started by it)")->group("");
  command->callback([=] {
    *chosen = [] {
      const Engine engine = TheEngine();
      return RunWorker(engine, kWorkerSocket);
    };
  });
}

}  // namespace laminar::cli
