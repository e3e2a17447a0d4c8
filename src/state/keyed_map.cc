#include "state/keyed_map.h"

#include <arrow/array.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "state/entry_batch.h"
#include "types/key_encoder.h"

namespace laminar {

namespace {

constexpr int64_t kBlockRows = 128;               // rows whose cache lines are asked for ahead of the probes
constexpr int64_t kPrefetchBytesMin = 512 << 10;  // smaller tables are in the cache anyway
constexpr uint32_t kSlotsMin = 8;
constexpr size_t kIndexMin = 16;
constexpr size_t kIndexPart = 8 << 20;  // entries
constexpr size_t kArenaBlockBytes = 256 << 10;
constexpr size_t kInPlaceBytes = 20;  // a number and a date, a channel name

KeyForm FormOf(const KeyCodec& codec) {
  if (codec.fixed_bytes() < 0 || codec.null_bytes() > 1 || codec.fixed_bytes() > 16) return KeyForm::kBytes;
  return codec.fixed_bytes() <= 8 ? KeyForm::kInline8 : KeyForm::kInline16;
}

int64_t RowAt(const int32_t* rows, int64_t i) { return rows ? rows[i] : i; }

}  // namespace

// KeyBatch

KeyBatch::KeyBatch(const std::vector<std::shared_ptr<arrow::DataType>>& key_types) {
  const KeyCodec codec(key_types);
  form_ = FormOf(codec);
  fixed_bytes_ = codec.fixed_bytes();
}

KeyBatch::~KeyBatch() = default;
KeyBatch::KeyBatch(KeyBatch&&) noexcept = default;

const uint8_t* KeyBatch::InlineKey(int64_t row) const {
  return form_ == KeyForm::kInline8 ? reinterpret_cast<const uint8_t*>(&words8_[row])
                                    : reinterpret_cast<const uint8_t*>(&words16_[row]);
}

void KeyBatch::HashInline(int64_t num_rows) {
  if (num_rows == 0) return;
  const int64_t stride = form_ == KeyForm::kInline8 ? 8 : 16;
  HashFixedKeys(InlineKey(0), stride, fixed_bytes_, num_rows, hashes_.data());
  for (size_t row = 0; row < null_bits_.size(); ++row) {
    if (null_bits_[row] == 0) continue;
    char key[17];
    std::memcpy(key, InlineKey(static_cast<int64_t>(row)), static_cast<size_t>(fixed_bytes_));
    key[fixed_bytes_] = static_cast<char>(null_bits_[row]);
    hashes_[row] = HashKey({key, static_cast<size_t>(fixed_bytes_) + 1});
  }
}

void KeyBatch::Assign(const std::vector<std::shared_ptr<arrow::Array>>& columns, int64_t num_rows) {
  const KeyEncoder encoder(columns);
  const size_t rows = static_cast<size_t>(num_rows);
  hashes_.resize(rows);
  null_bits_.clear();
  if (form_ == KeyForm::kBytes) {
    bytes_.Clear();
    encoder.Encode(0, num_rows, &bytes_);
    for (int64_t row = 0; row < num_rows; ++row) hashes_[row] = HashKey(bytes_[row]);
    return;
  }
  LAMINAR_CHECK(encoder.fixed_bytes() == fixed_bytes_, "key columns of other types");
  if (columns.empty()) {
    words8_.assign(rows, 0);
    std::fill(hashes_.begin(), hashes_.end(), HashKey({}));
    return;
  }
  if (form_ == KeyForm::kInline8) {
    if (fixed_bytes_ == 8) {
      words8_.resize(rows);
    } else {
      words8_.assign(rows, 0);
    }
    encoder.EncodeFixed(0, num_rows, 8, reinterpret_cast<uint8_t*>(words8_.data()));
  } else {
    if (fixed_bytes_ == 16) {
      words16_.resize(rows);
    } else {
      words16_.assign(rows, {0, 0});
    }
    encoder.EncodeFixed(0, num_rows, 16, reinterpret_cast<uint8_t*>(words16_.data()));
  }
  if (encoder.has_null_bits()) {
    null_bits_.resize(rows);
    encoder.EncodeNullBits(0, num_rows, null_bits_.data());
  }
  HashInline(num_rows);
}

void KeyBatch::AssignKeys(std::span<const std::string_view> keys) {
  hashes_.resize(keys.size());
  for (size_t row = 0; row < keys.size(); ++row) hashes_[row] = HashKey(keys[row]);
  null_bits_.clear();
  if (form_ == KeyForm::kBytes) {
    bytes_.Clear();
    for (const std::string_view key : keys) bytes_.Append(key);
    return;
  }
  if (form_ == KeyForm::kInline8) {
    words8_.assign(keys.size(), 0);
  } else {
    words16_.assign(keys.size(), {0, 0});
  }
  const auto bytes = static_cast<size_t>(fixed_bytes_);
  for (size_t row = 0; row < keys.size(); ++row) {
    const std::string_view key = keys[row];
    LAMINAR_CHECK(key.size() >= bytes, "a key of other types");
    std::memcpy(const_cast<uint8_t*>(InlineKey(static_cast<int64_t>(row))), key.data(), bytes);
    if (key.size() == bytes) continue;
    null_bits_.resize(keys.size());
    null_bits_[row] = static_cast<uint8_t>(key[bytes]);
  }
}

void KeyBatch::AppendKey(int64_t row, std::string* out) const {
  if (form_ == KeyForm::kBytes) {
    out->append(bytes_[row]);
    return;
  }
  out->append(reinterpret_cast<const char*>(InlineKey(row)), static_cast<size_t>(fixed_bytes_));
  if (!null_bits_.empty() && null_bits_[row]) out->push_back(static_cast<char>(null_bits_[row]));
}

// Keys in slots

/// Short keys stand in `in_place`; of longer ones the first four bytes, and then the address.
struct KeyedMap::LongKey {
  uint32_t length;
  char in_place[kInPlaceBytes];

  const char* address() const {
    const char* pointer;
    std::memcpy(&pointer, in_place + 4, sizeof pointer);
    return pointer;
  }
  std::string_view view() const { return {length <= kInPlaceBytes ? in_place : address(), length}; }
};

/// Long keys one after another. What removed keys leave behind goes when it outweighs the rest.
struct KeyedMap::KeyArena {
  struct Chunk {
    MemoryBlock memory;
    size_t size;
  };
  std::vector<Chunk> chunks;
  size_t used = 0;  // of the last chunk
  int64_t live_bytes = 0;
  int64_t dead_bytes = 0;
  int64_t memory_bytes = 0;

  const char* Add(std::string_view key) {
    if (chunks.empty() || used + key.size() > chunks.back().size) {
      const size_t next = chunks.empty() ? 1024 : std::min(kArenaBlockBytes, chunks.back().size * 2);
      const size_t size = std::max(next, key.size());
      chunks.push_back({MemoryBlock(size), size});
      memory_bytes += static_cast<int64_t>(size);
      used = 0;
    }
    char* at = reinterpret_cast<char*>(chunks.back().memory.get()) + used;
    std::memcpy(at, key.data(), key.size());
    used += key.size();
    live_bytes += static_cast<int64_t>(key.size());
    return at;
  }
};

KeyedMap::KeyedMap(std::vector<std::shared_ptr<arrow::DataType>> key_types, int64_t record_bytes)
    : codec_(std::make_unique<KeyCodec>(std::move(key_types))),
      record_bytes_((record_bytes + 7) / 8 * 8),
      arena_(std::make_unique<KeyArena>()) {
  static_assert(sizeof(Header) == 8 && sizeof(LongKey) == 24);
  form_ = FormOf(*codec_);
  const int64_t key_bytes = form_ == KeyForm::kInline8    ? 8
                            : form_ == KeyForm::kInline16 ? 16
                                                          : sizeof(LongKey);
  record_offset_ = static_cast<int64_t>(sizeof(Header)) + key_bytes;
  stride_ = record_offset_ + record_bytes_;
}

KeyedMap::~KeyedMap() = default;

KeyedMap::KeyedMap(KeyedMap&& other) noexcept { *this = std::move(other); }

KeyedMap& KeyedMap::operator=(KeyedMap&& other) noexcept {
  if (this == &other) return *this;
  other.FinishSnapshot();
  form_ = other.form_;
  codec_ = std::move(other.codec_);
  record_bytes_ = other.record_bytes_;
  record_offset_ = other.record_offset_;
  stride_ = other.stride_;
  base_ = std::exchange(other.base_, nullptr);
  slots_max_ = std::exchange(other.slots_max_, 0);
  slots_end_ = std::exchange(other.slots_end_, 0);
  size_ = std::exchange(other.size_, 0);
  hashes_ = std::move(other.hashes_);
  free_ = std::move(other.free_);
  slot_memory_ = std::move(other.slot_memory_);
  index_memory_ = std::move(other.index_memory_);
  index_ = std::exchange(other.index_, nullptr);
  index_size_ = std::exchange(other.index_size_, 0);
  grow_index_at_ = std::exchange(other.grow_index_at_, 0);
  arena_ = std::move(other.arena_);
  restore_batch_ = std::move(other.restore_batch_);
  dirty_ = std::move(other.dirty_);
  dirty_mark_ = other.dirty_mark_;
  frozen_.reset();
  deleted_ = std::move(other.deleted_);
  return *this;
}

const std::vector<std::shared_ptr<arrow::DataType>>& KeyedMap::key_types() const { return codec_->types(); }

std::string_view KeyedMap::BytesKey(uint32_t slot) const {
  return reinterpret_cast<const LongKey*>(key(slot))->view();
}

template <KeyForm kForm>
bool KeyedMap::KeyEquals(uint32_t slot, const KeyBatch& keys, int64_t row) const {
  if constexpr (kForm == KeyForm::kBytes) {
    return BytesKey(slot) == keys.bytes_[row];
  } else {
    const uint8_t null_bits = keys.null_bits_.empty() ? 0 : keys.null_bits_[row];
    if (header(slot)->null_bits != null_bits) return false;
    if constexpr (kForm == KeyForm::kInline8) {
      return *reinterpret_cast<const uint64_t*>(key(slot)) == keys.words8_[row];
    } else {
      const auto* words = reinterpret_cast<const KeyBatch::Word16*>(key(slot));
      return words->low == keys.words16_[row].low && words->high == keys.words16_[row].high;
    }
  }
}

template <KeyForm kForm>
void KeyedMap::StoreKey(uint32_t slot, const KeyBatch& keys, int64_t row) {
  if constexpr (kForm == KeyForm::kBytes) {
    StoreBytes(slot, keys.bytes_[row]);
  } else {
    header(slot)->null_bits = keys.null_bits_.empty() ? 0 : keys.null_bits_[row];
    if constexpr (kForm == KeyForm::kInline8) {
      *reinterpret_cast<uint64_t*>(key(slot)) = keys.words8_[row];
    } else {
      *reinterpret_cast<KeyBatch::Word16*>(key(slot)) = keys.words16_[row];
    }
  }
}

void KeyedMap::StoreBytes(uint32_t slot, std::string_view bytes) {
  auto* stored = reinterpret_cast<LongKey*>(key(slot));
  stored->length = static_cast<uint32_t>(bytes.size());
  std::memset(stored->in_place, 0, sizeof stored->in_place);
  if (bytes.size() <= kInPlaceBytes) {
    std::memcpy(stored->in_place, bytes.data(), bytes.size());
    return;
  }
  const char* address = arena_->Add(bytes);
  std::memcpy(stored->in_place + 4, &address, sizeof address);
}

// The index

template <KeyForm kForm>
uint32_t KeyedMap::Probe(const KeyBatch& keys, int64_t row, size_t* position) const {
  const uint64_t hash = keys.hashes_[row];
  const size_t mask = index_size_ - 1;
  for (size_t at = hash & mask;; at = (at + 1) & mask) {
    const uint64_t entry = index_[at];
    if (entry == 0) {
      *position = at;
      return kNoSlot;
    }
    if ((entry >> 32) != (hash >> 32)) continue;
    const uint32_t slot = static_cast<uint32_t>(entry) - 1;
    if (KeyEquals<kForm>(slot, keys, row)) return slot;
  }
}

template <KeyForm kForm>
uint32_t KeyedMap::Insert(const KeyBatch& keys, int64_t row, size_t position) {
  const uint64_t hash = keys.hashes_[row];
  if (size_ + 1 > grow_index_at_) {
    Rehash(index_size_ * 2);
    Probe<kForm>(keys, row, &position);
  }
  const uint32_t slot = NewSlot();
  hashes_[slot] = hash;
  StoreKey<kForm>(slot, keys, row);
  index_[position] = (hash >> 32 << 32) | (slot + 1);
  return slot;
}

/// Of slots on disk: the pages of the batch's index entries, if they are there too, then those of the slots
/// that they point to.
void KeyedMap::ReadPages(const KeyBatch& keys, const int32_t* rows, int64_t count) const {
  PageReader reader;
  const size_t mask = index_size_ - 1;
  if (index_memory_.on_disk()) {
    for (int64_t i = 0; i < count; ++i) reader.Add(&index_[keys.hashes_[RowAt(rows, i)] & mask], 8);
    reader.Read();
  }
  constexpr int64_t kAhead = 16;
  for (int64_t i = 0; i < count; ++i) {
    if (i + kAhead < count) __builtin_prefetch(&index_[keys.hashes_[RowAt(rows, i + kAhead)] & mask]);
    const uint64_t hash = keys.hashes_[RowAt(rows, i)];
    for (size_t at = hash & mask; index_[at] != 0; at = (at + 1) & mask) {
      if ((index_[at] >> 32) != (hash >> 32)) continue;
      reader.Add(base_ + (static_cast<uint32_t>(index_[at]) - 1) * stride_, static_cast<size_t>(stride_));
      break;
    }
  }
  reader.Read();
}

/// The pages of the given slots, if they lie on disk.
void KeyedMap::ReadPages(const uint32_t* slots, size_t count) const {
  if (!slot_memory_.on_disk()) return;
  PageReader reader;
  for (size_t i = 0; i < count; ++i) reader.Add(header(slots[i]), static_cast<size_t>(stride_));
  reader.Read();
}

void KeyedMap::ReadSlotsFrom(uint32_t slot) const {
  const uint32_t count = std::min(2 * kWalkSlots, slots_end_ - slot);
  ReadAhead(header(slot), static_cast<size_t>(count) * static_cast<size_t>(stride_));
}

/// Asks for the cache lines of a block's index entries, then for those of the slots that they point to.
void KeyedMap::Prefetch(const KeyBatch& keys, const int32_t* rows, int64_t begin, int64_t end) const {
  const size_t mask = index_size_ - 1;
  for (int64_t i = begin; i < end; ++i) __builtin_prefetch(&index_[keys.hashes_[RowAt(rows, i)] & mask]);
  for (int64_t i = begin; i < end; ++i) {
    const uint64_t hash = keys.hashes_[RowAt(rows, i)];
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
      const uint64_t entry = index_[at];
      if (entry == 0) break;
      if ((entry >> 32) != (hash >> 32)) continue;
      const uint8_t* slot = base_ + (static_cast<uint32_t>(entry) - 1) * stride_;
      __builtin_prefetch(slot, 1);
      if (stride_ > 32) __builtin_prefetch(slot + std::min<int64_t>(stride_, 64) - 1, 1);
      break;
    }
  }
  KeepPrefetches();
}

template <KeyForm kForm>
void KeyedMap::FindOrInsertBlock(const KeyBatch& keys, const int32_t* rows, int64_t begin, int64_t end,
                                 uint32_t* slots, std::vector<uint32_t>* inserted) {
  for (int64_t i = begin; i < end; ++i) {
    const int64_t row = RowAt(rows, i);
    size_t position = 0;
    uint32_t slot = Probe<kForm>(keys, row, &position);
    if (slot == kNoSlot) {
      slot = Insert<kForm>(keys, row, position);
      if (inserted) inserted->push_back(slot);
    }
    slots[i] = slot;
  }
}

void KeyedMap::FindOrInsert(const KeyBatch& keys, const int32_t* rows, int64_t count, uint32_t* slots,
                            std::vector<uint32_t>* inserted) {
  if (index_size_ == 0) Rehash(kIndexMin);
  if (key_types().empty()) {  // all rows have the one key
    if (count > 0) FindOrInsertBlock<KeyForm::kInline8>(keys, rows, 0, 1, slots, inserted);
    std::fill(slots, slots + count, count > 0 ? slots[0] : kNoSlot);
    return;
  }
  if (slot_memory_.on_disk()) ReadPages(keys, rows, count);
  for (int64_t begin = 0; begin < count; begin += kBlockRows) {
    const int64_t end = std::min(count, begin + kBlockRows);
    if (memory_bytes() > kPrefetchBytesMin) Prefetch(keys, rows, begin, end);
    switch (form_) {
      case KeyForm::kInline8:
        FindOrInsertBlock<KeyForm::kInline8>(keys, rows, begin, end, slots, inserted);
        break;
      case KeyForm::kInline16:
        FindOrInsertBlock<KeyForm::kInline16>(keys, rows, begin, end, slots, inserted);
        break;
      case KeyForm::kBytes:
        FindOrInsertBlock<KeyForm::kBytes>(keys, rows, begin, end, slots, inserted);
        break;
    }
  }
}

void KeyedMap::Find(const KeyBatch& keys, const int32_t* rows, int64_t count, uint32_t* slots) const {
  if (size_ == 0) {
    std::fill(slots, slots + count, kNoSlot);
    return;
  }
  if (slot_memory_.on_disk()) ReadPages(keys, rows, count);
  size_t position;
  for (int64_t begin = 0; begin < count; begin += kBlockRows) {
    const int64_t end = std::min(count, begin + kBlockRows);
    if (memory_bytes() > kPrefetchBytesMin) Prefetch(keys, rows, begin, end);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = RowAt(rows, i);
      switch (form_) {
        case KeyForm::kInline8:
          slots[i] = Probe<KeyForm::kInline8>(keys, row, &position);
          break;
        case KeyForm::kInline16:
          slots[i] = Probe<KeyForm::kInline16>(keys, row, &position);
          break;
        case KeyForm::kBytes:
          slots[i] = Probe<KeyForm::kBytes>(keys, row, &position);
          break;
      }
    }
  }
}

void KeyedMap::Reserve(int64_t count) {
  size_t capacity = std::max(kIndexMin, index_size_);
  while (static_cast<size_t>(count) * 3 > capacity * 2) capacity *= 2;
  if (capacity > index_size_) Rehash(capacity);
  if (count > slots_max_) ReserveSlots(static_cast<uint32_t>(count));
  hashes_.reserve(static_cast<size_t>(count));
}

void KeyedMap::Rehash(size_t capacity) {
  index_size_ = 0;
  index_memory_.ResetZero(capacity * sizeof(uint64_t));
  index_ = reinterpret_cast<uint64_t*>(index_memory_.data());
  index_size_ = capacity;
  // Rather long probes than an index on disk.
  const bool last_in_memory =
      !index_memory_.on_disk() && index_memory_.WouldGoToDisk(2 * capacity * sizeof(uint64_t));
  grow_index_at_ = static_cast<int64_t>(last_in_memory ? capacity / 8 * 7 : capacity * 2 / 3);
  FillIndex();
}

/// One on disk in parts that fit into memory.
void KeyedMap::FillIndex() {
  const size_t mask = index_size_ - 1;
  const size_t part = index_memory_.on_disk() ? std::min(index_size_, kIndexPart) : index_size_;
  const bool all_live = free_.empty();  // then the slots need not be looked at
  for (size_t begin = 0; begin < index_size_; begin += part) {
    for (uint32_t slot = 0; slot < slots_end_; ++slot) {
      hashes_.WillRead(slot);
      size_t at = hashes_[slot] & mask;
      if (at - begin >= part || (!all_live && !live(slot))) continue;
      while (index_[at] != 0) at = (at + 1) & mask;
      index_[at] = (hashes_[slot] >> 32 << 32) | (slot + 1);
    }
  }
}

/// Closes the gap that a removed entry leaves, so that no probe stops too early.
void KeyedMap::EraseFromIndex(uint32_t slot) {
  const size_t mask = index_size_ - 1;
  size_t gap = hashes_[slot] & mask;
  while (static_cast<uint32_t>(index_[gap]) != slot + 1) gap = (gap + 1) & mask;
  for (size_t at = (gap + 1) & mask; index_[at] != 0; at = (at + 1) & mask) {
    const size_t home = hashes_[static_cast<uint32_t>(index_[at]) - 1] & mask;
    if (((at - home) & mask) < ((at - gap) & mask)) continue;  // its probe starts behind the gap
    index_[gap] = index_[at];
    gap = at;
  }
  index_[gap] = 0;
}

// Slots

void KeyedMap::ReserveSlots(uint32_t count) {
  slot_memory_.Resize(static_cast<size_t>(count) * static_cast<size_t>(stride_));
  base_ = slot_memory_.data();
  slots_max_ = count;
}

uint32_t KeyedMap::NewSlot() {
  uint32_t slot;
  uint8_t dirty = 0;
  if (!free_.empty()) {
    slot = free_.back();
    free_.pop_back();
    if (header(slot)->dirty == dirty_mark_) dirty = dirty_mark_;  // still listed
  } else {
    slot = slots_end_;
    LAMINAR_CHECK(slot < kNoSlot - 1, "more than 4 billion keys in one subtask");
    if (slot == slots_max_) ReserveSlots(std::max(kSlotsMin, slots_max_ + std::min(slots_max_, 1u << 24)));
    hashes_.push_back(0);
    ++slots_end_;
  }
  std::memset(base_ + slot * stride_, 0, static_cast<size_t>(stride_));
  header(slot)->live = 1;
  header(slot)->dirty = dirty;
  ++size_;
  return slot;
}

std::vector<uint32_t> KeyedMap::LiveSlots() const {
  std::vector<uint32_t> slots;
  slots.reserve(static_cast<size_t>(size_));
  for (uint32_t slot = 0; slot < slots_end_; ++slot) {
    ReadAheadInWalk(slot);
    if (live(slot)) slots.push_back(slot);
  }
  return slots;
}

void KeyedMap::Remove(uint32_t slot) {
  Preserve(slot);  // makes it persisted
  if (header(slot)->persisted) RememberDelete(slot);
  RemoveQuietly(slot);
}

bool KeyedMap::RemoveQuietly(uint32_t slot) {
  Preserve(slot);
  EraseFromIndex(slot);
  if (form_ == KeyForm::kBytes) {
    const int64_t length = reinterpret_cast<const LongKey*>(key(slot))->length;
    if (length > static_cast<int64_t>(kInPlaceBytes)) {
      arena_->live_bytes -= length;
      arena_->dead_bytes += length;
    }
  }
  header(slot)->live = 0;
  free_.push_back(slot);
  --size_;
  if (arena_->dead_bytes > arena_->live_bytes + static_cast<int64_t>(kArenaBlockBytes)) CompactArena();
  return header(slot)->persisted != 0;
}

void KeyedMap::RememberDelete(uint32_t slot) {
  std::string bytes;
  AppendKey(slot, &bytes);
  deleted_.Add(KeyGroupOf(hashes_[slot]), bytes);
}

void KeyedMap::CompactArena() {
  auto compact = std::make_unique<KeyArena>();
  std::swap(arena_, compact);  // the old one lives until all keys are copied
  for (uint32_t slot = 0; slot < slots_end_; ++slot) {
    if (!live(slot)) continue;
    auto* stored = reinterpret_cast<LongKey*>(key(slot));
    if (stored->length <= kInPlaceBytes) continue;
    const char* address = arena_->Add(stored->view());
    std::memcpy(stored->in_place + 4, &address, sizeof address);
  }
}

void KeyedMap::Clear() {
  FinishSnapshot();
  for (uint32_t slot = 0; slot < slots_end_; ++slot) {
    ReadAheadInWalk(slot);
    if (live(slot) && header(slot)->persisted) RememberDelete(slot);
  }
  Free();
}

void KeyedMap::Free() {
  slot_memory_.Free();
  base_ = nullptr;
  slots_max_ = slots_end_ = 0;
  size_ = 0;
  grow_index_at_ = 0;
  hashes_ = {};
  free_ = {};
  index_memory_.Free();
  index_ = nullptr;
  index_size_ = 0;
  dirty_ = std::vector<uint32_t>();  // {} would keep its memory
  arena_ = std::make_unique<KeyArena>();
}

void KeyedMap::ClearInto(DeletedKeys* out, std::string_view prefix, std::optional<uint16_t> key_group) {
  FinishSnapshot();
  std::string key;
  for (uint32_t slot = 0; slot < slots_end_; ++slot) {
    if (!live(slot) || !header(slot)->persisted) continue;
    key.assign(prefix);
    AppendKey(slot, &key);
    out->Add(key_group.value_or(KeyGroupOf(hashes_[slot])), key);
  }
  Free();
}

bool KeyedMap::Compact() {
  if (slots_end_ < 4096 || size_ * 4 > slots_end_) return false;
  FinishSnapshot();  // no more work than what follows
  std::vector<uint32_t> moved(slots_end_, kNoSlot);
  uint32_t to = 0;
  for (uint32_t slot = 0; slot < slots_end_; ++slot) {
    ReadAheadInWalk(slot);
    if (!live(slot)) continue;
    if (to != slot) {
      std::memcpy(base_ + to * stride_, base_ + slot * stride_, static_cast<size_t>(stride_));
      hashes_[to] = hashes_[slot];
    }
    moved[slot] = to++;
  }
  std::vector<uint32_t> dirty;
  for (const uint32_t slot : dirty_) {
    if (moved[slot] != kNoSlot) dirty.push_back(moved[slot]);
  }
  dirty_ = std::move(dirty);
  slots_end_ = to;
  hashes_.Shrink(to);
  free_ = {};
  ReserveSlots(std::max(kSlotsMin, to + to / 4));
  size_t capacity = kIndexMin;
  while (capacity * 2 < static_cast<size_t>(size_) * 3 + 8) capacity *= 2;
  Rehash(capacity);
  return true;
}

int64_t KeyedMap::memory_bytes() const {
  return slots_max_ * stride_ +
         static_cast<int64_t>(index_size_ * 8 + hashes_.capacity() * 8 + free_.capacity() * 4) +
         arena_->memory_bytes;
}

// Keys out

void KeyedMap::AppendKey(uint32_t slot, std::string* out) const {
  if (form_ == KeyForm::kBytes) {
    out->append(BytesKey(slot));
    return;
  }
  out->append(reinterpret_cast<const char*>(key(slot)), static_cast<size_t>(codec_->fixed_bytes()));
  if (header(slot)->null_bits) out->push_back(static_cast<char>(header(slot)->null_bits));
}

std::vector<std::shared_ptr<arrow::Array>> KeyedMap::DecodeKeys(const uint32_t* slots, int64_t count) const {
  ReadPages(slots, static_cast<size_t>(count));
  std::vector<std::string_view> views(static_cast<size_t>(count));
  std::string with_nulls;  // keys that are not in one piece in their slot
  const size_t width = static_cast<size_t>(std::max<int64_t>(codec_->fixed_bytes(), 0));
  if (form_ != KeyForm::kBytes) {
    int64_t rows = 0;
    for (int64_t i = 0; i < count; ++i) rows += header(slots[i])->null_bits != 0;
    with_nulls.reserve(static_cast<size_t>(rows) * (width + 1));
  }
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t slot = slots[i];
    if (form_ == KeyForm::kBytes) {
      views[i] = BytesKey(slot);
    } else if (header(slot)->null_bits == 0) {
      views[i] = {reinterpret_cast<const char*>(key(slot)), width};
    } else {
      const size_t begin = with_nulls.size();
      AppendKey(slot, &with_nulls);
      views[i] = {with_nulls.data() + begin, width + 1};
    }
  }
  return codec_->Decode(views);
}

void KeyedMap::ExportKeys(const uint32_t* slots, int64_t count, KeyBatch* out) const {
  const size_t rows = static_cast<size_t>(count);
  ReadPages(slots, rows);
  out->hashes_.resize(rows);
  out->null_bits_.clear();
  out->bytes_.Clear();
  if (form_ == KeyForm::kInline8) out->words8_.resize(rows);
  if (form_ == KeyForm::kInline16) out->words16_.resize(rows);
  for (size_t i = 0; i < rows; ++i) {
    const uint32_t slot = slots[i];
    out->hashes_[i] = hashes_[slot];
    if (form_ == KeyForm::kBytes) {
      out->bytes_.Append(BytesKey(slot));
      continue;
    }
    if (form_ == KeyForm::kInline8) {
      std::memcpy(&out->words8_[i], key(slot), 8);
    } else {
      std::memcpy(&out->words16_[i], key(slot), 16);
    }
    if (header(slot)->null_bits) {
      if (out->null_bits_.empty()) out->null_bits_.resize(rows);
      out->null_bits_[i] = header(slot)->null_bits;
    }
  }
}

// Snapshots

void KeyedMap::Snapshot(SnapshotWriter& writer, std::string_view table, WriteSlot write) {
  FinishSnapshot();
  if (dirty_.empty()) return;
  dirty_mark_ ^= 3;
  frozen_ = std::make_unique<FrozenSlots<KeyedMap>>(*this, std::exchange(dirty_, {}), writer.Table(table),
                                                    std::move(write));
  writer.Defer(*frozen_);
}

void KeyedMap::Snapshot(SnapshotWriter& writer, std::string_view table, AppendValue append_value,
                        std::string_view prefix, std::optional<uint16_t> key_group) {
  LAMINAR_CHECK(deleted_.empty() || (prefix.empty() && !key_group), "a key removed from a map with a prefix");
  deleted_.Write(writer.Table(table));  // first: a key may have come back since
  Snapshot(writer, table,
           [this, append_value = std::move(append_value), prefix = std::string(prefix), key_group,
            key = std::string(), value = std::string()](uint32_t slot, StateWriter& out) mutable {
             key.assign(prefix);
             AppendKey(slot, &key);
             value.clear();
             append_value(slot, &value);
             // Hashing is cheaper than hashes_[slot], which is in no cache.
             const auto own_key = std::string_view(key).substr(prefix.size());
             out.Put(key_group ? *key_group : KeyGroupOf(HashKey(own_key)), key, value);
             return static_cast<int64_t>(key.size() + value.size());
           });
}

uint32_t KeyedMap::Restore(std::string_view key_bytes, bool persisted) {
  if (!restore_batch_) restore_batch_ = std::make_unique<KeyBatch>(key_types());
  restore_batch_->AssignKeys({&key_bytes, 1});
  uint32_t slot;
  FindOrInsert(*restore_batch_, nullptr, 1, &slot, nullptr);
  if (persisted) header(slot)->persisted = 1;
  return slot;
}

void KeyedMap::Restore(const SnapshotReader& reader, std::string_view table, const TakeRestored& take,
                       size_t suffix_bytes) {
  if (suffix_bytes == 0) Reserve(reader.EntriesAbout(table));
  EntryBatch entries;
  KeyBatch batch(key_types());
  std::vector<std::string_view> keys;
  std::vector<uint32_t> slots(kBlockRows);
  const auto restore = [&] {
    keys.clear();
    for (size_t i = 0; i < entries.size(); ++i) {
      keys.push_back(entries[i].key);
      LAMINAR_CHECK(keys.back().size() >= suffix_bytes, "a state entry's key is too short");
      keys.back().remove_suffix(suffix_bytes);
    }
    batch.AssignKeys(keys);
    FindOrInsert(batch, nullptr, batch.size(), slots.data(), nullptr);
    for (size_t i = 0; i < entries.size(); ++i) {
      if (suffix_bytes == 0) header(slots[i])->persisted = 1;
      take(slots[i], entries[i]);
    }
    entries.Clear();
  };
  reader.ForEach(table, [&](const StateEntry& entry) {
    entries.Add(entry);
    if (entries.size() == slots.size()) restore();
  });
  restore();
}

void KeyedMap::RestoreChanges(const SnapshotReader& changes, std::string_view table, const TakeRestored& take,
                              const std::function<void(uint32_t slot)>& forget) {
  EntryBatch entries;
  KeyBatch batch(key_types());
  std::vector<std::string_view> keys;
  std::vector<uint32_t> slots(kBlockRows);
  std::vector<int32_t> rows;  // of entries that are put
  const auto restore = [&] {
    keys.clear();
    rows.clear();
    for (size_t i = 0; i < entries.size(); ++i) keys.push_back(entries[i].key);
    batch.AssignKeys(keys);
    Find(batch, nullptr, batch.size(), slots.data());
    for (size_t i = 0; i < entries.size(); ++i) {
      if (!entries[i].deleted) rows.push_back(static_cast<int32_t>(i));
      if (slots[i] == kNoSlot) continue;
      forget(slots[i]);
      if (entries[i].deleted) {
        RemoveQuietly(slots[i]);
      } else {
        std::memset(record(slots[i]), 0, static_cast<size_t>(record_bytes_));
        mark(slots[i]) = 0;
      }
    }
    FindOrInsert(batch, rows.data(), static_cast<int64_t>(rows.size()), slots.data(), nullptr);
    for (size_t i = 0; i < rows.size(); ++i) {
      header(slots[i])->persisted = 1;
      take(slots[i], entries[static_cast<size_t>(rows[i])]);
    }
    entries.Clear();
  };
  changes.ForEach(table, [&](const StateEntry& entry) {
    entries.Add(entry);
    if (entries.size() == slots.size()) restore();
  });
  restore();
}

}  // namespace laminar
