#pragma once

/// A small HTTP client for the command line: one request per connection, plain http.

#include <functional>
#include <string>

namespace laminar::api {

struct ClientAnswer {
  int status = 0;
  std::string body;
};

/// `server`: http://host:port. `on_data` not empty: gets the body piece by piece instead, false ends the
/// reading. Throws ExternalError.
ClientAnswer Fetch(const std::string& server, const std::string& token, const std::string& method,
                   const std::string& target, const std::string& body,
                   const std::function<bool(const std::string&)>& on_data = {});

}  // namespace laminar::api
