#include "formats/scalar_text.h"

#include <simdjson.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace laminar {

namespace {

bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') <= 9; }

/// Value of up to eight digits at `p`; false when another character is among them. Reads eight bytes.
bool EightDigits(const char* p, size_t count, uint32_t* out) {
  uint64_t word;
  std::memcpy(&word, p, 8);
  // The first digit is the lowest byte. Shifting up puts zeros in front of a shorter number.
  const uint64_t digits = (word ^ 0x3030303030303030) << (8 * (8 - count));
  if ((((digits + 0x7676767676767676) | digits) & 0x8080808080808080) != 0) return false;
  // Neighbouring digits to pairs, pairs to fours, fours to eight.
  const uint64_t pairs = (digits * 10 + (digits >> 8)) & 0x00ff00ff00ff00ff;
  const uint64_t fours = (pairs * 100 + (pairs >> 16)) & 0x0000ffff0000ffff;
  *out = static_cast<uint32_t>(fours * 10'000 + (fours >> 32));
  return true;
}

NumberError ParseLongMagnitude(std::string_view digits, uint64_t* out) {
  uint64_t value = 0;
  for (char c : digits) {
    if (!IsDigit(c)) return NumberError::kNotANumber;
    if (__builtin_mul_overflow(value, uint64_t{10}, &value) ||
        __builtin_add_overflow(value, static_cast<uint64_t>(c - '0'), &value)) {
      return NumberError::kRange;
    }
  }
  *out = value;
  return NumberError::kNone;
}

/// Why a text is not an integer: not a number at all, or one of another kind.
NumberError WhyNoInteger(std::string_view text) {
  if (!IsJsonNumber(text)) return NumberError::kNotANumber;
  return text.find_first_of(".eE") != std::string_view::npos ? NumberError::kFraction : NumberError::kRange;
}

}  // namespace

NumberError ParseInteger(std::string_view text, IntegerText* out) {
  const char* p = text.data();
  size_t count = text.size();
  out->negative = count > 0 && *p == '-';
  p += out->negative;
  count -= out->negative;
  if (count == 0 || (*p == '0' && count > 1)) return WhyNoInteger(text);
  if constexpr (std::endian::native == std::endian::little) {
    uint32_t high, low;
    if (count <= 8) {
      if (!EightDigits(p, count, &low)) return WhyNoInteger(text);
      out->magnitude = low;
      return NumberError::kNone;
    }
    if (count <= 16) {
      if (!EightDigits(p, count - 8, &high) || !EightDigits(p + count - 8, 8, &low))
        return WhyNoInteger(text);
      out->magnitude = uint64_t{high} * 100'000'000 + low;
      return NumberError::kNone;
    }
  }
  return ParseLongMagnitude({p, count}, &out->magnitude) == NumberError::kNone ? NumberError::kNone
                                                                               : WhyNoInteger(text);
}

NumberError ParseInt64(std::string_view text, int64_t* out) {
  IntegerText parsed;
  const NumberError error = ParseInteger(text, &parsed);
  if (error != NumberError::kNone) return error;
  const uint64_t limit = uint64_t{1} << 63;
  if (parsed.magnitude >= limit + (parsed.negative ? 1 : 0)) return NumberError::kRange;
  *out = static_cast<int64_t>(parsed.negative ? 0 - parsed.magnitude : parsed.magnitude);
  return NumberError::kNone;
}

namespace {

/// The parts of a JSON number: which digits, and what power of ten stands behind them.
struct NumberParts {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  int64_t exponent = 0;  // as written, held within ±1,000,000
};

bool SplitNumber(std::string_view text, NumberParts* out) {
  const char* p = text.data();
  const char* end = p + text.size();
  if (p != end && *p == '-') {
    out->negative = true;
    ++p;
  }
  const char* start = p;
  while (p != end && IsDigit(*p)) ++p;
  out->whole = {start, static_cast<size_t>(p - start)};
  if (out->whole.empty() || (out->whole.size() > 1 && *start == '0')) return false;
  if (p != end && *p == '.') {
    start = ++p;
    while (p != end && IsDigit(*p)) ++p;
    out->fraction = {start, static_cast<size_t>(p - start)};
    if (out->fraction.empty()) return false;
  }
  if (p != end && (*p == 'e' || *p == 'E')) {
    ++p;
    const bool minus = p != end && *p == '-';
    if (p != end && (*p == '-' || *p == '+')) ++p;
    start = p;
    int64_t exponent = 0;
    for (; p != end && IsDigit(*p); ++p) {
      if (exponent < 1'000'000) exponent = exponent * 10 + (*p - '0');
    }
    if (p == start) return false;
    out->exponent = minus ? -exponent : exponent;
  }
  return p == end;
}

constexpr double kExactPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

template <typename T>
NumberError ParseByLibrary(std::string_view text, T* out) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), *out);
  if (result.ec == std::errc::result_out_of_range) {
    // Too small is zero (or a denormal), too big is an error; the library says the same of both.
    NumberParts parts;
    SplitNumber(text, &parts);
    const std::string digits = std::string(parts.whole) + std::string(parts.fraction);
    const auto leading = static_cast<int64_t>(digits.find_first_not_of('0'));
    if (static_cast<int64_t>(parts.whole.size()) - leading + parts.exponent > 0) return NumberError::kRange;
    *out = parts.negative ? T{-0.0} : T{0};
    return NumberError::kNone;
  }
  return result.ec == std::errc() ? NumberError::kNone : NumberError::kNotANumber;
}

}  // namespace

bool IsJsonNumber(std::string_view text) {
  NumberParts parts;
  return SplitNumber(text, &parts);
}

NumberError ParseDouble(std::string_view text, double* out) {
  NumberParts parts;
  if (!SplitNumber(text, &parts)) return NumberError::kNotANumber;
  // Up to 15 digits and a power of ten that is a double: one correctly rounded operation gives the nearest
  // double.
  const int64_t power = parts.exponent - static_cast<int64_t>(parts.fraction.size());
  if (parts.whole.size() + parts.fraction.size() <= 15 && power >= -22 && power <= 22) {
    uint64_t digits = 0;
    for (char c : parts.whole) digits = digits * 10 + static_cast<uint64_t>(c - '0');
    for (char c : parts.fraction) digits = digits * 10 + static_cast<uint64_t>(c - '0');
    double value = static_cast<double>(digits);
    value = power < 0 ? value / kExactPowers[-power] : value * kExactPowers[power];
    *out = parts.negative ? -value : value;
    return NumberError::kNone;
  }
  return ParseByLibrary(text, out);
}

NumberError ParseFloat(std::string_view text, float* out) {
  if (!IsJsonNumber(text)) return NumberError::kNotANumber;
  return ParseByLibrary(text, out);
}

namespace {

constexpr __int128 PowerOfTen(int exponent) {
  __int128 value = 1;
  for (int i = 0; i < exponent; ++i) value *= 10;
  return value;
}

constexpr std::array<__int128, 39> MakePowers() {
  std::array<__int128, 39> powers{};
  for (int i = 0; i < 39; ++i) powers[static_cast<size_t>(i)] = PowerOfTen(i);
  return powers;
}
constexpr std::array<__int128, 39> kDecimalPowers = MakePowers();

}  // namespace

bool FitsPrecision(__int128 value, int precision) {
  const __int128 limit = kDecimalPowers[static_cast<size_t>(precision)];
  return value < limit && value > -limit;
}

NumberError ParseDecimal(std::string_view text, int precision, int scale, __int128* out) {
  NumberParts parts;
  if (!SplitNumber(text, &parts)) return NumberError::kNotANumber;
  // Digits before the target's last place: all those whose place value is at least 10^-scale.
  const int64_t kept = static_cast<int64_t>(parts.whole.size()) + parts.exponent + scale;
  const int64_t count = static_cast<int64_t>(parts.whole.size() + parts.fraction.size());
  auto digit = [&](int64_t i) -> int {
    const auto at = static_cast<size_t>(i);
    return (at < parts.whole.size() ? parts.whole[at] : parts.fraction[at - parts.whole.size()]) - '0';
  };
  __int128 value = 0;
  const __int128 limit = kDecimalPowers[static_cast<size_t>(precision)];
  for (int64_t i = 0; i < kept; ++i) {
    if (value == 0 && i >= count) break;  // 0e999: zeros all the way
    value = value * 10 + (i < count ? digit(i) : 0);
    if (value >= limit) return NumberError::kRange;
  }
  if (kept >= 0 && kept < count && digit(kept) >= 5) value += 1;
  if (value >= limit) return NumberError::kRange;
  *out = parts.negative ? -value : value;
  return NumberError::kNone;
}

char* WriteInt64(int64_t value, char* out) {
  return std::to_chars(out, out + kNumberTextBytesMax, value).ptr;
}
char* WriteUInt64(uint64_t value, char* out) {
  return std::to_chars(out, out + kNumberTextBytesMax, value).ptr;
}

namespace {

/// Lays out shortest digits as people write them: plain between 1e-5 and 1e16, with exponent outside.
template <typename T>
char* WriteFloating(T value, char* out) {
  if (value == T{0}) {
    const bool minus = std::signbit(value);
    std::memcpy(out, minus ? "-0.0" : "0.0", 4);
    return out + (minus ? 4 : 3);
  }
  char text[kNumberTextBytesMax];
  const char* end = std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific).ptr;
  const char* p = text;
  if (*p == '-') *out++ = *p++;
  const char* mark = static_cast<const char*>(std::memchr(p, 'e', static_cast<size_t>(end - p)));
  char digits[24];
  int count = 0;
  for (const char* c = p; c != mark; ++c) {
    if (*c != '.') digits[count++] = *c;
  }
  int exponent = 0;
  std::from_chars(mark + (mark[1] == '+' ? 2 : 1), end, exponent);
  if (exponent < -5 || exponent > 15) {
    *out++ = digits[0];
    if (count > 1) {
      *out++ = '.';
      std::memcpy(out, digits + 1, static_cast<size_t>(count - 1));
      out += count - 1;
    }
    *out++ = 'e';
    return std::to_chars(out, out + 8, exponent).ptr;
  }
  if (exponent < 0) {
    *out++ = '0';
    *out++ = '.';
    for (int i = -1; i > exponent; --i) *out++ = '0';
    std::memcpy(out, digits, static_cast<size_t>(count));
    return out + count;
  }
  for (int i = 0; i <= exponent; ++i) *out++ = i < count ? digits[i] : '0';
  *out++ = '.';
  if (count <= exponent + 1) {
    *out++ = '0';
    return out;
  }
  std::memcpy(out, digits + exponent + 1, static_cast<size_t>(count - exponent - 1));
  return out + count - exponent - 1;
}

}  // namespace

char* WriteDouble(double value, char* out) { return WriteFloating(value, out); }
char* WriteFloat(float value, char* out) { return WriteFloating(value, out); }

char* WriteDecimal(__int128 unscaled, int scale, char* out) {
  unsigned __int128 rest =
      unscaled < 0 ? 0 - static_cast<unsigned __int128>(unscaled) : static_cast<unsigned __int128>(unscaled);
  if (unscaled < 0) *out++ = '-';
  char digits[48];
  int count = 0;
  while (rest != 0 || count <= scale) {
    digits[count++] = static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  }
  while (count > 0) {
    if (count == scale) *out++ = '.';
    *out++ = digits[--count];
  }
  return out;
}

namespace {

constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<int8_t, 256> MakeBase64Values() {
  std::array<int8_t, 256> values{};
  for (auto& value : values) value = -1;
  for (int i = 0; i < 64; ++i) values[static_cast<unsigned char>(kBase64[i])] = static_cast<int8_t>(i);
  values['-'] = 62;
  values['_'] = 63;
  return values;
}
constexpr std::array<int8_t, 256> kBase64Values = MakeBase64Values();

}  // namespace

char* WriteBase64(std::string_view bytes, char* out) {
  const auto* p = reinterpret_cast<const unsigned char*>(bytes.data());
  size_t left = bytes.size();
  for (; left >= 3; left -= 3, p += 3) {
    const uint32_t word = uint32_t{p[0]} << 16 | uint32_t{p[1]} << 8 | p[2];
    *out++ = kBase64[word >> 18];
    *out++ = kBase64[word >> 12 & 63];
    *out++ = kBase64[word >> 6 & 63];
    *out++ = kBase64[word & 63];
  }
  if (left > 0) {
    const uint32_t word = uint32_t{p[0]} << 16 | (left == 2 ? uint32_t{p[1]} << 8 : 0);
    *out++ = kBase64[word >> 18];
    *out++ = kBase64[word >> 12 & 63];
    *out++ = left == 2 ? kBase64[word >> 6 & 63] : '=';
    *out++ = '=';
  }
  return out;
}

void AppendBase64(std::string_view bytes, std::string* out) {
  const size_t start = out->size();
  out->resize(start + static_cast<size_t>(Base64Size(static_cast<int64_t>(bytes.size()))));
  WriteBase64(bytes, out->data() + start);
}

std::optional<int64_t> DecodeBase64(std::string_view text, char* out) {
  if (text.size() % 4 == 0) {
    for (int i = 0; i < 2 && !text.empty() && text.back() == '='; ++i) text.remove_suffix(1);
  }
  if (text.size() % 4 == 1) return std::nullopt;
  const char* start = out;
  uint32_t bits = 0;
  int count = 0;
  for (unsigned char c : text) {
    const int value = kBase64Values[c];
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      *out++ = static_cast<char>(bits >> count & 0xff);
    }
  }
  return out - start;
}

std::optional<__int128> DecimalFromBigEndian(std::string_view bytes) {
  if (bytes.empty()) return std::nullopt;
  const bool negative = (static_cast<unsigned char>(bytes[0]) & 0x80) != 0;
  // Leading bytes that only repeat the sign carry nothing.
  while (bytes.size() > 16 && static_cast<unsigned char>(bytes[0]) == (negative ? 0xff : 0))
    bytes.remove_prefix(1);
  if (bytes.size() > 16 || ((static_cast<unsigned char>(bytes[0]) & 0x80) != 0) != negative)
    return std::nullopt;
  unsigned __int128 value = negative ? ~static_cast<unsigned __int128>(0) : 0;
  for (unsigned char c : bytes) value = value << 8 | c;
  return static_cast<__int128>(value);
}

std::string DecimalToBigEndian(__int128 value) {
  std::string out;
  for (int shift = 120; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift & 0xff));
  size_t skip = 0;
  const char fill = value < 0 ? '\xff' : '\0';
  while (skip < 15 && out[skip] == fill && ((out[skip + 1] ^ fill) & 0x80) == 0) ++skip;
  return out.substr(skip);
}

bool IsValidUtf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

}  // namespace laminar
