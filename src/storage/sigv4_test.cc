#include "storage/sigv4.h"

#include <gtest/gtest.h>

#include "storage/digest.h"
#include "storage/wire_text.h"

namespace laminar {
namespace {

// The examples of the S3 documentation ("Signature Calculations for the Authorization Header").
const AwsCredentials kCredentials{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
constexpr char kDate[] = "20130524T000000Z";

std::string SignatureOf(AwsRequest request, const std::string& payload) {
  request.headers["host"] = "examplebucket.s3.amazonaws.com";
  SignAws(kCredentials, "us-east-1", "s3", kDate, Sha256Hex(payload), &request);
  const std::string& text = request.headers["authorization"];
  return text.substr(text.find("Signature=") + 10);
}

TEST(SigV4, GetOfARange) {
  EXPECT_EQ(SignatureOf({"GET", "/test.txt", {}, {{"range", "bytes=0-9"}}}, ""),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(SigV4, PutWithABody) {
  AwsRequest request{
      "PUT",
      "/" + PercentEncode("test$file.text", true),
      {},
      {{"date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}}};
  EXPECT_EQ(SignatureOf(request, "Welcome to Amazon S3."),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(SigV4, ListWithQuery) {
  EXPECT_EQ(SignatureOf({"GET", "/", {{"max-keys", "2"}, {"prefix", "J"}}, {}}, ""),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(SigV4, TheSessionTokenIsSigned) {
  AwsRequest request{"GET", "/", {}, {{"host", "h"}}};
  AwsCredentials session = kCredentials;
  session.session_token = "token";
  SignAws(session, "us-east-1", "s3", kDate, Sha256Hex(""), &request);
  EXPECT_NE(request.headers["authorization"].find("x-amz-security-token"), std::string::npos);
}

}  // namespace
}  // namespace laminar
