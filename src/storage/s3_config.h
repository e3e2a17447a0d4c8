#pragma once

/// Which bucket of S3 a URL means, where it is and who asks: URL forms, options `storage.*`, environment.

#include <optional>
#include <string>

#include "storage/bucket_client.h"
#include "storage/sigv4.h"
#include "storage/storage_options.h"

namespace laminar {

struct S3Config {
  BucketPlace place;
  std::string bucket;
  bool virtual_hosted = false;  ///< the bucket is part of the host
  std::string region;
  AwsCredentials credentials;  ///< empty access key: requests are not signed
};

/// nullopt when `url` is no S3 URL (s3://, s3a://, s3::http(s)://host/bucket/key, the https forms of AWS).
/// Options come first, then AWS_* of the environment, then the shared credentials file. ExternalError for
/// unknown options, credentials in the URL, a missing bucket.
std::optional<S3Config> ParseS3Url(const std::string& url, const StorageOptions& options,
                                   const Environment& environment);

}  // namespace laminar
