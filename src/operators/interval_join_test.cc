#include "operators/interval_join.h"

#include <gtest/gtest.h>

#include "operators/join_tester.h"

namespace laminar {
namespace {

const Schema kLeft{{{"k", Type::Int64()}, {"ts", Type::Timestamp()}, {"expires", Type::Timestamp()}}};
const Schema kRight{{{"k", Type::Int64()}, {"ts", Type::Timestamp()}}};

IntervalJoinOptions Options(JoinKind kind, std::optional<IntervalBound> lower,
                            std::optional<IntervalBound> upper) {
  IntervalJoinOptions options;
  options.join = {.left = kLeft,
                  .right = kRight,
                  .left_keys = {0},
                  .right_keys = {0},
                  .kind = kind,
                  .predicate = nullptr,
                  .output = {0, 1, 4}};
  options.left_time = options.right_time = 1;
  options.lower = lower;
  options.upper = upper;
  return options;
}

JoinTester Tester(const IntervalJoinOptions& options, int parallelism = 1) {
  return JoinTester(options.join, [options] { return MakeIntervalJoin(options); }, parallelism);
}

TEST(IntervalJoin, BoundsAreInclusiveOrNot) {
  auto both = Tester(Options(JoinKind::kInner, IntervalBound{-2, true}, IntervalBound{3, true}));
  both.Add(0, "+ 1 10 NULL");
  both.Add(1, "+ 1 7\n+ 1 8\n+ 1 13\n+ 1 14\n+ 2 10");
  EXPECT_EQ(both.out.TakeText(), "+ 1 00:00:00.00001 00:00:00.000008\n+ 1 00:00:00.00001 00:00:00.000013\n");
  auto open = Tester(Options(JoinKind::kInner, IntervalBound{-2, false}, IntervalBound{3, false}));
  open.Add(1, "+ 1 8\n+ 1 9\n+ 1 12\n+ 1 13");
  open.Add(0, "+ 1 10 NULL");
  EXPECT_EQ(open.out.num_rows(), 2);
}

TEST(IntervalJoin, RowsGoWhenNoPartnerCanFollow) {
  auto join = Tester(Options(JoinKind::kInner, IntervalBound{-2, true}, IntervalBound{3, true}));
  join.Add(0, "+ 1 10 NULL");
  join.Add(1, "+ 2 10");
  join.Watermark(12);
  EXPECT_EQ(join.StateRows(), 2);
  join.Watermark(13);
  EXPECT_EQ(join.StateRows(), 1) << "a left row at 8 or later can follow, but none up to 12";
  join.Add(1, "+ 1 13");
  EXPECT_EQ(join.out.num_rows(), 1);
  join.Watermark(14);
  EXPECT_EQ(join.StateRows(), 1);
  join.Watermark(kMaxWatermark);
  EXPECT_EQ(join.StateRows(), 0);
  EXPECT_EQ(join.out.watermarks, (std::vector<int64_t>{12, 13, 14, kMaxWatermark}));
}

TEST(IntervalJoin, LateRowsMeetWhatIsThereAndAreNotKept) {
  auto join = Tester(Options(JoinKind::kInner, IntervalBound{0, true}, IntervalBound{100, true}));
  join.Add(0, "+ 1 10 NULL");
  join.Watermark(50);
  join.Add(1, "+ 1 20");
  EXPECT_EQ(join.out.num_rows(), 1);
  EXPECT_EQ(join.StateRows(), 1);
}

TEST(IntervalJoin, NullKeysAndTimesMeetNobody) {
  auto join = Tester(Options(JoinKind::kInner, IntervalBound{-5, true}, IntervalBound{5, true}));
  join.Add(0, "+ NULL 10 NULL\n+ 1 NULL NULL");
  join.Add(1, "+ NULL 10\n+ 1 NULL\n+ 1 10");
  EXPECT_EQ(join.out.num_rows(), 0);
  EXPECT_EQ(join.StateRows(), 1);
}

/// Nexmark q9: a bid meets the auctions that are alive; b.ts BETWEEN a.ts AND a.expires.
TEST(IntervalJoin, KeepsRowsUntilAColumnSays) {
  IntervalJoinOptions options = Options(JoinKind::kInner, IntervalBound{0, true}, std::nullopt);
  options.left_keep_until = MakeColumn(2, "expires", Type::Timestamp());
  // NOT b.ts > a.expires, as far as the test's expression goes: b.ts < a.expires.
  options.join.predicate = std::make_shared<LessThan>(MakeColumn(4, "ts", Type::Timestamp()),
                                                      MakeColumn(2, "expires", Type::Timestamp()));
  auto join = Tester(options);
  join.Add(0, "+ 1 10 30\n+ 2 10 15\n+ 3 10 NULL");
  join.Add(1, "+ 1 9\n+ 1 10\n+ 1 29\n+ 1 30\n+ 2 14");
  EXPECT_EQ(join.out.num_rows(), 3);
  join.Watermark(16);
  EXPECT_EQ(join.StateRows(), 2 + 2) << "auctions 1 and 3; bids at 29 and 30";
  join.Watermark(31);
  EXPECT_EQ(join.StateRows(), 1) << "auction 3 has no end";
  join.Watermark(kMaxWatermark);
  EXPECT_EQ(join.StateRows(), 0);
}

TEST(IntervalJoin, OuterRowsComeOutWhenTheyAreLetGo) {
  auto join = Tester(Options(JoinKind::kFull, IntervalBound{-2, true}, IntervalBound{3, true}));
  join.Add(0, "+ 1 10 NULL\n+ 2 10 NULL\n+ NULL 11 NULL");
  EXPECT_EQ(join.out.TakeText(), "+ NULL 00:00:00.000011 NULL\n");
  join.Add(1, "+ 1 11\n+ 3 12");
  EXPECT_EQ(join.out.TakeText(), "+ 1 00:00:00.00001 00:00:00.000011\n");
  join.Watermark(14);
  EXPECT_EQ(join.out.TakeText(), "+ 2 00:00:00.00001 NULL\n");
  join.Watermark(15);
  EXPECT_EQ(join.out.TakeText(), "+ NULL NULL 00:00:00.000012\n");
  EXPECT_EQ(join.out.watermarks, (std::vector<int64_t>{11, 12}));
}

TEST(IntervalJoin, OuterKindsNeedBothBounds) {
  EXPECT_THROW(MakeIntervalJoin(Options(JoinKind::kLeft, IntervalBound{0, true}, std::nullopt)), UserError);
}

struct Row {
  int64_t key;  // −1: NULL
  int64_t time;
  int input;
};

class IntervalJoinProperty : public ::testing::TestWithParam<JoinKind> {};

TEST_P(IntervalJoinProperty, IsTheNestedLoopJoinInTheEnd) {
  const JoinKind kind = GetParam();
  for (unsigned seed = 1; seed <= 25; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const int64_t lower = static_cast<int64_t>(random() % 20) - 10,
                  upper = lower + static_cast<int64_t>(random() % 15);
    const bool lower_inclusive = random() % 2 == 0, upper_inclusive = random() % 2 == 0;
    auto join =
        Tester(Options(kind, IntervalBound{lower, lower_inclusive}, IntervalBound{upper, upper_inclusive}),
               1 + static_cast<int>(random() % 3));
    std::vector<Row> rows[2];
    int64_t watermark = -100;
    for (int step = 0; step < 40; ++step) {
      const int input = static_cast<int>(random() % 2);
      std::string text;
      for (int i = 0; i < 1 + static_cast<int>(random() % 8); ++i) {
        const Row row{static_cast<int64_t>(random() % 4) - 1, watermark + static_cast<int64_t>(random() % 30),
                      input};
        rows[input].push_back(row);
        text += "+ " + (row.key < 0 ? "NULL" : std::to_string(row.key)) + " " + std::to_string(row.time) +
                (input == 0 ? " NULL\n" : "\n");
      }
      join.Add(input, text);
      if (random() % 3 == 0) join.Watermark(watermark += static_cast<int64_t>(random() % 12));
      if (random() % 6 == 0) join.Rescale(1 + static_cast<int>(random() % 4));
    }
    join.Watermark(kMaxWatermark);
    EXPECT_EQ(join.StateRows(), 0);
    auto matches = [&](const Row& l, const Row& r) {
      const int64_t apart = r.time - l.time;
      return l.key >= 0 && l.key == r.key && apart >= lower + !lower_inclusive &&
             apart <= upper - !upper_inclusive;
    };
    auto text = [](const Row& row) {
      const auto time = std::make_shared<arrow::TimestampArray>(
          arrow::timestamp(arrow::TimeUnit::MICRO), 1,
          arrow::Buffer::FromString(std::string(reinterpret_cast<const char*>(&row.time), 8)));
      const std::string time_text = FormatValue(*time, 0);
      return row.input == 1 ? time_text : (row.key < 0 ? "NULL" : std::to_string(row.key)) + " " + time_text;
    };
    EXPECT_EQ(join.Sum(), NestedLoopJoin(kind, rows[0], rows[1], matches, text, "NULL NULL", "NULL"));
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, IntervalJoinProperty,
                         ::testing::Values(JoinKind::kInner, JoinKind::kLeft, JoinKind::kRight,
                                           JoinKind::kFull));

}  // namespace
}  // namespace laminar
