#include "formats/json_text.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "formats/scalar_text.h"

namespace laminar {

namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The four digits of a \u escape; −1 when they are not there.
int ReadHex4(const char* p, const char* end) {
  if (end - p < 4) return -1;
  int value = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = HexValue(p[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

char* WriteUtf8(uint32_t code, char* out) {
  if (code < 0x80) {
    *out++ = static_cast<char>(code);
  } else if (code < 0x800) {
    *out++ = static_cast<char>(0xc0 | code >> 6);
    *out++ = static_cast<char>(0x80 | (code & 63));
  } else if (code < 0x10000) {
    *out++ = static_cast<char>(0xe0 | code >> 12);
    *out++ = static_cast<char>(0x80 | (code >> 6 & 63));
    *out++ = static_cast<char>(0x80 | (code & 63));
  } else {
    *out++ = static_cast<char>(0xf0 | code >> 18);
    *out++ = static_cast<char>(0x80 | (code >> 12 & 63));
    *out++ = static_cast<char>(0x80 | (code >> 6 & 63));
    *out++ = static_cast<char>(0x80 | (code & 63));
  }
  return out;
}

/// What a one-letter escape stands for; 0: none.
char SimpleEscape(char letter) {
  switch (letter) {
    case '"':
      return '"';
    case '\\':
      return '\\';
    case '/':
      return '/';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return 0;
  }
}

/// Reads the escape behind `\u` at `*p`, joining surrogates; false when there is no such character.
bool TakeUnicode(const char** p, const char* end, uint32_t* code) {
  const int first = ReadHex4(*p, end);
  if (first < 0 || (first >= 0xdc00 && first <= 0xdfff)) return false;
  *p += 4;
  *code = static_cast<uint32_t>(first);
  if (first < 0xd800 || first > 0xdbff) return true;
  if (end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u') return false;
  const int second = ReadHex4(*p + 2, end);
  if (second < 0xdc00 || second > 0xdfff) return false;
  *p += 6;
  *code =
      0x10000 + ((static_cast<uint32_t>(first) - 0xd800) << 10) + (static_cast<uint32_t>(second) - 0xdc00);
  return true;
}

}  // namespace

std::optional<int64_t> UnescapeJson(std::string_view inside, char* out) {
  const char* p = inside.data();
  const char* end = p + inside.size();
  const char* start = out;
  while (p != end) {
    const void* found = std::memchr(p, '\\', static_cast<size_t>(end - p));
    const char* stop = found ? static_cast<const char*>(found) : end;
    std::memcpy(out, p, static_cast<size_t>(stop - p));
    out += stop - p;
    if (stop == end) break;
    p = stop + 1;
    if (p == end) return std::nullopt;
    const char letter = *p++;
    if (letter == 'u') {
      uint32_t code;
      if (!TakeUnicode(&p, end, &code)) return std::nullopt;
      out = WriteUtf8(code, out);
    } else if (const char plain = SimpleEscape(letter)) {
      *out++ = plain;
    } else {
      return std::nullopt;
    }
  }
  return out - start;
}

bool HasValidEscapes(std::string_view inside) {
  const char* p = inside.data();
  const char* end = p + inside.size();
  while (p != end) {
    const void* found = std::memchr(p, '\\', static_cast<size_t>(end - p));
    if (!found) return true;
    p = static_cast<const char*>(found) + 1;
    if (p == end) return false;
    const char letter = *p++;
    if (letter == 'u') {
      if (ReadHex4(p, end) < 0) return false;
      p += 4;
    } else if (!SimpleEscape(letter)) {
      return false;
    }
  }
  return true;
}

namespace {

bool NeedsEscape(char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; }

char* WriteEscape(char c, char* out) {
  *out++ = '\\';
  switch (c) {
    case '"':
    case '\\':
      *out++ = c;
      return out;
    case '\n':
      *out++ = 'n';
      return out;
    case '\r':
      *out++ = 'r';
      return out;
    case '\t':
      *out++ = 't';
      return out;
    case '\b':
      *out++ = 'b';
      return out;
    case '\f':
      *out++ = 'f';
      return out;
    default:
      break;
  }
  constexpr char kHex[] = "0123456789abcdef";
  std::memcpy(out, "u00", 3);
  out[3] = kHex[static_cast<unsigned char>(c) >> 4];
  out[4] = kHex[c & 15];
  return out + 5;
}

}  // namespace

char* WriteJsonString(std::string_view text, char* out) {
  *out++ = '"';
  const char* p = text.data();
  const char* end = p + text.size();
#if defined(__SSE2__)
  while (end - p >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
    // min(byte, 0x1f) == byte exactly for control characters.
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    const __m128i special =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    const auto mask = static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(control, special)));
    if (mask == 0) {
      p += 16;
      out += 16;
      continue;
    }
    const int plain = std::countr_zero(mask);
    out = WriteEscape(p[plain], out + plain);
    p += plain + 1;
  }
#endif
  for (; p != end; ++p) {
    if (NeedsEscape(*p)) {
      out = WriteEscape(*p, out);
    } else {
      *out++ = *p;
    }
  }
  *out++ = '"';
  return out;
}

void AppendJsonString(std::string_view text, std::string* out) {
  const size_t start = out->size();
  out->resize(start + static_cast<size_t>(JsonStringBytesMax(static_cast<int64_t>(text.size()))));
  const char* end = WriteJsonString(text, out->data() + start);
  out->resize(static_cast<size_t>(end - out->data()));
}

namespace {

/// Walks the tokens of one value with a grammar: what may come next follows from the last token and the open
/// brackets.
class ValueChecker {
 public:
  ValueChecker(const char* buffer, const uint32_t* tokens, uint32_t bytes_end)
      : buffer_(buffer), at_(tokens), bytes_end_(bytes_end) {}

  bool Run(JsonValueText* out) {
    const uint32_t start = *at_;
    do {
      if (!Step()) return false;
    } while (!open_.empty());
    out->next = at_;
    out->text = {buffer_ + start, value_end_ - start};
    return true;
  }
  const char* error() const { return error_; }

 private:
  bool Fail(const char* error) {
    error_ = error;
    return false;
  }
  char Peek() const { return *at_ < bytes_end_ ? buffer_[*at_] : '\0'; }

  /// One value, or the closing of a bracket; then what follows up to where the next value starts.
  bool Step() {
    const char c = Peek();
    if (c == '{' || c == '[') {
      if (open_.size() >= kJsonDepthMax) return Fail("nested deeper than 1024 levels");
      open_.push_back(c);
      ++at_;
      if (Peek() != (c == '{' ? '}' : ']')) return c == '[' || Key();
      return Close();
    }
    return Scalar() && AfterValue();
  }
  bool Close() {
    value_end_ = *at_++ + 1;
    open_.pop_back();
    return AfterValue();
  }
  /// Closes what ends here and moves over a comma and key; `at_` is then at a value, or the whole value has
  /// ended.
  bool AfterValue() {
    while (!open_.empty()) {
      const char c = Peek();
      if (c == ',') {
        ++at_;
        return open_.back() == '[' || Key();
      }
      if (c != (open_.back() == '{' ? '}' : ']')) return Fail("expected ',' or a closing bracket");
      value_end_ = *at_++ + 1;
      open_.pop_back();
    }
    return true;
  }
  bool Key() {
    if (Peek() != '"') return Fail("expected a field name in quotes");
    if (!Scalar()) return false;
    if (Peek() != ':') return Fail("expected ':' after a field name");
    ++at_;
    return true;
  }
  bool Scalar() {
    if (*at_ >= bytes_end_) return Fail("the record ends too early");
    const uint32_t start = *at_;
    uint32_t end = std::min(at_[1], bytes_end_);
    ++at_;
    while (end > start + 1 && IsJsonSpace(buffer_[end - 1])) --end;
    const std::string_view text(buffer_ + start, end - start);
    value_end_ = end;
    if (text[0] == '"') {
      if (text.size() < 2 || text.back() != '"') return Fail("a string does not end");
      return HasValidEscapes(text.substr(1, text.size() - 2)) || Fail("a bad escape in a string");
    }
    if (text == "true" || text == "false" || text == "null" || IsJsonNumber(text)) return true;
    return Fail("expected a value");
  }

  const char* buffer_;
  const uint32_t* at_;
  const uint32_t bytes_end_;
  uint32_t value_end_ = 0;
  std::string open_;  // the open brackets, outermost first
  const char* error_ = "";
};

}  // namespace

bool CheckJsonValue(const char* buffer, const uint32_t* tokens, uint32_t bytes_end, JsonValueText* out,
                    const char** error) {
  ValueChecker checker(buffer, tokens, bytes_end);
  if (checker.Run(out)) return true;
  *error = checker.error();
  return false;
}

std::optional<std::string_view> CheckJsonText(JsonIndex* index, std::string_view text, const char** error) {
  *error = index->Build(text);
  if (*error) return std::nullopt;
  JsonValueText value;
  if (!CheckJsonValue(text.data(), index->tokens(), static_cast<uint32_t>(text.size()), &value, error))
    return std::nullopt;
  if (value.next == index->tokens() + index->num_tokens()) return value.text;
  *error = "something follows the value";
  return std::nullopt;
}

}  // namespace laminar
