#include "connectors/single_file/sink.h"

#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/local_file.h"
#include "connectors/line_buffer.h"
#include "connectors/option_text.h"

namespace laminar {

namespace {

class SingleFileSink final : public Sink {
 public:
  SingleFileSink(std::string path, std::string header) : path_(std::move(path)), header_(std::move(header)) {}

  std::vector<StateTableSpec> state_tables() const override {
    return {TextTable("files", "TEXT -> length", "path", "length")};
  }

  void Open(const OperatorContext& context) override {
    Sink::Open(context);
    if (restored_length_) {
      Reopen();
      return;
    }
    MakeDirectoriesDurably(std::filesystem::path(path_).parent_path().string());
    file_ = LocalFile::Create(path_);
    buffer_ = header_;
  }

  void Write(const Batch& batch) override {
    AppendLines(batch, &buffer_);
    if (buffer_.size() >= kLineBufferBytes) Flush();
  }

  void Flush() override {
    if (buffer_.empty()) return;
    file_.Write(buffer_);
    length_ += static_cast<int64_t>(buffer_.size());
    buffer_.clear();
  }

  void Snapshot(uint64_t, SnapshotWriter& writer) override {
    if (file_.is_open()) {  // not after Close: tasks that have ended take part in later checkpoints
      Flush();
      file_.Sync();  // the checkpoint must not say more than what survives a power cut
      if (!name_is_durable_) SyncDirectory(std::filesystem::path(path_).parent_path().string());
      name_is_durable_ = true;
    }
    writer.Table("files").Put(kEverySubtask, path_, std::to_string(length_));
  }

  void Restore(const SnapshotReader& reader) override {
    reader.ForEach("files", [&](const StateEntry& entry) {
      if (entry.key == path_) restored_length_ = ParseIntegerText(entry.value);
    });
  }

  void Close() override {
    if (!file_.is_open()) return;
    Flush();
    file_.Sync();
    file_.Close();
  }

 private:
  void Reopen() {
    file_ = LocalFile::OpenAppend(path_);
    if (file_.size() < *restored_length_) {
      throw ExternalError("file", "'" + path_ + "' has " + std::to_string(file_.size()) +
                                      " bytes; the checkpoint left " + std::to_string(*restored_length_) +
                                      ": it was changed by someone else");
    }
    file_.Truncate(*restored_length_);
    length_ = *restored_length_;
    name_is_durable_ = true;
  }

  const std::string path_;
  const std::string header_;
  LocalFile file_;
  std::string buffer_;
  int64_t length_ = 0;  // of the file, without what is buffered
  bool name_is_durable_ = false;
  std::optional<int64_t> restored_length_;
};

}  // namespace

std::unique_ptr<Sink> MakeSingleFileSink(std::string path, std::string header) {
  return std::make_unique<SingleFileSink>(std::move(path), std::move(header));
}

}  // namespace laminar
