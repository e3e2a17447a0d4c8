#pragma once

/// Number of distinct values from their 64-bit hashes: exact up to a few hundred, then HyperLogLog with 2^14
/// registers (standard error 0.8 %).

#include <cstdint>
#include <string>
#include <vector>

#include "functions/aggregate/owned_state.h"

namespace laminar {

class HyperLogLog {
 public:
  void Add(uint64_t hash);
  void Add(const HyperLogLog& other);
  uint64_t Estimate() const;

  void Serialize(std::string* out) const;
  void Deserialize(ByteReader& in);

 private:
  static constexpr int kIndexBits = 14;
  static constexpr int kRegisters = 1 << kIndexBits;
  static constexpr size_t kHashesMax = 512;  // beyond it registers (16 KiB) are worth their memory

  bool dense() const { return !registers_.empty(); }
  void AddToRegisters(uint64_t hash);
  void SortHashes();
  void MakeDense();

  std::vector<uint64_t> hashes_;  // while sparse: sorted and distinct up to sorted_, then as they came
  size_t sorted_ = 0;
  std::vector<uint8_t> registers_;  // empty while sparse
};

}  // namespace laminar
