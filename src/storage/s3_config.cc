#include "storage/s3_config.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <map>
#include <vector>

#include "base/error.h"

namespace laminar {

namespace {

constexpr char kDefaultRegion[] = "us-east-1";

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

[[noreturn]] void Refuse(const std::string& message) { throw ExternalError("s3", message); }

bool TakePrefix(std::string_view* text, std::string_view prefix) {
  if (Lower(std::string(text->substr(0, prefix.size()))) != prefix) return false;
  text->remove_prefix(prefix.size());
  return true;
}

/// `host/rest` → both; no slash: all is host.
std::pair<std::string, std::string> CutAtSlash(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return {std::string(text), ""};
  return {std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

std::string WithoutSlashes(std::string text) {
  while (!text.empty() && text.back() == '/') text.pop_back();
  const size_t begin = text.find_first_not_of('/');
  return begin == std::string::npos ? "" : text.substr(begin);
}

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

/// Lower case, without '_', '-' and `storage.`.
std::string Folded(const std::string& name) {
  std::string folded = Lower(name);
  if (folded.rfind("storage.", 0) == 0) folded = folded.substr(8);
  folded.erase(std::remove_if(folded.begin(), folded.end(), [](char c) { return c == '_' || c == '-'; }),
               folded.end());
  return folded;
}

/// Options by the names below, however they were written, with `aws_` or without.
class OptionReader {
 public:
  OptionReader(const StorageOptions& options, const Environment& environment) : environment_(environment) {
    for (const auto& [name, value] : options) {
      const std::string folded = Folded(name);
      const auto known = std::find_if(Names().begin(), Names().end(), [&](const std::string& each) {
        return Folded(each) == folded || Folded(each) == "aws" + folded;
      });
      if (known == Names().end()) {
        const std::string near = NearestName(name, Names());
        Refuse("unknown storage option '" + name + "'" +
               (near.empty() ? "" : "; did you mean '" + near + "'?"));
      }
      options_[*known] = value;
    }
  }

  static const std::vector<std::string>& Names() {
    static const std::vector<std::string> names = {"aws_region",
                                                   "aws_endpoint",
                                                   "aws_access_key_id",
                                                   "aws_secret_access_key",
                                                   "aws_session_token",
                                                   "aws_allow_http",
                                                   "aws_virtual_hosted_style_request"};
    return names;
  }

  std::string Text(const std::string& name) const {
    const auto found = options_.find(name);
    return found == options_.end() ? "" : found->second;
  }
  /// The option, else the first of these variables that is set.
  std::string Text(const std::string& name, const std::vector<const char*>& variables) const {
    std::string value = Text(name);
    for (const char* variable : variables) {
      if (!value.empty()) break;
      if (const char* found = environment_(variable)) value = found;
    }
    return value;
  }
  std::optional<bool> Boolean(const std::string& name) const {
    const std::string value = Lower(Text(name));
    if (value.empty()) return std::nullopt;
    if (value == "true" || value == "1") return true;
    if (value == "false" || value == "0") return false;
    Refuse("option '" + name + "' is '" + value + "'; true and false are right");
  }

 private:
  const Environment& environment_;
  std::map<std::string, std::string> options_;
};

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
AwsCredentials CredentialsOf(const OptionReader& options, const Environment& environment) {
  AwsCredentials credentials{options.Text("aws_access_key_id"), options.Text("aws_secret_access_key"),
                             options.Text("aws_session_token")};
  if (credentials.access_key.empty() && credentials.secret_key.empty()) {
    const auto variable = [&](const char* name) {
      const char* value = environment(name);
      return std::string(value == nullptr ? "" : value);
    };
    credentials = {variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"),
                   variable("AWS_SESSION_TOKEN")};
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
void FillEndpoint(const OptionReader& options, const UrlParts& parts, S3Config* config) {
  config->endpoint = parts.endpoint;
  if (config->endpoint.empty() && parts.region.empty()) {
    config->endpoint = WithoutSlashes(
        options.Text("aws_endpoint", {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"}));
  }
  const bool own = !config->endpoint.empty();
  if (!own) config->endpoint = "https://s3." + config->region + ".amazonaws.com";
  const bool http = config->endpoint.rfind("http://", 0) == 0;
  if (!http && config->endpoint.rfind("https://", 0) != 0) {
    Refuse("the endpoint '" + config->endpoint + "' is no URL; write http://host:port or https://host");
  }
  if (config->endpoint.find('@') != std::string::npos) {
    Refuse(
        "credentials in a URL are refused; give storage options or AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY");
  }
  if (http && options.Boolean("aws_allow_http") == false) {
    Refuse("the endpoint '" + config->endpoint + "' is not encrypted, and aws_allow_http is false");
  }
  // Names with dots do not fit the host's certificate.
  const bool fits_host = config->bucket.find('.') == std::string::npos;
  config->virtual_hosted = options.Boolean("aws_virtual_hosted_style_request").value_or(!own && fits_host);
  if (config->virtual_hosted) config->endpoint.insert(config->endpoint.find("//") + 2, config->bucket + ".");
}

}  // namespace

S3Config S3Config::At(const std::string& key) const {
  S3Config other = *this;
  other.prefix = WithoutSlashes(key);
  other.url = "s3://" + bucket + (other.prefix.empty() ? "" : "/" + other.prefix);
  return other;
}

Environment ProcessEnvironment() {
  return [](const char* name) -> const char* { return std::getenv(name); };
}

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
  const OptionReader reader(options, environment);
  S3Config config;
  config.bucket = parts->bucket;
  config.region = !parts->region.empty() ? parts->region
                                         : reader.Text("aws_region", {"AWS_REGION", "AWS_DEFAULT_REGION"});
  if (config.region.empty()) config.region = kDefaultRegion;
  config.credentials = CredentialsOf(reader, environment);
  FillEndpoint(reader, *parts, &config);
  return config.At(parts->key);
}

}  // namespace laminar
