#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <thread>

#include "cli/commands.h"
#include "cli/preview.h"
#include "cli/progress.h"
#include "cli/state_url.h"
#include "connectors/connector.h"
#include "jobs/checkpoint_driver.h"
#include "jobs/engine.h"
#include "jobs/job_run.h"
#include "register_all.h"

namespace laminar::cli {

namespace {

/// Turns SIGINT and SIGTERM into a graceful stop, a second one into an end at once. Signals are blocked in
/// all threads and taken by one that waits for them, so that no handler runs in the middle of something.
class SignalWatcher {
 public:
  /// Call before any thread is started.
  static void BlockSignals() {
    sigset_t set;
    Signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
  }

  explicit SignalWatcher(JobRun& run) {
    thread_ = std::thread([this, &run] {
      sigset_t set;
      Signals(&set);
      sigaddset(&set, SIGUSR1);  // our own call to end
      for (int count = 0;;) {
        int signal = 0;
        if (sigwait(&set, &signal) != 0 || signal == SIGUSR1) return;
        interrupted_ = true;
        if (++count > 1) std::_Exit(kInterrupted);
        run.Stop(StopMode::kGraceful);
      }
    });
  }
  ~SignalWatcher() {
    pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
  }
  bool interrupted() const { return interrupted_; }

 private:
  static void Signals(sigset_t* set) {
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGUSR1);
  }
  std::atomic<bool> interrupted_{false};
  std::thread thread_;
};

/// Options of state that lasts.
struct StateArguments {
  StateUrl state;
  std::string interval;
  std::string restore = "latest";
  bool allow_drop = false;

  void AddTo(CLI::App& command) {
    auto* given = command.add_option("--state", state.url,
                                     "Keeps the job's state below this URL (a directory, file:///path or "
                                     "s3://, gs:// or abfss:// URL) and goes on from what is there");
    state.AddOptionsTo(command)->needs(given);
    command
        .add_option("--checkpoint-interval", interval,
                    "Time between checkpoints, e.g. 10s (default: the script's, else 10s)")
        ->needs(given)
        ->check([](const std::string& text) {
          const auto us = ParseDurationUs(text);
          return us && *us > 0 ? std::string()
                               : "'" + text + "' is no duration above 0; write 10s or '1 minute'";
        });
    command
        .add_option("--restore", restore,
                    "Checkpoint to start from: latest, none, or a number of `laminar checkpoint ls`")
        ->needs(given)
        ->check([](const std::string& text) {
          return RestoreChoice::Parse(text) ? std::string()
                                            : "'" + text + "' is neither latest, none nor a number";
        });
    command
        .add_flag("--allow-drop-state", allow_drop,
                  "Lets state go that no operator of the script claims any more")
        ->needs(given);
  }

  std::optional<StateOptions> Options(const sql::Settings& settings) const {
    if (state.url.empty()) return std::nullopt;
    StateOptions options;
    options.objects = state.Open(/*create=*/true);
    options.restore = *RestoreChoice::Parse(restore);
    options.allow_drop = allow_drop;
    if (settings.checkpoint_interval_us) options.interval_us = *settings.checkpoint_interval_us;
    if (!interval.empty()) options.interval_us = *ParseDurationUs(interval);
    return options;
  }
};

/// What `--verbose` says of a checkpoint.
void PrintCheckpoint(const CheckpointReport& report) {
  fmt::print(stderr,
             "laminar: checkpoint {} ({}): {} entries, {} bytes written in {:.1f} ms beside the job, which "
             "paused {:.2f} "
             "ms; {} bytes in {} files\n",
             report.epoch, CheckpointKindName(report.kind), report.written_entries, report.written_bytes,
             static_cast<double>(report.write_us) / 1000, static_cast<double>(report.pause_us) / 1000,
             report.total_bytes, report.num_files);
}

int Run(const ScriptArguments& arguments, const StateArguments& state, const std::string& format, bool quiet,
        bool verbose) {
  SignalWatcher::BlockSignals();
  const std::string text = arguments.Read();
  sql::PlannedScript script = Plan(text, arguments, /*may_sample=*/true);
  if (Report(script, arguments.name(), text)) return kFailed;

  const Registries& registries = AllRegistries();
  sql::PhysicalOptions physical;
  physical.parallelism = ParallelismOf(script, arguments);
  physical.formats = &registries.formats;
  physical.functions = &registries.functions;
  physical.preview = format == "table" ? TablePreview() : JsonPreview(registries);
  for (const auto& [statement, node] : script.explains) {
    const bool json = statement->explain_mode == sql::ExplainMode::kJson;
    std::optional<JobGraph> graph;
    if (statement->explain_mode == sql::ExplainMode::kVerbose) {
      sql::PlannedScript one;
      one.outputs = {{node, node->table}};
      one.settings = script.settings;
      graph = sql::MakeJobGraph(one, physical);
    }
    const JobGraph* shown = graph ? &*graph : nullptr;
    std::fputs(
        (json ? sql::ExplainJson(script, {node}, shown) : sql::ExplainText(script, {node}, shown)).c_str(),
        stdout);
  }
  script.explains.clear();
  if (script.outputs.empty()) return kOk;

  JobGraph graph;
  try {
    graph = sql::MakeJobGraph(script, physical);
  } catch (const UserError& error) {
    std::fputs(RenderError(error, arguments.name(), text).c_str(), stderr);
    return kFailed;
  }
  JobRunOptions options;
  if (const auto us = script.settings.updating_flush_interval_us)
    options.executor.task.flush_interval_us = *us;
  options.executor.worker_threads =
      std::max(1, std::min<int>(physical.parallelism, static_cast<int>(std::thread::hardware_concurrency())));
  options.memory = StateMemoryOf(script.settings);
  options.state = state.Options(script.settings);
  options.on_failed_checkpoint = [](const CheckpointFailure& failure) {
    std::fprintf(stderr, "laminar: warning: a checkpoint failed: %s\n", failure.message.c_str());
  };
  options.on_warning = [](const std::string& text) {
    std::fprintf(stderr, "laminar: warning: %s\n", text.c_str());
  };
  if (verbose) options.on_checkpoint = PrintCheckpoint;
  JobRun run(std::move(graph), std::move(options));
  run.Open();
  if (run.state() != nullptr) {
    for (const std::string& text : run.state()->warnings()) {
      std::fprintf(stderr, "laminar: warning: %s\n", text.c_str());
    }
  }
  SignalWatcher signals(run);
  Progress progress(run.executor(), !quiet && isatty(STDERR_FILENO));
  run.Start();
  const JobResult result = run.Wait();
  progress.Finish();
  if (result.outcome == JobResult::Outcome::kFailed) {
    std::fprintf(stderr, "%s: error: %s (in %s)\n", arguments.name().c_str(), result.failure->message.c_str(),
                 result.failure->operator_name.c_str());
    return kFailed;
  }
  return signals.interrupted() ? kInterrupted : kOk;
}

}  // namespace

void AddRun(CLI::App& app, Command* chosen) {
  auto* command = app.add_subcommand("run", "Run a script in this process until its bounded sources end");
  auto arguments = std::make_shared<ScriptArguments>();
  auto format = std::make_shared<std::string>("json");
  auto quiet = std::make_shared<bool>(false);
  auto state = std::make_shared<StateArguments>();
  arguments->AddTo(*command);
  state->AddTo(*command);
  command->add_option("--format", *format, "How a bare SELECT is printed: json or table")
      ->check(CLI::IsMember({"json", "table"}));
  command->add_flag("-q,--quiet", *quiet, "No progress line");
  auto verbose = std::make_shared<bool>(false);
  command->add_flag("-v,--verbose", *verbose, "Says what each checkpoint came to");
  command->callback([=] { *chosen = [=] { return Run(*arguments, *state, *format, *quiet, *verbose); }; });
}

}  // namespace laminar::cli
