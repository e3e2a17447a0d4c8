#include "storage/azure_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "storage/test_environment.h"

namespace laminar {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

constexpr char kUrl[] = "abfss://box@acc.dfs.core.windows.net/a/b";

AzureConfig Parse(const std::string& url, const StorageOptions& options = {},
                  std::map<std::string, std::string> variables = {}) {
  const auto config = ParseAzureUrl(url, options, Variables(std::move(variables)));
  EXPECT_TRUE(config.has_value()) << url;
  return config.value_or(AzureConfig{});
}

std::string Refusal(const std::string& url, const StorageOptions& options = {}) {
  try {
    ParseAzureUrl(url, options, Variables({}));
  } catch (const ExternalError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(AzureConfig, UrlForms) {
  const AzureConfig plain = Parse(kUrl);
  EXPECT_EQ(plain.account, "acc");
  EXPECT_EQ(plain.container, "box");
  EXPECT_EQ(plain.place.prefix, "a/b");
  EXPECT_EQ(plain.place.url(), kUrl);
  EXPECT_EQ(plain.place.endpoint, "https://acc.blob.core.windows.net");
  const AzureConfig https = Parse("https://acc.blob.core.windows.net/box/k");
  EXPECT_EQ(https.place.url(), "abfss://box@acc.blob.core.windows.net/k");
  EXPECT_EQ(https.place.endpoint, "https://acc.blob.core.windows.net");
  for (const char* other :
       {"gs://bucket/k", "https://example.com/x", "https://s3.eu-west-1.amazonaws.com/b/k"}) {
    EXPECT_FALSE(ParseAzureUrl(other, {}, Variables({})).has_value()) << other;
  }
}

TEST(AzureConfig, Endpoints) {
  EXPECT_EQ(Parse(kUrl, {{"azure_endpoint", "http://127.0.0.1:10000"}}).place.endpoint,
            "http://127.0.0.1:10000/acc");
  EXPECT_EQ(Parse(kUrl, {{"endpoint", "http://127.0.0.1:10000/other/"}}).place.endpoint,
            "http://127.0.0.1:10000/other");
  EXPECT_EQ(Parse(kUrl, {{"endpoint", "https://blobs.example.com"}}).place.endpoint,
            "https://blobs.example.com");
}

TEST(AzureConfig, WhoAsks) {
  EXPECT_EQ(Parse(kUrl, {{"azure_storage_account_key", "a2V5"}}, {{"AZURE_STORAGE_KEY", "b3RoZXI="}}).key,
            "key");
  EXPECT_EQ(Parse(kUrl, {}, {{"AZURE_STORAGE_KEY", "b3RoZXI="}}).key, "other");
  EXPECT_EQ(Parse(kUrl, {}, {{"AZURE_STORAGE_ACCOUNT", "xyz"}, {"AZURE_STORAGE_KEY", "b3RoZXI="}}).key, "");
  const AzureConfig connection =
      Parse(kUrl, {},
            {{"AZURE_STORAGE_CONNECTION_STRING",
              "AccountName=acc;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:1/acc;"}});
  EXPECT_EQ(connection.key, "key");
  EXPECT_EQ(connection.place.endpoint, "http://127.0.0.1:1/acc");
  EXPECT_THAT(Parse(kUrl, {{"azure_sas_token", "?sv=1&sig=a%2Fb%3D"}}).sas,
              ElementsAre(Pair("sig", "a/b="), Pair("sv", "1")));
  const AzureConfig application =
      Parse(kUrl, {{"azure_client_id", "c"}, {"azure_client_secret", "s"}, {"azure_tenant_id", "t"}},
            {{"AZURE_STORAGE_KEY", "b3RoZXI="}});
  EXPECT_EQ(application.token->who(), "application 'c'");
  EXPECT_EQ(application.key, "");
}

TEST(AzureConfig, Refusals) {
  EXPECT_THAT(Refusal("abfss://box:SECRET@acc.dfs.core.windows.net/k"),
              HasSubstr("credentials in a URL are refused"));
  EXPECT_THAT(Refusal("abfss://box:SECRET@acc.dfs.core.windows.net/k"), Not(HasSubstr("SECRET@")));
  EXPECT_THAT(Refusal("https://acc.blob.core.windows.net/box/k?sv=1&sig=SECRET"),
              HasSubstr("credentials in a URL are refused"));
  EXPECT_THAT(Refusal("abfss://acc.dfs.core.windows.net/k"), HasSubstr("names no container and account"));
  EXPECT_THAT(Refusal("https://acc.blob.core.windows.net/"), HasSubstr("names no container"));
  EXPECT_THAT(Refusal(kUrl, {{"azure_storage_account_key", "SECRET!"}}), HasSubstr("no base64"));
  EXPECT_THAT(Refusal(kUrl, {{"azure_storage_account_key", "SECRET!"}}), Not(HasSubstr("SECRET")));
  EXPECT_THAT(Refusal(kUrl, {{"azure_sas_token", "SECRET"}}), HasSubstr("no 'sig='"));
  EXPECT_THAT(Refusal(kUrl, {{"azure_client_id", "c"}}), HasSubstr("azure_client_secret is missing"));
  EXPECT_THAT(Refusal(kUrl, {{"azure_sas_tokne", "x"}}), HasSubstr("did you mean 'azure_sas_token'?"));
}

}  // namespace
}  // namespace laminar
