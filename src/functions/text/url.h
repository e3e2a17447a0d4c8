#pragma once

/// URLs by RFC 3986.

#include <optional>
#include <string_view>

namespace laminar {

class TextWriter;

enum class UrlPart { kProtocol, kAuthority, kUserInfo, kHost, kPort, kPath, kFile, kQuery, kRef };

/// HOST, PATH, QUERY, REF (or FRAGMENT), PROTOCOL (or SCHEME), FILE (path with query), AUTHORITY, USERINFO,
/// PORT; any case.
std::optional<UrlPart> ParseUrlPart(std::string_view name);

/// The part as written, a view into `url`; nullopt when the URL has none or is not an absolute URL.
std::optional<std::string_view> ExtractUrlPart(std::string_view url, UrlPart part);

/// Value of the first `key=value` of the query, as written; nullopt when there is none.
std::optional<std::string_view> ExtractQueryValue(std::string_view url, std::string_view key);

/// All but letters, digits and `-._~` as %XX of their UTF-8 bytes.
void AppendUrlEncoded(std::string_view text, TextWriter& out);
/// %XX undone, `+` to space. False (nothing usable appended) for a broken escape or when the result is not
/// UTF-8.
bool AppendUrlDecoded(std::string_view text, TextWriter& out);

}  // namespace laminar
