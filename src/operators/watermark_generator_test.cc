#include "operators/watermark_generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/collect_output.h"
#include "support/operator_context.h"

namespace laminar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Schema kSchema{{{"id", Type::Int64()}, {"ts", Type::Timestamp()}}};
constexpr int64_t kSecond = 1'000'000;

Batch Rows(std::string_view text, int32_t split = 0) {
  Batch batch = ParseBatch(text, kSchema);
  batch.split = split;
  return batch;
}

SplitEvent Started(int32_t split, std::string name) {
  return {split, SplitEvent::Kind::kStarted, std::move(name)};
}

class WatermarkGeneratorTest : public ::testing::Test {
 protected:
  std::unique_ptr<Operator> Open(WatermarkOptions options) {
    options.time_column = 1;
    return bench_.Open(MakeWatermarkGenerator(std::move(options)));
  }
  OperatorBench bench_;
  CollectingOutput out_;
};

TEST_F(WatermarkGeneratorTest, FollowsTheRowsByTheDelay) {
  auto generator = Open({.delay_us = 5 * kSecond});
  generator->OnSplit(Started(0, "a"), out_);
  generator->OnBatch(0, Rows("+ 1 00:00:10\n+ 2 00:00:07"), out_);
  generator->OnBatch(0, Rows("+ 3 00:00:08"), out_);
  generator->OnBatch(0, Rows("+ 4 00:00:12"), out_);
  EXPECT_THAT(out_.watermarks, ElementsAre(5 * kSecond, 7 * kSecond));
  EXPECT_THAT(out_.rows_before_watermark, ElementsAre(2, 4));
  EXPECT_TRUE(out_.splits.empty());  // consumed
  EXPECT_TRUE(out_.idles.empty());
}

TEST_F(WatermarkGeneratorTest, IsTheMinimumOverSplits) {
  auto generator = Open({});
  generator->OnSplit(Started(0, "a"), out_);
  generator->OnSplit(Started(1, "b"), out_);
  generator->OnBatch(0, Rows("+ 1 00:00:10", 0), out_);
  EXPECT_TRUE(out_.watermarks.empty());
  generator->OnBatch(0, Rows("+ 1 00:00:04", 1), out_);
  generator->OnSplit({1, SplitEvent::Kind::kFinished, ""}, out_);
  EXPECT_THAT(out_.watermarks, ElementsAre(4 * kSecond, 10 * kSecond));
}

TEST_F(WatermarkGeneratorTest, AnIdleSplitIsLeftOutByTimeAndByWord) {
  auto generator = Open({.idle_time_us = 60 * kSecond});
  generator->OnSplit(Started(0, "a"), out_);
  generator->OnSplit(Started(1, "b"), out_);
  bench_.clock.Advance(kSecond);
  generator->OnBatch(0, Rows("+ 1 00:00:10", 0), out_);
  ASSERT_TRUE(generator->next_timer_us().has_value());
  bench_.clock.Set(*generator->next_timer_us());
  generator->OnTimer(bench_.clock.now_us(), out_);
  EXPECT_THAT(out_.watermarks, ElementsAre(10 * kSecond));
  generator->OnSplit({0, SplitEvent::Kind::kIdle, ""}, out_);
  EXPECT_THAT(out_.idles, ElementsAre(true));
  EXPECT_EQ(generator->next_timer_us(), std::nullopt);
  generator->OnBatch(0, Rows("+ 1 00:00:02", 1), out_);  // late or not is for others to say
  EXPECT_THAT(out_.idles, ElementsAre(true, false));
  EXPECT_THAT(out_.watermarks, ElementsAre(10 * kSecond));
}

TEST_F(WatermarkGeneratorTest, AnIdleTimeOfZeroIsOff) {
  auto generator = Open({.idle_time_us = 0});
  generator->OnSplit(Started(0, "a"), out_);
  EXPECT_EQ(generator->next_timer_us(), std::nullopt);
}

TEST_F(WatermarkGeneratorTest, ANullTimeIsABadRecord) {
  auto fails = Open({.source_name = "bids"});
  EXPECT_THROW(
      {
        try {
          fails->OnBatch(0, Rows("+ 1 NULL"), out_);
        } catch (const QueryError& error) {
          EXPECT_THAT(error.what(), HasSubstr("bad record of bids: the event time is NULL"));
          throw;
        }
      },
      QueryError);
  auto drops = Open({.bad_data = BadDataPolicy::kDrop});
  drops->OnBatch(0, Rows("+ 1 NULL\n+ 2 00:00:03\n+ 3 NULL"), out_);
  EXPECT_EQ(out_.TakeText(), "+ 2 00:00:03\n");
  drops->OnBatch(0, Rows("+ 1 NULL"), out_);
  EXPECT_EQ(out_.TakeText(), "");
  EXPECT_EQ(bench_.metrics.bad_records.value(), 3);
  EXPECT_THAT(out_.watermarks, ElementsAre(3 * kSecond));
}

TEST_F(WatermarkGeneratorTest, ARowFromTheFarFutureDoesNotCloseAllWindows) {
  bench_.clock.Set(100 * kSecond);
  auto generator = Open({.max_future_skew_us = 10 * kSecond, .bad_data = BadDataPolicy::kDrop});
  generator->OnBatch(0, Rows("+ 1 00:01:45\n+ 2 2099-01-01T00:00:00\n+ 3 00:01:50"), out_);
  EXPECT_EQ(out_.TakeText(), "+ 1 00:01:45\n+ 3 00:01:50\n");
  EXPECT_THAT(out_.watermarks, ElementsAre(110 * kSecond));
  EXPECT_EQ(bench_.metrics.bad_records.value(), 1);
}

TEST_F(WatermarkGeneratorTest, NanosecondsRoundDownAlsoBefore1970) {
  const Schema nanos{{{"id", Type::Int64()}, {"ts", Type::Timestamp(9)}}};
  auto generator = Open({});
  generator->OnBatch(0, ParseBatch("+ 1 -1500", nanos), out_);
  generator->OnBatch(0, ParseBatch("+ 1 2999", nanos), out_);
  EXPECT_THAT(out_.watermarks, ElementsAre(-2, 2));
}

TEST_F(WatermarkGeneratorTest, ExpressionsAndSlices) {
  WatermarkOptions options;
  options.watermark = MakeColumn(2, "wm", Type::Timestamp());
  auto generator = Open(std::move(options));
  const Schema schema{{{"id", Type::Int64()}, {"ts", Type::Timestamp()}, {"wm", Type::Timestamp()}}};
  const Batch batch = ParseBatch("+ 1 00:00:09 00:00:09\n+ 2 00:00:05 00:00:02\n+ 3 00:00:06 NULL", schema);
  generator->OnBatch(0, Slice(batch, 1, 2), out_);
  EXPECT_THAT(out_.watermarks, ElementsAre(2 * kSecond));
  generator->OnBatch(0, Slice(batch, 2, 1), out_);
  EXPECT_THAT(out_.watermarks, ElementsAre(2 * kSecond));
}

TEST_F(WatermarkGeneratorTest, AWatermarkOfTheSourceCountsToo) {
  auto generator = Open({});
  generator->OnBatch(0, Rows("+ 1 00:00:05"), out_);
  generator->OnWatermark(20 * kSecond, out_);
  generator->OnBatch(0, Rows("+ 1 00:00:15"), out_);
  EXPECT_THAT(out_.watermarks, ElementsAre(5 * kSecond, 20 * kSecond));
  generator->OnIdle(true, out_);
  generator->OnIdle(false, out_);
  EXPECT_THAT(out_.idles, ElementsAre(true, false));
}

TEST_F(WatermarkGeneratorTest, ARestoredJobGoesOnFromTheSameWatermark) {
  MemorySnapshot snapshot;
  {
    auto generator = Open({});
    generator->OnSplit(Started(3, "a"), out_);
    generator->OnSplit(Started(4, "b"), out_);
    generator->OnBatch(0, Rows("+ 1 00:00:30", 3), out_);
    generator->OnBatch(0, Rows("+ 1 00:00:20", 4), out_);
    generator->OnSplit({4, SplitEvent::Kind::kIdle, ""}, out_);
    generator->Snapshot(*snapshot.Writer());
  }
  out_ = {};
  auto restored = MakeWatermarkGenerator({.time_column = 1});
  restored->Restore(*snapshot.Reader({}));
  restored->Open(bench_.Context());
  ASSERT_TRUE(restored->next_timer_us().has_value());
  restored->OnTimer(bench_.clock.now_us(), out_);  // before any split is known
  EXPECT_THAT(out_.watermarks, ElementsAre(30 * kSecond));
  restored->OnSplit(Started(0, "a"), out_);
  restored->OnSplit(Started(1, "b"), out_);
  EXPECT_TRUE(out_.idles.empty());
  restored->OnBatch(0, Rows("+ 1 00:00:40", 0), out_);
  EXPECT_THAT(out_.watermarks, ElementsAre(30 * kSecond, 40 * kSecond));  // b is still idle
}

TEST_F(WatermarkGeneratorTest, RescalingTakesTheLowestViewAndForgetsOldSubtasks) {
  MemorySnapshot snapshot;
  for (int subtask : {0, 1, 2}) {
    auto generator = MakeWatermarkGenerator({.time_column = 1});
    generator->Open(bench_.Context(subtask, 3));
    generator->OnSplit(Started(0, "a/b"), out_);
    generator->OnBatch(0, Rows("+ 1 00:00:" + std::to_string(30 - subtask * 10)), out_);
    generator->Snapshot(*snapshot.Writer());
  }
  std::vector<std::unique_ptr<Operator>> two;
  for (int subtask : {0, 1}) {
    CollectingOutput out;
    two.push_back(MakeWatermarkGenerator({.time_column = 1}));
    two.back()->Restore(*snapshot.Reader(KeyGroupRange::Of(subtask, 2)));
    two.back()->Open(bench_.Context(subtask, 2));
    two.back()->OnSplit(Started(0, "a/b"), out);
    EXPECT_THAT(out.watermarks, ElementsAre(10 * kSecond));
    two.back()->OnBatch(0, Rows("+ 1 00:00:40"), out);
    EXPECT_THAT(out.watermarks, ElementsAre(10 * kSecond, 40 * kSecond));
  }
  for (auto& generator : two) generator->Snapshot(*snapshot.Writer());
  EXPECT_EQ(snapshot.num_entries(), 4);  // two subtasks with one split and what was sent
  CollectingOutput out;
  auto one = MakeWatermarkGenerator({.time_column = 1});
  one->Restore(*snapshot.Reader({}));
  one->Open(bench_.Context());
  one->OnSplit(Started(0, "a/b"), out);
  EXPECT_THAT(out.watermarks, ElementsAre(40 * kSecond));
}

}  // namespace
}  // namespace laminar
