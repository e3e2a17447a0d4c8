#include "runtime/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "support/test_job.h"
#include "types/row_codec.h"

namespace laminar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Schema kRow{{{"key", Type::Int64()}, {"value", Type::Int64()}}};

Batch Rows(std::string_view text) { return ParseBatch(text, kRow); }

/// Rows (key, value) for key in [first, first + n), value = key · 10.
Batch Numbers(int64_t first, int64_t n) {
  std::string text;
  for (int64_t i = first; i < first + n; ++i) text += "+ " + std::to_string(i) + " " + std::to_string(i * 10) + "\n";
  return Rows(text);
}

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
                         ::testing::Values(RunMode{true, 0}, RunMode{false, 1}, RunMode{false, 2}, RunMode{false, 3}),
                         [](const auto& info) {
                           return info.param.threads ? "threads" : "seed" + std::to_string(info.param.seed);
                         });

/// Passes everything on and notes the calls.
class Recorder : public Operator {
 public:
  explicit Recorder(std::vector<std::string>* calls) : calls_(calls) {}
  void OnBatch(int input, Batch batch, Output& out) override {
    calls_->push_back("batch " + std::to_string(input) + " rows " + std::to_string(batch.num_rows));
    out.Emit(std::move(batch));
  }
  void OnWatermark(int64_t watermark_us, Output& out) override {
    calls_->push_back(watermark_us == kMaxWatermark ? "watermark max" : "watermark " + std::to_string(watermark_us));
    out.EmitWatermark(watermark_us);
  }
  void OnFlush(Output&) override { calls_->push_back("flush"); }
  void OnEnd(Output&) override { calls_->push_back("end"); }
  void OnIdle(bool idle, Output& out) override {
    calls_->push_back(idle ? "idle" : "active");
    out.EmitIdle(idle);
  }
  void OnSplit(const SplitEvent& event, Output& out) override {
    calls_->push_back("split " + std::to_string(event.split));
    out.EmitSplit(event);
  }

 protected:
  std::vector<std::string>* calls_;
};

/// Row time = `value`: emits the watermark value after each batch.
class ValueWatermark final : public Operator {
 public:
  void OnBatch(int, Batch batch, Output& out) override {
    int64_t maximum = kMinWatermark;
    const auto& values = static_cast<const arrow::Int64Array&>(*batch.columns[1]);
    for (int64_t row = 0; row < batch.num_rows; ++row) maximum = std::max(maximum, values.Value(row));
    out.Emit(std::move(batch));
    out.EmitWatermark(maximum);
  }
};

/// Updating count and sum per key: emits -old +new of the changed keys at flush.
class SumByKey final : public Operator {
 public:
  std::vector<StateTableSpec> state_tables() const override { return {{"sums", 1, "BIGINT -> BIGINT"}}; }
  void OnBatch(int, Batch batch, Output&) override {
    const auto& keys = static_cast<const arrow::Int64Array&>(*batch.columns[0]);
    const auto& values = static_cast<const arrow::Int64Array&>(*batch.columns[1]);
    std::vector<uint64_t> hashes(static_cast<size_t>(batch.num_rows));
    HashRows({batch.columns[0]}, batch.num_rows, hashes.data());
    for (int64_t row = 0; row < batch.num_rows; ++row) {
      Group& group = groups_[keys.Value(row)];
      group.key_group = KeyGroupOf(hashes[static_cast<size_t>(row)]);
      EXPECT_TRUE(context_.key_groups.Contains(group.key_group));
      group.sum += values.Value(row) * batch.weight(row);
      changed_.insert(keys.Value(row));
      unsaved_.insert(keys.Value(row));
    }
  }
  void OnFlush(Output& out) override {
    std::string text;
    for (int64_t key : changed_) {
      Group& group = groups_[key];
      if (group.sent == group.sum) continue;
      if (group.sent) text += "- " + std::to_string(key) + " " + std::to_string(*group.sent) + "\n";
      text += "+ " + std::to_string(key) + " " + std::to_string(group.sum) + "\n";
      group.sent = group.sum;
    }
    changed_.clear();
    out.Emit(Rows(text));
  }
  void Snapshot(SnapshotWriter& writer) override {
    EXPECT_TRUE(changed_.empty()) << "no flush before the snapshot";
    for (int64_t key : unsaved_) {
      writer.Table("sums").Put(groups_[key].key_group, std::to_string(key), std::to_string(groups_[key].sum));
    }
    unsaved_.clear();
  }
  void Restore(const SnapshotReader& reader) override {
    reader.ForEach("sums", [&](const StateEntry& entry) {
      const int64_t sum = std::stoll(std::string(entry.value));
      groups_[std::stoll(std::string(entry.key))] = {sum, sum, entry.key_group};
    });
  }

 private:
  struct Group {
    int64_t sum = 0;
    std::optional<int64_t> sent;
    uint16_t key_group = 0;
  };
  std::map<int64_t, Group> groups_;
  std::set<int64_t> changed_;
  std::set<int64_t> unsaved_;
};

/// Passes `n` rows, then needs no more.
class TakeFirst final : public Operator {
 public:
  explicit TakeFirst(int64_t n) : left_(n) {}
  void Open(const OperatorContext& context) override {
    Operator::Open(context);
    if (left_ == 0) context_.finish_upstream();
  }
  void OnBatch(int, Batch batch, Output& out) override {
    const int64_t take = std::min(left_, batch.num_rows);
    left_ -= take;
    out.Emit(Slice(batch, 0, take));
    if (left_ == 0) context_.finish_upstream();
  }

 private:
  int64_t left_;
};

/// A source without end: 10 rows per poll.
class Endless final : public Source {
 public:
  PollResult Poll(Output& out) override {
    if (next_ == 0) out.EmitSplit({0, SplitEvent::Kind::kStarted, "numbers"});
    out.Emit(Numbers(next_, 10));
    next_ += 10;
    return PollResult::kMore;
  }
  void Snapshot(SnapshotWriter&) override {}
  void Restore(const SnapshotReader&) override {}

 private:
  int64_t next_ = 0;
};

template <typename T, typename... Args>
std::function<std::unique_ptr<Operator>()> Make(Args... args) {
  return [=] { return std::make_unique<T>(args...); };
}

std::unique_ptr<Source> MakeEndless() { return std::make_unique<Endless>(); }

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
  EXPECT_THAT(first, ElementsAre("split 0", "batch 0 rows 2", "watermark 20", "watermark max", "flush", "end"));
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
  g.Edge(source, a, Partitioning::kRebalance).Edge(a, b, Partitioning::kHash, {0}).Edge(a, c, Partitioning::kHash, {0});
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
  g.Edge(a, limit, Partitioning::kGather).Edge(limit, g.Sink(log)).Edge(sum, g.Sink(log), Partitioning::kGather);
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

// What follows needs to look between steps.

class SteppedTest : public ::testing::Test {
 protected:
  ExecutorOptions Options(uint64_t seed = 1) {
    ExecutorOptions options;
    options.seed = seed;
    options.task.messages_per_step = 1;
    options.clock = &clock_;
    return options;
  }
  void RunReady(Executor& executor) {
    while (executor.Step()) {
    }
  }
  ManualClock clock_{1'000'000'000};
};

TEST_F(SteppedTest, FlushesWhenDryButNotTooOften) {
  auto feed = std::make_shared<Feed>();
  auto log = std::make_shared<SinkLog>();
  GraphBuilder g;
  const int source = g.Source(feed);
  const int sum = g.Operator("sum", Make<SumByKey>());
  g.Edge(source, sum, Partitioning::kHash, {0}).Edge(sum, g.Sink(log));
  Executor executor(g.graph, Options());
  feed->Push(Rows("+ 1 1"));
  RunReady(executor);
  EXPECT_EQ(Consolidate(log->written()), Consolidate({Rows("+ 1 1")}));  // a slow stream: at once
  clock_.Advance(3'000);
  feed->Push(Rows("+ 1 1"));
  RunReady(executor);
  EXPECT_EQ(log->written().size(), 1u);  // within the gap
  clock_.Set(*executor.next_timer_mono_us());
  EXPECT_EQ(clock_.now_us(), 1'000'010'000);
  RunReady(executor);
  EXPECT_EQ(log->written().size(), 2u);
  EXPECT_EQ(executor.next_timer_mono_us(), std::nullopt);  // idle: nothing will wake it
  EXPECT_FALSE(executor.Step());

  feed->Disconnect();
}

TEST_F(SteppedTest, FlushesOncePerIntervalWhileDataNeverRunsDry) {
  auto feed = std::make_shared<Feed>();
  auto log = std::make_shared<SinkLog>();
  GraphBuilder g;
  const int sum = g.Operator("sum", Make<SumByKey>());
  g.Edge(g.Source(feed), sum).Edge(sum, g.Sink(log));
  Executor executor(g.graph, Options());
  for (int i = 0; i < 200; ++i) feed->Push(Rows("+ 1 1"));
  for (int i = 0; i < 100; ++i) {
    clock_.Advance(10'000);
    ASSERT_TRUE(executor.Step());
  }
  EXPECT_GE(log->written().size(), 4u);
  EXPECT_LE(log->written().size(), 5u);
  feed->Disconnect();
}

TEST_F(SteppedTest, RunUntilIdleFlushesEverythingWithoutTheClock) {
  auto feed = std::make_shared<Feed>();
  auto log = std::make_shared<SinkLog>();
  GraphBuilder g;
  const int source = g.Source(feed);
  const int first = g.Operator("sum", Make<SumByKey>(), 2);
  const int second = g.Operator("sum", Make<SumByKey>(), 3);
  g.Edge(source, first, Partitioning::kHash, {0}).Edge(first, second, Partitioning::kHash, {0});
  g.Edge(second, g.Sink(log), Partitioning::kGather);
  Executor executor(g.graph, Options());
  std::vector<Batch> expected;
  for (int i = 1; i <= 5; ++i) {
    feed->Push(Rows("+ 1 1\n+ 2 2"));
    executor.RunUntilIdle();
    EXPECT_EQ(Consolidate(log->written()),
              Consolidate({Rows("+ 1 " + std::to_string(i) + "\n+ 2 " + std::to_string(2 * i))}));
  }
  feed->Disconnect();
}

/// Emits a row per timer, each second.
class Ticker final : public Operator {
 public:
  void Open(const OperatorContext& context) override {
    Operator::Open(context);
    next_us_ = context.clock->now_us() + 1'000'000;
  }
  void OnBatch(int, Batch, Output&) override {}
  void OnTimer(int64_t now_us, Output& out) override {
    EXPECT_GE(now_us, next_us_);
    next_us_ = now_us + 1'000'000;
    out.Emit(Rows("+ 1 1"));
  }
  std::optional<int64_t> next_timer_us() const override { return next_us_; }

 private:
  int64_t next_us_ = 0;
};

TEST_F(SteppedTest, TimersFireByTheClock) {
  auto feed = std::make_shared<Feed>();
  auto log = std::make_shared<SinkLog>();
  GraphBuilder g;
  const int ticker = g.Operator("ticker", Make<Ticker>());
  g.Edge(g.Source(feed), ticker).Edge(ticker, g.Sink(log));
  Executor executor(g.graph, Options());
  executor.RunUntilIdle();
  EXPECT_TRUE(log->written().empty());
  for (int i = 1; i <= 3; ++i) {
    clock_.Advance(1'000'000);
    executor.RunUntilIdle();
    EXPECT_EQ(log->written().size(), static_cast<size_t>(i));
  }
  feed->Disconnect();
}

TEST_F(SteppedTest, BackPressureReachesTheSource) {
  auto log = std::make_shared<SinkLog>();
  GraphBuilder g;
  const int source = g.Source(MakeEndless);
  const int a = g.Operator("a", Make<ValueWatermark>());
  const int b = g.Operator("b", Make<ValueWatermark>());
  g.Edge(source, a, Partitioning::kRebalance).Edge(a, b, Partitioning::kRebalance).Edge(b, g.Sink(log));
  ExecutorOptions options = Options();
  options.channel.messages_max = 4;
  Executor executor(g.graph, options);
  int64_t most = 0;
  for (int i = 0; i < 3000; ++i) {
    ASSERT_TRUE(executor.Step());
    for (const SubtaskStatus& status : executor.Status()) most = std::max(most, status.queue_messages);
  }
  EXPECT_GE(most, 4);
  EXPECT_LE(most, 4 + 2);  // a batch and its watermark on top
  EXPECT_FALSE(executor.done());
}

TEST_F(SteppedTest, MetricsCountRowsAndWatermarks) {
  auto feed = std::make_shared<Feed>();
  auto log = std::make_shared<SinkLog>();
  GraphBuilder g;
  const int time = g.Operator("time", Make<ValueWatermark>());
  g.Edge(g.Source(feed), time).Edge(time, g.Sink(log), Partitioning::kRebalance);
  Executor executor(g.graph, Options());
  feed->Push(Numbers(0, 7));
  executor.RunUntilIdle();
  const auto status = executor.Status();
  ASSERT_EQ(status.size(), 3u);
  EXPECT_EQ(status[0].node->name, "source");
  EXPECT_EQ(status[0].metrics->rows_out.value(), 7);
  EXPECT_EQ(status[0].metrics->watermark_us.value(), kMinWatermark);
  EXPECT_EQ(status[1].metrics->rows_in.value(), 7);
  EXPECT_EQ(status[1].metrics->rows_out.value(), 7);
  EXPECT_EQ(status[1].task, status[0].task);
  EXPECT_EQ(status[2].metrics->rows_in.value(), 7);
  EXPECT_EQ(status[2].metrics->watermark_us.value(), 60);
  EXPECT_NE(status[2].task, status[0].task);
  EXPECT_GT(status[2].queue_bytes_max, 0);
  feed->Disconnect();
}

/// Notes the watermark that the first row meets.
class FirstWatermark final : public Operator {
 public:
  explicit FirstWatermark(std::vector<int64_t>* seen) : seen_(seen) {}
  std::vector<StateTableSpec> state_tables() const override { return {{"nothing", 1, ""}}; }
  void OnBatch(int, Batch batch, Output& out) override {
    if (!noted_) seen_->push_back(watermark_us_);
    noted_ = true;
    out.Emit(std::move(batch));
  }
  void OnWatermark(int64_t watermark_us, Output& out) override {
    watermark_us_ = watermark_us;
    out.EmitWatermark(watermark_us);
  }

 private:
  std::vector<int64_t>* seen_;
  int64_t watermark_us_ = kMinWatermark;
  bool noted_ = false;
};

TEST_F(SteppedTest, TheWatermarkIsPartOfTheCheckpoint) {
  auto feed = std::make_shared<Feed>(2);
  auto log = std::make_shared<SinkLog>();
  std::vector<int64_t> seen;
  auto graph = [&](int parallelism) {
    GraphBuilder g;
    const int source = g.Source(feed, 2);
    const int time = g.Operator("time", Make<ValueWatermark>(), 2);
    const int late = g.Operator("late", Make<FirstWatermark>(&seen), parallelism);
    g.Edge(source, time).Edge(time, late, Partitioning::kHash, {0}).Edge(late, g.Sink(log), Partitioning::kGather);
    return g.graph;
  };
  feed->Push(Rows("+ 1 100"), 0);
  feed->Push(Rows("+ 2 70"), 1);
  JobSnapshot snapshot;
  for (int parallelism : {4, 2, 1, 3}) {
    MemoryCollector collector(snapshot);
    ExecutorOptions options = Options();
    options.collector = &collector;
    options.restore = RestoreFrom(snapshot);
    Executor executor(graph(parallelism), options);
    executor.RunUntilIdle();
    seen.clear();
    if (!snapshot.empty()) {
      // Behind the restored watermark, before anything else has come from the other source subtask.
      feed->Push(Rows("+ " + std::to_string(parallelism) + " 10"), 0);
      executor.RunUntilIdle();
      EXPECT_THAT(seen, ElementsAre(70)) << parallelism;
    }
    executor.TriggerCheckpoint(collector.epoch() + 1);
    executor.RunUntilIdle();
    snapshot = collector.complete();
    EXPECT_EQ(snapshot.at("late-2").tables().at(kWatermarkTable).size(), static_cast<size_t>(parallelism));
    feed->Disconnect();
  }
}

TEST_F(SteppedTest, SplitNumbersAreUniqueOverSubtasksAndKnownEverywhere) {
  class OneSplit final : public Source {
   public:
    PollResult Poll(Output& out) override {
      if (sent_) return PollResult::kEnd;
      sent_ = true;
      out.EmitSplit({0, SplitEvent::Kind::kStarted, "of " + std::to_string(context_.subtask)});
      Batch batch = Rows("+ 1 1");
      batch.split = 0;
      out.Emit(batch);
      return PollResult::kMore;
    }
    void Snapshot(SnapshotWriter&) override {}
    void Restore(const SnapshotReader&) override {}

   private:
    bool sent_ = false;
  };
  std::vector<std::string> calls;
  auto log = std::make_shared<SinkLog>();
  GraphBuilder g;
  const int source = g.Source([] { return std::make_unique<OneSplit>(); }, 2);
  const int a = g.Operator("a", Make<Recorder>(&calls), 3);
  g.Edge(source, a, Partitioning::kRebalance).Edge(a, g.Sink(log, 3));
  Executor executor(g.graph, Options());
  executor.RunUntilIdle();
  EXPECT_EQ(std::count(calls.begin(), calls.end(), "split 0"), 3);
  EXPECT_EQ(std::count(calls.begin(), calls.end(), "split 1"), 3);
  std::set<int32_t> splits;
  for (const Batch& batch : log->written()) splits.insert(batch.split);
  EXPECT_EQ(splits, (std::set<int32_t>{0, 1}));
}

/// Runs sums of sums over a feed, crashing and rescaling at random steps, and compares what was committed with the undisturbed run.
class CrashTest : public SteppedTest {
 protected:
  JobGraph Graph(std::shared_ptr<Feed> feed, std::shared_ptr<SinkLog> log, int parallelism) {
    GraphBuilder g;
    const int source = g.Source(std::move(feed), parallelism);
    const int time = g.Operator("time", Make<ValueWatermark>(), parallelism);
    const int first = g.Operator("sum", Make<SumByKey>(), parallelism);
    const int second = g.Operator("sum", Make<SumByKey>(), 2);
    g.Edge(source, time).Edge(time, first, Partitioning::kHash, {0});
    g.Edge(first, second, Partitioning::kHash, {0}).Edge(second, g.Sink(std::move(log)), Partitioning::kGather);
    return g.graph;
  }
};

TEST_F(CrashTest, EqualsAnUndisturbedRunAtAnyParallelism) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    std::mt19937_64 random(seed);
    auto feed = std::make_shared<Feed>(5);
    std::map<int64_t, int64_t> sums;
    for (int i = 0; i < 40; ++i) {
      std::string text;
      for (int row = 0; row < 5; ++row) {
        const int64_t key = static_cast<int64_t>(random() % 20);
        const int64_t value = static_cast<int64_t>(random() % 100);
        sums[key] += value;
        text += "+ " + std::to_string(key) + " " + std::to_string(value) + "\n";
      }
      feed->Push(Rows(text), i % 5);
    }
    feed->Close();
    auto log = std::make_shared<SinkLog>();
    JobSnapshot snapshot;
    uint64_t complete = 0, epoch = 0;
    int crashes = 0;
    bool finished = false;
    while (!finished) {
      MemoryCollector collector(snapshot);
      ExecutorOptions options = Options(random());
      options.collector = &collector;
      options.restore = RestoreFrom(snapshot);
      options.hold_at_end = true;
      options.channel.messages_max = 1 + static_cast<int64_t>(random() % 4);
      Executor* running = nullptr;
      bool last = false;
      options.on_checkpoint = [&](uint64_t written) {
        running->CompleteCheckpoint(written);
        if (last) running->Finish();
      };
      Executor executor(Graph(feed, log, 1 + static_cast<int>(random() % 4)), options);
      running = &executor;
      const bool crash = crashes < 6;
      const int64_t crash_at = crash ? static_cast<int64_t>(random() % 400) : std::numeric_limits<int64_t>::max();
      for (int64_t step = 0; step < crash_at; ++step) {
        if (random() % 50 == 0) executor.TriggerCheckpoint(++epoch);
        if (random() % 10 == 0) clock_.Advance(static_cast<int64_t>(random() % 20'000));
        if (!executor.Step()) {
          if (executor.done()) break;
          if (executor.all_ended() && executor.TriggerCheckpoint(++epoch)) {
            last = true;
          } else {
            clock_.Advance(5'000);
          }
        }
      }
      finished = executor.done();
      if (finished) {
        EXPECT_EQ(executor.result()->outcome, JobResult::Outcome::kFinished);
      }
      snapshot = collector.complete();
      complete = std::max(complete, collector.epoch());
      if (!finished) {
        ++crashes;
        log->Recover(complete);
      }
      feed->Disconnect();
    }
    std::map<std::string, int64_t> expected;
    for (const auto& [key, sum] : sums) expected[std::to_string(key) + " " + std::to_string(sum)] = 1;
    // The second operator sums changes of sums, so each key's last sum stays.
    ASSERT_EQ(Consolidate(log->committed()), expected) << "seed " << seed;
  }
}

TEST_F(CrashTest, TheSameSeedGivesTheSameRun) {
  std::vector<std::vector<std::string>> runs;
  for (int run = 0; run < 2; ++run) {
    auto feed = std::make_shared<Feed>(3);
    for (int i = 0; i < 20; ++i) feed->Push(Numbers(i, 4), i % 3);
    feed->Close();
    auto log = std::make_shared<SinkLog>();
    Executor executor(Graph(feed, log, 3), Options(77));
    executor.RunUntilIdle();
    runs.emplace_back();
    for (const Batch& batch : log->written()) runs.back().push_back(FormatBatch(batch));
  }
  EXPECT_EQ(runs[0], runs[1]);
}

}  // namespace
}  // namespace laminar
