#include "state/snapshot_buffer.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

namespace laminar {

namespace {

constexpr size_t kFirstChunkBytes = 512;
constexpr size_t kChunkBytes = 1 << 20;

size_t AppendVarint(uint64_t value, char* out) {
  size_t count = 0;
  while (value >= 0x80) {
    out[count++] = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out[count++] = static_cast<char>(value);
  return count;
}

bool TakeVarint(std::string_view* data, uint64_t* value) {
  *value = 0;
  for (int shift = 0; shift < 64 && !data->empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(data->front());
    data->remove_prefix(1);
    *value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

}  // namespace

char* WriteEntry(uint16_t key_group, std::string_view key, const std::string_view* value, char* out) {
  std::memcpy(out, &key_group, 2);
  out += 2;
  out += AppendVarint(key.size(), out);
  out += AppendVarint(value == nullptr ? 0 : value->size() + 1, out);
  if (!key.empty()) std::memcpy(out, key.data(), key.size());
  out += key.size();
  if (value != nullptr && !value->empty()) std::memcpy(out, value->data(), value->size());
  return out + (value == nullptr ? 0 : value->size());
}

bool TakeEntry(std::string_view* data, EncodedEntry* entry) {
  const char* begin = data->data();
  if (data->size() < 4) return false;
  std::memcpy(&entry->key_group, begin, 2);
  uint64_t key_bytes = static_cast<uint8_t>(begin[2]), value_code = static_cast<uint8_t>(begin[3]);
  if ((key_bytes | value_code) < 0x80) {  // as most are
    data->remove_prefix(4);
  } else {
    data->remove_prefix(2);
    if (!TakeVarint(data, &key_bytes) || !TakeVarint(data, &value_code)) return false;
  }
  const uint64_t value_bytes = value_code == 0 ? 0 : value_code - 1;
  if (key_bytes > data->size() || value_bytes > data->size() - key_bytes) return false;
  entry->deleted = value_code == 0;
  entry->key = data->substr(0, key_bytes);
  entry->value = data->substr(key_bytes, value_bytes);
  data->remove_prefix(key_bytes + value_bytes);
  entry->bytes = {begin, static_cast<size_t>(data->data() - begin)};
  return true;
}

int64_t TableChanges::bytes() const {
  int64_t sum = 0;
  for (const EntryChunk& chunk : chunks_) sum += static_cast<int64_t>(chunk.used);
  return sum;
}

void TableChanges::AppendOne(uint16_t key_group, std::string_view key, const std::string_view* value) {
  const size_t wanted = kEntryHeaderBytesMax + key.size() + (value == nullptr ? 0 : value->size());
  if (chunks_.empty() || !chunks_.back().HasRoom(wanted)) {
    // Small tables stay small: each chunk is four times the one before.
    const size_t next = chunks_.empty() ? kFirstChunkBytes : chunks_.back().size * 4;
    chunks_.emplace_back(std::max(wanted, std::min(next, kChunkBytes)));
  }
  EntryChunk& chunk = chunks_.back();
  chunk.used += static_cast<size_t>(WriteEntry(key_group, key, value, chunk.end()) - chunk.end());
  ++chunk.num_entries;
  ++entries_;
}

void TableChanges::Append(std::vector<EntryChunk> chunks, int64_t count) {
  std::move(chunks.begin(), chunks.end(), std::back_inserter(chunks_));
  entries_ += count;
}

std::vector<EntryChunk> TableChanges::TakeChunks() {
  entries_ = 0;
  return std::exchange(chunks_, {});
}

StateWriter& SnapshotBuffer::Table(std::string_view name) {
  const auto found = tables_.find(name);
  return found != tables_.end() ? found->second : tables_[std::string(name)];
}

}  // namespace laminar
