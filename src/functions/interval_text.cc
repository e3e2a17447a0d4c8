#include "functions/interval_text.h"

#include <cctype>
#include <charconv>
#include <limits>
#include <string>
#include <utility>

namespace laminar {

namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

struct UnitName {
  std::string_view name;
  IntervalText length;
};

constexpr UnitName kUnits[] = {
    {"nanosecond", {0, 0, 1}},
    {"ns", {0, 0, 1}},
    {"microsecond", {0, 0, 1000}},
    {"us", {0, 0, 1000}},
    {"µs", {0, 0, 1000}},
    {"usec", {0, 0, 1000}},
    {"millisecond", {0, 0, 1000000}},
    {"ms", {0, 0, 1000000}},
    {"msec", {0, 0, 1000000}},
    {"second", {0, 0, kSecondNs}},
    {"sec", {0, 0, kSecondNs}},
    {"s", {0, 0, kSecondNs}},
    {"minute", {0, 0, 60 * kSecondNs}},
    {"min", {0, 0, 60 * kSecondNs}},
    {"m", {0, 0, 60 * kSecondNs}},
    {"hour", {0, 0, 3600 * kSecondNs}},
    {"hr", {0, 0, 3600 * kSecondNs}},
    {"h", {0, 0, 3600 * kSecondNs}},
    {"day", {0, 1, 0}},
    {"d", {0, 1, 0}},
    {"week", {0, 7, 0}},
    {"w", {0, 7, 0}},
    {"month", {1, 0, 0}},
    {"mon", {1, 0, 0}},
    {"quarter", {3, 0, 0}},
    {"year", {12, 0, 0}},
    {"yr", {12, 0, 0}},
    {"y", {12, 0, 0}},
    {"decade", {120, 0, 0}},
    {"century", {1200, 0, 0}},
};

/// Adds with range checks; false when a part overflows.
class IntervalSum {
 public:
  bool Add(const IntervalText& unit, int64_t count) {
    return AddPart(unit.months, count, &months_) && AddPart(unit.days, count, &days_) &&
           AddPart(unit.nanos, count, &nanos_);
  }
  std::optional<IntervalText> Result() const {
    auto fits = [](int64_t v) {
      return v >= std::numeric_limits<int32_t>::min() && v <= std::numeric_limits<int32_t>::max();
    };
    if (!fits(months_) || !fits(days_)) return std::nullopt;
    return IntervalText{static_cast<int32_t>(months_), static_cast<int32_t>(days_), nanos_};
  }

 private:
  static bool AddPart(int64_t unit, int64_t count, int64_t* sum) {
    int64_t product = 0;
    return !__builtin_mul_overflow(unit, count, &product) && !__builtin_add_overflow(*sum, product, sum);
  }
  int64_t months_ = 0;
  int64_t days_ = 0;
  int64_t nanos_ = 0;
};

class IntervalReader {
 public:
  explicit IntervalReader(std::string_view text) : text_(text) {}

  std::optional<IntervalText> Read() {
    bool any = false;
    for (SkipSpace(); !AtEnd(); SkipSpace()) {
      if (!ReadPart()) return std::nullopt;
      any = true;
    }
    return any ? sum_.Result() : std::nullopt;
  }

 private:
  bool AtEnd() const { return pos_ >= text_.size(); }
  char Peek() const { return AtEnd() ? '\0' : text_[pos_]; }
  void SkipSpace() {
    while (!AtEnd() && (std::isspace(static_cast<unsigned char>(text_[pos_])) || text_[pos_] == ',')) ++pos_;
  }
  bool Take(char c) {
    if (Peek() != c) return false;
    ++pos_;
    return true;
  }
  std::optional<int64_t> ReadDigits(size_t* digits = nullptr) {
    int64_t value = 0;
    const char* begin = text_.data() + pos_;
    if (!std::isdigit(static_cast<unsigned char>(Peek()))) return std::nullopt;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc()) return std::nullopt;
    if (digits) *digits = static_cast<size_t>(end - begin);
    pos_ += static_cast<size_t>(end - begin);
    return value;
  }
  /// After the point: the fraction in billionths, further digits cut off.
  std::optional<int64_t> ReadFraction() {
    int64_t billionths = 0;
    int digits = 0;
    while (std::isdigit(static_cast<unsigned char>(Peek()))) {
      if (digits < 9) billionths = billionths * 10 + (Peek() - '0');
      ++digits;
      ++pos_;
    }
    if (digits == 0) return std::nullopt;
    for (; digits < 9; ++digits) billionths *= 10;
    return billionths;
  }

  /// `[±]n[.f] unit`, `[±]H:MM[:SS[.f]]` or `[±]Y-M`.
  bool ReadPart() {
    const int64_t sign = Take('-') ? -1 : (Take('+'), 1);
    auto whole = Peek() == '.' ? std::optional<int64_t>(0) : ReadDigits();
    if (!whole) return false;
    if (Take(':')) return ReadClock(sign, *whole);
    if (Peek() == '-' && pos_ + 1 < text_.size() &&
        std::isdigit(static_cast<unsigned char>(text_[pos_ + 1]))) {
      ++pos_;
      auto months = ReadDigits();
      return months && *months < 12 && sum_.Add({12, 0, 0}, sign * *whole) &&
             sum_.Add({1, 0, 0}, sign * *months);
    }
    int64_t fraction = 0;
    if (Take('.')) {
      auto read = ReadFraction();
      if (!read) return false;
      fraction = *read;
    }
    SkipSpace();
    auto unit = ReadUnit();
    return unit && sum_.Add(*unit, sign * *whole) && (fraction == 0 || AddFraction(*unit, sign * fraction));
  }

  bool ReadClock(int64_t sign, int64_t hours) {
    auto minutes = ReadDigits();
    if (!minutes || *minutes > 59) return false;
    int64_t seconds = 0;
    int64_t nanos = 0;
    if (Take(':')) {
      auto read = ReadDigits();
      if (!read || *read > 59) return false;
      seconds = *read;
      if (Take('.')) {
        auto fraction = ReadFraction();
        if (!fraction) return false;
        nanos = *fraction;
      }
    }
    return sum_.Add({0, 0, 3600 * kSecondNs}, sign * hours) &&
           sum_.Add({0, 0, kSecondNs}, sign * (*minutes * 60 + seconds)) && sum_.Add({0, 0, 1}, sign * nanos);
  }

  std::optional<IntervalText> ReadUnit() {
    const size_t begin = pos_;
    while (!AtEnd() && (std::isalpha(static_cast<unsigned char>(Peek())) || (Peek() & 0x80))) ++pos_;
    return IntervalUnit(text_.substr(begin, pos_ - begin));
  }

  /// A part of a year is months, of a month days (of 30), of a day time.
  bool AddFraction(const IntervalText& unit, int64_t billionths) {
    auto share = [&](__int128 of) { return static_cast<int64_t>(of * billionths / kSecondNs); };
    if (unit.months >= 12) return sum_.Add({1, 0, 0}, share(unit.months));
    if (unit.months > 0) return sum_.Add({0, 1, 0}, share(30 * unit.months));
    if (unit.days > 0) return sum_.Add({0, 0, 1}, share(__int128{86400} * kSecondNs * unit.days));
    return sum_.Add({0, 0, 1}, share(unit.nanos));
  }

  std::string_view text_;
  size_t pos_ = 0;
  IntervalSum sum_;
};

}  // namespace

std::optional<IntervalText> IntervalUnit(std::string_view unit) {
  std::string name(unit);
  for (char& c : name) {
    if (!(c & 0x80)) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  if (name == "centuries") name = "century";
  auto find = [](std::string_view wanted) -> std::optional<IntervalText> {
    for (const UnitName& entry : kUnits) {
      if (entry.name == wanted) return entry.length;
    }
    return std::nullopt;
  };
  if (auto found = find(name)) return found;
  if (name.size() > 2 && name.back() == 's') return find(std::string_view(name).substr(0, name.size() - 1));
  return std::nullopt;
}

std::optional<IntervalText> ParseInterval(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  if (auto iso = ParseIsoInterval(text)) return iso;
  return IntervalReader(text).Read();
}

}  // namespace laminar
