#pragma once

/// OAuth access tokens: asked for once, kept until shortly before they end.

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "storage/http_client.h"

namespace laminar {

/// A GET, or with fields a POST of a form.
struct TokenRequest {
  std::string url;
  std::map<std::string, std::string> headers;
  std::map<std::string, std::string> form;
};

/// Thread-safe.
class TokenSource {
 public:
  /// `make` gives the request that a token service answers with `{"access_token": …, "expires_in": …}`; it
  /// may throw ExternalError. Errors are of `system` and name `who`, no secrets. `optional`: without an
  /// answer there is no token, and requests go out without one.
  TokenSource(std::string system, std::string who, std::function<TokenRequest()> make, bool optional = false)
      : system_(std::move(system)), who_(std::move(who)), make_(std::move(make)), optional_(optional) {}

  /// Who asks, for messages.
  const std::string& who() const { return who_; }
  /// Empty: there is none. ExternalError when the service refuses or does not answer.
  std::string Get();

 private:
  std::string Fetch(int64_t* seconds);

  const std::string system_;
  const std::string who_;
  const std::function<TokenRequest()> make_;
  const bool optional_;
  HttpClient http_;
  std::mutex mutex_;
  std::string token_;          // guarded by mutex_
  int64_t renew_seconds_ = 0;  // since 1970; guarded by mutex_
};

}  // namespace laminar
