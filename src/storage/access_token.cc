#include "storage/access_token.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "storage/bucket_client.h"
#include "storage/wire_text.h"

namespace laminar {

namespace {

/// Before a token ends another is asked for.
constexpr int64_t kEarlySeconds = 300;

int64_t NowSeconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

}  // namespace

std::string TokenSource::Get() {
  std::lock_guard lock(mutex_);
  const int64_t now = NowSeconds();
  if (now < renew_seconds_) return token_;
  int64_t seconds = 0;
  token_ = Fetch(&seconds);
  // Of one that lasts no longer than that, half its time is used.
  renew_seconds_ = now + std::max(seconds - kEarlySeconds, seconds / 2);
  return token_;
}

std::string TokenSource::Fetch(int64_t* seconds) {
  std::string body;
  const auto make = [&] {
    TokenRequest request = make_();
    if (request.form.empty()) return HttpRequest{"GET", request.url, request.headers, {}};
    body = QueryText(request.form);
    request.headers["content-type"] = "application/x-www-form-urlencoded";
    return HttpRequest{"POST", request.url, request.headers, body};
  };
  const HttpResponse response = SendWithRetries(
      http_, make, [&](const HttpResponse& each) { return !optional_ && IsTransientStatus(each.status); });
  const auto json = nlohmann::json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  if (response.status == 200 && json.is_object() && json.contains("access_token") &&
      json.at("access_token").is_string()) {
    *seconds = json.contains("expires_in") && json.at("expires_in").is_number()
                   ? json.at("expires_in").get<int64_t>()
                   : 0;
    return json.at("access_token");
  }
  if (optional_) {
    *seconds = 2 * kEarlySeconds;
    return "";
  }
  std::string why =
      response.status == 0 ? "no answer: " + response.error : fmt::format("status {}", response.status);
  for (const char* field : {"error", "error_description"}) {
    if (json.is_object() && json.contains(field) && json.at(field).is_string()) {
      why += ": " + json.at(field).get<std::string>();
    }
  }
  throw ExternalError(
      system_, "no access token for " + who_ + ": " + why,
      IsTransientStatus(response.status) ? ExternalError::Retry::kBackoff : ExternalError::Retry::kNever);
}

}  // namespace laminar
