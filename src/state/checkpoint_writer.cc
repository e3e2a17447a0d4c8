#include "state/checkpoint_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <utility>

#include "base/error.h"

namespace laminar {

namespace {

constexpr int64_t kRunBytes = 32 << 20;
constexpr size_t kRunChunkBytes = 1 << 20;

/// An entry to be sorted, as small as can be: what is compared first, and where it lies.
struct EntryRef {
  uint64_t prefix;  // key group, then 6 bytes of the key, big-endian
  const char* at;
  uint32_t bytes;
  uint32_t number;  // in the order of the changes

  EncodedEntry entry() const {
    std::string_view rest(at, bytes);
    EncodedEntry entry;
    LAMINAR_CHECK(TakeEntry(&rest, &entry), "a snapshot buffer holds something that is no entry");
    return entry;
  }
};

uint64_t PrefixOf(const EncodedEntry& entry, size_t skip) {
  uint64_t prefix = entry.key_group;
  for (size_t i = skip; i < skip + 6; ++i) {
    prefix = (prefix << 8) | (i < entry.key.size() ? static_cast<uint8_t>(entry.key[i]) : 0);
  }
  return prefix;
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
      // Where the next ones begin is not known before this one is read, but they are about as long.
      __builtin_prefetch(rest.data() + 2 * entry.bytes.size());
      if (refs->empty()) common = entry.key;
      common = common.substr(0, CommonPrefix(common, entry.key));
      refs->push_back({PrefixOf(entry, skip), entry.bytes.data(), static_cast<uint32_t>(entry.bytes.size()),
                       static_cast<uint32_t>(refs->size())});
    }
  }
  return common.size();
}

/// Of refs with one prefix, sorts by key; of equal keys only the last stays. Returns the end of those.
EntryRef* SortAlike(EntryRef* begin, EntryRef* end) {
  std::sort(begin, end, [](const EntryRef& a, const EntryRef& b) {
    const int order = a.entry().key.compare(b.entry().key);
    return order != 0 ? order < 0 : a.number < b.number;
  });
  EntryRef* kept = begin;
  for (EntryRef* at = begin; at != end; ++at) {
    const bool superseded = at + 1 != end && at->entry().key == (at + 1)->entry().key;
    if (!superseded) *kept++ = *at;
  }
  return kept;
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
  std::sort(refs->begin(), refs->end(), [](const EntryRef& a, const EntryRef& b) {
    return a.prefix != b.prefix ? a.prefix < b.prefix : a.number < b.number;
  });
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
      kept = std::move(at, SortAlike(at, next), kept);
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
      __builtin_prefetch(refs[i + kAhead].at);
      __builtin_prefetch(refs[i + kAhead].at + 64);
    }
    take(refs[i]);
  }
}

/// Sorted entries, copied one after another; gives its memory back while it is read.
class SortedRun {
 public:
  explicit SortedRun(const std::vector<EntryRef>& refs) {
    ForEachRef(refs, [this](const EntryRef& ref) {
      const std::string_view bytes(ref.at, ref.bytes);
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

/// The entries of all changes in order, of equal keys only the last. A large delta is sorted in runs, which
/// are then merged: so only one run is read at random, and one's index of entries is in memory at a time.
void ForEachSorted(const std::vector<const TableChanges*>& oldest_first,
                   const std::function<void(const EncodedEntry&)>& take) {
  std::vector<SortedRun> runs;
  std::vector<EntryRef> refs;
  std::vector<const EntryChunk*> chunks;
  int64_t bytes = 0;
  for (const TableChanges* changes : oldest_first) {
    for (const EntryChunk& chunk : changes->chunks()) {
      if (bytes >= kRunBytes) {
        SortEntries(chunks, &refs);
        runs.emplace_back(refs);
        chunks.clear();
        bytes = 0;
      }
      chunks.push_back(&chunk);
      bytes += static_cast<int64_t>(chunk.used);
    }
  }
  SortEntries(chunks, &refs);
  if (runs.empty()) {
    ForEachRef(refs, [&](const EntryRef& ref) { take(ref.entry()); });
    return;
  }
  runs.emplace_back(refs);
  refs = {};
  MergeEntries(runs, /*keep_deletes=*/true, take);
}

}  // namespace

CheckpointWriter::CheckpointWriter(std::shared_ptr<CheckpointStore> store, Checkpoint base,
                                   const Clock* clock, Options options)
    : store_(std::move(store)),
      clock_(clock),
      options_(options),
      job_(base.manifest.job),
      run_(base.manifest.run),
      operators_(base.manifest.operators),
      files_(std::move(base.files)),
      epoch_(base.manifest.epoch) {}

std::shared_ptr<SnapshotBuffer> CheckpointWriter::NewBuffer(const std::string& operator_id) {
  auto buffer = std::make_shared<SnapshotBuffer>();
  std::lock_guard lock(mutex_);
  filling_.push_back({operator_id, buffer});
  return buffer;
}

void CheckpointWriter::CloseEpoch() {
  std::lock_guard lock(mutex_);
  std::move(filling_.begin(), filling_.end(), std::back_inserter(closed_));
  filling_.clear();
}

uint64_t CheckpointWriter::epoch() const {
  std::lock_guard lock(mutex_);
  return epoch_;
}

bool CheckpointWriter::InUse(const std::string& name) const {
  std::lock_guard lock(mutex_);
  const auto named = [&](const StateFileInfo& file) { return file.name == name; };
  return being_written_.count(name) > 0 || std::any_of(files_.begin(), files_.end(), named);
}

std::string CheckpointWriter::NewFileName(uint64_t epoch) {
  std::lock_guard lock(mutex_);
  std::string name = fmt::format("data/{:020}-{}-{}.state", epoch, run_, names_made_++);
  being_written_.insert(name);
  return name;
}

CheckpointReport CheckpointWriter::Write(uint64_t epoch, CheckpointKind kind) {
  std::vector<Delta> deltas;
  {
    std::lock_guard lock(mutex_);
    deltas.swap(closed_);
  }
  std::string name;
  try {
    CheckpointReport report;
    StateFileInfo file = WriteDeltas(deltas, epoch, &report.written_entries);
    name = file.name;
    std::vector<StateFileInfo> files;
    {
      std::lock_guard lock(mutex_);
      files = files_;
    }
    if (!name.empty()) files.push_back(file);
    Manifest manifest = MakeManifest(files, epoch, kind);
    store_->Commit(&manifest);
    if (kind == CheckpointKind::kSavepoint) store_->Pin(manifest.epoch);

    {
      std::lock_guard lock(mutex_);
      // A merge may have replaced the older ones meanwhile.
      if (!name.empty()) files_.push_back(std::move(file));
      being_written_.erase(name);
      epoch_ = manifest.epoch;
    }
    report.epoch = manifest.epoch;
    report.kind = kind;
    report.finished_ms = clock_->now_us() / 1000;
    report.written_bytes =
        (name.empty() ? 0 : files.back().bytes) + static_cast<int64_t>(manifest.ToText().size());
    report.total_bytes = manifest.bytes();
    report.num_files = static_cast<int>(files.size());
    for (const ManifestOperator& one : manifest.operators)
      report.subtask_bytes.push_back(SubtaskBytes(files, one));
    report.operators = std::move(manifest.operators);
    try {
      report.kept =
          store_->Retire(options_.keep, [this](const std::string& file_name) { return InUse(file_name); });
    } catch (const ExternalError&) {
      // What could not be removed is found again by the next one.
    }
    return report;
  } catch (const ExternalError&) {
    std::lock_guard lock(mutex_);
    being_written_.erase(name);
    closed_.insert(closed_.begin(), std::make_move_iterator(deltas.begin()),
                   std::make_move_iterator(deltas.end()));
    throw;
  }
}

StateFileInfo CheckpointWriter::WriteDeltas(const std::vector<Delta>& deltas, uint64_t epoch,
                                            int64_t* entries) {
  std::map<std::pair<std::string, std::string>, std::vector<const TableChanges*>> tables;
  for (const Delta& delta : deltas) {
    for (const auto& [table, changes] : delta.buffer->tables()) {
      if (changes.entries() > 0) tables[{delta.operator_id, table}].push_back(&changes);
    }
  }
  if (tables.empty()) return {};
  const std::string name = NewFileName(epoch);
  StateFileWriter out(store_->objects(), name);
  for (const auto& [place, changes] : tables) {
    out.BeginSection(place.first, place.second);
    ForEachSorted(changes, [&](const EncodedEntry& entry) { out.Add(entry); });
  }
  StateFileInfo file = out.Finish();
  file.first_epoch = file.last_epoch = epoch;
  *entries = out.entries();
  return file;
}

Manifest CheckpointWriter::MakeManifest(const std::vector<StateFileInfo>& files, uint64_t epoch,
                                        CheckpointKind kind) const {
  Manifest manifest;
  manifest.epoch = epoch;
  manifest.kind = kind;
  manifest.created_ms = clock_->now_us() / 1000;
  manifest.job = job_;
  manifest.run = run_;
  manifest.operators = operators_;
  DescribeFiles(files, &manifest);
  return manifest;
}

void DescribeFiles(const std::vector<StateFileInfo>& files, Manifest* manifest) {
  manifest->files.clear();
  for (const StateFileInfo& file : files) {
    manifest->files.push_back({file.name, file.bytes, file.checksum, file.first_epoch, file.last_epoch});
  }
  for (ManifestOperator& one : manifest->operators) {
    for (ManifestTable& table : one.tables) {
      table.entries = table.bytes = 0;
      for (const StateFileInfo& file : files) {
        const StateSection* section = file.Find(one.id, table.spec.name);
        if (section == nullptr) continue;
        table.entries += section->entries;
        table.bytes += section->bytes();
      }
    }
  }
}

std::vector<int64_t> SubtaskBytes(const std::vector<StateFileInfo>& files, const ManifestOperator& one) {
  std::vector<int64_t> bytes(static_cast<size_t>(one.parallelism), 0);
  const auto share_out = [&](const StateBlock& block) {
    const bool of_all = block.first_group >= kKeyGroups;
    const int last_group = std::min<int>(block.last_group, kKeyGroups - 1);
    const int first = of_all ? 0 : SubtaskOf(block.first_group, one.parallelism);
    const int last =
        of_all ? one.parallelism - 1 : SubtaskOf(static_cast<uint16_t>(last_group), one.parallelism);
    const int64_t share = block.bytes / (last - first + 1);
    for (int subtask = first; subtask < last; ++subtask) bytes[static_cast<size_t>(subtask)] += share;
    bytes[static_cast<size_t>(last)] += block.bytes - share * (last - first);
  };
  for (const StateFileInfo& file : files) {
    for (const ManifestTable& table : one.tables) {
      const StateSection* section = file.Find(one.id, table.spec.name);
      if (section == nullptr) continue;
      for (const StateBlock& block : section->blocks) share_out(block);
    }
  }
  return bytes;
}

size_t CheckpointWriter::MergeBegin() const {
  const auto size_of = [&](size_t i) { return std::max(files_[i].bytes, options_.file_bytes_min); };
  if (files_.empty()) return 0;
  size_t begin = files_.size() - 1;
  int64_t newer = size_of(begin);
  while (begin > 0 && size_of(begin - 1) <= 2 * newer) newer += size_of(--begin);
  return files_.size() - begin >= static_cast<size_t>(options_.merge_files_min) ? begin : files_.size();
}

bool CheckpointWriter::Merge() {
  std::vector<StateFileInfo> inputs;
  size_t begin;
  uint64_t epoch;
  {
    std::lock_guard lock(mutex_);
    begin = MergeBegin();
    if (begin == files_.size() || merging_ended_) return false;
    inputs.assign(files_.begin() + static_cast<std::ptrdiff_t>(begin), files_.end());
    epoch = epoch_;
  }
  const std::string name = NewFileName(epoch);
  StateFileInfo merged;
  try {
    StateFileWriter out(store_->objects(), name);
    if (!MergeFiles(store_->objects(), operators_, inputs, /*keep_deletes=*/begin > 0, out,
                    &merging_ended_)) {
      std::lock_guard lock(mutex_);
      being_written_.erase(name);
      return false;
    }
    merged = out.Finish();
  } catch (const ExternalError&) {
    std::lock_guard lock(mutex_);
    being_written_.erase(name);
    throw;
  }
  merged.first_epoch = inputs.front().first_epoch;
  merged.last_epoch = inputs.back().last_epoch;
  std::lock_guard lock(mutex_);
  // Only this function replaces files; a Write meanwhile appended one.
  const auto first = files_.begin() + static_cast<std::ptrdiff_t>(begin);
  *first = std::move(merged);
  files_.erase(first + 1, first + static_cast<std::ptrdiff_t>(inputs.size()));
  being_written_.erase(name);
  return true;
}

bool MergeFiles(ObjectStore& objects, const std::vector<ManifestOperator>& operators,
                const std::vector<StateFileInfo>& inputs, bool keep_deletes, StateFileWriter& out,
                const std::atomic<bool>* ended) {
  struct Ended {};
  for (const ManifestOperator& one : operators) {
    for (const ManifestTable& table : one.tables) {
      std::vector<StateFileCursor> cursors;
      cursors.reserve(inputs.size());
      for (const StateFileInfo& file : inputs) {
        const StateSection* section = file.Find(one.id, table.spec.name);
        if (section != nullptr) cursors.emplace_back(objects, file, *section, KeyGroupRange{});
      }
      if (cursors.empty()) continue;
      out.BeginSection(one.id, table.spec.name);
      try {
        MergeEntries(cursors, keep_deletes, [&](const EncodedEntry& entry) {
          if (ended != nullptr && ended->load(std::memory_order_relaxed)) throw Ended();
          out.Add(entry);
        });
      } catch (const Ended&) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace laminar
