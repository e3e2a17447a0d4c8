#pragma once

/// The workloads of bench_state and bench_rocksdb: records of 100 bytes under 8-byte keys, read, changed and
/// written in batches of 8,192. A fill, and then for some seconds each: `local` (one row of ten is a new key,
/// the others one of the newest 2 %), `zipf` (exponent 0.99 over all keys, scattered), `uniform`.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace state_bench {

constexpr int kBatchRows = 8192;
constexpr size_t kRecordBytes = 100;

struct Arguments {
  uint64_t keys = 40'000'000;
  double warm_seconds = 10, seconds = 20;
  std::string directory = "/var/tmp";
  int64_t limit_mb = 1024;
};

/// KEYS SECONDS DIRECTORY LIMIT_MB, all optional.
inline Arguments ParseArguments(int count, char** words) {
  Arguments arguments;
  if (count > 1) arguments.keys = std::stoull(words[1]);
  if (count > 2) arguments.warm_seconds = (arguments.seconds = std::stod(words[2])) / 2;
  if (count > 3) arguments.directory = words[3];
  if (count > 4) arguments.limit_mb = std::stoll(words[4]);
  return arguments;
}

inline uint64_t Scatter(uint64_t x) {
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdULL;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33);
}

/// Numbers below `count`, small ones most often (Gray et al., "Quickly generating billion-record databases").
class Zipf {
 public:
  Zipf(uint64_t count, double exponent) : count_(static_cast<double>(count)), exponent_(exponent) {
    for (uint64_t i = 1; i <= count; ++i) zeta_ += std::pow(static_cast<double>(i), -exponent);
    eta_ = (1 - std::pow(2 / count_, 1 - exponent)) / (1 - (1 + std::pow(0.5, exponent)) / zeta_);
  }
  uint64_t Next(std::mt19937_64& random) const {
    const double u = std::uniform_real_distribution<>()(random);
    if (u * zeta_ < 1) return 0;
    if (u * zeta_ < 1 + std::pow(0.5, exponent_)) return 1;
    return static_cast<uint64_t>(count_ * std::pow(eta_ * u - eta_ + 1, 1 / (1 - exponent_)));
  }

 private:
  double count_, exponent_, zeta_ = 0, eta_ = 0;
};

/// A record as it begins: a count of 0, and bytes of which half compress.
inline void MakeRecord(uint64_t key, char* record) {
  std::memset(record, 0, kRecordBytes);
  for (size_t at = 8; at < 56; at += 8) {
    key = Scatter(key + 1);
    std::memcpy(record + at, &key, 8);
  }
}

inline double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

inline long PeakMb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::stol(line.substr(6)) / 1024;
  }
  return 0;
}

/// Runs all; `change(keys)` adds 1 to the count of each key's record, which it makes when it is new.
inline void Run(const Arguments& arguments, const std::function<void(const std::vector<int64_t>&)>& change) {
  std::vector<int64_t> keys(kBatchRows);
  std::mt19937_64 random(1);
  uint64_t next = 0;
  const double begin = Now();
  while (next < arguments.keys) {
    for (int64_t& key : keys) key = static_cast<int64_t>(next++);
    change(keys);
  }
  std::printf("fill     %8.1f thousand rows/s; peak memory %ld MB\n",
              static_cast<double>(next) / (Now() - begin) / 1e3, PeakMb());
  const Zipf zipf(arguments.keys, 0.99);
  const uint64_t all = arguments.keys, newest = arguments.keys / 50;
  const std::vector<std::pair<const char*, std::function<uint64_t(int)>>> workloads = {
      {"local", [&](int row) { return row % 10 == 0 ? next++ : next - 1 - random() % newest; }},
      {"zipf", [&](int) { return Scatter(zipf.Next(random)) % all; }},
      {"uniform", [&](int) { return random() % all; }}};
  for (const auto& [name, key_at] : workloads) {
    double busy = 0, worst = 0;
    int64_t rows = 0;
    for (const double start = Now(); Now() - start < arguments.warm_seconds + arguments.seconds;) {
      for (int row = 0; row < kBatchRows; ++row)
        keys[static_cast<size_t>(row)] = static_cast<int64_t>(key_at(row));
      const double before = Now();
      change(keys);
      if (before - start < arguments.warm_seconds) continue;
      busy += Now() - before;
      worst = std::max(worst, Now() - before);
      rows += kBatchRows;
    }
    std::printf("%-8s %8.1f thousand rows/s; slowest batch %.0f ms; peak memory %ld MB\n", name,
                static_cast<double>(rows) / busy / 1e3, worst * 1e3, PeakMb());
    std::fflush(stdout);
  }
}

}  // namespace state_bench
