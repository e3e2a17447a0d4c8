// Runs that are looked at between steps: flushes, timers, back-pressure, crashes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "runtime/executor.h"
#include "state/keyed_map.h"
#include "support/test_operators.h"

namespace laminar {
namespace {

using ::testing::ElementsAre;

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

/// Takes `capacity` batches, then says that it is not ready.
struct Gauge {
  int taken = 0;
  int capacity = 0;
  std::function<void()> wake;
};

class GaugedSink final : public Sink {
 public:
  explicit GaugedSink(std::shared_ptr<Gauge> gauge) : gauge_(std::move(gauge)) {}
  void Open(const OperatorContext& context) override { gauge_->wake = context.wake; }
  void Write(const Batch& batch) override { ++gauge_->taken; }
  bool ready() const override { return gauge_->taken < gauge_->capacity; }

 private:
  const std::shared_ptr<Gauge> gauge_;
};

TEST_F(SteppedTest, ASinkThatIsNotReadyHoldsBackItsTask) {
  auto gauge = std::make_shared<Gauge>();
  gauge->capacity = 3;
  for (const Partitioning partitioning : {Partitioning::kForward, Partitioning::kRebalance}) {
    gauge->taken = 0;
    GraphBuilder g;
    const int source = g.Source(MakeEndless);
    g.graph.nodes[static_cast<size_t>(g.Sink(nullptr))].make_sink = [gauge] {
      return std::make_unique<GaugedSink>(gauge);
    };
    g.Edge(source, 1, partitioning);
    ExecutorOptions options = Options();
    options.channel.messages_max = 4;
    Executor executor(g.graph, options);
    RunReady(executor);  // comes to rest: nothing is polled any more
    EXPECT_EQ(gauge->taken, 3);
    gauge->taken = 0;
    gauge->wake();
    RunReady(executor);
    EXPECT_EQ(gauge->taken, 3);
  }
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
    g.Edge(source, time)
        .Edge(time, late, Partitioning::kHash, {0})
        .Edge(late, g.Sink(log), Partitioning::kGather);
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

/// Counts rows by key in a container whose snapshot is written in slices; passes them on.
class CountByKey final : public Operator {
 public:
  std::vector<StateTableSpec> state_tables() const override { return {{"counts", 1, "BIGINT -> BIGINT"}}; }
  void OnBatch(int, Batch batch, Output& out) override {
    keys_.Assign({batch.columns[0]}, batch.num_rows);
    std::vector<uint32_t> slots(static_cast<size_t>(batch.num_rows));
    counts_.FindOrInsert(keys_, nullptr, batch.num_rows, slots.data(), nullptr);
    for (const uint32_t slot : slots) {
      counts_.MarkDirty(slot);
      ++*reinterpret_cast<int64_t*>(counts_.record(slot));
    }
    out.Emit(std::move(batch));
  }
  void Snapshot(SnapshotWriter& writer) override {
    counts_.Snapshot(writer, "counts", [this](uint32_t slot, std::string* out) {
      out->append(std::to_string(*reinterpret_cast<int64_t*>(counts_.record(slot))));
    });
  }

 private:
  KeyBatch keys_{{arrow::int64()}};
  KeyedMap counts_{{arrow::int64()}, 8};
};

TEST_F(SteppedTest, ASnapshotIsWrittenBesideTheRowsAndAcknowledgedWhenItIsWhole) {
  auto feed = std::make_shared<Feed>();
  auto log = std::make_shared<SinkLog>();
  GraphBuilder g;
  const int count = g.Operator("count", Make<CountByKey>());
  g.Edge(g.Source(feed), count).Edge(count, g.Sink(log));
  MemoryCollector collector;
  ExecutorOptions options = Options();
  options.collector = &collector;
  options.task.snapshot_slice_bytes = 1;
  options.hold_at_end = true;
  Executor executor(g.graph, options);
  const auto counts = [&] {
    std::set<std::string> values;
    const JobSnapshot snapshot = collector.complete();
    const auto& table = snapshot.at("count-0").tables().at("counts");
    EXPECT_EQ(table.size(), 50u);
    for (const auto& [key, value] : table) values.insert(value);
    return values;
  };
  feed->Push(Numbers(0, 50));
  RunReady(executor);
  ASSERT_TRUE(executor.TriggerCheckpoint(1));
  feed->Push(Numbers(0, 20));
  for (int step = 0; step < 10; ++step) ASSERT_TRUE(executor.Step());
  EXPECT_EQ(log->written().size(), 2u);  // the rows did not wait
  EXPECT_EQ(collector.epoch(), 0u);
  EXPECT_FALSE(executor.TriggerCheckpoint(2));
  RunReady(executor);  // without any input
  EXPECT_EQ(collector.epoch(), 1u);
  EXPECT_THAT(counts(), ElementsAre("1"));

  feed->Push(Numbers(0, 50));
  RunReady(executor);
  ASSERT_TRUE(executor.TriggerCheckpoint(2));
  ASSERT_TRUE(executor.Step());
  feed->Close();
  RunReady(executor);
  EXPECT_TRUE(executor.all_ended());
  EXPECT_EQ(collector.epoch(), 2u);
  EXPECT_THAT(counts(), ElementsAre("2", "3"));
  ASSERT_TRUE(executor.TriggerCheckpoint(3));  // behind the end
  RunReady(executor);
  EXPECT_EQ(collector.epoch(), 3u);
  executor.Finish();
  RunReady(executor);
  EXPECT_TRUE(executor.done());
  feed->Disconnect();
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

/// Runs sums of sums over a feed, crashing and rescaling at random steps, and compares what was committed
/// with the undisturbed run.
class CrashTest : public SteppedTest {
 protected:
  JobGraph Graph(std::shared_ptr<Feed> feed, std::shared_ptr<SinkLog> log, int parallelism) {
    GraphBuilder g;
    const int source = g.Source(std::move(feed), parallelism);
    const int time = g.Operator("time", Make<ValueWatermark>(), parallelism);
    const int first = g.Operator("sum", Make<SumByKey>(), parallelism);
    const int second = g.Operator("sum", Make<SumByKey>(), 2);
    g.Edge(source, time).Edge(time, first, Partitioning::kHash, {0});
    g.Edge(first, second, Partitioning::kHash, {0})
        .Edge(second, g.Sink(std::move(log)), Partitioning::kGather);
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
      const int64_t crash_at =
          crash ? static_cast<int64_t>(random() % 400) : std::numeric_limits<int64_t>::max();
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
