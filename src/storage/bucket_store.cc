#include "storage/bucket_store.h"

#include <utility>

#include "base/error.h"

namespace laminar {

namespace {

/// Ten thousand of them are 160 GB, and one is held in memory.
constexpr size_t kPartBytes = 16 << 20;

/// Small objects are put at once, others in parts.
class BucketWriter final : public ObjectWriter {
 public:
  BucketWriter(std::shared_ptr<BucketClient> client, std::string key)
      : client_(std::move(client)), key_(std::move(key)) {}
  ~BucketWriter() override {
    if (committed_ || upload_.empty()) return;
    try {
      client_->AbortUpload(key_, upload_);
    } catch (const ExternalError&) {  // the store is away; RemoveUnfinished will find it
    }
  }

  void Write(std::string_view data) override {
    buffer_.append(data);
    while (buffer_.size() >= kPartBytes) {
      Upload(std::string_view(buffer_).substr(0, kPartBytes));
      buffer_.erase(0, kPartBytes);
    }
  }

  void Commit() override {
    if (upload_.empty()) {
      client_->Put(key_, buffer_, {});
    } else {
      if (!buffer_.empty()) Upload(buffer_);
      if (client_->CompleteUpload(key_, upload_, parts_, {}) != BucketClient::Completed::kDone) {
        throw ExternalError(client_->place().system,
                            client_->place().UrlOf(key_) + " cannot be completed: its upload has gone");
      }
    }
    committed_ = true;
  }

 private:
  void Upload(std::string_view data) {
    if (upload_.empty()) upload_ = client_->CreateUpload(key_, {});
    const int number = static_cast<int>(parts_.size()) + 1;
    parts_.push_back(client_->UploadPart(key_, upload_, number, data));
  }

  const std::shared_ptr<BucketClient> client_;
  const std::string key_;
  std::string buffer_;
  std::string upload_;
  std::vector<UploadedPart> parts_;
  bool committed_ = false;
};

class BucketStore final : public ObjectStore {
 public:
  explicit BucketStore(std::shared_ptr<BucketClient> client)
      : client_(std::move(client)), url_(client_->place().url()) {}

  const std::string& url() const override { return url_; }

  std::unique_ptr<ObjectWriter> Create(const std::string& name) override {
    return std::make_unique<BucketWriter>(client_, KeyOf(name));
  }
  bool PutIfAbsent(const std::string& name, std::string_view data) override {
    return client_->Put(KeyOf(name), data, {"", ""});
  }

  std::string Read(const std::string& name, int64_t offset, int64_t bytes) override {
    auto data = client_->Get(KeyOf(name), offset, bytes);
    const std::string& system = client_->place().system;
    if (!data) throw ExternalError(system, "no object '" + url() + "/" + name + "'");
    if (static_cast<int64_t>(data->size()) < bytes) {
      throw ExternalError(system, "'" + url() + "/" + name + "' is too short: wanted " +
                                      std::to_string(bytes) + " bytes at " + std::to_string(offset) +
                                      ", found " + std::to_string(data->size()));
    }
    return std::move(*data);
  }

  std::optional<int64_t> Size(const std::string& name) override {
    const auto found = client_->Head(KeyOf(name));
    return found ? std::optional(found->bytes) : std::nullopt;
  }

  std::vector<ObjectInfo> List(const std::string& prefix) override {
    const size_t below = KeyOf("").size();
    std::vector<ObjectInfo> found;
    for (const StoredObject& object : client_->List(KeyOf(prefix))) {
      found.push_back({object.key.substr(below), object.bytes});
    }
    return found;
  }

  void Delete(const std::string& name) override { client_->Delete(KeyOf(name)); }

  void RemoveUnfinished(const std::string& prefix) override {
    for (const auto& upload : client_->ListUploads(KeyOf(prefix))) {
      client_->AbortUpload(upload.key, upload.id);
    }
  }

 private:
  std::string KeyOf(const std::string& name) const { return client_->place().KeyOf(name); }

  const std::shared_ptr<BucketClient> client_;
  const std::string url_;
};

}  // namespace

std::shared_ptr<ObjectStore> MakeBucketStore(std::shared_ptr<BucketClient> client) {
  return std::make_shared<BucketStore>(std::move(client));
}

}  // namespace laminar
