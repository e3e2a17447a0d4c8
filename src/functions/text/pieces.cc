#include "functions/text/pieces.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "functions/text/utf8.h"

namespace laminar {
namespace {

constexpr size_t kNotFound = std::string_view::npos;

/// string_view::find is a byte loop around memchr; memmem is vectorised for short needles.
size_t Find(std::string_view text, std::string_view part, size_t from = 0) {
  if (from > text.size()) return kNotFound;
  if (part.empty()) return from;
  if (text.size() - from < part.size()) return kNotFound;
  const void* found = part.size() == 1
                          ? std::memchr(text.data() + from, part[0], text.size() - from)
                          : ::memmem(text.data() + from, text.size() - from, part.data(), part.size());
  return found ? static_cast<size_t>(static_cast<const char*>(found) - text.data()) : kNotFound;
}

/// The part between the (index − 1)-th and the index-th delimiter, from the left; nullopt past the end.
std::optional<std::string_view> PartFromLeft(std::string_view text, std::string_view delimiter,
                                             int64_t index) {
  size_t start = 0;
  for (; index > 1; --index) {
    const size_t at = Find(text, delimiter, start);
    if (at == kNotFound) return std::nullopt;
    start = at + delimiter.size();
  }
  return text.substr(start, Find(text, delimiter, start) - start);
}

std::optional<std::string_view> PartFromRight(std::string_view text, std::string_view delimiter,
                                              int64_t index) {
  for (; index > 1; --index) {
    const size_t at = text.rfind(delimiter);
    if (at == kNotFound) return std::nullopt;
    text = text.substr(0, at);
  }
  const size_t at = text.rfind(delimiter);
  return at == kNotFound ? text : text.substr(at + delimiter.size());
}

}  // namespace

std::string_view Substring(std::string_view text, int64_t from, int64_t count) {
  int64_t end;  // position behind the last code point wanted
  if (__builtin_add_overflow(from, count, &end)) end = std::numeric_limits<int64_t>::max();
  if (end <= 1) return text.substr(0, 0);
  std::string_view rest = SubstringFrom(text, from);
  return rest.substr(0, CodePointOffset(rest, end - std::max<int64_t>(from, 1)));
}

std::string_view SubstringFrom(std::string_view text, int64_t from) {
  return from <= 1 ? text : text.substr(CodePointOffset(text, from - 1));
}

std::string_view Left(std::string_view text, int64_t count) {
  if (count >= 0) return text.substr(0, CodePointOffset(text, count));
  if (count == std::numeric_limits<int64_t>::min()) return text.substr(0, 0);
  return text.substr(0, CodePointOffsetFromEnd(text, -count));
}

std::string_view Right(std::string_view text, int64_t count) {
  if (count >= 0) return text.substr(CodePointOffsetFromEnd(text, count));
  if (count == std::numeric_limits<int64_t>::min()) return text.substr(text.size());
  return text.substr(CodePointOffset(text, -count));
}

std::string_view TrimLeft(std::string_view text, std::string_view set) {
  size_t start = 0;
  if (set.size() == 1) {
    while (start < text.size() && text[start] == set[0]) ++start;
    return text.substr(start);
  }
  // Searching the bytes of one code point in `set` cannot match across two of its code points: UTF-8 is
  // self-synchronising.
  while (start < text.size()) {
    const size_t bytes = CodePointBytes(text, start);
    if (set.find(text.substr(start, bytes)) == kNotFound) break;
    start += bytes;
  }
  return text.substr(start);
}

std::string_view TrimRight(std::string_view text, std::string_view set) {
  if (set.size() == 1) {
    size_t end = text.size();
    while (end > 0 && text[end - 1] == set[0]) --end;
    return text.substr(0, end);
  }
  while (!text.empty()) {
    const size_t start = CodePointOffsetFromEnd(text, 1);
    if (set.find(text.substr(start)) == kNotFound) break;
    text = text.substr(0, start);
  }
  return text;
}

std::string_view Trim(std::string_view text, std::string_view set) {
  return TrimRight(TrimLeft(text, set), set);
}

std::string_view SplitPart(std::string_view text, std::string_view delimiter, int64_t index) {
  const std::string_view none = text.substr(0, 0);
  if (delimiter.empty()) return index == 1 || index == -1 ? text : none;
  if (index > 0) return PartFromLeft(text, delimiter, index).value_or(none);
  if (index == std::numeric_limits<int64_t>::min()) return none;
  return PartFromRight(text, delimiter, -index).value_or(none);
}

std::optional<std::string_view> SplitIndex(std::string_view text, std::string_view delimiter, int64_t index) {
  if (index < 0 || text.empty()) return std::nullopt;
  if (delimiter.empty()) return index == 0 ? std::optional(text) : std::nullopt;
  if (index == std::numeric_limits<int64_t>::max()) return std::nullopt;
  return PartFromLeft(text, delimiter, index + 1);
}

std::string_view SubstringIndex(std::string_view text, std::string_view delimiter, int64_t count) {
  if (count == 0 || delimiter.empty()) return text.substr(0, 0);
  if (count > 0) {
    size_t at = Find(text, delimiter);
    for (; count > 1 && at != kNotFound; --count) at = Find(text, delimiter, at + delimiter.size());
    return text.substr(0, at);
  }
  size_t end = text.size();
  for (; count < 0; ++count) {
    if (end < delimiter.size()) return text;
    const size_t at = text.substr(0, end).rfind(delimiter);
    if (at == kNotFound) return text;
    end = at;
  }
  return text.substr(end + delimiter.size());
}

int64_t Position(std::string_view text, std::string_view part, int64_t from) {
  if (from < 1) return 0;
  if (from == 1) {
    const size_t at = Find(text, part);
    return at == kNotFound ? 0 : CodePointCount(text.substr(0, at)) + 1;
  }
  const size_t start = CodePointOffset(text, from - 1);
  if (start == text.size() && CodePointCount(text) < from - 1) return 0;
  const size_t at = Find(text, part, start);
  return at == kNotFound ? 0 : from + CodePointCount(text.substr(start, at - start));
}

int64_t CountOccurrences(std::string_view text, std::string_view part) {
  if (part.empty()) return 0;
  if (part.size() == 1) return std::count(text.begin(), text.end(), part[0]);
  int64_t count = 0;
  for (size_t at = Find(text, part); at != kNotFound; at = Find(text, part, at + part.size())) ++count;
  return count;
}

int64_t FindInSet(std::string_view item, std::string_view list) {
  if (item.find(',') != kNotFound || list.empty()) return 0;
  int64_t index = 1;
  for (size_t start = 0;; ++index) {
    const size_t comma = list.find(',', start);
    if (list.substr(start, comma - start) == item) return index;
    if (comma == kNotFound) return 0;
    start = comma + 1;
  }
}

}  // namespace laminar
