#pragma once

/// Which bucket a URL means, where it is and who asks: URL forms, options `storage.*`, environment.

#include <functional>
#include <optional>
#include <string>

#include "storage/object_store.h"
#include "storage/sigv4.h"

namespace laminar {

struct S3Config {
  std::string bucket;
  std::string prefix;           ///< key of the URL, no '/' at either end; may be empty
  std::string endpoint;         ///< scheme://host[:port]
  bool virtual_hosted = false;  ///< the bucket is part of the host
  std::string region;
  AwsCredentials credentials;  ///< empty access key: requests are not signed
  std::string url;             ///< for messages: `s3://bucket/prefix`, no secrets

  /// The configuration for another key of the bucket.
  S3Config At(const std::string& key) const;
};

/// Environment variables by name; null where there is none.
using Environment = std::function<const char*(const char* name)>;

/// nullopt when `url` is no S3 URL (s3://, s3a://, s3::http(s)://host/bucket/key, the https forms of AWS).
/// Options come first, then AWS_* of the environment, then the shared credentials file. ExternalError for
/// unknown options, credentials in the URL, a missing bucket.
std::optional<S3Config> ParseS3Url(const std::string& url, const StorageOptions& options,
                                   const Environment& environment);
/// That of the process.
Environment ProcessEnvironment();

}  // namespace laminar
