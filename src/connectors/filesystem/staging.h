#pragma once

/// Where the files of a sink grow unseen and are put into place: a directory, or a bucket. The sink decides
/// when; what it must remember of each file between checkpoints is a FileRecord.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace laminar {

/// What the state holds of a file that is not in place yet.
struct FileRecord {
  std::string staged;      ///< its name until then, unique
  std::string final_name;  ///< relative to the root
  std::string directory;   ///< of the partition
  bool closed = false;
  int64_t length = 0;
  int64_t first_row_us = 0;
  std::string place;  ///< the staging's own, e.g. an upload's id and parts; JSON
  std::string tail;   ///< bytes at the end of the file that are nowhere else

  /// Without `staged` and `tail`, which have keys of their own.
  std::string ToText() const;
  static FileRecord FromText(std::string_view staged, std::string_view text);
};

/// The bytes of a file being written. Calls may block no longer than a local disk does.
class StagedOutput {
 public:
  virtual ~StagedOutput() = default;
  virtual void Write(std::string_view data) = 0;
  /// What was written is held by what `Staging::Save` gives out next.
  virtual void Sync() = 0;
  /// No byte will follow; then as Sync.
  virtual void Close() = 0;
};

/// Belongs to one sink. Calls as in StagedOutput, but for those of the start and `Finish`.
class Staging {
 public:
  virtual ~Staging() = default;

  /// First of all. `wake` (thread-safe) is called when `ready` or `failed` may have changed.
  virtual void Open(std::function<void()> wake) = 0;
  /// Removes what an earlier run staged under names that begin with `start`, as far as `is_orphan` says so of
  /// a name: its rows come again. A bucket's staging asks on its own thread.
  using IsOrphan = std::function<bool(const std::string& staged)>;
  virtual void RemoveOrphans(const std::string& start, const IsOrphan& is_orphan) = 0;
  /// Whether there is such a file, so that another name must be found.
  virtual bool Taken(const std::string& final_name) = 0;

  virtual std::unique_ptr<StagedOutput> Create(const FileRecord& record) = 0;
  /// Goes on behind `record.length` of a file that was open at a checkpoint; what follows there is dropped.
  virtual std::unique_ptr<StagedOutput> Resume(const FileRecord& record) = 0;
  /// Fills in `place` and `tail` of a file that was synced or closed.
  virtual void Save(FileRecord* record) = 0;
  /// Before a snapshot that names any file is complete.
  virtual void SyncNames() = 0;

  /// Puts closed files into place, soon if not now. May be repeated after a crash: what is there already is
  /// done.
  virtual void Commit(const std::vector<FileRecord>& records) = 0;
  /// Staged names of those that came into place since the last call.
  virtual std::vector<std::string> TakeCommitted() = 0;
  /// All rows were written: waits until all that was to be committed is. Throws why it cannot be.
  virtual void Finish() = 0;

  /// False: there is enough on its way, no row should be written now.
  virtual bool ready() const { return true; }
  /// Something went wrong beside the calls; `ThrowFailure` says what.
  virtual bool failed() const { return false; }
  virtual void ThrowFailure() {}
};

using StagingFactory = std::function<std::unique_ptr<Staging>()>;

/// Files grow in `<root>/.tmp/` and are renamed.
std::unique_ptr<Staging> MakeLocalStaging(std::string root);

}  // namespace laminar
