#include "state/entry_sort.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/prefetch.h"
#include "state/state_file.h"

namespace laminar {

namespace {

constexpr int64_t kRunEntries = 1 << 20;
constexpr int64_t kRunBytesOnDisk = 32 << 20;
constexpr size_t kRunChunkBytes = 1 << 20;

/// An entry to be sorted, as small as can be: what is compared first, and where it lies.
struct EntryRef {
  uint64_t prefix;  // key group, then 6 bytes of the key, big-endian
  const char* at;
  uint32_t bytes;
  uint32_t number;  // in the order of the changes

  uint16_t key_group() const { return static_cast<uint16_t>(prefix >> 48); }
  std::string_view encoded() const { return {at, bytes}; }
  std::string_view key() const {
    std::string_view rest(at, bytes);
    EncodedEntry entry;
    LAMINAR_CHECK(TakeEntry(&rest, &entry), "a snapshot buffer holds something that is no entry");
    return entry.key;
  }
};

uint64_t PrefixOf(const EncodedEntry& entry, size_t skip) {
  const uint64_t begin = BigEndianBegin(entry.key.substr(std::min(skip, entry.key.size())));
  return static_cast<uint64_t>(entry.key_group) << 48 | begin >> 16;
}

size_t CommonPrefix(std::string_view a, std::string_view b) {
  return static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

/// Refs to the entries of the chunks in the order of the changes, at most `limit`. Their prefixes leave out
/// `skip` bytes that are thought to be the same in all keys; returns how many are.
size_t CollectEntries(const std::vector<const EntryChunk*>& chunks, size_t skip, size_t limit,
                      std::vector<EntryRef>* refs) {
  refs->clear();
  std::string_view common;
  for (const EntryChunk* chunk : chunks) {
    std::string_view rest = chunk->entries();
    EncodedEntry entry;
    while (!rest.empty() && refs->size() < limit) {
      LAMINAR_CHECK(TakeEntry(&rest, &entry), "a snapshot buffer holds something that is no entry");
      LAMINAR_CHECK(entry.bytes.size() <= UINT32_MAX, "a state entry of more than 4 GiB");
      PrefetchAhead(entry.bytes.data(), entry.bytes.size());
      if (refs->empty()) common = entry.key;
      if (entry.key.substr(0, common.size()) != common)
        common = common.substr(0, CommonPrefix(common, entry.key));
      refs->push_back({PrefixOf(entry, skip), entry.bytes.data(), static_cast<uint32_t>(entry.bytes.size()),
                       static_cast<uint32_t>(refs->size())});
    }
  }
  return common.size();
}

/// Sorts by prefix and, of equal ones, by number, in which order they are: by one byte of the prefixes after
/// the other, the last first, leaving out those that are the same in all (radix sort, Knuth 5.2.5).
void SortByPrefix(std::vector<EntryRef>* refs) {
  constexpr size_t kFew = 512;
  if (refs->size() < kFew) {
    std::sort(refs->begin(), refs->end(), [](const EntryRef& a, const EntryRef& b) {
      return a.prefix != b.prefix ? a.prefix < b.prefix : a.number < b.number;
    });
    return;
  }
  uint64_t some = 0, all = UINT64_MAX;
  for (const EntryRef& ref : *refs) {
    some |= ref.prefix;
    all &= ref.prefix;
  }
  std::vector<EntryRef> sorted;
  for (int shift = 0; shift < 64; shift += 8) {
    if (((some ^ all) >> shift & 0xff) == 0) continue;
    std::array<size_t, 256> begin{};
    for (const EntryRef& ref : *refs) ++begin[ref.prefix >> shift & 0xff];
    size_t sum = 0;
    for (size_t& each : begin) sum += std::exchange(each, sum);
    sorted.resize(refs->size());
    for (const EntryRef& ref : *refs) sorted[begin[ref.prefix >> shift & 0xff]++] = ref;
    refs->swap(sorted);
  }
}

/// Of refs with one prefix, sorts by key; of equal keys only the last stays. Returns the end of those.
EntryRef* SortAlike(EntryRef* begin, EntryRef* end,
                    std::vector<std::pair<std::string_view, EntryRef>>* keyed) {
  keyed->clear();
  for (const EntryRef* at = begin; at != end; ++at) keyed->push_back({at->key(), *at});
  // Rows of one key mostly come in the order of their numbers.
  const auto before = [](const auto& a, const auto& b) { return a.first < b.first; };
  if (!std::is_sorted(keyed->begin(), keyed->end(), before))
    std::stable_sort(keyed->begin(), keyed->end(), before);
  for (size_t i = 0; i < keyed->size(); ++i) {
    const bool superseded = i + 1 < keyed->size() && (*keyed)[i].first == (*keyed)[i + 1].first;
    if (!superseded) *begin++ = (*keyed)[i].second;
  }
  return begin;
}

/// Sorts the entries of the chunks; of equal keys only the last stays. To compare entries themselves is to
/// wait for memory. So first comes what their prefixes say, leaving out how all keys of a table begin; the
/// entries that those do not tell apart are then known ahead.
void SortEntries(const std::vector<const EntryChunk*>& chunks, std::vector<EntryRef>* refs) {
  constexpr size_t kSample = 256, kAhead = 16;
  const size_t sampled = CollectEntries(chunks, 0, kSample, refs);
  const size_t guess = sampled - std::min<size_t>(sampled, 1);
  const size_t same = CollectEntries(chunks, guess, SIZE_MAX, refs);
  if (same < guess) CollectEntries(chunks, same, SIZE_MAX, refs);
  SortByPrefix(refs);
  std::vector<std::pair<std::string_view, EntryRef>> keyed;
  EntryRef* const begin = refs->data();
  EntryRef* const end = begin + refs->size();
  EntryRef* kept = begin;
  for (EntryRef *at = begin, *next; at != end; at = next) {
    for (next = at + 1; next != end && next->prefix == at->prefix;) ++next;
    for (EntryRef* ahead = at + kAhead; ahead < std::min(next + kAhead, end - 1); ++ahead) {
      if (ahead->prefix == (ahead + 1)->prefix || ahead->prefix == (ahead - 1)->prefix)
        __builtin_prefetch(ahead->at);
    }
    if (next - at == 1) {
      *kept++ = *at;
    } else {
      kept = std::move(at, SortAlike(at, next, &keyed), kept);
    }
  }
  refs->resize(static_cast<size_t>(kept - begin));
}

/// Calls `take` with each, in an order that is not that of their memory.
template <typename Take>
void ForEachRef(const std::vector<EntryRef>& refs, Take take) {
  constexpr size_t kAhead = 8;
  for (size_t i = 0; i < refs.size(); ++i) {
    if (i + kAhead < refs.size()) {
      const EntryRef& ahead = refs[i + kAhead];
      for (uint32_t line = 0; line < std::min<uint32_t>(ahead.bytes, 512); line += 64)
        __builtin_prefetch(ahead.at + line);
    }
    take(refs[i]);
  }
}

/// Sorted entries, copied one after another; gives its memory back while it is read.
class SortedRun {
 public:
  explicit SortedRun(const std::vector<EntryRef>& refs) {
    ForEachRef(refs, [this](const EntryRef& ref) {
      const std::string_view bytes = ref.encoded();
      if (chunks_.empty() || !chunks_.back().HasRoom(bytes.size())) {
        chunks_.emplace_back(std::max(kRunChunkBytes, bytes.size()));
      }
      std::memcpy(chunks_.back().end(), bytes.data(), bytes.size());
      chunks_.back().used += bytes.size();
    });
  }
  bool Next() {
    while (rest_.empty()) {
      if (next_ > 0) chunks_[next_ - 1].memory = {};
      if (next_ == chunks_.size()) return false;
      rest_ = chunks_[next_++].entries();
    }
    return TakeEntry(&rest_, &entry_);
  }
  const EncodedEntry& entry() const { return entry_; }

 private:
  std::vector<EntryChunk> chunks_;
  size_t next_ = 0;
  std::string_view rest_;
  EncodedEntry entry_;
};

}  // namespace

void ForEachSorted(const std::vector<const TableChanges*>& oldest_first, const TakeEncoded& take) {
  std::vector<SortedRun> runs;
  std::vector<EntryRef> refs;
  std::vector<const EntryChunk*> chunks;
  int64_t entries = 0, bytes_on_disk = 0;
  for (const TableChanges* changes : oldest_first) {
    for (const EntryChunk& chunk : changes->chunks()) {
      if (entries >= kRunEntries || bytes_on_disk >= kRunBytesOnDisk) {
        SortEntries(chunks, &refs);
        runs.emplace_back(refs);
        chunks.clear();
        entries = bytes_on_disk = 0;
      }
      chunks.push_back(&chunk);
      entries += chunk.num_entries;
      if (chunk.memory.on_disk()) bytes_on_disk += static_cast<int64_t>(chunk.used);
    }
  }
  SortEntries(chunks, &refs);
  if (runs.empty()) {
    ForEachRef(refs, [&](const EntryRef& ref) { take(ref.key_group(), ref.encoded()); });
    return;
  }
  runs.emplace_back(refs);
  refs = {};
  MergeEntries(runs, /*keep_deletes=*/true,
               [&](const EncodedEntry& entry) { take(entry.key_group, entry.bytes); });
}

}  // namespace laminar
