#pragma once

/// From a request to the endpoint's handler and back: routing, authentication, body checks, error answers,
/// headers.

#include <functional>
#include <string>
#include <vector>

#include "api/endpoint.h"

namespace laminar::api {

struct Token {
  std::string name;
  Role role = Role::kAdmin;
  std::string sha256;  ///< of the token
};

struct RouterSettings {
  bool auth = false;  ///< a token is needed
  std::vector<Token> tokens;
  std::vector<std::string> cors_origins = {"*"};
  size_t body_bytes_max = 1 << 20;
};

/// The exception that is being handled, as an error answer.
ApiError CurrentError(const std::string& request_id);

/// `name:role:token`, `name:token`… or `token`. Throws UserError.
Token ParseToken(const std::string& text);

class Router {
 public:
  Router(RouterSettings settings, std::vector<Endpoint> endpoints)
      : settings_(std::move(settings)), endpoints_(std::move(endpoints)) {}

  /// Paths outside of the API: /metrics, /webhooks/…, the console. Gives false when it is not its own.
  using Fallback = std::function<bool(const HttpRequest&, HttpResponse*)>;
  void SetFallback(Fallback fallback) { fallback_ = std::move(fallback); }

  /// What a POST with an Idempotency-Key goes through on its way to the handler.
  using Replay = std::function<HttpResponse(const Call&, const std::string& path,
                                            const std::function<HttpResponse()>& act)>;
  void SetReplay(Replay replay) { replay_ = std::move(replay); }

  HttpResponse Handle(const HttpRequest& request) const;
  /// A request within a request, with the rights of `from`: what POST /sql is made of. Throws what handlers
  /// throw.
  HttpResponse Run(const HttpRequest& from, const std::string& method, const std::string& path,
                   const Json& body) const;
  const std::vector<Endpoint>& endpoints() const { return endpoints_; }
  /// Of a request outside of the table. 401 without a known token, where tokens are needed.
  Principal Authenticate(const HttpRequest& request, const Endpoint& endpoint) const;

 private:
  HttpResponse Answer(const HttpRequest& request, const std::string& request_id) const;
  HttpResponse Dispatch(const HttpRequest& request, const std::string& path) const;
  Json ReadBody(const HttpRequest& request, const Endpoint& endpoint,
                std::vector<std::string>* ignored) const;
  void AddCors(const HttpRequest& request, HttpResponse* response) const;

  const RouterSettings settings_;
  const std::vector<Endpoint> endpoints_;
  Fallback fallback_;
  Replay replay_;
};

}  // namespace laminar::api
