#include "storage/wire_text.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>

namespace laminar {

namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string XmlUnescaped(std::string_view text) {
  constexpr std::pair<std::string_view, char> kEntities[] = {
      {"&lt;", '<'},    {"&gt;", '>'},   {"&quot;", '"'}, {"&#34;", '"'},
      {"&apos;", '\''}, {"&#39;", '\''}, {"&amp;", '&'}};
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const auto* entity = std::find_if(std::begin(kEntities), std::end(kEntities), [&](const auto& each) {
      return text.substr(i, each.first.size()) == each.first;
    });
    const bool is_entity = entity != std::end(kEntities);
    out += is_entity ? entity->second : text[i];
    i += is_entity ? entity->first.size() : 1;
  }
  return out;
}

}  // namespace

std::string PercentEncode(std::string_view text, bool keep_slash) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~' || (c == '/' && keep_slash);
    if (plain) {
      out += c;
      continue;
    }
    constexpr char kDigits[] = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string PercentDecode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool code =
        text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 && HexDigit(text[i + 2]) >= 0;
    out += code ? static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2])) : text[i];
    if (code) i += 2;
  }
  return out;
}

std::string QueryText(const std::map<std::string, std::string>& query) {
  std::string text;
  for (const auto& [name, value] : query) {
    text += (text.empty() ? "" : "&") + PercentEncode(name, false) + "=" + PercentEncode(value, false);
  }
  return text;
}

std::vector<std::string_view> XmlElements(std::string_view xml, const std::string& tag) {
  std::vector<std::string_view> found;
  const std::string open = "<" + tag + ">";
  const std::string close = "</" + tag + ">";
  for (size_t at = 0; (at = xml.find(open, at)) != std::string_view::npos;) {
    at += open.size();
    const size_t end = xml.find(close, at);
    if (end == std::string_view::npos) break;
    found.push_back(xml.substr(at, end - at));
    at = end + close.size();
  }
  return found;
}

std::string XmlText(std::string_view xml, const std::string& tag) {
  const auto found = XmlElements(xml, tag);
  return found.empty() ? "" : XmlUnescaped(found.front());
}

std::string XmlEscaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out += c;
    }
  }
  return out;
}

int64_t TimeUsOfText(const std::string& text) {
  std::tm parts{};
  const bool found = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S", &parts) != nullptr ||
                     strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) != nullptr;
  return found ? static_cast<int64_t>(timegm(&parts)) * 1'000'000 : 0;
}

int64_t NumberOfText(const std::string& text) {
  return text.empty() ? 0 : std::strtoll(text.c_str(), nullptr, 10);
}

std::string WithoutQuotes(const std::string& text) {
  std::string out = text;
  out.erase(std::remove(out.begin(), out.end(), '"'), out.end());
  return out;
}

}  // namespace laminar
