#pragma once

/// JSON text on the level of single tokens: strings to and from their escaped form, and a check of whole
/// values.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "formats/json_index.h"

namespace laminar {

/// Nested deeper than this is a bad record, whoever reads it.
inline constexpr int kJsonDepthMax = 1024;

/// Space, tab, newline, carriage return.
inline bool IsJsonSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/// Resolves the escapes of a string's inside (UTF-8, no raw control characters). Writes at most
/// `inside.size()` bytes at `out` and returns how many. nullopt: a bad escape or half a surrogate pair.
std::optional<int64_t> UnescapeJson(std::string_view inside, char* out);

/// True when each escape of a string's inside is one that JSON has. Half a surrogate pair is let through, as
/// JSON does.
bool HasValidEscapes(std::string_view inside);

/// Room that WriteJsonString may need for a text.
inline int64_t JsonStringBytesMax(int64_t bytes) { return bytes * 6 + 2 + 16; }
/// The text in quotes, with what must be escaped; returns the end. May scribble on 16 bytes behind the end.
char* WriteJsonString(std::string_view text, char* out);
void AppendJsonString(std::string_view text, std::string* out);

/// Checks one JSON value over tokens as found by JsonIndex. `tokens` points at the value's first token;
/// `bytes_end` is the end of the record: tokens at or behind it are not part of it. On success `*next` points
/// behind the value's last token and `*text` is the value's text without surrounding space. Else returns
/// false and `*error` says why.
struct JsonValueText {
  const uint32_t* next;
  std::string_view text;
};
bool CheckJsonValue(const char* buffer, const uint32_t* tokens, uint32_t bytes_end, JsonValueText* out,
                    const char** error);

/// The one JSON value that a whole text is, without surrounding space; nullopt: it is not one, and `*error`
/// says why.
std::optional<std::string_view> CheckJsonText(JsonIndex* index, std::string_view text, const char** error);

}  // namespace laminar
