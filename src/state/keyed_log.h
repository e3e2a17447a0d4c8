#pragma once

/// Key → rows in arrival order, each with a time, a weight and a count of matches: what joins and operators
/// that buffer rows keep. Rows are bytes (RowCodec), lie in one piece, and their memory is given back as they
/// go.
///
///     log.FindOrInsertKeys(keys, nullptr, n, slots);
///     log.Append(slots[i], time, weight, row_bytes);
///     …
///     other.FindKeys(keys, nullptr, n, slots);
///     for (LogRow* row = other.first(slots[i]); row; row = row->next) …   // first(kNoSlot) is a null
///     pointer
///
/// Slots that FindKeys and FindOrInsertKeys gave stay good, even of keys that lost their last row, until the
/// next call of one of them, of ExpireBefore, Snapshot or Maintain. Row pointers stay good until the row is
/// removed, or until the next call of Maintain (which compacts), ExpireBefore or Snapshot.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "state/dirty_rows.h"
#include "state/keyed_map.h"
#include "state/row_arena.h"
#include "state/snapshot.h"

namespace laminar {

/// The bytes follow the header. Read the fields; change them through KeyedLog.
struct LogRow {
  ArenaCell cell;
  LogRow* next;  ///< of the same key, in arrival order; null pointer: last
  LogRow* previous;
  int64_t time;
  int64_t sequence;  ///< arrival number, rising; kept by snapshots
  int32_t weight;
  int32_t matches;  ///< for the owner: outer joins count partners
  uint32_t slot;    ///< of the key
  uint32_t byte_count;
  uint8_t dirty, persisted, unused[6];

  std::string_view bytes() const { return {reinterpret_cast<const char*>(this + 1), byte_count}; }
};

struct KeyedLogOptions {
  bool expires = false;  ///< keeps an index by time for ExpireBefore and min_time
};

class KeyedLog {
 public:
  explicit KeyedLog(std::vector<std::shared_ptr<arrow::DataType>> key_types, KeyedLogOptions options = {});
  ~KeyedLog();
  KeyedLog(KeyedLog&&) = delete;

  void FindOrInsertKeys(const KeyBatch& keys, const int32_t* rows, int64_t count, uint32_t* slots);
  /// kNoSlot for keys without rows.
  void FindKeys(const KeyBatch& keys, const int32_t* rows, int64_t count, uint32_t* slots);
  /// The oldest row of a key; null pointer when there is none or `slot` is kNoSlot.
  LogRow* first(uint32_t slot) const;
  LogRow* last(uint32_t slot) const;
  int64_t row_count(uint32_t slot) const;

  /// Adds a row as the key's last.
  LogRow* Append(uint32_t slot, int64_t time, int32_t weight, std::string_view bytes);
  /// The oldest row of the key with these very bytes; null pointer when there is none. Keys with many rows
  /// get an index by bytes when they are first searched.
  LogRow* FindEqual(uint32_t slot, std::string_view bytes);
  /// Adds `weight` to an equal row, which goes when its weight comes to 0; without one, appends the row.
  /// Returns the row, or a null pointer when it has gone.
  LogRow* AddWeight(uint32_t slot, int64_t time, int32_t weight, std::string_view bytes);
  void SetWeight(LogRow* row, int32_t weight);
  void SetMatches(LogRow* row, int32_t matches);
  void SetTime(LogRow* row, int64_t time);
  void Remove(LogRow* row);

  /// Removes all rows with time < `time`, oldest first (equal times in arrival order); `visit` (may be null)
  /// sees each just before, and must not change the log. Returns how many. Needs `expires`.
  int64_t ExpireBefore(int64_t time, const std::function<void(const LogRow&)>& visit);
  /// A lower bound of the rows' times, near enough for a timer (within a second); nullopt without rows. Needs
  /// `expires`.
  std::optional<int64_t> min_time() const;

  /// Visits all rows, in no order.
  void ForEach(const std::function<void(LogRow&)>& visit);
  int64_t size() const { return size_; }
  int64_t memory_bytes() const;
  /// Compacts when there is much garbage. Call it now and then between batches (cheap when there is nothing
  /// to do).
  void Maintain();

  /// Key bytes and row bytes of rows in a snapshot: entry key = canonical key, then the sequence (8 bytes,
  /// big-endian); value = time, weight, matches, row bytes.
  void Snapshot(SnapshotWriter& writer, std::string_view table);
  void Restore(const SnapshotReader& reader, std::string_view table);
  /// Brings what Restore made of an older snapshot up to date.
  void RestoreChanges(const SnapshotReader& changes, std::string_view table);

  const KeyedMap& keys() const { return keys_; }

 private:
  struct KeyRecord {
    LogRow* first;
    LogRow* last;
    uint32_t count;
    uint16_t is_empty_listed;  // in emptied_
    uint16_t is_indexed;       // all its rows are in by_bytes_
  };
  /// A row in the time index. Stale once the row is dead, has another time, or its block was given back.
  struct TimeEntry {
    int64_t time;
    int64_t sequence;
    LogRow* row;
    uint32_t block;
    uint32_t serial;
    bool operator>(const TimeEntry& other) const {
      return time != other.time ? time > other.time : sequence > other.sequence;
    }
  };

  KeyRecord* key_record(uint32_t slot) const {
    return reinterpret_cast<KeyRecord*>(const_cast<uint8_t*>(keys_.record(slot)));
  }
  void TakeRestored(uint32_t slot, const StateEntry& entry);
  LogRow* RowOf(uint32_t slot, int64_t sequence) const;
  LogRow* NewRow(uint32_t slot, int64_t time, int64_t sequence, int32_t weight, std::string_view bytes);
  void Link(LogRow* row);
  void Unlink(LogRow* row);
  void MoveRow(LogRow* row);
  uint64_t BytesHash(uint32_t slot, std::string_view bytes) const;
  void IndexBytes(LogRow* row);
  void UnindexBytes(LogRow* row);
  void ExpireRow(const TimeEntry& entry, const std::function<void(const LogRow&)>& visit, int64_t* count);
  void DropEmptyKeys();
  void ReadPages(const uint32_t* slots, int64_t count, LogRow* KeyRecord::* end) const;
  void IndexTime(LogRow* row);
  bool TakeDue(int64_t time, TimeEntry* entry);
  bool IsCurrent(const TimeEntry& entry) const;
  void RebuildTimeIndex();

  KeyedLogOptions options_;
  KeyedMap keys_;
  RowArena arena_;
  int64_t size_ = 0;
  int64_t next_sequence_ = 0;
  std::vector<uint32_t> emptied_;
  std::unordered_multimap<uint64_t, LogRow*> by_bytes_;  // by BytesHash; rows of keys that are indexed
  DirtyRows<LogRow> dirty_{arena_};
  DeletedKeys deleted_;
  // Times below near_end_ are in due_, the rest of the last bucket with the oldest at its end, or in near_, a
  // min-heap of those that came after; later ones unordered in buckets of kBucketUs.
  StateArray<TimeEntry> due_;
  StateArray<TimeEntry> near_;
  int64_t near_end_ = INT64_MIN;
  std::map<int64_t, StateArray<TimeEntry>> later_;
  StateArray<TimeEntry>* open_bucket_ = nullptr;  // that of the last row, in later_
  int64_t open_bucket_number_ = 0;
  size_t bucket_entries_ = 0;  // of the last bucket that was due: the first guess for the next
  int64_t time_entries_ = 0;
};

}  // namespace laminar
