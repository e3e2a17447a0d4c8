#pragma once

/// The progress line on standard error, and what is worth saying at the end (rows that were dropped).

#include <condition_variable>
#include <mutex>
#include <thread>

#include "runtime/executor.h"

namespace laminar::cli {

class Progress {
 public:
  /// Draws twice a second when `visible`.
  Progress(Executor& executor, bool visible);
  ~Progress();
  /// Clears the line and reports dropped rows.
  void Finish();

 private:
  void Draw();

  Executor& executor_;
  const bool visible_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool finished_ = false;
  int64_t rows_in_ = 0;
  int64_t rows_out_ = 0;
  std::thread thread_;
};

}  // namespace laminar::cli
