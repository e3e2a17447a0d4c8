#pragma once

/// Text of requests to object stores and of their answers: URLs, XML, times.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace laminar {

/// Percent-encodes all but letters, digits and `-_.~` (and, where `keep_slash`, '/').
std::string PercentEncode(std::string_view text, bool keep_slash);
std::string PercentDecode(std::string_view text);
/// `a=x&b=y`, encoded, sorted by name.
std::string QueryText(const std::map<std::string, std::string>& query);

/// What stands inside each `<tag>…</tag>`.
std::vector<std::string_view> XmlElements(std::string_view xml, const std::string& tag);
/// The text of the first `<tag>…</tag>`, unescaped; empty when there is none.
std::string XmlText(std::string_view xml, const std::string& tag);
std::string XmlEscaped(std::string_view text);

/// `Fri, 24 May 2013 00:00:00 GMT` or `2013-05-24T00:00:00.000Z`, to the second; 0 for what is neither.
int64_t TimeUsOfText(const std::string& text);
/// 0 for what is no number.
int64_t NumberOfText(const std::string& text);
std::string WithoutQuotes(const std::string& text);

}  // namespace laminar
