#include "api/event_log.h"

#include <gtest/gtest.h>

namespace laminar::api {
namespace {

std::vector<std::string> DataAfter(const EventLog& log, const std::set<std::string>& topics, int64_t* seq,
                                   size_t bytes_max = 1'000) {
  std::vector<std::string> out;
  for (const auto& event : log.After(topics, bytes_max, seq)) out.push_back(event->data);
  return out;
}

TEST(EventLogTest, AReaderGoesOnWhereItWas) {
  EventLog log;
  const int64_t start = log.last();
  EXPECT_TRUE(log.Reaches(start));
  EXPECT_FALSE(log.Reaches(start + 1)) << "nobody can have seen it";
  for (int i = 0; i < 3; ++i) {
    log.Add("pipelines", "pipeline", i);
    log.Add("errors", "error", 10 + i);
  }
  int64_t seq = start;
  EXPECT_EQ(DataAfter(log, {"errors"}, &seq), (std::vector<std::string>{"10", "11", "12"}));
  EXPECT_EQ(seq, log.last());
  EXPECT_TRUE(DataAfter(log, {"errors", "pipelines"}, &seq).empty());
  seq = start + 3;
  EXPECT_EQ(DataAfter(log, {"errors", "pipelines"}, &seq), (std::vector<std::string>{"11", "2", "12"}));
}

TEST(EventLogTest, PiecesJoinWithoutAGap) {
  EventLog log;
  int64_t seq = log.last();
  std::vector<std::string> expected, found;
  for (int i = 100; i < 120; ++i) {
    log.Add("job:a", "job", i);
    expected.push_back(std::to_string(i));
  }
  for (std::vector<std::string> piece; !(piece = DataAfter(log, {"job:a"}, &seq, 7)).empty();) {
    EXPECT_EQ(piece.size(), std::min<size_t>(3, expected.size() - found.size()));
    found.insert(found.end(), piece.begin(), piece.end());
  }
  EXPECT_EQ(found, expected);
}

TEST(EventLogTest, OldEventsGo) {
  EventLog log(5, 1'000);
  const int64_t start = log.last();
  for (int i = 0; i < 7; ++i) log.Add("errors", "error", i);
  EXPECT_FALSE(log.Reaches(start));
  EXPECT_FALSE(log.Reaches(start + 1));
  EXPECT_TRUE(log.Reaches(start + 2));
  int64_t seq = start + 2;
  EXPECT_EQ(DataAfter(log, {"errors"}, &seq).size(), 5u);
  log.Add("errors", "error", std::string(2'000, 'x'));
  EXPECT_TRUE(log.Reaches(log.last() - 1)) << "the newest stays, whatever its size";
  EXPECT_FALSE(log.Reaches(log.last() - 2));
}

TEST(EventLogTest, RunsAreToldApart) {
  const EventLog first, second;
  EXPECT_NE(first.run(), second.run());
  EXPECT_LT(first.last(), int64_t{1} << 53) << "exact as a number of JSON";
}

}  // namespace
}  // namespace laminar::api
