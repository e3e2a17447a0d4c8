#pragma once

/// The calls of object stores that checkpoints, staged sinks and readers of files need; one class per kind of
/// store. Requests that failed for a moment (no connection, 5xx, throttled) are sent again a few times with
/// growing pauses; then it is an ExternalError with Retry::kBackoff. What the store refuses is one with
/// Retry::kNever. Keys are whole keys of the bucket. May be used by several threads; all calls block.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/http_client.h"
#include "storage/storage_options.h"

namespace laminar {

/// Which bucket, and the folder of it that a URL means.
struct BucketPlace {
  std::string system;    ///< of ExternalErrors: "s3", "gcs", "azure"
  std::string root;      ///< `s3://bucket`; an object's URL is this, '/' and its key
  std::string prefix;    ///< key of the URL, no '/' at either end; may be empty
  std::string endpoint;  ///< scheme://host[:port][/path], where requests go

  /// For messages; no secrets.
  std::string url() const { return prefix.empty() ? root : root + "/" + prefix; }
  std::string UrlOf(const std::string& key) const { return root + "/" + key; }
  /// Of a name below the prefix.
  std::string KeyOf(const std::string& name) const { return prefix.empty() ? name : prefix + "/" + name; }
};

struct StoredObject {
  std::string key;
  int64_t bytes = 0;
  std::string version;  ///< another with each change: ETag, or generation
  int64_t modified_us = 0;
  std::string mark;  ///< what PutTerms gave it; not in lists
};

/// How an object comes to be.
struct PutTerms {
  /// nullopt: replaces what is there. Else only if nothing is there, or the object of this version.
  std::optional<std::string> over;
  /// Stays with the object: says whose it is when the answer to a request was lost.
  std::string mark;
};

/// A finished part of an upload.
struct UploadedPart {
  std::string tag;  ///< the store's own
  int64_t bytes = 0;
};

struct Upload {
  std::string key;
  std::string id;
};

class BucketClient {
 public:
  /// Parts but the last of an upload have at least this, and there are at most so many.
  static constexpr int64_t kPartBytesMin = 5 << 20;
  static constexpr int kPartsMax = 10'000;

  explicit BucketClient(BucketPlace place) : place_(std::move(place)) {}
  virtual ~BucketClient() = default;
  BucketClient(const BucketClient&) = delete;
  BucketClient& operator=(const BucketClient&) = delete;

  const BucketPlace& place() const { return place_; }

  virtual std::optional<StoredObject> Head(const std::string& key) = 0;
  /// Up to `bytes` bytes from `offset`, fewer at the end of the object. With `version`, only if the object is
  /// still that one. nullopt when there is none.
  std::optional<std::string> Get(const std::string& key, int64_t offset, int64_t bytes,
                                 const std::string& version = "");
  /// False when the terms are not met: also when an earlier try of this very call met them and the answer was
  /// lost. The caller tells by the mark, or by what is in the object.
  virtual bool Put(const std::string& key, std::string_view data, const PutTerms& terms) = 0;
  /// No error when there is none.
  virtual void Delete(const std::string& key) = 0;
  /// All objects whose keys begin with `prefix`, sorted by key.
  std::vector<StoredObject> List(const std::string& prefix);

  /// An object in parts: invisible until completed. Returns the upload's id. `terms` as in CompleteUpload.
  virtual std::string CreateUpload(const std::string& key, const PutTerms& terms) = 0;
  /// `number` from 1. May be repeated.
  virtual UploadedPart UploadPart(const std::string& key, const std::string& upload, int number,
                                  std::string_view data) = 0;
  enum class Completed { kDone, kNoSuchUpload, kTermsNotMet };
  /// Makes the object of these parts, in order. Parts that are not named are dropped.
  virtual Completed CompleteUpload(const std::string& key, const std::string& upload,
                                   const std::vector<UploadedPart>& parts, const PutTerms& terms) = 0;
  /// Drops parts that were uploaded; no error when there are none.
  virtual void AbortUpload(const std::string& key, const std::string& upload) = 0;
  /// Uploads of keys that begin with `prefix` that are neither completed nor aborted.
  virtual std::vector<Upload> ListUploads(const std::string& prefix) = 0;

 protected:
  struct Call {
    std::string method;
    std::string key;   ///< that it is about, for messages; empty: the bucket
    std::string path;  ///< below the endpoint, percent-encoded
    std::map<std::string, std::string> query;
    std::map<std::string, std::string> headers;
    std::string_view body;
  };
  struct Page {
    std::vector<StoredObject> objects;
    std::string next;  ///< empty: it was the last
  };

  /// A GET of the object's bytes, without the range.
  virtual Call GetCall(const std::string& key, const std::string& version) = 0;
  /// `from`: Page::next of the page before.
  virtual Page ListPage(const std::string& prefix, const std::string& from) = 0;
  /// Adds who asks. Before each try.
  virtual void Authorize(Call* call) = 0;
  /// Says what the store answered and, after `; `, what to do about it.
  virtual std::string Explain(const HttpResponse& response) const = 0;
  virtual bool IsTransient(const HttpResponse& response) const;
  /// A 404 that means the bucket.
  virtual bool IsBucketMissing(const HttpResponse& response) const = 0;

  /// Answers with one of `expected`; throws for any other, and for a missing bucket.
  HttpResponse Do(const Call& call, const std::vector<int>& expected);
  [[noreturn]] void Throw(const Call& call, const HttpResponse& response, bool retry) const;
  HttpClient& http() { return http_; }

 private:
  const BucketPlace place_;
  HttpClient http_;
};

/// Sends until there is an answer that is not `transient`, a few times with growing pauses. `make` is asked
/// for each try.
HttpResponse SendWithRetries(HttpClient& http, const std::function<HttpRequest()>& make,
                             const std::function<bool(const HttpResponse&)>& transient);
/// No answer, 5xx, throttled.
bool IsTransientStatus(int status);

/// nullptr when `url` is no object store's. ExternalError for wrong options, credentials in the URL, a
/// missing bucket. Makes no connection.
std::shared_ptr<BucketClient> OpenBucket(const std::string& url, const StorageOptions& options,
                                         const Environment& environment = ProcessEnvironment());

}  // namespace laminar
