#pragma once

/// Dates, times, timestamps and intervals as text: one reader and one printer for formats, casts and the API,
/// so that what one part writes every other part reads. Nothing here looks at the process's time zone or
/// locale.

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace laminar {

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar (year 0 is 1 BC). The date must exist.
int64_t DaysFromCivil(int64_t year, int month, int day);

struct CivilDate {
  int64_t year;
  int month;  ///< 1–12
  int day;    ///< 1–31
};
CivilDate CivilFromDays(int64_t days);
int DaysInMonth(int64_t year, int month);

/// A moment as UTC seconds since 1970 plus nanoseconds in [0, 1e9), so that any printable date fits.
struct TimestampText {
  int64_t seconds = 0;
  int32_t nanos = 0;
  bool has_time = false;    ///< false: a date alone, read as its midnight
  bool has_offset = false;  ///< the text named an offset (`Z`, `+02:00`); it is already applied
};

/// Reads `YYYY-MM-DD`, and after `T`, `t` or a space `HH:MM[:SS[.f…]]` with an optional offset `Z`, `±hh`,
/// `±hhmm` or `±hh:mm`. Without offset it is UTC. Years beyond four digits carry a sign (`+12345-01-01`,
/// `-0044-03-15`). Digits beyond nanoseconds are cut off. Second 60 is read as the next minute's 0. No
/// surrounding space. nullopt: not a timestamp.
std::optional<TimestampText> ParseTimestamp(std::string_view text);

/// The same as µs since 1970, floored. nullopt also when it does not fit.
std::optional<int64_t> ParseTimestampUs(std::string_view text);
/// The same as ns since 1970; nullopt also outside 1677–2262.
std::optional<int64_t> ParseTimestampNs(std::string_view text);

/// Reads texts that mostly have the date of the one before, as those of a stream do.
class TimestampReader {
 public:
  /// As ParseTimestampUs, but only the forms `YYYY-MM-DD?HH:MM:SS[.f…][Z]`, where ? is T or a space: false
  /// for all else, right or wrong, and `*us` is left alone.
  bool Read(std::string_view text, int64_t* us) {
    return text.size() >= 19 && std::memcmp(text.data(), date_, sizeof(date_)) == 0 ? ReadTime(text, us)
                                                                                    : ReadDate(text, us);
  }

 private:
  bool ReadDate(std::string_view text, int64_t* us);
  bool ReadTime(std::string_view text, int64_t* us) const;

  char date_[10] = {'1', '9', '7', '0', '-', '0', '1', '-', '0', '1'};
  int64_t date_us_ = 0;
};

/// `YYYY-MM-DD` as days since 1970.
std::optional<int32_t> ParseDate(std::string_view text);
/// `HH:MM[:SS[.f…]]` as nanoseconds of the day.
std::optional<int64_t> ParseTimeNs(std::string_view text);

/// Months, days and nanoseconds stay apart: a month has no fixed length. Lies in memory as Arrow's
/// MonthDayNanos.
struct IntervalText {
  int32_t months = 0;
  int32_t days = 0;
  int64_t nanos = 0;
  friend bool operator==(const IntervalText&, const IntervalText&) = default;
};
/// ISO 8601 durations: `P1Y2M3DT4H5M6.7S`, `P2W`, each part with its own sign, `-P…` negates all. nullopt:
/// not one, or too big.
std::optional<IntervalText> ParseIsoInterval(std::string_view text);

/// Room that any of the Write functions below may need.
inline constexpr int kTimeTextBytesMax = 64;

/// Write functions put text without terminator at `out` (at least kTimeTextBytesMax bytes) and return its
/// end. Fractions are the shortest of 0, 3, 6 and 9 digits that lose nothing. Years outside 0–9999 get a
/// sign.
char* WriteDate(int64_t days, char* out);
char* WriteTimeNs(int64_t nanos_of_day, char* out);
/// `separator` is `T` or a space.
char* WriteTimestamp(int64_t seconds, int32_t nanos, char separator, char* out);
char* WriteTimestampUs(int64_t micros, char separator, char* out);
char* WriteTimestampNs(int64_t nanos, char separator, char* out);
char* WriteIsoInterval(const IntervalText& interval, char* out);

std::string DateToText(int64_t days);
std::string TimeNsToText(int64_t nanos_of_day);
std::string TimestampUsToText(int64_t micros, char separator = 'T');
std::string TimestampNsToText(int64_t nanos, char separator = 'T');
std::string IsoIntervalToText(const IntervalText& interval);

}  // namespace laminar
