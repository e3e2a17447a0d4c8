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

}  // namespace
}  // namespace laminar
