#include "functions/hash/encoding.h"

#include <array>
#include <cstdint>

#include "functions/elementwise.h"
#include "functions/text/hex_digit.h"

namespace laminar {
namespace {

constexpr std::string_view kBase64Alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr uint8_t kNoDigit = 0xFF;

constexpr std::array<uint8_t, 256> MakeBase64Values() {
  std::array<uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (size_t i = 0; i < kBase64Alphabet.size(); ++i)
    values[static_cast<unsigned char>(kBase64Alphabet[i])] = static_cast<uint8_t>(i);
  values['-'] = 62;
  values['_'] = 63;
  return values;
}
constexpr std::array<uint8_t, 256> kBase64Values = MakeBase64Values();

void AppendHexBytes(std::string_view bytes, TextWriter& out) {
  constexpr char kDigits[] = "0123456789abcdef";
  char* to = out.Reserve(bytes.size() * 2);
  for (char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    *to++ = kDigits[byte >> 4];
    *to++ = kDigits[byte & 15];
  }
  out.Advance(bytes.size() * 2);
}

void AppendBase64Bytes(std::string_view bytes, TextWriter& out) {
  char* const begin = out.Reserve((bytes.size() + 2) / 3 * 4);
  char* to = begin;
  auto byte = [&](size_t i) {
    return i < bytes.size() ? static_cast<uint32_t>(static_cast<unsigned char>(bytes[i])) : 0;
  };
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const uint32_t group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    *to++ = kBase64Alphabet[group >> 18];
    *to++ = kBase64Alphabet[group >> 12 & 63];
    *to++ = i + 1 < bytes.size() ? kBase64Alphabet[group >> 6 & 63] : '=';
    *to++ = i + 2 < bytes.size() ? kBase64Alphabet[group & 63] : '=';
  }
  out.Advance(static_cast<size_t>(to - begin));
}

bool AppendFromHex(std::string_view text, TextWriter& out) {
  if (text.size() % 2 != 0) return false;
  char* const begin = out.Reserve(text.size() / 2);
  char* to = begin;
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = HexDigitValue(text[i]);
    const int low = HexDigitValue(text[i + 1]);
    if (high < 0 || low < 0) return false;
    *to++ = static_cast<char>(high << 4 | low);
  }
  out.Advance(static_cast<size_t>(to - begin));
  return true;
}

bool AppendFromBase64(std::string_view text, TextWriter& out) {
  if (text.size() % 4 == 0) {
    for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  }
  if (text.size() % 4 == 1) return false;
  char* const begin = out.Reserve(text.size() / 4 * 3 + 3);
  char* to = begin;
  for (size_t i = 0; i < text.size(); i += 4) {
    uint32_t group = 0;
    const size_t digits = std::min<size_t>(4, text.size() - i);
    for (size_t j = 0; j < 4; ++j) {
      const uint8_t value = j < digits ? kBase64Values[static_cast<unsigned char>(text[i + j])] : 0;
      if (value == kNoDigit) return false;
      group = group << 6 | value;
    }
    *to++ = static_cast<char>(group >> 16);
    if (digits > 2) *to++ = static_cast<char>(group >> 8);
    if (digits > 3) *to++ = static_cast<char>(group);
  }
  out.Advance(static_cast<size_t>(to - begin));
  return true;
}

}  // namespace

void AppendEncoded(std::string_view bytes, Encoding encoding, TextWriter& out) {
  encoding == Encoding::kHex ? AppendHexBytes(bytes, out) : AppendBase64Bytes(bytes, out);
}

bool AppendDecoded(std::string_view text, Encoding encoding, TextWriter& out) {
  return encoding == Encoding::kHex ? AppendFromHex(text, out) : AppendFromBase64(text, out);
}

}  // namespace laminar
