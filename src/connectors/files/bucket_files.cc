#include <algorithm>
#include <cstring>
#include <future>
#include <string_view>

#include "base/error.h"
#include "connectors/files/file_access.h"
#include "storage/bucket_client.h"

namespace laminar {

namespace {

/// A request costs some 20 ms whatever it fetches, so each fetches at least this, and what follows is read
/// from there.
constexpr int64_t kFirstBytes = 1 << 20;
/// Once a file is read on and on, more, and the next piece while this one is being decoded.
constexpr int64_t kReadAheadBytes = 8 << 20;

class ObjectFile final : public InputFile {
 public:
  ObjectFile(std::shared_ptr<BucketClient> client, std::string path, StoredObject object)
      : client_(std::move(client)), path_(std::move(path)), object_(std::move(object)) {}
  const std::string& path() const override { return path_; }
  int64_t size() const override { return object_.bytes; }
  int64_t modified_us() const override { return object_.modified_us; }

  int64_t ReadAt(int64_t offset, void* data, int64_t bytes_max) override {
    const int64_t wanted = std::max<int64_t>(0, std::min(bytes_max, object_.bytes - offset));
    for (int64_t done = 0; done < wanted;) {
      const int64_t at = offset + done;
      if (at < begin_ || at >= end()) Fetch(at, wanted - done);
      const int64_t bytes = std::min(wanted - done, end() - at);
      std::memcpy(static_cast<char*>(data) + done, piece_.data() + (at - begin_), static_cast<size_t>(bytes));
      done += bytes;
    }
    return wanted;
  }

 private:
  int64_t end() const { return begin_ + static_cast<int64_t>(piece_.size()); }

  void Fetch(int64_t offset, int64_t wanted) {
    const bool reads_on = !piece_.empty() && offset == end();
    if (next_.valid() && offset == next_begin_) {
      piece_ = next_.get();
    } else {
      piece_ = Get(offset, std::max(wanted, reads_on ? kReadAheadBytes : kFirstBytes));
    }
    begin_ = offset;
    if (!reads_on || end() >= object_.bytes) return;
    next_begin_ = end();
    next_ =
        std::async(std::launch::async, [this, begin = next_begin_] { return Get(begin, kReadAheadBytes); });
  }

  std::string Get(int64_t offset, int64_t bytes_max) const {
    const int64_t bytes = std::min(bytes_max, object_.bytes - offset);
    auto data = client_->Get(object_.key, offset, bytes, object_.version);
    if (!data || static_cast<int64_t>(data->size()) < bytes) {
      throw ExternalError(client_->place().system, "'" + path_ + "' has gone or was cut while it was read");
    }
    return std::move(*data);
  }

  const std::shared_ptr<BucketClient> client_;
  const std::string path_;
  const StoredObject object_;
  std::string piece_;  ///< bytes of the object from `begin_` on
  int64_t begin_ = 0;
  int64_t next_begin_ = 0;
  std::future<std::string> next_;  ///< the piece at `next_begin_`; waited for before the members it uses go
};

bool IsHidden(std::string_view name) {
  for (size_t part = 0;; ++part) {
    if (part < name.size() && (name[part] == '.' || name[part] == '_')) return true;
    part = name.find('/', part);
    if (part == std::string_view::npos) return false;
  }
}

class BucketAccess final : public FileAccess {
 public:
  explicit BucketAccess(std::shared_ptr<BucketClient> client)
      : client_(std::move(client)), start_(client_->place().UrlOf("")) {}

  std::unique_ptr<InputFile> Open(const std::string& path) const override {
    auto object = client_->Head(KeyOf(path));
    if (!object)
      throw ExternalError(client_->place().system, "cannot read '" + path + "': there is no such object");
    return std::make_unique<ObjectFile>(client_, path, std::move(*object));
  }

  std::optional<std::vector<std::string>> ListBelow(const std::string& path, bool must_exist) const override {
    const std::string key = KeyOf(path);
    const std::string folder = key.empty() ? "" : key + "/";
    std::vector<std::string> names;
    const auto objects = client_->List(folder);
    for (const StoredObject& object : objects) {
      std::string name = object.key.substr(folder.size());
      // Some tools make objects that stand for folders.
      if (!name.empty() && name.back() != '/' && !IsHidden(name)) names.push_back(std::move(name));
    }
    if (!objects.empty()) return names;
    if (!key.empty() && client_->Head(key)) return std::nullopt;
    if (!must_exist) return names;
    throw ExternalError(client_->place().system,
                        "cannot read '" + path + "': there is no object of or below that name");
  }

 private:
  std::string KeyOf(const std::string& path) const {
    return path.size() <= start_.size() ? "" : path.substr(start_.size());
  }

  const std::shared_ptr<BucketClient> client_;
  const std::string start_;
};

}  // namespace

std::shared_ptr<const FileAccess> FilesOfBucket(std::shared_ptr<BucketClient> client) {
  return std::make_shared<const BucketAccess>(std::move(client));
}

}  // namespace laminar
