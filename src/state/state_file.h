#pragma once

/// Files of sorted changes (docs/checkpoint-format.md): written once, read by ranges of key groups, merged.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "state/key_group.h"
#include "state/snapshot_buffer.h"
#include "storage/object_store.h"

namespace laminar {

/// Where a block lies in its file, and which key groups it has.
struct StateBlock {
  int64_t offset;
  int64_t bytes;  ///< with the block's header
  uint16_t first_group;
  uint16_t last_group;
};

/// One table of one operator in a file.
struct StateSection {
  std::string operator_id;
  std::string table;
  int64_t entries = 0;
  std::vector<StateBlock> blocks;
  int64_t bytes() const;
};

/// What is known of a file without reading its blocks.
struct StateFileInfo {
  std::string name;
  int64_t bytes = 0;
  uint64_t checksum = 0;  ///< of the footer, which holds those of nothing else: each block has its own
  uint64_t first_epoch = 0;
  uint64_t last_epoch = 0;
  std::vector<StateSection> sections;
  const StateSection* Find(std::string_view operator_id, std::string_view table) const;
};

/// Writes one file. Sections in any order, entries of a section (in the encoding of snapshot_buffer.h) sorted
/// by (key group, key), each key once.
class StateFileWriter {
 public:
  enum class Use {
    kChanges,  ///< of one checkpoint: a merge will replace it
    kMerged
  };
  StateFileWriter(ObjectStore& store, const std::string& name, Use use);
  void BeginSection(const std::string& operator_id, const std::string& table);
  void Add(uint16_t key_group, std::string_view entry);
  /// Durable on return. Throws ExternalError.
  StateFileInfo Finish();
  int64_t entries() const { return entries_; }

 private:
  void EndBlock();
  void EndSection();
  void Write(std::string_view data);

  const double worth_it_;  // to compress a block to one in so many
  std::unique_ptr<ObjectWriter> out_;
  StateFileInfo info_;
  std::string payload_;
  std::string compressed_;  // room for a block
  bool compresses_ = true;  // blocks of this section get small enough for what it costs
  size_t next_sample_ = 0;  // the block of the section that is to show whether they do
  size_t sample_gap_ = 0;
  int64_t block_entries_ = 0;
  int64_t entries_ = 0;
  uint16_t first_group_ = 0;
  uint16_t last_group_ = 0;
  int64_t offset_ = 0;
};

/// Fills `bytes`, `checksum` and `sections` of a file from its footer. An ExternalError that says what is
/// wrong when the file is missing, cut, or not what `checksum` says (0: not compared).
void ReadStateFileFooter(ObjectStore& store, StateFileInfo* info);

/// The entries of one section in order. Reads ahead as the store likes it; checks each block.
class StateFileCursor {
 public:
  /// Only entries of `range` and of kEverySubtask. All must outlive the cursor.
  StateFileCursor(ObjectStore& store, const StateFileInfo& file, const StateSection& section,
                  KeyGroupRange range);
  /// False at the end. The entry is good until the next call.
  bool Next();
  const EncodedEntry& entry() const { return entry_; }

 private:
  bool NextBlock();
  bool Wanted(const StateBlock& block) const;
  [[noreturn]] void Damaged(const std::string& what) const;

  ObjectStore& store_;
  const StateFileInfo& file_;
  const StateSection& section_;
  const KeyGroupRange range_;
  size_t next_block_ = 0;
  std::string read_;  // of blocks
  int64_t read_offset_ = 0;
  std::string payload_;    // of one block, decompressed
  std::string_view rest_;  // of the block's payload: in read_ or payload_
  EncodedEntry entry_;
};

/// Order of entries by (key group, key): below, equal to or above 0.
inline int CompareEntries(const EncodedEntry& a, const EncodedEntry& b) {
  if (a.key_group != b.key_group) return a.key_group < b.key_group ? -1 : 1;
  return a.key.compare(b.key);
}

/// Entries of several cursors in order, of equal keys only the one of the last cursor. `keep_deletes`:
/// whether deletes are given too. A cursor has Next and entry as StateFileCursor's.
template <typename Cursor>
void MergeEntries(std::vector<Cursor>& oldest_first, bool keep_deletes,
                  const std::function<void(const EncodedEntry&)>& take) {
  // A heap of cursors: the least entry on top, of equal ones the newest cursor's.
  std::vector<size_t> heap;
  const auto after = [&](size_t a, size_t b) {
    const int order = CompareEntries(oldest_first[a].entry(), oldest_first[b].entry());
    return order != 0 ? order > 0 : a < b;
  };
  for (size_t i = 0; i < oldest_first.size(); ++i) {
    if (oldest_first[i].Next()) heap.push_back(i);
  }
  std::make_heap(heap.begin(), heap.end(), after);
  const auto advance_top = [&] {
    std::pop_heap(heap.begin(), heap.end(), after);
    if (oldest_first[heap.back()].Next()) {
      std::push_heap(heap.begin(), heap.end(), after);
    } else {
      heap.pop_back();
    }
  };
  const auto give = [&](const EncodedEntry& entry) {
    if (!entry.deleted || keep_deletes) take(entry);
  };
  while (!heap.empty()) {
    Cursor& newest = oldest_first[heap.front()];
    if (heap.size() == 1) {  // no other cursor: nothing to compare with
      give(newest.entry());
      if (!newest.Next()) heap.clear();
      continue;
    }
    const size_t second = heap.size() > 2 && after(heap[1], heap[2]) ? heap[2] : heap[1];
    const EncodedEntry& least_other = oldest_first[second].entry();
    const EncodedEntry entry = newest.entry();
    give(entry);
    if (CompareEntries(entry, least_other) < 0) {
      // A run of one cursor, as a large file beside small ones has, needs no heap.
      bool more = newest.Next();
      for (; more && CompareEntries(newest.entry(), least_other) < 0; more = newest.Next())
        give(newest.entry());
      std::pop_heap(heap.begin(), heap.end(), after);
      if (more) {
        std::push_heap(heap.begin(), heap.end(), after);
      } else {
        heap.pop_back();
      }
      continue;
    }
    // The entry's bytes must stay good until the older ones with its key are passed: the newest moves last.
    const size_t at = heap.front();
    std::pop_heap(heap.begin(), heap.end(), after);
    heap.pop_back();
    while (!heap.empty() && CompareEntries(oldest_first[heap.front()].entry(), entry) == 0) advance_top();
    if (newest.Next()) {
      heap.push_back(at);
      std::push_heap(heap.begin(), heap.end(), after);
    }
  }
}

}  // namespace laminar
