#include "connectors/filesystem/sink.h"

#include <arrow/array.h>
#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "base/random_id.h"
#include "connectors/option_text.h"

namespace laminar {

namespace fs = std::filesystem;

namespace {

/// With more open files than this the one that was written to longest ago is closed.
constexpr size_t kOpenFilesMax = 256;

constexpr std::string_view kFileKey = "file/";
constexpr std::string_view kSerialKey = "serial/";

struct OpenFile {
  FileRecord record;
  std::unique_ptr<StagedFile> file;
  int64_t last_row_us = 0;  ///< wall clock
  int64_t row_time_max = kMinWatermark;
};

struct ClosedFile {
  FileRecord record;
  std::optional<uint64_t> epoch;  ///< of the first checkpoint that holds it
};

class FilesystemSink final : public Sink {
 public:
  explicit FilesystemSink(std::shared_ptr<const FilesystemSinkSpec> spec)
      : spec_(std::move(spec)), write_(spec_->write) {}

  std::vector<StateTableSpec> state_tables() const override {
    return {TextTable("files", "TEXT -> JSON", "name", "record"),
            {"tails", 1, "TEXT -> BINARY", {StatePart::Text("name")}, {StatePart::Bytes("bytes")}}};
  }

  void Restore(const SnapshotReader& reader) override {
    reader.ForEach("files", [&](const StateEntry& entry) {
      if (entry.key.substr(0, kSerialKey.size()) == kSerialKey) {
        serial_ = std::max(serial_, ParseIntegerText(entry.value).value_or(0));
      } else {
        const std::string staged(entry.key.substr(kFileKey.size()));
        restored_.emplace(staged, FileRecord::FromText(staged, entry.value));
      }
    });
    reader.ForEach("tails", [&](const StateEntry& entry) {
      const auto file = restored_.find(std::string(entry.key));
      if (file != restored_.end()) file->second.tail = entry.value;
    });
  }

  /// A file that came into place was in the checkpoint that let it.
  std::vector<std::string> OutputsIn(const SnapshotReader& reader) const override {
    std::vector<std::string> names;
    reader.ForEach("files", [&](const StateEntry& entry) {
      if (entry.key.substr(0, kSerialKey.size()) == kSerialKey) return;
      names.push_back(FileRecord::FromText(entry.key, entry.value).final_name);
    });
    return names;
  }

  void Open(const OperatorContext& context) override {
    Sink::Open(context);
    namer_ = std::make_unique<FileNamer>(spec_->naming, spec_->prefix, spec_->suffix, context.subtask);
    namer_->set_serial(serial_);
    if (!ReadsRows()) write_.encoder = write_.format->make_encoder(write_.format_spec, write_.columns);
    staging_ = spec_->make_staging();
    staging_->Open(context.wake);
    token_ = context.job_id.empty() ? spec_->sink_token : Token(context.job_id + "/" + context.operator_id);
    Recover();
  }

  void Write(const Batch& batch) override {
    if (!spec_->partition.partitioned()) {
      WriteTo("", batch);
      return;
    }
    for (const Partition& partition : PartitionRows(batch, spec_->partition)) {
      const bool all = static_cast<int64_t>(partition.rows.size()) == batch.num_rows;
      WriteTo(partition.directory, all ? batch : Take(batch, partition.rows));
    }
  }

  void OnWatermark(int64_t watermark_us) override {
    if (!spec_->rolling.watermark_expiration || spec_->partition.time_pattern.empty()) return;
    const bool end = watermark_us == kMaxWatermark;
    const std::string now = end ? "" : TimeDirectory(spec_->partition.time_pattern, watermark_us);
    CloseWhere([&](const OpenFile& open) {
      const bool same_period = open.record.directory.compare(0, now.size(), now) == 0;
      return end || (open.row_time_max < watermark_us && !same_period);
    });
  }

  bool ready() const override { return staging_->ready(); }

  std::optional<int64_t> next_timer_us() const override {
    if (staging_->failed()) return 0;  // at once
    std::optional<int64_t> next;
    for (const auto& [directory, open] : open_) {
      if (const auto due = DueAt(open); due && (!next || *due < *next)) next = due;
    }
    return next;
  }

  void OnTimer(int64_t now_us) override {
    staging_->ThrowFailure();
    CloseWhere([&](const OpenFile& open) {
      const auto due = DueAt(open);
      return due && *due <= now_us;
    });
  }

  void Snapshot(uint64_t epoch, SnapshotWriter& writer) override {
    // A file with a footer cannot be cut and continued: what the checkpoint covers must be in closed files.
    CloseWhere([](const OpenFile& open) { return !open.file->resumable(); });
    StateWriter& table = writer.Table("files");
    StateWriter& tails = writer.Table("tails");
    for (const std::string& staged : staging_->TakeCommitted()) {
      table.Delete(kEverySubtask, Key(staged));
      if (with_tail_.erase(staged) > 0) tails.Delete(kEverySubtask, staged);
    }
    for (auto& [directory, open] : open_) {
      open.record.length = open.file->Persist();
      WriteRecord(&open.record, table, tails);
    }
    for (ClosedFile& closed : closed_) {
      if (closed.epoch) continue;
      closed.epoch = epoch;
      WriteRecord(&closed.record, table, tails);
    }
    if (!open_.empty() || !closed_.empty()) staging_->SyncNames();
    if (spec_->naming == NameStrategy::kSerial) {
      table.Put(kEverySubtask, std::string(kSerialKey) + std::to_string(context_.subtask),
                std::to_string(namer_->serial()));
    }
  }

  void OnCheckpointComplete(uint64_t epoch) override {
    Commit([&](const ClosedFile& closed) { return closed.epoch && *closed.epoch <= epoch; });
  }

  void OnEnd() override {
    CloseWhere([](const OpenFile&) { return true; });
  }

  void Leave() override { staging_->Finish(); }

  void Close() override {
    OnEnd();
    Commit([](const ClosedFile&) { return true; });
    staging_->Finish();
  }

 private:
  static std::string Token(const std::string& name) {
    return fmt::format("{:016x}", XXH3_64bits(name.data(), name.size()));
  }
  static std::string Key(const std::string& staged) { return std::string(kFileKey) + staged; }
  bool ReadsRows() const {
    return !write_.format->make_encoder || static_cast<bool>(write_.format->create_file);
  }

  void WriteRecord(FileRecord* record, StateWriter& files, StateWriter& tails) {
    staging_->Save(record);
    files.Put(kEverySubtask, Key(record->staged), record->ToText());
    if (!record->tail.empty()) {
      with_tail_.insert(record->staged);
      tails.Put(kEverySubtask, record->staged, record->tail);
      record->tail.clear();
    } else if (with_tail_.erase(record->staged) > 0) {
      tails.Delete(kEverySubtask, record->staged);
    }
  }

  void WriteTo(const std::string& directory, const Batch& rows) {
    auto found = open_.find(directory);
    if (found == open_.end()) {
      if (open_.size() >= kOpenFilesMax) CloseOldest();
      found = open_.emplace(directory, Start(directory)).first;
    }
    OpenFile& open = found->second;
    open.file->Write(OnlyTableColumns(rows));
    open.last_row_us = context_.clock->now_us();
    if (spec_->rolling.watermark_expiration) {
      open.row_time_max = std::max(open.row_time_max, NewestRowTime(rows));
    }
    if (spec_->rolling.bytes > 0 && open.file->bytes() >= spec_->rolling.bytes) {
      CloseFile(open);
      open_.erase(found);
    }
  }

  OpenFile Start(const std::string& directory) {
    OpenFile open;
    open.record.directory = directory;
    open.record.first_row_us = context_.clock->now_us();
    do {  // serial names may be taken by an earlier run
      open.record.final_name = (fs::path(directory) / namer_->Next(context_.clock->now_us())).string();
    } while (staging_->Taken(open.record.final_name));
    open.record.staged = fmt::format("{}.{}.{}.{}.part", token_, opening_, context_.subtask, staged_count_++);
    open.file = MakeStagedFile(staging_->Create(open.record), 0, write_);
    return open;
  }

  /// The row time may come as an extra last column that is not written.
  Batch OnlyTableColumns(const Batch& rows) const {
    const auto wanted = static_cast<size_t>(write_.columns.num_columns());
    Batch out = rows;
    if (out.columns.size() > wanted) out.columns.resize(wanted);
    return out;
  }

  int64_t NewestRowTime(const Batch& rows) const {
    if (spec_->partition.event_time_column < 0) return kMinWatermark;
    const auto& times = static_cast<const arrow::TimestampArray&>(
        *rows.columns[static_cast<size_t>(spec_->partition.event_time_column)]);
    int64_t newest = kMinWatermark;
    for (int64_t row = 0; row < times.length(); ++row) {
      if (times.IsValid(row)) newest = std::max(newest, times.Value(row));
    }
    return newest;
  }

  std::optional<int64_t> DueAt(const OpenFile& open) const {
    std::optional<int64_t> due;
    if (spec_->rolling.interval_us > 0) due = open.record.first_row_us + spec_->rolling.interval_us;
    if (spec_->rolling.inactivity_us > 0) {
      const int64_t inactive = open.last_row_us + spec_->rolling.inactivity_us;
      due = due ? std::min(*due, inactive) : inactive;
    }
    return due;
  }

  template <typename Predicate>
  void CloseWhere(Predicate wanted) {
    for (auto it = open_.begin(); it != open_.end();) {
      if (wanted(it->second)) {
        CloseFile(it->second);
        it = open_.erase(it);
      } else {
        ++it;
      }
    }
  }

  void CloseOldest() {
    const auto oldest = std::min_element(open_.begin(), open_.end(), [](const auto& a, const auto& b) {
      return a.second.last_row_us < b.second.last_row_us;
    });
    CloseFile(oldest->second);
    open_.erase(oldest);
  }

  void CloseFile(OpenFile& open) {
    open.record.length = open.file->Close();
    open.record.closed = true;
    closed_.push_back({std::move(open.record), std::nullopt});
  }

  template <typename Predicate>
  void Commit(Predicate due) {
    std::vector<FileRecord> ready;
    std::vector<ClosedFile> kept;
    for (ClosedFile& closed : closed_) {
      if (due(closed)) {
        ready.push_back(std::move(closed.record));
      } else {
        kept.push_back(std::move(closed));
      }
    }
    closed_ = std::move(kept);
    if (!ready.empty()) staging_->Commit(ready);
  }

  void Recover() {
    for (auto& [staged, record] : restored_) {
      const uint64_t hash = XXH3_64bits(staged.data(), staged.size());
      if (hash % static_cast<uint64_t>(context_.parallelism) != static_cast<uint64_t>(context_.subtask)) {
        continue;
      }
      if (!record.tail.empty()) with_tail_.insert(staged);
      if (record.closed) {
        closed_.push_back({record, 0});
      } else {
        Adopt(record);
      }
    }
    OnCheckpointComplete(0);
    if (!context_.job_id.empty()) RemoveOrphans();
    restored_.clear();
  }

  /// Goes on with a file that was open at the checkpoint.
  void Adopt(const FileRecord& record) {
    OpenFile open;
    open.record = record;
    open.record.tail.clear();
    open.last_row_us = record.first_row_us;
    open.file = MakeStagedFile(staging_->Resume(record), record.length, write_);
    if (open_.count(record.directory) == 0) {
      open_.emplace(record.directory, std::move(open));
    } else {
      CloseFile(open);  // a subtask that went away wrote to the same partition
    }
  }

  /// Staged files that no checkpoint knows and no sibling writes: those whose number of a subtask falls to
  /// this one, but for its own.
  void RemoveOrphans() {
    std::set<std::string> known;
    for (const auto& [staged, record] : restored_) known.insert(staged);
    const std::string start = token_ + ".";
    const std::string own = start + opening_ + ".";
    staging_->RemoveOrphans(start, [known, own, subtask = context_.subtask,
                                    parallelism = context_.parallelism](const std::string& staged) {
      if (staged.starts_with(own) || known.count(staged) > 0 || staged.size() <= own.size()) return false;
      const std::string number = staged.substr(own.size(), staged.find('.', own.size()) - own.size());
      return ParseIntegerText(number).value_or(0) % parallelism == subtask;
    });
  }

  const std::shared_ptr<const FilesystemSinkSpec> spec_;
  FileWriteSpec write_;
  std::string token_;
  const std::string opening_ = fmt::format("{:016x}", RandomWord());  // tells this run's staged files
  int64_t serial_ = 0;
  std::map<std::string, FileRecord> restored_;

  std::unique_ptr<Staging> staging_;  // before the open files, which need it
  std::unique_ptr<FileNamer> namer_;
  int64_t staged_count_ = 0;
  std::map<std::string, OpenFile> open_;  // by partition directory
  std::vector<ClosedFile> closed_;        // complete, not yet in place
  std::set<std::string> with_tail_;       // staged names that have an entry in the table of tails
};

}  // namespace

std::unique_ptr<Sink> MakeFilesystemSink(std::shared_ptr<const FilesystemSinkSpec> spec) {
  return std::make_unique<FilesystemSink>(std::move(spec));
}

}  // namespace laminar
