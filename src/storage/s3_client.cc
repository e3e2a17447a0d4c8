#include "storage/s3_client.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <random>
#include <thread>

#include "base/error.h"

namespace laminar {

namespace {

constexpr int kTries = 5;
constexpr int64_t kFirstPauseMs = 100;  // doubled each time, and up to as much again at random

/// The text of the first `<tag>…</tag>`, unescaped; empty when there is none.
std::string XmlText(std::string_view xml, const std::string& tag);

/// What stands inside each `<tag>…</tag>`.
std::vector<std::string_view> XmlElements(std::string_view xml, const std::string& tag) {
  std::vector<std::string_view> found;
  const std::string open = "<" + tag + ">";
  const std::string close = "</" + tag + ">";
  for (size_t at = 0; (at = xml.find(open, at)) != std::string_view::npos;) {
    at += open.size();
    const size_t end = xml.find(close, at);
    if (end == std::string_view::npos) break;
    found.push_back(xml.substr(at, end - at));
    at = end + close.size();
  }
  return found;
}

std::string XmlUnescaped(std::string_view text) {
  constexpr std::pair<std::string_view, char> kEntities[] = {
      {"&lt;", '<'},    {"&gt;", '>'},   {"&quot;", '"'}, {"&#34;", '"'},
      {"&apos;", '\''}, {"&#39;", '\''}, {"&amp;", '&'}};
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const auto* entity = std::find_if(std::begin(kEntities), std::end(kEntities), [&](const auto& each) {
      return text.substr(i, each.first.size()) == each.first;
    });
    const bool is_entity = entity != std::end(kEntities);
    out += is_entity ? entity->second : text[i];
    i += is_entity ? entity->first.size() : 1;
  }
  return out;
}

std::string XmlText(std::string_view xml, const std::string& tag) {
  const auto found = XmlElements(xml, tag);
  return found.empty() ? "" : XmlUnescaped(found.front());
}

std::string XmlEscaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string WithoutQuotes(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), '"'), text.end());
  return text;
}

int64_t ToNumber(const std::string& text) {
  return text.empty() ? 0 : std::strtoll(text.c_str(), nullptr, 10);
}

/// `Wed, 21 Oct 2015 07:28:00 GMT` or `2015-10-21T07:28:00.000Z`; 0 for anything else.
int64_t TimeUs(const std::string& text) {
  std::tm parts{};
  const bool found = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S", &parts) != nullptr ||
                     strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) != nullptr;
  return found ? static_cast<int64_t>(timegm(&parts)) * 1'000'000 : 0;
}

bool IsTransient(const HttpResponse& response) {
  // 409: another conditional request for the key is being dealt with.
  return response.status == 0 || response.status >= 500 || response.status == 429 || response.status == 408 ||
         response.status == 409;
}

void PauseBefore(int next_try) {
  thread_local std::mt19937 random{std::random_device{}()};
  const int64_t pause_ms = kFirstPauseMs << (next_try - 1);
  std::this_thread::sleep_for(
      std::chrono::milliseconds(pause_ms + std::uniform_int_distribution<int64_t>(0, pause_ms)(random)));
}

}  // namespace

HttpResponse S3Client::SendOnce(const Call& call) {
  AwsRequest request;
  request.method = call.method;
  const std::string bucket = config_.virtual_hosted ? "" : "/" + config_.bucket;
  request.path = bucket + (call.key.empty() && !bucket.empty() ? "" : "/") + PercentEncode(call.key, true);
  request.query = call.query;
  request.headers = call.headers;
  const std::string host = config_.endpoint.substr(config_.endpoint.find("//") + 2);
  request.headers["host"] = host;
  if (!config_.credentials.access_key.empty()) {
    const auto now = fmt::gmtime(std::time(nullptr));
    SignAws(config_.credentials, config_.region, "s3", fmt::format("{:%Y%m%dT%H%M%SZ}", now),
            Sha256Hex(call.body), &request);
  }
  HttpRequest http;
  http.method = call.method;
  http.url = config_.endpoint + request.path;
  if (!request.query.empty()) http.url += "?" + QueryText(request.query);
  http.headers = std::move(request.headers);
  http.body = call.body;
  return http_.Send(http);
}

HttpResponse S3Client::Do(const Call& call, const std::vector<int>& expected) {
  for (int tried = 1;; ++tried) {
    HttpResponse response = SendOnce(call);
    if (std::find(expected.begin(), expected.end(), response.status) != expected.end()) return response;
    const bool transient = IsTransient(response);
    if (!transient || tried == kTries) Throw(call, response, transient);
    PauseBefore(tried);
  }
}

void S3Client::Throw(const Call& call, const HttpResponse& response, bool retry) const {
  const std::string what = fmt::format("{} s3://{}{}{} at {}", call.method, config_.bucket,
                                       call.key.empty() ? "" : "/", call.key, config_.endpoint);
  std::string why;
  if (response.status == 0) {
    why = "no answer: " + response.error;
  } else {
    const std::string code = XmlText(response.body, "Code");
    const std::string message = XmlText(response.body, "Message");
    why = fmt::format("status {}{}{}", response.status, code.empty() ? "" : " " + code,
                      message.empty() ? "" : ": " + message);
    const auto region = response.headers.find("x-amz-bucket-region");
    if (region != response.headers.end() && region->second != config_.region) {
      why += "; the bucket is in region '" + region->second + "': set aws_region";
    } else if (response.status == 403) {
      why += config_.credentials.access_key.empty()
                 ? "; no credentials were given: set aws_access_key_id and aws_secret_access_key, or "
                   "AWS_ACCESS_KEY_ID "
                   "and AWS_SECRET_ACCESS_KEY in the environment"
                 : "; check the access key id, the secret access key and the region";
    }
  }
  throw ExternalError("s3", what + " failed: " + why,
                      retry ? ExternalError::Retry::kBackoff : ExternalError::Retry::kNever);
}

std::optional<S3Object> S3Client::Head(const std::string& key) {
  HttpResponse response = Do({"HEAD", key, {}, {}, {}}, {200, 404});
  if (response.status == 404) return std::nullopt;
  return S3Object{key, ToNumber(response.headers["content-length"]), WithoutQuotes(response.headers["etag"]),
                  TimeUs(response.headers["last-modified"])};
}

std::optional<std::string> S3Client::Get(const std::string& key, int64_t offset, int64_t bytes,
                                         const std::string& etag) {
  if (bytes == 0) return std::string();
  Call call{"GET", key, {}, {{"range", fmt::format("bytes={}-{}", offset, offset + bytes - 1)}}, {}};
  if (!etag.empty()) call.headers["if-match"] = "\"" + etag + "\"";
  HttpResponse response = Do(call, {200, 206, 404, 412, 416});
  switch (response.status) {
    case 404:
      // A bucket that is not there is no missing object.
      if (XmlText(response.body, "Code") == "NoSuchBucket") Throw(call, response, false);
      return std::nullopt;
    case 412:
      throw ExternalError("s3", "s3://" + config_.bucket + "/" + key + " was changed while it was read");
    case 416:
      return std::string();
    case 200:  // the range was ignored
      return response.body.substr(std::min(response.body.size(), static_cast<size_t>(offset)),
                                  static_cast<size_t>(bytes));
    default:
      return std::move(response.body);
  }
}

void S3Client::Put(const std::string& key, std::string_view data) { Do({"PUT", key, {}, {}, data}, {200}); }

bool S3Client::PutIfAbsent(const std::string& key, std::string_view data) {
  return Do({"PUT", key, {}, {{"if-none-match", "*"}}, data}, {200, 412}).status == 200;
}

void S3Client::Delete(const std::string& key) { Do({"DELETE", key, {}, {}, {}}, {200, 204, 404}); }

std::vector<S3Object> S3Client::List(const std::string& prefix) {
  std::vector<S3Object> found;
  Call call{"GET", "", {{"list-type", "2"}, {"prefix", prefix}}, {}, {}};
  while (true) {
    const HttpResponse response = Do(call, {200});
    for (const std::string_view entry : XmlElements(response.body, "Contents")) {
      found.push_back({XmlText(entry, "Key"), ToNumber(XmlText(entry, "Size")),
                       WithoutQuotes(XmlText(entry, "ETag")), TimeUs(XmlText(entry, "LastModified"))});
    }
    const std::string next = XmlText(response.body, "NextContinuationToken");
    if (XmlText(response.body, "IsTruncated") != "true" || next.empty()) break;
    call.query["continuation-token"] = next;
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return found;
}

std::string S3Client::CreateUpload(const std::string& key) {
  const Call call{"POST", key, {{"uploads", ""}}, {}, {}};
  const HttpResponse response = Do(call, {200});
  std::string upload = XmlText(response.body, "UploadId");
  if (upload.empty()) Throw(call, response, false);
  return upload;
}

std::string S3Client::UploadPart(const std::string& key, const std::string& upload, int number,
                                 std::string_view data) {
  HttpResponse response =
      Do({"PUT", key, {{"partNumber", std::to_string(number)}, {"uploadId", upload}}, {}, data}, {200});
  return WithoutQuotes(response.headers["etag"]);
}

S3Client::Completed S3Client::CompleteUpload(const std::string& key, const std::string& upload,
                                             const std::vector<S3Part>& parts) {
  std::string body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (size_t i = 0; i < parts.size(); ++i) {
    body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", i + 1,
                        XmlEscaped("\"" + parts[i].etag + "\""));
  }
  body += "</CompleteMultipartUpload>";
  const Call call{"POST", key, {{"uploadId", upload}}, {{"if-none-match", "*"}}, body};
  for (int tried = 1;; ++tried) {
    HttpResponse response = Do(call, {200, 404, 412});
    if (response.status == 412) return Completed::kObjectExists;
    if (response.status == 404) {
      if (XmlText(response.body, "Code") == "NoSuchBucket") Throw(call, response, false);
      return Completed::kNoSuchUpload;
    }
    // The status is sent before the work is done; an error then comes in the body.
    if (response.body.find("<Error>") == std::string::npos) return Completed::kDone;
    if (tried == kTries) Throw(call, response, true);
    PauseBefore(tried);
  }
}

void S3Client::AbortUpload(const std::string& key, const std::string& upload) {
  Do({"DELETE", key, {{"uploadId", upload}}, {}, {}}, {200, 204, 404});
}

std::vector<std::string> S3Client::ListUploads(const std::string& key) {
  std::vector<std::string> found;
  Call call{"GET", "", {{"uploads", ""}, {"prefix", key}}, {}, {}};
  while (true) {
    const HttpResponse response = Do(call, {200});
    for (const std::string_view entry : XmlElements(response.body, "Upload")) {
      if (XmlText(entry, "Key") == key) found.push_back(XmlText(entry, "UploadId"));
    }
    if (XmlText(response.body, "IsTruncated") != "true") return found;
    call.query["key-marker"] = XmlText(response.body, "NextKeyMarker");
    call.query["upload-id-marker"] = XmlText(response.body, "NextUploadIdMarker");
  }
}

std::string S3Client::EtagOfParts(const std::vector<S3Part>& parts) {
  std::string digests;
  for (const S3Part& part : parts) {
    for (size_t i = 0; i + 1 < part.etag.size(); i += 2) {
      digests += static_cast<char>(std::strtol(part.etag.substr(i, 2).c_str(), nullptr, 16));
    }
  }
  return Md5Hex(digests) + "-" + std::to_string(parts.size());
}

}  // namespace laminar
