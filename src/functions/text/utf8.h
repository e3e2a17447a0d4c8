#pragma once

/// Code points in UTF-8 text. TEXT is valid UTF-8 by contract, yet nothing here reads out of bounds or loops
/// when it is not: a code point starts at every byte that is not a continuation byte, and ends before the
/// next such byte.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace laminar {

inline bool IsContinuationByte(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// True when all bytes are below 128: bytes and code points are then the same thing.
bool IsAscii(std::string_view text);

int64_t CodePointCount(std::string_view text);

/// Byte offset where code point `index` (0-based) starts; text.size() when there are no more than `index`.
size_t CodePointOffset(std::string_view text, int64_t index);

/// Byte offset where the last `count` code points start; 0 when there are no more than `count`.
size_t CodePointOffsetFromEnd(std::string_view text, int64_t count);

/// Bytes of the code point that starts at `offset` < text.size(); at least 1.
size_t CodePointBytes(std::string_view text, size_t offset);

/// Value of the code point of these bytes; U+FFFD when they are not one.
uint32_t DecodeCodePoint(std::string_view bytes);

/// Whether Unicode has a character slot of this value: at most 0x10FFFF and no surrogate.
inline bool IsCodePoint(int64_t value) {
  return value >= 0 && value <= 0x10FFFF && !(value >= 0xD800 && value <= 0xDFFF);
}

/// Strict check: no overlong forms, surrogates, values above U+10FFFF or torn sequences.
bool IsWellFormedUtf8(std::string_view text);

}  // namespace laminar
