#include "storage/s3_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "storage/digest.h"

namespace laminar {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(S3Client, EtagOfParts) {
  // md5(md5("a") md5("b")), as bytes.
  EXPECT_EQ(S3Client::EtagOfParts({{Md5Hex("a"), 1}, {Md5Hex("b"), 1}}),
            Md5Hex(std::string("\x0c\xc1\x75\xb9\xc0\xf1\xb6\xa8\x31\xc3\x99\xe2\x69\x77\x26\x61"
                               "\x92\xeb\x5f\xfe\xe6\xae\x2f\xec\x3a\xd7\x1c\x77\x75\x31\x57\x8f",
                               32)) +
                "-2");
}

TEST(S3Client, NoAnswerIsWorthAnotherTryAndNamesNoSecret) {
  S3Config config;
  config.bucket = "bucket";
  config.place = {"s3", "s3://bucket", "", "http://127.0.0.1:1"};  // nobody listens there
  config.credentials = {"the-key", "the-secret", ""};
  S3Client client(config);
  try {
    client.Head("a/b");
    FAIL() << "no error";
  } catch (const ExternalError& error) {
    EXPECT_EQ(error.retry(), ExternalError::Retry::kBackoff);
    EXPECT_THAT(error.what(), HasSubstr("HEAD s3://bucket/a/b at http://127.0.0.1:1 failed: no answer"));
    EXPECT_THAT(error.what(), Not(HasSubstr("the-")));
  }
}

}  // namespace
}  // namespace laminar
