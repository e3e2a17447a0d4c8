#include <gtest/gtest.h>

#include "base/error.h"
#include "functions/datetime/time_pattern.h"
#include "functions/function_testing.h"
#include "functions/interval_text.h"

namespace laminar::function_testing {
namespace {

Value Date(const std::string& text) { return V("DATE", "\"" + text + "\""); }
Value Nanos(const std::string& text) { return V("TIMESTAMP(9)", "\"" + text + "\""); }

TEST(DateTimeTest, Parts) {
  const Value leap = Timestamp("2024-02-29 10:20:30.123456");
  const Value old = Timestamp("1969-12-31 23:59:59.5");
  CheckCases({
      {"date_part", {Text("year"), leap}, "2024"},
      {"date_part", {Text("QUARTER"), leap}, "1"},
      {"date_part", {Text("months"), leap}, "2"},
      {"date_part", {Text("week"), leap}, "9"},
      {"date_part", {Text("day"), leap}, "29"},
      {"date_part", {Text("dow"), leap}, "4"},
      {"date_part", {Text("isodow"), Date("2024-03-03")}, "7"},
      {"date_part", {Text("dow"), Date("2024-03-03")}, "0"},
      {"date_part", {Text("doy"), leap}, "60"},
      {"date_part", {Text("hour"), leap}, "10"},
      {"date_part", {Text("minute"), leap}, "20"},
      {"date_part", {Text("second"), leap}, "30.123456"},
      {"date_part", {Text("millisecond"), leap}, "30123"},
      {"date_part", {Text("microsecond"), leap}, "30123456"},
      {"date_part", {Text("nanosecond"), Nanos("2024-01-01T00:00:01.000000001")}, "1000000001"},
      {"date_part", {Text("epoch"), leap}, "1709202030.123456"},
      {"date_part", {Text("epoch"), old}, "-0.5"},
      {"date_part", {Text("epoch"), Date("1970-01-02")}, "86400.0"},
      {"date_part", {Text("hour"), old}, "23"},
      {"date_part", {Text("second"), old}, "59.5"},
      {"date_part", {Text("year"), old}, "1969"},
      {"date_part", {Text("isoyear"), Date("2021-01-03")}, "2020"},
      {"date_part", {Text("week"), Date("2021-01-03")}, "53"},
      {"date_part", {Text("week"), Date("2021-01-04")}, "1"},
      {"date_part", {Text("century"), Date("2001-01-01")}, "21"},
      {"date_part", {Text("century"), Date("2000-01-01")}, "20"},
      {"date_part", {Text("decade"), Date("1999-01-01")}, "199"},
      {"date_part", {Text("epoch"), Interval("1 day 00:00:01.5")}, "86401.5"},
      {"date_part", {Text("hour"), Interval("25 hours 10 minutes")}, "25"},
      {"date_part", {Text("minute"), Interval("25 hours 10 minutes")}, "10"},
      {"date_part", {Text("month"), Interval("14 months")}, "2"},
      {"date_part", {Text("year"), Interval("14 months")}, "1"},
      {"date_part", {Text("hour"), V("TIME", "\"10:20:30.5\"")}, "10"},
      {"date_part", {Text("second"), V("TIME", "\"10:20:30.5\"")}, "30.5"},
      {"date_part", {Text("epoch"), V("TIME", "\"00:01:00\"")}, "60.0"},
      {"year", {leap}, "2024"},
      {"month", {Nanos("2024-02-29T10:20:30")}, "2"},
      {"week", {Date("2024-12-30")}, "1"},
      {"dayofweek", {leap}, "4"},
      {"hour", {leap}, "10"},
      {"second", {leap}, "30"},
      {"hour", {V("TIMESTAMPTZ", "\"2024-01-01T10:00:00Z\"")}, "10"},
      {"year", {V("JSON", "\"2024-05-05T00:00:00Z\"")}, "2024"},
      {"year", {Null("TIMESTAMP")}, "null"},
      {"year", {Text("2024-05-05")}, "2024"},
  });
  EXPECT_TRUE(Call("date_part", {Text("yeer"), leap}).starts_with("error: 'yeer' is not a part"));
  EXPECT_EQ(ResultType("date_part", {Text("year"), V("TIME", "\"10:00:00\"")}),
            "error: date_part(TEXT, TIME) does not exist");
}

TEST(DateTimeTest, Truncation) {
  const Value t = Timestamp("2024-02-29 10:20:30.123456");
  CheckCases({
      {"date_trunc", {Text("second"), t}, "\"2024-02-29T10:20:30\""},
      {"date_trunc", {Text("minute"), t}, "\"2024-02-29T10:20:00\""},
      {"date_trunc", {Text("hour"), t}, "\"2024-02-29T10:00:00\""},
      {"date_trunc", {Text("day"), t}, "\"2024-02-29T00:00:00\""},
      {"date_trunc", {Text("week"), t}, "\"2024-02-26T00:00:00\""},
      {"date_trunc", {Text("month"), t}, "\"2024-02-01T00:00:00\""},
      {"date_trunc", {Text("quarter"), t}, "\"2024-01-01T00:00:00\""},
      {"date_trunc", {Text("year"), t}, "\"2024-01-01T00:00:00\""},
      {"date_trunc", {Text("decade"), t}, "\"2020-01-01T00:00:00\""},
      {"date_trunc", {Text("millisecond"), t}, "\"2024-02-29T10:20:30.123\""},
      {"date_trunc", {Text("hour"), Timestamp("1969-12-31 23:59:59")}, "\"1969-12-31T23:00:00\""},
      {"date_trunc", {Text("month"), Timestamp("1969-12-31 23:59:59")}, "\"1969-12-01T00:00:00\""},
      {"date_trunc", {Text("week"), Timestamp("1970-01-01")}, "\"1969-12-29T00:00:00\""},
      {"date_trunc",
       {Text("microsecond"), Nanos("2024-01-01T00:00:00.000001999")},
       "\"2024-01-01T00:00:00.000001\""},
      {"date_trunc", {Text("month"), Date("2024-02-29")}, "\"2024-02-01\""},
      {"date_trunc", {Text("hour"), Date("2024-02-29")}, "\"2024-02-29T00:00:00\""},
      {"floor_to", {t, Text("HOUR")}, "\"2024-02-29T10:00:00\""},
      {"ceil_to", {t, Text("HOUR")}, "\"2024-02-29T11:00:00\""},
      {"ceil_to", {t, Text("MONTH")}, "\"2024-03-01T00:00:00\""},
      {"ceil_to", {Timestamp("2024-03-01"), Text("MONTH")}, "\"2024-03-01T00:00:00\""},
      {"ceil_to", {Date("2024-02-10"), Text("YEAR")}, "\"2025-01-01\""},
      {"date_bin", {Interval("15 minutes"), t}, "\"2024-02-29T10:15:00\""},
      {"date_bin", {Interval("15 minutes"), Timestamp("1969-12-31 23:59:59")}, "\"1969-12-31T23:45:00\""},
      {"date_bin", {Interval("1 day"), t, Timestamp("2001-01-01 06:00:00")}, "\"2024-02-29T06:00:00\""},
      {"date_bin", {Interval("3 months"), t}, "\"2024-01-01T00:00:00\""},
      {"date_bin", {Interval("1 month"), Timestamp("1969-12-15")}, "\"1969-12-01T00:00:00\""},
      {"date_bin",
       {Interval("0 seconds"), t},
       "error: the width of date_bin must be positive, and either months or days and time"},
  });
  EXPECT_EQ(Call("date_trunc", {Text("fortnight"), t}), "error: 'fortnight' is not a unit of time");
}

TEST(DateTimeTest, AddAndDiff) {
  const Value jan31 = Timestamp("2024-01-31 10:00:00");
  CheckCases({
      {"timestampadd", {Text("MONTH"), Int(1), jan31}, "\"2024-02-29T10:00:00\""},
      {"timestampadd", {Text("quarter"), Int(-1), jan31}, "\"2023-10-31T10:00:00\""},
      {"timestampadd", {Text("HOUR"), Int(-11), jan31}, "\"2024-01-30T23:00:00\""},
      {"timestampadd", {Text("SQL_TSI_DAY"), Int(1), Date("2024-02-28")}, "\"2024-02-29\""},
      {"timestampadd", {Text("hour"), Int(1), Date("2024-02-28")}, "\"2024-02-28T01:00:00\""},
      {"timestampadd",
       {Text("year"), Int(9'000'000'000), jan31},
       "error: timestampadd of 9000000000 units is out of range"},
      {"timestampdiff", {Text("DAY"), Date("2024-02-28"), Date("2024-03-01")}, "2"},
      {"timestampdiff", {Text("MONTH"), jan31, Timestamp("2024-02-29 10:00:00")}, "1"},
      {"timestampdiff", {Text("MONTH"), jan31, Timestamp("2024-02-29 09:59:59")}, "0"},
      {"timestampdiff", {Text("MONTH"), Timestamp("2024-02-29 10:00:00"), jan31}, "-1"},
      {"timestampdiff", {Text("YEAR"), Date("2020-02-29"), Date("2021-02-28")}, "1"},
      {"timestampdiff",
       {Text("HOUR"), Timestamp("2024-01-01 00:00:00"), Timestamp("2023-12-31 22:30:00")},
       "-1"},
      {"timestampdiff",
       {Text("SECOND"), Timestamp("1969-12-31 23:59:59"), Timestamp("1970-01-01 00:00:01")},
       "2"},
      {"date_diff", {Text("week"), Date("2024-01-01"), Date("2024-01-15")}, "2"},
      {"datediff", {Date("2024-03-01"), Date("2024-02-28")}, "2"},
      {"datediff", {Timestamp("2024-03-01 01:00:00"), Timestamp("2024-02-29 23:00:00")}, "1"},
      {"date_add", {Date("2024-02-28"), Int(2)}, "\"2024-03-01\""},
      {"date_add", {jan31, Interval("1 month")}, "\"2024-02-29T10:00:00\""},
      {"date_add", {jan31, Int(1)}, "\"2024-02-01T10:00:00\""},
      {"date_add", {Text("day"), Int(1), jan31}, "\"2024-02-01T10:00:00\""},
      {"date_sub", {jan31, Int(31)}, "\"2023-12-31T10:00:00\""},
      {"last_day", {Timestamp("2023-02-10 10:00:00")}, "\"2023-02-28\""},
      {"last_day", {Date("1968-02-10")}, "\"1968-02-29\""},
      {"age", {Date("2024-03-01"), Date("2023-01-31")}, "\"P1Y1M1D\""},
      {"age", {Timestamp("2024-01-01"), Timestamp("2024-01-01 01:00:00")}, "\"PT-1H\""},
      {"make_date", {Int(2024), Int(2), Int(29)}, "\"2024-02-29\""},
      {"make_date", {Int(2023), Int(2), Int(29)}, "error: there is no date 2023-02-29"},
      {"make_timestamp",
       {Int(1969), Int(12), Int(31), Int(23), Int(59), Double(59.5)},
       "\"1969-12-31T23:59:59.500\""},
      {"make_timestamp",
       {Int(2024), Int(1), Int(1), Int(24), Int(0), Double(0)},
       "error: there is no time 24:00:0"},
  });
}

TEST(DateTimeTest, Conversion) {
  CheckCases({
      {"to_timestamp", {Text("2024-02-29T10:20:30Z")}, "\"2024-02-29T10:20:30\""},
      {"to_timestamp", {Int(1)}, "\"1970-01-01T00:00:01\""},
      {"to_timestamp", {Double(1.5)}, "\"1970-01-01T00:00:01.500\""},
      {"to_timestamp", {Text("29.02.2024 10:20"), Text("dd.MM.yyyy HH:mm")}, "\"2024-02-29T10:20:00\""},
      {"to_timestamp", {Text("29/Feb/2024"), Text("%Y"), Text("%d/%b/%Y")}, "\"2024-02-29T00:00:00\""},
      {"to_timestamp", {Text("x"), Text("%Y")}, "error: 'x' does not match the format '%Y'"},
      {"to_timestamp", {Text("x")}, "error: cannot cast 'x' to TIMESTAMP"},
      {"try_to_timestamp", {Text("x"), Text("%Y")}, "null"},
      {"try_to_timestamp", {Text("x")}, "null"},
      {"to_timestamp_millis", {Int(-1)}, "\"1969-12-31T23:59:59.999\""},
      {"to_timestamp_seconds", {Text("2024-01-01")}, "\"2024-01-01T00:00:00\""},
      {"to_timestamp_micros", {Int(1)}, "\"1970-01-01T00:00:00.000001\""},
      {"to_timestamp_nanos", {Int(1)}, "\"1970-01-01T00:00:00.000000001\""},
      {"to_timestamp_seconds", {Int(INT64_MAX)}, "error: 9223372036854775807 is out of range of TIMESTAMP"},
      {"to_timestamp_ltz", {Int(1000), Int(3)}, "\"1970-01-01T00:00:01Z\""},
      {"to_timestamp_ltz", {Int(1), Int(0)}, "\"1970-01-01T00:00:01Z\""},
      {"to_date", {Text("2024-02-29")}, "\"2024-02-29\""},
      {"to_date", {Text("02/29/2024"), Text("%m/%d/%Y")}, "\"2024-02-29\""},
      {"to_date", {Timestamp("1969-12-31 23:00:00")}, "\"1969-12-31\""},
      {"to_date", {Int(-1)}, "\"1969-12-31\""},
      {"try_to_date", {Text("2023-02-29")}, "null"},
      {"to_unixtime", {Timestamp("1969-12-31 23:59:59.5")}, "-1"},
      {"to_unixtime", {Text("1970-01-02")}, "86400"},
      {"unix_timestamp", {Text("02.01.1970"), Text("dd.MM.yyyy")}, "86400"},
      {"unix_timestamp", {}, "1700000000"},
      {"from_unixtime", {Int(-1)}, "\"1969-12-31T23:59:59\""},
      {"from_unixtime", {Int(0), Text("yyyy-MM-dd")}, "\"1970-01-01\""},
      {"at_time_zone", {Timestamp("2024-07-01 12:00:00"), Text("Europe/Berlin")}, "\"2024-07-01T10:00:00Z\""},
      {"at_time_zone",
       {V("TIMESTAMPTZ", "\"2024-01-01T12:00:00Z\""), Text("America/New_York")},
       "\"2024-01-01T07:00:00\""},
      {"at_time_zone",
       {Timestamp("2024-07-01 12:00:00"), Text("Mars/Olympus")},
       "error: there is no time zone 'Mars/Olympus'"},
      {"convert_tz",
       {Timestamp("2024-07-01 12:00:00"), Text("UTC"), Text("Europe/Berlin")},
       "\"2024-07-01T14:00:00\""},
      {"to_local_time", {V("TIMESTAMPTZ", "\"2024-07-01T12:00:00Z\"")}, "\"2024-07-01T12:00:00\""},
  });
}

TEST(DateTimeTest, Now) {
  EXPECT_EQ(Call("now", {}), "\"2023-11-14T22:13:20\"");
  EXPECT_EQ(Call("current_date", {}), "\"2023-11-14\"");
  EXPECT_EQ(Call("current_time", {}), "\"22:13:20\"");
  EXPECT_EQ(CoreRegistry().BindScalar("now", {})->volatility(), Volatility::kStable);
  EXPECT_EQ(FoldConstant(*CoreRegistry().BindScalar("now", {})), nullptr);
}

TEST(DateTimeTest, Formats) {
  const Value t = Timestamp("2024-02-09 03:04:05.006007");
  CheckCases({
      {"date_format", {t, Text("yyyy-MM-dd HH:mm:ss.SSS")}, "\"2024-02-09 03:04:05.006\""},
      {"date_format", {t, Text("yyyy-MM-dd'T'HH:mm:ssXXX")}, "\"2024-02-09T03:04:05Z\""},
      {"date_format", {t, Text("d.M.yy h:mm a")}, "\"9.2.24 3:04 AM\""},
      {"date_format", {t, Text("EEE, dd MMM yyyy")}, "\"Fri, 09 Feb 2024\""},
      {"date_format", {t, Text("EEEE MMMM D Q w")}, "\"Friday February 40 1 6\""},
      {"date_format", {t, Text("''yyyy''")}, "\"'2024'\""},
      {"date_format", {t, Text("%Y-%m-%d %H:%M:%S.%3f")}, "\"2024-02-09 03:04:05.006\""},
      {"date_format", {t, Text("%F %T%.f")}, "\"2024-02-09 03:04:05.006007\""},
      {"date_format", {t, Text("%e/%-m/%y %I:%M %p %j %A %b %%")}, "\" 9/2/24 03:04 AM 040 Friday Feb %\""},
      {"date_format", {t, Text("%s %f")}, "\"1707447845 006007000\""},
      {"date_format", {t, Text("%u %V %G %z")}, "\"5 06 2024 +0000\""},
      {"date_format", {Date("1969-12-31"), Text("yyyyMMdd")}, "\"19691231\""},
      {"date_format", {V("TIME", "\"13:04:05\""), Text("hh:mm a")}, "\"01:04 PM\""},
      {"date_format", {Timestamp("1969-12-31 23:59:59.5"), Text("HH:mm:ss.S")}, "\"23:59:59.5\""},
      {"date_format", {V("JSON", "\"2024-02-09\""), Text("yyyy")}, "\"2024\""},
      {"to_char", {Null("TIMESTAMP"), Text("yyyy")}, "null"},
  });
  EXPECT_EQ(Call("date_format", {t, Text("%Q")}),
            "error: '%Q' is not a time format: there is no %Q in a time format");
  EXPECT_TRUE(Call("date_format", {t, Text("bad")})
                  .starts_with("error: 'bad' is not a time format: 'b' is no letter"));
}

TEST(DateTimeTest, FormatsReadBack) {
  struct ReadCase {
    const char* text;
    const char* format;
    const char* result;  // empty: no match
  };
  for (const ReadCase& c : std::vector<ReadCase>{
           {"20240229102030", "yyyyMMddHHmmss", "2024-02-29T10:20:30"},
           {"20240229102030123", "yyyyMMddHHmmssSSS", "2024-02-29T10:20:30.123"},
           {"2024-02-29 10:20:30.5", "yyyy-MM-dd HH:mm:ss.SSS", "2024-02-29T10:20:30.500"},
           {"2024-02-29T10:20:30+02:00", "%Y-%m-%dT%H:%M:%S%z", "2024-02-29T08:20:30"},
           {"2024-02-29 10:20:30", "%F %T", "2024-02-29T10:20:30"},
           {"29/Feb/2024:10:20:30 +0000", "%d/%b/%Y:%H:%M:%S %z", "2024-02-29T10:20:30"},
           {"Thu, 29 February 2024 12:05 am", "EEE, dd MMMM yyyy hh:mm a", "2024-02-29T00:05:00"},
           {"12:05 PM", "hh:mm a", "1970-01-01T12:05:00"},
           {"2024-060", "%Y-%j", "2024-02-29T00:00:00"},
           {"1700000000", "%s", "2023-11-14T22:13:20"},
           {"9/2/24", "%-d/%-m/%y", "2024-02-09T00:00:00"},
           {"2023-02-29", "yyyy-MM-dd", ""},
           {"2024-13-01", "yyyy-MM-dd", ""},
           {"2024-01-01 ", "yyyy-MM-dd", "2024-01-01T00:00:00"},
           {"2024-01-01x", "yyyy-MM-dd", ""},
           {"2024-01", "yyyy-MM-dd", ""},
           {"25:00", "HH:mm", ""},
       }) {
    const std::string expected = *c.result ? std::string("\"") + c.result + "\"" : "null";
    EXPECT_EQ(Call("try_to_timestamp", {Text(c.text), Text(c.format)}), expected)
        << c.text << " by " << c.format;
  }
}

TEST(IntervalTextTest, Reads) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"5 minutes", "PT5M"},      {"1 HOUR", "PT1H"}, {"1 day 02:00:00", "P1DT2H"},
      {"1-2", "P1Y2M"},           {"-2d", "P-2D"},    {"1.5 hours", "PT1H30M"},
      {"1.5 months", "P1M15D"},   {"90s", "PT1M30S"}, {"10 ms", "PT0.010S"},
      {"1 year 3 mons", "P1Y3M"}, {"PT1H", "PT1H"},   {"2 weeks", "P14D"},
      {"00:00:01.5", "PT1.500S"}};
  for (const auto& [text, iso] : cases) {
    const auto interval = ParseInterval(text);
    ASSERT_TRUE(interval) << text;
    const auto expected = ParseIsoInterval(iso);
    ASSERT_TRUE(expected) << iso;
    EXPECT_EQ(*interval, *expected) << text << " is " << IsoIntervalToText(*interval);
  }
  for (const char* text : {"", "5", "minutes", "5 parsecs", "1:2:3:4", "99999999999 years"}) {
    EXPECT_FALSE(ParseInterval(text)) << text;
  }
}

}  // namespace
}  // namespace laminar::function_testing
