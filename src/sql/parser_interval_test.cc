#include "sql/parser_interval.h"

#include <gtest/gtest.h>

#include "sql/parser.h"

namespace laminar::sql {
namespace {

constexpr int64_t kSecond = 1000000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;

void ExpectInterval(const std::string& text, int32_t months, int32_t days, int64_t micros) {
  try {
    const ExprPtr expr = ParseExpression(text);
    ASSERT_EQ(expr->kind, ExprKind::kInterval) << text;
    EXPECT_EQ(expr->interval.months, months) << text;
    EXPECT_EQ(expr->interval.days, days) << text;
    EXPECT_EQ(expr->interval.micros, micros) << text;
  } catch (const UserError& error) {
    ADD_FAILURE() << text << ": " << error.message();
  }
}

TEST(Interval, NumberAndUnit) {
  ExpectInterval("INTERVAL '5' MINUTE", 0, 0, 5 * kMinute);
  ExpectInterval("interval '5' minutes", 0, 0, 5 * kMinute);
  ExpectInterval("INTERVAL 5 MINUTE", 0, 0, 5 * kMinute);
  ExpectInterval("INTERVAL -5 MINUTE", 0, 0, -5 * kMinute);
  ExpectInterval("INTERVAL '-5' MINUTE", 0, 0, -5 * kMinute);
  ExpectInterval("INTERVAL -'5' MINUTE", 0, 0, -5 * kMinute);
  ExpectInterval("INTERVAL '1.5' HOUR", 0, 0, 90 * kMinute);
  ExpectInterval("INTERVAL '10' SECOND(3)", 0, 0, 10 * kSecond);
  ExpectInterval("INTERVAL '0.25' SECOND", 0, 0, kSecond / 4);
  ExpectInterval("INTERVAL '2' WEEK", 0, 14, 0);
  ExpectInterval("INTERVAL '1.5' DAY", 0, 1, 12 * kHour);
  ExpectInterval("INTERVAL '3' QUARTER", 9, 0, 0);
  ExpectInterval("INTERVAL '1.5' YEAR", 18, 0, 0);
  ExpectInterval("INTERVAL '5' ms", 0, 0, 5000);
}

TEST(Interval, UnitsInTheText) {
  ExpectInterval("INTERVAL '5 minutes'", 0, 0, 5 * kMinute);
  ExpectInterval("INTERVAL '1 HOUR'", 0, 0, kHour);
  ExpectInterval("INTERVAL '1 day 02:00:00'", 0, 1, 2 * kHour);
  ExpectInterval("INTERVAL '1h30m'", 0, 0, 90 * kMinute);
  ExpectInterval("INTERVAL '2d 3s'", 0, 2, 3 * kSecond);
  ExpectInterval("INTERVAL '1 year 2 mons -3 days'", 14, -3, 0);
  ExpectInterval("INTERVAL '00:00:01.5'", 0, 0, kSecond + kSecond / 2);
  ExpectInterval("INTERVAL '-01:30'", 0, 0, -90 * kMinute);
  ExpectInterval("INTERVAL '1-2'", 14, 0, 0);
  ExpectInterval("INTERVAL '  5   ms '", 0, 0, 5000);
  ExpectInterval("INTERVAL '1 hour, 5 minutes'", 0, 0, 65 * kMinute);
  ExpectInterval("INTERVAL '7 \xC2\xB5s'", 0, 0, 7);
  ExpectInterval("INTERVAL '3000 ns'", 0, 0, 3);
}

TEST(Interval, Qualifiers) {
  ExpectInterval("INTERVAL '1-2' YEAR TO MONTH", 14, 0, 0);
  ExpectInterval("INTERVAL '-1-2' YEAR TO MONTH", -14, 0, 0);
  ExpectInterval("INTERVAL '1 02:03:04.5' DAY TO SECOND", 0, 1,
                 2 * kHour + 3 * kMinute + 4 * kSecond + kSecond / 2);
  ExpectInterval("INTERVAL '1 02' DAY TO HOUR", 0, 1, 2 * kHour);
  ExpectInterval("INTERVAL '02:03' HOUR TO MINUTE", 0, 0, 2 * kHour + 3 * kMinute);
  ExpectInterval("INTERVAL '03:04.5' MINUTE TO SECOND(6)", 0, 0, 3 * kMinute + 4 * kSecond + kSecond / 2);
}

TEST(Interval, LeavesAliasesAndColumnsAlone) {
  const ParsedScript script = ParseScript(
      "SELECT INTERVAL '5 minutes' m, INTERVAL '1 day' day, interval, interval - 5, interval x FROM t");
  ASSERT_TRUE(script.errors.empty()) << script.errors[0].message();
  const auto& items = script.statements[0].query->select->items;
  EXPECT_EQ(items[0].alias->text, "m");
  EXPECT_EQ(items[1].alias->text, "day");
  EXPECT_EQ(ToString(*items[2].expr), "interval");
  EXPECT_EQ(ToString(*items[3].expr), "(interval - 5)");
  EXPECT_EQ(items[4].alias->text, "x");
}

TEST(Interval, Errors) {
  const std::pair<const char*, const char*> cases[] = {
      {"INTERVAL '5'", "interval '5' has no unit"},
      {"INTERVAL '5 foos'", "interval '5 foos' has an unknown unit 'foos'"},
      {"INTERVAL ''", "interval '' is empty"},
      {"INTERVAL 'abc'", "interval 'abc' has no number where one should stand"},
      {"INTERVAL '5 minutes 3'", "interval '5 minutes 3' has a number without a unit"},
      {"INTERVAL '0.5' MONTH", "interval '0.5' has a fraction of a month"},
      {"INTERVAL '1' NANOSECOND", "interval '1' is finer than a microsecond"},
      {"INTERVAL '0.0000001 s'", "interval '0.0000001 s' is finer than a microsecond"},
      {"INTERVAL '99999999999999999' HOUR", "interval '99999999999999999' is too long"},
      {"INTERVAL '999999999999' DAY", "interval '999999999999' is too long"},
      {"INTERVAL '9999999999999999999' SECOND",
       "interval '9999999999999999999' has a number with too many digits"},
      {"INTERVAL '10:70' HOUR TO MINUTE", "interval '10:70' has minutes or seconds beyond 59"},
      {"INTERVAL '1:2:3:4'", "interval '1:2:3:4' has too many ':'"},
      {"INTERVAL '1-12' YEAR TO MONTH", "interval '1-12' has more than 11 months"},
      {"INTERVAL '02:03' DAY TO SECOND", "interval '02:03' does not fit its unit"},
  };
  for (const auto& [text, message] : cases) {
    try {
      ParseExpression(text);
      ADD_FAILURE() << text << " parsed";
    } catch (const UserError& error) {
      EXPECT_EQ(error.message(), message);
      EXPECT_EQ(error.reason(), Reason::kBadInterval) << text;
      EXPECT_EQ(error.span().offset, 0) << text;
    }
  }
}

TEST(Interval, TextReadsBack) {
  for (const IntervalValue value : {IntervalValue{0, 0, 0},
                                    {14, -3, 1},
                                    {-1, 1, -kHour - 1},
                                    {0, 0, INT64_MAX},
                                    {INT32_MAX, INT32_MIN + 1, 0}}) {
    const IntervalValue again = ParseIntervalText(IntervalText(value), {});
    EXPECT_EQ(again.months, value.months);
    EXPECT_EQ(again.days, value.days);
    EXPECT_EQ(again.micros, value.micros);
  }
}

}  // namespace
}  // namespace laminar::sql
