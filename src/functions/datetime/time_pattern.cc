#include "functions/datetime/time_pattern.h"

#include <array>
#include <cctype>

#include "functions/datetime/calendar.h"
#include "types/type.h"

namespace laminar {

namespace {

constexpr std::array<std::string_view, 12> kMonths = {"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kWeekdays = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                       "Friday", "Saturday", "Sunday"};

void AppendPadded(int64_t value, int width, char pad, TextWriter& out) {
  char digits[24];
  int count = 0;
  uint64_t rest = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  do {
    digits[count++] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest);
  if (value < 0) out.Push('-');
  if (pad) {
    for (int i = count; i < width; ++i) out.Push(pad);
  }
  while (count > 0) out.Push(digits[--count]);
}

int64_t IsoWeekYear(int64_t days) { return CivilFromDays(MondayOf(days) + 3).year; }
int64_t IsoWeekNumber(int64_t days) {
  const int64_t thursday = MondayOf(days) + 3;
  return (thursday - DaysFromCivil(CivilFromDays(thursday).year, 1, 1)) / 7 + 1;
}

void AppendFraction(int32_t nanos, int width, TextWriter& out) {
  int digits = width;
  if (width == 0) {  // the shortest of 0, 3, 6 and 9 digits, with the point
    if (nanos == 0) return;
    digits = nanos % 1'000'000 == 0 ? 3 : nanos % 1'000 == 0 ? 6 : 9;
    out.Push('.');
  }
  int64_t value = nanos;
  for (int i = digits; i < 9; ++i) value /= 10;
  for (int i = 9; i < digits; ++i) value *= 10;
  AppendPadded(value, digits, '0', out);
}

}  // namespace

std::optional<TimePattern> TimePattern::Compile(std::string_view format, std::string* error) {
  TimePattern pattern;
  const bool strftime = format.find('%') != std::string_view::npos;
  if (!(strftime ? pattern.CompileStrftime(format, error) : pattern.CompileJava(format, error)))
    return std::nullopt;
  return pattern;
}

void TimePattern::AddLiteral(std::string_view text) {
  for (char c : text) {
    if (std::isspace(static_cast<unsigned char>(c))) {
      tokens_.push_back({Field::kSpace, 0, '0', std::string(1, c)});
    } else if (!tokens_.empty() && tokens_.back().field == Field::kLiteral) {
      tokens_.back().text.push_back(c);
    } else {
      tokens_.push_back({Field::kLiteral, 0, '0', std::string(1, c)});
    }
  }
}

bool TimePattern::CompileStrftime(std::string_view format, std::string* error) {
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      AddLiteral(format.substr(i, 1));
      continue;
    }
    if (++i == format.size()) {
      *error = "the format ends with %";
      return false;
    }
    // Fractions: %.3f, %3f, %.f.
    const size_t begin = i;
    const bool point = format[i] == '.';
    if (point) ++i;
    int digits = -1;
    if (i < format.size() && std::isdigit(static_cast<unsigned char>(format[i]))) digits = format[i++] - '0';
    if (i < format.size() && format[i] == 'f' && (point || digits >= 0)) {
      if (point && digits > 0) AddLiteral(".");
      Add(Field::kFraction, digits > 0 ? digits : 0);
      continue;
    }
    i = begin;
    const char flag = format[i] == '-' || format[i] == '_' || format[i] == '0' ? format[i++] : '\0';
    if (i == format.size() || !AddStrftime(format[i], flag, error)) {
      if (error->empty()) *error = "the format ends with %";
      return false;
    }
  }
  return true;
}

bool TimePattern::AddStrftime(char letter, char flag, std::string* error) {
  const char zero = flag == '-' ? '\0' : flag == '_' ? ' ' : '0';
  const char space = flag == '-' ? '\0' : flag == '0' ? '0' : ' ';
  auto all = [&](std::string_view letters) {
    for (char c : letters) {
      if (std::isalpha(static_cast<unsigned char>(c))) {
        if (!AddStrftime(c, '\0', error)) return false;
      } else {
        AddLiteral(std::string_view(&c, 1));
      }
    }
    return true;
  };
  switch (letter) {
    case 'Y':
      Add(Field::kYear, 4, zero);
      return true;
    case 'y':
      Add(Field::kYear2, 2, zero);
      return true;
    case 'm':
      Add(Field::kMonth, 2, zero);
      return true;
    case 'b':
    case 'h':
      Add(Field::kMonthShort);
      return true;
    case 'B':
      Add(Field::kMonthLong);
      return true;
    case 'd':
      Add(Field::kDay, 2, zero);
      return true;
    case 'e':
      Add(Field::kDay, 2, space);
      return true;
    case 'j':
      Add(Field::kDayOfYear, 3, zero);
      return true;
    case 'a':
      Add(Field::kWeekdayShort);
      return true;
    case 'A':
      Add(Field::kWeekdayLong);
      return true;
    case 'u':
      Add(Field::kIsoWeekday, 1);
      return true;
    case 'V':
      Add(Field::kIsoWeek, 2, zero);
      return true;
    case 'G':
      Add(Field::kIsoYear, 4, zero);
      return true;
    case 'q':
      Add(Field::kQuarter, 1);
      return true;
    case 'H':
      Add(Field::kHour24, 2, zero);
      return true;
    case 'k':
      Add(Field::kHour24, 2, space);
      return true;
    case 'I':
      Add(Field::kHour12, 2, zero);
      return true;
    case 'l':
      Add(Field::kHour12, 2, space);
      return true;
    case 'M':
      Add(Field::kMinute, 2, zero);
      return true;
    case 'S':
      Add(Field::kSecond, 2, zero);
      return true;
    case 'f':
      Add(Field::kFraction, 9);
      return true;
    case 'p':
    case 'P':
      Add(Field::kAmPm);
      return true;
    case 'z':
      Add(Field::kOffset);
      return true;
    case 'Z':
      Add(Field::kOffsetOrZ);
      return true;
    case 's':
      Add(Field::kEpoch);
      return true;
    case 'n':
    case 't':
      AddLiteral(" ");
      return true;
    case '%':
      AddLiteral("%");
      return true;
    case 'D':
      return all("m/d/y");
    case 'F':
      return all("Y-m-d");
    case 'T':
    case 'X':
      return all("H:M:S");
    case 'R':
      return all("H:M");
    case 'r':
      return all("I:M:S p");
    case 'x':
      return all("m/d/y");
    case 'c':
      return all("a b e H:M:S Y");
    default:
      *error = std::string("there is no %") + letter + " in a time format";
      return false;
  }
}

bool TimePattern::CompileJava(std::string_view format, std::string* error) {
  for (size_t i = 0; i < format.size();) {
    const char c = format[i];
    if (c == '\'') {
      const size_t end = format.find('\'', i + 1);
      if (end == std::string_view::npos) {
        *error = "a quote in the format has no end";
        return false;
      }
      AddLiteral(end == i + 1 ? "'" : format.substr(i + 1, end - i - 1));
      i = end + 1;
    } else if (std::isalpha(static_cast<unsigned char>(c))) {
      size_t end = i;
      while (end < format.size() && format[end] == c) ++end;
      if (!AddJava(c, static_cast<int>(end - i), error)) return false;
      i = end;
    } else {
      AddLiteral(format.substr(i, 1));
      ++i;
    }
  }
  return true;
}

bool TimePattern::AddJava(char letter, int count, std::string* error) {
  switch (letter) {
    case 'y':
    case 'u':
      count == 2 ? Add(Field::kYear2, 2) : Add(Field::kYear, count == 1 ? 1 : count);
      return true;
    case 'Y':
      Add(Field::kIsoYear, count);
      return true;
    case 'Q':
    case 'q':
      Add(Field::kQuarter, count);
      return true;
    case 'M':
    case 'L':
      count >= 4 ? Add(Field::kMonthLong) : count == 3 ? Add(Field::kMonthShort) : Add(Field::kMonth, count);
      return true;
    case 'w':
      Add(Field::kIsoWeek, count);
      return true;
    case 'd':
      Add(Field::kDay, count);
      return true;
    case 'D':
      Add(Field::kDayOfYear, count);
      return true;
    case 'E':
      count >= 4 ? Add(Field::kWeekdayLong) : Add(Field::kWeekdayShort);
      return true;
    case 'e':
      Add(Field::kIsoWeekday, count);
      return true;
    case 'H':
      Add(Field::kHour24, count);
      return true;
    case 'h':
      Add(Field::kHour12, count);
      return true;
    case 'm':
      Add(Field::kMinute, count);
      return true;
    case 's':
      Add(Field::kSecond, count);
      return true;
    case 'S':
      Add(Field::kFraction, std::min(count, 9));
      return true;
    case 'a':
      Add(Field::kAmPm);
      return true;
    case 'Z':
      Add(count >= 5 ? Field::kOffsetColon : Field::kOffset);
      return true;
    case 'x':
      Add(count >= 3 ? Field::kOffsetColon : Field::kOffset);
      return true;
    case 'X':
    case 'z':
    case 'V':
      Add(Field::kOffsetOrZ);
      return true;
    default:
      *error =
          std::string("'") + letter + "' is no letter of a time format: quote text as in yyyy-MM-dd'T'HH:mm";
      return false;
  }
}

int64_t TimePattern::seconds_per_text() const {
  int64_t seconds = 86'400;
  for (const Token& token : tokens_) {
    switch (token.field) {
      case Field::kHour24:
      case Field::kHour12:
      case Field::kAmPm:
        seconds = std::min<int64_t>(seconds, 3'600);
        break;
      case Field::kMinute:
        seconds = std::min<int64_t>(seconds, 60);
        break;
      case Field::kSecond:
      case Field::kEpoch:
        seconds = std::min<int64_t>(seconds, 1);
        break;
      case Field::kFraction:
        return 0;
      default:
        break;
    }
  }
  return seconds;
}

void TimePattern::Append(const MomentParts& moment, TextWriter& out) const {
  const int64_t days = FloorDivide(moment.seconds, 86'400);
  const int64_t second_of_day = FloorModulo(moment.seconds, 86'400);
  const CivilDate date = CivilFromDays(days);
  const int64_t hour = second_of_day / 3600;
  const auto number = [&](const Token& token, int64_t value) {
    AppendPadded(value, token.width, token.pad, out);
  };
  for (const Token& token : tokens_) {
    switch (token.field) {
      case Field::kLiteral:
      case Field::kSpace:
        out.Append(token.text);
        break;
      case Field::kYear:
        number(token, date.year);
        break;
      case Field::kYear2:
        number(token, FloorModulo(date.year, 100));
        break;
      case Field::kMonth:
        number(token, date.month);
        break;
      case Field::kMonthShort:
        out.Append(kMonths[static_cast<size_t>(date.month - 1)].substr(0, 3));
        break;
      case Field::kMonthLong:
        out.Append(kMonths[static_cast<size_t>(date.month - 1)]);
        break;
      case Field::kDay:
        number(token, date.day);
        break;
      case Field::kDayOfYear:
        number(token, days - DaysFromCivil(date.year, 1, 1) + 1);
        break;
      case Field::kWeekdayShort:
        out.Append(kWeekdays[static_cast<size_t>(FloorModulo(days + 3, 7))].substr(0, 3));
        break;
      case Field::kWeekdayLong:
        out.Append(kWeekdays[static_cast<size_t>(FloorModulo(days + 3, 7))]);
        break;
      case Field::kIsoWeekday:
        number(token, FloorModulo(days + 3, 7) + 1);
        break;
      case Field::kIsoWeek:
        number(token, IsoWeekNumber(days));
        break;
      case Field::kIsoYear:
        number(token, IsoWeekYear(days));
        break;
      case Field::kQuarter:
        number(token, (date.month + 2) / 3);
        break;
      case Field::kHour24:
        number(token, hour);
        break;
      case Field::kHour12:
        number(token, (hour + 11) % 12 + 1);
        break;
      case Field::kMinute:
        number(token, second_of_day / 60 % 60);
        break;
      case Field::kSecond:
        number(token, second_of_day % 60);
        break;
      case Field::kFraction:
        AppendFraction(moment.nanos, token.width, out);
        break;
      case Field::kAmPm:
        out.Append(hour < 12 ? "AM" : "PM");
        break;
      case Field::kOffset:
        out.Append("+0000");
        break;
      case Field::kOffsetColon:
        out.Append("+00:00");
        break;
      case Field::kOffsetOrZ:
        out.Append("Z");
        break;
      case Field::kEpoch:
        AppendPadded(moment.seconds, 1, '0', out);
        break;
    }
  }
}

struct TimePattern::ParsedParts {
  std::optional<int64_t> year, month, day, day_of_year, hour, hour12, epoch;
  int64_t minute = 0;
  int64_t second = 0;
  int64_t nanos = 0;
  int64_t offset_seconds = 0;
  bool pm = false;
  bool has_am_pm = false;
};

namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// Up to `digits_max` digits, with a sign where allowed.
std::optional<int64_t> TakeNumber(std::string_view* text, int digits_max, bool sign = false) {
  size_t pos = 0;
  bool negative = false;
  if (sign && !text->empty() && ((*text)[0] == '-' || (*text)[0] == '+')) negative = (*text)[pos++] == '-';
  const size_t begin = pos;
  int64_t value = 0;
  while (pos < text->size() && IsDigit((*text)[pos]) && static_cast<int>(pos - begin) < digits_max) {
    value = value * 10 + ((*text)[pos++] - '0');
  }
  if (pos == begin) return std::nullopt;
  text->remove_prefix(pos);
  return negative ? -value : value;
}

bool TakeIgnoringCase(std::string_view* text, std::string_view word) {
  if (text->size() < word.size() || !EqualsIgnoreCase(text->substr(0, word.size()), word)) return false;
  text->remove_prefix(word.size());
  return true;
}

/// Index of the name that the text starts with, in full or by its first three letters; −1: none.
template <size_t kCount>
int TakeName(std::string_view* text, const std::array<std::string_view, kCount>& names) {
  for (size_t i = 0; i < kCount; ++i) {
    if (TakeIgnoringCase(text, names[i])) return static_cast<int>(i);
  }
  for (size_t i = 0; i < kCount; ++i) {
    if (TakeIgnoringCase(text, names[i].substr(0, 3))) return static_cast<int>(i);
  }
  return -1;
}

/// `Z`, `UTC`, `±hh`, `±hhmm`, `±hh:mm` as seconds east of Greenwich.
std::optional<int64_t> TakeOffset(std::string_view* text) {
  if (TakeIgnoringCase(text, "Z") || TakeIgnoringCase(text, "UTC") || TakeIgnoringCase(text, "GMT")) return 0;
  if (text->empty() || ((*text)[0] != '+' && (*text)[0] != '-')) return std::nullopt;
  const int64_t sign = (*text)[0] == '-' ? -1 : 1;
  text->remove_prefix(1);
  const auto hours = TakeNumber(text, 2);
  if (!hours) return std::nullopt;
  if (!text->empty() && (*text)[0] == ':') text->remove_prefix(1);
  const auto minutes = TakeNumber(text, 2);
  return sign * (*hours * 3600 + minutes.value_or(0) * 60);
}

/// Digits after the point as nanoseconds; those past nine are cut off.
std::optional<int64_t> TakeFraction(std::string_view* text, int digits_max) {
  int64_t nanos = 0;
  int digits = 0;
  while (digits < digits_max && !text->empty() && IsDigit((*text)[0])) {
    if (digits < 9) nanos = nanos * 10 + ((*text)[0] - '0');
    ++digits;
    text->remove_prefix(1);
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 9; ++digits) nanos *= 10;
  return nanos;
}

bool InRange(const std::optional<int64_t>& value, int64_t low, int64_t high) {
  return value && *value >= low && *value <= high;
}

}  // namespace

/// Whether the token behind `index` starts with a digit: then a number must stop at its width.
bool TimePattern::NextIsDigits(size_t index) const {
  if (index + 1 >= tokens_.size()) return false;
  const Token& next = tokens_[index + 1];
  switch (next.field) {
    case Field::kLiteral:
      return IsDigit(next.text[0]);
    case Field::kSpace:
    case Field::kMonthShort:
    case Field::kMonthLong:
    case Field::kWeekdayShort:
    case Field::kWeekdayLong:
    case Field::kAmPm:
    case Field::kOffset:
    case Field::kOffsetColon:
    case Field::kOffsetOrZ:
      return false;
    case Field::kFraction:
      return next.width > 0;
    default:
      return true;
  }
}

bool TimePattern::ParseToken(size_t index, std::string_view* text, ParsedParts* parts) const {
  const Token& token = tokens_[index];
  auto two = [&](std::optional<int64_t>* out, int64_t low, int64_t high) {
    if (token.pad == ' ' || !token.pad) {
      while (!text->empty() && (*text)[0] == ' ') text->remove_prefix(1);
    }
    *out = TakeNumber(text, 2);
    return InRange(*out, low, high);
  };
  std::optional<int64_t> number;
  switch (token.field) {
    case Field::kLiteral:
      if (!text->starts_with(token.text)) return false;
      text->remove_prefix(token.text.size());
      return true;
    case Field::kSpace:
      while (!text->empty() && std::isspace(static_cast<unsigned char>((*text)[0]))) text->remove_prefix(1);
      return true;
    case Field::kYear:
      parts->year = TakeNumber(text, NextIsDigits(index) ? std::max(token.width, 4) : 6, /*sign=*/true);
      return parts->year.has_value();
    case Field::kYear2:
      number = TakeNumber(text, 2);
      if (number) parts->year = *number + (*number < 70 ? 2000 : 1900);
      return number.has_value();
    case Field::kMonth:
      return two(&parts->month, 1, 12);
    case Field::kMonthShort:
    case Field::kMonthLong: {
      const int month = TakeName(text, kMonths);
      parts->month = month + 1;
      return month >= 0;
    }
    case Field::kDay:
      return two(&parts->day, 1, 31);
    case Field::kDayOfYear:
      parts->day_of_year = TakeNumber(text, 3);
      return InRange(parts->day_of_year, 1, 366);
    case Field::kWeekdayShort:
    case Field::kWeekdayLong:
      return TakeName(text, kWeekdays) >= 0;
    case Field::kIsoWeekday:
    case Field::kQuarter:
      return TakeNumber(text, 1).has_value();
    case Field::kIsoWeek:
    case Field::kIsoYear:
      return false;  // a week alone is no date
    case Field::kHour24:
      return two(&parts->hour, 0, 23);
    case Field::kHour12:
      return two(&parts->hour12, 1, 12);
    case Field::kMinute:
      if (!two(&number, 0, 59)) return false;
      parts->minute = *number;
      return true;
    case Field::kSecond:
      if (!two(&number, 0, 60)) return false;
      parts->second = *number;
      return true;
    case Field::kFraction:
      if (token.width == 0) {
        if (text->empty() || (*text)[0] != '.') return true;
        text->remove_prefix(1);
      }
      number = TakeFraction(text, NextIsDigits(index) && token.width > 0 ? token.width : 18);
      if (number) parts->nanos = *number;
      return number.has_value();
    case Field::kAmPm:
      parts->has_am_pm = true;
      parts->pm = TakeIgnoringCase(text, "PM");
      return parts->pm || TakeIgnoringCase(text, "AM");
    case Field::kOffset:
    case Field::kOffsetColon:
    case Field::kOffsetOrZ:
      number = TakeOffset(text);
      parts->offset_seconds = number.value_or(0);
      return number.has_value();
    case Field::kEpoch:
      parts->epoch = TakeNumber(text, 18, /*sign=*/true);
      return parts->epoch.has_value();
  }
  return false;
}

std::optional<MomentParts> TimePattern::Parse(std::string_view text) const {
  ParsedParts parts;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    if (!ParseToken(i, &text, &parts)) return std::nullopt;
  }
  if (!text.empty()) return std::nullopt;
  if (parts.epoch) return MomentParts{*parts.epoch, static_cast<int32_t>(parts.nanos)};
  const int64_t year = parts.year.value_or(1970);
  const int month = static_cast<int>(parts.month.value_or(1));
  const int64_t day = parts.day.value_or(1);
  if (day > DaysInMonth(year, month)) return std::nullopt;
  int64_t days = DaysFromCivil(year, month, static_cast<int>(day));
  if (parts.day_of_year) {
    days = DaysFromCivil(year, 1, 1) + *parts.day_of_year - 1;
    if (CivilFromDays(days).year != year) return std::nullopt;
  }
  int64_t hour = parts.hour.value_or(0);
  if (parts.hour12) hour = *parts.hour12 % 12 + (parts.pm ? 12 : 0);
  const int64_t seconds =
      days * 86'400 + hour * 3600 + parts.minute * 60 + parts.second - parts.offset_seconds;
  return MomentParts{seconds, static_cast<int32_t>(parts.nanos)};
}

const TimePattern* TimePatternCache::Get(std::string_view format, std::string* error) {
  if (!pattern_ || format_ != format) {
    pattern_ = TimePattern::Compile(format, error);
    format_ = format;
  }
  return pattern_ ? &*pattern_ : nullptr;
}

}  // namespace laminar
