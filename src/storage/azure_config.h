#pragma once

/// Which container of Azure Blob Storage a URL means, where it is and who asks.

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "storage/access_token.h"
#include "storage/bucket_client.h"
#include "storage/storage_options.h"

namespace laminar {

struct AzureConfig {
  BucketPlace place;  ///< the endpoint includes the account where that is part of the path
  std::string account;
  std::string container;
  // At most one of the three.
  std::string key;                         ///< the account's, not base64 any more; signs requests
  std::map<std::string, std::string> sas;  ///< what a shared access signature adds to each request's query
  std::shared_ptr<TokenSource> token;
};

/// nullopt when `url` is no URL of Azure (abfs(s)://container@account.dfs.core.windows.net/path,
/// https://account.blob.core.windows.net/container/path, the same with `dfs`). Options come first:
/// azure_storage_account_key, azure_sas_token, azure_client_id with _secret and _tenant_id; then AZURE_* of
/// the environment, if it is for this account. ExternalError for wrong options, credentials in the URL, a
/// missing container.
std::optional<AzureConfig> ParseAzureUrl(const std::string& url, const StorageOptions& options,
                                         const Environment& environment);

}  // namespace laminar
