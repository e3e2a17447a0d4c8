#include "api/http.h"

namespace laminar::api {

namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string DecodeUrl(std::string_view text, bool plus_is_space) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 && HexDigit(text[i + 2]) >= 0) {
      out += static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' && plus_is_space ? ' ' : text[i];
    }
  }
  return out;
}

void ParseTarget(std::string_view target, HttpRequest* out) {
  target = target.substr(0, target.find('#'));
  const size_t question = target.find('?');
  out->path = DecodeUrl(target.substr(0, question), false);
  if (question == std::string_view::npos) return;
  std::string_view query = target.substr(question + 1);
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query = pair.size() < query.size() ? query.substr(pair.size() + 1) : std::string_view();
    if (pair.empty()) continue;
    const size_t equal = pair.find('=');
    const std::string value = equal == std::string_view::npos ? "" : DecodeUrl(pair.substr(equal + 1), true);
    out->query[DecodeUrl(pair.substr(0, equal), true)] = value;
  }
}

}  // namespace laminar::api
