#include "storage/s3_config.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <vector>

#include "base/error.h"

namespace laminar {

namespace {

constexpr char kDefaultRegion[] = "us-east-1";

const std::vector<std::string>& OptionNames() {
  static const std::vector<std::string> names = {"aws_region",
                                                 "aws_endpoint",
                                                 "aws_access_key_id",
                                                 "aws_secret_access_key",
                                                 "aws_session_token",
                                                 "aws_allow_http",
                                                 "aws_virtual_hosted_style_request"};
  return names;
}

[[noreturn]] void Refuse(const std::string& message) { throw ExternalError("s3", message); }

/// What the URL alone says; empty endpoint: AWS, or an option.
struct UrlParts {
  std::string endpoint;
  std::string region;
  std::string bucket;
  std::string key;
};

/// The https forms of AWS: `s3.REGION.amazonaws.com/bucket/key` and `bucket.s3.REGION.amazonaws.com/key`.
std::optional<UrlParts> PartsOfAwsHost(std::string_view rest) {
  const auto [host, path] = CutAtSlash(rest);
  constexpr std::string_view kAws = ".amazonaws.com";
  if (host.size() <= kAws.size() || host.substr(host.size() - kAws.size()) != kAws) return std::nullopt;
  const std::string service = "." + host.substr(0, host.size() - kAws.size());
  const size_t s3 = service.rfind(".s3");
  if (s3 == std::string::npos) return std::nullopt;
  const std::string after = service.substr(s3 + 3);  // ".REGION", "-REGION" or nothing
  if (!after.empty() && after[0] != '.' && after[0] != '-') return std::nullopt;
  UrlParts parts;
  parts.region = after.empty() ? kDefaultRegion : after.substr(1);
  if (s3 > 0) {
    parts.bucket = service.substr(1, s3 - 1);
    parts.key = path;
  } else {
    std::tie(parts.bucket, parts.key) = CutAtSlash(path);
  }
  return parts;
}

std::optional<UrlParts> PartsOf(std::string_view url) {
  UrlParts parts;
  std::string_view rest = url;
  if (TakePrefix(&rest, "s3://") || TakePrefix(&rest, "s3a://")) {
    std::tie(parts.bucket, parts.key) = CutAtSlash(rest);
    return parts;
  }
  if (TakePrefix(&rest, "s3::")) {
    const bool secure = TakePrefix(&rest, "https://");
    if (!secure && !TakePrefix(&rest, "http://")) {
      Refuse("a URL that begins with s3:: goes on with http://host:port/bucket/key or https://…");
    }
    const auto [host, path] = CutAtSlash(rest);
    parts.endpoint = (secure ? "https://" : "http://") + host;
    std::tie(parts.bucket, parts.key) = CutAtSlash(path);
    return parts;
  }
  if (TakePrefix(&rest, "https://")) return PartsOfAwsHost(rest);
  return std::nullopt;
}

/// A profile of the file that the vendor's own tools write: `[profile]` and `name = value` lines.
AwsCredentials CredentialsOfFile(const Environment& environment) {
  std::string path;
  if (const char* given = environment("AWS_SHARED_CREDENTIALS_FILE")) {
    path = given;
  } else if (const char* home = environment("HOME")) {
    path = std::string(home) + "/.aws/credentials";
  }
  const char* chosen = environment("AWS_PROFILE");
  const std::string wanted = std::string("[") + (chosen != nullptr ? chosen : "default") + "]";
  AwsCredentials credentials;
  std::ifstream file(path);
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    line.erase(std::remove_if(line.begin(), line.end(), [](unsigned char c) { return std::isspace(c); }),
               line.end());
    if (!line.empty() && line[0] == '[') inside = line == wanted;
    const size_t equals = line.find('=');
    if (!inside || equals == std::string::npos) continue;
    const std::string name = line.substr(0, equals);
    if (name == "aws_access_key_id") credentials.access_key = line.substr(equals + 1);
    if (name == "aws_secret_access_key") credentials.secret_key = line.substr(equals + 1);
    if (name == "aws_session_token") credentials.session_token = line.substr(equals + 1);
  }
  return credentials;
}

/// All three from one place: a key of one with the secret of another would only be confusing.
AwsCredentials CredentialsOf(const StorageOptionReader& options, const Environment& environment) {
  AwsCredentials credentials{options.Text("aws_access_key_id"), options.Text("aws_secret_access_key"),
                             options.Text("aws_session_token")};
  if (credentials.access_key.empty() && credentials.secret_key.empty()) {
    credentials = {options.Variable("AWS_ACCESS_KEY_ID"), options.Variable("AWS_SECRET_ACCESS_KEY"),
                   options.Variable("AWS_SESSION_TOKEN")};
  }
  if (credentials.access_key.empty() && credentials.secret_key.empty()) {
    credentials = CredentialsOfFile(environment);
  }
  if (credentials.access_key.empty() != credentials.secret_key.empty()) {
    Refuse(credentials.access_key.empty() ? "there is a secret access key but no access key id"
                                          : "there is an access key id but no secret access key");
  }
  return credentials;
}

/// Where requests go: the URL's endpoint, the option's, the environment's, or AWS itself.
void FillEndpoint(const StorageOptionReader& options, const UrlParts& parts, S3Config* config) {
  std::string endpoint = parts.endpoint;
  if (endpoint.empty() && parts.region.empty()) {
    endpoint = options.Text("aws_endpoint", {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"});
  }
  const bool own = !endpoint.empty();
  endpoint = options.CheckedEndpoint(own ? endpoint : "https://s3." + config->region + ".amazonaws.com");
  if (endpoint.rfind("http://", 0) == 0 && options.Boolean("aws_allow_http") == false) {
    Refuse("the endpoint '" + endpoint + "' is not encrypted, and aws_allow_http is false");
  }
  // Names with dots do not fit the host's certificate.
  const bool fits_host = config->bucket.find('.') == std::string::npos;
  config->virtual_hosted = options.Boolean("aws_virtual_hosted_style_request").value_or(!own && fits_host);
  if (config->virtual_hosted) endpoint.insert(endpoint.find("//") + 2, config->bucket + ".");
  config->place.endpoint = endpoint;
}

}  // namespace

std::optional<S3Config> ParseS3Url(const std::string& url, const StorageOptions& options,
                                   const Environment& environment) {
  const auto parts = PartsOf(url);
  if (!parts) return std::nullopt;
  if ((parts->endpoint + parts->bucket).find('@') != std::string::npos) {
    Refuse(
        "credentials in a URL are refused; give storage options or AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY");
  }
  if (parts->bucket.empty()) Refuse("the URL names no bucket; write s3://bucket/key");
  const StorageOptionReader reader("s3", "aws", OptionNames(), options, environment);
  S3Config config;
  config.bucket = parts->bucket;
  config.region = !parts->region.empty() ? parts->region
                                         : reader.Text("aws_region", {"AWS_REGION", "AWS_DEFAULT_REGION"});
  if (config.region.empty()) config.region = kDefaultRegion;
  config.credentials = CredentialsOf(reader, environment);
  config.place = {"s3", "s3://" + config.bucket, WithoutSlashes(parts->key), ""};
  FillEndpoint(reader, *parts, &config);
  return config;
}

}  // namespace laminar
