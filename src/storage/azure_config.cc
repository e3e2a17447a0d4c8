#include "storage/azure_config.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "storage/digest.h"
#include "storage/wire_text.h"

namespace laminar {

namespace {

constexpr char kSystem[] = "azure";
constexpr char kSignInUrl[] = "https://login.microsoftonline.com";
constexpr char kScope[] = "https://storage.azure.com/.default";

const std::vector<std::string>& OptionNames() {
  static const std::vector<std::string> names = {"azure_storage_account_key", "azure_sas_token",
                                                 "azure_client_id",           "azure_client_secret",
                                                 "azure_tenant_id",           "azure_endpoint"};
  return names;
}

[[noreturn]] void RefuseCredentialsInUrl() {
  throw ExternalError(
      kSystem,
      "credentials in a URL are refused; give azure_storage_account_key or azure_sas_token, or "
      "AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN in the environment");
}

struct UrlParts {
  std::string host;  ///< account.dfs.core.windows.net
  std::string container;
  std::string path;
};

/// Whether it is `account.blob.…` or `account.dfs.…` of one of Azure's clouds.
bool IsAzureHost(const std::string& host) {
  const size_t dot = host.find('.');
  if (dot == std::string::npos) return false;
  const std::string rest = host.substr(dot);
  return rest.rfind(".blob.core.", 0) == 0 || rest.rfind(".dfs.core.", 0) == 0;
}

std::optional<UrlParts> PartsOf(std::string_view url) {
  std::string_view rest = url;
  UrlParts parts;
  if (TakePrefix(&rest, "abfss://") || TakePrefix(&rest, "abfs://")) {
    std::string where;
    std::tie(where, parts.path) = CutAtSlash(rest);
    const size_t at = where.find('@');
    if (where.find(':') < at) RefuseCredentialsInUrl();
    if (at == std::string::npos || at == 0 || !IsAzureHost(where.substr(at + 1))) {
      throw ExternalError(kSystem,
                          "the URL names no container and account; write "
                          "abfss://container@account.dfs.core.windows.net/path");
    }
    parts.container = where.substr(0, at);
    parts.host = where.substr(at + 1);
    return parts;
  }
  if (!TakePrefix(&rest, "https://")) return std::nullopt;
  std::string path;
  std::tie(parts.host, path) = CutAtSlash(rest);
  const size_t at = parts.host.find('@');
  if (at != std::string::npos && IsAzureHost(parts.host.substr(at + 1))) RefuseCredentialsInUrl();
  if (!IsAzureHost(parts.host)) return std::nullopt;
  if (path.find("sig=") != std::string::npos) RefuseCredentialsInUrl();
  std::tie(parts.container, parts.path) = CutAtSlash(path);
  if (parts.container.empty()) {
    throw ExternalError(
        kSystem, "the URL names no container; write https://account.blob.core.windows.net/container/path");
  }
  return parts;
}

/// `Name=value;Name=value`, names in small letters.
std::map<std::string, std::string> ConnectionFields(const std::string& text) {
  std::map<std::string, std::string> fields;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(';', begin), text.size());
    const std::string field = text.substr(begin, end - begin);
    const size_t equals = field.find('=');
    if (equals != std::string::npos) fields[LowerText(field.substr(0, equals))] = field.substr(equals + 1);
    begin = end + 1;
  }
  return fields;
}

/// What the environment says of this account.
struct EnvironmentAccess {
  std::string key;
  std::string sas;
  std::string endpoint;
};

EnvironmentAccess AccessOfEnvironment(const StorageOptionReader& options, const std::string& account) {
  EnvironmentAccess access;
  const auto fields = ConnectionFields(options.Variable("AZURE_STORAGE_CONNECTION_STRING"));
  const auto field = [&](const char* name) {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string() : found->second;
  };
  if (field("accountname") == account) {
    access = {field("accountkey"), field("sharedaccesssignature"), field("blobendpoint")};
  }
  const std::string named = options.Text("", {"AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME"});
  if (named.empty() || named == account) {
    const std::string key = options.Text("", {"AZURE_STORAGE_KEY", "AZURE_STORAGE_ACCOUNT_KEY"});
    const std::string sas = options.Variable("AZURE_STORAGE_SAS_TOKEN");
    if (!key.empty()) access.key = key;
    if (!sas.empty()) access.sas = sas;
  }
  const std::string endpoint = options.Variable("AZURE_STORAGE_ENDPOINT");
  if (!endpoint.empty()) access.endpoint = endpoint;
  return access;
}

/// `?sv=…&sig=…` → its parts, decoded.
std::map<std::string, std::string> SasFields(std::string_view token) {
  std::map<std::string, std::string> fields;
  if (!token.empty() && token.front() == '?') token.remove_prefix(1);
  while (!token.empty()) {
    const size_t end = std::min(token.find('&'), token.size());
    const std::string_view field = token.substr(0, end);
    const size_t equals = field.find('=');
    if (equals != std::string_view::npos) {
      fields[PercentDecode(field.substr(0, equals))] = PercentDecode(field.substr(equals + 1));
    }
    token.remove_prefix(std::min(end + 1, token.size()));
  }
  return fields;
}

/// An application's identity, by its secret; null when none is given.
std::shared_ptr<TokenSource> TokenOfClient(const StorageOptionReader& options) {
  const std::string client = options.Text("azure_client_id", {"AZURE_CLIENT_ID"});
  const std::string secret = options.Text("azure_client_secret", {"AZURE_CLIENT_SECRET"});
  const std::string tenant = options.Text("azure_tenant_id", {"AZURE_TENANT_ID"});
  if (client.empty() && secret.empty()) return nullptr;
  if (client.empty() || secret.empty() || tenant.empty()) {
    options.Refuse("azure_client_id, azure_client_secret and azure_tenant_id go together; " +
                   std::string(client.empty()   ? "azure_client_id"
                               : secret.empty() ? "azure_client_secret"
                                                : "azure_tenant_id") +
                   " is missing");
  }
  std::string authority = options.Variable("AZURE_AUTHORITY_HOST");
  authority = options.CheckedEndpoint(authority.empty() ? kSignInUrl : authority);
  const TokenRequest request{authority + "/" + PercentEncode(tenant, false) + "/oauth2/v2.0/token",
                             {},
                             {{"grant_type", "client_credentials"},
                              {"client_id", client},
                              {"client_secret", secret},
                              {"scope", kScope}}};
  return std::make_shared<TokenSource>(kSystem, "application '" + client + "'",
                                       [request] { return request; });
}

/// Options first, and of each the key before the signature before the application.
void FillAccess(const StorageOptionReader& options, const EnvironmentAccess& environment,
                AzureConfig* config) {
  std::string key = options.Text("azure_storage_account_key");
  std::string sas = options.Text("azure_sas_token");
  if (key.empty() && sas.empty()) {
    config->token = TokenOfClient(options);
    if (config->token != nullptr && !options.Text("azure_client_id").empty()) return;
    key = environment.key;
    sas = environment.sas;
  }
  if (!key.empty()) {
    const auto bytes = FromBase64(key);
    if (!bytes) options.Refuse("azure_storage_account_key is no base64 text; copy it as it is shown");
    config->key = *bytes;
  } else if (!sas.empty()) {
    config->sas = SasFields(sas);
    if (config->sas.count("sig") == 0) {
      options.Refuse("azure_sas_token has no 'sig='; a token looks like 'sv=…&sig=…'");
    }
  }
  if (!config->key.empty() || !config->sas.empty()) config->token = nullptr;
}

/// `http://127.0.0.1:10000` has the account in the path.
std::string WithAccount(const std::string& endpoint, const std::string& account) {
  const auto [host, path] = CutAtSlash(std::string_view(endpoint).substr(endpoint.find("//") + 2));
  const bool is_address =
      std::isdigit(static_cast<unsigned char>(host[0])) || host[0] == '[' || host.rfind("localhost", 0) == 0;
  return path.empty() && is_address ? endpoint + "/" + account : endpoint;
}

}  // namespace

std::optional<AzureConfig> ParseAzureUrl(const std::string& url, const StorageOptions& options,
                                         const Environment& environment) {
  const auto parts = PartsOf(url);
  if (!parts) return std::nullopt;
  const StorageOptionReader reader(kSystem, "azure", OptionNames(), options, environment);
  AzureConfig config;
  config.account = parts->host.substr(0, parts->host.find('.'));
  config.container = parts->container;
  const EnvironmentAccess access = AccessOfEnvironment(reader, config.account);
  FillAccess(reader, access, &config);
  std::string endpoint = reader.Text("azure_endpoint");
  if (endpoint.empty()) endpoint = access.endpoint;
  if (endpoint.empty()) {
    std::string host = parts->host;
    const size_t dfs = host.find(".dfs.");
    if (dfs != std::string::npos) host.replace(dfs, 5, ".blob.");
    endpoint = "https://" + host;
  }
  config.place = {kSystem, "abfss://" + config.container + "@" + parts->host, WithoutSlashes(parts->path),
                  WithAccount(reader.CheckedEndpoint(endpoint), config.account)};
  return config;
}

}  // namespace laminar
