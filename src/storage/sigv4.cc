#include "storage/sigv4.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "base/error.h"

namespace laminar {

namespace {

std::string Hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string Digest(const EVP_MD* kind, std::string_view data) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  unsigned int bytes = 0;
  LAMINAR_CHECK(EVP_Digest(data.data(), data.size(), out.data(), &bytes, kind, nullptr) == 1,
                "no such digest in OpenSSL");
  return {reinterpret_cast<const char*>(out.data()), bytes};
}

std::string HmacSha256(std::string_view key, std::string_view data) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  unsigned int bytes = 0;
  LAMINAR_CHECK(
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(data.data()), data.size(), out.data(), &bytes) != nullptr,
      "HMAC failed");
  return {reinterpret_cast<const char*>(out.data()), bytes};
}

}  // namespace

std::string PercentEncode(std::string_view text, bool keep_slash) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~' || (c == '/' && keep_slash);
    if (plain) {
      out += c;
      continue;
    }
    constexpr char kDigits[] = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string QueryText(const std::map<std::string, std::string>& query) {
  std::string text;
  for (const auto& [name, value] : query) {
    text += (text.empty() ? "" : "&") + PercentEncode(name, false) + "=" + PercentEncode(value, false);
  }
  return text;
}

std::string Sha256Hex(std::string_view data) { return Hex(Digest(EVP_sha256(), data)); }

std::string Md5Hex(std::string_view data) { return Hex(Digest(EVP_md5(), data)); }

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
                                      ",Signature=" + Hex(HmacSha256(key, to_sign));
}

}  // namespace laminar
