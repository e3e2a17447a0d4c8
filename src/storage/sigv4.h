#pragma once

/// AWS Signature Version 4, as S3 wants it: the path is signed as sent, and the hash of the body is a header.

#include <map>
#include <string>
#include <string_view>

namespace laminar {

struct AwsCredentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token;  ///< may be empty
};

/// A request before it is signed.
struct AwsRequest {
  std::string method;
  std::string path;                            ///< percent-encoded, begins with '/'
  std::map<std::string, std::string> query;    ///< not encoded
  std::map<std::string, std::string> headers;  ///< names in lower case; "host" among them
};

/// Adds x-amz-date, x-amz-content-sha256, x-amz-security-token (with a session) and authorization. `amz_date`
/// is `20130524T000000Z`.
void SignAws(const AwsCredentials& credentials, const std::string& region, const std::string& service,
             const std::string& amz_date, const std::string& payload_sha256, AwsRequest* request);

}  // namespace laminar
