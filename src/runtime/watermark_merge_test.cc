#include "runtime/watermark_merge.h"

#include <gtest/gtest.h>

namespace laminar {
namespace {

TEST(WatermarkMerge, IsTheMinimumOnceAllHaveOne) {
  WatermarkMerge merge(2);
  merge.Advance(0, 10);
  EXPECT_EQ(merge.watermark_us(), kMinWatermark);
  merge.Advance(1, 5);
  EXPECT_EQ(merge.watermark_us(), 5);
  merge.Advance(1, 20);
  EXPECT_EQ(merge.watermark_us(), 10);
  merge.Advance(0, 3);  // ignored
  EXPECT_EQ(merge.watermark_us(), 10);
}

TEST(WatermarkMerge, AnIdleInputIsLeftOutAndDoesNotPullBackWhenItWakes) {
  WatermarkMerge merge(2);
  merge.Advance(0, 10);
  merge.SetIdle(1, true);
  EXPECT_EQ(merge.watermark_us(), 10);
  merge.SetIdle(1, false);
  EXPECT_EQ(merge.watermark_us(), 10);
  merge.Advance(1, 5);
  EXPECT_EQ(merge.watermark_us(), 10);
  merge.Advance(0, 30);
  EXPECT_EQ(merge.watermark_us(), 10);  // held by input 1, which is behind at 5
  merge.Advance(1, 25);
  EXPECT_EQ(merge.watermark_us(), 25);
}

TEST(WatermarkMerge, StaysWhenAllAreIdle) {
  WatermarkMerge merge(2);
  merge.Advance(0, 10);
  merge.Advance(1, 5);
  merge.SetIdle(1, true);
  EXPECT_EQ(merge.watermark_us(), 10);
  merge.SetIdle(0, true);
  EXPECT_EQ(merge.watermark_us(), 10);
  EXPECT_TRUE(merge.idle());
  merge.SetIdle(1, false);
  EXPECT_FALSE(merge.idle());
  EXPECT_EQ(merge.watermark_us(), 10);
}

TEST(WatermarkMerge, AnEndedInputCountsAsInfinityNotAsIdle) {
  WatermarkMerge merge(2);
  merge.Advance(0, 10);
  merge.End(1);
  EXPECT_EQ(merge.watermark_us(), 10);
  EXPECT_FALSE(merge.idle());
  merge.End(0);
  EXPECT_EQ(merge.watermark_us(), kMaxWatermark);
  EXPECT_FALSE(merge.idle());
}

TEST(WatermarkMerge, AnEndedInputBesideAnIdleOneDoesNotMakeItsRowsLate) {
  WatermarkMerge merge(2);
  merge.Advance(0, 10);
  merge.Advance(1, 10);
  merge.SetIdle(0, true);
  merge.End(1);
  EXPECT_EQ(merge.watermark_us(), 10);
  EXPECT_FALSE(merge.idle());  // idleness is not announced: what comes with the end must not be late
  merge.End(0);                // an idle input that ends
  EXPECT_EQ(merge.watermark_us(), kMaxWatermark);
}

TEST(WatermarkMerge, GoesOnFromARestoredWatermark) {
  WatermarkMerge merge(1);
  merge.Restore(100);
  merge.Advance(0, 50);
  EXPECT_EQ(merge.watermark_us(), 100);
  merge.Advance(0, 150);
  EXPECT_EQ(merge.watermark_us(), 150);
}

}  // namespace
}  // namespace laminar
