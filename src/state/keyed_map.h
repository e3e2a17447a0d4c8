#pragma once

/// Key → fixed-size record: the container under aggregation, and the key index of keyed_log.h and
/// ordered_rows.h.
///
///     KeyBatch keys(types);
///     keys.Assign(columns, num_rows);                     // hashes the batch once
///     map.FindOrInsert(keys, nullptr, num_rows, slots, &inserted);
///     for (…) *reinterpret_cast<int64_t*>(map.record(slots[i])) += 1;
///
/// A slot is a dense number that stays the key's until it is removed, then goes to another key. Records lie
/// in one block that moves when it grows: keep slots, not pointers, across an insert.

#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/prefetch.h"
#include "state/deleted_keys.h"
#include "state/frozen_slots.h"
#include "state/snapshot.h"
#include "state/table_memory.h"
#include "types/row_codec.h"

namespace laminar {

inline constexpr uint32_t kNoSlot = 0xFFFFFFFF;

/// How keys of some types are held: small fixed-width ones in place, others as bytes.
enum class KeyForm {
  kInline8,   ///< fixed width ≤ 8 bytes
  kInline16,  ///< fixed width ≤ 16 bytes
  kBytes,     ///< anything: up to 20 bytes in place, longer ones in an arena
};

/// The keys of one batch, hashed once and usable with every map of the same key types. Owns copies of the
/// keys; reuse one object for all batches, its memory stays.
class KeyBatch {
 public:
  explicit KeyBatch(const std::vector<std::shared_ptr<arrow::DataType>>& key_types);
  ~KeyBatch();
  KeyBatch(KeyBatch&&) noexcept;

  /// `columns`: one per key type, each [num_rows] (of any offset). No columns: all rows have the one empty
  /// key.
  void Assign(const std::vector<std::shared_ptr<arrow::Array>>& columns, int64_t num_rows);
  int64_t size() const { return static_cast<int64_t>(hashes_.size()); }
  /// HashRows of the columns: [size()].
  const uint64_t* hashes() const { return hashes_.data(); }
  /// Appends the canonical key bytes of a row.
  void AppendKey(int64_t row, std::string* out) const;
  /// Keys given as canonical bytes.
  void AssignKeys(std::span<const std::string_view> keys);

 private:
  friend class KeyedMap;
  struct Word16 {
    uint64_t low, high;
  };

  void HashInline(int64_t num_rows);
  const uint8_t* InlineKey(int64_t row) const;

  KeyForm form_;
  int64_t fixed_bytes_;
  std::vector<uint64_t> hashes_;
  std::vector<uint64_t> words8_;    // kInline8: [size()], unused bytes 0
  std::vector<Word16> words16_;     // kInline16: likewise
  std::vector<uint8_t> null_bits_;  // inline forms: [size()], or empty when no row has a NULL
  ByteStrings bytes_;               // kBytes
};

/// Not thread-safe. Movable, not copyable.
class KeyedMap {
 public:
  /// `record_bytes` is rounded up to a multiple of 8.
  KeyedMap(std::vector<std::shared_ptr<arrow::DataType>> key_types, int64_t record_bytes);
  ~KeyedMap();
  KeyedMap(KeyedMap&&) noexcept;
  KeyedMap& operator=(KeyedMap&&) noexcept;

  // Lookup. `rows` [count] picks rows of `keys`; a null pointer means 0..count−1. `slots`: [count].

  /// New keys get a record of zeros and a mark of 0, in the order of their first rows; their slots are
  /// appended to `inserted` (may be null). They are not dirty yet.
  void FindOrInsert(const KeyBatch& keys, const int32_t* rows, int64_t count, uint32_t* slots,
                    std::vector<uint32_t>* inserted);
  /// kNoSlot where there is none.
  void Find(const KeyBatch& keys, const int32_t* rows, int64_t count, uint32_t* slots) const;

  // Records.

  uint8_t* record(uint32_t slot) { return base_ + slot * stride_ + record_offset_; }
  const uint8_t* record(uint32_t slot) const { return base_ + slot * stride_ + record_offset_; }
  /// record(slot) == record(0) + slot * stride(), for hot loops.
  int64_t stride() const { return stride_; }
  int64_t record_bytes() const { return record_bytes_; }
  /// A byte and a number per slot for the owner, not part of a snapshot; 0 for new keys.
  uint8_t& mark(uint32_t slot) { return header(slot)->mark; }
  uint8_t mark(uint32_t slot) const { return header(slot)->mark; }

  int64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// Makes room for `count` keys in all.
  void Reserve(int64_t count);
  /// Asks for the memory that Remove of the slot will touch; call it some slots ahead.
  void PrefetchRemove(uint32_t slot) const {
    __builtin_prefetch(header(slot), 1);
    __builtin_prefetch(&index_[hashes_[slot] & (index_size_ - 1)], 1);
    KeepPrefetches();
  }
  /// Live slots are below this number (not all that are, see `live`).
  uint32_t slots_end() const { return slots_end_; }
  bool live(uint32_t slot) const { return header(slot)->live != 0; }
  /// For a walk over all slots from 0 on: call it at each of them.
  void ReadAheadInWalk(uint32_t slot) const {
    if (slot % kWalkSlots == 0 && slot_memory_.on_disk()) ReadSlotsFrom(slot);
  }
  /// Slots of all keys, rising.
  std::vector<uint32_t> LiveSlots() const;

  /// Forgets the key. Its slot may be given to another key by the next insert. A record that owns memory:
  /// Preserve it before the memory goes.
  void Remove(uint32_t slot);
  /// The same without remembering the delete for the next Snapshot; true when some snapshot has the key.
  bool RemoveQuietly(uint32_t slot);
  /// Forgets all keys and gives memory back.
  void Clear();
  /// When less than a quarter of a large map's slots are in use, moves the records together and gives memory
  /// back. Slots change: call it only when no one holds any. True when it did.
  bool Compact();
  int64_t memory_bytes() const;

  // Keys.

  uint64_t hash(uint32_t slot) const { return hashes_[slot]; }
  /// Appends the canonical key bytes.
  void AppendKey(uint32_t slot, std::string* out) const;
  /// Key columns of the given slots, each [count].
  std::vector<std::shared_ptr<arrow::Array>> DecodeKeys(const uint32_t* slots, int64_t count) const;
  /// The keys of `slots` as a batch for another map of the same key types.
  void ExportKeys(const uint32_t* slots, int64_t count, KeyBatch* out) const;
  const std::vector<std::shared_ptr<arrow::DataType>>& key_types() const;

  // Changes since the last Snapshot. A record is marked dirty, or its key removed, before it changes: what it
  // held at the last barrier may still be unwritten.

  void MarkDirty(uint32_t slot) {
    Header* at = header(slot);
    if (at->dirty == dirty_mark_) return;
    if (at->dirty != 0) [[unlikely]]
      Preserve(slot);
    at->dirty = dirty_mark_;
    dirty_.push_back(slot);
  }
  void MarkDirty(const uint32_t* slots, int64_t count) {
    for (int64_t i = 0; i < count; ++i) MarkDirty(slots[i]);
  }
  /// Writes the slot's entry now if it is still to be written as it was at the last barrier. For a record
  /// that changes or is destroyed without being dirty.
  void Preserve(uint32_t slot) {
    if (TakeFrozen(slot)) [[unlikely]]
      frozen_->Write(slot);
  }
  /// Writes all that is still to be written of the last Snapshot.
  void FinishSnapshot() {
    if (frozen_) frozen_->Finish();
  }

  using AppendValue = std::function<void(uint32_t slot, std::string* out)>;
  /// Writes Delete for keys removed since the last call, and lets Put of the live dirty ones follow as they
  /// are now. `prefix` stands before each key (a window's start, say) and must be the same each time.
  /// `key_group`: of all entries, where rows are not dealt by the map's key; else each key's own. With a
  /// prefix or a key group no key may be removed but by ClearInto.
  void Snapshot(SnapshotWriter& writer, std::string_view table, AppendValue append_value,
                std::string_view prefix = {}, std::optional<uint16_t> key_group = std::nullopt);
  /// The same for owners that write entries, and deletes, themselves.
  void Snapshot(SnapshotWriter& writer, std::string_view table, WriteSlot write);
  /// Forgets all keys and gives memory back; what the next Snapshot would have to delete goes to `out`
  /// instead. For a map that is about to be destroyed (a window that has closed).
  void ClearInto(DeletedKeys* out, std::string_view prefix, std::optional<uint16_t> key_group = std::nullopt);
  bool persisted(uint32_t slot) const { return header(slot)->persisted != 0; }
  /// Adds a key from a snapshot (without its prefix) as clean; the caller fills the record. `persisted`
  /// false: the map itself is not part of snapshots, so the key's removal need not be remembered.
  uint32_t Restore(std::string_view key, bool persisted = true);
  using TakeRestored = std::function<void(uint32_t slot, const StateEntry& entry)>;
  /// The same for all entries of a table; `take` fills the records. `suffix_bytes` at the end of an entry's
  /// key are not the map's (the number of one of the key's rows): then the map itself is not part of
  /// snapshots.
  void Restore(const SnapshotReader& reader, std::string_view table, const TakeRestored& take,
               size_t suffix_bytes = 0);
  /// Brings what Restore made of an older snapshot up to date. `forget` sees the slot of each key that is
  /// deleted or gets another value, to free what its record owns; the record that `take` fills is of zeros.
  void RestoreChanges(const SnapshotReader& changes, std::string_view table, const TakeRestored& take,
                      const std::function<void(uint32_t slot)>& forget);

 private:
  struct Header {
    uint8_t live;
    uint8_t dirty;      // dirty_mark_: in dirty_; the other mark: frozen; stays when the slot is freed, so
                        // that no slot is listed twice
    uint8_t persisted;  // some snapshot has it
    uint8_t null_bits;  // inline forms
    uint8_t mark;
    uint8_t unused[3];
  };
  struct LongKey;   // kBytes: as it lies in the slot
  struct KeyArena;  // kBytes: keys over 20 bytes
  friend class FrozenSlots<KeyedMap>;

  bool IsFrozen(uint32_t slot) const { return live(slot) && IsFrozenMark(header(slot)->dirty, dirty_mark_); }
  bool TakeFrozen(uint32_t slot) { return TakeFrozenHeader(header(slot), dirty_mark_); }
  void PrefetchFrozen(uint32_t slot) const {
    __builtin_prefetch(header(slot), 1);
    __builtin_prefetch(record(slot) + record_bytes_ - 1);
    KeepPrefetches();
  }

  Header* header(uint32_t slot) { return reinterpret_cast<Header*>(base_ + slot * stride_); }
  const Header* header(uint32_t slot) const {
    return reinterpret_cast<const Header*>(base_ + slot * stride_);
  }
  const uint8_t* key(uint32_t slot) const { return base_ + slot * stride_ + sizeof(Header); }
  uint8_t* key(uint32_t slot) { return base_ + slot * stride_ + sizeof(Header); }

  static constexpr uint32_t kWalkSlots = 4096;

  template <KeyForm kForm>
  bool KeyEquals(uint32_t slot, const KeyBatch& keys, int64_t row) const;
  template <KeyForm kForm>
  void StoreKey(uint32_t slot, const KeyBatch& keys, int64_t row);
  template <KeyForm kForm>
  uint32_t Probe(const KeyBatch& keys, int64_t row, size_t* position) const;
  template <KeyForm kForm>
  uint32_t Insert(const KeyBatch& keys, int64_t row, size_t position);
  template <KeyForm kForm>
  void FindOrInsertBlock(const KeyBatch& keys, const int32_t* rows, int64_t begin, int64_t end,
                         uint32_t* slots, std::vector<uint32_t>* inserted);
  void Prefetch(const KeyBatch& keys, const int32_t* rows, int64_t begin, int64_t end) const;
  void ReadPages(const KeyBatch& keys, const int32_t* rows, int64_t count) const;
  void ReadSlotsFrom(uint32_t slot) const;
  void ReadPages(const uint32_t* slots, size_t count) const;
  void StoreBytes(uint32_t slot, std::string_view key);
  uint32_t NewSlot();
  void ReserveSlots(uint32_t count);
  void Rehash(size_t capacity);
  void FillIndex();
  void EraseFromIndex(uint32_t slot);
  void RememberDelete(uint32_t slot);
  void Free();
  void CompactArena();
  std::string_view BytesKey(uint32_t slot) const;

  KeyForm form_;
  std::unique_ptr<KeyCodec> codec_;
  int64_t record_bytes_;
  int64_t record_offset_;
  int64_t stride_;
  TableMemory slot_memory_;
  uint8_t* base_ = nullptr;  // slot_memory_.data(): [slots_max_ * stride_]
  uint32_t slots_max_ = 0;
  uint32_t slots_end_ = 0;
  int64_t size_ = 0;
  StateArray<uint64_t> hashes_;  // [slots_end_]
  StateArray<uint32_t> free_;
  // Open addressing, linear probing. An entry is slot + 1 in the low half, bits of the hash in the high half;
  // 0: empty.
  TableMemory index_memory_{StateUse::kIndex};
  uint64_t* index_ = nullptr;  // [index_size_]
  size_t index_size_ = 0;      // a power of two, or 0
  int64_t grow_index_at_ = 0;  // keys
  std::unique_ptr<KeyArena> arena_;
  std::unique_ptr<KeyBatch> restore_batch_;
  std::vector<uint32_t> dirty_;
  uint8_t dirty_mark_ = 1;  // 1 and 2 by turns
  DeletedKeys deleted_;
  std::unique_ptr<FrozenSlots<KeyedMap>> frozen_;  // of the last Snapshot; null pointer before the first
};

}  // namespace laminar
