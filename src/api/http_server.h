#pragma once

/// HTTP/1.1 on Boost.Asio: one thread carries all connections, a small pool runs the handlers. A slow, silent
/// or malicious client costs a socket and a bounded buffer until its deadline, never a thread.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "api/http.h"

namespace laminar::api {

struct HttpServerSettings {
  std::string bind_address = "127.0.0.1";
  int port = 5115;  ///< 0: any free one
  int handler_threads = 4;
  int connections_max = 1000;
  size_t header_bytes_max = 16 << 10;
  size_t body_bytes_max = 1 << 20;
  int request_seconds_max = 30;  ///< to send a whole request, or be silent between two
  int write_seconds_max = 30;    ///< to take a whole answer, or a piece of a stream
};

class HttpServer {
 public:
  using Handler = std::function<HttpResponse(const HttpRequest&)>;
  /// `handler` is called on the pool's threads and must not throw. Throws ExternalError when it cannot
  /// listen.
  HttpServer(HttpServerSettings settings, Handler handler);
  /// Stops listening, ends all connections, waits for running handlers.
  ~HttpServer();
  int port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace laminar::api
