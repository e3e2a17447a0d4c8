#pragma once

/// Makes what subtasks handed over durable: a state file and a manifest per epoch, and merges of the files so
/// that their chain stays short (docs/checkpoints.md). Has no threads of its own: whoever runs the job calls
/// Write after each epoch and Merge now and then, on any one thread each.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "state/checkpoint_store.h"

namespace laminar {

/// What one checkpoint came to.
struct CheckpointReport {
  uint64_t epoch = 0;
  CheckpointKind kind = CheckpointKind::kScheduled;
  int64_t finished_ms = 0;
  int64_t pause_us = 0;       ///< the longest that a task stood still; filled by who ran it
  int64_t write_us = 0;       ///< sorting, writing and syncing, beside the job; likewise
  int64_t written_bytes = 0;  ///< the state file and the manifest of this epoch
  int64_t written_entries = 0;
  int64_t total_bytes = 0;  ///< of all its files
  int num_files = 0;
  std::vector<ManifestOperator> operators;  ///< with their totals
  /// [operator][subtask]: of those totals, what lies in the subtask's key groups.
  std::vector<std::vector<int64_t>> subtask_bytes;
  std::vector<uint64_t> kept;  ///< epochs that retention left; empty: not known
};

class CheckpointWriter {
 public:
  struct Options {
    int keep = 10;
    /// So many of the newest files are merged, once they are about as big as the one before them; half as
    /// many where the last merge left less than half of the bytes: there, most of what a restart reads is
    /// outdated.
    int merge_files_min = 16;
    /// Smaller files count as this big when it is decided what to merge: a file costs something by itself.
    int64_t file_bytes_min = 64 << 10;
  };

  /// Goes on from `base` (its manifest sealed by this run, `run` and `operators` those of this run).
  CheckpointWriter(std::shared_ptr<CheckpointStore> store, Checkpoint base, const Clock* clock,
                   Options options);

  /// One subtask's delta. Thread-safe; the buffer is filled by one thread.
  std::shared_ptr<SnapshotBuffer> NewBuffer(const std::string& operator_id);
  /// All buffers made since the last call are whole: the next Write takes them. Thread-safe.
  void CloseEpoch();

  /// Writes everything that was closed as checkpoint `epoch`; a savepoint is pinned, too. Throws
  /// ExternalError: then nothing is lost, the next Write takes it along.
  CheckpointReport Write(uint64_t epoch, CheckpointKind kind);
  /// Merges files of the chain if that is due; false when it is not. Throws ExternalError: the chain stays.
  bool Merge();
  /// Nothing is merged any more, and what is being merged stays as it was: the job is about to end. From any
  /// thread.
  void EndMerging() { merging_ended_.store(true, std::memory_order_relaxed); }
  /// After the last Write and Merge: removes files that no manifest came to name. Throws ExternalError.
  void RemoveUnnamed() {
    store_->Retire(options_.keep, [](const std::string&) { return false; });
  }
  /// The newest checkpoint.
  uint64_t epoch() const;

 private:
  struct Delta {
    std::string operator_id;
    std::shared_ptr<SnapshotBuffer> buffer;
  };

  /// Writes a file of all of `deltas`; no name when there is nothing in them.
  StateFileInfo WriteDeltas(const std::vector<Delta>& deltas, uint64_t epoch, int64_t* entries);
  std::string NewFileName(uint64_t epoch);
  bool InUse(const std::string& name) const;
  Manifest MakeManifest(const std::vector<StateFileInfo>& files, uint64_t epoch, CheckpointKind kind) const;
  /// First of the files that a merge would take; files.size() when none is due. With mutex_ held.
  size_t MergeBegin() const;

  const std::shared_ptr<CheckpointStore> store_;
  const Clock* const clock_;
  const Options options_;
  const std::string job_;
  const std::string run_;
  const std::vector<ManifestOperator> operators_;
  std::atomic<bool> merging_ended_ = false;

  mutable std::mutex mutex_;
  // All below guarded by mutex_.
  std::vector<Delta> filling_;
  std::vector<Delta> closed_;
  std::vector<StateFileInfo> files_;  ///< the chain, oldest first
  std::set<std::string> being_written_;
  int64_t names_made_ = 0;
  uint64_t epoch_;
  bool changes_replace_ = false;  ///< the last merge left less than half of the bytes
};

/// Adds up `inputs` (oldest first) to the sections of `out`, only of tables that `operators` have. False, and
/// `out` is of no use, once `*ended`.
bool MergeFiles(ObjectStore& objects, const std::vector<ManifestOperator>& operators,
                const std::vector<StateFileInfo>& inputs, bool keep_deletes, StateFileWriter& out,
                const std::atomic<bool>* ended = nullptr);

/// By subtask, the bytes of an operator's blocks. A block that several share, or all read, counts in equal
/// parts.
std::vector<int64_t> SubtaskBytes(const std::vector<StateFileInfo>& files, const ManifestOperator& one);

/// Fills `manifest->files`, and its operators' entries and bytes from the files' sections.
void DescribeFiles(const std::vector<StateFileInfo>& files, Manifest* manifest);

}  // namespace laminar
