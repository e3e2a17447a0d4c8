#pragma once

/// Requests and answers as the endpoints see them, whatever carries them.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace laminar::api {

struct HttpRequest {
  std::string method;
  std::string path;                            ///< decoded, without query
  std::map<std::string, std::string> query;    ///< decoded; the last of equal names
  std::map<std::string, std::string> headers;  ///< by lower-case name
  std::string body;
  bool body_too_large = false;  ///< the body was longer than allowed and was not read

  std::string Header(const std::string& lower_name) const {
    const auto found = headers.find(lower_name);
    return found == headers.end() ? "" : found->second;
  }
};

/// Server-sent events. Asked again and again while its client reads; never by two threads at once.
class EventStream {
 public:
  virtual ~EventStream() = default;
  /// Appends what is new, as text of the stream. False when the stream is over (after what was appended).
  virtual bool Next(std::string* out) = 0;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::unique_ptr<EventStream> stream;  ///< instead of a body
};

/// `a%20b` → `a b`; a broken escape stays as it is.
std::string DecodeUrl(std::string_view text, bool plus_is_space);
/// Splits a request target into path and query.
void ParseTarget(std::string_view target, HttpRequest* out);

}  // namespace laminar::api
