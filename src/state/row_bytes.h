#pragma once

/// Numbers inside the keys and values of state entries. Part of the state format: little-endian, sequences
/// big-endian so that entries of a key sort by arrival.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/error.h"

namespace laminar {

template <typename T>
void AppendPlain(T value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// Takes a number off the front.
template <typename T>
T TakePlain(std::string_view* bytes) {
  LAMINAR_CHECK(bytes->size() >= sizeof(T), "a state entry is too short");
  T value;
  std::memcpy(&value, bytes->data(), sizeof value);
  bytes->remove_prefix(sizeof value);
  return value;
}

/// 8 bytes that sort as the number does.
inline void AppendSequence(int64_t sequence, std::string* out) {
  const uint64_t bits = static_cast<uint64_t>(sequence) ^ (uint64_t{1} << 63);
  for (int shift = 56; shift >= 0; shift -= 8) out->push_back(static_cast<char>(bits >> shift & 0xFF));
}

inline int64_t ReadSequence(std::string_view bytes) {
  uint64_t bits = 0;
  for (int i = 0; i < 8; ++i) bits = bits << 8 | static_cast<unsigned char>(bytes[i]);
  return static_cast<int64_t>(bits ^ (uint64_t{1} << 63));
}

/// What AppendSequence adds.
inline constexpr size_t kSequenceBytes = 8;
/// Takes what AppendSequence wrote off the end.
inline int64_t TakeSequence(std::string_view* bytes) {
  LAMINAR_CHECK(bytes->size() >= kSequenceBytes, "a state entry's key is too short");
  const int64_t sequence = ReadSequence(bytes->substr(bytes->size() - kSequenceBytes));
  bytes->remove_suffix(kSequenceBytes);
  return sequence;
}

}  // namespace laminar
