#pragma once

/// JSON text read in place: values are views of their raw text, so big integers and decimals keep every
/// digit, and nothing is built or copied. Two ways through the same text:
///
///  - `IsValidJson` checks all of RFC 8259. TEXT arguments go through it once per row before anything else.
///  - `JsonCursor` trusts its input, which holds for values of type JSON and after the check. It stays in
///  bounds on any
///    bytes, but what it gives for invalid text is unspecified.

#include <cstdint>
#include <string>
#include <string_view>

namespace laminar {

class TextWriter;

enum class JsonKind { kObject, kArray, kString, kNumber, kBoolean, kNull };

/// Containers nested deeper than this are taken as invalid JSON.
constexpr int kJsonNestingMax = 1000;

/// Whether `text` is one JSON value, with white space around it or not.
bool IsValidJson(std::string_view text);

/// Kind of a value by its first character. `raw` has no white space in front and is not empty.
JsonKind KindOfJson(std::string_view raw);
bool IsJsonNull(std::string_view raw);

/// Moves through valid JSON, one token or whole value at a time.
class JsonCursor {
 public:
  explicit JsonCursor(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  void SkipSpace() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  /// The next character behind white space; 0 at the end.
  char Peek() {
    SkipSpace();
    return at_ < end_ ? *at_ : '\0';
  }
  /// Passes over `c` if it is next.
  bool Take(char c) {
    if (Peek() != c || at_ == end_) return false;
    ++at_;
    return true;
  }
  /// Passes over the next value of any kind; its raw text.
  std::string_view TakeValue();
  /// Passes over a string; its text between the quotes, escapes as written.
  std::string_view TakeString();
  /// Whether the last TakeString met a backslash.
  bool last_string_escaped() const { return escaped_; }

 private:
  void SkipContainer();
  /// Up to `until` or a little past it, token by token. True when the container (`*depth` 0) or the text
  /// ended.
  bool SkipTokens(const char* until, int64_t* depth);
  /// From inside a string to behind its closing quote.
  void FinishString();
  const char* at_;
  const char* end_;
  bool escaped_ = false;
};

/// Calls f(inner_key, escaped, raw_value) for each member of the object until it gives false.
template <typename F>
void ForEachMember(std::string_view object, F f) {
  JsonCursor cursor(object);
  if (!cursor.Take('{')) return;
  while (cursor.Peek() == '"') {
    const std::string_view key = cursor.TakeString();
    const bool escaped = cursor.last_string_escaped();
    cursor.Take(':');
    if (!f(key, escaped, cursor.TakeValue()) || !cursor.Take(',')) return;
  }
}

/// Calls f(raw_value) for each element of the array until it gives false.
template <typename F>
void ForEachElement(std::string_view array, F f) {
  JsonCursor cursor(array);
  if (!cursor.Take('[') || cursor.Peek() == ']') return;
  do {
    const std::string_view value = cursor.TakeValue();
    if (value.empty() || !f(value)) return;
  } while (cursor.Take(','));
}

/// Elements of an array or members of an object; −1 for a scalar.
int64_t JsonLength(std::string_view raw);

/// Undoes escapes of a string's inner text. Writes at most inner.size() bytes at `out` and returns their end.
/// A lone surrogate becomes U+FFFD.
char* DecodeJsonEscapes(std::string_view inner, char* out);
std::string DecodeJsonEscapes(std::string_view inner);
/// Whether an inner text stands for `name`.
bool JsonKeyEquals(std::string_view inner, bool escaped, std::string_view name);

/// The text that a raw string stands for.
void AppendJsonStringValue(std::string_view raw_string, TextWriter& out);
/// `text` as a JSON string with its quotes.
std::string QuoteJson(std::string_view text);
/// The value without white space between its tokens.
void AppendCompactJson(std::string_view raw, TextWriter& out);

}  // namespace laminar
