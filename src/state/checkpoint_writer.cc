#include "state/checkpoint_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/error.h"
#include "state/entry_sort.h"

namespace laminar {

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
  StateFileWriter out(store_->objects(), name, StateFileWriter::Use::kChanges);
  for (const auto& [place, changes] : tables) {
    out.BeginSection(place.first, place.second);
    ForEachSorted(changes, [&](uint16_t key_group, std::string_view entry) { out.Add(key_group, entry); });
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
  const int files_min =
      changes_replace_ ? std::max(2, options_.merge_files_min / 2) : options_.merge_files_min;
  return files_.size() - begin >= static_cast<size_t>(files_min) ? begin : files_.size();
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
    StateFileWriter out(store_->objects(), name, StateFileWriter::Use::kMerged);
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
  int64_t bytes_before = 0;
  for (const StateFileInfo& file : inputs) bytes_before += file.bytes;
  std::lock_guard lock(mutex_);
  changes_replace_ = merged.bytes < bytes_before / 2;
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
          out.Add(entry.key_group, entry.bytes);
        });
      } catch (const Ended&) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace laminar
