#include "connectors/files/local_url.h"

#include <cctype>
#include <string_view>

#include "types/type.h"

namespace laminar {

namespace {

/// `s3` of `s3://…` and `s3::http://…`; empty for a path.
std::string SchemeOf(const std::string& url) {
  size_t length = 0;
  while (length < url.size() &&
         (std::isalnum(static_cast<unsigned char>(url[length])) || url[length] == '+')) {
    ++length;
  }
  const std::string_view rest = std::string_view(url).substr(length);
  const bool scheme =
      length > 0 && (rest.substr(0, 3) == "://" || rest.substr(0, 2) == "::" || rest.substr(0, 2) == ":/");
  return scheme ? url.substr(0, length) : "";
}

bool IsObjectStore(std::string_view scheme) {
  for (const std::string_view known :
       {"s3", "s3a", "r2", "gs", "gcs", "abfs", "abfss", "az", "http", "https", "hdfs"}) {
    if (EqualsIgnoreCase(scheme, known)) return true;
  }
  return false;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string PercentDecoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool code =
        text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 && HexDigit(text[i + 2]) >= 0;
    out.push_back(code ? static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2])) : text[i]);
    if (code) i += 2;
  }
  return out;
}

}  // namespace

std::string LocalPathOf(const std::string& url, SourceSpan span) {
  if (url.empty()) throw UserError(Reason::kBadOption, span, "the path is empty");
  const std::string scheme = SchemeOf(url);
  if (scheme.empty()) return url;
  if (IsObjectStore(scheme)) {
    // The URL is not shown: it may carry credentials.
    throw UserError(Reason::kUnsupported, span,
                    "files behind " + scheme + " URLs cannot be read or written here")
        .Hint("use a local path; connector filesystem also takes s3://, gs:// and abfss:// URLs");
  }
  if (!EqualsIgnoreCase(scheme, "file")) {
    throw UserError(Reason::kBadOption, span,
                    "unknown URL scheme '" + scheme + "'; a local path or file:// URL is right");
  }
  std::string_view rest = std::string_view(url).substr(scheme.size() + 1);
  if (rest.substr(0, 2) == "//") {
    rest.remove_prefix(2);
    if (rest.substr(0, 10) == "localhost/") rest.remove_prefix(9);
    if (rest.empty() || rest.front() != '/') {
      throw UserError(Reason::kBadOption, span, "'" + url + "' names a host; file URLs start with file:///");
    }
  }
  return PercentDecoded(rest);
}

}  // namespace laminar
