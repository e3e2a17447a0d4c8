#include "functions/text/utf8.h"

#include <cstring>

namespace laminar {
namespace {

constexpr uint64_t kHighBits = 0x8080808080808080ULL;

uint64_t Load8(const char* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

/// Number of continuation bytes (10xxxxxx) among the eight.
int ContinuationBytes(uint64_t word) { return __builtin_popcountll(word & ~(word << 1) & kHighBits); }

}  // namespace

bool IsAscii(std::string_view text) {
  const char* p = text.data();
  const char* end = p + text.size();
  uint64_t seen = 0;
  for (; end - p >= 8; p += 8) seen |= Load8(p);
  for (; p < end; ++p) seen |= static_cast<uint64_t>(static_cast<unsigned char>(*p));
  return (seen & kHighBits) == 0;
}

int64_t CodePointCount(std::string_view text) {
  const char* p = text.data();
  const char* end = p + text.size();
  int64_t continuation = 0;
  for (; end - p >= 8; p += 8) continuation += ContinuationBytes(Load8(p));
  for (; p < end; ++p) continuation += IsContinuationByte(*p);
  return static_cast<int64_t>(text.size()) - continuation;
}

size_t CodePointOffset(std::string_view text, int64_t index) {
  if (index <= 0) return 0;
  const char* p = text.data();
  const char* end = p + text.size();
  // Whole words while they cannot hold the wanted start: `index` counts the starts still to pass over.
  while (end - p >= 8 && index >= 8) {
    index -= 8 - ContinuationBytes(Load8(p));
    p += 8;
  }
  for (; p < end; ++p) {
    if (IsContinuationByte(*p)) continue;
    if (index == 0) break;
    --index;
  }
  return static_cast<size_t>(p - text.data());
}

size_t CodePointOffsetFromEnd(std::string_view text, int64_t count) {
  size_t offset = text.size();
  while (offset > 0 && count > 0) {
    --offset;
    if (!IsContinuationByte(text[offset])) --count;
  }
  return offset;
}

size_t CodePointBytes(std::string_view text, size_t offset) {
  size_t end = offset + 1;
  while (end < text.size() && IsContinuationByte(text[end])) ++end;
  return end - offset;
}

uint32_t DecodeCodePoint(std::string_view bytes) {
  constexpr uint32_t kReplacement = 0xFFFD;
  auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(bytes[i])); };
  if (bytes.empty()) return kReplacement;
  const uint32_t lead = byte(0);
  if (lead < 0x80) return bytes.size() == 1 ? lead : kReplacement;
  if (lead >= 0xC2 && lead < 0xE0 && bytes.size() == 2) return (lead & 0x1F) << 6 | (byte(1) & 0x3F);
  if (lead >= 0xE0 && lead < 0xF0 && bytes.size() == 3) {
    return (lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
  }
  if (lead >= 0xF0 && lead < 0xF5 && bytes.size() == 4) {
    return (lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
  }
  return kReplacement;
}

bool IsWellFormedUtf8(std::string_view text) {
  size_t offset = 0;
  while (offset < text.size()) {
    if (text.size() - offset >= 8 && (Load8(text.data() + offset) & kHighBits) == 0) {
      offset += 8;
      continue;
    }
    const auto lead = static_cast<unsigned char>(text[offset]);
    if (lead < 0x80) {
      ++offset;
      continue;
    }
    const size_t bytes = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (lead < 0xC2 || lead > 0xF4 || text.size() - offset < bytes) return false;
    for (size_t i = 1; i < bytes; ++i) {
      if (!IsContinuationByte(text[offset + i])) return false;
    }
    const auto second = static_cast<unsigned char>(text[offset + 1]);
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F)) return false;
    if ((lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) return false;
    offset += bytes;
  }
  return true;
}

}  // namespace laminar
