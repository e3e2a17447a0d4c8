#include "api/http_client.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "base/error.h"

namespace laminar::api {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

ClientAnswer Fetch(const std::string& server, const std::string& token, const std::string& method,
                   const std::string& target, const std::string& body,
                   const std::function<bool(const std::string&)>& on_data) {
  if (!server.starts_with("http://"))
    throw ExternalError("server", "'" + server + "' is not an address like http://127.0.0.1:5115");
  std::string host = server.substr(7);
  host = host.substr(0, host.find('/'));
  const size_t colon = host.rfind(':');
  const std::string port = colon == std::string::npos ? "80" : host.substr(colon + 1);
  try {
    asio::io_context io;
    asio::ip::tcp::resolver resolver(io);
    beast::tcp_stream stream(io);
    stream.connect(resolver.resolve(host.substr(0, colon), port));
    http::request<http::string_body> request;
    request.method_string(method);
    request.target(target);
    request.version(11);
    request.set(http::field::host, host);
    request.set(http::field::connection, "close");
    if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
    if (on_data) request.set(http::field::accept, "text/event-stream");
    if (!body.empty()) request.set(http::field::content_type, "application/json");
    request.body() = body;
    request.prepare_payload();
    http::write(stream, request);
    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(boost::none);
    http::read_header(stream, buffer, parser);
    ClientAnswer answer;
    answer.status = parser.get().result_int();
    boost::system::error_code error;
    while (!parser.is_done()) {
      http::read_some(stream, buffer, parser, error);
      if (on_data && answer.status < 300) {
        if (!on_data(parser.get().body())) return answer;
        parser.get().body().clear();
      }
      if (error) break;
    }
    if (error && error != http::error::end_of_stream && error != asio::error::eof)
      throw boost::system::system_error(error);
    answer.body = std::move(parser.get().body());
    return answer;
  } catch (const boost::system::system_error& error) {
    throw ExternalError("server", "cannot reach " + server + ": " + error.code().message(),
                        ExternalError::Retry::kBackoff);
  }
}

}  // namespace laminar::api
