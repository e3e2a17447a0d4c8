#include "functions/text/rewriting.h"

#include <locale.h>
#include <wctype.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "functions/elementwise.h"
#include "functions/text/pieces.h"
#include "functions/text/utf8.h"

namespace laminar {
namespace {

/// The C library's Unicode tables, apart from the process's locale, which must not change results.
locale_t UnicodeLocale() {
  static const locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

uint32_t ToUpper(uint32_t c) {
  const locale_t locale = UnicodeLocale();
  return locale ? static_cast<uint32_t>(::towupper_l(static_cast<wint_t>(c), locale)) : c;
}

uint32_t ToLower(uint32_t c) {
  const locale_t locale = UnicodeLocale();
  return locale ? static_cast<uint32_t>(::towlower_l(static_cast<wint_t>(c), locale)) : c;
}

bool IsWordCharacter(uint32_t c) {
  if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  const locale_t locale = UnicodeLocale();
  return !locale || ::iswalnum_l(static_cast<wint_t>(c), locale);
}

char AsciiUpper(char c) { return static_cast<char>(c - ((c >= 'a' && c <= 'z') ? 32 : 0)); }
char AsciiLower(char c) { return static_cast<char>(c + ((c >= 'A' && c <= 'Z') ? 32 : 0)); }

/// ASCII bytes by `ascii` (a loop that the compiler vectorises), the others by `unicode`.
template <typename Ascii, typename Unicode>
void AppendMapped(std::string_view text, Ascii ascii, Unicode unicode, TextWriter& out) {
  if (IsAscii(text)) {
    std::transform(text.begin(), text.end(), out.Reserve(text.size()), ascii);
    out.Advance(text.size());
    return;
  }
  for (size_t i = 0; i < text.size();) {
    const size_t bytes = CodePointBytes(text, i);
    const std::string_view piece = text.substr(i, bytes);
    const uint32_t c = DecodeCodePoint(piece);
    const uint32_t mapped = unicode(c);
    if (mapped == c) {
      out.Append(piece);
    } else {
      out.AppendCodePoint(mapped);
    }
    i += bytes;
  }
}

/// `count` code points made by going round `fill`, which is not empty.
void AppendCycle(std::string_view fill, int64_t count, TextWriter& out) {
  const int64_t fill_count = CodePointCount(fill);
  for (; count >= fill_count; count -= fill_count) out.Append(fill);
  out.Append(fill.substr(0, CodePointOffset(fill, count)));
}

/// How many code points of `fill` bring `text` to `length`; −1 when the result would be too long.
int64_t Padding(std::string_view text, int64_t length, std::string_view fill) {
  const int64_t missing = length - CodePointCount(text);
  const int64_t fill_count = CodePointCount(fill);  // 0 also for broken UTF-8
  if (missing <= 0 || fill_count == 0) return 0;
  if (missing > kTextBytesMax) return -1;
  // An upper bound by whole turns of `fill`.
  const auto turns = (missing / fill_count) + 1;
  return turns * static_cast<int64_t>(fill.size()) > kTextBytesMax ? -1 : missing;
}

}  // namespace

void AppendUpper(std::string_view text, TextWriter& out) { AppendMapped(text, AsciiUpper, ToUpper, out); }

void AppendLower(std::string_view text, TextWriter& out) { AppendMapped(text, AsciiLower, ToLower, out); }

void AppendInitcap(std::string_view text, TextWriter& out) {
  bool inside = false;
  for (size_t i = 0; i < text.size();) {
    const size_t bytes = CodePointBytes(text, i);
    const std::string_view piece = text.substr(i, bytes);
    const uint32_t c = DecodeCodePoint(piece);
    const uint32_t mapped = inside ? ToLower(c) : ToUpper(c);
    if (mapped == c) {
      out.Append(piece);
    } else {
      out.AppendCodePoint(mapped);
    }
    inside = IsWordCharacter(c);
    i += bytes;
  }
}

bool AppendLpad(std::string_view text, int64_t length, std::string_view fill, TextWriter& out) {
  const int64_t missing = Padding(text, length, fill);
  if (missing < 0) return false;
  if (missing > 0) AppendCycle(fill, missing, out);
  out.Append(Left(text, std::max<int64_t>(length, 0)));
  return true;
}

bool AppendRpad(std::string_view text, int64_t length, std::string_view fill, TextWriter& out) {
  const int64_t missing = Padding(text, length, fill);
  if (missing < 0) return false;
  out.Append(Left(text, std::max<int64_t>(length, 0)));
  if (missing > 0) AppendCycle(fill, missing, out);
  return true;
}

bool AppendRepeat(std::string_view text, int64_t count, TextWriter& out) {
  if (count <= 0 || text.empty()) return true;
  if (count > kTextBytesMax / static_cast<int64_t>(text.size())) return false;
  if (text.size() == 1) {
    out.AppendRepeated(text[0], static_cast<size_t>(count));
    return true;
  }
  out.Reserve(static_cast<size_t>(count) * text.size());
  for (; count > 0; --count) out.Append(text);
  return true;
}

bool AppendReplace(std::string_view text, std::string_view from, std::string_view to, TextWriter& out) {
  if (from.empty() || text.size() < from.size()) {
    out.Append(text);
    return true;
  }
  const size_t start = out.row().size();
  size_t done = 0;
  while (const void* found = ::memmem(text.data() + done, text.size() - done, from.data(), from.size())) {
    const auto at = static_cast<size_t>(static_cast<const char*>(found) - text.data());
    out.Append(text.substr(done, at - done));
    out.Append(to);
    done = at + from.size();
    if (static_cast<int64_t>(out.row().size() - start) > kTextBytesMax) {
      out.TruncateRow(start);
      return false;
    }
  }
  out.Append(text.substr(done));
  return true;
}

void AppendTranslate(std::string_view text, std::string_view from, std::string_view to, TextWriter& out) {
  for (size_t i = 0; i < text.size();) {
    const size_t bytes = CodePointBytes(text, i);
    const std::string_view piece = text.substr(i, bytes);
    const size_t at = from.find(piece);
    if (at == std::string_view::npos) {
      out.Append(piece);
    } else {
      const size_t start = CodePointOffset(to, CodePointCount(from.substr(0, at)));
      if (start < to.size()) out.Append(to.substr(start, CodePointBytes(to, start)));
    }
    i += bytes;
  }
}

void AppendReverse(std::string_view text, TextWriter& out) {
  if (IsAscii(text)) {
    std::reverse_copy(text.begin(), text.end(), out.Reserve(text.size()));
    out.Advance(text.size());
    return;
  }
  while (!text.empty()) {
    const size_t start = CodePointOffsetFromEnd(text, 1);
    out.Append(text.substr(start));
    text = text.substr(0, start);
  }
}

void AppendOverlay(std::string_view text, std::string_view replacement, int64_t from, int64_t count,
                   TextWriter& out) {
  out.Append(Left(text, from - 1));
  out.Append(replacement);
  int64_t rest;
  // A negative count repeats text, as in PostgreSQL; positions past the end leave nothing.
  if (!__builtin_add_overflow(from, count, &rest)) out.Append(SubstringFrom(text, rest));
}

void AppendHex(uint64_t value, TextWriter& out) {
  char* begin = out.Reserve(16);
  out.Advance(static_cast<size_t>(std::to_chars(begin, begin + 16, value, 16).ptr - begin));
}

}  // namespace laminar
