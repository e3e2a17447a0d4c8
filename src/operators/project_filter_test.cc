#include "operators/project_filter.h"

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/collect_output.h"
#include "support/operator_context.h"

namespace laminar {
namespace {

const Schema kSchema{{{"id", Type::Int64()}, {"name", Type::Text()}, {"flag", Type::Boolean()}}};
constexpr char kFour[] = "+ 1 a true\n+ 2 b false\n+ 3 c NULL\n+ 4 d true";

/// `input` + 1; NULL stays NULL. Counts its evaluations.
class Successor final : public Expression {
 public:
  Successor(ExpressionPtr input, int* calls)
      : Expression(Type::Int64()), input_(std::move(input)), calls_(calls) {}
  arrow::Result<arrow::Datum> Evaluate(const Batch& rows, const EvalContext& context) const override {
    ++*calls_;
    const auto column = EvaluateToArray(*input_, rows, context);
    arrow::Int64Builder builder;
    for (int64_t i = 0; i < rows.num_rows; ++i) {
      const auto& values = static_cast<const arrow::Int64Array&>(*column);
      ARROW_RETURN_NOT_OK(values.IsNull(i) ? builder.AppendNull() : builder.Append(values.Value(i) + 1));
    }
    return arrow::Datum(OrThrow(builder.Finish()));
  }
  std::string ToString() const override { return "successor(" + input_->ToString() + ")"; }
  std::vector<ExpressionPtr> children() const override { return {input_}; }
  ExpressionPtr WithChildren(std::vector<ExpressionPtr> children) const override {
    return std::make_shared<Successor>(children[0], calls_);
  }

 private:
  ExpressionPtr input_;
  int* calls_;
};

ExpressionPtr Column(int index) {
  return MakeColumn(index, kSchema.fields[static_cast<size_t>(index)].name,
                    kSchema.fields[static_cast<size_t>(index)].type);
}

class ProjectFilterTest : public ::testing::Test {
 protected:
  void Run(ProjectFilterOptions options, const Batch& batch) {
    bench_.Open(MakeProjectFilter(std::move(options)))->OnBatch(0, batch, out_);
  }
  OperatorBench bench_;
  CollectingOutput out_;
  int calls_ = 0;
};

TEST_F(ProjectFilterTest, KeepsRowsWhereTheFilterIsTrue) {
  Run({.filter = Column(2)}, ParseBatch(kFour, kSchema));
  EXPECT_EQ(out_.TakeText(), "+ 1 a true\n+ 4 d true\n");
}

TEST_F(ProjectFilterTest, PassesColumnsWithoutCopyAndReadsOnlyWhatItNeeds) {
  const Batch batch = ParseBatch(kFour, kSchema);
  Run({.columns = std::vector{Column(1), Column(0), Column(1)}}, batch);
  ASSERT_EQ(out_.batches.size(), 1u);
  EXPECT_EQ(out_.batches[0].columns[0].get(), batch.columns[1].get());
  EXPECT_EQ(out_.batches[0].columns[1].get(), batch.columns[0].get());
  out_.batches.clear();
  Run({.filter = Column(2),
       .columns = std::vector<ExpressionPtr>{std::make_shared<Successor>(Column(0), &calls_)}},
      batch);
  EXPECT_EQ(out_.TakeText(), "+ 2\n+ 5\n");
  EXPECT_EQ(calls_, 1);
}

TEST_F(ProjectFilterTest, AFilterThatAllRowsPassCopiesNothing) {
  const Batch batch = ParseBatch("+ 1 a true\n+ 2 b true", kSchema);
  Run({.filter = Column(2)}, batch);
  EXPECT_EQ(out_.batches[0].columns[1].get(), batch.columns[1].get());
}

TEST_F(ProjectFilterTest, SendsNoEmptyBatch) {
  Run({.filter = Column(2)}, ParseBatch("+ 1 a false\n+ 2 b NULL", kSchema));
  EXPECT_TRUE(out_.batches.empty());
}

TEST_F(ProjectFilterTest, WeightsSplitAndSlices) {
  Batch batch = ParseBatch("+ 0 x true\n- 1 a true\n+ 2 b false\n+3 3 c true\n+ 4 d false", kSchema);
  batch.split = 5;
  Run({.filter = Column(2), .columns = std::vector{Column(1)}}, Slice(batch, 1, 3));
  ASSERT_EQ(out_.batches.size(), 1u);
  EXPECT_EQ(out_.batches[0].split, 5);
  EXPECT_EQ(out_.TakeText(), "- a\n+3 c\n");
}

TEST_F(ProjectFilterTest, LiteralsAndNoColumnsAtAll) {
  Run({.columns = std::vector{MakeInt64(7), Column(0)}}, ParseBatch(kFour, kSchema));
  EXPECT_EQ(out_.TakeText(), "+ 7 1\n+ 7 2\n+ 7 3\n+ 7 4\n");
  Run({.filter = Column(2), .columns = std::vector<ExpressionPtr>{}}, ParseBatch(kFour, kSchema));
  ASSERT_EQ(out_.batches.size(), 1u);
  EXPECT_EQ(out_.batches[0].num_rows, 2);
}

TEST_F(ProjectFilterTest, TwoInARowFuse) {
  const auto next = std::make_shared<Successor>(Column(0), &calls_);
  const ProjectFilterOptions first{.filter = Column(2),
                                   .columns = std::vector<ExpressionPtr>{next, Column(1), Column(2)}};
  const ProjectFilterOptions second{.filter = MakeColumn(2, "flag", Type::Boolean()),
                                    .columns = std::vector<ExpressionPtr>{std::make_shared<Successor>(
                                        MakeColumn(0, "next", Type::Int64()), &calls_)}};
  const auto fused = Fuse(first, second);
  ASSERT_TRUE(fused.has_value());
  Run(*fused, ParseBatch(kFour, kSchema));
  EXPECT_EQ(out_.TakeText(), "+ 3\n+ 6\n");

  const auto column = MakeColumn(0, "next", Type::Int64());
  EXPECT_FALSE(Fuse(first, {.columns = std::vector<ExpressionPtr>{column, column}}).has_value());
  const auto filters = Fuse({.filter = Column(2)}, {.columns = std::vector{Column(1)}});
  ASSERT_TRUE(filters.has_value());
  Run(*filters, ParseBatch(kFour, kSchema));
  EXPECT_EQ(out_.TakeText(), "+ a\n+ d\n");
}

TEST(ColumnsRead, FindsEachOnce) {
  int calls = 0;
  EXPECT_THAT(ColumnsRead(*MakeAnd(Column(2), MakeOr(Column(2), MakeColumn(0, "x", Type::Boolean())))),
              ::testing::ElementsAre(0, 2));
  EXPECT_THAT(ColumnsRead(Successor(Column(0), &calls)), ::testing::ElementsAre(0));
}

}  // namespace
}  // namespace laminar
