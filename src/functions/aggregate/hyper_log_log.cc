#include "functions/aggregate/hyper_log_log.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace laminar {

void HyperLogLog::Add(uint64_t hash) {
  if (dense()) {
    AddToRegisters(hash);
    return;
  }
  hashes_.push_back(hash);
  if (hashes_.size() < sorted_ + 128 && hashes_.size() <= kHashesMax) return;
  SortHashes();
  if (hashes_.size() > kHashesMax / 2 + kHashesMax / 4) MakeDense();
}

void HyperLogLog::Add(const HyperLogLog& other) {
  for (uint64_t hash : other.hashes_) Add(hash);
  if (!other.dense()) return;
  if (!dense()) MakeDense();
  for (size_t i = 0; i < registers_.size(); ++i) registers_[i] = std::max(registers_[i], other.registers_[i]);
}

void HyperLogLog::SortHashes() {
  std::sort(hashes_.begin(), hashes_.end());
  hashes_.erase(std::unique(hashes_.begin(), hashes_.end()), hashes_.end());
  sorted_ = hashes_.size();
}

void HyperLogLog::MakeDense() {
  registers_.assign(kRegisters, 0);
  for (uint64_t hash : hashes_) AddToRegisters(hash);
  hashes_ = {};
  sorted_ = 0;
}

void HyperLogLog::AddToRegisters(uint64_t hash) {
  const uint64_t index = hash >> (64 - kIndexBits);
  const uint64_t rest =
      (hash << kIndexBits) | (uint64_t{1} << (kIndexBits - 1));  // the mark ends the run of zeros
  const auto rank = static_cast<uint8_t>(__builtin_clzll(rest) + 1);
  registers_[index] = std::max(registers_[index], rank);
}

namespace {

// Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), algorithm 6: no bias tables,
// and right from empty to 2^64.
double Sigma(double x) {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double y = 1, z = x, before;
  do {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  } while (z != before);
  return z;
}

double Tau(double x) {
  if (x == 0 || x == 1) return 0;
  double y = 1, z = 1 - x, before;
  do {
    x = std::sqrt(x);
    before = z;
    y /= 2;
    z -= (1 - x) * (1 - x) * y;
  } while (z != before);
  return z / 3;
}

}  // namespace

uint64_t HyperLogLog::Estimate() const {
  if (!dense()) {
    std::vector<uint64_t> distinct = hashes_;
    std::sort(distinct.begin(), distinct.end());
    return static_cast<uint64_t>(std::unique(distinct.begin(), distinct.end()) - distinct.begin());
  }
  constexpr int kRankMax = 64 - kIndexBits + 1;
  std::array<int, kRankMax + 1> histogram{};
  for (uint8_t rank : registers_) ++histogram[rank];
  constexpr double m = kRegisters;
  double z = m * Tau(1 - histogram[kRankMax] / m);
  for (int rank = kRankMax - 1; rank >= 1; --rank) z = (z + histogram[static_cast<size_t>(rank)]) / 2;
  z += m * Sigma(histogram[0] / m);
  return static_cast<uint64_t>(std::llround(m * m / (2 * std::log(2.0) * z)));
}

void HyperLogLog::Serialize(std::string* out) const {
  PutFixed(out, static_cast<uint8_t>(dense()));
  if (dense()) {
    out->append(reinterpret_cast<const char*>(registers_.data()), registers_.size());
  } else {
    for (uint64_t hash : hashes_) PutFixed(out, hash);
  }
}

void HyperLogLog::Deserialize(ByteReader& in) {
  if (in.Fixed<uint8_t>()) {
    registers_.resize(kRegisters);
    for (uint8_t& rank : registers_) rank = in.Fixed<uint8_t>();
    return;
  }
  while (!in.empty()) hashes_.push_back(in.Fixed<uint64_t>());
  SortHashes();
}

}  // namespace laminar
