#pragma once

/// The calls of S3 that checkpoints and staged sinks need. Requests that failed for a moment (no connection,
/// 5xx, throttled) are sent again a few times with growing pauses; then it is an ExternalError with
/// Retry::kBackoff. What the store refuses is one with Retry::kNever. Keys are whole keys of the bucket. May
/// be used by several threads; all calls block.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/http_client.h"
#include "storage/s3_config.h"

namespace laminar {

/// Parts but the last of an upload have at least this.
inline constexpr int64_t kS3PartBytesMin = 5 << 20;
inline constexpr int kS3PartsMax = 10'000;

struct S3Object {
  std::string key;
  int64_t bytes = 0;
  std::string etag;  ///< without quotes
  int64_t modified_us = 0;
};

/// A finished part of an upload.
struct S3Part {
  std::string etag;
  int64_t bytes = 0;
};

class S3Client {
 public:
  explicit S3Client(S3Config config) : config_(std::move(config)) {}

  const S3Config& config() const { return config_; }

  std::optional<S3Object> Head(const std::string& key);
  /// Up to `bytes` bytes from `offset`, fewer at the end of the object. With `etag`, only if the object is
  /// still that one. nullopt when there is none.
  std::optional<std::string> Get(const std::string& key, int64_t offset, int64_t bytes,
                                 const std::string& etag = "");
  void Put(const std::string& key, std::string_view data);
  /// False when there is an object of that name: also when an earlier try of this very call put it and the
  /// answer was lost. The caller tells by what is in it.
  bool PutIfAbsent(const std::string& key, std::string_view data);
  void Delete(const std::string& key);
  /// All objects whose keys begin with `prefix`, sorted by key.
  std::vector<S3Object> List(const std::string& prefix);

  /// An object in parts: invisible until completed. Returns the upload's id.
  std::string CreateUpload(const std::string& key);
  /// `number` from 1. Returns the part's ETag. May be repeated.
  std::string UploadPart(const std::string& key, const std::string& upload, int number,
                         std::string_view data);
  enum class Completed { kDone, kNoSuchUpload, kObjectExists };
  /// Makes the object of these parts, in order, unless there is one of that name. Parts that are not named
  /// are dropped.
  Completed CompleteUpload(const std::string& key, const std::string& upload,
                           const std::vector<S3Part>& parts);
  /// No error when there is no such upload.
  void AbortUpload(const std::string& key, const std::string& upload);
  /// Ids of the uploads of exactly this key that are neither completed nor aborted.
  std::vector<std::string> ListUploads(const std::string& key);

  /// The ETag that an object of these parts has.
  static std::string EtagOfParts(const std::vector<S3Part>& parts);

 private:
  struct Call {
    const char* method;
    std::string key;
    std::map<std::string, std::string> query;
    std::map<std::string, std::string> headers;
    std::string_view body;
  };
  /// Answers with one of `expected`; throws for any other.
  HttpResponse Do(const Call& call, const std::vector<int>& expected);
  HttpResponse SendOnce(const Call& call);
  [[noreturn]] void Throw(const Call& call, const HttpResponse& response, bool retry) const;

  const S3Config config_;
  HttpClient http_;
};

}  // namespace laminar
