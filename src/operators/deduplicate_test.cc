#include "operators/deduplicate.h"

#include <gtest/gtest.h>

#include "support/operator_runner.h"

namespace laminar {
namespace {

const Schema kSchema{{{"k", Type::Text()}, {"ts", Type::Timestamp()}, {"v", Type::Int64()}}};

OperatorRunner::Factory Make(int time_column, int64_t ttl_us = 0) {
  return [=] {
    return MakeDeduplicate({.input = kSchema, .keys = {0}, .time_column = time_column, .ttl_us = ttl_us});
  };
}

TEST(Deduplicate, ByArrivalTheFirstRowGoesOutAtOnce) {
  OperatorRunner runner(Make(-1), {0});
  runner.Push(ParseBatch("+ a 5 1\n+ a 1 2\n+ NULL 1 3\n+ NULL 1 4\n+ b 1 5", kSchema));
  EXPECT_EQ(runner.out.TakeText(),
            "+ a 00:00:00.000005 1\n+ NULL 00:00:00.000001 3\n+ b 00:00:00.000001 5\n");
  runner.Checkpoint();
  runner.Restore(3);
  runner.Push(ParseBatch("+ b 1 6\n+ NULL 1 7\n+ c 1 8\n+ a 1 9", kSchema));
  EXPECT_EQ(runner.out.TakeText(), "+ c 00:00:00.000001 8\n");
}

TEST(Deduplicate, ByTimeTheEarliestRowGoesOutWhenTheWatermarkReachesIt) {
  OperatorRunner runner(Make(1), {0});
  runner.Push(ParseBatch("+ a 5 1\n+ a 3 2\n+ a 3 3\n+ a 4 4\n+ b 9 5\n+ c NULL 6", kSchema));
  EXPECT_EQ(runner.metrics().bad_records.value(), 1);
  runner.Watermark(2);
  EXPECT_EQ(runner.out.TakeText(), "");
  runner.Checkpoint();
  runner.Restore(2);
  runner.Push(ParseBatch("+ b 8 6", kSchema));
  runner.Watermark(3);
  EXPECT_EQ(runner.out.TakeText(), "+ a 00:00:00.000003 2\n");
  runner.Checkpoint();
  runner.Restore(1);
  runner.Push(ParseBatch("+ a 3 7\n+ a 20 8\n+ b 8 9", kSchema));
  runner.End();
  EXPECT_EQ(runner.out.TakeText(), "+ b 00:00:00.000008 6\n");
}

TEST(Deduplicate, ALateRowOfAnOpenKeyStillCounts) {
  OperatorRunner runner(Make(1), {0});
  runner.Watermark(100);
  runner.Push(ParseBatch("+ a 7 1\n+ a 5 2", kSchema));
  EXPECT_EQ(runner.out.TakeText(), "+ a 00:00:00.000005 2\n");
  runner.Push(ParseBatch("+ a 1 3", kSchema));
  EXPECT_EQ(runner.out.TakeText(), "");
}

TEST(Deduplicate, ForgetsKeysAfterTheTtl) {
  OperatorRunner runner(Make(-1, 8'000'000), {0});
  runner.Push(ParseBatch("+ a 1 1\n+ b 1 1", kSchema));
  runner.AdvanceTo(5'000'000);
  runner.Push(ParseBatch("+ a 1 2", kSchema));
  runner.AdvanceTo(10'000'000);
  EXPECT_EQ(runner.metrics().expired_keys.value(), 1);
  runner.out.TakeText();
  runner.Push(ParseBatch("+ a 1 3\n+ b 1 4", kSchema));
  EXPECT_EQ(runner.out.TakeText(), "+ b 00:00:00.000001 4\n");
}

TEST(Deduplicate, WithoutKeysThereIsOne) {
  OperatorRunner runner([] { return MakeDeduplicate({.input = kSchema, .keys = {}}); }, {});
  runner.Push(Slice(ParseBatch("+ a 1 1\n+ b 1 2\n+ c 1 3", kSchema), 1, 2));
  EXPECT_EQ(runner.out.TakeText(), "+ b 00:00:00.000001 2\n");
}

}  // namespace
}  // namespace laminar
