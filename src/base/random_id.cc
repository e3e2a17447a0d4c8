#include "base/random_id.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "base/error.h"

namespace laminar {

namespace {

std::atomic<bool> seeded = false;
std::atomic<int> seedings = 0;  // thread generators made before the last are out of date
std::mutex mutex;
std::mt19937_64 generator;  // guarded by mutex; used while seeded

void FillFromSystem(char* out, size_t bytes) {
  for (size_t done = 0; done < bytes;) {
    const ssize_t got = getrandom(out + done, bytes - done, 0);
    LAMINAR_CHECK(got >= 0 || errno == EINTR, "getrandom failed");
    if (got > 0) done += static_cast<size_t>(got);
  }
}

void Fill(char* out, size_t bytes) {
  if (!seeded) return FillFromSystem(out, bytes);
  std::lock_guard lock(mutex);
  for (size_t done = 0; done < bytes; done += sizeof(uint64_t)) {
    const uint64_t word = generator();
    std::memcpy(out + done, &word, std::min(sizeof word, bytes - done));
  }
}

}  // namespace

void SeedRandom(std::optional<uint64_t> seed) {
  std::lock_guard lock(mutex);
  if (seed) generator.seed(*seed);
  seeded = seed.has_value();
  ++seedings;
}

std::string RandomBytes(size_t bytes) {
  std::string out(bytes, '\0');
  Fill(out.data(), bytes);
  return out;
}

uint64_t RandomWord() {
  uint64_t word = 0;
  Fill(reinterpret_cast<char*>(&word), sizeof word);
  return word;
}

std::mt19937_64& ThreadGenerator() {
  thread_local std::mt19937_64 own;
  thread_local int seeding = -1;
  if (const int now = seedings.load(std::memory_order_relaxed); seeding != now) {
    std::array<uint32_t, 8> words;
    Fill(reinterpret_cast<char*>(words.data()), sizeof words);
    std::seed_seq seed(words.begin(), words.end());
    own.seed(seed);
    seeding = now;
  }
  return own;
}

std::string RandomId(std::string_view prefix) {
  static constexpr std::string_view kLetters =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string out(prefix);
  size_t letters = 0;
  while (letters < 10) {
    for (const char c : RandomBytes(16)) {
      const unsigned value = static_cast<unsigned char>(c) & 63u;
      if (value >= kLetters.size() || letters == 10) continue;  // all letters equally likely
      out += kLetters[value];
      ++letters;
    }
  }
  return out;
}

}  // namespace laminar
