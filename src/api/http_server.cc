#include "api/http_server.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cctype>
#include <chrono>
#include <thread>
#include <vector>

#include "base/error.h"

namespace laminar::api {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr milliseconds kStreamPoll{50};
constexpr seconds kStreamPing{15};
constexpr seconds kDrainTime{2};
constexpr size_t kDrainBytes = 8 << 20;
constexpr int kBacklog = 1024;

std::string LowerCase(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

std::string_view View(boost::core::string_view text) { return {text.data(), text.size()}; }

}  // namespace

struct HttpServer::Impl {
  Impl(HttpServerSettings s, Handler h)
      : settings(std::move(s)),
        handler(std::move(h)),
        pool(static_cast<size_t>(settings.handler_threads)),
        acceptor(io) {}

  void Listen() {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(settings.bind_address, error);
    const tcp::endpoint endpoint(address, static_cast<unsigned short>(settings.port));
    if (!error) acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(kBacklog, error);
    if (error) {
      throw ExternalError(
          "http", "cannot listen on " + settings.bind_address + " port " + std::to_string(settings.port) +
                      ": " + error.message() +
                      (error == asio::error::address_in_use
                           ? " (another program listens there: give another --port, or 0 for any)"
                           : ""));
    }
    asio::co_spawn(io, Accept(), asio::detached);
    thread = std::thread([this] { io.run(); });
  }

  asio::awaitable<void> Accept() {
    while (acceptor.is_open()) {
      auto [error, socket] = co_await acceptor.async_accept(kAwait);
      if (error == asio::error::operation_aborted) co_return;
      if (error) {  // out of descriptors: wait for some to be closed
        asio::steady_timer timer(io, milliseconds(100));
        co_await timer.async_wait(kAwait);
        continue;
      }
      if (connections >= settings.connections_max) continue;  // the socket is closed
      ++connections;
      boost::system::error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      asio::co_spawn(io, Serve(beast::tcp_stream(std::move(socket))),
                     [this](std::exception_ptr) { --connections; });
    }
  }

  asio::awaitable<void> Serve(beast::tcp_stream stream) {
    beast::flat_buffer buffer(settings.header_bytes_max + settings.body_bytes_max + 4096);
    for (;;) {
      http::request_parser<http::string_body> parser;
      parser.header_limit(static_cast<uint32_t>(settings.header_bytes_max));
      parser.body_limit(settings.body_bytes_max);
      stream.expires_after(seconds(settings.request_seconds_max));
      auto [head_error, head_bytes] = co_await http::async_read_header(stream, buffer, parser, kAwait);
      if (head_error == http::error::end_of_stream || head_error == beast::error::timeout) break;
      bool too_large = head_error == http::error::body_limit;
      if (head_error && !too_large) {
        if (head_error.category() == http::make_error_code(http::error::bad_target).category())
          co_await WriteBadRequest(stream, head_error);
        break;
      }
      if (!too_large && LowerCase(View(parser.get()[http::field::expect])) == "100-continue") {
        http::response<http::empty_body> proceed(http::status::continue_, 11);
        auto [error, bytes] = co_await http::async_write(stream, proceed, kAwait);
        if (error) break;
      }
      if (!too_large) {
        auto [error, bytes] = co_await http::async_read(stream, buffer, parser, kAwait);
        too_large = error == http::error::body_limit;
        if (error && !too_large) {
          if (error != beast::error::timeout &&
              error.category() == http::make_error_code(http::error::bad_target).category())
            co_await WriteBadRequest(stream, error);
          break;
        }
      }
      auto& message = parser.get();
      const bool keep_alive = message.keep_alive() && !too_large;
      const bool head = message.method() == http::verb::head;
      HttpRequest request = Convert(message, too_large);
      HttpResponse response = co_await asio::co_spawn(
          pool, [this, &request]() -> asio::awaitable<HttpResponse> { co_return handler(request); },
          asio::use_awaitable);
      if (response.stream) {
        co_await WriteStream(stream, std::move(response));
        break;
      }
      if (!co_await Write(stream, std::move(response), message.version(), keep_alive, head)) break;
      if (too_large) co_await Drain(stream);
      if (!keep_alive) break;
    }
    boost::system::error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

  /// A client that still sends would see a broken connection instead of the answer: takes what comes for a
  /// while.
  asio::awaitable<void> Drain(beast::tcp_stream& stream) {
    stream.expires_after(kDrainTime);
    std::vector<char> scratch(64 << 10);
    for (size_t taken = 0; taken < kDrainBytes;) {
      auto [error, bytes] = co_await stream.async_read_some(asio::buffer(scratch), kAwait);
      if (error) co_return;
      taken += bytes;
    }
  }

  static HttpRequest Convert(http::request<http::string_body>& message, bool too_large) {
    HttpRequest request;
    request.method = std::string(View(message.method_string()));
    ParseTarget(View(message.target()), &request);
    for (const auto& field : message) {
      std::string& value = request.headers[LowerCase(View(field.name_string()))];
      value += (value.empty() ? "" : ", ") + std::string(View(field.value()));
    }
    request.body = std::move(message.body());
    request.body_too_large = too_large;
    return request;
  }

  asio::awaitable<bool> Write(beast::tcp_stream& stream, HttpResponse response, unsigned version,
                              bool keep_alive, bool head) {
    http::response<http::string_body> out(static_cast<http::status>(response.status), version);
    out.set(http::field::content_type, response.content_type);
    for (const auto& [name, value] : response.headers) out.set(name, value);
    out.keep_alive(keep_alive);
    out.body() = std::move(response.body);
    out.prepare_payload();
    if (head) out.body().clear();
    if (response.status == 204 || response.status == 304) {
      out.body().clear();
      out.erase(http::field::content_length);
      out.erase(http::field::content_type);
    }
    stream.expires_after(seconds(settings.write_seconds_max));
    http::response_serializer<http::string_body> serializer(out);
    if (head) serializer.split(true);
    if (head) {
      auto [error, bytes] = co_await http::async_write_header(stream, serializer, kAwait);
      co_return !error;
    }
    auto [error, bytes] = co_await http::async_write(stream, serializer, kAwait);
    co_return !error;
  }

  asio::awaitable<void> WriteBadRequest(beast::tcp_stream& stream, boost::system::error_code error) {
    HttpResponse response;
    const bool header = error == http::error::header_limit;
    response.status = header ? 431 : 400;
    response.body = std::string("{\"error\":{\"code\":\"VALIDATION_ERROR\",\"message\":\"") +
                    (header ? "the request's headers are too large" : "not a valid HTTP request") +
                    "\",\"details\":{}}}";
    co_await Write(stream, std::move(response), 11, false, false);
  }

  /// The end of the stream is the end of the connection.
  asio::awaitable<void> WriteStream(beast::tcp_stream& stream, HttpResponse response) {
    std::string text =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: "
        "no-cache\r\nConnection: close\r\n";
    for (const auto& [name, value] : response.headers) text += name + ": " + value + "\r\n";
    text += "\r\n";
    auto last_write = std::chrono::steady_clock::now();
    for (bool more = true;;) {
      if (!text.empty()) {
        stream.expires_after(seconds(settings.write_seconds_max));
        auto [error, bytes] = co_await asio::async_write(stream, asio::buffer(text), kAwait);
        if (error) co_return;
        text.clear();
        last_write = std::chrono::steady_clock::now();
      }
      if (!more || stopping) co_return;
      more = co_await asio::co_spawn(
          pool, [&]() -> asio::awaitable<bool> { co_return response.stream->Next(&text); },
          asio::use_awaitable);
      if (!text.empty() || !more) continue;
      if (std::chrono::steady_clock::now() - last_write > kStreamPing) {
        text = ": ping\n\n";
        continue;
      }
      asio::steady_timer timer(io, kStreamPoll);
      co_await timer.async_wait(kAwait);
    }
  }

  const HttpServerSettings settings;
  const Handler handler;
  asio::io_context io{1};
  asio::thread_pool pool;
  tcp::acceptor acceptor;
  int connections = 0;  // of the io thread
  std::atomic<bool> stopping{false};
  std::thread thread;
};

HttpServer::HttpServer(HttpServerSettings settings, Handler handler)
    : impl_(std::make_unique<Impl>(std::move(settings), std::move(handler))) {
  impl_->Listen();
}

HttpServer::~HttpServer() {
  impl_->stopping = true;
  impl_->io.stop();
  if (impl_->thread.joinable()) impl_->thread.join();
  impl_->pool.join();
}

int HttpServer::port() const { return impl_->acceptor.local_endpoint().port(); }

}  // namespace laminar::api
