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

/// Percent-encodes all but letters, digits and `-_.~` (and, where `keep_slash`, '/').
std::string PercentEncode(std::string_view text, bool keep_slash);
/// `a=x&b=y`, encoded, in the order that is signed.
std::string QueryText(const std::map<std::string, std::string>& query);
/// 64 hexadecimal digits.
std::string Sha256Hex(std::string_view data);
/// 32 hexadecimal digits: what an object's ETag is made of.
std::string Md5Hex(std::string_view data);

/// Adds x-amz-date, x-amz-content-sha256, x-amz-security-token (with a session) and authorization. `amz_date`
/// is `20130524T000000Z`.
void SignAws(const AwsCredentials& credentials, const std::string& region, const std::string& service,
             const std::string& amz_date, const std::string& payload_sha256, AwsRequest* request);

}  // namespace laminar
