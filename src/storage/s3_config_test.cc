#include "storage/s3_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "base/error.h"
#include "storage/test_environment.h"

namespace laminar {
namespace {

using testing::HasSubstr;
using testing::Not;

S3Config Parse(const std::string& url, const StorageOptions& options = {},
               std::map<std::string, std::string> variables = {}) {
  const auto config = ParseS3Url(url, options, Variables(std::move(variables)));
  EXPECT_TRUE(config.has_value()) << url;
  return config.value_or(S3Config{});
}

std::string Refusal(const std::string& url, const StorageOptions& options = {}) {
  try {
    ParseS3Url(url, options, Variables({}));
  } catch (const ExternalError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(S3Config, UrlForms) {
  const S3Config plain = Parse("s3://bucket/a/b/");
  EXPECT_EQ(plain.bucket, "bucket");
  EXPECT_EQ(plain.place.prefix, "a/b");
  EXPECT_EQ(plain.region, "us-east-1");
  EXPECT_EQ(plain.place.endpoint, "https://bucket.s3.us-east-1.amazonaws.com");
  EXPECT_TRUE(plain.virtual_hosted);
  EXPECT_EQ(plain.place.url(), "s3://bucket/a/b");
  EXPECT_EQ(Parse("S3A://bucket/key").place.prefix, "key");
  EXPECT_EQ(Parse("s3://bucket").place.prefix, "");

  const S3Config path = Parse("https://s3.eu-west-1.amazonaws.com/bucket/k");
  EXPECT_EQ(path.region, "eu-west-1");
  EXPECT_EQ(path.bucket, "bucket");
  EXPECT_EQ(path.place.prefix, "k");
  const S3Config host = Parse("https://my.bucket.s3.eu-west-1.amazonaws.com/k/l");
  EXPECT_EQ(host.bucket, "my.bucket");
  EXPECT_EQ(host.place.prefix, "k/l");
  EXPECT_FALSE(host.virtual_hosted);  // the certificate is for one label
  EXPECT_EQ(host.place.endpoint, "https://s3.eu-west-1.amazonaws.com");

  const S3Config own = Parse("s3::http://127.0.0.1:9000/bucket/k");
  EXPECT_EQ(own.place.endpoint, "http://127.0.0.1:9000");
  EXPECT_EQ(own.bucket, "bucket");
  EXPECT_FALSE(own.virtual_hosted);

  for (const char* other :
       {"gs://bucket/k", "https://example.com/x", "https://s3x.amazonaws.com/b", "/tmp/s3://x"}) {
    EXPECT_FALSE(ParseS3Url(other, {}, Variables({})).has_value()) << other;
  }
}

TEST(S3Config, OptionsComeBeforeTheEnvironment) {
  const std::map<std::string, std::string> variables = {{"AWS_ACCESS_KEY_ID", "ek"},
                                                        {"AWS_SECRET_ACCESS_KEY", "es"},
                                                        {"AWS_SESSION_TOKEN", "et"},
                                                        {"AWS_REGION", "er"},
                                                        {"AWS_ENDPOINT_URL", "http://e:1/"}};
  const S3Config from_environment = Parse("s3://b/k", {}, variables);
  EXPECT_EQ(from_environment.credentials.access_key, "ek");
  EXPECT_EQ(from_environment.credentials.session_token, "et");
  EXPECT_EQ(from_environment.region, "er");
  EXPECT_EQ(from_environment.place.endpoint, "http://e:1");

  const S3Config from_options = Parse("s3://b/k",
                                      {{"aws_access_key_id", "ok"},
                                       {"AWS_SECRET_ACCESS_KEY", "os"},
                                       {"region", "or"},
                                       {"endpoint", "https://o"}},
                                      variables);
  EXPECT_EQ(from_options.credentials.access_key, "ok");
  EXPECT_EQ(from_options.credentials.secret_key, "os");
  EXPECT_EQ(from_options.credentials.session_token, "");  // not the environment's, for another key
  EXPECT_EQ(from_options.region, "or");
  EXPECT_EQ(from_options.place.endpoint, "https://o");
}

TEST(S3Config, CredentialsFile) {
  const std::string path = testing::TempDir() + "/aws_credentials";
  std::ofstream(path) << "[default]\naws_access_key_id = dk\naws_secret_access_key = ds\n"
                         "[other]\naws_access_key_id=ok\naws_secret_access_key=os\naws_session_token=ot\n";
  const S3Config usual = Parse("s3://b", {}, {{"AWS_SHARED_CREDENTIALS_FILE", path}});
  EXPECT_EQ(usual.credentials.access_key, "dk");
  EXPECT_EQ(usual.credentials.secret_key, "ds");
  const S3Config other =
      Parse("s3://b", {}, {{"AWS_SHARED_CREDENTIALS_FILE", path}, {"AWS_PROFILE", "other"}});
  EXPECT_EQ(other.credentials.access_key, "ok");
  EXPECT_EQ(other.credentials.session_token, "ot");
}

TEST(S3Config, Refusals) {
  EXPECT_THAT(Refusal("s3://KEY:SECRET@bucket/k"), HasSubstr("credentials in a URL are refused"));
  EXPECT_THAT(Refusal("s3://KEY:SECRET@bucket/k"), Not(HasSubstr("SECRET@")));
  EXPECT_THAT(Refusal("s3:///k"), HasSubstr("names no bucket"));
  EXPECT_THAT(Refusal("s3::ftp://h/b"), HasSubstr("s3::"));
  EXPECT_THAT(Refusal("s3://b", {{"aws_regoin", "x"}}), HasSubstr("did you mean 'aws_region'?"));
  EXPECT_THAT(Refusal("s3://b", {{"aws_access_key_id", "x"}}), HasSubstr("no secret access key"));
  EXPECT_THAT(Refusal("s3://b", {{"aws_endpoint", "host:1"}}), HasSubstr("is no URL"));
  EXPECT_THAT(Refusal("s3://b", {{"aws_endpoint", "http://h"}, {"aws_allow_http", "false"}}),
              HasSubstr("aws_allow_http"));
}

}  // namespace
}  // namespace laminar
