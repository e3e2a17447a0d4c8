#include "operators/limit.h"

#include <gtest/gtest.h>

#include "support/collect_output.h"
#include "support/operator_context.h"

namespace laminar {
namespace {

const Schema kSchema{{{"n", Type::Int64()}}};

TEST(Limit, CutsABatchSkipsAndSaysWhenItHasEnough) {
  OperatorBench bench;
  CollectingOutput out;
  auto limit = bench.Open(MakeLimit({.limit = 3, .offset = 2}));
  EXPECT_FALSE(bench.finished);
  limit->OnBatch(0, ParseBatch("+ 1", kSchema), out);
  EXPECT_EQ(out.TakeText(), "");
  limit->OnBatch(0, ParseBatch("+ 2\n+ 3\n+ 4", kSchema), out);
  EXPECT_EQ(out.TakeText(), "+ 3\n+ 4\n");
  EXPECT_FALSE(bench.finished);
  limit->OnBatch(0, ParseBatch("+ 5\n+ 6", kSchema), out);
  EXPECT_EQ(out.TakeText(), "+ 5\n");
  EXPECT_TRUE(bench.finished);
}

TEST(Limit, OfNothingIsFinishedBeforeAnyRow) {
  OperatorBench bench;
  bench.Open(MakeLimit({.limit = 0}));
  EXPECT_TRUE(bench.finished);
}

TEST(Limit, OffsetAloneNeverHasEnough) {
  OperatorBench bench;
  CollectingOutput out;
  auto limit = bench.Open(MakeLimit({.limit = std::nullopt, .offset = 1}));
  limit->OnBatch(0, ParseBatch("+ 1\n+ 2", kSchema), out);
  limit->OnBatch(0, ParseBatch("+ 3", kSchema), out);
  EXPECT_EQ(out.TakeText(), "+ 2\n+ 3\n");
  EXPECT_FALSE(bench.finished);
}

TEST(Limit, GoesOnCountingAfterARestore) {
  OperatorBench bench;
  CollectingOutput out;
  MemorySnapshot snapshot;
  auto limit = bench.Open(MakeLimit({.limit = 3, .offset = 1}));
  limit->OnBatch(0, ParseBatch("+ 1\n+ 2\n+ 3", kSchema), out);
  limit->Snapshot(*snapshot.Writer());
  EXPECT_EQ(out.TakeText(), "+ 2\n+ 3\n");

  auto restored = MakeLimit({.limit = 3, .offset = 1});
  restored->Restore(*snapshot.Reader({}));
  restored->Open(bench.Context());
  EXPECT_FALSE(bench.finished);
  restored->OnBatch(0, ParseBatch("+ 4\n+ 5", kSchema), out);
  EXPECT_EQ(out.TakeText(), "+ 4\n");
  EXPECT_TRUE(bench.finished);
  restored->Snapshot(*snapshot.Writer());

  bench.finished = false;
  auto done = MakeLimit({.limit = 3, .offset = 1});
  done->Restore(*snapshot.Reader({}));
  done->Open(bench.Context());
  EXPECT_TRUE(bench.finished);
}

}  // namespace
}  // namespace laminar
