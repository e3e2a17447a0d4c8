#include "cli/progress.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace laminar::cli {

namespace {

struct Totals {
  int64_t rows_in = 0;
  int64_t rows_out = 0;
  int64_t late = 0;
  int64_t bad = 0;
  int64_t expired = 0;
  int64_t watermark_us = kMaxWatermark;
};

Totals Sum(const Executor& executor) {
  Totals out;
  for (const SubtaskStatus& status : executor.Status()) {
    const OperatorMetrics& m = *status.metrics;
    if (status.node->make_source) out.rows_in += m.rows_out.value();
    if (status.node->make_sink) {
      out.rows_out += m.rows_in.value();
      out.watermark_us = std::min(out.watermark_us, m.watermark_us.value());
    }
    out.late += m.late_rows.value();
    out.bad += m.bad_records.value();
    out.expired += m.expired_keys.value();
  }
  return out;
}

constexpr auto kInterval = std::chrono::milliseconds(500);

}  // namespace

Progress::Progress(Executor& executor, bool visible) : executor_(executor), visible_(visible) {
  if (!visible_) return;
  thread_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, kInterval, [this] { return finished_; })) Draw();
  });
}

Progress::~Progress() { Finish(); }

void Progress::Draw() {
  const Totals now = Sum(executor_);
  std::string line =
      fmt::format("\r\x1b[K{:L} rows in ({:.0f}/s), {:L} out ({:.0f}/s)", now.rows_in,
                  (now.rows_in - rows_in_) * 2.0, now.rows_out, (now.rows_out - rows_out_) * 2.0);
  if (now.watermark_us != kMinWatermark && now.watermark_us != kMaxWatermark) {
    const int64_t wall_us = std::chrono::duration_cast<std::chrono::microseconds>(
                                std::chrono::system_clock::now().time_since_epoch())
                                .count();
    line += fmt::format(", watermark {:%Y-%m-%d %H:%M:%S} (lag {}s)",
                        fmt::gmtime(static_cast<time_t>(now.watermark_us / 1'000'000)),
                        std::max<int64_t>(0, (wall_us - now.watermark_us) / 1'000'000));
  }
  if (now.late > 0) line += fmt::format(", {} late", now.late);
  rows_in_ = now.rows_in;
  rows_out_ = now.rows_out;
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
}

void Progress::Finish() {
  {
    std::lock_guard lock(mutex_);
    if (finished_) return;
    finished_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (visible_) std::fputs("\r\x1b[K", stderr);
  const Totals totals = Sum(executor_);
  if (totals.late > 0)
    std::fprintf(
        stderr,
        "laminar: %lld late rows were dropped (late_records): they came after their window had closed\n",
        static_cast<long long>(totals.late));
  if (totals.bad > 0)
    std::fprintf(stderr, "laminar: %lld bad records were dropped (bad_records)\n",
                 static_cast<long long>(totals.bad));
  if (totals.expired > 0)
    std::fprintf(stderr, "laminar: %lld keys were forgotten after updating_ttl (expired_keys)\n",
                 static_cast<long long>(totals.expired));
}

}  // namespace laminar::cli
