#include "functions/json/json_scanner.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <array>
#include <bitset>
#include <cstring>

#include "functions/elementwise.h"
#include "functions/text/hex_digit.h"
#include "functions/value_text.h"

namespace laminar {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsBracket(char c) { return c == '{' || c == '}' || c == '[' || c == ']'; }
bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20; }

/// First place in [at, end) where `test` holds for a byte. `block` gives a bit per byte for 16 of them at
/// once.
#ifdef __SSE2__
template <typename Block, typename Test>
const char* FindByte(const char* at, const char* end, Block block, Test test) {
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(block(bytes)));
    if (mask) return at + __builtin_ctz(mask);
  }
  while (at < end && !test(*at)) ++at;
  return at;
}

__m128i Equal(__m128i bytes, char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); }

__m128i QuoteOrBackslash(__m128i bytes) { return _mm_or_si128(Equal(bytes, '"'), Equal(bytes, '\\')); }

/// Also bytes below 0x20: those that equal their minimum with 0x1F.
__m128i NeedsEscape(__m128i bytes) {
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
  return _mm_or_si128(QuoteOrBackslash(bytes), control);
}

/// Opening and closing brackets of both kinds differ in bit 0x20 only.
__m128i QuoteOrBracket(__m128i bytes) {
  const __m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
  return _mm_or_si128(Equal(bytes, '"'), _mm_or_si128(Equal(folded, '{'), Equal(folded, '}')));
}

/// A bit per byte of a block: what each byte is.
struct BlockMasks {
  uint64_t quotes = 0;
  uint64_t backslashes = 0;
  uint64_t open = 0;
  uint64_t close = 0;
};
constexpr int kBlockBytes = 64;

BlockMasks ReadBlock(const char* at) {
  BlockMasks masks;
  for (int i = 0; i < kBlockBytes; i += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + i));
    const __m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
    auto bits = [i](__m128i equal) {
      return static_cast<uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(equal))) << i;
    };
    masks.quotes |= bits(Equal(bytes, '"'));
    masks.backslashes |= bits(Equal(bytes, '\\'));
    masks.open |= bits(Equal(folded, '{'));
    masks.close |= bits(Equal(folded, '}'));
  }
  return masks;
}

/// Bit i: parity of bits 0…i, which is 1 from each opening quote up to its closing one.
uint64_t PrefixXor(uint64_t bits) {
  for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
  return bits;
}
#else
struct NoBlock {};
constexpr NoBlock QuoteOrBackslash, NeedsEscape, QuoteOrBracket;
template <typename Block, typename Test>
const char* FindByte(const char* at, const char* end, Block, Test test) {
  while (at < end && !test(*at)) ++at;
  return at;
}
#endif

const char* FindQuoteOrBackslash(const char* at, const char* end) {
  return FindByte(at, end, QuoteOrBackslash, [](char c) { return c == '"' || c == '\\'; });
}
const char* FindNeedsEscape(const char* at, const char* end) {
  return FindByte(at, end, NeedsEscape, [](char c) { return c == '"' || c == '\\' || IsControl(c); });
}
const char* FindQuoteOrBracket(const char* at, const char* end) {
  return FindByte(at, end, QuoteOrBracket, [](char c) { return c == '"' || IsBracket(c); });
}

/// Four hexadecimal digits at `at`; −1 when they are not there.
int ReadHex4(const char* at, const char* end) {
  if (end - at < 4) return -1;
  int value = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = HexDigitValue(at[i]);
    if (digit < 0) return -1;
    value = value << 4 | digit;
  }
  return value;
}

/// Checks a text from front to back. Containers are kept on a stack of bits (1: object), so that depth costs
/// no recursion.
class JsonValidator {
 public:
  explicit JsonValidator(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool Run() {
    if (!Value()) return false;
    while (depth_ > 0) {
      if (!NextInContainer()) return false;
    }
    SkipSpace();
    return at_ == end_;
  }

 private:
  void SkipSpace() {
    while (at_ < end_ && IsSpace(*at_)) ++at_;
  }
  bool Take(char c) {
    SkipSpace();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  /// A scalar, or the opening of a container with what must follow it at once.
  bool Value() {
    SkipSpace();
    if (at_ == end_) return false;
    switch (*at_) {
      case '{':
        return Open(true);
      case '[':
        return Open(false);
      case '"':
        return String();
      case 't':
        return Literal("true");
      case 'f':
        return Literal("false");
      case 'n':
        return Literal("null");
      default:
        return Number();
    }
  }

  bool Open(bool object) {
    ++at_;
    if (depth_ == kJsonNestingMax) return false;
    is_object_[static_cast<size_t>(depth_++)] = object;
    if (Take(object ? '}' : ']')) {
      --depth_;
      return true;
    }
    return object ? Member() : Value();
  }

  bool Member() { return TakeQuote() && String() && Take(':') && Value(); }

  bool TakeQuote() {
    SkipSpace();
    return at_ < end_ && *at_ == '"';
  }

  /// Behind a value inside the innermost container: a comma and the next value, or its end.
  bool NextInContainer() {
    const bool object = is_object_[static_cast<size_t>(depth_ - 1)];
    if (Take(',')) return object ? Member() : Value();
    if (!Take(object ? '}' : ']')) return false;
    --depth_;
    return true;
  }

  bool String() {
    ++at_;
    for (;;) {
      at_ = FindNeedsEscape(at_, end_);
      if (at_ == end_ || IsControl(*at_)) return false;
      if (*at_++ == '"') return true;
      if (!Escape()) return false;
    }
  }

  bool Escape() {
    if (at_ == end_) return false;
    const char c = *at_++;
    if (c != 'u') return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
    if (ReadHex4(at_, end_) < 0) return false;
    at_ += 4;
    return true;
  }

  bool Literal(std::string_view word) {
    if (static_cast<size_t>(end_ - at_) < word.size() || std::memcmp(at_, word.data(), word.size()) != 0)
      return false;
    at_ += word.size();
    return true;
  }

  bool Digits() {
    const char* start = at_;
    while (at_ < end_ && IsDigit(*at_)) ++at_;
    return at_ > start;
  }

  bool Number() {
    if (*at_ == '-') ++at_;
    const bool zero = at_ < end_ && *at_ == '0';
    if (zero) {
      ++at_;
    } else if (!Digits()) {
      return false;
    }
    if (at_ < end_ && *at_ == '.') {
      ++at_;
      if (!Digits()) return false;
    }
    if (at_ < end_ && (*at_ == 'e' || *at_ == 'E')) {
      ++at_;
      if (at_ < end_ && (*at_ == '+' || *at_ == '-')) ++at_;
      if (!Digits()) return false;
    }
    return true;
  }

  const char* at_;
  const char* end_;
  int depth_ = 0;
  std::bitset<kJsonNestingMax> is_object_;
};

/// UTF-8 of a code point at `out`; its end.
char* PutCodePoint(uint32_t c, char* out) {
  if (c < 0x80) {
    *out++ = static_cast<char>(c);
  } else if (c < 0x800) {
    *out++ = static_cast<char>(0xC0 | c >> 6);
    *out++ = static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    *out++ = static_cast<char>(0xE0 | c >> 12);
    *out++ = static_cast<char>(0x80 | (c >> 6 & 0x3F));
    *out++ = static_cast<char>(0x80 | (c & 0x3F));
  } else {
    *out++ = static_cast<char>(0xF0 | c >> 18);
    *out++ = static_cast<char>(0x80 | (c >> 12 & 0x3F));
    *out++ = static_cast<char>(0x80 | (c >> 6 & 0x3F));
    *out++ = static_cast<char>(0x80 | (c & 0x3F));
  }
  return out;
}

/// The code point of an escape `\uXXXX`, or of two that are a surrogate pair; `*at` is behind the `u`, then
/// behind it all.
uint32_t TakeUnicodeEscape(const char** at, const char* end) {
  constexpr uint32_t kReplacement = 0xFFFD;
  const int first = ReadHex4(*at, end);
  if (first < 0) return 'u';  // invalid; U+FFFD would be longer than what was read
  *at += 4;
  if (first < 0xD800 || first > 0xDFFF) return static_cast<uint32_t>(first);
  if (first > 0xDBFF || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u') return kReplacement;
  const int second = ReadHex4(*at + 2, end);
  if (second < 0xDC00 || second > 0xDFFF) return kReplacement;
  *at += 6;
  return 0x10000 + ((static_cast<uint32_t>(first) - 0xD800) << 10) + (static_cast<uint32_t>(second) - 0xDC00);
}

char UnescapedCharacter(char c) {
  switch (c) {
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
      return c;
  }
}

}  // namespace

bool IsValidJson(std::string_view text) { return JsonValidator(text).Run(); }

JsonKind KindOfJson(std::string_view raw) {
  switch (raw.empty() ? 'n' : raw[0]) {
    case '{':
      return JsonKind::kObject;
    case '[':
      return JsonKind::kArray;
    case '"':
      return JsonKind::kString;
    case 't':
    case 'f':
      return JsonKind::kBoolean;
    case 'n':
      return JsonKind::kNull;
    default:
      return JsonKind::kNumber;
  }
}

bool IsJsonNull(std::string_view raw) { return raw.empty() || raw[0] == 'n'; }

std::string_view JsonCursor::TakeString() {
  const char* start = ++at_;
  escaped_ = false;
  FinishString();
  const bool closed = at_ > start && at_[-1] == '"';
  return {start, static_cast<size_t>(at_ - start) - closed};
}

void JsonCursor::FinishString() {
  for (;;) {
    at_ = FindQuoteOrBackslash(at_, end_);
    if (at_ == end_) return;
    if (*at_++ == '"') return;
    escaped_ = true;
    at_ += at_ < end_;
  }
}

bool JsonCursor::SkipTokens(const char* until, int64_t* depth) {
  while (at_ < until) {
    at_ = FindQuoteOrBracket(at_, end_);
    if (at_ == end_) return true;
    const char c = *at_;
    if (c == '"') {
      TakeString();
      continue;
    }
    ++at_;
    *depth += (c == '{' || c == '[') ? 1 : -1;
    if (*depth == 0) return true;
  }
  return false;
}

void JsonCursor::SkipContainer() {
  ++at_;
  int64_t depth = 1;
#ifdef __SSE2__
  // Blocks without backslash are counted as a whole; `inside` has all bits set while a string runs on from
  // the block before.
  uint64_t inside = 0;
  while (end_ - at_ >= kBlockBytes) {
    const BlockMasks masks = ReadBlock(at_);
    if (masks.backslashes) {
      const char* const until = at_ + kBlockBytes;
      if (inside) FinishString();
      inside = 0;
      if (SkipTokens(until, &depth)) return;
      continue;
    }
    const uint64_t strings = PrefixXor(masks.quotes) ^ inside;
    const uint64_t open = masks.open & ~strings;
    const uint64_t close = masks.close & ~strings;
    if (__builtin_popcountll(close) >= depth) {
      for (uint64_t brackets = open | close; brackets; brackets &= brackets - 1) {
        depth += (open & brackets & -brackets) ? 1 : -1;
        if (depth > 0) continue;
        at_ += __builtin_ctzll(brackets) + 1;
        return;
      }
    } else {
      depth += __builtin_popcountll(open) - __builtin_popcountll(close);
    }
    inside = strings >> 63 ? ~uint64_t{0} : 0;
    at_ += kBlockBytes;
  }
  if (inside) FinishString();
#endif
  SkipTokens(end_, &depth);
}

std::string_view JsonCursor::TakeValue() {
  const char first = Peek();
  const char* start = at_;
  if (first == '"') {
    TakeString();
  } else if (first == '{' || first == '[') {
    SkipContainer();
  } else {
    while (at_ < end_ && *at_ != ',' && *at_ != '}' && *at_ != ']' && !IsSpace(*at_)) ++at_;
  }
  return {start, static_cast<size_t>(at_ - start)};
}

int64_t JsonLength(std::string_view raw) {
  int64_t count = 0;
  switch (KindOfJson(raw)) {
    case JsonKind::kObject:
      ForEachMember(raw, [&](std::string_view, bool, std::string_view) { return ++count > 0; });
      return count;
    case JsonKind::kArray:
      ForEachElement(raw, [&](std::string_view) { return ++count > 0; });
      return count;
    default:
      return -1;
  }
}

char* DecodeJsonEscapes(std::string_view inner, char* out) {
  const char* at = inner.data();
  const char* end = at + inner.size();
  while (at < end) {
    const void* found = std::memchr(at, '\\', static_cast<size_t>(end - at));
    const char* stop = found ? static_cast<const char*>(found) : end;
    if (stop > at) std::memcpy(out, at, static_cast<size_t>(stop - at));
    out += stop - at;
    at = stop;
    if (end - at < 2) break;
    const char c = at[1];
    at += 2;
    if (c == 'u') {
      out = PutCodePoint(TakeUnicodeEscape(&at, end), out);
    } else {
      *out++ = UnescapedCharacter(c);
    }
  }
  return out;
}

std::string DecodeJsonEscapes(std::string_view inner) {
  std::string out(inner.size(), '\0');
  out.resize(static_cast<size_t>(DecodeJsonEscapes(inner, out.data()) - out.data()));
  return out;
}

bool JsonKeyEquals(std::string_view inner, bool escaped, std::string_view name) {
  if (!escaped) return inner == name;
  return inner.size() >= name.size() && DecodeJsonEscapes(inner) == name;
}

void AppendJsonStringValue(std::string_view raw_string, TextWriter& out) {
  const std::string_view inner =
      raw_string.size() < 2 ? std::string_view() : raw_string.substr(1, raw_string.size() - 2);
  char* to = out.Reserve(inner.size());
  out.Advance(static_cast<size_t>(DecodeJsonEscapes(inner, to) - to));
}

std::string QuoteJson(std::string_view text) {
  TextWriter writer(1, static_cast<int64_t>(text.size()) + 8);
  AppendJsonString(text, writer);
  return std::string(writer.row());
}

void AppendCompactJson(std::string_view raw, TextWriter& out) {
  const JsonKind kind = KindOfJson(raw);
  if (kind != JsonKind::kObject && kind != JsonKind::kArray) {
    out.Append(raw);
    return;
  }
  char* to = out.Reserve(raw.size());
  const char* const begin = to;
  const char* at = raw.data();
  const char* const end = at + raw.size();
  while (at < end) {
    if (*at == '"') {
      const char* start = at++;
      while ((at = FindQuoteOrBackslash(at, end)) < end && *at == '\\') at += end - at >= 2 ? 2 : 1;
      if (at < end) ++at;
      std::memcpy(to, start, static_cast<size_t>(at - start));
      to += at - start;
    } else {
      *to = *at++;
      to += !IsSpace(*to);
    }
  }
  out.Advance(static_cast<size_t>(to - begin));
}

}  // namespace laminar
