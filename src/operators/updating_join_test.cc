#include "operators/updating_join.h"

#include <gtest/gtest.h>

#include "operators/join_tester.h"

namespace laminar {
namespace {

const Schema kLeft{{{"k", Type::Int64()}, {"a", Type::Text()}}};
const Schema kRight{{{"b", Type::Int64()}, {"k", Type::Int64()}}};

UpdatingJoinOptions Options(JoinKind kind, bool changelog = false) {
  UpdatingJoinOptions options;
  options.join = {.left = kLeft,
                  .right = kRight,
                  .left_keys = {0},
                  .right_keys = {1},
                  .kind = kind,
                  .predicate = nullptr,
                  .output = {0, 1, 2, 3}};
  if (!HasPairs(kind)) options.join.output = {0, 1};
  options.left_changelog = options.right_changelog = changelog;
  return options;
}

JoinTester Tester(const UpdatingJoinOptions& options, int parallelism = 1) {
  return JoinTester(options.join, [options] { return MakeUpdatingJoin(options); }, parallelism);
}

TEST(UpdatingJoin, InnerOfAppendOnlyInputsIsAppendOnly) {
  auto join = Tester(Options(JoinKind::kInner));
  join.Add(0, "+ 1 a\n+ 1 b\n+ 2 c");
  EXPECT_EQ(join.out.TakeText(), "");
  join.Add(1, "+ 10 1\n+ 20 3");
  ASSERT_EQ(join.out.batches.size(), 1u);
  EXPECT_EQ(join.out.batches[0].weights, nullptr);
  EXPECT_EQ(join.out.TakeText(), "+ 1 a 10 1\n+ 1 b 10 1\n");
  join.Add(0, "+ 3 d");
  EXPECT_EQ(join.out.TakeText(), "+ 3 d 20 3\n");
  EXPECT_FALSE(IsUpdating(Options(JoinKind::kInner)));
  EXPECT_TRUE(IsUpdating(Options(JoinKind::kLeft)));
}

TEST(UpdatingJoin, NullKeysNeverMatchButAppearOnThePaddedSide) {
  auto inner = Tester(Options(JoinKind::kInner));
  inner.Add(0, "+ NULL a");
  inner.Add(1, "+ 10 NULL");
  EXPECT_EQ(inner.out.TakeText(), "");
  auto full = Tester(Options(JoinKind::kFull, true));
  full.Add(0, "+ NULL a\n+ 1 b");
  full.Add(1, "+ 10 NULL");
  EXPECT_EQ(full.out.TakeText(), "+ NULL a NULL NULL\n+ 1 b NULL NULL\n+ NULL NULL 10 NULL\n");
  full.Add(0, "- NULL a");
  EXPECT_EQ(full.out.TakeText(), "- NULL a NULL NULL\n");
  EXPECT_EQ(full.StateRows(), 1);
}

TEST(UpdatingJoin, PaddedRowGoesWithTheFirstPartnerAndComesBackWithTheLast) {
  auto join = Tester(Options(JoinKind::kLeft, true));
  join.Add(0, "+ 1 a");
  EXPECT_EQ(join.out.TakeText(), "+ 1 a NULL NULL\n");
  join.Add(1, "+ 10 1\n+ 20 1");
  EXPECT_EQ(join.out.TakeText(), "- 1 a NULL NULL\n+ 1 a 10 1\n+ 1 a 20 1\n");
  join.Add(1, "- 10 1");
  EXPECT_EQ(join.out.TakeText(), "- 1 a 10 1\n");
  join.Add(1, "- 20 1");
  EXPECT_EQ(join.out.TakeText(), "- 1 a 20 1\n+ 1 a NULL NULL\n");
  join.Add(0, "- 1 a");
  EXPECT_EQ(join.out.TakeText(), "- 1 a NULL NULL\n");
  EXPECT_EQ(join.StateRows(), 0);
}

TEST(UpdatingJoin, WeightsMultiply) {
  auto join = Tester(Options(JoinKind::kInner, true));
  join.Add(0, "+3 1 a");
  join.Add(1, "+2 10 1");
  EXPECT_EQ(join.out.TakeText(), "+6 1 a 10 1\n");
  join.Add(0, "-2 1 a");
  EXPECT_EQ(join.out.TakeText(), "-4 1 a 10 1\n");
}

TEST(UpdatingJoin, ARetractionMayOvertakeItsRow) {
  auto join = Tester(Options(JoinKind::kLeft, true));
  join.Add(0, "+ 1 a");
  join.Add(1, "- 10 1");
  join.Add(1, "+ 20 1\n+ 10 1");
  EXPECT_EQ(join.out.Consolidated(), (RowCounts{{"1 a 20 1", 1}}));
}

TEST(UpdatingJoin, SemiAndAntiCountPartners) {
  auto semi = Tester(Options(JoinKind::kSemi, true));
  semi.Add(0, "+ 1 a\n+ NULL n");
  semi.Add(1, "+ 10 1\n+ 20 1\n- 10 1");
  EXPECT_EQ(semi.out.TakeText(), "+ 1 a\n");
  semi.Add(1, "- 20 1");
  EXPECT_EQ(semi.out.TakeText(), "- 1 a\n");
  auto anti = Tester(Options(JoinKind::kAnti));
  anti.Add(0, "+ 1 a\n+ NULL n");
  anti.Add(1, "+ 10 1\n+ 20 1");
  EXPECT_EQ(anti.out.TakeText(), "+ 1 a\n+ NULL n\n- 1 a\n");
}

TEST(UpdatingJoin, ASideWithoutOutputColumnsStillMultiplies) {
  UpdatingJoinOptions options = Options(JoinKind::kInner);
  options.join.output = {1};
  auto join = Tester(options);
  join.Add(1, "+ 10 1\n+ 20 1");
  join.Add(0, "+ 1 a");
  EXPECT_EQ(join.out.TakeText(), "+ a\n+ a\n");
}

TEST(UpdatingJoin, PredicateSeesBothSides) {
  UpdatingJoinOptions options = Options(JoinKind::kLeft, true);
  options.join.predicate =
      std::make_shared<LessThan>(MakeColumn(0, "k", Type::Int64()), MakeColumn(2, "b", Type::Int64()));
  options.join.output = {1, 2};
  auto join = Tester(options);
  join.Add(0, "+ 5 a");
  join.Add(1, "+ 4 5\n+ NULL 5");
  EXPECT_EQ(join.out.TakeText(), "+ a NULL\n");
  join.Add(1, "+ 6 5");
  EXPECT_EQ(join.out.TakeText(), "- a NULL\n+ a 6\n");
}

TEST(UpdatingJoin, EmitsInChunks) {
  auto join = Tester(Options(JoinKind::kInner));
  std::string rows;
  for (int i = 0; i < 200; ++i) rows += "+ 1 a" + std::to_string(i) + "\n";
  join.Add(0, rows);
  rows.clear();
  for (int i = 0; i < 200; ++i) rows += "+ " + std::to_string(i) + " 1\n";
  join.Add(1, rows);
  EXPECT_EQ(join.out.num_rows(), 40000);
  for (const Batch& batch : join.out.batches) EXPECT_LE(batch.num_rows, kJoinBatchRows);
  EXPECT_EQ(join.out.Consolidated().size(), 40000u);
}

TEST(UpdatingJoin, TtlForgetsRowsThatNobodyMeets) {
  UpdatingJoinOptions options = Options(JoinKind::kInner);
  options.ttl_us = 60'000'000;
  auto join = Tester(options);
  join.Add(0, "+ 1 a\n+ 2 b");
  join.Advance(40'000'000);
  join.Add(1, "+ 10 1");  // meets a, which lives on
  join.Advance(30'000'000);
  EXPECT_EQ(join.StateRows(), 2);
  join.Add(1, "+ 20 1\n+ 20 2");
  EXPECT_EQ(join.out.TakeText(), "+ 1 a 10 1\n+ 1 a 20 1\n");
  join.Advance(200'000'000);
  EXPECT_EQ(join.StateRows(), 0);
}

TEST(UpdatingJoin, TakesSlicedBatches) {
  auto join = Tester(Options(JoinKind::kFull));
  join.Add(0, Slice(ParseBatch("+ 9 z\n+ 1 a\n+ NULL b\n+ 2 c", kLeft), 1, 3));
  join.Add(1, Slice(ParseBatch("+ 90 9\n+ 10 1\n+ 20 NULL", kRight), 1, 2));
  EXPECT_EQ(
      join.out.Consolidated(),
      (RowCounts{{"1 a 10 1", 1}, {"NULL b NULL NULL", 1}, {"2 c NULL NULL", 1}, {"NULL NULL 20 NULL", 1}}));
}

struct Row {
  int key;  // −1: NULL
  int value;
};

/// Rows of both inputs come and go at random; after each step the sum of all output is the join of what is
/// there.
class UpdatingJoinProperty : public ::testing::TestWithParam<std::tuple<JoinKind, bool, bool>> {
 protected:
  static std::string Key(int key) { return key < 0 ? "NULL" : std::to_string(key); }

  void Step(JoinTester& join, int input) {
    std::string text;
    for (int i = 0; i < 1 + static_cast<int>(random_() % 12); ++i) {
      auto& rows = rows_[input];
      const bool remove = changelog_ && !rows.empty() && random_() % 5 < 2;
      Row row{static_cast<int>(random_() % 6) - 1, static_cast<int>(random_() % 4)};
      if (remove) {
        const size_t at = random_() % rows.size();
        row = rows[at];
        rows.erase(rows.begin() + static_cast<int64_t>(at));
      } else {
        rows.push_back(row);
      }
      const std::string key = Key(row.key), value = std::to_string(row.value);
      text += std::string(remove ? "- " : "+ ") + (input == 0 ? key + " " + value : value + " " + key) + "\n";
    }
    join.Add(input, text);
  }

  std::mt19937 random_;
  bool changelog_ = false;
  std::vector<Row> rows_[2];
};

TEST_P(UpdatingJoinProperty, SumsToTheNestedLoopJoin) {
  const auto [kind, changelog, with_predicate] = GetParam();
  changelog_ = changelog;
  for (unsigned seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    random_.seed(seed);
    rows_[0].clear();
    rows_[1].clear();
    UpdatingJoinOptions options = Options(kind, changelog);
    options.join.left.fields[1].type = Type::Int64();
    if (with_predicate) {
      options.join.predicate =
          std::make_shared<LessThan>(MakeColumn(1, "a", Type::Int64()), MakeColumn(2, "b", Type::Int64()));
    }
    auto join = Tester(options, 1 + static_cast<int>(random_() % 3));
    auto matches = [&](const Row& l, const Row& r) {
      return l.key >= 0 && l.key == r.key && (!with_predicate || l.value < r.value);
    };
    const auto* left = &rows_[0];
    auto text = [&](const Row& row) {
      const bool is_left = &row >= left->data() && &row < left->data() + left->size();
      const std::string value = std::to_string(row.value);
      return is_left ? Key(row.key) + " " + value : value + " " + Key(row.key);
    };
    for (int step = 0; step < 30; ++step) {
      if (random_() % 6 == 0) join.Rescale(1 + static_cast<int>(random_() % 4));
      Step(join, static_cast<int>(random_() % 2));
      ASSERT_EQ(join.Sum(), NestedLoopJoin(kind, rows_[0], rows_[1], matches, text, "NULL NULL", "NULL NULL"))
          << "step " << step;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, UpdatingJoinProperty,
                         ::testing::Combine(::testing::Values(JoinKind::kInner, JoinKind::kLeft,
                                                              JoinKind::kRight, JoinKind::kFull,
                                                              JoinKind::kSemi, JoinKind::kAnti),
                                            ::testing::Bool(), ::testing::Bool()));

}  // namespace
}  // namespace laminar
