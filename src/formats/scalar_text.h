#pragma once

/// Single values as text, exactly: numbers, decimals, base64. Shared by JSON and CSV. Nothing goes through a
/// double that is not one.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace laminar {

enum class NumberError {
  kNone,
  kNotANumber,
  kFraction,  ///< a number with fraction or exponent where an integer is wanted
  kRange,     ///< does not fit the type
};

/// Bytes behind a number's text that the fast paths may read (their value does not matter).
inline constexpr int kNumberPadding = 16;

struct IntegerText {
  uint64_t magnitude = 0;
  bool negative = false;
};
/// A JSON integer (no `+`, no leading zeros). `text` must be followed by kNumberPadding readable bytes.
NumberError ParseInteger(std::string_view text, IntegerText* out);
NumberError ParseInt64(std::string_view text, int64_t* out);

/// True for text of the JSON number grammar.
bool IsJsonNumber(std::string_view text);

/// A JSON number as the nearest double; beyond the largest is kRange.
NumberError ParseDouble(std::string_view text, double* out);
NumberError ParseFloat(std::string_view text, float* out);

/// A JSON number as an integer of units 10^−scale with at most `precision` digits. Digits beyond the scale
/// are rounded half away from zero.
NumberError ParseDecimal(std::string_view text, int precision, int scale, __int128* out);

/// Room that the Write functions may need.
inline constexpr int kNumberTextBytesMax = 64;
char* WriteInt64(int64_t value, char* out);
char* WriteUInt64(uint64_t value, char* out);
/// Shortest text that reads back the same; integral values get `.0`; `1e21`-like exponents outside 1e-5 …
/// 1e16. The value must be finite.
char* WriteDouble(double value, char* out);
char* WriteFloat(float value, char* out);
char* WriteDecimal(__int128 unscaled, int scale, char* out);

/// RFC 4648 with padding; reads with or without it, in the URL-safe alphabet too.
void AppendBase64(std::string_view bytes, std::string* out);
inline int64_t Base64Size(int64_t bytes) { return (bytes + 2) / 3 * 4; }
/// Exactly Base64Size bytes.
char* WriteBase64(std::string_view bytes, char* out);
/// Writes at most 3/4 of the text's size; nullopt when it is not base64.
std::optional<int64_t> DecodeBase64(std::string_view text, char* out);

/// Big-endian two's complement, as Kafka Connect and Avro carry DECIMALs; nullopt when longer than 16
/// significant bytes.
std::optional<__int128> DecimalFromBigEndian(std::string_view bytes);
/// The fewest bytes that hold the value, at least one.
std::string DecimalToBigEndian(__int128 value);

/// True when the value has at most `precision` digits.
bool FitsPrecision(__int128 value, int precision);

/// Checks UTF-8 as Unicode defines it (no surrogates, nothing over-long).
bool IsValidUtf8(std::string_view text);

}  // namespace laminar
