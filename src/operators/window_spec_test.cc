#include "operators/window_spec.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace laminar {
namespace {

TEST(PaneGridTest, TumbleFloorsTowardsMinusInfinity) {
  const PaneGrid grid({.kind = WindowKind::kTumble, .size_us = 10});
  EXPECT_EQ(grid.PaneStart(0), 0);
  EXPECT_EQ(grid.PaneStart(9), 0);
  EXPECT_EQ(grid.PaneStart(10), 10);
  EXPECT_EQ(grid.PaneStart(-1), -10);
  EXPECT_EQ(grid.PaneStart(-10), -10);
  EXPECT_EQ(grid.PaneStart(-11), -20);
  EXPECT_EQ(grid.FirstEnd(-10), 0);
  EXPECT_EQ(grid.LastEnd(-10), 0);
  EXPECT_EQ(grid.WindowStart(0), -10);
}

TEST(PaneGridTest, OffsetMovesWindows) {
  const PaneGrid grid({.kind = WindowKind::kTumble, .size_us = 10, .offset_us = 13});
  EXPECT_EQ(grid.PaneStart(2), -7);
  EXPECT_EQ(grid.PaneStart(3), 3);
  EXPECT_EQ(grid.FirstEnd(3), 13);
}

/// All windows [start, end) that hold a time, by definition.
std::vector<std::pair<int64_t, int64_t>> WindowsOf(const WindowSpec& spec, int64_t time) {
  std::vector<std::pair<int64_t, int64_t>> windows;
  for (int64_t n = -200; n < 200; ++n) {
    if (spec.kind == WindowKind::kCumulate) {
      const int64_t start = spec.offset_us + n * spec.size_us;
      for (int64_t end = start + spec.slide_us;; end += spec.slide_us) {
        end = std::min(end, start + spec.size_us);
        if (start <= time && time < end) windows.push_back({start, end});
        if (end == start + spec.size_us) break;
      }
    } else {
      const int64_t start =
          spec.offset_us + n * (spec.kind == WindowKind::kHop ? spec.slide_us : spec.size_us);
      if (start <= time && time < start + spec.size_us) windows.push_back({start, start + spec.size_us});
    }
  }
  return windows;
}

TEST(PaneGridTest, EnumeratesTheWindowsOfEachTime) {
  std::mt19937_64 rng(1);
  for (int trial = 0; trial < 2000; ++trial) {
    WindowSpec spec;
    spec.kind = static_cast<WindowKind>(rng() % 3);
    spec.slide_us = 1 + static_cast<int64_t>(rng() % 6);
    spec.size_us = spec.slide_us * (1 + static_cast<int64_t>(rng() % 5));
    spec.offset_us = static_cast<int64_t>(rng() % 40) - 20;
    const PaneGrid grid(spec);
    const int64_t time = static_cast<int64_t>(rng() % 100) - 50;
    const auto expected = WindowsOf(spec, time);
    ASSERT_FALSE(expected.empty());
    const int64_t pane = grid.PaneStart(time);
    ASSERT_LE(pane, time);
    ASSERT_LT(time, pane + grid.pane_us());
    ASSERT_EQ(grid.FirstEnd(pane), expected.front().second) << trial;
    ASSERT_EQ(grid.LastEnd(pane), expected.back().second) << trial;
    int64_t closed = INT64_MIN;
    for (const auto& [start, end] : expected) {
      ASSERT_EQ(grid.NextEnd(pane, closed), end);
      ASSERT_EQ(grid.WindowStart(end), start);
      closed = end;
    }
  }
}

}  // namespace
}  // namespace laminar
