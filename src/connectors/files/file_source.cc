#include "connectors/files/file_source.h"

#include <xxhash.h>

#include <deque>
#include <map>
#include <optional>
#include <set>

#include "connectors/option_text.h"

namespace laminar {

namespace {

constexpr std::string_view kDone = "done ";
constexpr std::string_view kAt = "at ";

struct Progress {
  bool done = false;
  int64_t position = 0;
};

std::string ToText(const Progress& progress) {
  return std::string(progress.done ? kDone : kAt) + std::to_string(progress.position);
}

Progress ProgressFromText(std::string_view text, std::string_view name) {
  const bool done = text.substr(0, kDone.size()) == kDone;
  const auto position = ParseIntegerText(text.substr(std::min(text.size(), (done ? kDone : kAt).size())));
  LAMINAR_CHECK(position.has_value(), "position of split '" + std::string(name) + "' cannot be read");
  return {done, *position};
}

class FileSource final : public Source {
 public:
  explicit FileSource(FileSourceSpec spec) : spec_(std::move(spec)) {}

  PollResult Poll(Output& out) override {
    if (ScanIsDue()) Scan(out);
    if (!current_ && !pending_.empty()) OpenNext();
    if (!current_) return spec_.scan_interval_us > 0 ? PollResult::kWaiting : PollResult::kEnd;
    Batch batch = current_->Next(context_.batch_rows_max);
    Progress& progress = progress_[current_name_];
    dirty_.insert(current_name_);
    if (batch.empty()) {
      progress.done = true;
      current_.reset();
      out.EmitSplit({current_index_, SplitEvent::Kind::kFinished, current_name_});
      if (pending_.empty() && spec_.scan_interval_us > 0) SetIdle(true, out);
      return PollResult::kMore;
    }
    progress.position = current_->position();
    context_.metrics->bytes_in.Add(current_->bytes_read() - bytes_counted_);
    bytes_counted_ = current_->bytes_read();
    batch.split = current_index_;
    out.Emit(std::move(batch));
    return PollResult::kMore;
  }

  std::optional<int64_t> next_poll_us() const override {
    if (spec_.scan_interval_us <= 0 || !last_scan_us_) return std::nullopt;
    return *last_scan_us_ + spec_.scan_interval_us;
  }

  void Snapshot(SnapshotWriter& writer) override {
    StateWriter& table = writer.Table("splits");
    for (const std::string& name : dirty_) table.Put(kEverySubtask, name, ToText(progress_[name]));
    dirty_.clear();
  }

  void Restore(const SnapshotReader& reader) override {
    reader.ForEach("splits", [&](const StateEntry& entry) {
      progress_[std::string(entry.key)] = ProgressFromText(entry.value, entry.key);
    });
  }

 private:
  struct Pending {
    FileToRead file;
    int32_t index;
  };

  bool ScanIsDue() const {
    if (!last_scan_us_) return true;
    return spec_.scan_interval_us > 0 && context_.clock->now_us() >= *last_scan_us_ + spec_.scan_interval_us;
  }

  bool IsMine(const std::string& name) const {
    if (spec_.one_reader) return context_.subtask == 0;
    return XXH3_64bits(name.data(), name.size()) % static_cast<uint64_t>(context_.parallelism) ==
           static_cast<uint64_t>(context_.subtask);
  }

  void Scan(Output& out) {
    const bool first = !last_scan_us_;
    last_scan_us_ = context_.clock->now_us();
    std::set<std::string> found;
    for (FileToRead& file : spec_.list()) {
      found.insert(file.name);
      if (!IsMine(file.name) || known_.count(file.name)) continue;
      const auto progress = progress_.find(file.name);
      if (progress != progress_.end() && progress->second.done) {
        if (!spec_.files_grow) continue;
        progress->second.done = false;
      }
      known_.insert(file.name);
      Announce(std::move(file), out);
    }
    if (first) CheckRestored(found);
    // One that looks only once ends now, and the end says all: were it idle before, its consumers would run
    // ahead of what others send out at that end.
    if (first && pending_.empty() && spec_.scan_interval_us > 0) SetIdle(true, out);
  }

  void Announce(FileToRead file, Output& out) {
    SetIdle(false, out);
    out.EmitSplit({next_index_, SplitEvent::Kind::kStarted, file.name});
    pending_.push_back({std::move(file), next_index_++});
  }

  /// A file that was being read must still be there; what is restored is written again by whoever owns it
  /// now.
  void CheckRestored(const std::set<std::string>& found) {
    for (const auto& [name, progress] : progress_) {
      if (!IsMine(name)) continue;
      dirty_.insert(name);
      if (!progress.done && !found.count(name)) {
        throw ExternalError("file", "'" + name + "' has gone: it was read up to position " +
                                        std::to_string(progress.position) + " before the restart");
      }
    }
  }

  void OpenNext() {
    const Pending next = std::move(pending_.front());
    pending_.pop_front();
    current_name_ = next.file.name;
    current_index_ = next.index;
    bytes_counted_ = 0;
    current_ = OpenFileSplit(next.file.path, next.file.path, progress_[current_name_].position, spec_.read);
  }

  void SetIdle(bool idle, Output& out) {
    if (idle == idle_) return;
    idle_ = idle;
    out.EmitIdle(idle);
  }

  const FileSourceSpec spec_;
  std::map<std::string, Progress> progress_;  // restored: of all subtasks; then those that this one has begun
  std::set<std::string> dirty_;               // changed since the last snapshot
  std::set<std::string> known_;               // announced by this run
  std::deque<Pending> pending_;
  std::optional<int64_t> last_scan_us_;
  int32_t next_index_ = 0;
  bool idle_ = false;

  std::unique_ptr<FileSplit> current_;
  std::string current_name_;
  int32_t current_index_ = -1;
  int64_t bytes_counted_ = 0;
};

}  // namespace

std::unique_ptr<Source> MakeFileSource(FileSourceSpec spec) {
  return std::make_unique<FileSource>(std::move(spec));
}

}  // namespace laminar
