#include "operators/window_aggregate.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "support/operator_runner.h"

namespace laminar {
namespace {

constexpr int64_t kSecond = 1'000'000;
const Schema kInput{
    {{"ts", Type::Timestamp()}, {"k", Type::Int64()}, {"x", Type::Int64()}, {"f", Type::Boolean()}}};

std::vector<AggregateSpec> CountAndSum() {
  return {MakeAggregate("count", kInput, {}, false), MakeAggregate("sum", kInput, {2}, false)};
}

OperatorRunner::Factory Factory(WindowSpec window, std::vector<AggregateSpec> calls,
                                std::vector<int> keys = {1}) {
  return [=] {
    WindowAggregateOptions options;
    options.input = kInput;
    options.keys = keys;
    options.calls = calls;
    options.window = window;
    options.time_column = 0;
    return MakeWindowAggregate(options);
  };
}

WindowSpec Tumble(int64_t seconds) { return {.kind = WindowKind::kTumble, .size_us = seconds * kSecond}; }
WindowSpec Hop(int64_t slide, int64_t size) {
  return {.kind = WindowKind::kHop, .size_us = size * kSecond, .slide_us = slide * kSecond};
}
WindowSpec SessionGap(int64_t seconds) {
  return {.kind = WindowKind::kSession, .size_us = seconds * kSecond};
}

TEST(WindowAggregateTest, TumbleFiresAtItsEndAndForwardsTheWatermark) {
  OperatorRunner run(Factory(Tumble(10), CountAndSum()), {1});
  run.Push(ParseBatch(
      "+ 00:00:01 1 5 true\n+ 00:00:09.999999 1 6 true\n+ 00:00:10 1 7 true\n+ 00:00:02 2 8 true", kInput));
  run.Watermark(10 * kSecond - 1);
  EXPECT_EQ(run.out.TakeText(), "");
  run.Watermark(10 * kSecond);
  EXPECT_EQ(run.out.TakeText(), "+ 1 2 11 00:00:00 00:00:10\n+ 2 1 8 00:00:00 00:00:10\n");
  EXPECT_EQ(run.out.watermarks, (std::vector<int64_t>{10 * kSecond - 1, 10 * kSecond}));
  run.Watermark(10 * kSecond);
  run.Watermark(5 * kSecond);
  run.End();
  EXPECT_EQ(run.out.TakeText(), "+ 1 1 7 00:00:10 00:00:20\n");
  EXPECT_EQ(run.out.watermarks.back(), kMaxWatermark);
  EXPECT_EQ(run.metrics().state_rows.value(), 0);
}

TEST(WindowAggregateTest, RowsBehindAreLateOnlyForWindowsThatHaveFired) {
  OperatorRunner run(Factory(Tumble(10), CountAndSum()), {1});
  run.Watermark(10 * kSecond);
  run.Push(ParseBatch("+ 00:00:09 1 5 true\n+ 00:00:10 1 1 true\n+ 00:00:03 1 5 true", kInput));
  EXPECT_EQ(run.late_rows(), 2);
  run.Watermark(15 * kSecond);
  run.Push(ParseBatch("+ 00:00:11 1 2 true", kInput));  // behind the watermark, but its window is open
  run.Watermark(20 * kSecond);
  EXPECT_EQ(run.out.TakeText(), "+ 1 2 3 00:00:10 00:00:20\n");
  EXPECT_EQ(run.late_rows(), 2);
}

TEST(WindowAggregateTest, BeforeNineteenSeventy) {
  OperatorRunner run(Factory(Tumble(10), CountAndSum()), {1});
  run.Push(ParseBatch(
      "+ 1969-12-31T23:59:59 1 5 true\n+ 1969-12-31T23:59:50 1 1 true\n+ 1969-12-31T23:59:49 1 2 true",
      kInput));
  run.End();
  EXPECT_EQ(run.out.TakeText(),
            "+ 1 1 2 1969-12-31T23:59:40 1969-12-31T23:59:50\n+ 1 2 6 1969-12-31T23:59:50 00:00:00\n");
}

TEST(WindowAggregateTest, RowsWithoutTimeAreCountedAsBad) {
  for (const WindowSpec& window : {Tumble(10), SessionGap(10)}) {
    OperatorRunner run(Factory(window, CountAndSum()), {1});
    run.Push(ParseBatch("+ NULL 1 5 true\n+ 00:00:01 1 6 true\n+ NULL 2 7 true", kInput));
    run.Push(ParseBatch("+ NULL 1 5 true", kInput));
    run.End();
    EXPECT_EQ(run.out.batches.size(), 1u);
    EXPECT_EQ(run.out.TakeText().substr(0, 8), "+ 1 1 6 ");
    EXPECT_EQ(run.metrics().bad_records.value(), 3);
  }
}

TEST(WindowAggregateTest, NanosecondTimesAreFloored) {
  Schema input = kInput;
  input.fields[0].type = Type::Timestamp(9);
  WindowAggregateOptions options{
      .input = input, .keys = {1}, .calls = CountAndSum(), .window = Tumble(1), .time_column = 0};
  OperatorRunner run([&] { return MakeWindowAggregate(options); }, {1});
  run.Push(ParseBatch("+ -1 1 1 true\n+ 999999999 1 2 true", input));
  run.End();
  EXPECT_EQ(run.out.TakeText(), "+ 1 1 1 1969-12-31T23:59:59 00:00:00\n+ 1 1 2 00:00:00 00:00:01\n");
}

TEST(WindowAggregateTest, HopMergesPanes) {
  OperatorRunner run(Factory(Hop(5, 15), CountAndSum()), {1});
  run.Push(ParseBatch("+ 00:00:12 1 1 true\n+ 00:00:17 1 2 true", kInput));
  run.Watermark(20 * kSecond);
  EXPECT_EQ(run.out.TakeText(), "+ 1 1 1 00:00:00 00:00:15\n+ 1 2 3 00:00:05 00:00:20\n");
  run.Push(
      ParseBatch("+ 00:00:11 1 10 true\n+ 00:00:04 1 100 true", kInput));  // one window of the first is open
  EXPECT_EQ(run.late_rows(), 1);
  run.Watermark(100 * kSecond);
  EXPECT_EQ(run.out.TakeText(), "+ 1 3 13 00:00:10 00:00:25\n+ 1 1 2 00:00:15 00:00:30\n");
}

TEST(WindowAggregateTest, CumulateGrowsStepByStep) {
  OperatorRunner run(
      Factory({.kind = WindowKind::kCumulate, .size_us = 15 * kSecond, .slide_us = 5 * kSecond},
              CountAndSum()),
      {1});
  run.Push(ParseBatch("+ 00:00:01 1 1 true\n+ 00:00:12 1 2 true\n+ 00:00:16 1 4 true", kInput));
  run.End();
  EXPECT_EQ(run.out.TakeText(),
            "+ 1 1 1 00:00:00 00:00:05\n+ 1 1 1 00:00:00 00:00:10\n+ 1 2 3 00:00:00 00:00:15\n"
            "+ 1 1 4 00:00:15 00:00:20\n+ 1 1 4 00:00:15 00:00:25\n+ 1 1 4 00:00:15 00:00:30\n");
}

TEST(WindowAggregateTest, SessionsMergeAndRowsExactlyAGapApartDoNot) {
  OperatorRunner run(Factory(SessionGap(10), CountAndSum()), {1});
  run.Push(ParseBatch("+ 00:00:00 1 1 true\n+ 00:00:10 1 2 true\n+ 00:00:30 1 4 true\n+ 00:00:45 1 8 true",
                      kInput));
  run.Watermark(10 * kSecond);
  EXPECT_EQ(run.out.TakeText(), "+ 1 1 1 00:00:00 00:00:10\n");
  run.Push(ParseBatch("+ 00:00:38 1 16 true\n+ 00:00:36 1 32 true", kInput));  // joins 30 and 45
  run.Watermark(54 * kSecond);
  EXPECT_EQ(run.out.TakeText(), "+ 1 1 2 00:00:10 00:00:20\n");
  run.Watermark(55 * kSecond);
  EXPECT_EQ(run.out.TakeText(), "+ 1 4 60 00:00:30 00:00:55\n");
}

TEST(WindowAggregateTest, SessionRowBehindTheWatermarkMayStillJoin) {
  OperatorRunner run(Factory(SessionGap(10), CountAndSum()), {1});
  run.Push(ParseBatch("+ 00:00:20 1 1 true", kInput));
  run.Watermark(25 * kSecond);
  run.Push(ParseBatch("+ 00:00:12 1 2 true\n+ 00:00:12 2 2 true\n+ 00:00:16 2 4 true", kInput));
  EXPECT_EQ(run.late_rows(), 1);  // key 2 at 12 s: its window ended at 22 s
  run.End();
  EXPECT_EQ(run.out.TakeText(), "+ 2 1 4 00:00:16 00:00:26\n+ 1 2 3 00:00:12 00:00:30\n");
}

TEST(WindowAggregateTest, WindowFromColumnsContinuesTheInputsWindow) {
  const Schema input{{{"start", Type::Timestamp()}, {"end", Type::Timestamp()}, {"n", Type::Int64()}}};
  WindowAggregateOptions options;
  options.input = input;
  options.calls = {MakeAggregate("max", input, {2}, false)};
  options.window.kind = WindowKind::kFromColumns;
  options.start_column = 0;
  options.end_column = 1;
  OperatorRunner run([&] { return MakeWindowAggregate(options); }, {});
  run.Push(ParseBatch(
      "+ 00:00:05 00:00:15 3 \n+ 00:00:00 00:00:10 1\n+ 00:00:05 00:00:15 7\n+ NULL 00:00:10 9", input));
  run.Watermark(10 * kSecond);
  EXPECT_EQ(run.out.TakeText(), "+ 1 00:00:00 00:00:10\n");
  run.Push(ParseBatch("+ 00:00:00 00:00:10 5\n+ 00:00:10 00:00:15 2", input));
  EXPECT_EQ(run.late_rows(), 1);
  run.Checkpoint();
  run.Restore(1);
  run.End();
  EXPECT_EQ(run.out.TakeText(), "+ 7 00:00:05 00:00:15\n+ 2 00:00:10 00:00:15\n");
}

TEST(WindowAggregateTest, WindowFromColumnsWithoutKeysIsDealtByItsStart) {
  const Schema input{{{"start", Type::Timestamp()}, {"end", Type::Timestamp()}, {"n", Type::Int64()}}};
  WindowAggregateOptions options;
  options.input = input;
  options.calls = {MakeAggregate("sum", input, {2}, false),
                   MakeAggregate("count", input, {2}, false, -1, true)};
  options.window.kind = WindowKind::kFromColumns;
  options.start_column = 0;
  options.end_column = 1;
  OperatorRunner run([&] { return MakeWindowAggregate(options); }, {0}, 4);
  std::map<std::string, int64_t> expected;
  for (int round = 0; round < 3; ++round) {
    for (int window = 0; window < 40; ++window) {
      const std::string bounds = std::to_string(window * 10) + " " + std::to_string(window * 10 + 10);
      run.Push(ParseBatch("+ " + bounds + " 1\n+ " + bounds + " 2", input));
    }
    run.Checkpoint();
    run.Restore(2 + round);
  }
  run.End();
  EXPECT_EQ(run.out.num_rows(), 40);
  for (const auto& [row, count] : run.out.Consolidated()) EXPECT_EQ(row.substr(0, 4), "9 2 ");
  run.Checkpoint();
  EXPECT_EQ(run.snapshot.num_entries(), 1);
}

TEST(WindowAggregateTest, ProcessingTimeFiresByTheClockAndAfterRestoreAtOnceInOrder) {
  WindowSpec window = Hop(5, 10);
  window.processing_time = true;
  OperatorRunner run(Factory(window, CountAndSum()), {1});
  run.AdvanceTo(3 * kSecond);
  run.Push(ParseBatch("+ NULL 1 1 true", kInput));
  EXPECT_EQ(run.subtask(0).next_timer_us(), 5 * kSecond);
  run.Watermark(1000 * kSecond);  // an event-time watermark says nothing here
  run.AdvanceTo(7 * kSecond);
  EXPECT_EQ(run.out.TakeText(), "+ 1 1 1 1969-12-31T23:59:55 00:00:05\n");
  run.Push(ParseBatch("+ NULL 1 2 true", kInput));
  run.Checkpoint();
  run.clock.Set(100 * kSecond);
  run.Restore(3);
  run.AdvanceTo(100 * kSecond);
  EXPECT_EQ(run.out.TakeText(), "+ 1 2 3 00:00:00 00:00:10\n+ 1 1 2 00:00:05 00:00:15\n");
  run.Push(ParseBatch("+ NULL 1 4 true", kInput));
  run.End();
  EXPECT_EQ(run.out.TakeText(), "+ 1 1 4 00:01:35 00:01:45\n+ 1 1 4 00:01:40 00:01:50\n");
}

TEST(WindowAggregateTest, ProcessingTimeSessions) {
  WindowSpec window = SessionGap(10);
  window.processing_time = true;
  OperatorRunner run(Factory(window, CountAndSum()), {1});
  run.AdvanceTo(3 * kSecond);
  run.Push(ParseBatch("+ NULL 1 1 true", kInput));
  run.AdvanceTo(12 * kSecond);
  run.Push(ParseBatch("+ NULL 1 2 true", kInput));
  run.AdvanceTo(21 * kSecond);
  EXPECT_EQ(run.out.TakeText(), "");
  run.AdvanceTo(23 * kSecond);
  EXPECT_EQ(run.out.TakeText(), "+ 1 2 3 00:00:03 00:00:22\n");
  EXPECT_FALSE(run.subtask(0).next_timer_us());
}

TEST(WindowAggregateTest, WindowProgressIsPartOfTheState) {
  for (const WindowSpec& window : {Tumble(10), Hop(5, 10), SessionGap(5)}) {
    OperatorRunner run(Factory(window, CountAndSum()), {1});
    run.Push(ParseBatch("+ 00:00:01 1 1 true", kInput));
    run.Watermark(30 * kSecond);
    run.Checkpoint();
    run.Restore(2);
    run.out.TakeText();
    run.Push(ParseBatch("+ 00:00:01 1 1 true", kInput));
    run.Watermark(5 * kSecond);  // a source may begin again further back
    EXPECT_EQ(run.late_rows(), 1);
    run.End();
    EXPECT_EQ(run.out.TakeText(), "");
  }
}

TEST(WindowAggregateTest, ClosedWindowsLeaveNothingBehind) {
  for (const WindowSpec& window : {Tumble(10), Hop(5, 10), SessionGap(5)}) {
    std::vector<AggregateSpec> calls = CountAndSum();
    calls.push_back(MakeAggregate("count", kInput, {2}, false, -1, true));
    calls.push_back(MakeAggregate("array_agg", kInput, {2}, false));
    OperatorRunner run(Factory(window, calls), {1});
    for (int i = 0; i < 20; ++i) {
      run.Push(ParseBatch("+ " + std::to_string(i * kSecond * 7) + " 1 1 true", kInput));
      run.Checkpoint();
      run.Watermark(i * kSecond * 7);
    }
    run.Watermark(1000 * kSecond);
    run.Checkpoint();
    EXPECT_EQ(run.snapshot.num_entries(), 1);  // the watermark
    EXPECT_EQ(run.metrics().state_rows.value(), 0);
  }
}

// Properties

struct Row {
  int64_t time;
  int k, x, f;  // −1: NULL
};

/// Windows of rows that are all in time, by definition: for each key, window → rows.
using Windows = std::map<std::pair<int, std::pair<int64_t, int64_t>>, std::vector<Row>>;

Windows WindowsOf(const WindowSpec& spec, const std::vector<Row>& rows) {
  Windows windows;
  if (spec.kind == WindowKind::kSession) {
    std::map<int, std::vector<Row>> by_key;
    for (const Row& row : rows) by_key[row.k].push_back(row);
    for (auto& [key, of_key] : by_key) {
      std::stable_sort(of_key.begin(), of_key.end(),
                       [](const Row& a, const Row& b) { return a.time < b.time; });
      for (size_t i = 0; i < of_key.size();) {
        size_t end = i + 1;
        while (end < of_key.size() && of_key[end].time < of_key[end - 1].time + spec.size_us) ++end;
        auto& window = windows[{key, {of_key[i].time, of_key[end - 1].time + spec.size_us}}];
        window.assign(of_key.begin() + static_cast<int64_t>(i), of_key.begin() + static_cast<int64_t>(end));
        i = end;
      }
    }
    return windows;
  }
  for (const Row& row : rows) {
    const int64_t slide = spec.kind == WindowKind::kTumble ? spec.size_us : spec.slide_us;
    int64_t start = (row.time - spec.offset_us) / slide * slide + spec.offset_us;
    while (start > row.time) start -= slide;
    for (; start + spec.size_us > row.time; start -= slide)
      windows[{row.k, {start, start + spec.size_us}}].push_back(row);
  }
  return windows;
}

std::string NullOr(bool has, int64_t value) { return has ? std::to_string(value) : "NULL"; }

std::map<std::string, int64_t> Recompute(const WindowSpec& spec, const std::vector<Row>& rows) {
  std::map<std::string, int64_t> out;
  for (const auto& [key, of_window] : WindowsOf(spec, rows)) {
    int64_t sum = 0, max = -1;
    bool has = false;
    std::set<int> distinct, filtered;
    for (const Row& row : of_window) {
      if (row.x < 0) continue;
      has = true;
      sum += row.x;
      distinct.insert(row.x);
      if (row.f == 1) filtered.insert(row.x);
      if (row.f == 1) max = std::max<int64_t>(max, row.x);
    }
    Batch times{.num_rows = 1, .columns = {}, .weights = nullptr};
    const std::string bounds = FormatRow(
        ParseBatch("+ " + std::to_string(key.second.first) + " " + std::to_string(key.second.second),
                   Schema{{{"s", Type::Timestamp()}, {"e", Type::Timestamp()}}}),
        0);
    ++out[NullOr(key.first >= 0, key.first) + " " + std::to_string(of_window.size()) + " " +
          NullOr(has, sum) + " " + NullOr(max >= 0, max) + " " + std::to_string(distinct.size()) + " " +
          std::to_string(filtered.size()) + " " + bounds];
  }
  return out;
}

/// No window is sent after a watermark that is at or behind its end.
void ExpectBehindWatermark(const CollectingOutput& out) {
  int64_t rows = 0;
  size_t passed = 0;  // watermarks sent before the current row
  for (const Batch& batch : out.batches) {
    const auto& ends = static_cast<const arrow::TimestampArray&>(*batch.columns.back());
    for (int64_t row = 0; row < batch.num_rows; ++row, ++rows) {
      while (passed < out.watermarks.size() && out.rows_before_watermark[passed] <= rows) ++passed;
      if (passed > 0) {
        EXPECT_GT(ends.Value(row), out.watermarks[passed - 1]);
      }
    }
  }
}

/// Random rows around a rising watermark, none late; checkpoints and restores at any parallelism in between:
/// what is sent must be what the definition gives.
TEST(WindowAggregateTest, PropertyEqualsTheDefinition) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 rng(seed);
    WindowSpec window;
    window.kind = seed % 3 == 0   ? WindowKind::kTumble
                  : seed % 3 == 1 ? WindowKind::kHop
                                  : WindowKind::kSession;
    window.slide_us = 1 + static_cast<int64_t>(rng() % 20);
    window.size_us =
        window.slide_us * (1 + static_cast<int64_t>(rng() % (seed % 4 == 0 ? 60 : 4)));  // few panes, or many
    if (window.kind != WindowKind::kSession) window.offset_us = static_cast<int64_t>(rng() % 30) - 15;
    const std::vector<AggregateSpec> calls = {
        MakeAggregate("count", kInput, {}, false), MakeAggregate("sum", kInput, {2}, false),
        MakeAggregate("max", kInput, {2}, false, 3), MakeAggregate("count", kInput, {2}, false, -1, true),
        MakeAggregate("count", kInput, {2}, false, 3, true)};
    const int parallelism_max = seed % 2 ? 4 : 1;
    OperatorRunner run(Factory(window, calls), {1}, parallelism_max);
    std::vector<Row> rows;
    int64_t watermark = -100;
    run.Watermark(watermark);
    for (int step = 0; step < 40; ++step) {
      std::string text;
      for (uint64_t n = rng() % 20; n > 0; --n) {
        const Row row{watermark + static_cast<int64_t>(rng() % 60), static_cast<int>(rng() % 5) - 1,
                      static_cast<int>(rng() % 6) - 1, static_cast<int>(rng() % 3) - 1};
        rows.push_back(row);
        text += "+ " + std::to_string(row.time) + " " + NullOr(row.k >= 0, row.k) + " " +
                NullOr(row.x >= 0, row.x) + " " +
                (row.f < 0    ? "NULL"
                 : row.f == 1 ? "true"
                              : "false") +
                "\n";
      }
      if (!text.empty()) run.Push(ParseBatch(text, kInput));
      if (rng() % 2 == 0) run.Watermark(watermark += static_cast<int64_t>(rng() % 20));
      if (rng() % 6 == 0) {
        run.Checkpoint();
        run.Restore(1 + static_cast<int>(rng() % parallelism_max));
      }
    }
    run.End();
    EXPECT_EQ(run.late_rows(), 0);
    EXPECT_EQ(run.out.Consolidated(), Recompute(window, rows));
    if (parallelism_max == 1) ExpectBehindWatermark(run.out);
  }
}

}  // namespace
}  // namespace laminar
