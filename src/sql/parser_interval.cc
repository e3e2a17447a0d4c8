#include "sql/parser_interval.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <utility>
#include <vector>

#include "sql/parser.h"

namespace laminar::sql {
namespace {

using Wide = __int128;

constexpr Wide kMicrosPerDay = Wide{86400} * 1000000;

struct UnitName {
  std::string_view text;
  IntervalUnit unit;
  bool is_long;
};

constexpr std::array<UnitName, 42> kUnitNames = {{
    {"nanosecond", IntervalUnit::kNanosecond, true},
    {"nanoseconds", IntervalUnit::kNanosecond, true},
    {"ns", IntervalUnit::kNanosecond, false},
    {"microsecond", IntervalUnit::kMicrosecond, true},
    {"microseconds", IntervalUnit::kMicrosecond, true},
    {"us", IntervalUnit::kMicrosecond, false},
    {"usec", IntervalUnit::kMicrosecond, false},
    {"\xC2\xB5s", IntervalUnit::kMicrosecond, false},
    {"\xCE\xBCs", IntervalUnit::kMicrosecond, false},
    {"millisecond", IntervalUnit::kMillisecond, true},
    {"milliseconds", IntervalUnit::kMillisecond, true},
    {"ms", IntervalUnit::kMillisecond, false},
    {"msec", IntervalUnit::kMillisecond, false},
    {"millis", IntervalUnit::kMillisecond, false},
    {"second", IntervalUnit::kSecond, true},
    {"seconds", IntervalUnit::kSecond, true},
    {"sec", IntervalUnit::kSecond, false},
    {"secs", IntervalUnit::kSecond, false},
    {"s", IntervalUnit::kSecond, false},
    {"minute", IntervalUnit::kMinute, true},
    {"minutes", IntervalUnit::kMinute, true},
    {"min", IntervalUnit::kMinute, false},
    {"mins", IntervalUnit::kMinute, false},
    {"m", IntervalUnit::kMinute, false},
    {"hour", IntervalUnit::kHour, true},
    {"hours", IntervalUnit::kHour, true},
    {"hr", IntervalUnit::kHour, false},
    {"hrs", IntervalUnit::kHour, false},
    {"h", IntervalUnit::kHour, false},
    {"day", IntervalUnit::kDay, true},
    {"days", IntervalUnit::kDay, true},
    {"d", IntervalUnit::kDay, false},
    {"week", IntervalUnit::kWeek, true},
    {"weeks", IntervalUnit::kWeek, true},
    {"w", IntervalUnit::kWeek, false},
    {"month", IntervalUnit::kMonth, true},
    {"months", IntervalUnit::kMonth, true},
    {"mon", IntervalUnit::kMonth, false},
    {"quarter", IntervalUnit::kQuarter, true},
    {"quarters", IntervalUnit::kQuarter, true},
    {"year", IntervalUnit::kYear, true},
    {"years", IntervalUnit::kYear, true},
}};

const UnitName* FindUnit(std::string_view word) {
  for (const UnitName& name : kUnitNames) {
    if (EqualsIgnoreCase(name.text, word)) return &name;
  }
  static constexpr std::array<UnitName, 4> kMore = {{{"y", IntervalUnit::kYear, false},
                                                     {"yr", IntervalUnit::kYear, false},
                                                     {"yrs", IntervalUnit::kYear, false},
                                                     {"mons", IntervalUnit::kMonth, false}}};
  for (const UnitName& name : kMore) {
    if (EqualsIgnoreCase(name.text, word)) return &name;
  }
  return nullptr;
}

/// Microseconds of a unit of fixed length; 0 for the others.
Wide MicrosOf(IntervalUnit unit) {
  switch (unit) {
    case IntervalUnit::kMicrosecond:
      return 1;
    case IntervalUnit::kMillisecond:
      return 1000;
    case IntervalUnit::kSecond:
      return 1000000;
    case IntervalUnit::kMinute:
      return Wide{60} * 1000000;
    case IntervalUnit::kHour:
      return Wide{3600} * 1000000;
    case IntervalUnit::kDay:
      return kMicrosPerDay;
    case IntervalUnit::kWeek:
      return 7 * kMicrosPerDay;
    default:
      return 0;
  }
}

/// digits · 10^−scale, at most 18 digits.
struct Decimal {
  int64_t digits = 0;
  int scale = 0;
};

/// Reads an interval's text from left to right and sums its parts up.
class IntervalReader {
 public:
  IntervalReader(std::string_view text, SourceSpan span) : text_(text), span_(span) {}

  /// Number-unit pairs, clock times and years-months in any order.
  IntervalValue ReadFree() {
    SkipSpace();
    if (AtEnd()) Fail("is empty");
    while (!AtEnd()) {
      const bool negative = TakeSign();
      if (AtClock()) {
        AddClock(IntervalUnit::kHour, std::nullopt, negative);
      } else if (AtYearMonth()) {
        AddYearMonth(negative);
      } else {
        const Decimal number = ReadNumber();
        Add(number, ReadUnit(), negative);
      }
      SkipSpace();
    }
    return Result();
  }

  IntervalValue ReadQualified(IntervalUnit from, std::optional<IntervalUnit> to) {
    SkipSpace();
    const bool negative = TakeSign();
    if (to && from == IntervalUnit::kYear) {
      AddYearMonth(negative);
    } else if (from == IntervalUnit::kDay && to && *to != IntervalUnit::kDay) {
      Add(ReadNumber(), IntervalUnit::kDay, negative);
      if (At(pos_) == ':') Fail("does not fit its unit");
      SkipSpace();
      if (!AtEnd()) AddClock(IntervalUnit::kHour, to, negative);
    } else if (to && *to != from) {
      AddClock(from, to, negative);
    } else {
      Add(ReadNumber(), from, negative);
    }
    SkipSpace();
    if (!AtEnd()) Fail("does not fit its unit");
    return Result();
  }

 private:
  bool AtEnd() const { return pos_ >= text_.size(); }
  char At(size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  static bool IsDigit(char c) { return c >= '0' && c <= '9'; }

  [[noreturn]] void Fail(const std::string& why) const {
    throw UserError(Reason::kBadInterval, span_, "interval '" + std::string(text_.substr(0, 60)) + "' " + why)
        .Hint("an interval is written INTERVAL '5' MINUTE or INTERVAL '1 day 2 hours'");
  }

  void SkipSpace() {
    while (!AtEnd() && (std::isspace(static_cast<unsigned char>(text_[pos_])) || text_[pos_] == ',')) ++pos_;
  }

  bool TakeSign() {
    const bool negative = At(pos_) == '-';
    if (negative || At(pos_) == '+') ++pos_;
    SkipSpace();
    return negative;
  }

  /// The character behind the digits at pos_.
  char BehindDigits() const {
    size_t i = pos_;
    while (IsDigit(At(i))) ++i;
    return i == pos_ ? '\0' : At(i);
  }
  bool AtClock() const { return BehindDigits() == ':'; }
  bool AtYearMonth() const { return BehindDigits() == '-'; }

  Decimal ReadNumber() {
    Decimal number;
    int count = 0;
    bool fraction = false;
    for (; IsDigit(At(pos_)) || (At(pos_) == '.' && !fraction); ++pos_) {
      if (text_[pos_] == '.') {
        fraction = true;
        continue;
      }
      if (++count > 18) Fail("has a number with too many digits");
      number.digits = number.digits * 10 + (text_[pos_] - '0');
      if (fraction) ++number.scale;
    }
    if (count == 0)
      Fail(AtEnd() ? "ends where a number should stand" : "has no number where one should stand");
    return number;
  }

  IntervalUnit ReadUnit() {
    SkipSpace();
    size_t end = pos_;
    while (std::isalpha(static_cast<unsigned char>(At(end))) || static_cast<unsigned char>(At(end)) >= 0x80)
      ++end;
    const std::string_view word = text_.substr(pos_, end - pos_);
    if (word.empty()) Fail("has a number without a unit");
    const UnitName* unit = FindUnit(word);
    if (unit == nullptr) Fail("has an unknown unit '" + std::string(word.substr(0, 20)) + "'");
    pos_ = end;
    return unit->unit;
  }

  /// H:M, H:M:S, M:S with a fraction; `from` is the unit of the first part, `to` of the last one when known.
  void AddClock(IntervalUnit from, std::optional<IntervalUnit> to, bool negative) {
    int unit = static_cast<int>(from);
    Add(ReadNumber(), from, negative);
    while (At(pos_) == ':') {
      ++pos_;
      --unit;  // the enum runs from small to large units
      if (unit < static_cast<int>(IntervalUnit::kSecond)) Fail("has too many ':'");
      const Decimal part = ReadNumber();
      if (part.digits >= 60 * PowerOfTen(part.scale)) Fail("has minutes or seconds beyond 59");
      Add(part, static_cast<IntervalUnit>(unit), negative);
    }
    if (to && unit != static_cast<int>(*to)) Fail("does not fit its units");
  }

  void AddYearMonth(bool negative) {
    const Decimal years = ReadNumber();
    if (At(pos_) != '-') Fail("is not years-months such as '1-2'");
    ++pos_;
    const Decimal months = ReadNumber();
    if (months.digits > 11 || months.scale != 0) Fail("has more than 11 months");
    Add(years, IntervalUnit::kYear, negative);
    Add(months, IntervalUnit::kMonth, negative);
  }

  static Wide PowerOfTen(int exponent) {
    Wide power = 1;
    for (int i = 0; i < exponent; ++i) power *= 10;
    return power;
  }

  void Add(Decimal number, IntervalUnit unit, bool negative) {
    const Wide digits = negative ? -Wide{number.digits} : Wide{number.digits};
    const Wide divisor = PowerOfTen(number.scale);
    if (unit >= IntervalUnit::kMonth) {
      const Wide months = digits * (unit == IntervalUnit::kYear      ? 12
                                    : unit == IntervalUnit::kQuarter ? 3
                                                                     : 1);
      if (months % divisor != 0) Fail("has a fraction of a month");
      months_ += months / divisor;
    } else if (unit == IntervalUnit::kDay || unit == IntervalUnit::kWeek) {
      const Wide micros = digits * MicrosOf(unit);
      const Wide whole_days = micros / divisor / kMicrosPerDay;
      days_ += whole_days;
      AddMicros(micros - whole_days * kMicrosPerDay * divisor, divisor);
    } else if (unit == IntervalUnit::kNanosecond) {
      AddMicros(digits, divisor * 1000);
    } else {
      AddMicros(digits * MicrosOf(unit), divisor);
    }
  }

  void AddMicros(Wide value, Wide divisor) {
    if (value % divisor != 0) Fail("is finer than a microsecond");
    micros_ += value / divisor;
    const Wide limit = std::numeric_limits<int64_t>::max();
    if (micros_ > limit || micros_ < -limit) Fail("is too long");
  }

  IntervalValue Result() const {
    const Wide limit = std::numeric_limits<int32_t>::max();
    if (months_ > limit || months_ < -limit || days_ > limit || days_ < -limit) Fail("is too long");
    return {static_cast<int32_t>(months_), static_cast<int32_t>(days_), static_cast<int64_t>(micros_)};
  }

  std::string_view text_;
  SourceSpan span_;
  size_t pos_ = 0;
  Wide months_ = 0;
  Wide days_ = 0;
  Wide micros_ = 0;
};

}  // namespace

std::optional<IntervalUnit> ParseIntervalUnit(std::string_view word) {
  const UnitName* name = FindUnit(word);
  return name == nullptr ? std::nullopt : std::optional(name->unit);
}

bool IsLongIntervalUnit(std::string_view word) {
  const UnitName* name = FindUnit(word);
  return name != nullptr && name->is_long;
}

IntervalValue ParseIntervalText(std::string_view text, SourceSpan span) {
  return IntervalReader(text, span).ReadFree();
}

IntervalValue ParseQualifiedInterval(std::string_view text, IntervalUnit from, std::optional<IntervalUnit> to,
                                     SourceSpan span) {
  return IntervalReader(text, span).ReadQualified(from, to);
}

bool IsBareNumber(std::string_view text) {
  bool digit = false;
  for (char c : text) {
    digit = digit || (c >= '0' && c <= '9');
    if (!(c >= '0' && c <= '9') && c != '.' && c != '-' && c != '+' &&
        !std::isspace(static_cast<unsigned char>(c)))
      return false;
  }
  // '1-2' is years-months, not a number.
  const size_t first = text.find_first_of("0123456789.");
  return digit && text.find_first_of("-+", first) == std::string_view::npos;
}

std::string IntervalText(const IntervalValue& interval) {
  std::string out;
  auto part = [&out](int64_t count, const char* unit) {
    if (count == 0) return;
    if (!out.empty()) out += " ";
    out += std::to_string(count) + " " + unit + (count == 1 || count == -1 ? "" : "s");
  };
  part(interval.months, "month");
  part(interval.days, "day");
  part(interval.micros / 1000000, "second");
  part(interval.micros % 1000000, "microsecond");
  return out.empty() ? "0 seconds" : out;
}

}  // namespace laminar::sql
