#pragma once

/// An endpoint as data: method, path, role, parameters, schemas, handler. Routing, validation and the OpenAPI
/// document all come from these.

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/api_error.h"
#include "api/http.h"

namespace laminar::api {

enum class Role { kOpen, kRead, kWrite, kAdmin };

inline constexpr const char* kAnonymousActor = "anonymous";

struct Principal {
  std::string name;
  Role role = Role::kAdmin;
};

/// One request on its way through a handler.
struct Call {
  const HttpRequest& request;
  std::map<std::string, std::string> path;  ///< values of `{id}` …
  Json body;                                ///< checked against the request schema, keys in snake_case
  Principal principal;

  /// Who asks, as the events of jobs name it: the token's name, or `anonymous` where none is needed.
  std::string actor() const { return principal.name.empty() ? kAnonymousActor : principal.name; }
  /// A path value that must be there.
  const std::string& id(const char* name = "id") const { return path.at(name); }
  /// A query parameter; nullopt: not given.
  std::optional<std::string> Query(const std::string& name) const;
  bool Flag(const std::string& name) const;
  /// 400 when it is not a whole number of the range.
  int64_t Integer(const std::string& name, int64_t otherwise, int64_t least, int64_t most) const;
  bool WantsEvents() const;
};

struct QueryParameter {
  std::string name;
  std::string type = "string";  ///< of JSON schema
  std::string description;
  std::vector<std::string> values = {};
};

struct Endpoint {
  std::string method;
  std::string path;  ///< below the base, e.g. /pipelines/{id}
  Role role = Role::kRead;
  std::string tag;
  std::string summary;
  std::string request;   ///< name of a schema; empty: no body
  std::string response;  ///< name of a schema
  std::function<HttpResponse(Call&)> handler;
  int success = 200;
  std::vector<QueryParameter> query = {};
  bool list = false;           ///< pages of `response`
  bool body_optional = false;  ///< a request without body is one with {}
  bool event_stream = false;   ///< may answer with server-sent events
};

/// As text, in one line; bytes that are not UTF-8 are replaced.
std::string Dump(const Json& json);

/// Answers.
HttpResponse Reply(const Json& body, int status = 200);
HttpResponse Created(const Json& body, const std::string& location);

/// One entry of a list before it is shown.
struct ListItem {
  std::string id;
  std::string name;
  std::string state;
  int64_t created_us = 0;
  int64_t start_us = 0;
  std::function<Json()> show;
  std::optional<double> number =
      {};  ///< what is sorted by, when that is none of the above; those without come last
};

/// Sorts and cuts to the page that the call asks for (limit, offset, starting_after, sort). `sortable`:
/// fields beside created_at.
HttpResponse ListPage(const Call& call, std::vector<ListItem> items,
                      const std::vector<std::string>& sortable);
/// The same for entries that are in order already; `id_of` for starting_after.
HttpResponse OrderedPage(const Call& call, const std::vector<Json>& entries);

/// Values of a comma-separated filter, in lower case; empty: not given. 400 for one that is not in `known`
/// (when that is not empty).
std::vector<std::string> FilterValues(const Call& call, const std::string& name,
                                      const std::vector<std::string>& known = {});
bool Contains(const std::vector<std::string>& values, const std::string& value);
/// `*` and `?`, any case.
bool MatchesWildcard(const std::string& pattern, const std::string& text);
std::string LowerCase(std::string_view text);

/// 2026-01-02T03:04:05.678Z
std::string TimeText(int64_t us);

}  // namespace laminar::api
