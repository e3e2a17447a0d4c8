#include "types/timestamp_text.h"

#include <bit>
#include <cstring>
#include <limits>

namespace laminar {

namespace {

constexpr int64_t kSecondsPerDay = 86'400;
constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr int64_t kNanosPerDay = kSecondsPerDay * kNanosPerSecond;
constexpr int32_t kPowersOfTen[] = {1,       10,        100,        1'000,       10'000,
                                    100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};

bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') <= 9; }

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

/// A place in the text; each Take… moves on and returns true, or leaves `p` where it was and returns false.
struct Cursor {
  const char* p;
  const char* end;

  bool done() const { return p == end; }
  bool Take(char c) {
    if (p == end || *p != c) return false;
    ++p;
    return true;
  }
  bool TakeTwoDigits(int* out) {
    if (end - p < 2 || !IsDigit(p[0]) || !IsDigit(p[1])) return false;
    *out = (p[0] - '0') * 10 + (p[1] - '0');
    p += 2;
    return true;
  }
  /// All digits that follow; false when there is none or more than `digits_max`.
  bool TakeNumber(int digits_max, int64_t* out) {
    const char* start = p;
    int64_t value = 0;
    while (p != end && IsDigit(*p)) {
      if (p - start == digits_max) {
        p = start;
        return false;
      }
      value = value * 10 + (*p++ - '0');
    }
    *out = value;
    return p != start;
  }
  /// Digits after a decimal point as nanoseconds; what is beyond the ninth digit is dropped.
  bool TakeFraction(int32_t* nanos) {
    const char* start = p;
    int32_t value = 0;
    int digits = 0;
    for (; p != end && IsDigit(*p); ++p) {
      if (digits < 9) {
        value = value * 10 + (*p - '0');
        ++digits;
      }
    }
    *nanos = value * kPowersOfTen[9 - digits];
    return p != start;
  }
};

bool IsLeap(int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

bool TakeDate(Cursor* at, int64_t* days) {
  const bool minus = at->Take('-');
  const bool plus = !minus && at->Take('+');
  const char* start = at->p;
  int64_t year;
  int month, day;
  if (!at->TakeNumber(6, &year) || at->p - start < 4) return false;
  if (at->p - start > 4 && !minus && !plus) return false;
  if (!at->Take('-') || !at->TakeTwoDigits(&month) || !at->Take('-') || !at->TakeTwoDigits(&day))
    return false;
  if (minus) year = -year;
  if (month < 1 || month > 12 || day < 1 || day > DaysInMonth(year, month)) return false;
  *days = DaysFromCivil(year, month, day);
  return true;
}

bool TakeTime(Cursor* at, int64_t* seconds, int32_t* nanos) {
  int hour, minute, second = 0;
  *nanos = 0;
  if (!at->TakeTwoDigits(&hour) || !at->Take(':') || !at->TakeTwoDigits(&minute)) return false;
  if (at->Take(':')) {
    if (!at->TakeTwoDigits(&second)) return false;
    if (at->Take('.') && !at->TakeFraction(nanos)) return false;
  }
  if (hour > 23 || minute > 59 || second > 60) return false;
  *seconds = hour * 3600 + minute * 60 + second;
  return true;
}

bool TakeOffset(Cursor* at, int64_t* seconds) {
  *seconds = 0;
  if (at->Take('Z') || at->Take('z')) return true;
  const bool minus = at->Take('-');
  if (!minus && !at->Take('+')) return false;
  int hours, minutes = 0;
  if (!at->TakeTwoDigits(&hours)) return false;
  if (!at->done()) {
    at->Take(':');
    if (!at->TakeTwoDigits(&minutes)) return false;
  }
  if (hours > 23 || minutes > 59) return false;
  *seconds = (minus ? -1 : 1) * (hours * 3600 + minutes * 60);
  return true;
}

uint64_t Load8(const char* p) {
  uint64_t word;
  std::memcpy(&word, p, 8);
  return word;
}

/// Checks `p[0..8)` against a picture like "0000-00-": '0' stands for any digit, all else for itself. On
/// success `digits` holds the digits' values at their places and 0 elsewhere.
template <uint64_t kPicture, uint64_t kSeparators>
bool MatchPicture(const char* p, uint64_t ignored, uint64_t* digits) {
  const uint64_t word = (Load8(p) ^ kPicture) & ~ignored;
  *digits = word;
  return ((((word + 0x7676767676767676) | word) & 0x8080808080808080) | (word & kSeparators)) == 0;
}

int PairAt(uint64_t digits, int index) {
  return static_cast<int>((digits >> (8 * index)) & 0xff) * 10 +
         static_cast<int>((digits >> (8 * index + 8)) & 0xff);
}

/// `YYYY-MM-DD?HH:MM:SS` at the start of the text, where nearly every timestamp ever read has it.
bool TakeCommonForm(Cursor* at, int64_t* seconds) {
  if constexpr (std::endian::native != std::endian::little) return false;
  if (at->end - at->p < 19) return false;
  const char* p = at->p;
  uint64_t date, time;
  // Little endian: the first character is the lowest byte.
  if (!MatchPicture<0x2d30302d30303030, 0xff0000ff00000000>(p, 0, &date)) return false;
  if (!MatchPicture<0x30303a3030003030, 0x0000ff0000000000>(p + 8, 0xff0000, &time)) return false;
  if ((p[10] != 'T' && p[10] != ' ' && p[10] != 't') || p[16] != ':' || !IsDigit(p[17]) || !IsDigit(p[18]))
    return false;
  const int year = PairAt(date, 0) * 100 + PairAt(date, 2);
  const int month = PairAt(date, 5);
  const int day = PairAt(time, 0);
  const int hour = PairAt(time, 3);
  const int minute = PairAt(time, 6);
  const int second = (p[17] - '0') * 10 + (p[18] - '0');
  if (month < 1 || month > 12 || day < 1 || (day > 28 && day > DaysInMonth(year, month))) return false;
  if (hour > 23 || minute > 59 || second > 60) return false;
  *seconds = DaysFromCivil(year, month, day) * kSecondsPerDay + hour * 3600 + minute * 60 + second;
  at->p += 19;
  return true;
}

}  // namespace

int DaysInMonth(int64_t year, int month) {
  constexpr int8_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeap(year) ? 29 : kDays[month - 1];
}

// Years are counted from March so that the leap day is the last of its year; 400 years (an era) have 146,097
// days.
int64_t DaysFromCivil(int64_t year, int month, int day) {
  const int64_t march_year = month <= 2 ? year - 1 : year;
  const int64_t era = FloorDiv(march_year, 400);
  const int64_t year_of_era = march_year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

CivilDate CivilFromDays(int64_t days) {
  const int64_t shifted = days + 719'468;
  const int64_t era = FloorDiv(shifted, 146'097);
  const int64_t day_of_era = shifted - era * 146'097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t march_month = (5 * day_of_year + 2) / 153;
  const int month = static_cast<int>(march_month < 10 ? march_month + 3 : march_month - 9);
  const int day = static_cast<int>(day_of_year - (153 * march_month + 2) / 5 + 1);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

std::optional<TimestampText> ParseTimestamp(std::string_view text) {
  Cursor at{text.data(), text.data() + text.size()};
  TimestampText out;
  if (TakeCommonForm(&at, &out.seconds)) {
    out.has_time = true;
    if (at.done()) return out;
    if (at.Take('.') && !at.TakeFraction(&out.nanos)) return std::nullopt;
  } else {
    int64_t days, seconds_of_day;
    if (!TakeDate(&at, &days)) return std::nullopt;
    out.seconds = days * kSecondsPerDay;
    if (at.done()) return out;
    if (!at.Take('T') && !at.Take(' ') && !at.Take('t')) return std::nullopt;
    if (!TakeTime(&at, &seconds_of_day, &out.nanos)) return std::nullopt;
    out.has_time = true;
    out.seconds += seconds_of_day;
  }
  if (at.done()) return out;
  int64_t offset;
  if (!TakeOffset(&at, &offset) || !at.done()) return std::nullopt;
  out.has_offset = true;
  out.seconds -= offset;
  return out;
}

namespace {

std::optional<int64_t> ScaleSeconds(int64_t seconds, int64_t units_per_second, int64_t fraction) {
  int64_t out;
  // One second up and its rest down, so that the very first representable moment does not overflow on the
  // way.
  if (seconds < 0 && fraction > 0) {
    seconds += 1;
    fraction -= units_per_second;
  }
  if (__builtin_mul_overflow(seconds, units_per_second, &out) ||
      __builtin_add_overflow(out, fraction, &out)) {
    return std::nullopt;
  }
  return out;
}

}  // namespace

std::optional<int64_t> ParseTimestampUs(std::string_view text) {
  const auto parsed = ParseTimestamp(text);
  if (!parsed) return std::nullopt;
  return ScaleSeconds(parsed->seconds, 1'000'000, parsed->nanos / 1'000);
}

std::optional<int64_t> ParseTimestampNs(std::string_view text) {
  const auto parsed = ParseTimestamp(text);
  if (!parsed) return std::nullopt;
  return ScaleSeconds(parsed->seconds, kNanosPerSecond, parsed->nanos);
}

bool TimestampReader::ReadDate(std::string_view text, int64_t* us) {
  if (text.size() < 19) return false;
  Cursor at{text.data(), text.data() + sizeof(date_)};
  int64_t days;
  if (!IsDigit(text[0]) || !TakeDate(&at, &days) || !at.done()) return false;
  std::memcpy(date_, text.data(), sizeof(date_));
  date_us_ = days * kSecondsPerDay * 1'000'000;
  return ReadTime(text, us);
}

/// `text` has at least 19 bytes, of which the first ten are date_.
bool TimestampReader::ReadTime(std::string_view text, int64_t* us) const {
  if constexpr (std::endian::native != std::endian::little) return false;
  const char* p = text.data();
  if (p[10] != ' ' && p[10] != 'T') return false;
  uint64_t time;
  if (!MatchPicture<0x30303a30303a3030, 0x0000ff0000ff0000>(p + 11, 0, &time)) return false;
  const int hour = PairAt(time, 0), minute = PairAt(time, 3), second = PairAt(time, 6);
  if (hour > 23 || minute > 59 || second > 60) return false;
  const size_t end = text.size() - (text.back() == 'Z' ? 1 : 0);
  int32_t fraction = 0;
  if (end > 19) {
    if (end > 26 || end == 20 || p[19] != '.') return false;
    for (size_t i = 20; i < end; ++i) {
      if (!IsDigit(p[i])) return false;
      fraction = fraction * 10 + (p[i] - '0');
    }
    fraction *= kPowersOfTen[26 - end];
  }
  *us = date_us_ + (hour * 3600 + minute * 60 + second) * int64_t{1'000'000} + fraction;
  return true;
}

std::optional<int32_t> ParseDate(std::string_view text) {
  Cursor at{text.data(), text.data() + text.size()};
  int64_t days;
  if (!TakeDate(&at, &days) || !at.done()) return std::nullopt;
  return static_cast<int32_t>(days);  // six digits of year cannot leave int32
}

std::optional<int64_t> ParseTimeNs(std::string_view text) {
  Cursor at{text.data(), text.data() + text.size()};
  int64_t seconds;
  int32_t nanos;
  if (!TakeTime(&at, &seconds, &nanos) || !at.done() || seconds >= kSecondsPerDay) return std::nullopt;
  return seconds * kNanosPerSecond + nanos;
}

namespace {

/// Adds `amount` × `unit` to `*sum`; false when that does not fit.
template <typename T>
bool AddScaled(int64_t amount, int64_t unit, T* sum) {
  int64_t scaled;
  return !__builtin_mul_overflow(amount, unit, &scaled) && !__builtin_add_overflow(scaled, *sum, sum);
}

struct IntervalPart {
  char designator;
  bool in_time;
};

/// Adds one part such as `3D` or `6.7S`. `position` is how far the fixed order of designators has come.
bool TakeIntervalPart(Cursor* at, bool in_time, int sign, int* position, IntervalText* out) {
  constexpr IntervalPart kOrder[] = {{'Y', false}, {'M', false}, {'W', false}, {'D', false},
                                     {'H', true},  {'M', true},  {'S', true}};
  if (at->Take('-')) {
    sign = -sign;
  } else {
    at->Take('+');
  }
  int64_t amount;
  int32_t fraction = 0;
  if (!at->TakeNumber(18, &amount)) return false;
  const bool has_fraction = at->Take('.');
  if (has_fraction && !at->TakeFraction(&fraction)) return false;
  if (at->done()) return false;
  const char designator = *at->p++;
  while (*position < 7 &&
         (kOrder[*position].designator != designator || kOrder[*position].in_time != in_time))
    ++*position;
  const int part = (*position)++;
  if (part >= 7 || (has_fraction && part != 6)) return false;
  amount *= sign;
  switch (part) {
    case 0:
      return AddScaled(amount, 12, &out->months);
    case 1:
      return AddScaled(amount, 1, &out->months);
    case 2:
      return AddScaled(amount, 7, &out->days);
    case 3:
      return AddScaled(amount, 1, &out->days);
    case 4:
      return AddScaled(amount, 3600 * kNanosPerSecond, &out->nanos);
    case 5:
      return AddScaled(amount, 60 * kNanosPerSecond, &out->nanos);
    default:
      return AddScaled(amount, kNanosPerSecond, &out->nanos) && AddScaled(sign, fraction, &out->nanos);
  }
}

}  // namespace

std::optional<IntervalText> ParseIsoInterval(std::string_view text) {
  Cursor at{text.data(), text.data() + text.size()};
  const int sign = at.Take('-') ? -1 : 1;
  if (sign > 0) at.Take('+');
  if (!at.Take('P') || at.done()) return std::nullopt;
  IntervalText out;
  int position = 0;
  bool in_time = false;
  while (!at.done()) {
    if (!in_time && at.Take('T')) {
      in_time = true;
      if (at.done()) return std::nullopt;
    }
    if (!TakeIntervalPart(&at, in_time, sign, &position, &out)) return std::nullopt;
  }
  return out;
}

namespace {

char* WriteTwo(int64_t value, char* out) {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
  return out + 2;
}

/// Exactly `digits` digits.
char* WritePadded(int64_t value, int digits, char* out) {
  for (int i = digits - 1; i >= 0; --i) {
    out[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return out + digits;
}

char* WriteUnsigned(uint64_t value, char* out) {
  char digits[20];
  int count = 0;
  do {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  while (count > 0) *out++ = digits[--count];
  return out;
}

char* WriteYear(int64_t year, char* out) {
  if (year >= 0 && year <= 9999) {
    WriteTwo(year / 100, out);
    return WriteTwo(year % 100, out + 2);
  }
  *out++ = year < 0 ? '-' : '+';
  const int64_t magnitude = year < 0 ? -year : year;
  return magnitude <= 9999 ? WritePadded(magnitude, 4, out)
                           : WriteUnsigned(static_cast<uint64_t>(magnitude), out);
}

char* WriteFraction(int32_t nanos, char* out) {
  if (nanos == 0) return out;
  *out++ = '.';
  if (nanos % 1'000'000 == 0) return WritePadded(nanos / 1'000'000, 3, out);
  if (nanos % 1'000 == 0) return WritePadded(nanos / 1'000, 6, out);
  return WritePadded(nanos, 9, out);
}

char* WriteClock(int64_t second_of_day, int32_t nanos, char* out) {
  out = WriteTwo(second_of_day / 3600, out);
  *out++ = ':';
  out = WriteTwo(second_of_day / 60 % 60, out);
  *out++ = ':';
  out = WriteTwo(second_of_day % 60, out);
  return WriteFraction(nanos, out);
}

}  // namespace

char* WriteDate(int64_t days, char* out) {
  const CivilDate date = CivilFromDays(days);
  out = WriteYear(date.year, out);
  *out++ = '-';
  out = WriteTwo(date.month, out);
  *out++ = '-';
  return WriteTwo(date.day, out);
}

char* WriteTimeNs(int64_t nanos_of_day, char* out) {
  return WriteClock(nanos_of_day / kNanosPerSecond, static_cast<int32_t>(nanos_of_day % kNanosPerSecond),
                    out);
}

char* WriteTimestamp(int64_t seconds, int32_t nanos, char separator, char* out) {
  const int64_t days = FloorDiv(seconds, kSecondsPerDay);
  out = WriteDate(days, out);
  *out++ = separator;
  return WriteClock(seconds - days * kSecondsPerDay, nanos, out);
}

namespace {

/// `units` − `seconds` × `per_second` where the product may lie below int64 though the difference, ≥ 0, does
/// not.
int32_t FractionOf(int64_t units, int64_t seconds, int64_t per_second) {
  return static_cast<int32_t>(static_cast<uint64_t>(units) -
                              static_cast<uint64_t>(seconds) * static_cast<uint64_t>(per_second));
}

}  // namespace

char* WriteTimestampUs(int64_t micros, char separator, char* out) {
  const int64_t seconds = FloorDiv(micros, 1'000'000);
  return WriteTimestamp(seconds, FractionOf(micros, seconds, 1'000'000) * 1'000, separator, out);
}

char* WriteTimestampNs(int64_t nanos, char separator, char* out) {
  const int64_t seconds = FloorDiv(nanos, kNanosPerSecond);
  return WriteTimestamp(seconds, FractionOf(nanos, seconds, kNanosPerSecond), separator, out);
}

namespace {

char* WriteIntervalPart(int64_t amount, char designator, char* out) {
  if (amount == 0) return out;
  if (amount < 0) *out++ = '-';
  out = WriteUnsigned(amount < 0 ? 0 - static_cast<uint64_t>(amount) : static_cast<uint64_t>(amount), out);
  *out++ = designator;
  return out;
}

}  // namespace

char* WriteIsoInterval(const IntervalText& interval, char* out) {
  *out++ = 'P';
  const char* start = out;
  out = WriteIntervalPart(interval.months / 12, 'Y', out);
  out = WriteIntervalPart(interval.months % 12, 'M', out);
  out = WriteIntervalPart(interval.days, 'D', out);
  if (interval.nanos != 0) {
    *out++ = 'T';
    const int64_t seconds = interval.nanos / kNanosPerSecond;
    const int64_t rest = interval.nanos % kNanosPerSecond;
    out = WriteIntervalPart(seconds / 3600, 'H', out);
    out = WriteIntervalPart(seconds / 60 % 60, 'M', out);
    const int64_t last = seconds % 60;
    if (last != 0 || rest != 0) {
      if (last < 0 || rest < 0) *out++ = '-';
      out = WriteUnsigned(static_cast<uint64_t>(last < 0 ? -last : last), out);
      out = WriteFraction(static_cast<int32_t>(rest < 0 ? -rest : rest), out);
      *out++ = 'S';
    }
  }
  if (out == start) {
    std::memcpy(out, "T0S", 3);
    out += 3;
  }
  return out;
}

namespace {

template <typename Write>
std::string Written(Write write) {
  char text[kTimeTextBytesMax];
  return std::string(text, write(text));
}

}  // namespace

std::string DateToText(int64_t days) {
  return Written([&](char* out) { return WriteDate(days, out); });
}
std::string TimeNsToText(int64_t nanos_of_day) {
  return Written([&](char* out) { return WriteTimeNs(nanos_of_day, out); });
}
std::string TimestampUsToText(int64_t micros, char separator) {
  return Written([&](char* out) { return WriteTimestampUs(micros, separator, out); });
}
std::string TimestampNsToText(int64_t nanos, char separator) {
  return Written([&](char* out) { return WriteTimestampNs(nanos, separator, out); });
}
std::string IsoIntervalToText(const IntervalText& interval) {
  return Written([&](char* out) { return WriteIsoInterval(interval, out); });
}

}  // namespace laminar
