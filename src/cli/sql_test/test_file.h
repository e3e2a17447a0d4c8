#pragma once

/// A SQL test: a script, then steps of input rows and expected output changes (docs/sql-tests.md). This file
/// reads and writes the text; test_runner.h runs it.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace laminar::cli {

/// One row as written: `+ 1 'a b' NULL`.
struct TestRow {
  int weight = 1;
  std::vector<std::string> words;
  std::vector<bool> quoted;  ///< [words]: in quotes, so that 'NULL' is a text
  int line = 0;
};

struct TestStep {
  enum class Verb {
    kInput,      ///< `input TABLE` and rows
    kWatermark,  ///< `watermark TABLE TIME`
    kIdle,       ///< `idle TABLE`
    kEnd,        ///< `end`: all inputs end
    kClock,      ///< `clock + 10 seconds`
    kBarrier,    ///< `barrier`: a checkpoint
    kCrash,      ///< `crash`: back to the last barrier
    kRescale,    ///< `rescale N`: a barrier, then on with parallelism N
    kExpect,     ///< `expect`, `expect exact`, `expect nothing` and rows
    kMetric,     ///< `metric NAME N`: sum over all operators
    kError,      ///< `error CODE [at LINE:COLUMN] [text]`: the script is refused
    kFails,      ///< `fails TEXT`: the job has failed with a message that holds it
    kExplain,    ///< `explain` and the logical plan
    kWarning,    ///< `warning CODE`
  };
  Verb verb;
  int line = 0;                    ///< 1-based
  std::vector<std::string> words;  ///< behind the verb
  std::vector<TestRow> rows;
  std::vector<std::string> lines;  ///< kExplain: as written
  bool exact = false;
  int rows_begin = 0, rows_end = 0;  ///< lines [begin, end) of the block's body, 1-based, for --rewrite
};

struct TestFile {
  std::string path;
  std::vector<std::string> text;  ///< all lines
  std::string sql;
  int sql_line = 0;  ///< line of the file on which `sql` begins
  std::vector<TestStep> steps;
  /// `only parallelism 1`, `only batch 8192`: restricts the matrix; 0: any.
  int only_parallelism = 0;
  int only_batch = 0;
  bool only_undisturbed = false;
};

/// Throws std::runtime_error("file:line: …").
TestFile ReadTestFile(const std::string& path);
/// Writes the file with the bodies of blocks replaced; `bodies`: [steps], empty: unchanged unless `changed`.
void RewriteTestFile(const TestFile& file,
                     const std::vector<std::pair<bool, std::vector<std::string>>>& bodies);

/// Words of a line: blanks separate, 'quoted text' may hold them. Stops at a `#` that begins a word.
std::vector<std::string> SplitTestWords(std::string_view line, std::vector<bool>* quoted);

}  // namespace laminar::cli
