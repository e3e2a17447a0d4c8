#pragma once

/// One plan, run undisturbed or disturbed.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace laminar::sim {

struct Plan {
  std::string name;
  std::string sql;                     ///< with {in} and {out}
  std::vector<std::string> fold_keys;  ///< columns by which a changelog is folded; empty: rows are compared
  int parallelism = 0;                 ///< 0: drawn anew at each restart
};

/// Reads `-- fold: a, b` and `-- parallelism: N` of the first lines.
Plan LoadPlan(const std::string& path);

/// Writes the input files of data set `number` below `directory`.
void WriteInputs(const std::string& directory, uint64_t number);

/// What a job wrote: row text → how often, staged files left out. Throws std::runtime_error for what no
/// reader may see (a torn line, a change that does not fit).
using Rows = std::map<std::string, int64_t>;
Rows ReadOutput(const std::string& directory, const Plan& plan);

/// Without state and faults, in input order.
void RunUndisturbed(const Plan& plan, const std::string& in, const std::string& out);

struct RunCounts {
  int64_t steps = 0;
  int crashes = 0;
  int restores = 0;
  int checkpoints = 0;
  int failed_operations = 0;
};

/// Takes a line for each thing that happens; empty: none.
using TraceFunction = std::function<void(const std::string&)>;

/// Until the job has ended, through whatever `seed` says. Throws std::runtime_error for what must not be.
RunCounts RunDisturbed(const Plan& plan, const std::string& in, const std::string& out,
                       const std::string& state, const std::string& disk_root, uint64_t seed,
                       const TraceFunction& trace);

}  // namespace laminar::sim
