#pragma once

/// Runs SQL tests on one thread with a manual clock: every step is followed until nothing moves any more.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/sql_test/test_file.h"

namespace laminar::cli {

/// One row of the matrix.
struct TestConfig {
  int64_t batch_rows = 8192;
  int parallelism = 1;
  /// After every step: checkpoint, throw the job away, restore at another parallelism.
  bool restarts = false;
  /// After every step by turns: a checkpoint, and a restart that has restored that one ahead.
  bool ahead = false;
  uint64_t seed = 1;
  bool state_on_disk = false;  ///< all of it, whatever the script says
  std::string ToString() const;
};

/// The configs that `--matrix` runs, the plain one first.
std::vector<TestConfig> MatrixConfigs();

struct TestOutcome {
  bool passed = true;
  std::string message;  ///< of the first failure: `file:line: what`, expected and actual rows
  /// Per step: whether its block should read differently, and how (`--rewrite`).
  std::vector<std::pair<bool, std::vector<std::string>>> bodies;
};

TestOutcome RunTest(const TestFile& file, const TestConfig& config);

}  // namespace laminar::cli
