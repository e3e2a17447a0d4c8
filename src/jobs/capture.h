#pragma once

/// The capture sink of previews: keeps sample rows as JSON until the reporter takes them. It never waits:
/// what comes faster than it is taken is counted and left out.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "formats/format.h"
#include "sql/planner.h"

namespace laminar {

struct CapturedRow {
  int64_t timestamp_ms = 0;
  char op = 'c';       ///< c, u, d
  std::string record;  ///< JSON object
  std::string before;  ///< u: the row before; else empty
};

/// Rows of one captured output, since the last take.
struct CapturedRows {
  int output = 0;
  int subtask = 0;
  int64_t first = 0;  ///< number of the first row of `rows` among all rows of the output
  int64_t total = 0;  ///< rows seen so far
  std::vector<CapturedRow> rows;
};

/// Shared by the capture sinks of a job and its reporter. Thread-safe.
class CaptureBuffer {
 public:
  /// `limit`: the job ends after so many rows of an output; 0: no limit.
  explicit CaptureBuffer(int64_t limit) : limit_(limit) {}
  ~CaptureBuffer();

  sql::PreviewSink MakeSink(const FormatRegistry& formats, const Schema& columns, bool changelog, int number);
  /// Called on a sink's thread when there is something to take again. To be set before the job runs.
  void OnRows(std::function<void()> call);
  std::vector<CapturedRows> Take();
  /// An output has had its limit of rows.
  bool limit_reached() const;

  struct Shared;

 private:
  const int64_t limit_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace laminar
