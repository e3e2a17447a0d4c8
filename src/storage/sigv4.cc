#include "storage/sigv4.h"

#include "storage/digest.h"
#include "storage/wire_text.h"

namespace laminar {

void SignAws(const AwsCredentials& credentials, const std::string& region, const std::string& service,
             const std::string& amz_date, const std::string& payload_sha256, AwsRequest* request) {
  request->headers["x-amz-date"] = amz_date;
  request->headers["x-amz-content-sha256"] = payload_sha256;
  if (!credentials.session_token.empty()) {
    request->headers["x-amz-security-token"] = credentials.session_token;
  }
  std::string names;
  std::string canonical = request->method + "\n" + request->path + "\n" + QueryText(request->query) + "\n";
  for (const auto& [name, value] : request->headers) {
    canonical += name + ":" + value + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  canonical += "\n" + names + "\n" + payload_sha256;

  const std::string day = amz_date.substr(0, 8);
  const std::string scope = day + "/" + region + "/" + service + "/aws4_request";
  const std::string to_sign = "AWS4-HMAC-SHA256\n" + amz_date + "\n" + scope + "\n" + Sha256Hex(canonical);
  std::string key = HmacSha256("AWS4" + credentials.secret_key, day);
  for (const std::string_view part :
       {std::string_view(region), std::string_view(service), std::string_view("aws4_request")}) {
    key = HmacSha256(key, part);
  }
  request->headers["authorization"] = "AWS4-HMAC-SHA256 Credential=" + credentials.access_key + "/" + scope +
                                      ",SignedHeaders=" + names +
                                      ",Signature=" + HexText(HmacSha256(key, to_sign));
}

}  // namespace laminar
