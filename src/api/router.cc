#include "api/router.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <spdlog/spdlog.h>
#include <xxhash.h>

#include <algorithm>

#include "api/schema_check.h"
#include "api/schemas.h"
#include "base/error.h"
#include "base/random_id.h"
#include "catalog/secrets.h"
#include "jobs/job_manager.h"

namespace laminar::api {

namespace {

std::string Sha256(const std::string& text) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

std::vector<std::string> Segments(const std::string& path) {
  std::vector<std::string> out;
  size_t from = 1;
  while (from <= path.size()) {
    const size_t slash = std::min(path.find('/', from), path.size());
    out.push_back(path.substr(from, slash - from));
    from = slash + 1;
  }
  if (out.size() > 1 && out.back().empty()) out.pop_back();  // a closing slash
  return out;
}

bool Matches(const std::vector<std::string>& pattern, const std::vector<std::string>& path,
             std::map<std::string, std::string>* values) {
  if (pattern.size() != path.size()) return false;
  for (size_t i = 0; i < path.size(); ++i) {
    if (pattern[i].front() == '{') {
      if (path[i].empty()) return false;
      (*values)[pattern[i].substr(1, pattern[i].size() - 2)] = path[i];
    } else if (pattern[i] != path[i]) {
      return false;
    }
  }
  return true;
}

/// `option 'x'` in the text of an error about a config: config.x. Empty: it names no option.
std::string FieldOf(const std::string& message) {
  const size_t at = message.find("option '");
  if (at == std::string::npos) return "";
  const size_t end = message.find('\'', at + 8);
  return end == std::string::npos ? "" : "config." + message.substr(at + 8, end - at - 8);
}

ApiError FromUserError(const UserError& error) {
  const bool type = error.reason() == Reason::kTypeError;
  Json details = {{"reason", error.message()}, {"reason_code", ReasonName(error.reason())}};
  details["field"] = FieldOf(error.message());
  if (!error.hint().empty()) details["hint"] = error.hint();
  return ApiError(400, type ? "TYPE_ERROR" : "VALIDATION_ERROR",
                  error.message() + (error.hint().empty() ? "" : " (" + error.hint() + ")"),
                  std::move(details));
}

HttpResponse FromError(const ApiError& error) {
  HttpResponse out = Reply(error.Body(), error.status());
  if (error.status() == 401) out.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (error.details().contains("retry_after_seconds"))
    out.headers.emplace_back("Retry-After", error.details()["retry_after_seconds"].dump());
  return out;
}

std::string_view RoleName(Role role) {
  return role == Role::kAdmin ? "admin" : role == Role::kWrite ? "write" : "read";
}

}  // namespace

ApiError CurrentError(const std::string& request_id) {
  try {
    throw;
  } catch (const ApiError& error) {
    return error;
  } catch (const ObjectGone& error) {
    return NotFound(error.resource(), error.id());
  } catch (const InvalidState& error) {
    return {409, "INVALID_STATE", error.what(), {{"state", error.state()}, {"allowed", error.allowed()}}};
  } catch (const SecretNotFound& error) {
    return {400, "SECRET_NOT_FOUND", error.what(), {{"missing", error.missing()}}};
  } catch (const UserError& error) {
    return FromUserError(error);
  } catch (const ExternalError& error) {
    spdlog::error("request {}: {}", request_id, error.what());
    return {503, "UNAVAILABLE", error.what(), {{"retry_after_seconds", 1}, {"request_id", request_id}}};
  } catch (const std::exception& error) {
    spdlog::error("request {}: {}", request_id, error.what());
    return {500, "INTERNAL_ERROR", "an internal error", {{"request_id", request_id}}};
  }
}

Token ParseToken(const std::string& text) {
  Token out;
  const size_t first = text.find(':');
  const size_t second = first == std::string::npos ? first : text.find(':', first + 1);
  std::string token = text;
  out.name = "token";
  if (second != std::string::npos) {
    out.name = text.substr(0, first);
    const std::string role = LowerCase(text.substr(first + 1, second - first - 1));
    token = text.substr(second + 1);
    if (role == "admin") {
      out.role = Role::kAdmin;
    } else if (role == "write") {
      out.role = Role::kWrite;
    } else if (role == "read") {
      out.role = Role::kRead;
    } else {
      throw UserError(Reason::kBadOption, {},
                      "the role of token '" + out.name + "' is not admin, write or read");
    }
  } else if (first != std::string::npos) {
    out.name = text.substr(0, first);
    token = text.substr(first + 1);
  }
  if (token.empty()) throw UserError(Reason::kBadOption, {}, "an API token must not be empty");
  if (out.name == kServerActor || out.name == kAnonymousActor) {
    throw UserError(Reason::kBadOption, {},
                    "a token cannot be named '" + out.name + "': events of jobs name another thing so");
  }
  out.sha256 = Sha256(token);
  return out;
}

HttpResponse Router::Handle(const HttpRequest& request) const {
  const std::string request_id = RandomId("req_");
  HttpResponse response;
  try {
    response = Answer(request, request_id);
  } catch (...) {
    response = FromError(CurrentError(request_id));
  }
  response.headers.emplace_back("X-Request-Id", request_id);
  AddCors(request, &response);
  return response;
}

void Router::AddCors(const HttpRequest& request, HttpResponse* response) const {
  const std::string origin = request.Header("origin");
  const bool any = Contains(settings_.cors_origins, "*");
  if (!any && !Contains(settings_.cors_origins, origin)) return;
  response->headers.emplace_back("Access-Control-Allow-Origin", any ? "*" : origin);
  if (!any) response->headers.emplace_back("Vary", "Origin");
  response->headers.emplace_back("Access-Control-Expose-Headers",
                                 "ETag, Location, X-Request-Id, X-Laminar-Ignored");
}

HttpResponse Router::Answer(const HttpRequest& request, const std::string& request_id) const {
  if (request.method == "OPTIONS" && !request.Header("access-control-request-method").empty()) {
    HttpResponse out;
    out.status = 204;
    out.headers = {{"Access-Control-Allow-Methods", "GET, HEAD, POST, PATCH, DELETE"},
                   {"Access-Control-Allow-Headers",
                    "Authorization, Content-Type, If-Match, If-None-Match, Last-Event-ID, Idempotency-Key"},
                   {"Access-Control-Max-Age", "86400"}};
    return out;
  }
  for (const std::string base : {"/api/v1", "/v1"}) {
    if (request.path == base || request.path.starts_with(base + "/"))
      return Dispatch(request, request.path.substr(base.size()));
  }
  HttpResponse out;
  if (fallback_ && fallback_(request, &out)) return out;
  throw ApiError(404, "NOT_FOUND", "no route '" + request.path + "': the API is below /api/v1",
                 {{"resource", "route"}, {"id", request.path}});
}

HttpResponse Router::Run(const HttpRequest& from, const std::string& method, const std::string& path,
                         const Json& body) const {
  HttpRequest request;
  request.method = method;
  ParseTarget(path, &request);
  if (!body.is_null()) request.body = body.dump();
  request.headers["authorization"] = from.Header("authorization");
  return Dispatch(request, request.path);
}

HttpResponse Router::Dispatch(const HttpRequest& request, const std::string& path) const {
  const std::vector<std::string> segments = Segments(path);
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  const Endpoint* found = nullptr;
  std::vector<std::string> allowed;
  for (const bool literal :
       {true, false}) {  // a literal path beats one with a value: /pipelines/preview is no id
    if (!allowed.empty()) break;
    for (const Endpoint& endpoint : endpoints_) {
      std::map<std::string, std::string> values;
      if (!Matches(Segments(endpoint.path), segments, &values) || values.empty() != literal) continue;
      allowed.push_back(endpoint.method);
      if (endpoint.method == method) found = &endpoint;
    }
  }
  if (!found && allowed.empty()) throw NotFound("route", path);
  if (!found) {
    std::string list;
    for (const std::string& name : allowed) list += (list.empty() ? "" : ", ") + name;
    if (Contains(allowed, "GET")) list += ", HEAD";
    HttpResponse out = FromError({405,
                                  "METHOD_NOT_ALLOWED",
                                  request.method + " is not allowed here, only " + list,
                                  {{"allowed", allowed}}});
    out.headers.emplace_back("Allow", list);
    return out;
  }
  std::map<std::string, std::string> own;
  Matches(Segments(found->path), segments, &own);
  Call call{request, std::move(own), Json(), Authenticate(request, *found)};
  std::vector<std::string> ignored;
  if (!found->request.empty()) call.body = ReadBody(request, *found, &ignored);
  const bool replays = replay_ && method == "POST" && !request.Header("idempotency-key").empty();
  HttpResponse out =
      replays ? replay_(call, path, [&] { return found->handler(call); }) : found->handler(call);
  if (!ignored.empty()) {
    std::string list;
    for (const std::string& name : ignored) {
      const bool plain = std::all_of(name.begin(), name.end(),
                                     [](unsigned char c) { return c > 32 && c < 127 && c != ','; });
      if (plain) list += (list.empty() ? "" : ", ") + name;
    }
    if (!list.empty()) out.headers.emplace_back("X-Laminar-Ignored", list);
  }
  if (call.Query("envelope") == "data" && !found->list && !out.stream &&
      out.content_type == "application/json" && out.status < 300)
    out.body = "{\"data\":" + out.body + "}";
  return out;
}

Principal Router::Authenticate(const HttpRequest& request, const Endpoint& endpoint) const {
  if (!settings_.auth) return {"", Role::kAdmin};
  const std::string header = request.Header("authorization");
  std::string token;
  if (LowerCase(header.substr(0, 7)) == "bearer ") token = header.substr(7);
  if (token.empty() && endpoint.event_stream && request.method == "GET") {
    const auto given = request.query.find("access_token");
    if (given != request.query.end()) token = given->second;
  }
  if (token.empty() && endpoint.role == Role::kOpen) return {"", Role::kOpen};
  const std::string hash = Sha256(token);
  const Token* known = nullptr;
  for (const Token& candidate : settings_.tokens) {
    if (CRYPTO_memcmp(candidate.sha256.data(), hash.data(), hash.size()) == 0) known = &candidate;
  }
  if (endpoint.role == Role::kOpen) return {known ? known->name : "", known ? known->role : Role::kOpen};
  if (!known) {
    throw ApiError(
        401, "UNAUTHORIZED",
        token.empty() ? "a token is needed: send Authorization: Bearer TOKEN" : "the token is not known");
  }
  if (known->role < endpoint.role) {
    throw ApiError(403, "FORBIDDEN", "this needs the role " + std::string(RoleName(endpoint.role)),
                   {{"required_role", RoleName(endpoint.role)}});
  }
  return {known->name, known->role};
}

Json Router::ReadBody(const HttpRequest& request, const Endpoint& endpoint,
                      std::vector<std::string>* ignored) const {
  if (request.body_too_large || request.body.size() > settings_.body_bytes_max) {
    throw ApiError(413, "PAYLOAD_TOO_LARGE",
                   "the body is larger than " + std::to_string(settings_.body_bytes_max) + " bytes",
                   {{"limit_bytes", settings_.body_bytes_max}});
  }
  std::string type = LowerCase(request.Header("content-type"));
  type = type.substr(0, type.find(';'));
  while (!type.empty() && type.back() == ' ') type.pop_back();
  const bool empty = request.body.find_first_not_of(" \t\r\n") == std::string::npos;
  if (!type.empty() && type != "application/json" && !type.ends_with("+json") && !empty) {
    throw ApiError(415, "UNSUPPORTED_MEDIA_TYPE",
                   "the body must be application/json, not " + type +
                       ": send Content-Type: application/json (curl: --json instead of -d)");
  }
  if (empty && endpoint.body_optional)
    return CheckBody(Json::object(), Schemas().at(endpoint.request), ignored);
  if (empty) throw Invalid("", "the request needs a JSON body");
  return CheckBody(ParseBody(request.body), Schemas().at(endpoint.request), ignored);
}

}  // namespace laminar::api
