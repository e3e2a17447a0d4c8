#include "formats/scalar_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

namespace laminar {
namespace {

/// Text with the padding that number parsers ask for, of bytes that would be digits.
std::string_view Padded(const std::string& text) {
  static std::string kept;
  kept = text + std::string(kNumberPadding, '7');
  return {kept.data(), text.size()};
}

TEST(ScalarText, IntegersOfEachLength) {
  std::string digits;
  uint64_t value = 0;
  for (int length = 1; length <= 19; ++length) {
    digits += static_cast<char>('0' + length % 10);
    value = value * 10 + static_cast<uint64_t>(length % 10);
    IntegerText parsed;
    ASSERT_EQ(ParseInteger(Padded(digits), &parsed), NumberError::kNone) << digits;
    EXPECT_EQ(parsed.magnitude, value);
    EXPECT_FALSE(parsed.negative);
    ASSERT_EQ(ParseInteger(Padded("-" + digits), &parsed), NumberError::kNone);
    EXPECT_TRUE(parsed.negative);
    // Any other character at any place is found.
    for (int at = 0; at < length; ++at) {
      for (char c : {'/', ':', ' ', 'a', '\xb0', '\0'}) {
        std::string broken = digits;
        broken[static_cast<size_t>(at)] = c;
        EXPECT_EQ(ParseInteger(Padded(broken), &parsed), NumberError::kNotANumber) << broken;
      }
    }
  }
}

TEST(ScalarText, IntegerErrors) {
  int64_t value;
  EXPECT_EQ(ParseInt64(Padded(""), &value), NumberError::kNotANumber);
  EXPECT_EQ(ParseInt64(Padded("-"), &value), NumberError::kNotANumber);
  EXPECT_EQ(ParseInt64(Padded("00"), &value), NumberError::kNotANumber);
  EXPECT_EQ(ParseInt64(Padded("1.0"), &value), NumberError::kFraction);
  EXPECT_EQ(ParseInt64(Padded("1e3"), &value), NumberError::kFraction);
  EXPECT_EQ(ParseInt64(Padded("9223372036854775808"), &value), NumberError::kRange);
  EXPECT_EQ(ParseInt64(Padded("99999999999999999999999999"), &value), NumberError::kRange);
}

TEST(ScalarText, DoublesRoundTrip) {
  std::mt19937_64 random(42);
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t bits = random();
    double value;
    std::memcpy(&value, &bits, 8);
    if (!std::isfinite(value)) continue;
    if (i % 2) value = static_cast<double>(static_cast<int64_t>(bits % 2'000'000'000)) / 1000;
    char text[kNumberTextBytesMax];
    const std::string written(text, WriteDouble(value, text));
    double back;
    ASSERT_TRUE(IsJsonNumber(written)) << written;
    ASSERT_EQ(ParseDouble(Padded(written), &back), NumberError::kNone) << written;
    ASSERT_EQ(std::signbit(back), std::signbit(value));
    ASSERT_EQ(back, value) << written;
    const auto narrow = static_cast<float>(value);
    if (!std::isfinite(narrow)) continue;
    const std::string short_text(text, WriteFloat(narrow, text));
    float narrow_back;
    ASSERT_EQ(ParseFloat(Padded(short_text), &narrow_back), NumberError::kNone) << short_text;
    ASSERT_EQ(narrow_back, narrow) << short_text;
  }
}

TEST(ScalarText, DoublesAtTheEdges) {
  double value;
  EXPECT_EQ(ParseDouble(Padded("1" + std::string(400, '0') + "e-400"), &value), NumberError::kNone);
  EXPECT_EQ(value, 1.0);
  EXPECT_EQ(ParseDouble(Padded("1" + std::string(400, '0') + "e-50"), &value), NumberError::kRange);
  EXPECT_EQ(ParseDouble(Padded("0." + std::string(400, '0') + "1"), &value), NumberError::kNone);
  EXPECT_EQ(value, 0.0);
  EXPECT_EQ(ParseDouble(Padded("-1e-99999999999999999999"), &value), NumberError::kNone);
  EXPECT_TRUE(value == 0.0 && std::signbit(value));
  EXPECT_EQ(ParseDouble(Padded("1e99999999999999999999"), &value), NumberError::kRange);
  for (const char* text :
       {"", "-", "+1", "01", "1.", ".1", "1e", "1e+", "0x1", "inf", "nan", "1 ", " 1", "1,0"}) {
    EXPECT_EQ(ParseDouble(Padded(text), &value), NumberError::kNotANumber) << text;
  }
}

TEST(ScalarText, Base64) {
  const std::pair<std::string, const char*> cases[] = {
      {"", ""},        {"f", "Zg=="},          {"fo", "Zm8="},
      {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}, {std::string("\0\xff\xfe", 3), "AP/+"}};
  for (const auto& [bytes, text] : cases) {
    std::string written;
    AppendBase64(bytes, &written);
    EXPECT_EQ(written, text);
    char out[16];
    const auto length = DecodeBase64(text, out);
    ASSERT_TRUE(length.has_value());
    EXPECT_EQ(std::string(out, static_cast<size_t>(*length)), bytes);
  }
  char out[16];
  for (const char* text : {"Z", "Zg=", "Zg=a", "====", "Z g=", "Zm9v\n"})
    EXPECT_FALSE(DecodeBase64(text, out).has_value()) << text;
}

TEST(ScalarText, DecimalBytes) {
  for (__int128 value : {__int128{0}, __int128{1}, __int128{-1}, __int128{127}, __int128{128}, __int128{-128},
                         __int128{-129}, __int128{32768}, static_cast<__int128>(INT64_MAX) * 1'000'000'007,
                         -static_cast<__int128>(INT64_MAX) * 12345}) {
    const std::string bytes = DecimalToBigEndian(value);
    const auto back = DecimalFromBigEndian(bytes);
    ASSERT_TRUE(back.has_value());
    EXPECT_TRUE(*back == value);
    EXPECT_TRUE(*DecimalFromBigEndian(std::string(20, value < 0 ? '\xff' : '\0') + bytes) == value);
  }
  EXPECT_EQ(DecimalToBigEndian(0), std::string(1, '\0'));
  EXPECT_EQ(DecimalToBigEndian(-129), "\xff\x7f");
  EXPECT_FALSE(DecimalFromBigEndian("").has_value());
  EXPECT_FALSE(DecimalFromBigEndian(std::string(17, '\x01')).has_value());
  EXPECT_FALSE(DecimalFromBigEndian(std::string(1, '\0') + std::string(16, '\xff')).has_value());
}

}  // namespace
}  // namespace laminar
