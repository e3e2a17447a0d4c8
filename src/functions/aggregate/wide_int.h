#pragma once

/// Integers wider than a machine word as accumulators hold them: 8-byte aligned, plain bytes.

#include <cstdint>

namespace laminar {

/// An __int128 in two words, since accumulators (and Arrow buffers) promise only 8-byte alignment.
struct StoredInt128 {
  uint64_t low = 0;
  int64_t high = 0;

  StoredInt128() = default;
  StoredInt128(__int128 value)  // NOLINT: converts both ways on purpose
      : low(static_cast<uint64_t>(value)), high(static_cast<int64_t>(value >> 64)) {}
  __int128 get() const { return (static_cast<__int128>(high) << 64) | low; }
  void Add(__int128 value) { *this = StoredInt128(get() + value); }

  friend bool operator==(const StoredInt128& a, const StoredInt128& b) { return a.get() == b.get(); }
  friend bool operator<(const StoredInt128& a, const StoredInt128& b) { return a.get() < b.get(); }
};

/// Sum of DECIMALs: 2^63 values of 38 digits fit, so that a sum may leave the result's range and come back.
struct StoredInt192 {
  uint64_t low = 0;
  uint64_t middle = 0;
  int64_t high = 0;

  /// Adds value * weight.
  void Add(__int128 value, int64_t weight) {
    AddLow(static_cast<__int128>(static_cast<uint64_t>(value)) * weight);
    AddMiddle(static_cast<__int128>(static_cast<int64_t>(value >> 64)) * weight);
  }
  void Add(const StoredInt192& other) {
    const unsigned __int128 before = low_part();
    const unsigned __int128 after = before + other.low_part();
    SetLowPart(after);
    high += other.high + (after < before);
  }

 private:
  unsigned __int128 low_part() const { return (static_cast<unsigned __int128>(middle) << 64) | low; }
  void SetLowPart(unsigned __int128 value) {
    low = static_cast<uint64_t>(value);
    middle = static_cast<uint64_t>(value >> 64);
  }
  void AddLow(__int128 value) {
    const unsigned __int128 before = low_part();
    const unsigned __int128 after = before + static_cast<unsigned __int128>(value);
    SetLowPart(after);
    high += (after < before) - (value < 0);
  }
  void AddMiddle(__int128 value) {
    const uint64_t before = middle;
    middle += static_cast<uint64_t>(value);
    high += static_cast<int64_t>(value >> 64) + (middle < before);
  }
};

}  // namespace laminar
