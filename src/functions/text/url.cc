#include "functions/text/url.h"

#include <array>
#include <utility>

#include "functions/elementwise.h"
#include "functions/text/hex_digit.h"
#include "functions/text/utf8.h"
#include "types/type.h"

namespace laminar {
namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// A URL cut at its outer delimiters: scheme ":" ["//" authority] path ["?" query] ["#" ref].
struct UrlParts {
  std::string_view scheme;
  std::optional<std::string_view> authority;
  std::string_view path;
  std::string_view file;
  std::optional<std::string_view> query;
  std::optional<std::string_view> ref;
};

bool IsScheme(std::string_view text) {
  if (text.empty() || !IsLetter(text[0])) return false;
  for (char c : text) {
    if (!IsLetter(c) && !IsDigit(c) && c != '+' && c != '-' && c != '.') return false;
  }
  return true;
}

std::optional<UrlParts> CutUrl(std::string_view url) {
  UrlParts parts;
  const size_t colon = url.find_first_of(":/?#");
  if (colon == std::string_view::npos || url[colon] != ':' || !IsScheme(url.substr(0, colon)))
    return std::nullopt;
  parts.scheme = url.substr(0, colon);
  std::string_view rest = url.substr(colon + 1);
  if (const size_t hash = rest.find('#'); hash != std::string_view::npos) {
    parts.ref = rest.substr(hash + 1);
    rest = rest.substr(0, hash);
  }
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    parts.authority = rest.substr(0, rest.find_first_of("/?"));
    rest.remove_prefix(parts.authority->size());
  }
  parts.file = rest;
  const size_t question = rest.find('?');
  parts.path = rest.substr(0, question);
  if (question != std::string_view::npos) parts.query = rest.substr(question + 1);
  return parts;
}

std::string_view WithoutUserInfo(std::string_view authority) {
  const size_t at = authority.rfind('@');
  return at == std::string_view::npos ? authority : authority.substr(at + 1);
}

/// Where `:port` starts in host[:port]; the colons inside [IPv6] don't count.
size_t PortColon(std::string_view host) {
  const size_t colon = host.rfind(':');
  if (colon == std::string_view::npos) return colon;
  const size_t bracket = host.rfind(']');
  return bracket != std::string_view::npos && bracket > colon ? std::string_view::npos : colon;
}

std::optional<std::string_view> AuthorityPart(std::string_view authority, UrlPart part) {
  if (part == UrlPart::kAuthority) return authority;
  const size_t at = authority.rfind('@');
  if (part == UrlPart::kUserInfo) {
    return at == std::string_view::npos ? std::nullopt : std::optional(authority.substr(0, at));
  }
  const std::string_view host = WithoutUserInfo(authority);
  const size_t colon = PortColon(host);
  if (part == UrlPart::kHost) return host.substr(0, colon);
  return colon == std::string_view::npos ? std::nullopt : std::optional(host.substr(colon + 1));
}

}  // namespace

std::optional<UrlPart> ParseUrlPart(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, UrlPart>, 11> kNames{
      {{"HOST", UrlPart::kHost},
       {"PATH", UrlPart::kPath},
       {"QUERY", UrlPart::kQuery},
       {"REF", UrlPart::kRef},
       {"FRAGMENT", UrlPart::kRef},
       {"PROTOCOL", UrlPart::kProtocol},
       {"SCHEME", UrlPart::kProtocol},
       {"FILE", UrlPart::kFile},
       {"AUTHORITY", UrlPart::kAuthority},
       {"USERINFO", UrlPart::kUserInfo},
       {"PORT", UrlPart::kPort}}};
  for (const auto& [known, part] : kNames) {
    if (EqualsIgnoreCase(name, known)) return part;
  }
  return std::nullopt;
}

std::optional<std::string_view> ExtractUrlPart(std::string_view url, UrlPart part) {
  const auto parts = CutUrl(url);
  if (!parts) return std::nullopt;
  switch (part) {
    case UrlPart::kProtocol:
      return parts->scheme;
    case UrlPart::kPath:
      return parts->path;
    case UrlPart::kFile:
      return parts->file;
    case UrlPart::kQuery:
      return parts->query;
    case UrlPart::kRef:
      return parts->ref;
    default:
      return parts->authority ? AuthorityPart(*parts->authority, part) : std::nullopt;
  }
}

std::optional<std::string_view> ExtractQueryValue(std::string_view url, std::string_view key) {
  const auto query = ExtractUrlPart(url, UrlPart::kQuery);
  if (!query) return std::nullopt;
  for (size_t start = 0; start <= query->size();) {
    const size_t end = std::min(query->find('&', start), query->size());
    const std::string_view pair = query->substr(start, end - start);
    if (pair.size() > key.size() && pair.starts_with(key) && pair[key.size()] == '=')
      return pair.substr(key.size() + 1);
    start = end + 1;
  }
  return std::nullopt;
}

void AppendUrlEncoded(std::string_view text, TextWriter& out) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (char c : text) {
    if (IsLetter(c) || IsDigit(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out.Push(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    char* to = out.Reserve(3);
    to[0] = '%';
    to[1] = kDigits[byte >> 4];
    to[2] = kDigits[byte & 15];
    out.Advance(3);
  }
}

bool AppendUrlDecoded(std::string_view text, TextWriter& out) {
  const size_t start = out.row().size();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out.Push(' ');
    } else if (text[i] != '%') {
      out.Push(text[i]);
    } else {
      const int high = i + 2 < text.size() ? HexDigitValue(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigitValue(text[i + 2]) : -1;
      if (high < 0 || low < 0) return false;
      out.Push(static_cast<char>(high << 4 | low));
      i += 2;
    }
  }
  return IsWellFormedUtf8(out.row().substr(start));
}

}  // namespace laminar
