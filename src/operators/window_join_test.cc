#include "operators/window_join.h"

#include <gtest/gtest.h>

#include "operators/join_tester.h"

namespace laminar {
namespace {

const Schema kSchema{{{"end", Type::Timestamp()}, {"k", Type::Int64()}, {"v", Type::Int64()}}};

WindowJoinOptions Options(JoinKind kind) {
  WindowJoinOptions options;
  options.join = {.left = kSchema,
                  .right = kSchema,
                  .left_keys = {0, 1},
                  .right_keys = {0, 1},
                  .kind = kind,
                  .predicate = nullptr,
                  .output = {1, 2, 4, 5}};
  if (!HasPairs(kind)) options.join.output = {1, 2};
  return options;
}

JoinTester Tester(const WindowJoinOptions& options, int parallelism = 1) {
  return JoinTester(options.join, [options] { return MakeWindowJoin(options); }, parallelism);
}

TEST(WindowJoin, JoinsWhenTheWatermarkReachesTheEnd) {
  auto join = Tester(Options(JoinKind::kInner));
  join.Add(0, "+ 10 1 100\n+ 10 2 200\n+ 20 1 300");
  join.Add(1, "+ 10 1 -1\n+ 20 1 -2\n+ 10 1 -3");
  join.Watermark(9);
  EXPECT_EQ(join.out.num_rows(), 0);
  join.Watermark(10);
  EXPECT_EQ(join.out.TakeText(), "+ 1 100 1 -1\n+ 1 100 1 -3\n");
  EXPECT_EQ(join.StateRows(), 2);
  join.Watermark(kMaxWatermark);
  EXPECT_EQ(join.out.TakeText(), "+ 1 300 1 -2\n");
  EXPECT_EQ(join.StateRows(), 0);
  EXPECT_EQ(join.out.watermarks, (std::vector<int64_t>{9, 10, kMaxWatermark}));
}

TEST(WindowJoin, LateRowsAreCountedAndDropped) {
  auto join = Tester(Options(JoinKind::kFull));
  join.Watermark(10);
  join.Rescale(1);
  join.Add(0, "+ 10 1 100\n+ 11 1 200\n+ NULL 1 300");
  EXPECT_EQ(join.LateRows(), 2);
  join.Watermark(11);
  EXPECT_EQ(join.out.TakeText(), "+ 1 200 NULL NULL\n");
}

TEST(WindowJoin, NullKeysAppearOnPaddedSides) {
  auto full = Tester(Options(JoinKind::kFull));
  full.Add(0, "+ 10 NULL 1");
  full.Add(1, "+ 10 NULL 2");
  full.Watermark(10);
  EXPECT_EQ(full.out.Consolidated(), (RowCounts{{"NULL 1 NULL NULL", 1}, {"NULL NULL NULL 2", 1}}));
  auto anti = Tester(Options(JoinKind::kAnti));
  anti.Add(0, "+ 10 NULL 1\n+ 10 2 2\n+ 10 3 3");
  anti.Add(1, "+ 10 NULL 2\n+ 10 3 2");
  anti.Watermark(10);
  EXPECT_EQ(anti.out.Consolidated(), (RowCounts{{"NULL 1", 1}, {"2 2", 1}}));
}

TEST(WindowJoin, WindowMayBeAStruct) {
  WindowJoinOptions options = Options(JoinKind::kInner);
  for (Schema* schema : {&options.join.left, &options.join.right}) schema->fields[0] = {"w", Type::Window()};
  auto join = Tester(options);
  auto batch = [&](const char* rows) {
    Batch out = ParseBatch(rows, kSchema);
    out.columns[0] = OrThrow(
        arrow::StructArray::Make({out.columns[0], out.columns[0]}, std::vector<std::string>{"start", "end"}));
    return out;
  };
  join.Add(0, batch("+ 10 1 5\n+ 20 1 6"));
  join.Add(1, batch("+ 10 1 7\n+ 20 1 8"));
  join.Watermark(10);
  EXPECT_EQ(join.out.TakeText(), "+ 1 5 1 7\n");
}

TEST(WindowJoin, ManyRowsOfOneKeyComeInChunks) {
  auto join = Tester(Options(JoinKind::kInner));
  for (int input : {0, 1}) {
    std::string rows;
    for (int i = 0; i < 150; ++i) rows += "+ 10 1 " + std::to_string(i) + "\n";
    join.Add(input, rows);
  }
  join.Watermark(10);
  EXPECT_EQ(join.out.Consolidated().size(), 22500u);
  for (const Batch& batch : join.out.batches) EXPECT_LE(batch.num_rows, kJoinBatchRows);
}

/// As the planner distributes them: by k alone, the window's columns behind.
TEST(WindowJoin, StateFollowsTheDistributionKeys) {
  WindowJoinOptions options = Options(JoinKind::kInner);
  options.join.left_keys = options.join.right_keys = {1, 0};
  options.distribution_keys = 1;
  JoinSpec distribution = options.join;
  distribution.left_keys = distribution.right_keys = {1};
  JoinTester join(distribution, [options] { return MakeWindowJoin(options); }, 3);
  RowCounts expected;
  for (int k = 0; k < 30; ++k) {
    const std::string key = std::to_string(k);
    join.Add(0, "+ 10 " + key + " 5\n+ 20 " + key + " 6");
    ++expected[key + " 5 " + key + " 7"];
  }
  join.Rescale(4);
  for (int k = 0; k < 30; ++k) join.Add(1, "+ 10 " + std::to_string(k) + " 7");
  join.Rescale(2);
  join.Watermark(10);
  EXPECT_EQ(join.Sum(), expected);
}

struct Row {
  int64_t end;
  int64_t key;  // −1: NULL
  int64_t value;
};

class WindowJoinProperty : public ::testing::TestWithParam<std::tuple<JoinKind, bool>> {};

TEST_P(WindowJoinProperty, IsTheNestedLoopJoinOfEachWindow) {
  const auto [kind, with_predicate] = GetParam();
  for (unsigned seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    WindowJoinOptions options = Options(kind);
    if (with_predicate) {
      options.join.predicate =
          std::make_shared<LessThan>(MakeColumn(2, "v", Type::Int64()), MakeColumn(5, "v", Type::Int64()));
    }
    auto join = Tester(options, 1 + static_cast<int>(random() % 3));
    std::vector<Row> rows[2];
    int64_t watermark = -50;
    auto expected_by = [&](int64_t until) {
      std::vector<Row> closed[2];
      for (int input : {0, 1}) {
        for (const Row& row : rows[input]) {
          if (row.end <= until) closed[input].push_back(row);
        }
      }
      auto matches = [&](const Row& l, const Row& r) {
        return l.end == r.end && l.key >= 0 && l.key == r.key && (!with_predicate || l.value < r.value);
      };
      auto text = [](const Row& row) {
        return (row.key < 0 ? "NULL" : std::to_string(row.key)) + " " + std::to_string(row.value);
      };
      return NestedLoopJoin(kind, closed[0], closed[1], matches, text, "NULL NULL", "NULL NULL");
    };
    for (int step = 0; step < 30; ++step) {
      const int input = static_cast<int>(random() % 2);
      std::string text;
      for (int i = 0; i < 1 + static_cast<int>(random() % 8); ++i) {
        int64_t end = watermark + 1 + static_cast<int64_t>(random() % 20);
        end += 10 - ((end % 10) + 10) % 10;
        const Row row{end, static_cast<int64_t>(random() % 4) - 1, static_cast<int64_t>(random() % 5)};
        rows[input].push_back(row);
        text += "+ " + std::to_string(row.end) + " " + (row.key < 0 ? "NULL" : std::to_string(row.key)) +
                " " + std::to_string(row.value) + "\n";
      }
      join.Add(input, text);
      if (random() % 3 == 0) {
        join.Watermark(watermark += 1 + static_cast<int64_t>(random() % 12));
        ASSERT_EQ(join.Sum(), expected_by(watermark)) << "step " << step;
      }
      if (random() % 6 == 0) join.Rescale(1 + static_cast<int>(random() % 4));
    }
    join.Watermark(kMaxWatermark);
    EXPECT_EQ(join.Sum(), expected_by(kMaxWatermark));
    EXPECT_EQ(join.StateRows(), 0);
    EXPECT_EQ(join.LateRows(), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, WindowJoinProperty,
                         ::testing::Combine(::testing::Values(JoinKind::kInner, JoinKind::kLeft,
                                                              JoinKind::kRight, JoinKind::kFull,
                                                              JoinKind::kSemi, JoinKind::kAnti),
                                            ::testing::Bool()));

}  // namespace
}  // namespace laminar
