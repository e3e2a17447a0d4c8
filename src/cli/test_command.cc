#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "cli/commands.h"
#include "cli/sql_test/test_runner.h"

namespace laminar::cli {

namespace {

namespace fs = std::filesystem;

struct TestArguments {
  std::vector<std::string> paths;
  bool rewrite = false;
  bool matrix = false;
  bool verbose = false;
  bool state_on_disk = false;
  std::string junit;
};

std::vector<std::string> FindTests(const std::vector<std::string>& paths) {
  std::vector<std::string> out;
  for (const std::string& path : paths) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
      for (const auto& entry : fs::recursive_directory_iterator(path)) {
        if (entry.is_regular_file() && entry.path().extension() == ".test")
          out.push_back(entry.path().string());
      }
    } else if (fs::exists(path, error)) {
      out.push_back(path);
    } else {
      throw ExternalError("file", "no test file or folder '" + path + "'");
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string XmlText(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else if (static_cast<unsigned char>(c) >= 32 || c == '\n' || c == '\t')
      out.push_back(c);
  }
  return out;
}

int Test(const TestArguments& arguments) {
  int passed = 0, failed = 0;
  std::string junit;
  for (const std::string& path : FindTests(arguments.paths)) {
    const auto begin = std::chrono::steady_clock::now();
    std::string failure;
    try {
      const TestFile file = ReadTestFile(path);
      const auto configs = arguments.matrix ? MatrixConfigs() : std::vector<TestConfig>{TestConfig{}};
      for (TestConfig config : configs) {
        config.state_on_disk = arguments.state_on_disk;
        if (file.only_parallelism && config.parallelism != file.only_parallelism) continue;
        if (file.only_batch && config.batch_rows != file.only_batch) continue;
        if (file.only_undisturbed && config.restarts) continue;
        const TestOutcome outcome = RunTest(file, config);
        if (outcome.passed) continue;
        failure = outcome.message;
        if (arguments.rewrite && outcome.message.find("expected") != std::string::npos) {
          RewriteTestFile(file, outcome.bodies);
          failure.clear();
          std::printf("rewrote %s\n", path.c_str());
        }
        break;
      }
    } catch (const std::exception& error) {
      failure = error.what();
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (failure.empty()) {
      ++passed;
      if (arguments.verbose) std::printf("ok %s (%.0f ms)\n", path.c_str(), seconds * 1000);
    } else {
      ++failed;
      std::printf("FAILED %s\n", failure.c_str());
    }
    char time[32];
    std::snprintf(time, sizeof time, "%.3f", seconds);
    junit += "  <testcase name=\"" + XmlText(path) + "\" time=\"" + time + "\"";
    junit += failure.empty() ? "/>\n" : "><failure>" + XmlText(failure) + "</failure></testcase>\n";
  }
  if (!arguments.junit.empty()) {
    std::ofstream out(arguments.junit);
    out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"laminar\" tests=\""
        << passed + failed << "\" failures=\"" << failed << "\">\n"
        << junit << "</testsuite>\n";
    if (!out) throw ExternalError("file", "cannot write '" + arguments.junit + "'");
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  if (passed + failed == 0) {
    std::fputs("laminar: no .test file found\n", stderr);
    return kFailed;
  }
  return failed == 0 ? kOk : kFailed;
}

}  // namespace

void AddTest(CLI::App& app, Command* chosen) {
  auto* command = app.add_subcommand(
      "test", "Run SQL tests: scripted rows and watermarks against expected output changes");
  auto arguments = std::make_shared<TestArguments>();
  command->add_option("PATH", arguments->paths, "Folders (all *.test below) and files")->required();
  command->add_flag("--rewrite", arguments->rewrite, "Write what came out into the tests' expect blocks");
  command->add_flag(
      "--matrix", arguments->matrix,
      "Each test at batch size 1, 3, default x parallelism 1, 4 x undisturbed, restarted after each step, "
      "restarted from an older checkpoint and its changes");
  command->add_flag("--state-on-disk", arguments->state_on_disk,
                    "All state in scratch files, as with state_backend = 'disk' and next to no memory");
  command->add_flag("-v,--verbose", arguments->verbose, "A line for each test");
  command->add_option("--junit", arguments->junit, "Also write the results to this file, as JUnit XML");
  command->callback([=] { *chosen = [=] { return Test(*arguments); }; });
}

}  // namespace laminar::cli
