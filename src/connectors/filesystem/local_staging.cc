#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/local_file.h"
#include "connectors/filesystem/staging.h"

namespace laminar {

namespace fs = std::filesystem;

std::string FileRecord::ToText() const {
  nlohmann::json json{{"final", final_name},
                      {"directory", directory},
                      {"closed", closed},
                      {"length", length},
                      {"first_row_us", first_row_us}};
  if (!place.empty()) json["place"] = nlohmann::json::parse(place);
  return json.dump();
}

FileRecord FileRecord::FromText(std::string_view staged, std::string_view text) {
  const auto json = nlohmann::json::parse(text);
  return {std::string(staged),
          json.at("final"),
          json.at("directory"),
          json.at("closed"),
          json.at("length"),
          json.at("first_row_us"),
          json.contains("place") ? json.at("place").dump() : "",
          ""};
}

namespace {

class LocalOutput final : public StagedOutput {
 public:
  explicit LocalOutput(LocalFile file) : file_(std::move(file)) {}
  void Write(std::string_view data) override { file_.Write(data); }
  void Sync() override { file_.Sync(); }
  void Close() override {
    file_.Sync();
    file_.Close();
  }

 private:
  LocalFile file_;
};

class LocalStaging final : public Staging {
 public:
  explicit LocalStaging(std::string root) : root_(std::move(root)) {}

  void Open(std::function<void()> wake) override { MakeDirectories(Directory()); }

  void RemoveOrphans(const std::string& start, const IsOrphan& is_orphan) override {
    for (const std::string& name : ListNames(Directory())) {
      if (name.starts_with(start) && is_orphan(name)) RemoveFile(StagedPath(name));
    }
  }

  bool Taken(const std::string& final_name) override { return PathExists(FinalPath(final_name)); }

  std::unique_ptr<StagedOutput> Create(const FileRecord& record) override {
    return std::make_unique<LocalOutput>(LocalFile::Create(StagedPath(record.staged)));
  }

  /// A file that a later end of the job already put into place comes back: the rows behind the checkpoint
  /// will be written again.
  std::unique_ptr<StagedOutput> Resume(const FileRecord& record) override {
    const std::string path = StagedPath(record.staged);
    const std::string final_path = FinalPath(record.final_name);
    if (!PathExists(path) && PathExists(final_path)) RenameFile(final_path, path);
    LocalFile file = LocalFile::OpenAppend(path);
    if (file.size() < record.length) {
      throw ExternalError("file", "'" + path + "' has " + std::to_string(file.size()) +
                                      " bytes; the checkpoint left " + std::to_string(record.length));
    }
    file.Truncate(record.length);
    return std::make_unique<LocalOutput>(std::move(file));
  }

  void Save(FileRecord* record) override {}
  void SyncNames() override { SyncDirectory(Directory()); }

  void Commit(const std::vector<FileRecord>& records) override {
    std::set<std::string> directories;
    for (const FileRecord& record : records) {
      MoveIntoPlace(record);
      directories.insert(fs::path(FinalPath(record.final_name)).parent_path().string());
      committed_.push_back(record.staged);
    }
    for (const std::string& directory : directories) SyncDirectory(directory);
  }
  std::vector<std::string> TakeCommitted() override { return std::exchange(committed_, {}); }

  void Finish() override {
    std::error_code ignored;  // another sink may still use it
    fs::remove(Directory(), ignored);
  }

 private:
  std::string Directory() const { return (fs::path(root_) / ".tmp").string(); }
  std::string StagedPath(const std::string& staged) const {
    return (fs::path(Directory()) / staged).string();
  }
  std::string FinalPath(const std::string& name) const { return (fs::path(root_) / name).string(); }

  void MoveIntoPlace(const FileRecord& record) {
    const std::string from = StagedPath(record.staged);
    const std::string to = FinalPath(record.final_name);
    if (PathExists(from)) {
      MakeDirectories(fs::path(to).parent_path().string());
      RenameFile(from, to);
    } else if (FileSizeOrMinusOne(to) != record.length) {
      throw ExternalError("file",
                          "'" + to + "' cannot be committed: its staged file '" + from + "' has gone");
    }
  }

  const std::string root_;
  std::vector<std::string> committed_;
};

}  // namespace

std::unique_ptr<Staging> MakeLocalStaging(std::string root) {
  return std::make_unique<LocalStaging>(std::move(root));
}

}  // namespace laminar
