#include "types/batch.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "support/batch_text.h"

namespace laminar {
namespace {

const Schema kSchema{{{"id", Type::Int64()}, {"name", Type::Text()}, {"at", Type::Timestamp()}}};

TEST(BatchTextTest, ParsesWhatItPrints) {
  const char* text =
      "+ 1 a 00:00:05\n- 2 NULL 2024-02-29T12:00:00.5\n+ NULL 'two ''words''' NULL\n+3 4 '' "
      "1969-12-31T23:59:59\n";
  const Batch batch = ParseBatch(text, kSchema);
  EXPECT_EQ(batch.num_rows, 4);
  EXPECT_EQ(FormatBatch(batch), text);
  EXPECT_EQ(ParseBatch("\n  + 1 a 0\n\n", kSchema).weights, nullptr);
  EXPECT_EQ(FormatBatch(ParseBatch("+ 1 'NULL' 7000001", kSchema)), "+ 1 'NULL' 00:00:07.000001\n");
  EXPECT_EQ(FormatBatch(ParseBatch("+ 1.50 true -3 1.5", Schema{{{"d", Type::Decimal(9, 2)},
                                                                 {"b", Type::Boolean()},
                                                                 {"i", Type::Int8()},
                                                                 {"f", Type::Double()}}})),
            "+ 1.50 true -3 1.5\n");
}

TEST(BatchTest, SliceTakeConcat) {
  const Batch batch = ParseBatch("+ 1 a 0\n- 2 b 1\n+ 3 c 2\n+ 4 d 3", kSchema);
  const Batch middle = Slice(batch, 1, 2);
  EXPECT_EQ(FormatBatch(middle), "- 2 b 00:00:00.000001\n+ 3 c 00:00:00.000002\n");
  EXPECT_EQ(middle.weight(0), -1);
  EXPECT_EQ(FormatBatch(Take(middle, std::vector<int32_t>{1, 0, 1})),
            "+ 3 c 00:00:00.000002\n- 2 b 00:00:00.000001\n+ 3 c 00:00:00.000002\n");
  EXPECT_EQ(Take(middle, std::vector<int32_t>{}).num_rows, 0);
  Batch plain = ParseBatch("+ 9 z 0", kSchema);
  plain.split = 4;
  const Batch both = Concat({plain, middle});
  EXPECT_EQ(FormatBatch(both), "+ 9 z 00:00:00\n- 2 b 00:00:00.000001\n+ 3 c 00:00:00.000002\n");
  EXPECT_EQ(both.split, -1);
  EXPECT_EQ(Concat({plain, plain}).split, 4);
  EXPECT_EQ(Concat({plain, plain}).weights, nullptr);
}

TEST(BatchTest, SliceOfAllIsTheSameBatch) {
  const Batch batch = ParseBatch("+ 1 a 0\n+ 2 b 1", kSchema);
  EXPECT_EQ(Slice(batch, 0, 2).columns[0].get(), batch.columns[0].get());
}

TEST(BatchTest, RecordBatchRoundTripAndEmpty) {
  const Batch batch = ParseBatch("+ 1 a 0\n+ 2 NULL 1", kSchema);
  const auto rows = ToRecordBatch(batch, kSchema);
  ASSERT_TRUE(rows->ValidateFull().ok());
  EXPECT_EQ(FormatBatch(FromRecordBatch(*rows)), FormatBatch(batch));
  const Batch none = EmptyBatch(kSchema);
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.columns.size(), 3u);
  EXPECT_EQ(none.columns[2]->length(), 0);
}

TEST(BatchTest, ByteSizeGrowsWithRowsAndFollowsSlices) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "+ 1 abcdefgh 0\n";
  const Batch batch = ParseBatch(text, kSchema);
  EXPECT_GT(ByteSize(batch), 24'000);
  EXPECT_LT(ByteSize(Slice(batch, 0, 10)), 1'000);
}

}  // namespace
}  // namespace laminar
