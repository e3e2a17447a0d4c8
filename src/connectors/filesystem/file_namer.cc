#include "connectors/filesystem/file_namer.h"

#include <fmt/format.h>

#include "types/type.h"

namespace laminar {

namespace {

/// Version and variant bits as RFC 9562 wants them.
std::string UuidText(uint64_t high, uint64_t low, uint64_t version) {
  high = (high & ~uint64_t{0xF000}) | (version << 12);
  low = (low & ~(uint64_t{3} << 62)) | (uint64_t{2} << 62);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xFFFF, high & 0xFFFF,
                     low >> 48, low & 0xFFFFFFFFFFFF);
}

/// 48 bits of milliseconds and 80 random ones in Crockford's base 32.
std::string UlidText(uint64_t now_ms, uint64_t random_high, uint64_t random_low) {
  static constexpr char kDigits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::string text(26, '0');
  for (int i = 9; i >= 0; --i, now_ms >>= 5) text[static_cast<size_t>(i)] = kDigits[now_ms & 31];
  for (size_t i = 10; i < 18; ++i, random_high >>= 5) text[i] = kDigits[random_high & 31];
  for (size_t i = 18; i < 26; ++i, random_low >>= 5) text[i] = kDigits[random_low & 31];
  return text;
}

}  // namespace

std::optional<NameStrategy> ParseNameStrategy(std::string_view text) {
  if (EqualsIgnoreCase(text, "uuid_v7")) return NameStrategy::kUuid7;
  if (EqualsIgnoreCase(text, "uuid")) return NameStrategy::kUuid4;
  if (EqualsIgnoreCase(text, "ulid")) return NameStrategy::kUlid;
  if (EqualsIgnoreCase(text, "serial")) return NameStrategy::kSerial;
  return std::nullopt;
}

std::string FileNamer::Next(int64_t now_us) {
  std::string name = prefix_.empty() ? Id(now_us) : prefix_ + "-" + Id(now_us);
  if (!suffix_.empty()) name += (suffix_[0] == '.' ? "" : ".") + suffix_;
  return name;
}

std::string FileNamer::Id(int64_t now_us) {
  const auto now_ms = static_cast<uint64_t>(now_us / 1000);
  switch (strategy_) {
    case NameStrategy::kUuid7:
      return UuidText((now_ms << 16) | (random_() & 0xFFFF), random_(), 7);
    case NameStrategy::kUuid4:
      return UuidText(random_(), random_(), 4);
    case NameStrategy::kUlid:
      return UlidText(now_ms, random_(), random_());
    case NameStrategy::kSerial:
      return fmt::format("{:05}-{:03}", serial_++, subtask_);
  }
  return "";
}

}  // namespace laminar
