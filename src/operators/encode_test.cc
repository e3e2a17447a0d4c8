#include "operators/encode.h"

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operators/change_folder.h"
#include "support/collect_output.h"
#include "support/operator_context.h"

namespace laminar {
namespace {

const Schema kSchema{{{"id", Type::Int64()}, {"name", Type::Text()}}};

/// One record per row, or "old>new" for an update when `pairs`.
class TextEncoder final : public Encoder {
 public:
  explicit TextEncoder(bool pairs) : pairs_(pairs) {}
  std::shared_ptr<arrow::BinaryArray> Encode(const Batch& rows) override {
    arrow::BinaryBuilder builder;
    for (int64_t row = 0; row < rows.num_rows; ++row) {
      std::string text = (rows.weight(row) < 0 ? "-" : "+") + FormatRow(rows, row);
      if (pairs_ && rows.weight(row) < 0 && row + 1 < rows.num_rows && rows.weight(row + 1) > 0 &&
          FormatValue(*rows.columns[0], row) == FormatValue(*rows.columns[0], row + 1)) {
        text = FormatRow(rows, row) + ">" + FormatRow(rows, row + 1);
        ++row;
      }
      OrThrow(builder.Append(text));
    }
    return std::static_pointer_cast<arrow::BinaryArray>(OrThrow(builder.Finish()));
  }

 private:
  bool pairs_;
};

class EncodeTest : public ::testing::Test {
 protected:
  std::unique_ptr<Operator> Open(EncodeOptions options) {
    const bool pairs = options.changelog;
    options.make_encoder = [pairs] { return std::make_unique<TextEncoder>(pairs); };
    return bench_.Open(MakeEncode(std::move(options)));
  }
  std::vector<std::string> TakeRecords() {
    std::vector<std::string> records;
    for (const Batch& batch : std::exchange(out_.batches, {})) {
      const auto& column = static_cast<const arrow::BinaryArray&>(*batch.columns[0]);
      for (int64_t row = 0; row < batch.num_rows; ++row) records.push_back(column.GetString(row));
    }
    return records;
  }
  OperatorBench bench_;
  CollectingOutput out_;
};

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(EncodeTest, AppendOnlyRowsAreWrittenAtOnce) {
  auto encode = Open({.time_column = 0});
  encode->OnBatch(0, ParseBatch("+ 1 a\n+ 2 b", kSchema), out_);
  ASSERT_EQ(out_.batches.size(), 1u);
  EXPECT_EQ(FormatValue(*out_.batches[0].columns[1], 1), "2");
  EXPECT_THAT(TakeRecords(), ElementsAre("+1 a", "+2 b"));
  encode->OnFlush(out_);
  EXPECT_THAT(TakeRecords(), IsEmpty());
}

TEST_F(EncodeTest, ChangesAreFoldedPerKeyWithinAFlush) {
  auto encode = Open({.changelog = true, .primary_key = {0}});
  // The halves of 1's update come apart; 2 is inserted and deleted; 3 changes and changes back.
  encode->OnBatch(0, ParseBatch("- 1 a\n+ 2 x\n- 3 c", kSchema), out_);
  encode->OnBatch(0, ParseBatch("+ 3 d\n- 2 x\n+ 1 b", kSchema), out_);
  encode->OnBatch(0, ParseBatch("- 3 d\n+ 3 c\n+ 4 n\n- 5 o", kSchema), out_);
  EXPECT_THAT(TakeRecords(), IsEmpty());
  encode->OnFlush(out_);
  EXPECT_THAT(TakeRecords(), ElementsAre("1 a>1 b", "+4 n", "-5 o"));
  encode->OnFlush(out_);
  EXPECT_THAT(TakeRecords(), IsEmpty());
}

TEST_F(EncodeTest, RowsWithoutWeightsAreInserts) {
  auto encode = Open({.changelog = true, .primary_key = {0}});
  encode->OnBatch(0, ParseBatch("+ 1 a", kSchema), out_);
  encode->OnBatch(0, ParseBatch("- 1 a\n+ 1 b", kSchema), out_);
  encode->OnFlush(out_);
  EXPECT_THAT(TakeRecords(), ElementsAre("+1 b"));
}

TEST_F(EncodeTest, TooMuchIsNotHeld) {
  auto encode = Open({.changelog = true, .primary_key = {0}, .held_rows_max = 2});
  encode->OnBatch(0, ParseBatch("+ 1 a", kSchema), out_);
  EXPECT_THAT(TakeRecords(), IsEmpty());
  encode->OnBatch(0, ParseBatch("- 1 a\n+ 1 b", kSchema), out_);
  EXPECT_THAT(TakeRecords(), ElementsAre("+1 b"));
}

TEST_F(EncodeTest, PiecesNeverPartAnUpdate) {
  auto encode = Open({.changelog = true, .primary_key = {0}});
  std::string text = "+ -1 first\n";
  for (int i = 0; i < 10'000; ++i) {
    text += "- " + std::to_string(i) + " a\n+ " + std::to_string(i) + " b\n";
  }
  encode->OnBatch(0, ParseBatch(text, kSchema), out_);
  encode->OnFlush(out_);
  EXPECT_GT(out_.batches.size(), 1u);
  const auto records = TakeRecords();
  ASSERT_EQ(records.size(), 10'001u);
  for (size_t i = 1; i < records.size(); ++i) EXPECT_THAT(records[i], ::testing::HasSubstr(">")) << i;
}

TEST_F(EncodeTest, EncodesTheColumnsAskedFor) {
  auto encode = Open({.changelog = true, .primary_key = {0}, .columns = {1}});
  encode->OnBatch(0, ParseBatch("+ 1 a\n+ 2 b", kSchema), out_);
  encode->OnFlush(out_);
  EXPECT_THAT(TakeRecords(), ElementsAre("+a", "+b"));
}

TEST(ChangeFolder, WithoutAKeyEqualRowsCancelAndCountsStay) {
  ChangeFolder folder({});
  folder.Add(ParseBatch("+ 1 a\n+ 1 a\n+ 2 NULL", kSchema));
  folder.Add(ParseBatch("- 2 NULL\n- 1 a\n- 3 c\n- 3 c", kSchema));
  EXPECT_EQ(FormatBatch(folder.Fold()), "+ 1 a\n- 3 c\n- 3 c\n");
  EXPECT_EQ(folder.Fold().num_rows, 0);
}

TEST(ChangeFolder, FoldsSlicesAndSeveralRowsOfAKey) {
  const Batch batch = ParseBatch("+ 9 z\n- 1 a\n- 1 b\n+ 1 c\n+ 9 z", kSchema);
  ChangeFolder folder({0});
  folder.Add(Slice(batch, 1, 3));
  EXPECT_EQ(FormatBatch(folder.Fold()), "- 1 a\n+ 1 c\n- 1 b\n");
}

}  // namespace
}  // namespace laminar
