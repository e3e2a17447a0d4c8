#pragma once

/// Key → rows in the order of their sort bytes, ties in arrival order: top-N, OVER. The order is the same
/// after a restore.
///
/// Slots follow the rules of keyed_log.h: good until the next FindKeys, FindOrInsertKeys, Snapshot or
/// Maintain. A row pointer stays good until its row is removed or until the next Maintain or Snapshot.
/// Positions are 0-based ranks within a key.

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "state/dirty_rows.h"
#include "state/keyed_map.h"
#include "state/row_arena.h"
#include "state/snapshot.h"

namespace laminar {

/// Sort bytes and row bytes follow the header.
struct OrderedRow {
  ArenaCell cell;
  int64_t sequence;  ///< arrival number, rising; kept by snapshots
  int64_t tag;       ///< for the owner, kept by snapshots: a time, a rank last sent
  uint32_t slot;     ///< of the key
  uint32_t sort_byte_count;
  uint32_t row_byte_count;
  uint8_t dirty, persisted, unused[2];

  std::string_view sort_bytes() const { return {reinterpret_cast<const char*>(this + 1), sort_byte_count}; }
  std::string_view bytes() const {
    return {reinterpret_cast<const char*>(this + 1) + sort_byte_count, row_byte_count};
  }
};

class OrderedRows {
 public:
  explicit OrderedRows(std::vector<std::shared_ptr<arrow::DataType>> key_types);
  ~OrderedRows();
  OrderedRows(OrderedRows&&) = delete;

  void FindOrInsertKeys(const KeyBatch& keys, const int32_t* rows, int64_t count, uint32_t* slots);
  void FindKeys(const KeyBatch& keys, const int32_t* rows, int64_t count, uint32_t* slots);

  /// Number of rows of a key; 0 for kNoSlot.
  int64_t row_count(uint32_t slot) const;
  /// The row at a position below row_count.
  OrderedRow* at(uint32_t slot, int64_t position) const;
  /// Adds a row behind those with equal sort bytes. `position` (may be null) receives its place.
  OrderedRow* Insert(uint32_t slot, std::string_view sort_bytes, std::string_view bytes, int64_t tag = 0,
                     int64_t* position = nullptr);
  /// Position of the oldest row with these sort bytes and these very bytes; −1 when there is none.
  int64_t Find(uint32_t slot, std::string_view sort_bytes, std::string_view bytes) const;
  /// Position of the first row with sort bytes ≥ (`after`: >) the given ones; row_count when there is none.
  int64_t LowerBound(uint32_t slot, std::string_view sort_bytes, bool after = false) const;
  /// Removes `count` rows from `position` on.
  void Remove(uint32_t slot, int64_t position, int64_t count = 1);
  void SetTag(OrderedRow* row, int64_t tag);

  /// Appends pointers to rows [begin, begin + count) of a key, cut at its end.
  void Collect(uint32_t slot, int64_t begin, int64_t count, std::vector<OrderedRow*>* out) const;
  /// Slots of all keys that have rows.
  std::vector<uint32_t> KeySlots();
  int64_t size() const { return size_; }
  int64_t memory_bytes() const;
  /// Compacts when there is much garbage. Call it now and then between batches (cheap when there is nothing
  /// to do).
  void Maintain();

  /// Entry key = canonical key, then the sequence (8 bytes, big-endian); value = tag, uint32 length of sort
  /// bytes, sort bytes, row bytes.
  void Snapshot(SnapshotWriter& writer, std::string_view table);
  void Restore(const SnapshotReader& reader, std::string_view table);

  const KeyedMap& keys() const { return keys_; }

 private:
  struct List;  // the rows of one key: chunks of pointers
  struct KeyRecord {
    union {
      OrderedRow* row;  // up to one row
      List* list;       // is_list
    };
    uint32_t count;
    uint8_t is_list, is_empty_listed, unused[2];
  };

  KeyRecord* key_record(uint32_t slot) const {
    return reinterpret_cast<KeyRecord*>(const_cast<uint8_t*>(keys_.record(slot)));
  }
  OrderedRow* NewRow(uint32_t slot, int64_t sequence, int64_t tag, std::string_view sort_bytes,
                     std::string_view bytes);
  void Discard(OrderedRow* row);
  void InsertAt(KeyRecord* key, int64_t position, OrderedRow* row);
  int64_t PositionOf(const KeyRecord& key, std::string_view sort_bytes, int64_t sequence) const;
  OrderedRow*& PointerAt(KeyRecord* key, int64_t position) const;
  void DropEmptyKeys();
  void ReadPages(const uint32_t* slots, int64_t count) const;
  /// Links rows of one key, in any order, and empties the list.
  void AddRestored(std::vector<OrderedRow*>* rows);

  KeyedMap keys_;
  RowArena arena_;
  int64_t size_ = 0;
  int64_t next_sequence_ = 0;
  std::vector<uint32_t> emptied_;
  DirtyRows<OrderedRow> dirty_{arena_};
  DeletedKeys deleted_;
};

}  // namespace laminar
