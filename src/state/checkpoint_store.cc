#include "state/checkpoint_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"

namespace laminar {

namespace {

constexpr std::string_view kManifests = "manifests/";
constexpr std::string_view kData = "data/";
constexpr std::string_view kPins = "savepoints/";

StateFileInfo InfoOf(const ManifestFile& file) {
  StateFileInfo info;
  info.name = file.name;
  info.bytes = file.bytes;
  info.checksum = file.checksum;
  info.first_epoch = file.first_epoch;
  info.last_epoch = file.last_epoch;
  return info;
}

std::string ReadWhole(ObjectStore& objects, const std::string& name) {
  const auto bytes = objects.Size(name);
  if (!bytes) throw ExternalError("state", "no '" + name + "' below '" + objects.url() + "'");
  return objects.Read(name, 0, *bytes);
}

/// The numbers that objects below `prefix` are named by, rising.
std::vector<uint64_t> NumbersBelow(ObjectStore& objects, std::string_view prefix) {
  std::vector<uint64_t> numbers;
  for (const ObjectInfo& object : objects.List(std::string(prefix))) {
    uint64_t number = 0;
    const char* end = object.name.data() + object.name.size();
    const auto parsed = std::from_chars(object.name.data() + prefix.size(), end, number);
    if (parsed.ec == std::errc() && parsed.ptr == end) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace

CheckpointStore::CheckpointStore(std::shared_ptr<ObjectStore> objects) : objects_(std::move(objects)) {}

std::string CheckpointStore::ManifestName(uint64_t epoch) {
  return fmt::format("{}{:020}", kManifests, epoch);
}

std::vector<uint64_t> CheckpointStore::Epochs() const { return NumbersBelow(*objects_, kManifests); }

void CheckpointStore::Pin(uint64_t epoch) { objects_->Put(fmt::format("{}{:020}", kPins, epoch), ""); }

void CheckpointStore::Unpin(uint64_t epoch) { objects_->Delete(fmt::format("{}{:020}", kPins, epoch)); }

std::set<uint64_t> CheckpointStore::Pinned() const {
  const auto epochs = NumbersBelow(*objects_, kPins);
  return {epochs.begin(), epochs.end()};
}

Manifest CheckpointStore::LoadManifest(uint64_t epoch) const {
  const std::string name = ManifestName(epoch);
  if (!objects_->Size(name)) {
    const auto epochs = Epochs();
    throw ExternalError("state", epochs.empty()
                                     ? fmt::format("no checkpoint below '{}'", objects_->url())
                                     : fmt::format("no checkpoint {} below '{}'; there are {} to {}", epoch,
                                                   objects_->url(), epochs.front(), epochs.back()));
  }
  return Manifest::FromText(ReadWhole(*objects_, name), objects_->url() + "/" + name);
}

std::optional<Checkpoint> CheckpointStore::Load(std::optional<uint64_t> epoch,
                                                std::vector<std::string>* passed_over) const {
  std::optional<Checkpoint> checkpoint;
  if (epoch) {
    checkpoint = Checkpoint{LoadManifest(*epoch), {}};
  } else {
    const auto epochs = Epochs();
    for (auto it = epochs.rbegin(); it != epochs.rend() && !checkpoint; ++it) {
      try {
        checkpoint = Checkpoint{LoadManifest(*it), {}};
      } catch (const StateDamaged& error) {
        // A manifest that is cut was never complete: nothing was committed for it.
        if (passed_over != nullptr) passed_over->push_back(error.what());
      }
    }
    if (!checkpoint && !epochs.empty()) {
      throw ExternalError("state", fmt::format("none of the {} checkpoints below '{}' is whole",
                                               epochs.size(), objects_->url()));
    }
  }
  if (!checkpoint) return std::nullopt;
  for (const ManifestFile& file : checkpoint->manifest.files) {
    checkpoint->files.push_back(InfoOf(file));
    ReadStateFileFooter(*objects_, &checkpoint->files.back());
  }
  return checkpoint;
}

bool CheckpointStore::Seal(const Manifest& manifest) {
  return objects_->PutIfAbsent(ManifestName(manifest.epoch), manifest.ToText());
}

void CheckpointStore::Commit(Manifest* manifest) {
  while (!objects_->PutIfAbsent(ManifestName(manifest->epoch), manifest->ToText())) {
    const Manifest there = LoadManifest(manifest->epoch);
    if (there.run != manifest->run) throw StateTakenOver(objects_->url(), manifest->epoch);
    ++manifest->epoch;
  }
}

std::vector<uint64_t> CheckpointStore::Retire(int keep,
                                              const std::function<bool(const std::string& name)>& in_use) {
  std::vector<uint64_t> epochs = Epochs();
  const std::set<uint64_t> pinned = Pinned();
  auto surplus = std::count_if(epochs.begin(), epochs.end(), [&](auto e) { return !pinned.count(e); }) - keep;
  std::erase_if(epochs, [&](uint64_t epoch) {
    if (surplus <= 0 || pinned.count(epoch)) return false;
    --surplus;
    objects_->Delete(ManifestName(epoch));
    files_of_.erase(epoch);
    return true;
  });
  std::set<std::string> named;
  for (const uint64_t epoch : epochs) {
    try {
      const auto& files = FilesOf(epoch);
      named.insert(files.begin(), files.end());
    } catch (const ExternalError&) {
      return epochs;  // what it needs is not known, so nothing may go
    }
  }
  for (const ObjectInfo& object : objects_->List(std::string(kData))) {
    if (named.count(object.name) == 0 && !in_use(object.name)) objects_->Delete(object.name);
  }
  return epochs;
}

void CheckpointStore::RemoveUnfinished() { objects_->RemoveUnfinished(std::string(kData)); }

const std::vector<std::string>& CheckpointStore::FilesOf(uint64_t epoch) {
  const auto found = files_of_.find(epoch);
  if (found != files_of_.end()) return found->second;
  std::vector<std::string> names;
  for (const ManifestFile& file : LoadManifest(epoch).files) names.push_back(file.name);
  return files_of_.emplace(epoch, std::move(names)).first->second;
}

std::vector<std::string> VerifyCheckpoint(const CheckpointStore& store, uint64_t epoch) {
  std::vector<std::string> wrong;
  Manifest manifest;
  try {
    manifest = store.LoadManifest(epoch);
  } catch (const ExternalError& error) {
    return {error.what()};
  }
  for (const ManifestFile& file : manifest.files) {
    try {
      StateFileInfo info = InfoOf(file);
      ReadStateFileFooter(store.objects(), &info);
      for (const StateSection& section : info.sections) {
        StateFileCursor cursor(store.objects(), info, section, KeyGroupRange{});
        int64_t entries = 0;
        while (cursor.Next()) ++entries;
        if (entries != section.entries) {
          wrong.push_back(fmt::format("'{}': table {} of {} has {} entries, {} were written", file.name,
                                      section.table, section.operator_id, entries, section.entries));
        }
      }
    } catch (const ExternalError& error) {
      wrong.push_back(error.what());
    }
  }
  return wrong;
}

namespace {

/// Entries of the files that begin after `epoch`; deletes only where it is not 0.
void ReadFiles(ObjectStore& objects, const Checkpoint& checkpoint, uint64_t epoch,
               const std::string& operator_id, std::string_view table, KeyGroupRange range,
               const std::function<void(const StateEntry&)>& take) {
  std::vector<StateFileCursor> cursors;
  cursors.reserve(checkpoint.files.size());
  for (const StateFileInfo& file : checkpoint.files) {
    if (epoch > 0 && file.first_epoch <= epoch) continue;
    const StateSection* section = file.Find(operator_id, table);
    if (section != nullptr) cursors.emplace_back(objects, file, *section, range);
  }
  MergeEntries(cursors, /*keep_deletes=*/epoch > 0, [&](const EncodedEntry& entry) {
    take({entry.key_group, entry.key, entry.value, entry.deleted});
  });
}

class CheckpointReader final : public SnapshotReader {
 public:
  CheckpointReader(std::shared_ptr<ObjectStore> objects, std::shared_ptr<const Checkpoint> checkpoint,
                   uint64_t epoch, std::string operator_id, KeyGroupRange range)
      : objects_(std::move(objects)),
        checkpoint_(std::move(checkpoint)),
        epoch_(epoch),
        operator_id_(std::move(operator_id)),
        range_(range) {}
  void ForEach(std::string_view table, const std::function<void(const StateEntry&)>& take) const override {
    ReadFiles(*objects_, *checkpoint_, epoch_, operator_id_, table, range_, take);
  }
  int64_t EntriesAbout(std::string_view table) const override {
    // Files may have the same keys. Too few costs growing; twice too many is what a growing table has, too.
    int64_t all = 0, most = 0;
    for (const StateFileInfo& file : checkpoint_->files) {
      if (const StateSection* section = file.Find(operator_id_, table)) {
        all += section->entries;
        most = std::max(most, section->entries);
      }
    }
    return std::min(all, 2 * most) * range_.size() / kKeyGroups;
  }

 private:
  const std::shared_ptr<ObjectStore> objects_;
  const std::shared_ptr<const Checkpoint> checkpoint_;
  const uint64_t epoch_;  // 0: all
  const std::string operator_id_;
  const KeyGroupRange range_;
};

bool HasOperator(const Checkpoint& checkpoint, const std::string& operator_id) {
  return std::any_of(checkpoint.files.begin(), checkpoint.files.end(), [&](const StateFileInfo& file) {
    return std::any_of(file.sections.begin(), file.sections.end(),
                       [&](const StateSection& section) { return section.operator_id == operator_id; });
  });
}

}  // namespace

void ReadTable(ObjectStore& objects, const Checkpoint& checkpoint, const std::string& operator_id,
               std::string_view table, KeyGroupRange range,
               const std::function<void(const StateEntry&)>& take) {
  ReadFiles(objects, checkpoint, 0, operator_id, table, range, take);
}

std::unique_ptr<SnapshotReader> ReadOperator(std::shared_ptr<ObjectStore> objects,
                                             std::shared_ptr<const Checkpoint> checkpoint,
                                             const std::string& operator_id, KeyGroupRange range) {
  if (!HasOperator(*checkpoint, operator_id)) return nullptr;
  return std::make_unique<CheckpointReader>(std::move(objects), std::move(checkpoint), 0, operator_id, range);
}

std::unique_ptr<SnapshotReader> ReadChanges(std::shared_ptr<ObjectStore> objects,
                                            std::shared_ptr<const Checkpoint> checkpoint, uint64_t epoch,
                                            const std::string& operator_id, KeyGroupRange range) {
  return std::make_unique<CheckpointReader>(std::move(objects), std::move(checkpoint), epoch, operator_id,
                                            range);
}

}  // namespace laminar
