#include "operators/top_n.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "support/operator_runner.h"

namespace laminar {
namespace {

const Schema kSchema{{{"k", Type::Int64()}, {"x", Type::Int64()}, {"v", Type::Text()}}};
const Schema kWindowed{
    {{"s", Type::Timestamp()}, {"e", Type::Timestamp()}, {"k", Type::Int64()}, {"x", Type::Int64()}}};

TopNOptions Options(int64_t to) {
  return {.input = kSchema,
          .keys = {0},
          .order_columns = {1},
          .order = {{.descending = true, .nulls_first = false}},
          .to = to};
}
TopNOptions WindowOptions(int64_t to) {
  return {.input = kWindowed,
          .keys = {2},
          .order_columns = {3},
          .order = {{}},
          .to = to,
          .emit_rank = true,
          .per_window = true,
          .window_start = 0,
          .window_end = 1};
}
OperatorRunner::Factory Make(TopNOptions options) {
  return [options] { return MakeTopN(options); };
}

TEST(TopN, KeepLastSendsNetChangesPerFlush) {
  OperatorRunner runner(Make(Options(1)), {0});
  runner.Push(ParseBatch("+ 1 5 a\n+ 1 7 b\n+ 2 1 c\n+ 1 6 d", kSchema));
  EXPECT_EQ(runner.out.num_rows(), 0);
  runner.Flush();
  EXPECT_EQ(runner.out.TakeText(), "+ 1 7 b\n+ 2 1 c\n");
  runner.Push(ParseBatch("+ 1 8 e\n+ 1 9 f\n+ 2 1 g", kSchema));
  runner.Checkpoint();
  EXPECT_EQ(runner.out.TakeText(), "- 1 7 b\n+ 1 9 f\n");
  runner.Restore(2);
  runner.Push(ParseBatch("+ 1 8 x\n+ 2 2 h", kSchema));
  runner.Flush();
  EXPECT_EQ(runner.out.TakeText(), "- 2 1 c\n+ 2 2 h\n");
  runner.Push(ParseBatch("+ 1 NULL n\n+ 3 NULL m\n+ NULL 1 o", kSchema));
  runner.Flush();
  EXPECT_EQ(runner.out.Consolidated(), (std::map<std::string, int64_t>{{"3 NULL m", 1}, {"NULL 1 o", 1}}));
}

TEST(TopN, WithRankMovedRowsAreSentAnew) {
  TopNOptions options = Options(3);
  options.emit_rank = true;
  OperatorRunner runner(Make(options), {0});
  runner.Push(ParseBatch("+ 1 5 a\n+ 1 4 b\n+ 1 3 c", kSchema));
  runner.Flush();
  EXPECT_EQ(runner.out.TakeText(), "+ 1 5 a 1\n+ 1 4 b 2\n+ 1 3 c 3\n");
  runner.Push(ParseBatch("+ 1 4 d", kSchema));
  runner.Flush();
  EXPECT_EQ(runner.out.TakeText(), "- 1 3 c 3\n+ 1 4 d 3\n");
  runner.Push(ParseBatch("+ 1 9 e\n+ 1 1 f", kSchema));
  runner.Flush();
  EXPECT_EQ(runner.out.TakeText(), "- 1 4 d 3\n- 1 5 a 1\n- 1 4 b 2\n+ 1 9 e 1\n+ 1 5 a 2\n+ 1 4 b 3\n");
}

TEST(TopN, WithoutRankOnlyRowsThatEnterOrLeaveAreSent) {
  TopNOptions options = Options(3);
  options.from = 2;
  OperatorRunner runner(Make(options), {0});
  runner.Push(ParseBatch("+ 1 5 a\n+ 1 4 b\n+ 1 3 c", kSchema));
  runner.Flush();
  EXPECT_EQ(runner.out.TakeText(), "+ 1 4 b\n+ 1 3 c\n");
  runner.Push(ParseBatch("+ 1 9 d", kSchema));
  runner.Flush();
  EXPECT_EQ(runner.out.TakeText(), "- 1 3 c\n+ 1 5 a\n");
}

TEST(TopN, RetractionsBringRowsBackUp) {
  TopNOptions options = Options(2);
  options.input_changelog = true;
  OperatorRunner runner(Make(options), {0});
  runner.Push(ParseBatch("+ 1 5 a\n+ 1 4 b\n+ 1 3 c", kSchema));
  runner.Checkpoint();
  EXPECT_EQ(runner.out.TakeText(), "+ 1 5 a\n+ 1 4 b\n");
  runner.Restore(3);
  runner.Push(ParseBatch("- 1 5 a", kSchema));
  runner.Flush();
  EXPECT_EQ(runner.out.TakeText(), "- 1 5 a\n+ 1 3 c\n");
  // Gone and back within one flush, with another key taking the slot in between.
  runner.Push(ParseBatch("- 1 4 b\n- 1 3 c", kSchema));
  runner.Push(ParseBatch("+ 7 1 z", kSchema));
  runner.Push(ParseBatch("+ 1 4 b\n+ 1 2 d", kSchema));
  runner.Flush();
  EXPECT_EQ(runner.out.Consolidated(),
            (std::map<std::string, int64_t>{{"7 1 z", 1}, {"1 3 c", -1}, {"1 2 d", 1}}));
  EXPECT_EQ(runner.out.num_rows(), 3);
  runner.out.TakeText();
  runner.Push(ParseBatch("- 1 4 b\n- 1 2 d\n- 9 9 none", kSchema));
  runner.Flush();
  EXPECT_EQ(runner.out.Consolidated(), (std::map<std::string, int64_t>{{"1 4 b", -1}, {"1 2 d", -1}}));
}

TEST(TopN, TtlForgetsKeys) {
  TopNOptions options = Options(1);
  options.ttl_us = 8'000'000;
  OperatorRunner runner(Make(options), {0});
  runner.Push(ParseBatch("+ 1 5 a", kSchema));
  runner.AdvanceTo(1'000'000);
  runner.Checkpoint();
  runner.Restore(1);
  runner.AdvanceTo(20'000'000);
  EXPECT_EQ(runner.metrics().expired_keys.value(), 1);
  runner.out.TakeText();
  runner.Push(ParseBatch("+ 1 2 b", kSchema));
  runner.Flush();
  EXPECT_EQ(runner.out.TakeText(), "+ 1 2 b\n");
}

/// Sum of weights of what a correct operator has sent: the rows ranked [from, to], recomputed.
std::map<std::string, int64_t> Expected(const std::vector<std::array<int64_t, 3>>& rows,
                                        const TopNOptions& options) {
  std::map<int64_t, std::vector<std::array<int64_t, 3>>> by_key;
  for (const auto& row : rows) by_key[row[0]].push_back(row);
  std::map<std::string, int64_t> out;
  for (auto& [key, list] : by_key) {
    std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a[1] > b[1]; });
    int64_t rank = 0;
    for (size_t i = 0; i < list.size(); ++i) {
      const bool peer = i > 0 && list[i][1] == list[i - 1][1] && options.rank != RankFunction::kRowNumber;
      if (!peer) rank = options.rank == RankFunction::kDenseRank ? rank + 1 : static_cast<int64_t>(i) + 1;
      if (rank < options.from || rank > options.to) continue;
      std::string text =
          std::to_string(key) + " " + std::to_string(list[i][1]) + " v" + std::to_string(list[i][2]);
      if (options.emit_rank) text += " " + std::to_string(rank);
      ++out[text];
    }
  }
  return out;
}

TEST(TopN, IsWhatSortingAllRowsGives) {
  for (unsigned seed = 0; seed < 48; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    TopNOptions options = Options(1 + static_cast<int64_t>(random() % 4));
    options.rank = static_cast<RankFunction>(seed % 3);
    options.from = 1 + static_cast<int64_t>(random() % 2);
    options.emit_rank = random() % 2;
    options.input_changelog = random() % 2;
    OperatorRunner runner(Make(options), {0}, 1 + static_cast<int>(random() % 2));
    std::vector<std::array<int64_t, 3>> rows;
    int64_t next = 0;
    for (int step = 0; step < 40; ++step) {
      std::string text;
      for (int i = 0; i < 6; ++i) {
        if (options.input_changelog && !rows.empty() && random() % 5 < 2) {
          const auto at = rows.begin() + static_cast<int64_t>(random() % rows.size());
          text += "- " + std::to_string((*at)[0]) + " " + std::to_string((*at)[1]) + " v" +
                  std::to_string((*at)[2]) + "\n";
          rows.erase(at);
          continue;
        }
        rows.push_back({static_cast<int64_t>(random() % 3), static_cast<int64_t>(random() % 6), next++});
        text += "+ " + std::to_string(rows.back()[0]) + " " + std::to_string(rows.back()[1]) + " v" +
                std::to_string(rows.back()[2]) + "\n";
      }
      const std::map<std::string, int64_t> before = runner.out.Consolidated();
      const int64_t sent = runner.out.num_rows();
      runner.Push(ParseBatch(text, kSchema));
      if (random() % 2) continue;
      runner.Checkpoint();
      const std::map<std::string, int64_t> after = Expected(rows, options);
      ASSERT_EQ(runner.out.Consolidated(), after);
      int64_t changes = 0;
      for (const auto& [row, weight] : before) changes += !after.count(row);
      for (const auto& [row, weight] : after) changes += !before.count(row);
      EXPECT_EQ(runner.out.num_rows() - sent, changes);
      if (random() % 4 == 0) runner.Restore(1 + static_cast<int>(random() % 3));
    }
  }
}

TEST(WindowTopN, RanksWhenTheWindowCloses) {
  OperatorRunner runner(Make(WindowOptions(2)), {2});
  runner.Push(
      ParseBatch("+ 0 10 1 5\n+ 0 10 1 3\n+ 0 10 1 4\n+ 10 20 1 1\n+ 0 10 2 NULL\n+ 0 10 2 1", kWindowed));
  runner.Checkpoint();
  runner.Restore(2);
  runner.Watermark(9);
  EXPECT_EQ(runner.out.num_rows(), 0);
  runner.Watermark(10);
  const std::map<std::string, int64_t> expected{{"00:00:00 00:00:00.00001 1 3 1", 1},
                                                {"00:00:00 00:00:00.00001 1 4 2", 1},
                                                {"00:00:00 00:00:00.00001 2 1 1", 1},
                                                {"00:00:00 00:00:00.00001 2 NULL 2", 1}};
  EXPECT_EQ(runner.out.Consolidated(), expected);
  runner.out.TakeText();
  runner.Push(ParseBatch("+ 0 10 1 5", kWindowed));
  EXPECT_EQ(runner.late_rows(), 1);
  runner.Checkpoint();
  runner.Restore(1);
  runner.Push(ParseBatch("+ 0 10 1 5", kWindowed));
  EXPECT_EQ(runner.late_rows(), 1);
  runner.End();
  EXPECT_EQ(runner.out.TakeText(), "+ 00:00:00.00001 00:00:00.00002 1 1 1\n");
  EXPECT_EQ(runner.metrics().state_rows.value(), 0);
}

TEST(WindowTopN, RankKeepsTiesAndDenseRankGroups) {
  TopNOptions options = WindowOptions(2);
  options.keys = {};
  const char* rows = "+ 0 10 1 7\n+ 0 10 2 1\n+ 0 10 3 7\n+ 0 10 4 1\n+ 0 10 5 9\n+ 0 10 6 1";
  options.rank = RankFunction::kRank;
  OperatorRunner rank(Make(options), {0});
  rank.Push(ParseBatch(rows, kWindowed));
  rank.End();
  EXPECT_EQ(
      rank.out.TakeText(),
      "+ 00:00:00 00:00:00.00001 2 1 1\n+ 00:00:00 00:00:00.00001 4 1 1\n+ 00:00:00 00:00:00.00001 6 1 1\n");
  options.rank = RankFunction::kDenseRank;
  options.from = 2;
  OperatorRunner dense(Make(options), {0});
  dense.Push(ParseBatch(rows, kWindowed));
  dense.End();
  EXPECT_EQ(dense.out.TakeText(), "+ 00:00:00 00:00:00.00001 1 7 2\n+ 00:00:00 00:00:00.00001 3 7 2\n");
}

}  // namespace
}  // namespace laminar
