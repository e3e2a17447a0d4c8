#include "storage/object_store.h"

#include "base/error.h"
#include "storage/bucket_store.h"
#include "storage/local_store.h"

namespace laminar {

std::shared_ptr<ObjectStore> OpenObjectStore(const std::string& url, const StorageOptions& options,
                                             bool create) {
  if (url.empty())
    throw ExternalError(
        "state",
        "the URL is empty; give a directory, file:///path, s3://bucket/key, gs://bucket/key or "
        "abfss://container@account.dfs.core.windows.net/path");
  if (auto bucket = OpenBucket(url, options)) return MakeBucketStore(std::move(bucket));
  if (!options.empty()) {
    throw ExternalError("state",
                        "option '" + options.begin()->first + "' is for object stores; a directory has none");
  }
  const size_t colon = url.find(':');
  const size_t slash = url.find('/');
  // A scheme has two letters or more and comes before the first slash.
  const bool has_scheme =
      colon != std::string::npos && colon > 1 && (slash == std::string::npos || colon < slash);
  if (!has_scheme) return OpenLocalStore(url, create);
  const std::string scheme = url.substr(0, colon);
  if (scheme == "file") {
    std::string path = url.substr(colon + 1);
    if (path.rfind("//", 0) == 0) path = path.substr(2);
    if (path.empty() || path[0] != '/') {
      throw ExternalError("state", "'" + url + "' is no file URL; write file:///path");
    }
    return OpenLocalStore(path, create);
  }
  throw ExternalError("state", "no store for URLs of scheme '" + scheme +
                                   "'; give a directory, file:///path, s3://bucket/key, gs://bucket/key or "
                                   "abfss://container@account.dfs.core.windows.net/path");
}

}  // namespace laminar
