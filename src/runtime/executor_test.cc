#include "runtime/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "support/test_operators.h"

namespace laminar {
namespace {

using ::testing::ElementsAre;

/// Options of a run: on threads, or stepped with a seed.
struct RunMode {
  bool threads;
  uint64_t seed;
};

class ExecutorTest : public ::testing::TestWithParam<RunMode> {
 protected:
  ExecutorOptions Options() {
    ExecutorOptions options;
    if (GetParam().threads) {
      options.worker_threads = 4;
    } else {
      options.seed = GetParam().seed;
      options.task.messages_per_step = 1;
      options.clock = &clock_;
    }
    return options;
  }
  JobResult RunToEnd(Executor& executor) {
    if (GetParam().threads) return executor.Run();
    executor.RunUntilIdle();
    return executor.result().value();
  }
  ManualClock clock_;
};

INSTANTIATE_TEST_SUITE_P(Modes, ExecutorTest,
                         ::testing::Values(RunMode{true, 0}, RunMode{false, 1}, RunMode{false, 2},
                                           RunMode{false, 3}),
                         [](const auto& info) {
                           return info.param.threads ? "threads" : "seed" + std::to_string(info.param.seed);
                         });

TEST_P(ExecutorTest, AChainRunsInOrderUpToTheEnd) {
  auto feed = std::make_shared<Feed>();
  auto log = std::make_shared<SinkLog>();
  feed->Push(Rows("+ 1 10\n+ 2 20"));
  feed->Close();
  std::vector<std::string> first, second;
  GraphBuilder g;
  const int source = g.Source(feed);
  const int a = g.Operator("a", Make<ValueWatermark>());
  const int b = g.Operator("b", Make<Recorder>(&first));
  const int c = g.Operator("c", Make<Recorder>(&second));
  g.Edge(source, a).Edge(a, b).Edge(b, c, Partitioning::kRebalance).Edge(c, g.Sink(log));
  Executor executor(g.graph, Options());
  EXPECT_EQ(RunToEnd(executor).outcome, JobResult::Outcome::kFinished);
  EXPECT_THAT(first,
              ElementsAre("split 0", "batch 0 rows 2", "watermark 20", "watermark max", "flush", "end"));
  std::erase(second, "flush");  // when its input runs dry depends on the schedule
  EXPECT_THAT(second, ElementsAre("split 0", "batch 0 rows 2", "watermark 20", "watermark max", "end"));
  EXPECT_EQ(Consolidate(log->committed()), Consolidate({Rows("+ 1 10\n+ 2 20")}));
  EXPECT_EQ(log->closes(), 1);
  EXPECT_EQ(log->watermark_us(), kMaxWatermark);
}

TEST_P(ExecutorTest, ShufflesByKeyAtAnyParallelism) {
  for (int parallelism : {1, 2, 5}) {
    auto feed = std::make_shared<Feed>(3);
    auto log = std::make_shared<SinkLog>();
    for (int i = 0; i < 12; ++i) feed->Push(Numbers(i * 5, 20), i % 3);
    feed->Close();
    GraphBuilder g;
    const int source = g.Source(feed, 2);
    const int sum = g.Operator("sum", Make<SumByKey>(), parallelism);
    g.Edge(source, sum, Partitioning::kHash, {0}).Edge(sum, g.Sink(log), Partitioning::kGather);
    Executor executor(g.graph, Options());
    EXPECT_EQ(RunToEnd(executor).outcome, JobResult::Outcome::kFinished);
    std::map<int64_t, int64_t> sums;
    for (int i = 0; i < 12; ++i) {
      for (int64_t key = i * 5; key < i * 5 + 20; ++key) sums[key] += key * 10;
    }
    std::map<std::string, int64_t> expected;
    for (const auto& [key, sum] : sums) expected[std::to_string(key) + " " + std::to_string(sum)] = 1;
    EXPECT_EQ(Consolidate(log->committed()), expected) << parallelism;
  }
}

TEST_P(ExecutorTest, UnionAndSharedSubPlans) {
  auto left = std::make_shared<Feed>();
  auto right = std::make_shared<Feed>();
  auto log = std::make_shared<SinkLog>();
  auto other = std::make_shared<SinkLog>();
  left->Push(Numbers(0, 3));
  right->Push(Numbers(3, 3));
  left->Close();
  right->Close();
  std::vector<std::string> calls;
  GraphBuilder g;
  const int a = g.Source(left);
  const int b = g.Source(right);
  const int both = g.Operator("union", Make<Recorder>(&calls));
  g.Edge(a, both).Edge(b, both).Edge(both, g.Sink(log)).Edge(both, g.Sink(other)).Edge(a, g.Sink(other));
  Executor executor(g.graph, Options());
  EXPECT_EQ(RunToEnd(executor).outcome, JobResult::Outcome::kFinished);
  EXPECT_EQ(Consolidate(log->committed()), Consolidate({Numbers(0, 6)}));
  EXPECT_EQ(Consolidate(other->committed()), Consolidate({Numbers(0, 6), Numbers(0, 3)}));
}

TEST_P(ExecutorTest, SmallChannelsBlockButNeverLock) {
  auto feed = std::make_shared<Feed>(4);
  auto log = std::make_shared<SinkLog>();
  for (int i = 0; i < 200; ++i) feed->Push(Numbers(i, 10), i % 4);
  feed->Close();
  GraphBuilder g;
  const int source = g.Source(feed, 4);
  const int a = g.Operator("a", Make<ValueWatermark>(), 3);
  const int b = g.Operator("b", Make<SumByKey>(), 2);
  const int c = g.Operator("c", Make<SumByKey>(), 2);
  g.Edge(source, a, Partitioning::kRebalance)
      .Edge(a, b, Partitioning::kHash, {0})
      .Edge(a, c, Partitioning::kHash, {0});
  g.Edge(b, g.Sink(log), Partitioning::kGather).Edge(c, g.Sink(log), Partitioning::kGather);
  MemoryCollector collector;
  ExecutorOptions options = Options();
  options.channel = {.bytes_max = 1, .messages_max = 1};
  options.collector = &collector;
  Executor executor(g.graph, options);
  executor.TriggerCheckpoint(1);
  EXPECT_EQ(RunToEnd(executor).outcome, JobResult::Outcome::kFinished);
  EXPECT_EQ(collector.epoch(), 1u);
  EXPECT_EQ(Consolidate(log->committed()).size(), 209u);
}

TEST_P(ExecutorTest, LimitEndsAnEndlessSource) {
  for (int64_t n : {0, 1, 25}) {
    auto log = std::make_shared<SinkLog>();
    GraphBuilder g;
    std::vector<std::string> calls;
    const int source = g.Source(MakeEndless);
    const int a = g.Operator("a", Make<Recorder>(&calls));
    const int limit = g.Operator("limit", Make<TakeFirst>(n));
    g.Edge(source, a).Edge(a, limit, Partitioning::kGather).Edge(limit, g.Sink(log));
    Executor executor(g.graph, Options());
    EXPECT_EQ(RunToEnd(executor).outcome, JobResult::Outcome::kFinished);
    EXPECT_EQ(Consolidate(log->committed()), Consolidate({Numbers(0, n)}));
  }
}

TEST_P(ExecutorTest, ASourceGoesOnWhileOneOfItsLimitsIsOpen) {
  auto small = std::make_shared<SinkLog>();
  auto large = std::make_shared<SinkLog>();
  GraphBuilder g;
  const int source = g.Source(MakeEndless);
  const int a = g.Operator("limit", Make<TakeFirst>(5));
  const int b = g.Operator("limit", Make<TakeFirst>(5000));
  g.Edge(source, a).Edge(source, b, Partitioning::kRebalance).Edge(a, g.Sink(small)).Edge(b, g.Sink(large));
  Executor executor(g.graph, Options());
  EXPECT_EQ(RunToEnd(executor).outcome, JobResult::Outcome::kFinished);
  EXPECT_EQ(Consolidate(small->committed()).size(), 5u);
  EXPECT_EQ(Consolidate(large->committed()).size(), 5000u);
}

class ThrowsAtRow final : public Operator {
 public:
  explicit ThrowsAtRow(int64_t row) : left_(row) {}
  void OnBatch(int, Batch batch, Output& out) override {
    if ((left_ -= batch.num_rows) <= 0) throw QueryError("cannot cast 'x' to BIGINT");
    out.Emit(std::move(batch));
  }

 private:
  int64_t left_;
};

TEST_P(ExecutorTest, TheFirstErrorEndsTheJobAndNamesTheOperator) {
  auto log = std::make_shared<SinkLog>();
  GraphBuilder g;
  const int source = g.Source(MakeEndless);
  const int a = g.Operator("first", Make<ValueWatermark>());
  const int b = g.Operator("cast", Make<ThrowsAtRow>(100));
  const int c = g.Operator("last", Make<ValueWatermark>());
  g.Edge(source, a).Edge(a, b, Partitioning::kRebalance).Edge(b, c).Edge(c, g.Sink(log));
  Executor executor(g.graph, Options());
  const JobResult result = RunToEnd(executor);
  ASSERT_EQ(result.outcome, JobResult::Outcome::kFailed);
  EXPECT_EQ(result.failure->operator_name, "cast");
  EXPECT_EQ(result.failure->operator_id, "cast-2");
  EXPECT_EQ(result.failure->message, "cannot cast 'x' to BIGINT");
  EXPECT_THROW(std::rethrow_exception(result.failure->cause), QueryError);
  EXPECT_EQ(log->closes(), 0);
}

class ThrowsIn final : public Operator {
 public:
  explicit ThrowsIn(std::string where) : where_(std::move(where)) {}
  void Open(const OperatorContext& context) override {
    Operator::Open(context);
    Maybe("open");
  }
  void OnBatch(int, Batch batch, Output& out) override { out.Emit(std::move(batch)); }
  void OnWatermark(int64_t, Output&) override { Maybe("watermark"); }
  void OnFlush(Output&) override { Maybe("flush"); }
  void OnEnd(Output&) override { Maybe("end"); }
  void OnTimer(int64_t, Output&) override { Maybe("timer"); }
  std::optional<int64_t> next_timer_us() const override {
    if (where_ != "timer") return std::nullopt;
    return 0;
  }
  void Snapshot(SnapshotWriter&) override { Maybe("snapshot"); }

 private:
  void Maybe(const std::string& here) {
    if (here == where_) throw ExternalError("broker", "gone in " + here);
  }
  const std::string where_;
};

TEST_P(ExecutorTest, AnErrorMayComeFromAnyCall) {
  for (const char* where : {"open", "watermark", "flush", "end", "timer", "snapshot"}) {
    auto feed = std::make_shared<Feed>();
    feed->Push(Numbers(0, 3));
    feed->Close();
    GraphBuilder g;
    const int source = g.Source(feed, 2);
    const int a = g.Operator("thrower", Make<ThrowsIn>(std::string(where)), 2);
    g.Edge(source, a).Edge(a, g.Sink(std::make_shared<SinkLog>(), 2));
    MemoryCollector collector;
    ExecutorOptions options = Options();
    options.collector = &collector;
    options.hold_at_end = true;  // so that the checkpoint is in time
    Executor executor(g.graph, options);
    executor.TriggerCheckpoint(1);
    const JobResult result = RunToEnd(executor);
    ASSERT_EQ(result.outcome, JobResult::Outcome::kFailed) << where;
    EXPECT_EQ(result.failure->operator_name, "thrower");
    EXPECT_EQ(result.failure->message, std::string("broker: gone in ") + where);
    EXPECT_FALSE(executor.TriggerCheckpoint(2));
  }
}

TEST_P(ExecutorTest, StopsInEveryPhase) {
  for (StopMode mode : {StopMode::kGraceful, StopMode::kDrain, StopMode::kImmediate}) {
    for (const char* phase : {"before the start", "waiting", "after the data", "twice"}) {
      auto feed = std::make_shared<Feed>();
      auto log = std::make_shared<SinkLog>();
      std::vector<std::string> calls;
      GraphBuilder g;
      const int source = g.Source(feed);
      const int a = g.Operator("a", Make<Recorder>(&calls));
      g.Edge(source, a, Partitioning::kRebalance).Edge(a, g.Sink(log));
      feed->Push(Numbers(0, 3));
      if (std::string(phase) == "after the data") feed->Close();
      Executor executor(g.graph, Options());
      if (std::string(phase) == "before the start") executor.Stop(mode);
      if (GetParam().threads) executor.Start();
      if (!GetParam().threads) executor.RunUntilIdle();
      executor.Stop(mode);
      if (std::string(phase) == "twice") executor.Stop(StopMode::kImmediate);
      if (!GetParam().threads) executor.RunUntilIdle();
      const JobResult result = GetParam().threads ? executor.Wait() : executor.result().value();
      EXPECT_NE(result.outcome, JobResult::Outcome::kFailed) << phase;
      if (mode == StopMode::kImmediate && std::string(phase) == "waiting") {
        EXPECT_EQ(result.outcome, JobResult::Outcome::kCancelled);
      }
      if (mode != StopMode::kImmediate && std::string(phase) == "waiting") {
        EXPECT_EQ(result.outcome, JobResult::Outcome::kStopped);
        EXPECT_EQ(log->closes(), 1);
        EXPECT_EQ(std::count(calls.begin(), calls.end(), "end"), mode == StopMode::kDrain ? 1 : 0);
        EXPECT_EQ(std::count(calls.begin(), calls.end(), "watermark max"), mode == StopMode::kDrain ? 1 : 0);
        EXPECT_GE(std::count(calls.begin(), calls.end(), "flush"), 1);
      }
      feed->Disconnect();
    }
  }
}

TEST_P(ExecutorTest, AnEndlessJobOnFullChannelsStops) {
  for (StopMode mode : {StopMode::kGraceful, StopMode::kDrain, StopMode::kImmediate}) {
    auto log = std::make_shared<SinkLog>();
    GraphBuilder g;
    const int source = g.Source(MakeEndless, 3);
    const int sum = g.Operator("sum", Make<SumByKey>(), 2);
    g.Edge(source, sum, Partitioning::kHash, {0}).Edge(sum, g.Sink(log), Partitioning::kGather);
    ExecutorOptions options = Options();
    options.channel = {.bytes_max = 1000, .messages_max = 2};
    Executor executor(g.graph, options);
    if (GetParam().threads) {
      executor.Start();
      while (log->written().empty()) std::this_thread::yield();
    } else {
      EXPECT_EQ(executor.RunUntilIdle(500), 500);
    }
    executor.Stop(mode);
    if (!GetParam().threads) executor.RunUntilIdle();
    EXPECT_EQ((GetParam().threads ? executor.Wait() : executor.result().value()).outcome,
              mode == StopMode::kImmediate ? JobResult::Outcome::kCancelled : JobResult::Outcome::kStopped);
  }
}

/// Ends an odd number's rows on output 1.
class SideOutput final : public Operator {
 public:
  void OnBatch(int, Batch batch, Output& out) override {
    const auto& keys = static_cast<const arrow::Int64Array&>(*batch.columns[0]);
    std::vector<int32_t> even, odd;
    for (int32_t row = 0; row < batch.num_rows; ++row) (keys.Value(row) % 2 ? odd : even).push_back(row);
    out.EmitTo(1, Take(batch, odd));
    out.EmitTo(2, batch);  // leads nowhere
    out.Emit(Take(batch, even));
  }
};

TEST_P(ExecutorTest, ASideOutputEndsWithTheMainOneAndKeepsNoSourceRunning) {
  auto even = std::make_shared<SinkLog>();
  auto odd = std::make_shared<SinkLog>();
  GraphBuilder g;
  const int source = g.Source(MakeEndless);
  const int a = g.Operator("decode", Make<SideOutput>());
  const int limit = g.Operator("limit", Make<TakeFirst>(20));
  g.Edge(source, a).Edge(a, limit).Edge(limit, g.Sink(even));
  g.Edge(a, g.Sink(odd), Partitioning::kRebalance, {}, 0, 1);
  Executor executor(g.graph, Options());
  EXPECT_EQ(RunToEnd(executor).outcome, JobResult::Outcome::kFinished);
  EXPECT_EQ(Consolidate(even->committed()).size(), 20u);
  EXPECT_GE(Consolidate(odd->committed()).size(), 20u);
  EXPECT_EQ(odd->watermark_us(), kMaxWatermark);
}

TEST_P(ExecutorTest, ASourceSubtaskWithoutSplitsIsIdleFromTheStart) {
  auto feed = std::make_shared<Feed>(1);
  auto log = std::make_shared<SinkLog>();
  feed->Push(Rows("+ 1 100"));
  GraphBuilder g;
  const int source = g.Source(feed, 3);  // two of them read nothing
  const int time = g.Operator("time", Make<ValueWatermark>(), 3);
  g.Edge(source, time).Edge(time, g.Sink(log), Partitioning::kGather);
  Executor executor(g.graph, Options());
  if (GetParam().threads) {
    executor.Start();
    while (log->watermark_us() != 100) std::this_thread::yield();
  } else {
    executor.RunUntilIdle();
  }
  EXPECT_EQ(log->watermark_us(), 100);
  feed->Push(Rows("+ 1 200"));  // a wake from another thread than the job's
  feed->Close();
  if (GetParam().threads) {
    EXPECT_EQ(executor.Wait().outcome, JobResult::Outcome::kFinished);
  } else {
    executor.RunUntilIdle();
  }
  EXPECT_EQ(Consolidate(log->committed()).size(), 2u);
  feed->Disconnect();
}

TEST_P(ExecutorTest, TheLastActOfABoundedJobIsACheckpoint) {
  auto feed = std::make_shared<Feed>(3);
  auto log = std::make_shared<SinkLog>();
  for (int i = 0; i < 3; ++i) feed->Push(Numbers(i * 10, 10), i);
  feed->Close();
  GraphBuilder g;
  const int source = g.Source(feed, 3);
  const int sum = g.Operator("sum", Make<SumByKey>(), 2);
  g.Edge(source, sum, Partitioning::kHash, {0}).Edge(sum, g.Sink(log), Partitioning::kGather);
  MemoryCollector collector;
  ExecutorOptions options = Options();
  options.collector = &collector;
  options.hold_at_end = true;
  Executor* running = nullptr;
  options.on_all_ended = [&] {
    EXPECT_EQ(log->closes(), 0);
    EXPECT_TRUE(running->TriggerCheckpoint(9));
  };
  options.on_checkpoint = [&](uint64_t epoch) {
    running->CompleteCheckpoint(epoch);
    running->Finish();
  };
  Executor executor(g.graph, options);
  running = &executor;
  EXPECT_EQ(RunToEnd(executor).outcome, JobResult::Outcome::kFinished);
  EXPECT_EQ(log->completed_epochs(), std::set<uint64_t>{9});
  EXPECT_EQ(Consolidate(log->committed()).size(), 30u);
  EXPECT_EQ(collector.complete().at("sum-1").tables().at("sums").size(), 30u);
}

TEST_P(ExecutorTest, EndedTasksTakePartInCheckpoints) {
  auto bounded = std::make_shared<Feed>();
  auto open = std::make_shared<Feed>();
  auto log = std::make_shared<SinkLog>();
  bounded->Push(Numbers(0, 5));
  bounded->Close();
  open->Push(Numbers(5, 5));
  GraphBuilder g;
  const int a = g.Source(bounded);
  const int b = g.Source(open);
  const int limit = g.Operator("limit", Make<TakeFirst>(2));  // its whole task ends early
  const int sum = g.Operator("sum", Make<SumByKey>(), 2);
  g.Edge(a, sum, Partitioning::kHash, {0}).Edge(b, sum, Partitioning::kHash, {0});
  g.Edge(a, limit, Partitioning::kGather)
      .Edge(limit, g.Sink(log))
      .Edge(sum, g.Sink(log), Partitioning::kGather);
  MemoryCollector collector;
  ExecutorOptions options = Options();
  options.collector = &collector;
  std::atomic<uint64_t> written{0};
  options.on_checkpoint = [&](uint64_t epoch) { written = epoch; };
  Executor executor(g.graph, options);
  if (GetParam().threads) executor.Start();
  for (uint64_t epoch : {1, 2, 3}) {
    if (!GetParam().threads) executor.RunUntilIdle();
    while (!executor.TriggerCheckpoint(epoch)) std::this_thread::yield();
    if (!GetParam().threads) executor.RunUntilIdle();
    while (written.load() != epoch) std::this_thread::yield();
  }
  EXPECT_EQ(collector.epoch(), 3u);
  EXPECT_EQ(collector.complete().at("source-0").num_entries(), 1);
  open->Close();
  if (GetParam().threads) executor.Wait();
  if (!GetParam().threads) executor.RunUntilIdle();
  EXPECT_EQ(executor.result()->outcome, JobResult::Outcome::kFinished);
  open->Disconnect();
  bounded->Disconnect();
}

}  // namespace
}  // namespace laminar
