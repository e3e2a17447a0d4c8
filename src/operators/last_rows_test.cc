#include "operators/last_rows.h"

#include <gtest/gtest.h>

#include "formats/changes.h"
#include "support/operator_runner.h"

namespace laminar {
namespace {

const Schema kSchema{{{"id", Type::Int64()}, {"v", Type::Text()}}};

OperatorRunner::Factory Make() {
  return [] { return MakeLastRows({.input = kSchema, .keys = {0}}); };
}

/// Marks all rows as changes that do not know the old row.
Batch WithoutOldRow(Batch batch) {
  std::vector<int32_t> weights;
  for (int64_t row = 0; row < batch.num_rows; ++row) weights.push_back(batch.weight(row) * kWithoutOldRow);
  batch.weights = MakeWeights(weights);
  return batch;
}

TEST(LastRows, WholeChangesPassAsTheyAre) {
  OperatorRunner runner(Make(), {0});
  runner.Push(ParseBatch("+ 1 a\n+ 2 b\n- 1 a\n+ 1 c", kSchema));
  EXPECT_EQ(runner.out.TakeText(), "+ 1 a\n+ 2 b\n- 1 a\n+ 1 c\n");
  runner.Push(ParseBatch("- 3 x\n+ 4 d", kSchema));
  EXPECT_EQ(runner.out.TakeText(), "+ 4 d\n");
}

TEST(LastRows, AChangeWithoutItsOldRowTakesBackTheLastOne) {
  OperatorRunner runner(Make(), {0});
  runner.Push(ParseBatch("+ 1 a\n+ 2 b", kSchema));
  runner.out.TakeText();
  runner.Checkpoint();
  runner.Restore(3);
  runner.Push(WithoutOldRow(ParseBatch("+ 1 c\n+ 1 d", kSchema)));
  EXPECT_EQ(runner.out.TakeText(), "- 1 a\n+ 1 c\n- 1 c\n+ 1 d\n");
  runner.Push(WithoutOldRow(ParseBatch("- 2 NULL\n- 9 NULL\n+ 3 e", kSchema)));
  EXPECT_EQ(runner.out.TakeText().size(), std::string("+ 3 e\n- 2 b\n").size());
  runner.Checkpoint();
  runner.Restore(1);
  runner.Push(WithoutOldRow(ParseBatch("- 1 NULL\n- 2 NULL\n- 3 NULL", kSchema)));
  EXPECT_EQ(runner.out.TakeText(), "- 1 d\n- 3 e\n");
}

TEST(LastRows, WhatWasSentIsTakenBackWhateverTheChangeSays) {
  OperatorRunner runner(Make(), {0});
  runner.Push(ParseBatch("+ 1 a\n- 1 z\n+ 1 b\n+ 1 b", kSchema));
  EXPECT_EQ(runner.out.TakeText(), "+ 1 a\n- 1 a\n+ 1 b\n");
}

}  // namespace
}  // namespace laminar
