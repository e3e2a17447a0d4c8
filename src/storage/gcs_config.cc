#include "storage/gcs_config.h"

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.h"
#include "storage/digest.h"
#include "storage/wire_text.h"

namespace laminar {

namespace {

constexpr char kSystem[] = "gcs";
constexpr char kEndpoint[] = "https://storage.googleapis.com";
constexpr char kScope[] = "https://www.googleapis.com/auth/devstorage.read_write";
constexpr char kTokenUrl[] = "https://oauth2.googleapis.com/token";
constexpr int64_t kAssertionSeconds = 3600;

const std::vector<std::string>& OptionNames() {
  static const std::vector<std::string> names = {"google_service_account_key", "google_service_account_path",
                                                 "google_endpoint"};
  return names;
}

/// `bucket/key` of the URL.
std::optional<std::string> PathOf(std::string_view url) {
  std::string_view rest = url;
  if (TakePrefix(&rest, "gs://") || TakePrefix(&rest, "https://storage.googleapis.com/")) {
    return std::string(rest);
  }
  return std::nullopt;
}

/// What a key file says.
class KeyText {
 public:
  /// `where`: of the key, for messages.
  KeyText(const std::string& text, std::string where)
      : json_(nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false)), where_(std::move(where)) {
    if (!json_.is_object()) Refuse("is no JSON object; the key of a service account is one");
  }

  std::string Optional(const char* name) const {
    return json_.contains(name) && json_.at(name).is_string() ? json_.at(name).get<std::string>() : "";
  }
  std::string Required(const char* name) const {
    std::string value = Optional(name);
    if (value.empty()) Refuse(std::string("has no \"") + name + "\"");
    return value;
  }
  [[noreturn]] void Refuse(const std::string& what) const {
    throw ExternalError(kSystem, "the credentials in " + where_ + " cannot be used: the text " + what);
  }

 private:
  const nlohmann::json json_;
  const std::string where_;
};

/// A JSON web token that says who asks, signed with the account's key.
std::string Assertion(const std::string& email, const std::string& key_id, const std::string& private_key,
                      const std::string& audience) {
  const int64_t now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  nlohmann::json header{{"alg", "RS256"}, {"typ", "JWT"}};
  if (!key_id.empty()) header["kid"] = key_id;
  const nlohmann::json claims{
      {"iss", email}, {"scope", kScope}, {"aud", audience}, {"iat", now}, {"exp", now + kAssertionSeconds}};
  const std::string text = Base64Url(header.dump()) + "." + Base64Url(claims.dump());
  return text + "." + Base64Url(SignRs256(private_key, text).value());
}

std::shared_ptr<TokenSource> TokenOfKey(const KeyText& key) {
  const std::string url = key.Optional("token_uri").empty() ? kTokenUrl : key.Optional("token_uri");
  if (key.Optional("type") == "authorized_user") {
    const std::map<std::string, std::string> form{{"grant_type", "refresh_token"},
                                                  {"client_id", key.Required("client_id")},
                                                  {"client_secret", key.Required("client_secret")},
                                                  {"refresh_token", key.Required("refresh_token")}};
    return std::make_shared<TokenSource>(kSystem, "the user of the application default credentials",
                                         [url, form] { return TokenRequest{url, {}, form}; });
  }
  const std::string type = key.Optional("type");
  if (type != "service_account") {
    key.Refuse("has type '" + type + "'; service_account and authorized_user are known");
  }
  const std::string email = key.Required("client_email");
  const std::string key_id = key.Optional("private_key_id");
  const std::string private_key = key.Required("private_key");
  if (!SignRs256(private_key, "")) key.Refuse("has a \"private_key\" that is no RSA key in PEM form");
  return std::make_shared<TokenSource>(kSystem, "service account '" + email + "'", [=] {
    return TokenRequest{url,
                        {},
                        {{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"},
                         {"assertion", Assertion(email, key_id, private_key, url)}}};
  });
}

/// The account of the machine that this runs on; none where there is no such service.
std::shared_ptr<TokenSource> TokenOfMachine(const StorageOptionReader& options) {
  std::string host = options.Variable("GCE_METADATA_HOST");
  if (host.empty()) host = "metadata.google.internal";
  const TokenRequest request{"http://" + host + "/computeMetadata/v1/instance/service-accounts/default/token",
                             {{"metadata-flavor", "Google"}},
                             {}};
  return std::make_shared<TokenSource>(
      kSystem, "the machine's service account", [request] { return request; }, /*optional=*/true);
}

std::optional<std::string> TextOfFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Null when no key was given.
std::shared_ptr<TokenSource> TokenOfGivenKey(const StorageOptionReader& options) {
  for (const char* source : {"", "GOOGLE_SERVICE_ACCOUNT_KEY"}) {
    const bool by_option = source[0] == '\0';
    const std::string text =
        by_option ? options.Text("google_service_account_key") : options.Variable(source);
    if (!text.empty()) {
      return TokenOfKey(KeyText(text, by_option ? "google_service_account_key" : source));
    }
    // Options of either kind come before the environment.
    const std::string path =
        by_option ? options.Text("google_service_account_path")
                  : options.Text("", {"GOOGLE_SERVICE_ACCOUNT_PATH", "GOOGLE_APPLICATION_CREDENTIALS"});
    if (path.empty()) continue;
    const auto found = TextOfFile(path);
    if (!found) options.Refuse("cannot read the service account's key '" + path + "'");
    return TokenOfKey(KeyText(*found, "'" + path + "'"));
  }
  return nullptr;
}

std::shared_ptr<TokenSource> TokenOf(const StorageOptionReader& options, bool own_endpoint) {
  if (auto given = TokenOfGivenKey(options)) return given;
  if (own_endpoint) return nullptr;
  const std::string home = options.Variable("HOME");
  if (!home.empty()) {
    const std::string path = home + "/.config/gcloud/application_default_credentials.json";
    if (const auto text = TextOfFile(path)) return TokenOfKey(KeyText(*text, "'" + path + "'"));
  }
  return TokenOfMachine(options);
}

}  // namespace

std::optional<GcsConfig> ParseGcsUrl(const std::string& url, const StorageOptions& options,
                                     const Environment& environment) {
  const auto path = PathOf(url);
  if (!path) return std::nullopt;
  const StorageOptionReader reader(kSystem, "google", OptionNames(), options, environment);
  const auto [bucket, key] = CutAtSlash(*path);
  if (bucket.find('@') != std::string::npos) {
    reader.Refuse(
        "credentials in a URL are refused; give google_service_account_path, or "
        "GOOGLE_APPLICATION_CREDENTIALS in the environment");
  }
  if (bucket.empty()) reader.Refuse("the URL names no bucket; write gs://bucket/key");
  std::string endpoint = reader.Text("google_endpoint", {"STORAGE_EMULATOR_HOST"});
  const bool own = !endpoint.empty();
  // Google's own tools take that variable without a scheme.
  if (own && reader.Text("google_endpoint").empty() && endpoint.find("://") == std::string::npos) {
    endpoint = "http://" + endpoint;
  }
  GcsConfig config;
  config.bucket = bucket;
  config.place = {kSystem, "gs://" + bucket, WithoutSlashes(key),
                  own ? reader.CheckedEndpoint(endpoint) : kEndpoint};
  config.token = TokenOf(reader, own);
  return config;
}

}  // namespace laminar
