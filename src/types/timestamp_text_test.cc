#include "types/timestamp_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace laminar {
namespace {

constexpr int64_t kUsPerDay = 86'400'000'000;

TEST(TimestampText, ReadsEveryForm) {
  struct Case {
    const char* text;
    int64_t micros;
  };
  constexpr int64_t base = 1'695'046'990'000'000;  // 2023-09-18T14:23:10Z
  const Case cases[] = {
      {"2023-09-18T14:23:10Z", base},
      {"2023-09-18T14:23:10", base},
      {"2023-09-18 14:23:10", base},
      {"2023-09-18t14:23:10z", base},
      {"2023-09-18T14:23:10.5Z", base + 500'000},
      {"2023-09-18 14:23:10.123456", base + 123'456},
      {"2023-09-18T14:23:10.123456789Z", base + 123'456},
      {"2023-09-18T14:23:10.1234567891234Z", base + 123'456},
      {"2023-09-18T16:23:10+02:00", base},
      {"2023-09-18T16:23:10+0200", base},
      {"2023-09-18 16:23:10+02", base},
      {"2023-09-18T09:53:10.000-04:30", base},
      {"2023-09-18T14:23", base - 10'000'000},
      {"2023-09-18", base - (14 * 3600 + 23 * 60 + 10) * 1'000'000LL},
      {"1970-01-01T00:00:00Z", 0},
      {"1969-12-31T23:59:59.999999Z", -1},
      {"1969-12-31T23:59:59.9999999Z", -1},
      {"2016-12-31T23:59:60Z", 1'483'228'800'000'000},
      {"2000-02-29 00:00:00", 951'782'400'000'000},
      {"9999-12-31T23:59:59.999999Z", 253'402'300'799'999'999},
      {"0000-01-01T00:00:00Z", -719'528 * kUsPerDay},
      {"-0001-12-31T00:00:00Z", -719'529 * kUsPerDay},
      {"+12345-01-01T00:00:00Z", 327'403'382'400'000'000},
  };
  for (const Case& c : cases) {
    ASSERT_TRUE(ParseTimestampUs(c.text).has_value()) << c.text;
    EXPECT_EQ(*ParseTimestampUs(c.text), c.micros) << c.text;
  }
  TimestampReader reader;
  for (const Case& c : cases) {
    for (int time = 0; time < 2; ++time) {  // with another date before it, then with its own
      int64_t micros = c.micros;
      reader.Read(c.text, &micros);
      EXPECT_EQ(micros, c.micros) << c.text;
    }
  }
}

TEST(TimestampText, ReaderTakesTheCommonForms) {
  TimestampReader reader;
  for (const char* text : {"2023-09-18T14:23:10Z", "2023-09-18 14:23:10", "2023-09-18 14:23:10.123",
                           "2023-09-19 00:00:00.123456Z", "1969-12-31T23:59:59.9", "2024-02-29T23:59:60"}) {
    int64_t micros = 0;
    EXPECT_TRUE(reader.Read(text, &micros)) << text;
    EXPECT_EQ(micros, *ParseTimestampUs(text)) << text;
  }
}

TEST(TimestampText, RefusesWhatIsNot) {
  const char* cases[] = {"",
                         "2023",
                         "2023-09",
                         "2023-9-18",
                         "2023-13-01",
                         "2023-00-01",
                         "2023-02-29",
                         "2023-04-31",
                         "2023-09-18T",
                         "2023-09-18T14",
                         "2023-09-18T24:00:00",
                         "2023-09-18T14:60:00",
                         "2023-09-18T14:23:61",
                         "2023-09-18T14:23:10.",
                         "2023-09-18T14:23:10.Z",
                         "2023-09-18T14:23:10Zz",
                         "2023-09-18T14:23:10 Z",
                         " 2023-09-18",
                         "2023-09-18 ",
                         "2023/09/18 14:23:10",
                         "2023-09-18T14:23:10+2",
                         "2023-09-18T14:23:10+25:00",
                         "2023-09-18T14:23:10+02:60",
                         "12345-01-01",
                         "1900-02-29T00:00:00",
                         "20x3-09-18T14:23:10",
                         "2023-09-18X14:23:10",
                         "2023-09-18T14:23:1a",
                         "hello",
                         "2023-09-18T14-23-10",
                         "2023-09-18T14:23:10,5",
                         "202\xc2\xb2-09-18T14:23:10"};
  for (const char* text : cases) EXPECT_FALSE(ParseTimestamp(text).has_value()) << text;
  TimestampReader reader;
  int64_t micros;
  EXPECT_TRUE(reader.Read("2023-09-18T14:23:10Z", &micros));
  for (const char* text : cases) EXPECT_FALSE(reader.Read(text, &micros)) << text;
}

TEST(TimestampText, SaysWhatTheTextNamed) {
  EXPECT_FALSE(ParseTimestamp("2023-09-18")->has_time);
  EXPECT_TRUE(ParseTimestamp("2023-09-18 00:00:00")->has_time);
  EXPECT_FALSE(ParseTimestamp("2023-09-18 00:00:00")->has_offset);
  EXPECT_TRUE(ParseTimestamp("2023-09-18 00:00:00Z")->has_offset);
}

TEST(TimestampText, NanosecondsRefuseWhatDoesNotFit) {
  EXPECT_EQ(ParseTimestampNs("2262-04-11T23:47:16.854775807Z"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(ParseTimestampNs("1677-09-21T00:12:43.145224192Z"), std::numeric_limits<int64_t>::min());
  EXPECT_FALSE(ParseTimestampNs("2262-04-11T23:47:16.854775808Z").has_value());
  EXPECT_FALSE(ParseTimestampNs("1677-09-21T00:12:43.145224191Z").has_value());
  EXPECT_FALSE(ParseTimestampNs("9999-12-31T00:00:00Z").has_value());
  EXPECT_FALSE(ParseTimestampUs("+300000-01-01T00:00:00Z").has_value());
}

TEST(TimestampText, EveryDayOfEightCenturiesRoundTrips) {
  for (int64_t days = -365 * 400; days < 365 * 400; ++days) {
    const CivilDate date = CivilFromDays(days);
    ASSERT_EQ(DaysFromCivil(date.year, date.month, date.day), days);
    ASSERT_LE(date.day, DaysInMonth(date.year, date.month));
    ASSERT_EQ(ParseDate(DateToText(days)), days);
  }
}

TEST(TimestampText, PrintsShortestOfThreeSixNine) {
  EXPECT_EQ(TimestampUsToText(0), "1970-01-01T00:00:00");
  EXPECT_EQ(TimestampUsToText(500'000), "1970-01-01T00:00:00.500");
  EXPECT_EQ(TimestampUsToText(1), "1970-01-01T00:00:00.000001");
  EXPECT_EQ(TimestampUsToText(-1), "1969-12-31T23:59:59.999999");
  EXPECT_EQ(TimestampUsToText(-1, ' '), "1969-12-31 23:59:59.999999");
  EXPECT_EQ(TimestampNsToText(1), "1970-01-01T00:00:00.000000001");
  EXPECT_EQ(TimestampNsToText(1'000), "1970-01-01T00:00:00.000001");
  EXPECT_EQ(TimestampNsToText(std::numeric_limits<int64_t>::min()), "1677-09-21T00:12:43.145224192");
  EXPECT_EQ(TimestampNsToText(std::numeric_limits<int64_t>::max()), "2262-04-11T23:47:16.854775807");
}

TEST(TimestampText, TheEndsOfMicrosecondsRoundTrip) {
  for (int64_t micros : {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(),
                         int64_t{-1}, int64_t{0}, int64_t{253'402'300'799'999'999}}) {
    const std::string text = TimestampUsToText(micros);
    EXPECT_LE(text.size(), static_cast<size_t>(kTimeTextBytesMax));
    EXPECT_EQ(ParseTimestampUs(text), micros) << text;
  }
  EXPECT_EQ(TimestampUsToText(std::numeric_limits<int64_t>::max()), "+294247-01-10T04:00:54.775807");
}

TEST(TimestampText, DatesAndTimes) {
  EXPECT_EQ(ParseDate("1970-01-02"), 1);
  EXPECT_EQ(ParseDate("1969-12-31"), -1);
  EXPECT_FALSE(ParseDate("1970-01-02T00:00:00").has_value());
  EXPECT_FALSE(ParseDate("19700102").has_value());
  EXPECT_EQ(DateToText(-1), "1969-12-31");
  EXPECT_EQ(ParseTimeNs("00:00:00"), 0);
  EXPECT_EQ(ParseTimeNs("23:59:59.999999999"), 86'399'999'999'999);
  EXPECT_EQ(ParseTimeNs("12:30"), 45'000'000'000'000);
  EXPECT_FALSE(ParseTimeNs("23:59:60").has_value());
  EXPECT_FALSE(ParseTimeNs("24:00:00").has_value());
  EXPECT_FALSE(ParseTimeNs("1:00:00").has_value());
  EXPECT_EQ(TimeNsToText(86'399'999'999'999), "23:59:59.999999999");
  EXPECT_EQ(TimeNsToText(45'000'500'000'000), "12:30:00.500");
}

TEST(TimestampText, IntervalsRoundTrip) {
  struct Case {
    const char* text;
    IntervalText value;
    const char* printed;
  };
  constexpr int64_t second = 1'000'000'000;
  const Case cases[] = {
      {"P1Y2M3DT4H5M6.7S", {14, 3, (4 * 3600 + 5 * 60 + 6) * second + 700'000'000}, "P1Y2M3DT4H5M6.700S"},
      {"PT0S", {}, "PT0S"},
      {"P0D", {}, "PT0S"},
      {"P2W", {0, 14, 0}, "P14D"},
      {"P-1M", {-1, 0, 0}, "P-1M"},
      {"-P1DT1S", {0, -1, -second}, "P-1DT-1S"},
      {"P1DT-0.5S", {0, 1, -second / 2}, "P1DT-0.500S"},
      {"PT-1H-30M", {0, 0, -5'400 * second}, "PT-1H-30M"},
      {"PT90M", {0, 0, 5'400 * second}, "PT1H30M"},
      {"P1M", {1, 0, 0}, "P1M"},
      {"PT1M", {0, 0, 60 * second}, "PT1M"},
      {"PT0.000000001S", {0, 0, 1}, "PT0.000000001S"},
  };
  for (const Case& c : cases) {
    ASSERT_TRUE(ParseIsoInterval(c.text).has_value()) << c.text;
    EXPECT_EQ(*ParseIsoInterval(c.text), c.value) << c.text;
    EXPECT_EQ(IsoIntervalToText(c.value), c.printed);
    EXPECT_EQ(*ParseIsoInterval(c.printed), c.value) << c.printed;
  }
  for (IntervalText edge :
       {IntervalText{INT32_MIN, INT32_MIN, INT64_MIN}, IntervalText{INT32_MAX, INT32_MAX, INT64_MAX}}) {
    const std::string text = IsoIntervalToText(edge);
    EXPECT_LE(text.size(), static_cast<size_t>(kTimeTextBytesMax));
    EXPECT_EQ(ParseIsoInterval(text), edge) << text;
  }
}

TEST(TimestampText, RefusesBadIntervals) {
  for (const char* text : {"", "P", "PT", "1D", "P1", "P1S", "PT1D", "P1D1Y", "P1DT", "PT1.S", "P1.5D",
                           "PT1S1S", "P1H", "P99999999999Y", "PT9999999999999H", "p1d", "P1D ", "PT1M1H"}) {
    EXPECT_FALSE(ParseIsoInterval(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace laminar
