#pragma once

/// Which bucket of Google Cloud Storage a URL means, where it is and who asks.

#include <memory>
#include <optional>
#include <string>

#include "storage/access_token.h"
#include "storage/bucket_client.h"
#include "storage/storage_options.h"

namespace laminar {

struct GcsConfig {
  BucketPlace place;
  std::string bucket;
  std::shared_ptr<TokenSource> token;  ///< null: requests carry none
};

/// nullopt when `url` is no URL of GCS (gs://bucket/key, https://storage.googleapis.com/bucket/key). The key
/// of a service account comes from the options google_service_account_key (its JSON text) and
/// google_service_account_path, then from GOOGLE_SERVICE_ACCOUNT_KEY, GOOGLE_SERVICE_ACCOUNT_PATH,
/// GOOGLE_APPLICATION_CREDENTIALS, and the file of the vendor's own tool; then the machine's own account is
/// asked for. Another endpoint (google_endpoint, STORAGE_EMULATOR_HOST) gets no token but of a key that was
/// given. ExternalError for wrong options and keys, credentials in the URL, a missing bucket.
std::optional<GcsConfig> ParseGcsUrl(const std::string& url, const StorageOptions& options,
                                     const Environment& environment);

}  // namespace laminar
