#include "operators/over.h"

#include <gtest/gtest.h>

#include <random>

#include "support/operator_runner.h"

namespace laminar {
namespace {

const Schema kSchema{{{"k", Type::Int64()}, {"ts", Type::Timestamp()}, {"v", Type::Int64()}}};
const Schema kWindowed{
    {{"s", Type::Timestamp()}, {"e", Type::Timestamp()}, {"k", Type::Int64()}, {"x", Type::Int64()}}};

OverSpec Aggregate(const std::string& name, const Schema& schema, std::vector<int> args) {
  OverSpec call;
  call.aggregate = MakeAggregate(name, schema, args, false).function;
  call.args = std::move(args);
  return call;
}
OverSpec Call(OverFunction function, std::vector<int> args = {}, int64_t offset = 1,
              bool ignore_nulls = false) {
  OverSpec call;
  call.function = function;
  call.args = std::move(args);
  call.offset = offset;
  call.ignore_nulls = ignore_nulls;
  return call;
}

OverOptions ByTime(std::vector<OverSpec> calls) {
  OverOptions options;
  options.input = kSchema;
  options.num_output_columns = 3;
  options.keys = {0};
  options.order_columns = {1};
  options.order = {{}};
  options.calls = std::move(calls);
  options.time_column = 1;
  return options;
}
OverOptions PerWindow(std::vector<OverSpec> calls) {
  OverOptions options;
  options.input = kWindowed;
  options.num_output_columns = 4;
  options.keys = {2};
  options.order_columns = {3};
  options.order = {{}};
  options.calls = std::move(calls);
  options.per_window = true;
  options.window_start = 0;
  options.window_end = 1;
  return options;
}
OperatorRunner::Factory Make(const OverOptions& options) {
  return [options] { return MakeOver(options); };
}

/// What was sent, without the columns before `first`.
std::string Columns(OperatorRunner& runner, size_t first) {
  std::string text;
  for (Batch& batch : std::exchange(runner.out.batches, {})) {
    batch.columns.erase(batch.columns.begin(), batch.columns.begin() + static_cast<int64_t>(first));
    text += FormatBatch(batch);
  }
  return text;
}

TEST(Over, RunningValuesGoOnOverBatchesAndRestores) {
  OverOptions options =
      ByTime({Aggregate("sum", kSchema, {2}), Call(OverFunction::kRowNumber), Call(OverFunction::kRank),
              Call(OverFunction::kDenseRank), Call(OverFunction::kFirstValue, {2}),
              Call(OverFunction::kLag, {2}, 2), Call(OverFunction::kLastValue, {2})});
  OperatorRunner runner(Make(options), {0});
  runner.Push(ParseBatch("+ 1 3 30\n+ 1 1 10\n+ 1 3 31\n+ 2 2 NULL", kSchema));
  runner.Watermark(3);
  EXPECT_EQ(Columns(runner, 2), "+ 10 10 1 1 1 10 NULL 10\n+ NULL NULL 1 1 1 NULL NULL NULL\n");
  runner.Checkpoint();
  runner.Restore(3);
  runner.Push(ParseBatch("+ 1 2 99\n+ 1 3 32", kSchema));
  EXPECT_EQ(runner.late_rows(), 1);
  runner.Watermark(4);
  EXPECT_EQ(Columns(runner, 2),
            "+ 30 103 2 2 2 10 NULL 32\n+ 31 103 3 2 2 10 10 32\n+ 32 103 4 2 2 10 30 32\n");
  runner.Checkpoint();
  runner.Restore(1);
  runner.Push(ParseBatch("+ 1 9 1\n+ 2 9 5", kSchema));
  runner.End();
  EXPECT_EQ(Columns(runner, 2), "+ 1 104 5 5 3 10 31 1\n+ 5 5 2 2 2 NULL NULL 5\n");
}

TEST(Over, RowsFrameCountsRows) {
  OverOptions options = ByTime({Aggregate("sum", kSchema, {2}), Call(OverFunction::kFirstValue, {2}),
                                Call(OverFunction::kNthValue, {2}, 3)});
  options.rows_frame = true;
  options.preceding = 2;
  OperatorRunner runner(Make(options), {0});
  runner.Push(ParseBatch("+ 1 1 1\n+ 1 2 2\n+ 1 2 4", kSchema));
  runner.Watermark(3);
  runner.Checkpoint();
  runner.Restore(2);
  runner.Push(ParseBatch("+ 1 4 8\n+ 1 5 16", kSchema));
  runner.End();
  EXPECT_EQ(Columns(runner, 2), "+ 1 1 1 NULL\n+ 2 3 1 NULL\n+ 4 7 1 4\n+ 8 14 2 8\n+ 16 28 4 16\n");
  runner.Flush();
}

TEST(Over, RangeFrameCountsPeersAndFreesOldRows) {
  OverOptions options = ByTime({Aggregate("sum", kSchema, {2})});
  options.preceding = 5;
  OperatorRunner runner(Make(options), {0});
  runner.Push(ParseBatch("+ 1 -1 1\n+ 1 4 2\n+ 1 4 4\n+ 2 4 100", kSchema));
  runner.Watermark(5);
  EXPECT_EQ(Columns(runner, 2), "+ 1 1\n+ 2 7\n+ 4 7\n+ 100 100\n");
  runner.Checkpoint();
  runner.Restore(2);
  runner.Push(ParseBatch("+ 1 5 8\n+ 1 9 16\n+ NULL 9 1\n+ 1 NULL 1", kSchema));
  runner.Watermark(10);
  EXPECT_EQ(runner.metrics(0).bad_records.value() + runner.metrics(1).bad_records.value(), 1);
  auto all = runner.out.Consolidated();
  EXPECT_EQ(all.at("1 00:00:00.000005 8 14"), 1);
  EXPECT_EQ(all.at("1 00:00:00.000009 16 30"), 1);
  EXPECT_EQ(all.at("NULL 00:00:00.000009 1 1"), 1);
  runner.Watermark(1000);
  runner.Flush();
  EXPECT_EQ(runner.metrics(0).state_rows.value() + runner.metrics(1).state_rows.value(), 0);
}

TEST(Over, IgnoreNullsReachesBackOverBatches) {
  OverOptions options =
      ByTime({Call(OverFunction::kLag, {2}, 1, true), Call(OverFunction::kFirstValue, {2}, 1, true),
              Call(OverFunction::kLastValue, {2}, 1, true)});
  options.rows_frame = true;
  OperatorRunner runner(Make(options), {0});
  const char* rows[] = {"+ 1 1 NULL", "+ 1 2 7", "+ 1 3 NULL", "+ 1 4 8", "+ 1 5 NULL"};
  for (int i = 0; i < 5; ++i) {
    runner.Push(ParseBatch(rows[i], kSchema));
    runner.Watermark(i + 2);
    runner.Checkpoint();
    runner.Restore(1 + i % 2);
  }
  EXPECT_EQ(Columns(runner, 3), "+ NULL NULL NULL\n+ NULL 7 7\n+ 7 7 7\n+ 7 7 8\n+ 8 7 8\n");
}

TEST(Over, WithoutKeysThereIsOnePartition) {
  OverOptions options = ByTime({Aggregate("sum", kSchema, {2})});
  options.keys = {};
  options.num_output_columns = 1;
  OperatorRunner runner(Make(options), {});
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "+ 1 5 1\n";
  runner.Push(ParseBatch(text, kSchema));
  runner.Push(Slice(ParseBatch("+ 9 9 9\n+ 2 6 2", kSchema), 1, 1));
  runner.End();
  EXPECT_GT(runner.out.batches.size(), 2u);
  EXPECT_EQ(runner.out.Consolidated(), (std::map<std::string, int64_t>{{"1 20000", 20000}, {"2 20002", 1}}));
}

TEST(Over, TtlForgetsRunningValues) {
  OverOptions options = ByTime({Aggregate("count", kSchema, {2})});
  options.ttl_us = 1'000'000;
  OperatorRunner runner(Make(options), {0});
  runner.Push(ParseBatch("+ 1 1 1", kSchema));
  runner.Watermark(2);
  runner.AdvanceTo(5'000'000);
  EXPECT_EQ(runner.metrics().expired_keys.value(), 1);
  runner.Push(ParseBatch("+ 1 3 1", kSchema));
  runner.End();
  EXPECT_EQ(Columns(runner, 3), "+ 1\n+ 1\n");
}

TEST(Over, WhatNeedsTheWholePartitionIsRefusedWithoutWindow) {
  EXPECT_THROW(MakeOver(ByTime({Call(OverFunction::kLead, {2})})), UserError);
  EXPECT_THROW(MakeOver(ByTime({Call(OverFunction::kNtile, {}, 2)})), UserError);
  EXPECT_THROW(MakeOver(PerWindow({Call(OverFunction::kNtile, {}, 0)})), UserError);
}

TEST(WindowOver, RankFunctions) {
  OverOptions options = PerWindow({Call(OverFunction::kRowNumber), Call(OverFunction::kRank),
                                   Call(OverFunction::kDenseRank), Call(OverFunction::kPercentRank),
                                   Call(OverFunction::kCumeDist), Call(OverFunction::kNtile, {}, 3),
                                   Call(OverFunction::kLead, {3}), Call(OverFunction::kLag, {3, 2})});
  OperatorRunner runner(Make(options), {2});
  runner.Push(
      ParseBatch("+ 0 10 1 7\n+ 0 10 1 5\n+ 0 10 1 NULL\n+ 0 10 1 5\n+ 10 20 1 0\n+ 0 10 1 9", kWindowed));
  runner.Checkpoint();
  runner.Restore(2);
  runner.Watermark(10);
  EXPECT_EQ(
      Columns(runner, 3),
      "+ 5 1 1 1 0 0.4 1 5 1\n+ 5 2 1 1 0 0.4 1 7 5\n+ 7 3 3 2 0.5 0.6 2 9 5\n+ 9 4 4 3 0.75 0.8 2 NULL 7\n"
      "+ NULL 5 5 4 1 1 3 NULL 9\n");
  runner.Push(ParseBatch("+ 0 10 1 7", kWindowed));
  EXPECT_EQ(runner.late_rows(), 1);
  runner.End();
  EXPECT_EQ(Columns(runner, 3), "+ 0 1 1 1 0 1 1 NULL 1\n");
  EXPECT_EQ(runner.metrics().state_rows.value(), 0);
}

TEST(WindowOver, FramesAndWholePartitions) {
  const char* rows = "+ 0 10 1 7\n+ 0 10 1 5\n+ 0 10 1 5\n+ 0 10 2 9";
  OverOptions options = PerWindow({Aggregate("sum", kWindowed, {3}), Call(OverFunction::kLastValue, {3})});
  OperatorRunner running(Make(options), {2});
  running.Push(ParseBatch(rows, kWindowed));
  running.End();
  EXPECT_EQ(Columns(running, 3), "+ 5 10 5\n+ 5 10 5\n+ 7 17 7\n+ 9 9 9\n");

  options.whole_partition = true;
  options.order_columns = {};
  options.order = {};
  options.keys = {};
  options.calls[0].filter = -1;
  OperatorRunner whole(Make(options), {0});
  whole.Push(ParseBatch(rows, kWindowed));
  whole.End();
  EXPECT_EQ(Columns(whole, 3), "+ 7 26 9\n+ 5 26 9\n+ 5 26 9\n+ 9 26 9\n");

  options = PerWindow({Aggregate("max", kWindowed, {3}), Aggregate("array_agg", kWindowed, {3})});
  options.rows_frame = true;
  options.preceding = 1;
  OperatorRunner rows_frame(Make(options), {2});
  rows_frame.Push(ParseBatch(rows, kWindowed));
  rows_frame.End();
  EXPECT_EQ(rows_frame.out.num_rows(), 4);
}

/// Any cut into batches, watermarks and restores gives the rows that a plain loop over the sorted partition
/// gives.
TEST(Over, IsWhatAPlainLoopGives) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    OverOptions options = ByTime({Aggregate("sum", kSchema, {2}), Call(OverFunction::kLag, {2}, 2),
                                  Call(OverFunction::kFirstValue, {2}), Call(OverFunction::kRank)});
    if (seed % 4 == 3) options.calls.erase(options.calls.begin() + 1);  // without LAG
    const bool has_lag = seed % 4 != 3;
    options.rows_frame = random() % 2;
    if (random() % 3) options.preceding = static_cast<int64_t>(random() % 4);
    OperatorRunner runner(Make(options), {0});
    std::map<int64_t, std::vector<std::pair<int64_t, int64_t>>> partitions;
    int64_t watermark = 0, next = 1;
    for (int step = 0; step < 25; ++step) {
      std::string text;
      for (int i = 0; i < 5; ++i) {
        const int64_t key = static_cast<int64_t>(random() % 2),
                      time = watermark + static_cast<int64_t>(random() % 5);
        partitions[key].emplace_back(time, next);
        text += "+ " + std::to_string(key) + " " + std::to_string(time) + " " + std::to_string(next++) + "\n";
      }
      runner.Push(ParseBatch(text, kSchema));
      if (random() % 2) runner.Watermark(watermark += static_cast<int64_t>(random() % 3) + 1);
      if (random() % 4 == 0) {
        runner.Checkpoint();
        runner.Restore(1 + static_cast<int>(random() % 2));
      }
    }
    runner.End();
    std::string expected;
    std::map<std::string, int64_t> rows;
    for (auto& [key, list] : partitions) {
      std::stable_sort(list.begin(), list.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; });
      for (size_t i = 0; i < list.size(); ++i) {
        int64_t sum = 0, rank = 1;
        std::optional<int64_t> first;
        for (size_t j = 0; j < list.size(); ++j) {
          const bool before_end = options.rows_frame ? j <= i : list[j].first <= list[i].first;
          const bool after_begin =
              !options.preceding ||
              (options.rows_frame ? static_cast<int64_t>(j) >= static_cast<int64_t>(i) - *options.preceding
                                  : list[j].first >= list[i].first - *options.preceding);
          if (before_end && after_begin) {
            sum += list[j].second;
            if (!first) first = list[j].second;
          }
          rank += list[j].first < list[i].first;
        }
        Batch time;
        std::string text =
            std::to_string(key) + " " + std::to_string(list[i].second) + " " + std::to_string(sum);
        if (has_lag) text += " " + (i >= 2 ? std::to_string(list[i - 2].second) : "NULL");
        text += " " + std::to_string(*first) + " " + std::to_string(rank);
        ++rows[text];
      }
    }
    for (Batch& batch : runner.out.batches) batch.columns.erase(batch.columns.begin() + 1);
    EXPECT_EQ(runner.out.Consolidated(), rows);
    EXPECT_EQ(runner.late_rows(), 0);
  }
}

}  // namespace
}  // namespace laminar
