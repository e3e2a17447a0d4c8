#include "state/ordered_rows.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "state/row_bytes.h"

namespace laminar {

namespace {

constexpr size_t kChunkRowsMax = 512;  // an insert moves at most this many pointers

/// Whether `row` stands before (sort_bytes, sequence).
bool IsBefore(const OrderedRow* row, std::string_view sort_bytes, int64_t sequence) {
  const int order = row->sort_bytes().compare(sort_bytes);
  return order != 0 ? order < 0 : row->sequence < sequence;
}

}  // namespace

struct OrderedRows::List {
  std::vector<std::vector<OrderedRow*>> chunks;  // none empty
};

OrderedRows::OrderedRows(std::vector<std::shared_ptr<arrow::DataType>> key_types)
    : keys_(std::move(key_types), sizeof(KeyRecord)) {
  static_assert(sizeof(KeyRecord) == 16);
}

OrderedRows::~OrderedRows() {
  for (const uint32_t slot : keys_.LiveSlots()) {
    if (key_record(slot)->is_list) delete key_record(slot)->list;
  }
}

// Keys

void OrderedRows::DropEmptyKeys() {
  for (const uint32_t slot : emptied_) {
    KeyRecord* key = key_record(slot);
    key->is_empty_listed = 0;
    if (key->count == 0) keys_.Remove(slot);
  }
  emptied_.clear();
}

void OrderedRows::FindOrInsertKeys(const KeyBatch& keys, const int32_t* rows, int64_t count,
                                   uint32_t* slots) {
  DropEmptyKeys();
  std::vector<uint32_t> inserted;
  keys_.FindOrInsert(keys, rows, count, slots, &inserted);
  for (const uint32_t slot : inserted) key_record(slot)->is_empty_listed = 1;
  emptied_.insert(emptied_.end(), inserted.begin(), inserted.end());
  ReadPages(slots, count);
}

void OrderedRows::FindKeys(const KeyBatch& keys, const int32_t* rows, int64_t count, uint32_t* slots) {
  DropEmptyKeys();
  keys_.Find(keys, rows, count, slots);
  ReadPages(slots, count);
}

/// Of rows on disk: those of keys with one, and the first of the others.
void OrderedRows::ReadPages(const uint32_t* slots, int64_t count) const {
  if (!arena_.on_disk()) return;
  PageReader reader;
  for (int64_t i = 0; i < count; ++i) {
    if (row_count(slots[i]) > 0) reader.Add(at(slots[i], 0), sizeof(OrderedRow));
  }
  reader.Read();
}

std::vector<uint32_t> OrderedRows::KeySlots() {
  DropEmptyKeys();
  return keys_.LiveSlots();
}

// Positions

int64_t OrderedRows::row_count(uint32_t slot) const { return slot == kNoSlot ? 0 : key_record(slot)->count; }

OrderedRow*& OrderedRows::PointerAt(KeyRecord* key, int64_t position) const {
  if (!key->is_list) return key->row;
  size_t chunk = 0;
  while (position >= static_cast<int64_t>(key->list->chunks[chunk].size())) {
    position -= static_cast<int64_t>(key->list->chunks[chunk++].size());
  }
  return key->list->chunks[chunk][position];
}

OrderedRow* OrderedRows::at(uint32_t slot, int64_t position) const {
  return PointerAt(key_record(slot), position);
}

int64_t OrderedRows::PositionOf(const KeyRecord& key, std::string_view sort_bytes, int64_t sequence) const {
  auto before = [&](const OrderedRow* row) { return IsBefore(row, sort_bytes, sequence); };
  if (key.count == 0) return 0;
  if (!key.is_list) return before(key.row) ? 1 : 0;
  const auto& chunks = key.list->chunks;
  const auto chunk = std::partition_point(chunks.begin(), chunks.end(),
                                          [&](const auto& rows) { return before(rows.back()); });
  int64_t position = 0;
  for (auto earlier = chunks.begin(); earlier != chunk; ++earlier)
    position += static_cast<int64_t>(earlier->size());
  if (chunk != chunks.end())
    position += std::partition_point(chunk->begin(), chunk->end(), before) - chunk->begin();
  return position;
}

int64_t OrderedRows::LowerBound(uint32_t slot, std::string_view sort_bytes, bool after) const {
  if (slot == kNoSlot) return 0;
  return PositionOf(*key_record(slot), sort_bytes, after ? INT64_MAX : INT64_MIN);
}

int64_t OrderedRows::Find(uint32_t slot, std::string_view sort_bytes, std::string_view bytes) const {
  const int64_t count = row_count(slot);
  for (int64_t position = LowerBound(slot, sort_bytes); position < count; ++position) {
    const OrderedRow* row = at(slot, position);
    if (row->sort_bytes() != sort_bytes) break;
    if (row->bytes() == bytes) return position;
  }
  return -1;
}

void OrderedRows::Collect(uint32_t slot, int64_t begin, int64_t count, std::vector<OrderedRow*>* out) const {
  if (slot == kNoSlot) return;
  const KeyRecord& key = *key_record(slot);
  const int64_t end = std::min<int64_t>(key.count, begin + count);
  if (!key.is_list) {
    if (begin == 0 && end == 1) out->push_back(key.row);
    return;
  }
  int64_t first = 0;  // position of the chunk's first row
  for (const auto& chunk : key.list->chunks) {
    const int64_t size = static_cast<int64_t>(chunk.size());
    const int64_t from = std::max<int64_t>(begin - first, 0), to = std::min(end - first, size);
    if (from < to) out->insert(out->end(), chunk.begin() + from, chunk.begin() + to);
    first += size;
    if (first >= end) break;
  }
}

// Rows

OrderedRow* OrderedRows::NewRow(uint32_t slot, int64_t sequence, int64_t tag, std::string_view sort_bytes,
                                std::string_view bytes) {
  const size_t size = sizeof(OrderedRow) + sort_bytes.size() + bytes.size();
  auto* row = reinterpret_cast<OrderedRow*>(arena_.Allocate(static_cast<int64_t>(size)));
  row->sequence = sequence;
  row->tag = tag;
  row->slot = slot;
  row->sort_byte_count = static_cast<uint32_t>(sort_bytes.size());
  row->row_byte_count = static_cast<uint32_t>(bytes.size());
  row->dirty = row->persisted = 0;
  char* data = reinterpret_cast<char*>(row + 1);
  if (!sort_bytes.empty()) std::memcpy(data, sort_bytes.data(), sort_bytes.size());
  if (!bytes.empty()) std::memcpy(data + sort_bytes.size(), bytes.data(), bytes.size());
  return row;
}

void OrderedRows::InsertAt(KeyRecord* key, int64_t position, OrderedRow* row) {
  ++size_;
  if (key->count++ == 0 && !key->is_list) {
    key->row = row;
    return;
  }
  if (!key->is_list) {
    auto* list = new List{{{key->row}}};
    key->list = list;
    key->is_list = 1;
  }
  auto& chunks = key->list->chunks;
  if (chunks.empty()) chunks.emplace_back();
  size_t chunk = 0;
  while (position > static_cast<int64_t>(chunks[chunk].size())) {
    position -= static_cast<int64_t>(chunks[chunk++].size());
  }
  chunks[chunk].insert(chunks[chunk].begin() + position, row);
  if (chunks[chunk].size() <= kChunkRowsMax) return;
  // Rows mostly come in order: leave the front part full rather than halve it.
  const size_t keep =
      static_cast<size_t>(position) + 1 == chunks[chunk].size() ? kChunkRowsMax : kChunkRowsMax / 2;
  std::vector<OrderedRow*> rest(chunks[chunk].begin() + static_cast<int64_t>(keep), chunks[chunk].end());
  chunks[chunk].resize(keep);
  chunks.insert(chunks.begin() + static_cast<int64_t>(chunk) + 1, std::move(rest));
}

OrderedRow* OrderedRows::Insert(uint32_t slot, std::string_view sort_bytes, std::string_view bytes,
                                int64_t tag, int64_t* position) {
  OrderedRow* row = NewRow(slot, next_sequence_++, tag, sort_bytes, bytes);
  const int64_t place = LowerBound(slot, sort_bytes, true);
  InsertAt(key_record(slot), place, row);
  dirty_.Mark(row);
  if (position) *position = place;
  return row;
}

void OrderedRows::Discard(OrderedRow* row) {
  dirty_.Preserve(row);  // makes it persisted
  if (row->persisted) {
    std::string key;
    keys_.AppendKey(row->slot, &key);
    AppendSequence(row->sequence, &key);
    deleted_.Add(KeyGroupOf(keys_.hash(row->slot)), key);
  }
  arena_.Free(&row->cell);
}

void OrderedRows::Remove(uint32_t slot, int64_t position, int64_t count) {
  if (count <= 0) return;
  std::vector<OrderedRow*> rows;
  Collect(slot, position, count, &rows);
  LAMINAR_CHECK(static_cast<int64_t>(rows.size()) == count, "rows to remove are not there");
  KeyRecord* key = key_record(slot);
  if (key->is_list) {
    auto& chunks = key->list->chunks;
    size_t chunk = 0;
    while (position >= static_cast<int64_t>(chunks[chunk].size())) {
      position -= static_cast<int64_t>(chunks[chunk++].size());
    }
    const size_t first = chunk;
    for (int64_t left = count; left > 0; position = 0, ++chunk) {
      const int64_t here = std::min(left, static_cast<int64_t>(chunks[chunk].size()) - position);
      chunks[chunk].erase(chunks[chunk].begin() + position, chunks[chunk].begin() + position + here);
      left -= here;
    }
    const auto begin = chunks.begin() + static_cast<int64_t>(first),
               end = chunks.begin() + static_cast<int64_t>(chunk);
    chunks.erase(std::remove_if(begin, end, [](const auto& rows) { return rows.empty(); }), end);
  }
  key->count -= static_cast<uint32_t>(count);
  size_ -= count;
  if (key->count == 0) {
    if (key->is_list) delete key->list;
    key->row = nullptr;
    key->is_list = 0;
    if (!key->is_empty_listed) emptied_.push_back(slot);
    key->is_empty_listed = 1;
  }
  for (OrderedRow* row : rows) Discard(row);
}

void OrderedRows::SetTag(OrderedRow* row, int64_t tag) {
  if (row->tag == tag) return;
  dirty_.Mark(row);
  row->tag = tag;
}

// Whole store

int64_t OrderedRows::memory_bytes() const {
  return arena_.memory_bytes() + keys_.memory_bytes() + size_ * static_cast<int64_t>(sizeof(OrderedRow*));
}

void OrderedRows::Maintain() {
  DropEmptyKeys();
  if (keys_.Compact()) {
    std::vector<OrderedRow*> rows;
    for (const uint32_t slot : keys_.LiveSlots()) {
      rows.clear();
      Collect(slot, 0, INT64_MAX / 2, &rows);
      for (OrderedRow* row : rows) row->slot = slot;
    }
  }
  for (const uint32_t block : arena_.SparseBlocks()) {
    arena_.ForEachCell(block, [this](ArenaCell* cell) {
      auto* row = reinterpret_cast<OrderedRow*>(cell);
      dirty_.Preserve(row);
      auto* moved = reinterpret_cast<OrderedRow*>(arena_.Allocate(cell->bytes));
      std::memcpy(reinterpret_cast<uint8_t*>(moved) + sizeof(ArenaCell),
                  reinterpret_cast<uint8_t*>(row) + sizeof(ArenaCell),
                  sizeof(OrderedRow) - sizeof(ArenaCell) + row->sort_byte_count + row->row_byte_count);
      KeyRecord* key = key_record(row->slot);
      PointerAt(key, PositionOf(*key, row->sort_bytes(), row->sequence)) = moved;
      dirty_.Moved(moved);
      arena_.Free(cell);
    });
  }
}

// Snapshots

void OrderedRows::Snapshot(SnapshotWriter& writer, std::string_view table) {
  DropEmptyKeys();
  StateWriter& out = writer.Table(table);
  deleted_.Write(out);
  dirty_.Snapshot(
      writer, out,
      [this, key = std::string(), value = std::string()](const OrderedRow& row, StateWriter& to) mutable {
        key.clear();
        keys_.AppendKey(row.slot, &key);
        const uint16_t key_group = KeyGroupOf(HashKey(key));  // cheaper than keys_.hash(): in the cache
        AppendSequence(row.sequence, &key);
        value.clear();
        AppendPlain(row.tag, &value);
        AppendPlain(row.sort_byte_count, &value);
        value.append(row.sort_bytes());
        value.append(row.bytes());
        to.Put(key_group, key, value);
        return static_cast<int64_t>(key.size() + value.size());
      });
}

void OrderedRows::Restore(const SnapshotReader& reader, std::string_view table) {
  std::vector<OrderedRow*> rows;  // of one key: its entries mostly come one after another
  const auto take = [&](uint32_t slot, const StateEntry& entry) {
    std::string_view key = entry.key, value = entry.value;
    const int64_t sequence = TakeSequence(&key);
    const auto tag = TakePlain<int64_t>(&value);
    const auto sort_bytes = TakePlain<uint32_t>(&value);
    if (!rows.empty() && rows.front()->slot != slot) AddRestored(&rows);
    OrderedRow* row = NewRow(slot, sequence, tag, value.substr(0, sort_bytes), value.substr(sort_bytes));
    row->persisted = 1;
    rows.push_back(row);
    next_sequence_ = std::max(next_sequence_, sequence + 1);
  };
  keys_.Restore(reader, table, take, kSequenceBytes);
  if (!rows.empty()) AddRestored(&rows);
}

void OrderedRows::AddRestored(std::vector<OrderedRow*>* rows) {
  std::sort(rows->begin(), rows->end(), [](const OrderedRow* a, const OrderedRow* b) {
    return IsBefore(a, b->sort_bytes(), b->sequence);
  });
  KeyRecord* key = key_record(rows->front()->slot);
  const bool first = key->count == 0;
  for (OrderedRow* row : *rows) {
    InsertAt(key, first ? key->count : PositionOf(*key, row->sort_bytes(), row->sequence), row);
  }
  rows->clear();
}

}  // namespace laminar
