#pragma once

/// The texts of Nexmark events. Made once per process, from a fixed seed.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace laminar {

struct NexmarkChannel {
  std::string name;
  std::string url;
};

class NexmarkText {
 public:
  static const NexmarkText& Get();

  static constexpr uint64_t kHotChannels = 4;
  static constexpr uint64_t kColdChannels = 10'000;
  static constexpr uint64_t kPoolBytes = 1 << 16;
  static constexpr uint64_t kTextBytesMax = 512;  ///< longest piece of a pool that may be asked for

  /// The four hot channels, then the cold ones.
  const std::vector<NexmarkChannel>& channels() const { return channels_; }
  /// `bytes` ≤ kTextBytesMax letters from a place that `random` picks.
  std::string_view Letters(uint64_t random, uint64_t bytes) const { return Piece(letters_, random, bytes); }
  /// The same with a blank now and then.
  std::string_view Words(uint64_t random, uint64_t bytes) const { return Piece(words_, random, bytes); }

 private:
  NexmarkText();
  static std::string_view Piece(const std::string& pool, uint64_t random, uint64_t bytes) {
    return {pool.data() + random % kPoolBytes, bytes};
  }

  std::string letters_;
  std::string words_;
  std::vector<NexmarkChannel> channels_;
};

/// 64 well-mixed bits of `x`.
inline uint64_t MixBits(uint64_t x) {
  x ^= x >> 32;
  x *= 0xE9846AF9B1A615DULL;
  x ^= x >> 32;
  x *= 0xE9846AF9B1A615DULL;
  x ^= x >> 28;
  return x;
}

}  // namespace laminar
