#pragma once

/// Format strings for dates and times, both ways. A string that holds `%` is in strftime's language (as
/// Rust's chrono has it), any other in Java's letters (`yyyy-MM-dd HH:mm:ss.SSS`). Include only from .cc
/// files.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "functions/elementwise.h"

namespace laminar {

/// A moment taken apart: UTC seconds since 1970 and nanoseconds in [0, 1e9).
struct MomentParts {
  int64_t seconds = 0;
  int32_t nanos = 0;
};

class TimePattern {
 public:
  /// nullopt when the format has a letter that is none; `error` then says which.
  static std::optional<TimePattern> Compile(std::string_view format, std::string* error);

  void Append(const MomentParts& moment, TextWriter& out) const;
  /// Moments of the same so many seconds, counted from 1970, have the same text; 0: any two may differ.
  int64_t seconds_per_text() const;
  /// All of the text must match. Parts that the format has not are those of 1970-01-01 00:00:00. nullopt: no
  /// match or no such date.
  std::optional<MomentParts> Parse(std::string_view text) const;

 private:
  enum class Field : uint8_t {
    kLiteral,
    kSpace,
    kYear,
    kYear2,
    kMonth,
    kMonthShort,
    kMonthLong,
    kDay,
    kDayOfYear,
    kWeekdayShort,
    kWeekdayLong,
    kIsoWeekday,
    kIsoWeek,
    kIsoYear,
    kQuarter,
    kHour24,
    kHour12,
    kMinute,
    kSecond,
    kFraction,
    kAmPm,
    kOffset,
    kOffsetColon,
    kOffsetOrZ,
    kEpoch,
  };
  struct Token {
    Field field;
    int width = 0;  ///< numbers: least digits; kFraction: exact digits, 0: as many as needed with the point
    char pad = '0';
    std::string text;  ///< kLiteral
  };
  struct ParsedParts;

  bool CompileStrftime(std::string_view format, std::string* error);
  bool CompileJava(std::string_view format, std::string* error);
  bool AddStrftime(char letter, char flag, std::string* error);
  bool AddJava(char letter, int count, std::string* error);
  void Add(Field field, int width = 0, char pad = '0') { tokens_.push_back({field, width, pad, {}}); }
  void AddLiteral(std::string_view text);
  bool ParseToken(size_t index, std::string_view* text, ParsedParts* parts) const;
  bool NextIsDigits(size_t index) const;

  std::vector<Token> tokens_;
};

/// The last few patterns of a batch, compiled.
class TimePatternCache {
 public:
  /// Null when the format is wrong; `error` says how.
  const TimePattern* Get(std::string_view format, std::string* error);

 private:
  std::string format_;
  std::optional<TimePattern> pattern_;
};

}  // namespace laminar
