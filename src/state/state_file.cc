#include "state/state_file.h"

#include <arrow/util/compression.h>
#include <fmt/format.h>
#include <xxhash.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "state/manifest.h"

namespace laminar {

namespace {

constexpr std::string_view kHeadMagic = "LMNSTATE";
constexpr std::string_view kTailMagic = "LMNSTEND";
constexpr uint32_t kVersion = 1;
constexpr int64_t kHeadBytes = 16;
constexpr int64_t kTailBytes = 8 + 4 + 8 + 8;
constexpr size_t kPayloadBytes = 256 << 10;
constexpr uint8_t kCodecNone = 0, kCodecLz4 = 1;
/// To compress a byte costs about what it costs to write two, and a checkpoint is written and merged beside a
/// job that could use the time. So blocks of a section are compressed or not as the last sample shows, which
/// is taken less and less often where it is not worth it.
constexpr double kChangesWorthIt = 2, kMergedWorthIt = 1.5;
constexpr size_t kSampleGapMin = 16, kSampleGapMax = 256;

struct BlockHeader {
  uint32_t stored_bytes;
  uint32_t payload_bytes;
  uint32_t entries;
  uint8_t codec;
  uint8_t unused[3];
  uint64_t checksum;
};
static_assert(sizeof(BlockHeader) == 24);

uint64_t Checksum(std::string_view data) { return XXH3_64bits(data.data(), data.size()); }

/// Of a block: its payload, seeded with what the header says before it.
uint64_t BlockChecksum(const BlockHeader& header, std::string_view stored) {
  const uint64_t seed = XXH3_64bits(&header, offsetof(BlockHeader, checksum));
  return XXH3_64bits_withSeed(stored.data(), stored.size(), seed);
}

template <typename T>
void AppendRaw(const T& value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}
template <typename T>
T ReadRaw(std::string_view data, size_t at) {
  T value;
  std::memcpy(&value, data.data() + at, sizeof(value));
  return value;
}

arrow::util::Codec& Lz4() {
  thread_local const std::unique_ptr<arrow::util::Codec> codec = [] {
    auto made = arrow::util::Codec::Create(arrow::Compression::LZ4_FRAME);
    LAMINAR_CHECK(made.ok(), made.status().ToString());
    return std::move(made).ValueUnsafe();
  }();
  return *codec;
}

/// The compressed form of a payload, in `*buffer`; empty when it is no smaller.
std::string_view Compressed(const std::string& payload, std::string* buffer) {
  const auto* input = reinterpret_cast<const uint8_t*>(payload.data());
  const auto bytes = static_cast<int64_t>(payload.size());
  const auto room = static_cast<size_t>(Lz4().MaxCompressedLen(bytes, input));
  if (buffer->size() < room) buffer->resize(room);
  const auto written = Lz4().Compress(bytes, input, static_cast<int64_t>(buffer->size()),
                                      reinterpret_cast<uint8_t*>(buffer->data()));
  if (!written.ok() || *written >= bytes) return {};
  return std::string_view(*buffer).substr(0, static_cast<size_t>(*written));
}

[[noreturn]] void ThrowDamaged(const ObjectStore& store, const std::string& name, const std::string& what) {
  throw StateDamaged(store.url() + "/" + name, what);
}

}  // namespace

int64_t StateSection::bytes() const {
  int64_t sum = 0;
  for (const StateBlock& block : blocks) sum += block.bytes;
  return sum;
}

const StateSection* StateFileInfo::Find(std::string_view operator_id, std::string_view table) const {
  for (const StateSection& section : sections) {
    if (section.operator_id == operator_id && section.table == table) return &section;
  }
  return nullptr;
}

// Writing.

StateFileWriter::StateFileWriter(ObjectStore& store, const std::string& name, Use use)
    : worth_it_(use == Use::kMerged ? kMergedWorthIt : kChangesWorthIt), out_(store.Create(name)) {
  info_.name = name;
  std::string head(kHeadMagic);
  AppendRaw(kVersion, &head);
  AppendRaw(uint32_t{0}, &head);
  Write(head);
}

void StateFileWriter::BeginSection(const std::string& operator_id, const std::string& table) {
  EndSection();
  info_.sections.push_back({operator_id, table, 0, {}});
  compresses_ = true;
  next_sample_ = 0;
  sample_gap_ = kSampleGapMin;
}

void StateFileWriter::Add(uint16_t key_group, std::string_view entry) {
  if (!payload_.empty() && payload_.size() + entry.size() > kPayloadBytes) EndBlock();
  if (payload_.empty()) first_group_ = key_group;
  last_group_ = key_group;
  payload_.append(entry);
  ++block_entries_;
}

void StateFileWriter::EndBlock() {
  if (payload_.empty()) return;
  BlockHeader header{};
  std::string_view stored;
  const bool is_sample = info_.sections.back().blocks.size() == next_sample_;
  if (compresses_ || is_sample) stored = Compressed(payload_, &compressed_);
  if (is_sample) {
    compresses_ = !stored.empty() &&
                  worth_it_ * static_cast<double>(stored.size()) <= static_cast<double>(payload_.size());
    sample_gap_ = compresses_ ? kSampleGapMin : std::min(2 * sample_gap_, kSampleGapMax);
    next_sample_ += sample_gap_;
  }
  header.codec = stored.empty() ? kCodecNone : kCodecLz4;
  if (stored.empty()) stored = payload_;
  header.stored_bytes = static_cast<uint32_t>(stored.size());
  header.payload_bytes = static_cast<uint32_t>(payload_.size());
  header.entries = static_cast<uint32_t>(block_entries_);
  header.checksum = BlockChecksum(header, stored);
  StateSection& section = info_.sections.back();
  section.blocks.push_back(
      {offset_, static_cast<int64_t>(sizeof(header) + stored.size()), first_group_, last_group_});
  section.entries += block_entries_;
  entries_ += block_entries_;
  Write({reinterpret_cast<const char*>(&header), sizeof(header)});
  Write(stored);
  payload_.clear();
  block_entries_ = 0;
}

void StateFileWriter::EndSection() {
  EndBlock();
  if (!info_.sections.empty() && info_.sections.back().blocks.empty()) info_.sections.pop_back();
}

void StateFileWriter::Write(std::string_view data) {
  out_->Write(data);
  offset_ += static_cast<int64_t>(data.size());
}

StateFileInfo StateFileWriter::Finish() {
  EndSection();
  nlohmann::json sections = nlohmann::json::array();
  for (const StateSection& section : info_.sections) {
    nlohmann::json blocks = nlohmann::json::array();
    for (const StateBlock& block : section.blocks) {
      blocks.push_back({block.offset, block.bytes, block.first_group, block.last_group});
    }
    sections.push_back({{"operator", section.operator_id},
                        {"table", section.table},
                        {"entries", section.entries},
                        {"blocks", std::move(blocks)}});
  }
  std::string tail = nlohmann::json{{"sections", std::move(sections)}}.dump();
  info_.checksum = Checksum(tail);
  const auto footer_bytes = static_cast<uint32_t>(tail.size());
  AppendRaw(static_cast<uint64_t>(offset_), &tail);
  AppendRaw(footer_bytes, &tail);
  AppendRaw(info_.checksum, &tail);
  tail.append(kTailMagic);
  Write(tail);
  out_->Commit();
  info_.bytes = offset_;
  return std::move(info_);
}

// Reading.

void ReadStateFileFooter(ObjectStore& store, StateFileInfo* info) {
  const auto bytes = store.Size(info->name);
  if (!bytes) throw ExternalError("state", "'" + store.url() + "/" + info->name + "' is missing");
  if (info->bytes != 0 && *bytes != info->bytes) {
    ThrowDamaged(store, info->name, fmt::format("{} bytes, {} were written", *bytes, info->bytes));
  }
  if (*bytes < kHeadBytes + kTailBytes) ThrowDamaged(store, info->name, fmt::format("only {} bytes", *bytes));
  const std::string head = store.Read(info->name, 0, kHeadBytes);
  if (head.substr(0, 8) != kHeadMagic || ReadRaw<uint32_t>(head, 12) != 0)
    ThrowDamaged(store, info->name, "it is no state file");
  if (const auto version = ReadRaw<uint32_t>(head, 8); version != kVersion) {
    throw ExternalError("state", fmt::format("'{}/{}' has format version {}; this laminar reads {}",
                                             store.url(), info->name, version, kVersion));
  }
  const std::string tail = store.Read(info->name, *bytes - kTailBytes, kTailBytes);
  const auto offset = ReadRaw<uint64_t>(tail, 0);
  const auto footer_bytes = ReadRaw<uint32_t>(tail, 8);
  const auto checksum = ReadRaw<uint64_t>(tail, 12);
  if (std::string_view(tail).substr(20) != kTailMagic ||
      offset + footer_bytes + kTailBytes != static_cast<uint64_t>(*bytes)) {
    ThrowDamaged(store, info->name, "its end is not that of a state file");
  }
  const std::string footer = store.Read(info->name, static_cast<int64_t>(offset), footer_bytes);
  if (Checksum(footer) != checksum || (info->checksum != 0 && info->checksum != checksum)) {
    ThrowDamaged(store, info->name, "the checksum of its footer is wrong");
  }
  info->bytes = *bytes;
  info->checksum = checksum;
  info->sections.clear();
  const auto document = nlohmann::json::parse(footer);
  for (const auto& item : document.at("sections")) {
    StateSection section{item.at("operator"), item.at("table"), item.at("entries"), {}};
    for (const auto& block : item.at("blocks")) {
      section.blocks.push_back({block.at(0), block.at(1), block.at(2), block.at(3)});
    }
    info->sections.push_back(std::move(section));
  }
}

StateFileCursor::StateFileCursor(ObjectStore& store, const StateFileInfo& file, const StateSection& section,
                                 KeyGroupRange range)
    : store_(store), file_(file), section_(section), range_(range) {}

bool StateFileCursor::Next() {
  for (;;) {
    while (!rest_.empty()) {
      if (!TakeEntry(&rest_, &entry_)) Damaged("a block holds something that is no entry");
      if (range_.Contains(entry_.key_group) || entry_.key_group == kEverySubtask) return true;
    }
    if (!NextBlock()) return false;
  }
}

bool StateFileCursor::Wanted(const StateBlock& block) const {
  return (block.first_group < range_.end && block.last_group >= range_.begin) ||
         block.last_group == kEverySubtask;
}

bool StateFileCursor::NextBlock() {
  const auto& blocks = section_.blocks;
  while (next_block_ < blocks.size() && !Wanted(blocks[next_block_])) ++next_block_;
  if (next_block_ == blocks.size()) return false;
  const StateBlock& block = blocks[next_block_];
  const int64_t read_end = read_offset_ + static_cast<int64_t>(read_.size());
  if (block.offset < read_offset_ || block.offset + block.bytes > read_end) {
    int64_t end = block.offset + block.bytes;
    for (size_t i = next_block_ + 1; i < blocks.size() && Wanted(blocks[i]) && blocks[i].offset == end &&
                                     end - block.offset < store_.read_bytes();
         ++i) {
      end += blocks[i].bytes;
    }
    read_ = store_.Read(file_.name, block.offset, end - block.offset);
    read_offset_ = block.offset;
  }
  ++next_block_;

  const std::string_view bytes = std::string_view(read_).substr(
      static_cast<size_t>(block.offset - read_offset_), static_cast<size_t>(block.bytes));
  if (bytes.size() < sizeof(BlockHeader)) Damaged("a block is too short");
  const auto header = ReadRaw<BlockHeader>(bytes, 0);
  const std::string_view stored = bytes.substr(sizeof(BlockHeader));
  if (stored.size() != header.stored_bytes || BlockChecksum(header, stored) != header.checksum) {
    Damaged(fmt::format("the checksum of the block at byte {} is wrong", block.offset));
  }
  if (header.codec == kCodecNone) {
    rest_ = stored;
  } else {
    payload_.resize(header.payload_bytes);
    const auto written =
        Lz4().Decompress(static_cast<int64_t>(stored.size()), reinterpret_cast<const uint8_t*>(stored.data()),
                         static_cast<int64_t>(payload_.size()), reinterpret_cast<uint8_t*>(payload_.data()));
    if (!written.ok() || *written != static_cast<int64_t>(payload_.size()))
      Damaged("a block cannot be decompressed");
    rest_ = payload_;
  }
  return true;
}

void StateFileCursor::Damaged(const std::string& what) const { ThrowDamaged(store_, file_.name, what); }

}  // namespace laminar
