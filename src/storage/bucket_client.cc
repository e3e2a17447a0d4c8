#include "storage/bucket_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "base/error.h"
#include "base/random_id.h"
#include "storage/azure_client.h"
#include "storage/gcs_client.h"
#include "storage/s3_client.h"
#include "storage/wire_text.h"

namespace laminar {

namespace {

constexpr int kTries = 5;
constexpr int64_t kFirstPauseMs = 100;  // doubled each time, and up to as much again at random

void PauseBefore(int next_try) {
  const int64_t pause_ms = kFirstPauseMs << (next_try - 1);
  std::this_thread::sleep_for(std::chrono::milliseconds(
      pause_ms + std::uniform_int_distribution<int64_t>(0, pause_ms)(ThreadGenerator())));
}

}  // namespace

bool IsTransientStatus(int status) { return status == 0 || status >= 500 || status == 429 || status == 408; }

HttpResponse SendWithRetries(HttpClient& http, const std::function<HttpRequest()>& make,
                             const std::function<bool(const HttpResponse&)>& transient) {
  for (int tried = 1;; ++tried) {
    HttpResponse response = http.Send(make());
    if (tried == kTries || !transient(response)) return response;
    PauseBefore(tried);
  }
}

bool BucketClient::IsTransient(const HttpResponse& response) const {
  return IsTransientStatus(response.status);
}

HttpResponse BucketClient::Do(const Call& call, const std::vector<int>& expected) {
  const auto is_expected = [&](const HttpResponse& response) {
    return std::find(expected.begin(), expected.end(), response.status) != expected.end();
  };
  const auto make = [&] {
    Call authorized = call;
    Authorize(&authorized);
    HttpRequest request{call.method, place_.endpoint + authorized.path, std::move(authorized.headers),
                        call.body};
    if (!authorized.query.empty()) request.url += "?" + QueryText(authorized.query);
    return request;
  };
  HttpResponse response = SendWithRetries(
      http_, make, [&](const HttpResponse& each) { return !is_expected(each) && IsTransient(each); });
  if (!is_expected(response)) Throw(call, response, IsTransient(response));
  // A bucket that is not there is no missing object.
  if (response.status == 404 && call.method != "DELETE" && IsBucketMissing(response)) {
    Throw(call, response, false);
  }
  return response;
}

void BucketClient::Throw(const Call& call, const HttpResponse& response, bool retry) const {
  const std::string what = fmt::format("{} {}{}{} at {}", call.method, place_.root,
                                       call.key.empty() ? "" : "/", call.key, place_.endpoint);
  const std::string why = response.status == 0
                              ? "no answer: " + response.error
                              : fmt::format("status {}{}", response.status, Explain(response));
  throw ExternalError(place_.system, what + " failed: " + why,
                      retry ? ExternalError::Retry::kBackoff : ExternalError::Retry::kNever);
}

std::optional<std::string> BucketClient::Get(const std::string& key, int64_t offset, int64_t bytes,
                                             const std::string& version) {
  if (bytes == 0) return std::string();
  Call call = GetCall(key, version);
  call.headers["range"] = fmt::format("bytes={}-{}", offset, offset + bytes - 1);
  HttpResponse response = Do(call, {200, 206, 404, 412, 416});
  switch (response.status) {
    case 404:
      return std::nullopt;
    case 412:
      throw ExternalError(place_.system, place_.UrlOf(key) + " was changed while it was read");
    case 416:
      return std::string();
    case 200:  // the range was ignored
      return response.body.substr(std::min(response.body.size(), static_cast<size_t>(offset)),
                                  static_cast<size_t>(bytes));
    default:
      return std::move(response.body);
  }
}

std::vector<StoredObject> BucketClient::List(const std::string& prefix) {
  std::vector<StoredObject> found;
  std::string from;
  do {
    Page page = ListPage(prefix, from);
    std::move(page.objects.begin(), page.objects.end(), std::back_inserter(found));
    from = std::move(page.next);
  } while (!from.empty());
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return found;
}

std::shared_ptr<BucketClient> OpenBucket(const std::string& url, const StorageOptions& options,
                                         const Environment& environment) {
  if (auto s3 = ParseS3Url(url, options, environment)) return std::make_shared<S3Client>(std::move(*s3));
  if (auto gcs = ParseGcsUrl(url, options, environment)) return std::make_shared<GcsClient>(std::move(*gcs));
  if (auto azure = ParseAzureUrl(url, options, environment)) {
    return std::make_shared<AzureClient>(std::move(*azure));
  }
  return nullptr;
}

}  // namespace laminar
