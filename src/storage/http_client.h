#pragma once

/// HTTP requests of object stores, over libcurl. Connections are kept and used again.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace laminar {

struct HttpRequest {
  std::string method;
  std::string url;
  std::map<std::string, std::string> headers;
  std::string_view body;
};

struct HttpResponse {
  int status = 0;                              ///< 0: no answer came; `error` says why
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
  std::string error;
};

/// May be used by several threads.
class HttpClient {
 public:
  HttpClient();
  ~HttpClient();

  /// Never throws for what the network does. A server that does not answer, or sends less than a byte a
  /// second, is given up after some 20 s.
  HttpResponse Send(const HttpRequest& request);

 private:
  void* TakeHandle();
  void GiveBack(void* handle);

  std::mutex mutex_;
  std::vector<void*> idle_;  // CURL*; guarded by mutex_
};

}  // namespace laminar
