#pragma once

/// Files of sorted changes (docs/checkpoint-format.md): written once, read by ranges of key groups, merged.

#include <algorithm>
#include <cstdint>
#include <cstring>
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

/// Orders as the keys do, and where it is equal the rest decides.
inline uint64_t BigEndianBegin(std::string_view key) {
  uint64_t begin = 0;
  if (key.size() >= sizeof(begin)) {
    std::memcpy(&begin, key.data(), sizeof(begin));
  } else if (!key.empty()) {
    std::memcpy(&begin, key.data(), key.size());
  }
  return __builtin_bswap64(begin);
}

/// Entries of several cursors in order, of equal keys only the one of the last cursor. `keep_deletes`:
/// whether deletes are given too. A cursor has Next and entry as StateFileCursor's.
template <typename Cursor>
void MergeEntries(std::vector<Cursor>& oldest_first, bool keep_deletes,
                  const std::function<void(const EncodedEntry&)>& take) {
  // A heap: the least entry on top, of equal ones the newest cursor's. What decides most comparisons lies in
  // it.
  struct Head {
    uint64_t key_begin;  // the first eight bytes, big-endian
    uint16_t key_group;
    uint32_t cursor;
  };
  std::vector<Head> heap;
  const auto head_of = [&](uint32_t cursor) -> Head {
    const EncodedEntry& entry = oldest_first[cursor].entry();
    return {BigEndianBegin(entry.key), entry.key_group, cursor};
  };
  const auto compare = [&](const Head& a, const Head& b) {  // below, equal to or above 0
    if (a.key_group != b.key_group) return a.key_group < b.key_group ? -1 : 1;
    if (a.key_begin != b.key_begin) return a.key_begin < b.key_begin ? -1 : 1;
    return oldest_first[a.cursor].entry().key.compare(oldest_first[b.cursor].entry().key);
  };
  const auto after = [&](const Head& a, const Head& b) {
    const int order = compare(a, b);
    return order != 0 ? order > 0 : a.cursor < b.cursor;
  };
  const auto move_top_down = [&] {
    const Head top = heap[0];
    size_t at = 0;
    for (size_t child = 1; child < heap.size(); child = 2 * at + 1) {
      if (child + 1 < heap.size() && after(heap[child], heap[child + 1])) ++child;
      if (!after(top, heap[child])) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = top;
  };
  const auto remove_top = [&] {
    heap[0] = heap.back();
    heap.pop_back();
    if (!heap.empty()) move_top_down();
  };
  const auto advance_top = [&] {
    if (!oldest_first[heap[0].cursor].Next()) return remove_top();
    heap[0] = head_of(heap[0].cursor);
    move_top_down();
  };
  const auto give = [&](const EncodedEntry& entry) {
    if (!entry.deleted || keep_deletes) take(entry);
  };
  for (uint32_t i = 0; i < oldest_first.size(); ++i) {
    if (oldest_first[i].Next()) heap.push_back(head_of(i));
  }
  std::make_heap(heap.begin(), heap.end(), after);
  while (heap.size() > 1) {
    const Head top = heap[0];
    Cursor& newest = oldest_first[top.cursor];
    give(newest.entry());
    const Head& least_other = heap.size() > 2 && after(heap[1], heap[2]) ? heap[2] : heap[1];
    if (compare(top, least_other) < 0) {
      // A run of one cursor, as a large file beside small ones has, needs no heap.
      bool more = newest.Next();
      for (; more; more = newest.Next()) {
        heap[0] = head_of(top.cursor);
        if (compare(heap[0], least_other) >= 0) break;
        give(newest.entry());
      }
      if (more)
        move_top_down();
      else
        remove_top();
      continue;
    }
    // The entry's bytes must stay good until the older ones with its key are passed: the newest moves last.
    remove_top();
    while (!heap.empty() && compare(heap[0], top) == 0) advance_top();
    if (newest.Next()) {
      heap.push_back(head_of(top.cursor));
      std::push_heap(heap.begin(), heap.end(), after);
    }
  }
  if (heap.empty()) return;
  Cursor& last = oldest_first[heap[0].cursor];  // nothing to compare with
  do give(last.entry());
  while (last.Next());
}

}  // namespace laminar
