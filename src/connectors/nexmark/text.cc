#include "connectors/nexmark/text.h"

#include <algorithm>

namespace laminar {

namespace {

/// A sequence of random numbers for the pools.
class Sequence {
 public:
  explicit Sequence(uint64_t seed) : state_(seed) {}
  uint64_t Next(uint64_t below) { return MixBits(state_ += 0x9E3779B97F4A7C15ULL) % below; }

 private:
  uint64_t state_;
};

std::string Underscored(std::string_view text) {
  std::string out(text);
  std::replace(out.begin(), out.end(), ' ', '_');
  return out;
}

/// |bit-reversed i| as the public generator's channel ids are.
uint32_t ChannelId(uint32_t i) {
  uint32_t reversed = 0;
  for (int bit = 0; bit < 32; ++bit) reversed |= ((i >> bit) & 1u) << (31 - bit);
  return reversed >> 31 ? ~reversed + 1 : reversed;
}

}  // namespace

const NexmarkText& NexmarkText::Get() {
  static const NexmarkText text;
  return text;
}

NexmarkText::NexmarkText() {
  Sequence random(1);
  for (uint64_t i = 0; i < kPoolBytes + kTextBytesMax; ++i) {
    letters_.push_back(static_cast<char>('a' + random.Next(26)));
    words_.push_back(random.Next(13) == 0 ? ' ' : static_cast<char>('a' + random.Next(26)));
  }
  auto url = [&] {
    std::string out = "https://www.nexmark.com";
    for (int part = 0; part < 3; ++part) {
      out += "/" + Underscored(Words(random.Next(kPoolBytes), 3 + random.Next(2)));
    }
    return out + "/item.htm?query=1";
  };
  for (const char* name : {"Google", "Facebook", "Baidu", "Apple"}) channels_.push_back({name, url()});
  for (uint32_t i = 0; i < kColdChannels; ++i) {
    std::string address = url();
    if (random.Next(10) > 0) address += "&channel_id=" + std::to_string(ChannelId(i));
    channels_.push_back({"channel-" + std::to_string(i), address});
  }
}

}  // namespace laminar
