/// sim_test [--seeds N] [--first SEED] [--seed SEED] [--plan NAME] [--trace] [--twice] PLAN_FOLDER

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <vector>

#include "sim/job.h"

namespace laminar::sim {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kDataSets = 4;  ///< per plan
/// In the working directory, which is a new one: paths are part of what an operator is, so that they must not
/// differ between two runs of a seed.
const std::string kDisk = "disk";

uint64_t current_seed = 0;

void OnAbort(int) {
  char text[64];
  const int bytes = std::snprintf(text, sizeof(text), "sim_test: aborted at seed %llu\n",
                                  static_cast<unsigned long long>(current_seed));
  if (write(STDERR_FILENO, text, static_cast<size_t>(bytes)) < 0) _exit(3);
  signal(SIGABRT, SIG_DFL);
}

struct Options {
  std::string plans;
  std::string plan;
  uint64_t first = 1;
  uint64_t seeds = 1000;
  bool trace = false;
  bool twice = false;
};

class Suite {
 public:
  explicit Suite(const Options& options) : options_(options) {
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(options.plans)) {
      if (entry.path().extension() == ".sql") files.push_back(entry.path().string());
    }
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) plans_.push_back(LoadPlan(file));
  }

  /// False when some seed failed.
  bool Run() {
    for (uint64_t seed = options_.first; seed < options_.first + options_.seeds; ++seed) {
      current_seed = seed;
      const Plan& plan = plans_[seed % plans_.size()];
      if (!options_.plan.empty() && plan.name != options_.plan) continue;
      try {
        RunSeed(plan, seed);
      } catch (const std::exception& error) {
        fmt::print(stderr, "seed {} ({}): {}\n  again: sim_test --seed {} {}\n", seed, plan.name,
                   error.what(), seed, options_.plans);
        return false;
      }
    }
    return true;
  }
  void Report(double seconds) const {
    fmt::print(
        "{} seeds over {} plans in {:.1f} s: {} steps, {} crashes, {} restores, {} checkpoints, {} failed "
        "operations; "
        "output as undisturbed\n",
        seeds_, plans_.size(), seconds, total_.steps, total_.crashes, total_.restores, total_.checkpoints,
        total_.failed_operations);
    if (options_.twice) fmt::print("each ran twice: {} lines of trace are the same\n", lines_);
  }

 private:
  void RunSeed(const Plan& plan, uint64_t seed) {
    const uint64_t data = (seed / plans_.size()) % kDataSets;
    const std::string in = fmt::format("in{}", data);
    if (!fs::exists(in)) WriteInputs(in, data);
    const Rows& expected = Expected(plan, in, data);
    std::vector<std::string> lines;
    const RunCounts counts = Disturb(plan, in, seed, options_.twice ? &lines : nullptr);
    const Rows got = ReadOutput(kDisk + "/out", plan);
    if (got != expected) throw std::runtime_error(Difference(expected, got));
    if (options_.twice) {
      std::vector<std::string> again;
      Disturb(plan, in, seed, &again);
      if (again != lines) throw std::runtime_error(FirstDifference(lines, again));
      lines_ += lines.size();
    }
    ++seeds_;
    total_.steps += counts.steps;
    total_.crashes += counts.crashes;
    total_.restores += counts.restores;
    total_.checkpoints += counts.checkpoints;
    total_.failed_operations += counts.failed_operations;
  }

  /// A line of the trace goes to `lines`, if any, and with --trace to standard error.
  RunCounts Disturb(const Plan& plan, const std::string& in, uint64_t seed, std::vector<std::string>* lines) {
    fs::remove_all(kDisk);
    TraceFunction trace;
    if (options_.trace || lines != nullptr) {
      trace = [this, lines](const std::string& line) {
        if (options_.trace) fmt::print(stderr, "{}\n", line);
        if (lines != nullptr) lines->push_back(line);
      };
    }
    return RunDisturbed(plan, in, kDisk + "/out", kDisk + "/state", kDisk, seed, trace);
  }

  static std::string FirstDifference(const std::vector<std::string>& first,
                                     const std::vector<std::string>& second) {
    size_t line = 0;
    while (line < first.size() && line < second.size() && first[line] == second[line]) ++line;
    const auto at = [&](const std::vector<std::string>& lines) {
      return line < lines.size() ? lines[line] : std::string("(the end)");
    };
    return fmt::format("two runs of the seed differ from line {} of their traces on:\n  {}\n  {}", line + 1,
                       at(first), at(second));
  }

  const Rows& Expected(const Plan& plan, const std::string& in, uint64_t data) {
    const auto [entry, added] = expected_.try_emplace({plan.name, data});
    if (added) {
      const std::string out = "undisturbed";
      fs::remove_all(out);
      RunUndisturbed(plan, in, out);
      entry->second = ReadOutput(out, plan);
      if (entry->second.empty()) throw std::runtime_error("the undisturbed run wrote nothing");
    }
    return entry->second;
  }

  static std::string Difference(const Rows& expected, const Rows& got) {
    std::string text = "output differs";
    int shown = 0;
    const auto compare = [&](const Rows& a, const Rows& b, const char* what) {
      for (const auto& [row, count] : a) {
        const auto other = b.find(row);
        const int64_t more = count - (other == b.end() ? 0 : other->second);
        if (more > 0 && shown++ < 6) text += fmt::format("\n  {} {}x {}", what, more, row);
      }
    };
    compare(expected, got, "missing");
    compare(got, expected, "too many");
    return text;
  }

  const Options options_;
  std::vector<Plan> plans_;
  std::map<std::pair<std::string, uint64_t>, Rows> expected_;
  uint64_t seeds_ = 0;
  size_t lines_ = 0;  ///< of traces that were compared
  RunCounts total_;
};

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Jobs under a seeded schedule and seeded faults (docs/simulator.md)");
  uint64_t one = 0;
  app.add_option("PLANS", options.plans, "folder of plans")->required();
  app.add_option("--seeds", options.seeds, "how many");
  app.add_option("--first", options.first, "the first seed");
  auto* given = app.add_option("--seed", one, "just this one");
  app.add_option("--plan", options.plan, "only seeds of this plan");
  app.add_flag("--trace", options.trace, "print what happens, and keep the files of a failure");
  app.add_flag("--twice", options.twice, "run each seed again and compare the traces line by line");
  CLI11_PARSE(app, argc, argv);
  options.plans = fs::absolute(options.plans).string();
  if (given->count() > 0) {
    options.first = one;
    options.seeds = 1;
  }
  signal(SIGABRT, OnAbort);
  std::string pattern = (fs::temp_directory_path() / "laminar-sim-XXXXXX").string();
  const std::string directory = mkdtemp(pattern.data());
  const auto began = std::chrono::steady_clock::now();
  fs::current_path(directory);
  Suite suite(options);
  const bool good = suite.Run();
  if (good) suite.Report(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  fs::current_path("/");
  if (good || !options.trace) {
    fs::remove_all(directory);
  } else {
    fmt::print(stderr, "kept {}\n", directory);
  }
  return good ? 0 : 1;
}

}  // namespace
}  // namespace laminar::sim

int main(int argc, char** argv) { return laminar::sim::Main(argc, argv); }
