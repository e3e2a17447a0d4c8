#include "state/key_group.h"

#include <gtest/gtest.h>

namespace laminar {
namespace {

TEST(KeyGroupTest, RangesTileAllGroups) {
  for (int parallelism : {1, 2, 3, 7, 1024}) {
    int next = 0;
    for (int subtask = 0; subtask < parallelism; ++subtask) {
      const KeyGroupRange range = KeyGroupRange::Of(subtask, parallelism);
      EXPECT_EQ(range.begin, next);
      next = range.end;
      for (int group = range.begin; group < range.end; ++group) {
        EXPECT_EQ(SubtaskOf(static_cast<uint16_t>(group), parallelism), subtask);
      }
    }
    EXPECT_EQ(next, kKeyGroups);
  }
}

}  // namespace
}  // namespace laminar
