#include "runtime/channel.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "runtime/gate.h"
#include "runtime/router.h"
#include "support/batch_text.h"
#include "types/row_codec.h"

namespace laminar {
namespace {

const Schema kSchema{{{"key", Type::Int64()}, {"name", Type::Text()}}};

class CountingWake final : public Wakeable {
 public:
  void Notify() override { ++count; }
  int count = 0;
};

Message SomeBytes(int64_t bytes) { return Message::OfBatch(Batch{}, bytes); }

TEST(Channel, IsFullByBytesAndWakesTheProducerWhenHalfIsFree) {
  CountingWake producer, consumer;
  Channel channel({.bytes_max = 100, .messages_max = 1000}, &producer, &consumer);
  for (int i = 0; i < 3; ++i) channel.Push(SomeBytes(30));
  EXPECT_FALSE(channel.full());
  channel.Push(SomeBytes(500));  // always fits
  EXPECT_TRUE(channel.full());
  EXPECT_EQ(consumer.count, 4);
  EXPECT_EQ(channel.bytes(), 590);
  Message message;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(channel.Pop(&message));
  EXPECT_TRUE(channel.full());
  EXPECT_EQ(producer.count, 0);
  EXPECT_TRUE(channel.Pop(&message));
  EXPECT_EQ(message.bytes, 500);
  EXPECT_EQ(producer.count, 1);
  EXPECT_FALSE(channel.Pop(&message));
  EXPECT_EQ(producer.count, 1);
}

TEST(Channel, IsFullByMessages) {
  CountingWake producer, consumer;
  Channel channel({.bytes_max = 100, .messages_max = 1}, &producer, &consumer);
  EXPECT_FALSE(channel.full());
  channel.Push(Message::Of(Message::Kind::kWatermark, 7));
  EXPECT_TRUE(channel.full());
  Message message;
  ASSERT_TRUE(channel.Pop(&message));
  EXPECT_EQ(message.value, 7);
  EXPECT_EQ(producer.count, 1);
}

TEST(Channel, ACancelTellsTheProducerOnce) {
  CountingWake producer, consumer;
  Channel channel({}, &producer, &consumer);
  channel.Cancel();
  channel.Cancel();
  EXPECT_TRUE(channel.cancelled());
  EXPECT_EQ(producer.count, 1);
}

TEST(EstimateBytes, CountsWhatASliceReaches) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "+ 1 0123456789\n";
  const Batch batch = ParseBatch(text, kSchema);
  EXPECT_NEAR(EstimateBytes(batch), 1000 * (8 + 4 + 10), 500);
  EXPECT_NEAR(EstimateBytes(Slice(batch, 10, 100)), 100 * (8 + 4 + 10), 150);
  EXPECT_GT(EstimateBytes(EmptyBatch(kSchema)), 0);
}

TEST(Gate, HoldsBackAChannelWhoseBarrierCameFirst) {
  CountingWake producer, consumer;
  Gate gate;
  for (int i = 0; i < 2; ++i) gate.Add(std::make_unique<Channel>(ChannelLimits{}, &producer, &consumer), i);
  auto& first = const_cast<Channel&>(gate.channel(0));
  auto& second = const_cast<Channel&>(gate.channel(1));
  first.Push(Message::Of(Message::Kind::kBarrier, 1));
  first.Push(Message::Of(Message::Kind::kWatermark, 10));
  Message message;
  int channel = -1;
  ASSERT_TRUE(gate.Pop(&message, &channel));
  EXPECT_EQ(channel, 0);
  EXPECT_FALSE(gate.OnBarrier(0));
  EXPECT_TRUE(gate.holding_back());
  EXPECT_FALSE(gate.Pop(&message, &channel));
  second.Push(Message::Of(Message::Kind::kWatermark, 5));
  second.Push(Message::Of(Message::Kind::kBarrier, 1));
  ASSERT_TRUE(gate.Pop(&message, &channel));
  EXPECT_EQ(message.value, 5);
  ASSERT_TRUE(gate.Pop(&message, &channel));
  EXPECT_TRUE(gate.OnBarrier(1));
  ASSERT_TRUE(gate.Pop(&message, &channel));
  EXPECT_EQ(message.value, 10);
  EXPECT_FALSE(gate.OnEnd(0));
  EXPECT_TRUE(gate.OnEnd(1));
}

/// A gate over channels that hold so many watermarks, each one higher than the one before, from a first one
/// on.
class GateTest : public ::testing::Test {
 protected:
  void Add(int64_t first, int64_t step, int count) {
    gate_.Add(std::make_unique<Channel>(ChannelLimits{}, &wake_, &wake_), 0);
    for (int i = 0; i < count; ++i)
      Push(gate_.num_channels() - 1, Message::Kind::kWatermark, first + i * step);
  }
  void Push(int channel, Message::Kind kind, int64_t value) {
    const_cast<Channel&>(gate_.channel(channel)).Push(Message::Of(kind, value));
  }
  /// Which channels the next messages came from.
  std::vector<int> Popped(int count) {
    std::vector<int> channels;
    Message message;
    for (int channel; count > 0 && gate_.Pop(&message, &channel); --count) channels.push_back(channel);
    return channels;
  }
  CountingWake wake_;
  Gate gate_;
};

TEST_F(GateTest, TakesFromTheChannelThatIsBehind) {
  Add(100, 100, 30);
  Add(10, 10, 30);
  const std::vector<int> channels = Popped(14);
  // One of each to see how far they are; then ten of the second are as far as one of the first.
  EXPECT_EQ(std::count(channels.begin(), channels.begin() + 2, 0), 1);
  EXPECT_LE(std::count(channels.begin(), channels.end(), 0), 3);
  EXPECT_EQ(Popped(100).size(), 46u);  // and in the end all are taken
}

TEST_F(GateTest, TakesInTurnFromChannelsThatAreAsFar) {
  for (int i = 0; i < 3; ++i) Add(50, 0, 20);
  const std::vector<int> channels = Popped(30);
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(std::count(channels.begin(), channels.end(), i), 10, 3) << i;
}

TEST_F(GateTest, OneThatStandsStillShutsNobodyOut) {
  Add(100, 100, 10);
  Add(10, 0, 200);
  const std::vector<int> channels = Popped(100);
  EXPECT_GE(std::count(channels.begin(), channels.end(), 0), 5);
}

TEST_F(GateTest, AnIdleChannelIsNotBehind) {
  Add(10, 0, 1);
  Push(0, Message::Kind::kIdle, 1);
  Add(20, 1, 40);
  EXPECT_EQ(Popped(3).size(), 3u);  // both are known now
  for (int i = 0; i < 20; ++i) Push(0, Message::Kind::kIdle, 1);
  const std::vector<int> channels = Popped(20);
  EXPECT_LE(std::count(channels.begin(), channels.end(), 0), 3);
}

class RouterTest : public ::testing::Test {
 protected:
  Router Make(Partitioning partitioning, int targets, std::vector<int> keys = {}) {
    std::vector<Channel*> raw;
    for (int i = 0; i < targets; ++i) {
      channels_.push_back(std::make_unique<Channel>(ChannelLimits{}, &wake_, &wake_));
      raw.push_back(channels_.back().get());
    }
    return Router(partitioning, std::move(keys), 0, raw);
  }
  std::vector<Batch> Received(int target) {
    std::vector<Batch> batches;
    Message message;
    while (channels_[static_cast<size_t>(target)]->Pop(&message)) batches.push_back(std::move(message.batch));
    return batches;
  }
  CountingWake wake_;
  std::vector<std::unique_ptr<Channel>> channels_;
};

TEST_F(RouterTest, SplitsByKeyGroupKeepingOrderAndWeights) {
  std::string text = "+ 999 before\n";
  for (int i = 0; i < 300; ++i)
    text += (i % 2 ? "- " : "+ ") + std::to_string(i % 50) + " n" + std::to_string(i) + "\n";
  Batch batch = ParseBatch(text, kSchema);
  batch.split = 4;
  const Batch sliced = Slice(batch, 1, 300);
  Router router = Make(Partitioning::kHash, 3, {0});
  router.Receive(sliced);
  std::map<std::string, int64_t> all;
  for (int target = 0; target < 3; ++target) {
    const auto batches = Received(target);
    ASSERT_EQ(batches.size(), 1u);
    EXPECT_EQ(batches[0].split, -1);
    std::vector<uint64_t> hashes(static_cast<size_t>(batches[0].num_rows));
    HashRows({batches[0].columns[0]}, batches[0].num_rows, hashes.data());
    for (uint64_t hash : hashes) EXPECT_TRUE(KeyGroupRange::Of(target, 3).Contains(KeyGroupOf(hash)));
    for (const auto& [row, weight] : Consolidate(batches)) all[row] += weight;
    const auto& keys = static_cast<const arrow::Int64Array&>(*batches[0].columns[0]);
    std::map<int64_t, int64_t> last;  // the number behind 'n' rises per key
    for (int64_t row = 0; row < batches[0].num_rows; ++row) {
      const int64_t n = std::stoll(FormatValue(*batches[0].columns[1], row).substr(1));
      EXPECT_TRUE(!last.count(keys.Value(row)) || last[keys.Value(row)] < n);
      last[keys.Value(row)] = n;
    }
  }
  EXPECT_EQ(all, Consolidate({sliced}));
}

TEST_F(RouterTest, RowsOfOneSubtaskAreNotCopied) {
  const Batch batch = ParseBatch("+ 7 a\n+ 7 b", kSchema);
  Router many = Make(Partitioning::kHash, 8, {0});
  many.Receive(batch);
  const Batch* seen = nullptr;
  std::vector<std::vector<Batch>> received;
  for (int target = 0; target < 8; ++target) received.push_back(Received(target));
  for (const auto& batches : received) {
    if (!batches.empty()) seen = &batches[0];
  }
  ASSERT_NE(seen, nullptr);
  EXPECT_EQ(seen->columns[0].get(), batch.columns[0].get());
  channels_.clear();
  Router one = Make(Partitioning::kHash, 1, {0});
  one.Receive(batch);
  EXPECT_EQ(Received(0)[0].columns[0].get(), batch.columns[0].get());
}

TEST_F(RouterTest, WithoutKeysAllRowsGoToOneSubtask) {
  Router router = Make(Partitioning::kHash, 4, {});
  router.Receive(ParseBatch("+ 1 a\n+ 2 b", kSchema));
  router.Receive(ParseBatch("+ 3 c", kSchema));
  int used = 0;
  for (int target = 0; target < 4; ++target) used += Received(target).empty() ? 0 : 1;
  EXPECT_EQ(used, 1);
}

TEST_F(RouterTest, RebalanceGoesRoundAndKeepsTheSplit) {
  Router router = Make(Partitioning::kRebalance, 3);
  for (int i = 0; i < 6; ++i) {
    Batch batch = ParseBatch("+ 1 a", kSchema);
    batch.split = i;
    router.Receive(std::move(batch));
  }
  for (int target = 0; target < 3; ++target) {
    const auto batches = Received(target);
    ASSERT_EQ(batches.size(), 2u);
    EXPECT_EQ(batches[0].split, target);
    EXPECT_EQ(batches[1].split, target + 3);
  }
  channels_[1]->Cancel();
  for (int i = 0; i < 4; ++i) router.Receive(ParseBatch("+ 1 a", kSchema));
  EXPECT_EQ(Received(0).size() + Received(2).size(), 4u);
}

TEST_F(RouterTest, BroadcastsBatchesAndControlMessages) {
  Router router = Make(Partitioning::kBroadcast, 2);
  router.Receive(ParseBatch("+ 1 a", kSchema));
  router.ReceiveSplit({5, SplitEvent::Kind::kStarted, "x"});
  router.ReceiveWatermark(10);
  router.ReceiveIdle(true);
  router.SendBarrier(3);
  router.ReceiveEnd(EndKind::kStop);
  for (auto& channel : channels_) {
    std::vector<Message::Kind> kinds;
    Message message;
    while (channel->Pop(&message)) kinds.push_back(message.kind);
    using Kind = Message::Kind;
    EXPECT_EQ(kinds, (std::vector{Kind::kBatch, Kind::kSplit, Kind::kWatermark, Kind::kIdle, Kind::kBarrier,
                                  Kind::kEnd}));
  }
}

}  // namespace
}  // namespace laminar
