#include "operators/group_aggregate.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "support/operator_runner.h"

namespace laminar {
namespace {

const Schema kInput{
    {{"k", Type::Int64()}, {"x", Type::Int64()}, {"f", Type::Boolean()}, {"t", Type::Text()}}};

struct GroupCase {
  std::vector<int> keys = {0};
  bool retracts = true;
  int64_t ttl_us = 0;
  GroupOutput output = GroupOutput::kRetract;
  std::vector<AggregateSpec> calls;
};

OperatorRunner StartRun(const GroupCase& setup, int parallelism = 1) {
  return OperatorRunner(
      [setup] {
        GroupAggregateOptions options;
        options.input = kInput;
        options.keys = setup.keys;
        options.calls = setup.calls;
        options.input_retracts = setup.retracts;
        options.ttl_us = setup.ttl_us;
        options.output = setup.output;
        return MakeGroupAggregate(options);
      },
      setup.keys, parallelism);
}

GroupCase CountAndSum(bool retracts = true) {
  GroupCase setup;
  setup.retracts = retracts;
  setup.calls = {MakeAggregate("count", kInput, {}, retracts), MakeAggregate("sum", kInput, {1}, retracts)};
  return setup;
}

TEST(GroupAggregateTest, SendsNetChangesPerFlush) {
  auto run = StartRun(CountAndSum());
  run.Push(ParseBatch("+ 1 10 true a\n+ 2 5 true a\n+ 1 20 true a", kInput));
  EXPECT_EQ(run.out.TakeText(), "");
  run.Flush();
  EXPECT_EQ(run.out.TakeText(), "+ 1 2 30\n+ 2 1 5\n");
  run.Push(ParseBatch("+ 2 1 true a", kInput));
  run.Push(ParseBatch("+ 2 2 true a", kInput));
  run.Flush();
  EXPECT_EQ(run.out.TakeText(), "- 2 1 5\n+ 2 3 8\n");
  run.Flush();
  EXPECT_EQ(run.out.TakeText(), "");
}

TEST(GroupAggregateTest, ChangeThatRestoresTheOldValueSendsNothing) {
  auto run = StartRun(CountAndSum());
  run.Push(ParseBatch("+ 1 10 true a\n+ 2 1 true a", kInput));
  run.Flush();
  run.out.TakeText();
  run.Push(ParseBatch("+ 1 7 true a\n- 1 7 true a\n+ 3 1 true a", kInput));
  run.Push(ParseBatch("- 3 1 true a", kInput));
  run.Flush();
  EXPECT_EQ(run.out.TakeText(), "");
  EXPECT_EQ(run.metrics().state_rows.value(), 2);
}

TEST(GroupAggregateTest, GroupWithoutRowsIsDeleted) {
  auto run = StartRun(CountAndSum());
  run.Push(ParseBatch("+ 1 10 true a\n+ NULL 3 true a", kInput));
  run.Flush();
  EXPECT_EQ(run.out.TakeText(), "+ 1 1 10\n+ NULL 1 3\n");
  run.Push(ParseBatch("- 1 10 true a\n- NULL 3 true a", kInput));
  run.Flush();
  EXPECT_EQ(run.out.TakeText(), "- 1 1 10\n- NULL 1 3\n");
  EXPECT_EQ(run.metrics().state_rows.value(), 0);
  run.Push(ParseBatch("+ 1 4 true a", kInput));
  run.Flush();
  EXPECT_EQ(run.out.TakeText(), "+ 1 1 4\n");
}

TEST(GroupAggregateTest, GlobalAggregateGoesBackToItsEmptyRowOnlyIfItHadOne) {
  GroupCase setup = CountAndSum();
  setup.keys = {};
  auto run = StartRun(setup);
  run.Flush();
  EXPECT_EQ(run.out.TakeText(), "");
  run.Push(ParseBatch("+ 1 10 true a\n- 1 10 true a", kInput));
  run.Flush();
  EXPECT_EQ(run.out.TakeText(), "");
  run.Push(ParseBatch("+ 1 10 true a", kInput));
  run.Flush();
  EXPECT_EQ(run.out.TakeText(), "+ 1 10\n");
  run.Push(ParseBatch("- 1 10 true a", kInput));
  run.Flush();
  EXPECT_EQ(run.out.TakeText(), "- 1 10\n+ 0 NULL\n");
  run.Checkpoint();
  run.Restore(1);
  run.Push(ParseBatch("+ 1 3 true a", kInput));
  run.Flush();
  EXPECT_EQ(run.out.TakeText(), "- 0 NULL\n+ 1 3\n");
}

TEST(GroupAggregateTest, AppendOnlyWithoutCallsIsDistinct) {
  GroupCase setup;
  setup.retracts = false;
  setup.keys = {0, 3};
  auto run = StartRun(setup);
  run.Push(ParseBatch("+ 1 0 true a\n+ 1 0 true b\n+ 1 9 true a", kInput));
  run.Flush();
  EXPECT_EQ(run.out.TakeText(), "+ 1 a\n+ 1 b\n");
  run.Push(ParseBatch("+ 1 1 true b\n+ 2 0 true NULL", kInput));
  run.Flush();
  EXPECT_EQ(run.out.TakeText(), "+ 2 NULL\n");
}

TEST(GroupAggregateTest, UpsertModeLeavesTheOldRowOut) {
  GroupCase setup = CountAndSum();
  setup.output = GroupOutput::kUpsert;
  auto run = StartRun(setup);
  run.Push(ParseBatch("+ 1 10 true a\n+ 2 1 true a", kInput));
  run.Flush();
  run.out.TakeText();
  run.Push(ParseBatch("+ 1 10 true a\n- 2 1 true a", kInput));
  run.Flush();
  EXPECT_EQ(run.out.TakeText(), "+ 1 2 20\n- 2 1 1\n");
}

TEST(GroupAggregateTest, WeightsCountTwice) {
  auto run = StartRun(CountAndSum());
  run.Push(ParseBatch("+3 1 10 true a", kInput));
  run.Flush();
  EXPECT_EQ(run.out.TakeText(), "+ 1 3 30\n");
}

TEST(GroupAggregateTest, DistinctCallsWithFiltersShareASet) {
  for (const bool retracts : {false, true}) {
    GroupCase setup;
    setup.retracts = retracts;
    setup.calls = {MakeAggregate("count", kInput, {1}, retracts, -1, true),
                   MakeAggregate("count", kInput, {1}, retracts, 2, true),
                   MakeAggregate("count", kInput, {1}, retracts, 2, false),
                   MakeAggregate("sum", kInput, {1}, retracts, 2, true)};
    auto run = StartRun(setup);
    run.Push(ParseBatch("+ 1 5 false a\n+ 1 5 true a\n+ 1 5 true a\n+ 1 NULL true a\n+ 2 5 NULL a", kInput));
    run.Flush();
    EXPECT_EQ(run.out.TakeText(), "+ 1 1 1 2 5\n+ 2 1 0 0 NULL\n");
    run.Checkpoint();
    run.Restore(1);
    run.Push(ParseBatch("+ 1 5 true a\n+ 1 6 true a", kInput));
    run.Flush();
    EXPECT_EQ(run.out.TakeText(), "- 1 1 1 2 5\n+ 1 2 2 4 11\n");
    if (!retracts) continue;
    run.Push(ParseBatch("- 1 5 true a\n- 1 5 true a\n- 1 5 true a", kInput));
    run.Flush();
    EXPECT_EQ(run.out.TakeText(), "- 1 2 2 4 11\n+ 1 2 1 1 6\n");
    run.Push(ParseBatch("- 1 5 false a\n- 1 6 true a\n- 1 NULL true a\n- 2 5 NULL a", kInput));
    run.Flush();
    EXPECT_EQ(run.out.TakeText(), "- 1 2 1 1 6\n- 2 1 0 0 NULL\n");
    EXPECT_EQ(run.metrics().state_rows.value(), 0);
    run.Checkpoint();
    EXPECT_TRUE(run.snapshot.empty());
  }
}

TEST(GroupAggregateTest, TtlDropsUntouchedGroupsWithoutAWord) {
  GroupCase setup = CountAndSum(false);
  setup.calls.push_back(MakeAggregate("count", kInput, {1}, false, -1, true));
  setup.ttl_us = 8'000'000;
  auto run = StartRun(setup);
  run.Push(ParseBatch("+ 1 10 true a\n+ 2 1 true a", kInput));
  run.Flush();
  run.AdvanceTo(6'000'000);
  run.Push(ParseBatch("+ 2 1 true a", kInput));
  run.Flush();
  run.out.TakeText();
  run.Checkpoint();
  run.AdvanceTo(9'500'000);
  EXPECT_EQ(run.metrics().expired_keys.value(), 1);
  run.Push(ParseBatch("+ 1 3 true a\n+ 2 4 true a", kInput));
  run.Flush();
  EXPECT_EQ(run.out.TakeText(), "+ 1 1 3 1\n- 2 2 2 1\n+ 2 3 6 2\n");
  run.Checkpoint();
  run.Restore(2);
  run.Push(ParseBatch("+ 1 3 true a", kInput));
  run.Flush();
  EXPECT_EQ(run.out.TakeText(), "- 1 1 3 1\n+ 1 2 6 1\n");
}

TEST(GroupAggregateTest, TtlMayBeSetOverOldState) {
  GroupCase setup = CountAndSum(false);
  auto ttl_us = std::make_shared<int64_t>(0);  // the TTL of operators made from now on
  OperatorRunner run(
      [=] {
        GroupAggregateOptions options{.input = kInput, .keys = {0}, .calls = setup.calls};
        options.ttl_us = *ttl_us;
        return MakeGroupAggregate(options);
      },
      {0});
  run.Push(ParseBatch("+ 1 10 true a", kInput));
  run.Checkpoint();
  *ttl_us = 8'000'000;
  run.AdvanceTo(100'000'000);
  run.Restore(1);
  run.AdvanceTo(105'000'000);
  EXPECT_EQ(run.metrics().expired_keys.value(), 0);
  run.AdvanceTo(109'000'000);
  EXPECT_EQ(run.metrics().expired_keys.value(), 1);
}

TEST(GroupAggregateTest, EmptyAndSlicedBatches) {
  auto run = StartRun(CountAndSum());
  const Batch batch =
      ParseBatch("+ 9 9 true a\n+ 1 1 true a\n- 9 9 true a\n+ 1 2 true a\n+ 9 9 true a", kInput);
  run.Push(Slice(batch, 1, 1));
  run.Push(Slice(batch, 3, 1));
  run.Flush();
  EXPECT_EQ(run.out.TakeText(), "+ 1 2 3\n");
}

/// Random inserts and retractions of rows that were inserted; the sum of all changes must be what a recompute
/// gives.
TEST(GroupAggregateTest, PropertyIncrementalEqualsRecompute) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 rng(seed);
    const bool retracts = seed % 3 != 0;
    GroupCase setup;
    setup.retracts = retracts;
    setup.keys = seed % 2 ? std::vector<int>{0} : std::vector<int>{3, 0};
    setup.calls = {MakeAggregate("count", kInput, {}, retracts),
                   MakeAggregate("sum", kInput, {1}, retracts),
                   MakeAggregate("max", kInput, {1}, retracts, 2),
                   MakeAggregate("count", kInput, {1}, retracts, -1, true),
                   MakeAggregate("count", kInput, {1}, retracts, 2, true),
                   MakeAggregate("min", kInput, {3}, retracts)};
    auto run = StartRun(setup, 1 + static_cast<int>(seed % 3));
    struct Row {
      int k, x, f, t;
      auto operator<=>(const Row&) const = default;
    };
    auto text_of = [](const Row& row) {
      auto value = [](int v, const std::string& text) { return v < 0 ? std::string("NULL") : text; };
      return value(row.k, std::to_string(row.k)) + " " + value(row.x, std::to_string(row.x)) + " " +
             value(row.f, row.f == 1 ? "true" : "false") + " " + value(row.t, "t" + std::to_string(row.t));
    };
    std::vector<Row> rows;
    for (int step = 0; step < 60; ++step) {
      std::string text;
      for (uint64_t n = rng() % 50; n > 0; --n) {
        if (retracts && !rows.empty() && rng() % 5 < 2) {
          const size_t at = rng() % rows.size();
          text += "- " + text_of(rows[at]) + "\n";
          rows.erase(rows.begin() + static_cast<int64_t>(at));
        } else {
          rows.push_back({static_cast<int>(rng() % 12) - 1, static_cast<int>(rng() % 8) - 1,
                          static_cast<int>(rng() % 3) - 1, static_cast<int>(rng() % 4) - 1});
          text += "+ " + text_of(rows.back()) + "\n";
        }
      }
      if (!text.empty()) run.Push(ParseBatch(text, kInput));
      if (rng() % 3 == 0) run.Flush();
      if (rng() % 10 == 0) {
        run.Checkpoint();
        run.Restore(1 + static_cast<int>(rng() % 4));
      }
    }
    run.End();

    struct Group {
      int64_t count = 0, sum = 0;
      int max = -1, min = 99;
      bool has_sum = false;
      std::set<int> distinct, filtered;
    };
    std::map<std::string, Group> groups;
    for (const Row& row : rows) {
      const std::string k = row.k < 0 ? "NULL" : std::to_string(row.k),
                        t = row.t < 0 ? "NULL" : "t" + std::to_string(row.t);
      Group& group = groups[setup.keys.size() == 1 ? k : t + " " + k];
      ++group.count;
      if (row.t >= 0) group.min = std::min(group.min, row.t);
      if (row.x < 0) continue;
      group.sum += row.x;
      group.has_sum = true;
      group.distinct.insert(row.x);
      if (row.f != 1) continue;
      group.max = std::max(group.max, row.x);
      group.filtered.insert(row.x);
    }
    std::map<std::string, int64_t> expected;
    for (const auto& [key, group] : groups) {
      auto null_or = [](bool has, const std::string& value) { return has ? value : std::string("NULL"); };
      expected[key + " " + std::to_string(group.count) + " " +
               null_or(group.has_sum, std::to_string(group.sum)) + " " +
               null_or(group.max >= 0, std::to_string(group.max)) + " " +
               std::to_string(group.distinct.size()) + " " + std::to_string(group.filtered.size()) + " " +
               null_or(group.min < 99, "t" + std::to_string(group.min))] = 1;
    }
    EXPECT_EQ(run.out.Consolidated(), expected);
    // No change is sent that takes back what was not there.
    std::map<std::string, int64_t> running;
    for (const Batch& batch : run.out.batches) {
      for (int64_t row = 0; row < batch.num_rows; ++row) {
        const int64_t now = running[FormatRow(batch, row)] += batch.weight(row);
        ASSERT_TRUE(now == 0 || now == 1);
      }
    }
  }
}

}  // namespace
}  // namespace laminar
