#include "storage/s3_client.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "base/error.h"
#include "storage/digest.h"
#include "storage/wire_text.h"

namespace laminar {

namespace {

constexpr char kMarkHeader[] = "x-amz-meta-laminar";

void AddCondition(const PutTerms& terms, std::map<std::string, std::string>* headers) {
  if (terms.over) (*headers)["if-none-match"] = "*";
}

}  // namespace

S3Client::Call S3Client::CallOf(std::string method, const std::string& key) const {
  Call call;
  call.method = std::move(method);
  call.key = key;
  const std::string bucket = config_.virtual_hosted ? "" : "/" + config_.bucket;
  call.path = bucket + (key.empty() && !bucket.empty() ? "" : "/") + PercentEncode(key, true);
  return call;
}

void S3Client::Authorize(Call* call) {
  if (config_.credentials.access_key.empty()) return;
  const std::string& endpoint = place().endpoint;
  AwsRequest request{call->method, call->path, call->query, call->headers};
  request.headers["host"] = endpoint.substr(endpoint.find("//") + 2);
  const auto now = fmt::gmtime(std::time(nullptr));
  SignAws(config_.credentials, config_.region, "s3", fmt::format("{:%Y%m%dT%H%M%SZ}", now),
          Sha256Hex(call->body), &request);
  call->headers = std::move(request.headers);
}

bool S3Client::IsTransient(const HttpResponse& response) const {
  // 409: another conditional request for the key is being dealt with.
  return IsTransientStatus(response.status) || response.status == 409;
}

bool S3Client::IsBucketMissing(const HttpResponse& response) const {
  return XmlText(response.body, "Code") == "NoSuchBucket";
}

std::string S3Client::Explain(const HttpResponse& response) const {
  const std::string code = XmlText(response.body, "Code");
  const std::string message = XmlText(response.body, "Message");
  std::string text = (code.empty() ? "" : " " + code) + (message.empty() ? "" : ": " + message);
  const auto region = response.headers.find("x-amz-bucket-region");
  if (region != response.headers.end() && region->second != config_.region) {
    text += "; the bucket is in region '" + region->second + "': set aws_region";
  } else if (response.status == 403) {
    text += config_.credentials.access_key.empty()
                ? "; no credentials were given: set aws_access_key_id and aws_secret_access_key, or "
                  "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"
                : "; check the access key id, the secret access key and the region";
  }
  return text;
}

std::optional<StoredObject> S3Client::Head(const std::string& key) {
  HttpResponse response = Do(CallOf("HEAD", key), {200, 404});
  if (response.status == 404) return std::nullopt;
  return StoredObject{key, NumberOfText(response.headers["content-length"]),
                      WithoutQuotes(response.headers["etag"]),
                      TimeUsOfText(response.headers["last-modified"]), response.headers[kMarkHeader]};
}

S3Client::Call S3Client::GetCall(const std::string& key, const std::string& version) {
  Call call = CallOf("GET", key);
  if (!version.empty()) call.headers["if-match"] = "\"" + version + "\"";
  return call;
}

bool S3Client::Put(const std::string& key, std::string_view data, const PutTerms& terms) {
  Call call = CallOf("PUT", key);
  call.body = data;
  AddCondition(terms, &call.headers);
  if (!terms.mark.empty()) call.headers[kMarkHeader] = terms.mark;
  return Do(call, {200, 412}).status == 200 || (MakeWay(key, terms) && Do(call, {200, 412}).status == 200);
}

bool S3Client::MakeWay(const std::string& key, const PutTerms& terms) {
  if (!terms.over || terms.over->empty()) return false;
  const auto there = Head(key);
  if (there && there->version != *terms.over) return false;
  if (there) Delete(key);
  return true;
}

void S3Client::Delete(const std::string& key) { Do(CallOf("DELETE", key), {200, 204, 404}); }

S3Client::Page S3Client::ListPage(const std::string& prefix, const std::string& from) {
  Call call = CallOf("GET", "");
  call.query = {{"list-type", "2"}, {"prefix", prefix}};
  if (!from.empty()) call.query["continuation-token"] = from;
  const HttpResponse response = Do(call, {200});
  Page page;
  for (const std::string_view entry : XmlElements(response.body, "Contents")) {
    page.objects.push_back({XmlText(entry, "Key"), NumberOfText(XmlText(entry, "Size")),
                            WithoutQuotes(XmlText(entry, "ETag")),
                            TimeUsOfText(XmlText(entry, "LastModified")), ""});
  }
  if (XmlText(response.body, "IsTruncated") == "true") {
    page.next = XmlText(response.body, "NextContinuationToken");
  }
  return page;
}

std::string S3Client::CreateUpload(const std::string& key, const PutTerms& terms) {
  Call call = CallOf("POST", key);
  call.query = {{"uploads", ""}};
  if (!terms.mark.empty()) call.headers[kMarkHeader] = terms.mark;
  const HttpResponse response = Do(call, {200});
  std::string upload = XmlText(response.body, "UploadId");
  if (upload.empty()) Throw(call, response, false);
  return upload;
}

UploadedPart S3Client::UploadPart(const std::string& key, const std::string& upload, int number,
                                  std::string_view data) {
  Call call = CallOf("PUT", key);
  call.query = {{"partNumber", std::to_string(number)}, {"uploadId", upload}};
  call.body = data;
  HttpResponse response = Do(call, {200});
  return {WithoutQuotes(response.headers["etag"]), static_cast<int64_t>(data.size())};
}

BucketClient::Completed S3Client::CompleteUpload(const std::string& key, const std::string& upload,
                                                 const std::vector<UploadedPart>& parts,
                                                 const PutTerms& terms) {
  std::string body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (size_t i = 0; i < parts.size(); ++i) {
    body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", i + 1,
                        XmlEscaped("\"" + parts[i].tag + "\""));
  }
  body += "</CompleteMultipartUpload>";
  Call call = CallOf("POST", key);
  call.query = {{"uploadId", upload}};
  call.body = body;
  AddCondition(terms, &call.headers);
  Completed completed = TryComplete(call);
  if (completed == Completed::kTermsNotMet && MakeWay(key, terms)) completed = TryComplete(call);
  if (completed == Completed::kDone) return completed;
  // An answer may have been lost: what is there is of this upload if it is made of its parts.
  const auto there = Head(key);
  if (!there || there->version != EtagOfParts(parts) || there->mark != terms.mark) return completed;
  AbortUpload(key, upload);
  return Completed::kDone;
}

BucketClient::Completed S3Client::TryComplete(const Call& call) {
  const HttpResponse response = Do(call, {200, 404, 412});
  if (response.status == 412) return Completed::kTermsNotMet;
  if (response.status == 404) return Completed::kNoSuchUpload;
  // The status is sent before the work is done; an error then comes in the body.
  if (response.body.find("<Error>") != std::string::npos) Throw(call, response, true);
  return Completed::kDone;
}

void S3Client::AbortUpload(const std::string& key, const std::string& upload) {
  Call call = CallOf("DELETE", key);
  call.query = {{"uploadId", upload}};
  Do(call, {200, 204, 404});
}

std::vector<Upload> S3Client::ListUploads(const std::string& prefix) {
  std::vector<Upload> found;
  Call call = CallOf("GET", "");
  call.query = {{"uploads", ""}, {"prefix", prefix}};
  while (true) {
    const HttpResponse response = Do(call, {200});
    for (const std::string_view entry : XmlElements(response.body, "Upload")) {
      found.push_back({XmlText(entry, "Key"), XmlText(entry, "UploadId")});
    }
    if (XmlText(response.body, "IsTruncated") != "true") return found;
    call.query["key-marker"] = XmlText(response.body, "NextKeyMarker");
    call.query["upload-id-marker"] = XmlText(response.body, "NextUploadIdMarker");
  }
}

std::string S3Client::EtagOfParts(const std::vector<UploadedPart>& parts) {
  std::string digests;
  for (const UploadedPart& part : parts) {
    for (size_t i = 0; i + 1 < part.tag.size(); i += 2) {
      digests += static_cast<char>(std::strtol(part.tag.substr(i, 2).c_str(), nullptr, 16));
    }
  }
  return Md5Hex(digests) + "-" + std::to_string(parts.size());
}

}  // namespace laminar
