#include "storage/s3_store.h"

#include <utility>

#include "base/error.h"

namespace laminar {

namespace {

/// Ten thousand of them are 160 GB, and one is held in memory.
constexpr size_t kPartBytes = 16 << 20;

/// Small objects are put at once, others in parts.
class S3Writer final : public ObjectWriter {
 public:
  S3Writer(S3Client& client, std::string key) : client_(client), key_(std::move(key)) {}
  ~S3Writer() override {
    if (committed_ || upload_.empty()) return;
    try {
      client_.AbortUpload(key_, upload_);
    } catch (const ExternalError&) {  // the store is away; unfinished uploads are invisible
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
      client_.Put(key_, buffer_);
    } else {
      if (!buffer_.empty()) Upload(buffer_);
      Complete();
    }
    committed_ = true;
  }

 private:
  void Upload(std::string_view data) {
    if (upload_.empty()) upload_ = client_.CreateUpload(key_);
    const int number = static_cast<int>(parts_.size()) + 1;
    parts_.push_back({client_.UploadPart(key_, upload_, number, data), static_cast<int64_t>(data.size())});
  }

  void Complete() {
    if (client_.CompleteUpload(key_, upload_, parts_) == S3Client::Completed::kDone) return;
    // An answer may have been lost: what is there is ours if it is made of our parts.
    const auto there = client_.Head(key_);
    if (there && there->etag == S3Client::EtagOfParts(parts_)) return;
    throw ExternalError("s3", "s3://" + client_.config().bucket + "/" + key_ + " cannot be completed: " +
                                  (there ? "there is another object of that name" : "its upload has gone"));
  }

  S3Client& client_;
  const std::string key_;
  std::string buffer_;
  std::string upload_;
  std::vector<S3Part> parts_;
  bool committed_ = false;
};

class S3Store final : public ObjectStore {
 public:
  explicit S3Store(S3Config config) : client_(std::move(config)) {}

  const std::string& url() const override { return client_.config().url; }

  std::unique_ptr<ObjectWriter> Create(const std::string& name) override {
    return std::make_unique<S3Writer>(client_, KeyOf(name));
  }
  bool PutIfAbsent(const std::string& name, std::string_view data) override {
    return client_.PutIfAbsent(KeyOf(name), data);
  }

  std::string Read(const std::string& name, int64_t offset, int64_t bytes) override {
    auto data = client_.Get(KeyOf(name), offset, bytes);
    if (!data) throw ExternalError("s3", "no object '" + url() + "/" + name + "'");
    if (static_cast<int64_t>(data->size()) < bytes) {
      throw ExternalError("s3", "'" + url() + "/" + name + "' is too short: wanted " + std::to_string(bytes) +
                                    " bytes at " + std::to_string(offset) + ", found " +
                                    std::to_string(data->size()));
    }
    return std::move(*data);
  }

  std::optional<int64_t> Size(const std::string& name) override {
    const auto found = client_.Head(KeyOf(name));
    return found ? std::optional(found->bytes) : std::nullopt;
  }

  std::vector<ObjectInfo> List(const std::string& prefix) override {
    const size_t below = KeyOf("").size();
    std::vector<ObjectInfo> found;
    for (const S3Object& object : client_.List(KeyOf(prefix))) {
      found.push_back({object.key.substr(below), object.bytes});
    }
    return found;
  }

  void Delete(const std::string& name) override { client_.Delete(KeyOf(name)); }

 private:
  std::string KeyOf(const std::string& name) const {
    const std::string& prefix = client_.config().prefix;
    return prefix.empty() ? name : prefix + "/" + name;
  }

  S3Client client_;
};

}  // namespace

std::shared_ptr<ObjectStore> OpenS3Store(S3Config config) {
  return std::make_shared<S3Store>(std::move(config));
}

}  // namespace laminar
