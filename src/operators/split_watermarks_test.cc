#include "operators/split_watermarks.h"

#include <gtest/gtest.h>

namespace laminar {
namespace {

TEST(SplitWatermarks, AStartedSplitHoldsBackUntilItHasSentOne) {
  SplitWatermarks splits(0);
  EXPECT_TRUE(splits.idle());
  splits.Start(0, "a", 0);
  splits.Start(1, "b", 0);
  EXPECT_FALSE(splits.idle());
  splits.Touch(0, 0);
  splits.Advance(0, 10);
  EXPECT_EQ(splits.watermark_us(), kMinWatermark);
  splits.Touch(1, 0);
  splits.Advance(1, 5);
  EXPECT_EQ(splits.watermark_us(), 5);
  splits.Advance(1, 50);
  EXPECT_EQ(splits.watermark_us(), 10);
  splits.Start(2, "c", 0);  // a late one holds back, and pulls nothing back
  splits.Advance(0, 60);
  EXPECT_EQ(splits.watermark_us(), 10);
  splits.Finish(2);
  EXPECT_EQ(splits.watermark_us(), 50);
}

TEST(SplitWatermarks, FinishedAndIdleSplitsAreLeftOut) {
  SplitWatermarks splits(0);
  for (int32_t split : {0, 1, 2}) {
    splits.Start(split, std::to_string(split), 0);
    splits.Touch(split, 0);
    splits.Advance(split, 10 * (split + 1));
  }
  EXPECT_EQ(splits.watermark_us(), 10);
  splits.MarkIdle(0);
  EXPECT_EQ(splits.watermark_us(), 20);
  splits.Finish(1);
  EXPECT_EQ(splits.watermark_us(), 30);
  splits.MarkIdle(2);
  EXPECT_TRUE(splits.idle());
  EXPECT_EQ(splits.watermark_us(), 30);
  splits.Touch(0, 0);  // wakes up behind
  EXPECT_FALSE(splits.idle());
  splits.Advance(0, 15);
  EXPECT_EQ(splits.watermark_us(), 30);
  splits.Advance(0, 40);
  EXPECT_EQ(splits.watermark_us(), 40);
}

TEST(SplitWatermarks, ASplitWithoutRowsExpires) {
  SplitWatermarks splits(100);
  splits.Start(0, "a", 0);
  splits.Start(1, "b", 0);
  splits.Touch(0, 50);
  splits.Advance(0, 1000);
  EXPECT_EQ(splits.next_expiry_us(), 100);
  splits.Expire(99);
  EXPECT_EQ(splits.watermark_us(), kMinWatermark);
  splits.Expire(100);  // b, since its start
  EXPECT_EQ(splits.watermark_us(), 1000);
  EXPECT_EQ(splits.next_expiry_us(), 150);
  splits.Expire(150);
  EXPECT_TRUE(splits.idle());
  EXPECT_EQ(splits.next_expiry_us(), std::nullopt);
  splits.Touch(1, 160);
  EXPECT_EQ(splits.next_expiry_us(), 260);
}

TEST(SplitWatermarks, RestoredSplitsGoOnWhereTheyWere) {
  SplitWatermarks splits(0);
  splits.Restore("a", {40, false});
  splits.Restore("b", {20, true});
  splits.RestoreWatermark(40);
  EXPECT_EQ(splits.watermark_us(), 40);
  splits.Start(1, "b", 0);
  EXPECT_TRUE(splits.idle());  // was idle, has no row yet
  splits.Start(0, "a", 0);
  EXPECT_FALSE(splits.idle());
  splits.Touch(0, 0);
  splits.Advance(0, 30);
  EXPECT_EQ(splits.watermark_us(), 40);
  splits.Advance(0, 50);
  EXPECT_EQ(splits.watermark_us(), 50);
}

TEST(SplitWatermarks, RestoredSplitThatStartsFirstDoesNotPassOneThatStoodBehindIt) {
  SplitWatermarks splits(0);
  splits.Restore("ahead", {90, false});
  splits.Restore("behind", {kMinWatermark, false});
  splits.Start(0, "ahead", 0);
  EXPECT_EQ(splits.watermark_us(), kMinWatermark);
  splits.Start(1, "behind", 0);
  splits.Touch(0, 0);
  splits.Advance(0, 91);
  EXPECT_EQ(splits.watermark_us(), kMinWatermark);
  splits.Touch(1, 0);
  splits.Advance(1, 10);
  EXPECT_EQ(splits.watermark_us(), 10);
}

}  // namespace
}  // namespace laminar
