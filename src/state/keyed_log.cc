#include "state/keyed_log.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "state/row_bytes.h"

namespace laminar {

namespace {

constexpr int64_t kBucketUs = 1 << 18;  // about a quarter of a second
constexpr size_t kPrefetchAhead = 8;
constexpr int64_t kStaleEntriesMin = 4096;
constexpr uint32_t kIndexedRowsMin = 16;  // fewer rows of a key are searched one by one

int64_t BucketOf(int64_t time) { return time / kBucketUs - (time % kBucketUs < 0 ? 1 : 0); }
int64_t BucketBegin(int64_t bucket) {
  return bucket < INT64_MIN / kBucketUs   ? INT64_MIN
         : bucket > INT64_MAX / kBucketUs ? INT64_MAX
                                          : bucket * kBucketUs;
}

}  // namespace

KeyedLog::KeyedLog(std::vector<std::shared_ptr<arrow::DataType>> key_types, KeyedLogOptions options)
    : options_(options), keys_(std::move(key_types), sizeof(KeyRecord)) {
  static_assert(sizeof(LogRow) == 64);
}

KeyedLog::~KeyedLog() = default;

// Keys

void KeyedLog::DropEmptyKeys() {
  for (const uint32_t slot : emptied_) {
    KeyRecord* key = key_record(slot);
    key->is_empty_listed = 0;
    if (key->count == 0) keys_.Remove(slot);
  }
  emptied_.clear();
}

void KeyedLog::FindOrInsertKeys(const KeyBatch& keys, const int32_t* rows, int64_t count, uint32_t* slots) {
  DropEmptyKeys();
  std::vector<uint32_t> inserted;
  keys_.FindOrInsert(keys, rows, count, slots, &inserted);
  for (const uint32_t slot : inserted) key_record(slot)->is_empty_listed = 1;  // until it has a row
  emptied_.insert(emptied_.end(), inserted.begin(), inserted.end());
  ReadPages(slots, count, &KeyRecord::last);
}

void KeyedLog::FindKeys(const KeyBatch& keys, const int32_t* rows, int64_t count, uint32_t* slots) {
  DropEmptyKeys();
  keys_.Find(keys, rows, count, slots);
  ReadPages(slots, count, &KeyRecord::first);
}

/// Of rows on disk: those that the caller will look at first.
void KeyedLog::ReadPages(const uint32_t* slots, int64_t count, LogRow* KeyRecord::* end) const {
  if (!arena_.on_disk()) return;
  PageReader reader;
  for (int64_t i = 0; i < count; ++i) {
    const LogRow* row = slots[i] == kNoSlot ? nullptr : key_record(slots[i])->*end;
    if (row) reader.Add(row, sizeof(LogRow));
  }
  reader.Read();
}

LogRow* KeyedLog::first(uint32_t slot) const { return slot == kNoSlot ? nullptr : key_record(slot)->first; }
LogRow* KeyedLog::last(uint32_t slot) const { return slot == kNoSlot ? nullptr : key_record(slot)->last; }
int64_t KeyedLog::row_count(uint32_t slot) const { return slot == kNoSlot ? 0 : key_record(slot)->count; }

// Rows

LogRow* KeyedLog::NewRow(uint32_t slot, int64_t time, int64_t sequence, int32_t weight,
                         std::string_view bytes) {
  auto* row = reinterpret_cast<LogRow*>(arena_.Allocate(static_cast<int64_t>(sizeof(LogRow) + bytes.size())));
  row->next = row->previous = nullptr;
  row->time = time;
  row->sequence = sequence;
  row->weight = weight;
  row->matches = 0;
  row->slot = slot;
  row->byte_count = static_cast<uint32_t>(bytes.size());
  row->dirty = row->persisted = 0;
  if (!bytes.empty()) std::memcpy(row + 1, bytes.data(), bytes.size());
  return row;
}

void KeyedLog::Link(LogRow* row) {
  KeyRecord* key = key_record(row->slot);
  row->previous = key->last;
  (key->last ? key->last->next : key->first) = row;
  key->last = row;
  ++key->count;
  ++size_;
  if (key->is_indexed) IndexBytes(row);
  if (options_.expires) IndexTime(row);
}

void KeyedLog::Unlink(LogRow* row) {
  KeyRecord* key = key_record(row->slot);
  if (key->is_indexed) UnindexBytes(row);
  (row->previous ? row->previous->next : key->first) = row->next;
  (row->next ? row->next->previous : key->last) = row->previous;
  --size_;
  if (--key->count > 0) return;
  key->is_indexed = 0;
  if (key->is_empty_listed) return;
  key->is_empty_listed = 1;
  emptied_.push_back(row->slot);
}

LogRow* KeyedLog::Append(uint32_t slot, int64_t time, int32_t weight, std::string_view bytes) {
  LogRow* row = NewRow(slot, time, next_sequence_++, weight, bytes);
  Link(row);
  dirty_.Mark(row);
  return row;
}

uint64_t KeyedLog::BytesHash(uint32_t slot, std::string_view bytes) const {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), keys_.hash(slot));
}

void KeyedLog::IndexBytes(LogRow* row) { by_bytes_.emplace(BytesHash(row->slot, row->bytes()), row); }

void KeyedLog::UnindexBytes(LogRow* row) {
  auto [at, end] = by_bytes_.equal_range(BytesHash(row->slot, row->bytes()));
  while (at != end && at->second != row) ++at;
  LAMINAR_CHECK(at != end, "a row of an indexed key that is not in the index");
  by_bytes_.erase(at);
}

LogRow* KeyedLog::FindEqual(uint32_t slot, std::string_view bytes) {
  if (slot == kNoSlot) return nullptr;
  KeyRecord* key = key_record(slot);
  if (key->count < kIndexedRowsMin && !key->is_indexed) {
    for (LogRow* row = key->first; row; row = row->next) {
      if (row->bytes() == bytes) return row;
    }
    return nullptr;
  }
  if (!key->is_indexed) {
    for (LogRow* row = key->first; row; row = row->next) IndexBytes(row);
    key->is_indexed = 1;
  }
  LogRow* oldest = nullptr;
  auto [at, end] = by_bytes_.equal_range(BytesHash(slot, bytes));
  for (; at != end; ++at) {
    LogRow* row = at->second;
    if (row->slot == slot && row->bytes() == bytes && (!oldest || row->sequence < oldest->sequence))
      oldest = row;
  }
  return oldest;
}

LogRow* KeyedLog::AddWeight(uint32_t slot, int64_t time, int32_t weight, std::string_view bytes) {
  LogRow* row = FindEqual(slot, bytes);
  if (!row) return Append(slot, time, weight, bytes);
  if (row->weight + weight == 0) {
    Remove(row);
    return nullptr;
  }
  SetWeight(row, row->weight + weight);
  return row;
}

void KeyedLog::SetWeight(LogRow* row, int32_t weight) {
  dirty_.Mark(row);
  row->weight = weight;
}

void KeyedLog::SetMatches(LogRow* row, int32_t matches) {
  dirty_.Mark(row);
  row->matches = matches;
}

void KeyedLog::SetTime(LogRow* row, int64_t time) {
  if (row->time == time) return;
  dirty_.Mark(row);
  row->time = time;
  if (options_.expires) IndexTime(row);
}

void KeyedLog::Remove(LogRow* row) {
  dirty_.Preserve(row);  // makes it persisted
  if (row->persisted) {
    std::string key;
    keys_.AppendKey(row->slot, &key);
    AppendSequence(row->sequence, &key);
    deleted_.Add(KeyGroupOf(keys_.hash(row->slot)), key);
  }
  Unlink(row);
  arena_.Free(&row->cell);
}

// Time index

void KeyedLog::IndexTime(LogRow* row) {
  if (time_entries_ > 2 * size_ + kStaleEntriesMin) RebuildTimeIndex();
  const TimeEntry entry{row->time, row->sequence, row, row->cell.block, arena_.serial(row->cell.block)};
  ++time_entries_;
  if (row->time < near_end_) {
    near_.push_back(entry);
    std::push_heap(near_.begin(), near_.end(), std::greater<>());
    return;
  }
  const int64_t bucket = BucketOf(row->time);
  if (!open_bucket_ || bucket != open_bucket_number_) {
    open_bucket_ = &later_[bucket];
    open_bucket_number_ = bucket;
    if (open_bucket_->empty()) open_bucket_->reserve(bucket_entries_);
  }
  open_bucket_->push_back(entry);
}

bool KeyedLog::IsCurrent(const TimeEntry& entry) const {
  return arena_.HasBlock(entry.block) && arena_.serial(entry.block) == entry.serial &&
         RowArena::IsLive(&entry.row->cell) && entry.row->sequence == entry.sequence &&
         entry.row->time == entry.time;
}

void KeyedLog::RebuildTimeIndex() {
  time_entries_ = INT64_MIN / 2;  // no second rebuild while this one adds entries
  near_.clear();
  due_.clear();
  later_.clear();
  open_bucket_ = nullptr;
  int64_t entries = 0;
  ForEach([&](LogRow& row) {
    IndexTime(&row);
    ++entries;
  });
  time_entries_ = entries;
}

void KeyedLog::ExpireRow(const TimeEntry& entry, const std::function<void(const LogRow&)>& visit,
                         int64_t* count) {
  --time_entries_;
  if (!IsCurrent(entry)) return;
  if (visit) visit(*entry.row);
  Remove(entry.row);
  ++*count;
}

/// Takes the oldest entry below `time` out of due_ or near_.
bool KeyedLog::TakeDue(int64_t time, TimeEntry* entry) {
  const bool from_near = !near_.empty() && (due_.empty() || due_.back() > near_.front());
  if (from_near ? near_.front().time >= time : due_.empty() || due_.back().time >= time) return false;
  StateArray<TimeEntry>& from = from_near ? near_ : due_;
  if (from_near) std::pop_heap(near_.begin(), near_.end(), std::greater<>());
  *entry = from.back();
  from.pop_back();
  return true;
}

int64_t KeyedLog::ExpireBefore(int64_t time, const std::function<void(const LogRow&)>& visit) {
  LAMINAR_CHECK(options_.expires, "a log without time index");
  int64_t count = 0;
  TimeEntry entry;
  while (TakeDue(time, &entry)) ExpireRow(entry, visit, &count);
  while (!later_.empty() && BucketBegin(later_.begin()->first) < time) {
    // due_ and near_ are empty here: all in them is older than any bucket.
    StateArray<TimeEntry> bucket = std::move(later_.begin()->second);
    near_end_ = std::max(near_end_, BucketBegin(later_.begin()->first + 1));
    later_.erase(later_.begin());
    open_bucket_ = nullptr;
    bucket_entries_ = bucket.size();
    if (!visit && near_end_ <= time && near_end_ < INT64_MAX) {  // all go, and nobody sees in which order
      for (size_t i = 0; i < bucket.size(); ++i) {
        if (i + kPrefetchAhead < bucket.size()) __builtin_prefetch(bucket[i + kPrefetchAhead].row);
        ExpireRow(bucket[i], visit, &count);
      }
      continue;
    }
    due_ = std::move(bucket);
    std::sort(due_.begin(), due_.end(), std::greater<>());
    while (TakeDue(time, &entry)) ExpireRow(entry, visit, &count);
  }
  DropEmptyKeys();
  return count;
}

std::optional<int64_t> KeyedLog::min_time() const {
  if (size_ == 0) return std::nullopt;
  if (!due_.empty()) return near_.empty() ? due_.back().time : std::min(due_.back().time, near_.front().time);
  if (!near_.empty()) return near_.front().time;
  if (!later_.empty()) return BucketBegin(later_.begin()->first);
  return std::nullopt;
}

// Whole log

void KeyedLog::ForEach(const std::function<void(LogRow&)>& visit) {
  for (uint32_t block = 0; block < arena_.num_blocks(); ++block) {
    arena_.ForEachCell(block, [&](ArenaCell* cell) { visit(*reinterpret_cast<LogRow*>(cell)); });
  }
}

int64_t KeyedLog::memory_bytes() const {
  return arena_.memory_bytes() + keys_.memory_bytes() +
         time_entries_ * static_cast<int64_t>(sizeof(TimeEntry)) +
         static_cast<int64_t>(by_bytes_.size() * 48);
}

void KeyedLog::MoveRow(LogRow* row) {
  dirty_.Preserve(row);
  auto* moved = reinterpret_cast<LogRow*>(arena_.Allocate(row->cell.bytes));
  std::memcpy(reinterpret_cast<uint8_t*>(moved) + sizeof(ArenaCell),
              reinterpret_cast<uint8_t*>(row) + sizeof(ArenaCell),
              sizeof(LogRow) - sizeof(ArenaCell) + row->byte_count);
  KeyRecord* key = key_record(row->slot);
  if (key->is_indexed) {
    UnindexBytes(row);
    IndexBytes(moved);
  }
  (row->previous ? row->previous->next : key->first) = moved;
  (row->next ? row->next->previous : key->last) = moved;
  dirty_.Moved(moved);
  arena_.Free(&row->cell);
  if (options_.expires) IndexTime(moved);
}

void KeyedLog::Maintain() {
  DropEmptyKeys();
  if (keys_.Compact()) {
    for (const uint32_t slot : keys_.LiveSlots()) {
      for (LogRow* row = first(slot); row; row = row->next) row->slot = slot;
    }
  }
  for (const uint32_t block : arena_.SparseBlocks()) {
    arena_.ForEachCell(block, [this](ArenaCell* cell) { MoveRow(reinterpret_cast<LogRow*>(cell)); });
  }
}

// Snapshots

void KeyedLog::Snapshot(SnapshotWriter& writer, std::string_view table) {
  DropEmptyKeys();
  StateWriter& out = writer.Table(table);
  deleted_.Write(out);
  dirty_.Snapshot(
      writer, out,
      [this, key = std::string(), value = std::string()](const LogRow& row, StateWriter& to) mutable {
        key.clear();
        keys_.AppendKey(row.slot, &key);
        const uint16_t key_group = KeyGroupOf(HashKey(key));  // cheaper than keys_.hash(): in the cache
        AppendSequence(row.sequence, &key);
        value.clear();
        AppendPlain(row.time, &value);
        AppendPlain(row.weight, &value);
        AppendPlain(row.matches, &value);
        value.append(row.bytes());
        to.Put(key_group, key, value);
        return static_cast<int64_t>(key.size() + value.size());
      });
}

void KeyedLog::TakeRestored(uint32_t slot, const StateEntry& entry) {
  std::string_view key = entry.key, value = entry.value;
  const int64_t sequence = TakeSequence(&key);
  const auto time = TakePlain<int64_t>(&value);
  const auto weight = TakePlain<int32_t>(&value);
  const auto matches = TakePlain<int32_t>(&value);
  LogRow* row = NewRow(slot, time, sequence, weight, value);
  row->matches = matches;
  row->persisted = 1;
  Link(row);
  next_sequence_ = std::max(next_sequence_, sequence + 1);
}

void KeyedLog::Restore(const SnapshotReader& reader, std::string_view table) {
  // Entries of a key come in the order of their sequences.
  keys_.Restore(
      reader, table, [this](uint32_t slot, const StateEntry& entry) { TakeRestored(slot, entry); },
      kSequenceBytes);
}

/// From the end, where rows change most; null pointer: no such row.
LogRow* KeyedLog::RowOf(uint32_t slot, int64_t sequence) const {
  LogRow* row = last(slot);
  while (row && row->sequence > sequence) row = row->previous;
  return row && row->sequence == sequence ? row : nullptr;
}

void KeyedLog::RestoreChanges(const SnapshotReader& changes, std::string_view table) {
  KeyBatch batch(keys_.key_types());
  changes.ForEach(table, [&](const StateEntry& entry) {
    std::string_view key = entry.key;
    const int64_t sequence = TakeSequence(&key);
    batch.AssignKeys({&key, 1});
    uint32_t slot;
    keys_.Find(batch, nullptr, 1, &slot);
    LogRow* row = RowOf(slot, sequence);
    if (entry.deleted) {
      if (!row) return;
      Unlink(row);
      arena_.Free(&row->cell);
      return;
    }
    if (!row) {  // it came after all that are there
      TakeRestored(slot == kNoSlot ? keys_.Restore(key, /*persisted=*/false) : slot, entry);
      return;
    }
    std::string_view value = entry.value;
    const auto time = TakePlain<int64_t>(&value);
    row->weight = TakePlain<int32_t>(&value);
    row->matches = TakePlain<int32_t>(&value);
    if (row->time == time) return;
    row->time = time;
    if (options_.expires) IndexTime(row);
  });
  DropEmptyKeys();
}

}  // namespace laminar
