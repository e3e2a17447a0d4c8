#pragma once

/// What one subtask hands over at a barrier: its changes, appended to chunks of memory in the encoding of a
/// state file. Filling it takes the subtask's time, so it does nothing but copy; sorting and writing come
/// later, on another thread.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "state/snapshot.h"

namespace laminar {

/// An entry as a state file holds it: u16 key group, varint key bytes, varint value bytes + 1 (0: deleted),
/// key, value.
struct EncodedEntry {
  uint16_t key_group = 0;
  bool deleted = false;
  std::string_view key;
  std::string_view value;
  std::string_view bytes;  ///< the whole encoding
};

/// The most that an entry's encoding is longer than its key and value.
inline constexpr size_t kEntryHeaderBytesMax = 2 + 10 + 10;
/// Writes an entry to `out`, where there is room for it, and returns its end; a null `value` is a delete.
char* WriteEntry(uint16_t key_group, std::string_view key, const std::string_view* value, char* out);
/// Takes one entry off the front of `*data`. False when the bytes are no entry.
bool TakeEntry(std::string_view* data, EncodedEntry* entry);

/// Changes of one table in the order they were made.
class TableChanges final : public StateWriter {
 public:
  void Put(uint16_t key_group, std::string_view key, std::string_view value) override {
    AppendOne(key_group, key, &value);
  }
  void Delete(uint16_t key_group, std::string_view key) override { AppendOne(key_group, key, nullptr); }
  /// Moves the chunks: costs nothing per entry.
  void Append(std::vector<EntryChunk> chunks, int64_t count) override;
  /// All chunks, which it forgets.
  std::vector<EntryChunk> TakeChunks();

  const std::vector<EntryChunk>& chunks() const { return chunks_; }
  int64_t entries() const { return entries_; }
  int64_t bytes() const;

 private:
  void AppendOne(uint16_t key_group, std::string_view key, const std::string_view* value);

  std::vector<EntryChunk> chunks_;
  int64_t entries_ = 0;
};

/// One subtask's changes. Written by one thread.
class SnapshotBuffer final : public SnapshotWriter {
 public:
  StateWriter& Table(std::string_view name) override;
  const std::map<std::string, TableChanges, std::less<>>& tables() const { return tables_; }

 private:
  std::map<std::string, TableChanges, std::less<>> tables_;
};

}  // namespace laminar
