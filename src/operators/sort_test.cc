#include "operators/sort.h"

#include <gtest/gtest.h>

#include "support/operator_runner.h"

namespace laminar {
namespace {

const Schema kSchema{
    {{"s", Type::Timestamp()}, {"e", Type::Timestamp()}, {"x", Type::Double()}, {"v", Type::Text()}}};
const Schema kPlain{{{"x", Type::Double()}, {"v", Type::Text()}}};

TEST(Sort, SortsAtTheEndOfInput) {
  auto make = [] {
    return MakeSort(
        {.input = kPlain, .order_columns = {0, 1}, .order = {{}, {.descending = true, .nulls_first = true}}});
  };
  OperatorRunner runner(make, {});
  runner.Push(ParseBatch("+ 2 a\n+ NULL b\n+ 1 a\n+ 1 c", kPlain));
  runner.Watermark(1'000'000);
  EXPECT_EQ(runner.out.num_rows(), 0);
  runner.Checkpoint();
  runner.Restore(1);
  runner.Push(ParseBatch("+ -0.5 z\n+ 1 NULL\n+ nan n\n- 1 a\n+2 7 t", kPlain));
  runner.End();
  EXPECT_EQ(runner.out.TakeText(), "+ -0.5 z\n+ 1 NULL\n+ 1 c\n+ 2 a\n+ 7 t\n+ 7 t\n+ nan n\n+ NULL b\n");
}

TEST(Sort, SortsEachWindowWhenItCloses) {
  auto make = [] {
    return MakeSort({.input = kSchema,
                     .order_columns = {2},
                     .order = {{}},
                     .per_window = true,
                     .window_start = 0,
                     .window_end = 1});
  };
  OperatorRunner runner(make, {0});
  runner.Push(ParseBatch("+ 10 20 1 a\n+ 0 10 3 b\n+ 0 10 2 c\n+ 0 10 3 d\n+ 0 10 NULL e", kSchema));
  runner.Checkpoint();
  runner.Restore(1);
  runner.Push(ParseBatch("+ 0 10 3 f", kSchema));
  runner.Watermark(10);
  auto text = [](const char* rows) { return FormatBatch(ParseBatch(rows, kSchema)); };
  EXPECT_EQ(runner.out.TakeText(), text("+ 0 10 2 c\n+ 0 10 3 b\n+ 0 10 3 d\n+ 0 10 3 f\n+ 0 10 NULL e"));
  runner.Push(ParseBatch("+ 0 10 1 g\n+ 10 20 0 h", kSchema));
  EXPECT_EQ(runner.late_rows(), 1);
  runner.End();
  EXPECT_EQ(runner.out.TakeText(), text("+ 10 20 0 h\n+ 10 20 1 a"));
  EXPECT_EQ(runner.metrics().state_rows.value(), 0);
}

}  // namespace
}  // namespace laminar
