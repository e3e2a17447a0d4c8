#pragma once

/// The checkpoints below one URL (docs/checkpoints.md): list, load, commit in order, retire. Not thread-safe.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "state/manifest.h"
#include "state/state_file.h"

namespace laminar {

/// Another run has taken the state over: this one must end without committing anything more.
class StateTakenOver : public ExternalError {
 public:
  StateTakenOver(const std::string& url, uint64_t epoch)
      : ExternalError("state", "'" + url +
                                   "' was taken over by another run of the job, which wrote checkpoint " +
                                   std::to_string(epoch)) {}
};

/// One checkpoint with the footers of its files.
struct Checkpoint {
  Manifest manifest;
  std::vector<StateFileInfo> files;  ///< as manifest.files
};

class CheckpointStore {
 public:
  explicit CheckpointStore(std::shared_ptr<ObjectStore> objects);

  ObjectStore& objects() const { return *objects_; }
  const std::shared_ptr<ObjectStore>& shared_objects() const { return objects_; }

  /// Epochs of all manifests, rising, whether readable or not.
  std::vector<uint64_t> Epochs() const;
  /// Throws ExternalError when it is missing or damaged.
  Manifest LoadManifest(uint64_t epoch) const;
  /// With the footers of its files; `epoch` nullopt: the newest whose manifest is whole, or nullopt when
  /// there is none. What was passed over for damage is told in `passed_over` (may be null).
  std::optional<Checkpoint> Load(std::optional<uint64_t> epoch, std::vector<std::string>* passed_over) const;

  /// Puts the manifest under its epoch. When this run itself put it there before without hearing so, takes
  /// the next number, and says it in `manifest->epoch`. StateTakenOver when another run has that number.
  void Commit(Manifest* manifest);
  /// The same for the first manifest of a run; false when another run has that number.
  bool Seal(const Manifest& manifest);

  /// A savepoint: Retire leaves that checkpoint until it is unpinned.
  void Pin(uint64_t epoch);
  void Unpin(uint64_t epoch);
  std::set<uint64_t> Pinned() const;

  /// Removes manifests but the newest `keep` and the pinned, then files that no manifest names and that are
  /// not `in_use` (asked after the list was made). Gives the epochs that are left, rising.
  std::vector<uint64_t> Retire(int keep, const std::function<bool(const std::string& name)>& in_use);

  /// Removes what runs left behind that ended while they wrote a file. Only after `Seal`.
  void RemoveUnfinished();

  static std::string ManifestName(uint64_t epoch);

 private:
  const std::vector<std::string>& FilesOf(uint64_t epoch);

  std::shared_ptr<ObjectStore> objects_;
  std::map<uint64_t, std::vector<std::string>> files_of_;  ///< by epoch; a manifest never changes
};

/// Every block of every file checked, and every manifest; what is wrong, one line each.
std::vector<std::string> VerifyCheckpoint(const CheckpointStore& store, uint64_t epoch);

/// The merged entries of one table, deletes left out.
void ReadTable(ObjectStore& objects, const Checkpoint& checkpoint, const std::string& operator_id,
               std::string_view table, KeyGroupRange range,
               const std::function<void(const StateEntry&)>& take);

/// A subtask's view; null when the operator has no state there. Must not outlive the arguments.
std::unique_ptr<SnapshotReader> ReadOperator(std::shared_ptr<ObjectStore> objects,
                                             std::shared_ptr<const Checkpoint> checkpoint,
                                             const std::string& operator_id, KeyGroupRange range);

/// The same of what was put and deleted after checkpoint `epoch`, which must not lie within a file's epochs.
std::unique_ptr<SnapshotReader> ReadChanges(std::shared_ptr<ObjectStore> objects,
                                            std::shared_ptr<const Checkpoint> checkpoint, uint64_t epoch,
                                            const std::string& operator_id, KeyGroupRange range);

}  // namespace laminar
