#include "storage/gcs_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"
#include "storage/test_environment.h"

namespace laminar {
namespace {

using testing::HasSubstr;
using testing::Not;

GcsConfig Parse(const std::string& url, const StorageOptions& options = {},
                std::map<std::string, std::string> variables = {}) {
  const auto config = ParseGcsUrl(url, options, Variables(std::move(variables)));
  EXPECT_TRUE(config.has_value()) << url;
  return config.value_or(GcsConfig{});
}

std::string Refusal(const std::string& url, const StorageOptions& options = {}) {
  try {
    ParseGcsUrl(url, options, Variables({}));
  } catch (const ExternalError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(GcsConfig, UrlForms) {
  const GcsConfig plain = Parse("gs://bucket/a/b/");
  EXPECT_EQ(plain.bucket, "bucket");
  EXPECT_EQ(plain.place.prefix, "a/b");
  EXPECT_EQ(plain.place.url(), "gs://bucket/a/b");
  EXPECT_EQ(plain.place.endpoint, "https://storage.googleapis.com");
  EXPECT_EQ(plain.token->who(), "the machine's service account");
  EXPECT_EQ(Parse("GS://bucket").place.prefix, "");
  EXPECT_EQ(Parse("https://storage.googleapis.com/bucket/k").place.url(), "gs://bucket/k");
  for (const char* other : {"s3://bucket/k", "https://example.com/x", "/tmp/gs://x"}) {
    EXPECT_FALSE(ParseGcsUrl(other, {}, Variables({})).has_value()) << other;
  }
}

TEST(GcsConfig, AnEndpointOfItsOwnGetsNoTokenUnasked) {
  const GcsConfig variable = Parse("gs://b", {}, {{"STORAGE_EMULATOR_HOST", "127.0.0.1:9"}});
  EXPECT_EQ(variable.place.endpoint, "http://127.0.0.1:9");
  EXPECT_EQ(variable.token, nullptr);
  const GcsConfig option =
      Parse("gs://b", {{"endpoint", "https://o/"}}, {{"STORAGE_EMULATOR_HOST", "http://e"}});
  EXPECT_EQ(option.place.endpoint, "https://o");
}

TEST(GcsConfig, UsersOfTheVendorsTool) {
  const std::string path = testing::TempDir() + "/google_user.json";
  std::ofstream(path)
      << R"({"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r"})";
  EXPECT_THAT(Parse("gs://b", {}, {{"GOOGLE_APPLICATION_CREDENTIALS", path}}).token->who(),
              HasSubstr("application default credentials"));
}

TEST(GcsConfig, Refusals) {
  EXPECT_THAT(Refusal("gs://user:SECRET@bucket/k"), HasSubstr("credentials in a URL are refused"));
  EXPECT_THAT(Refusal("gs://user:SECRET@bucket/k"), Not(HasSubstr("SECRET")));
  EXPECT_THAT(Refusal("gs:///k"), HasSubstr("names no bucket"));
  EXPECT_THAT(Refusal("gs://b", {{"google_endpiont", "x"}}), HasSubstr("did you mean 'google_endpoint'?"));
  EXPECT_THAT(Refusal("gs://b", {{"google_endpoint", "host:1"}}), HasSubstr("is no URL"));
  EXPECT_THAT(Refusal("gs://b", {{"google_service_account_path", "/no/such"}}), HasSubstr("cannot read"));
  EXPECT_THAT(Refusal("gs://b", {{"google_service_account_key", "SECRET"}}), HasSubstr("no JSON object"));
  EXPECT_THAT(Refusal("gs://b", {{"google_service_account_key", "SECRET"}}), Not(HasSubstr("SECRET")));
  EXPECT_THAT(Refusal("gs://b", {{"google_service_account_key", R"({"type": "service_account"})"}}),
              HasSubstr("no \"client_email\""));
  EXPECT_THAT(
      Refusal("gs://b", {{"google_service_account_key",
                          R"({"type": "service_account", "client_email": "a@b", "private_key": "SECRET"})"}}),
      HasSubstr("no RSA key"));
}

}  // namespace
}  // namespace laminar
