#include "connectors/filesystem/bucket_staging.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <utility>

#include "base/error.h"

namespace laminar {

namespace {

/// Parts that wait for the network before the sink says that it is not ready.
constexpr int64_t kQueuedPartsMax = 2;
/// Bytes of closed small files that are held until they are committed; more are uploaded.
constexpr int64_t kHeldBytesMax = 32 << 20;
/// What failed for a moment is tried again so often, after 50 ms, doubled up to 5 s.
constexpr int kRetries = 20;
constexpr int64_t kFirstPauseMs = 50;
constexpr int64_t kPauseMsMax = 5'000;

/// One file. Guarded by the staging's mutex, but for `tail`, which is the sink's until
/// it is committed.
struct GrowingFile {
  std::string staged;
  std::string key;        ///< of the object that it becomes
  std::string id;         ///< empty: no upload was begun
  bool restored = false;  ///< the key may have an upload that this run knows nothing of
  /// Version of an object of that key that is a later state of this very file, and gives way.
  std::string replaces;
  std::vector<UploadedPart> parts;
  std::deque<std::string> queue;  ///< parts that are not uploaded yet
  std::string tail;               ///< bytes behind them
  bool held = false;              ///< to be put whole
};

class BucketStaging;

class BucketOutput final : public StagedOutput {
 public:
  BucketOutput(BucketStaging& staging, std::shared_ptr<GrowingFile> upload)
      : staging_(staging), upload_(std::move(upload)) {}
  void Write(std::string_view data) override;
  void Sync() override;
  void Close() override;

 private:
  BucketStaging& staging_;
  const std::shared_ptr<GrowingFile> upload_;
};

class BucketStaging final : public Staging {
 public:
  BucketStaging(std::shared_ptr<BucketClient> client, const BucketStagingOptions& options)
      : client_(std::move(client)), options_(options) {}

  ~BucketStaging() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  void Open(std::function<void()> wake) override {
    wake_ = std::move(wake);
    thread_ = std::thread([this] { Run(); });
  }

  void RemoveOrphans(const std::string& start, const IsOrphan& is_orphan) override {
    Enqueue([this, start, is_orphan] {
      const size_t folder = MarkerKey("").size();
      for (const StoredObject& marker : client_->List(MarkerKey(start))) {
        if (!is_orphan(marker.key.substr(folder))) continue;
        const auto key = client_->Get(marker.key, 0, marker.bytes);
        if (key && !key->empty()) AbortUploads(*key);
        client_->Delete(marker.key);
      }
    });
  }

  bool Taken(const std::string& final_name) override {
    return options_.names_may_repeat && client_->Head(KeyOf(final_name)).has_value();
  }

  std::unique_ptr<StagedOutput> Create(const FileRecord& record) override {
    auto upload = std::make_shared<GrowingFile>();
    upload->staged = record.staged;
    upload->key = KeyOf(record.final_name);
    Register(upload);
    return std::make_unique<BucketOutput>(*this, std::move(upload));
  }

  std::unique_ptr<StagedOutput> Resume(const FileRecord& record) override {
    auto upload = UploadOf(record);
    if (const auto there = client_->Head(upload->key); there && there->version != upload->replaces) {
      // A later end of the job put the file into place. What the checkpoint has of it is taken from there, as
      // the upload may be no more; the object stays until the file is committed again.
      if (there->mark != upload->staged) ThrowNotOurs(*upload);
      auto bytes = client_->Get(upload->key, 0, record.length, there->version);
      if (!bytes || static_cast<int64_t>(bytes->size()) < record.length) {
        throw ExternalError(client_->place().system,
                            "'" + client_->place().UrlOf(upload->key) + "' is shorter than the " +
                                std::to_string(record.length) + " bytes that the checkpoint has of it");
      }
      upload->parts.clear();
      upload->queue.clear();
      upload->id.clear();
      upload->tail = std::move(*bytes);
      upload->replaces = there->version;
    }
    Register(upload);
    for (size_t i = 0; i < upload->queue.size(); ++i) {
      Enqueue([this, upload] { UploadNext(*upload); });
    }
    return std::make_unique<BucketOutput>(*this, std::move(upload));
  }

  void Save(FileRecord* record) override {
    std::lock_guard lock(mutex_);
    const GrowingFile& upload = *uploads_.at(record->staged);
    nlohmann::json parts = nlohmann::json::array();
    for (const UploadedPart& part : upload.parts) parts.push_back({{"tag", part.tag}, {"bytes", part.bytes}});
    nlohmann::json queue = nlohmann::json::array();
    record->tail.clear();
    for (const std::string& part : upload.queue) {
      queue.push_back(part.size());
      record->tail += part;
    }
    record->tail += upload.tail;
    record->place = nlohmann::json{{"upload", upload.id},
                                   {"parts", std::move(parts)},
                                   {"queue", std::move(queue)},
                                   {"held", upload.held},
                                   {"replaces", upload.replaces}}
                        .dump();
  }

  void SyncNames() override {}

  void Commit(const std::vector<FileRecord>& records) override {
    ThrowFailure();
    for (const FileRecord& record : records) {
      std::shared_ptr<GrowingFile> upload;
      {
        std::lock_guard lock(mutex_);
        const auto found = uploads_.find(record.staged);
        if (found != uploads_.end()) upload = found->second;
      }
      if (upload == nullptr) {
        upload = UploadOf(record);
        Register(upload);
      }
      Enqueue([this, upload, length = record.length] { PutIntoPlace(*upload, length); });
    }
  }

  std::vector<std::string> TakeCommitted() override {
    ThrowFailure();
    std::lock_guard lock(mutex_);
    return std::exchange(committed_, {});
  }

  void Finish() override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return failure_ || (jobs_.empty() && !busy_); });
    lock.unlock();
    ThrowFailure();
  }

  bool ready() const override {
    std::lock_guard lock(mutex_);
    return failure_ != nullptr || queued_bytes_ <= kQueuedPartsMax * options_.part_bytes;
  }
  bool failed() const override {
    std::lock_guard lock(mutex_);
    return failure_ != nullptr;
  }
  void ThrowFailure() override {
    std::lock_guard lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
  }

  // For BucketOutput, on the sink's thread.

  void Append(const std::shared_ptr<GrowingFile>& upload, std::string_view data) {
    upload->tail.append(data);
    if (static_cast<int64_t>(upload->tail.size()) >= options_.part_bytes) CutPart(upload);
  }

  void SyncUpload(const std::shared_ptr<GrowingFile>& upload) {
    if (static_cast<int64_t>(upload->tail.size()) >= BucketClient::kPartBytesMin) CutPart(upload);
  }

  void CloseUpload(const std::shared_ptr<GrowingFile>& upload) {
    const auto bytes = static_cast<int64_t>(upload->tail.size());
    bool begun;
    {
      std::lock_guard lock(mutex_);
      begun = !upload->parts.empty() || !upload->queue.empty();
      if (!begun && bytes < options_.multipart_bytes_min && held_bytes_ + bytes <= kHeldBytesMax) {
        upload->held = true;
        held_bytes_ += bytes;
        return;
      }
    }
    // An upload has at least one part; that may be empty.
    if (bytes > 0 || !begun) CutPart(upload);
  }

 private:
  std::string KeyOf(const std::string& name) const { return client_->place().KeyOf(name); }
  std::string MarkerKey(const std::string& staged) const { return KeyOf(".tmp/" + staged); }

  /// As a checkpoint has it.
  std::shared_ptr<GrowingFile> UploadOf(const FileRecord& record) const {
    const auto place = nlohmann::json::parse(record.place);
    auto upload = std::make_shared<GrowingFile>();
    upload->staged = record.staged;
    upload->key = KeyOf(record.final_name);
    upload->restored = true;
    upload->held = place.at("held");
    upload->replaces = place.at("replaces");
    for (const auto& part : place.at("parts")) upload->parts.push_back({part.at("tag"), part.at("bytes")});
    // An upload of which nothing is in the state is begun anew.
    if (!upload->parts.empty()) upload->id = place.at("upload");
    size_t begin = 0;
    for (const auto& bytes : place.at("queue")) {
      upload->queue.push_back(record.tail.substr(begin, bytes.get<size_t>()));
      begin += upload->queue.back().size();
    }
    upload->tail = record.tail.substr(begin);
    return upload;
  }

  void Register(const std::shared_ptr<GrowingFile>& upload) {
    std::lock_guard lock(mutex_);
    uploads_[upload->staged] = upload;
    if (upload->held) held_bytes_ += static_cast<int64_t>(upload->tail.size());
    for (const std::string& part : upload->queue) queued_bytes_ += static_cast<int64_t>(part.size());
  }

  void CutPart(const std::shared_ptr<GrowingFile>& upload) {
    {
      std::lock_guard lock(mutex_);
      queued_bytes_ += static_cast<int64_t>(upload->tail.size());
      upload->queue.push_back(std::exchange(upload->tail, {}));
    }
    Enqueue([this, upload] { UploadNext(*upload); });
  }

  // On the staging's thread; each may be repeated after a failure.

  void AbortUploads(const std::string& key) {
    for (const Upload& upload : client_->ListUploads(key)) {
      if (upload.key == key) client_->AbortUpload(key, upload.id);
    }
  }

  void Begin(GrowingFile& upload) {
    if (!upload.id.empty()) return;
    if (upload.restored) AbortUploads(upload.key);
    client_->Put(MarkerKey(upload.staged), upload.key, {});
    std::string id = client_->CreateUpload(upload.key, {"", upload.staged});
    std::lock_guard lock(mutex_);
    upload.id = std::move(id);
  }

  void UploadNext(GrowingFile& upload) {
    Begin(upload);
    // Only this thread takes from the queue, so the front stays where it is.
    const std::string* data;
    {
      std::lock_guard lock(mutex_);
      data = &upload.queue.front();
    }
    const int number = static_cast<int>(upload.parts.size()) + 1;
    UploadedPart part = client_->UploadPart(upload.key, upload.id, number, *data);
    std::lock_guard lock(mutex_);
    queued_bytes_ -= part.bytes;
    upload.parts.push_back(std::move(part));
    upload.queue.pop_front();
  }

  void PutIntoPlace(GrowingFile& upload, int64_t length) {
    // An earlier run may have done so, and then there is no upload any more.
    const auto there = upload.restored ? client_->Head(upload.key) : std::nullopt;
    const bool gives_way = there && there->version == upload.replaces;
    if (!there || gives_way) {
      // Of a file that was closed before a restart, parts may be left.
      while (!upload.queue.empty()) UploadNext(upload);
      MakeObject(upload, length, gives_way ? there->version : "");
    } else if (!IsOurs(*there, upload, length)) {
      ThrowNotOurs(upload);
    }
    if (!upload.held) {
      // What an end between the two left.
      if (upload.restored) AbortUploads(upload.key);
      client_->Delete(MarkerKey(upload.staged));
    }
    std::lock_guard lock(mutex_);
    if (upload.held) held_bytes_ -= static_cast<int64_t>(upload.tail.size());
    for (const std::string& part : upload.queue) queued_bytes_ -= static_cast<int64_t>(part.size());
    committed_.push_back(upload.staged);
    uploads_.erase(upload.staged);
  }

  void MakeObject(GrowingFile& upload, int64_t length, const std::string& over) {
    const PutTerms terms{over, upload.staged};
    auto done = BucketClient::Completed::kDone;
    if (!upload.held) {
      done = client_->CompleteUpload(upload.key, upload.id, upload.parts, terms);
    } else if (!client_->Put(upload.key, upload.tail, terms)) {
      done = BucketClient::Completed::kTermsNotMet;
    }
    if (done == BucketClient::Completed::kDone) return;
    // The answer to an earlier try may have been lost.
    const auto there = client_->Head(upload.key);
    if (there && there->version != over && IsOurs(*there, upload, length)) return;
    if (there) ThrowNotOurs(upload);
    throw ExternalError(client_->place().system, "'" + client_->place().UrlOf(upload.key) +
                                                     "' cannot be committed: its upload has gone");
  }

  static bool IsOurs(const StoredObject& there, const GrowingFile& upload, int64_t length) {
    return there.mark == upload.staged && there.bytes == length;
  }
  [[noreturn]] void ThrowNotOurs(const GrowingFile& upload) const {
    throw ExternalError(client_->place().system, "'" + client_->place().UrlOf(upload.key) +
                                                     "' cannot be committed: there is another object of "
                                                     "that name");
  }

  void Enqueue(std::function<void()> job) {
    {
      std::lock_guard lock(mutex_);
      jobs_.push_back(std::move(job));
    }
    changed_.notify_all();
  }

  void Run() {
    std::unique_lock lock(mutex_);
    while (!stopping_ && !failure_) {
      if (jobs_.empty()) {
        changed_.wait(lock);
        continue;
      }
      const auto job = std::move(jobs_.front());
      jobs_.pop_front();
      busy_ = true;
      lock.unlock();
      const std::exception_ptr failure = RunJob(job);
      lock.lock();
      busy_ = false;
      failure_ = failure;
      lock.unlock();
      changed_.notify_all();
      if (wake_) wake_();
      lock.lock();
    }
  }

  /// Null once it is done, or when the staging is being destroyed.
  std::exception_ptr RunJob(const std::function<void()>& job) {
    for (int tried = 0;; ++tried) {
      try {
        job();
        return nullptr;
      } catch (const ExternalError& error) {
        if (error.retry() == ExternalError::Retry::kNever || tried == kRetries)
          return std::current_exception();
      } catch (const std::exception&) {
        return std::current_exception();
      }
      std::unique_lock lock(mutex_);
      const std::chrono::milliseconds pause(std::min(kFirstPauseMs << std::min(tried, 10), kPauseMsMax));
      if (changed_.wait_for(lock, pause, [this] { return stopping_; })) return nullptr;
    }
  }

  const std::shared_ptr<BucketClient> client_;
  const BucketStagingOptions options_;
  std::function<void()> wake_;
  std::thread thread_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // All below guarded by mutex_.
  std::map<std::string, std::shared_ptr<GrowingFile>> uploads_;  ///< by staged name, until in place
  std::deque<std::function<void()>> jobs_;
  bool busy_ = false;
  bool stopping_ = false;
  std::exception_ptr failure_;
  std::vector<std::string> committed_;
  int64_t queued_bytes_ = 0;
  int64_t held_bytes_ = 0;
};

void BucketOutput::Write(std::string_view data) { staging_.Append(upload_, data); }
void BucketOutput::Sync() { staging_.SyncUpload(upload_); }
void BucketOutput::Close() { staging_.CloseUpload(upload_); }

}  // namespace

std::unique_ptr<Staging> MakeBucketStaging(std::shared_ptr<BucketClient> client,
                                           const BucketStagingOptions& options) {
  return std::make_unique<BucketStaging>(std::move(client), options);
}

}  // namespace laminar
