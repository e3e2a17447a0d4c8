#include "operators/window_assign.h"

#include <gtest/gtest.h>

#include "support/operator_runner.h"

namespace laminar {
namespace {

const Schema kSchema{{{"ts", Type::Timestamp()}, {"v", Type::Int64()}}};
const Schema kOut{{{"ts", Type::Timestamp()},
                   {"v", Type::Int64()},
                   {"s", Type::Timestamp()},
                   {"e", Type::Timestamp()},
                   {"t", Type::Timestamp()}}};

OperatorRunner::Factory Make(WindowAssignOptions options) {
  return [options] { return MakeWindowAssign(options); };
}
std::string Text(const char* rows) { return FormatBatch(ParseBatch(rows, kOut)); }

TEST(WindowAssign, TumbleFloorsTowardsThePast) {
  OperatorRunner runner(Make({.input = kSchema, .size_us = 10'000, .slide_us = 10'000}), {1});
  runner.Push(ParseBatch("+ 0 1\n+ 9999 2\n+ 10000 3\n- -1 4\n+ NULL 5", kSchema));
  EXPECT_EQ(
      runner.out.TakeText(),
      Text("+ 0 1 0 10000 9000\n+ 9999 2 0 10000 9000\n+ 10000 3 10000 20000 19000\n- -1 4 -10000 0 -1000"));
  EXPECT_EQ(runner.metrics().bad_records.value(), 1);
}

TEST(WindowAssign, HopGivesEachWindowAndDropsClosedOnes) {
  OperatorRunner runner(Make({.input = kSchema, .size_us = 20, .slide_us = 10, .offset_us = 3}), {1});
  runner.Push(ParseBatch("+ 13 1\n+ 12 2", kSchema));
  EXPECT_EQ(runner.out.TakeText(),
            Text("+ 13 1 3 23 -977\n+ 13 1 13 33 -967\n+ 12 2 -7 13 -987\n+ 12 2 3 23 -977"));
  runner.Watermark(23);
  runner.Push(ParseBatch("+ 13 3\n+ 12 4", kSchema));
  EXPECT_EQ(runner.out.TakeText(), Text("+ 13 3 13 33 -967"));
  EXPECT_EQ(runner.late_rows(), 1);
  // Another subtask may have stood further back: what is late after a restore is upstream's to say.
  runner.Checkpoint();
  runner.Restore(1);
  runner.Push(ParseBatch("+ 12 4", kSchema));
  EXPECT_EQ(runner.out.TakeText(), Text("+ 12 4 -7 13 -987\n+ 12 4 3 23 -977"));
}

TEST(WindowAssign, CumulateGrowsToItsSize) {
  OperatorRunner runner(Make({.input = kSchema, .size_us = 30, .slide_us = 10, .cumulate = true}), {1});
  runner.Push(ParseBatch("+ 10 1\n+ -1 2", kSchema));
  EXPECT_EQ(runner.out.TakeText(), Text("+ 10 1 0 20 -980\n+ 10 1 0 30 -970\n+ -1 2 -30 0 -1000"));
}

TEST(WindowAssign, ByProcessingTimeTheClockClosesWindows) {
  OperatorRunner runner(Make({.input = kSchema, .size_us = 20, .slide_us = 10, .processing_time = true}),
                        {1});
  runner.AdvanceTo(15);
  runner.Push(ParseBatch("+ NULL 1", kSchema));
  EXPECT_EQ(runner.out.TakeText(), Text("+ NULL 1 0 20 -980\n+ NULL 1 10 30 -970"));
  runner.Watermark(1000);
  runner.AdvanceTo(19);
  runner.AdvanceTo(20);
  EXPECT_EQ(runner.out.watermarks, (std::vector<int64_t>{15, 20}));
  runner.Checkpoint();
  runner.clock.Set(45);
  runner.Restore(1);
  runner.AdvanceTo(45);
  EXPECT_EQ(runner.out.watermarks, (std::vector<int64_t>{15, 20, 45}));
  runner.End();
  EXPECT_EQ(runner.subtask(0).next_timer_us(), std::nullopt);
}

}  // namespace
}  // namespace laminar
