#include "connectors/filesystem/file_match.h"

#include <re2/re2.h>

#include <filesystem>

#include "base/error.h"
#include "base/local_file.h"

namespace laminar {

namespace {

/// The bracket expression that begins at `i` as a regular expression; `i` moves to its end. Empty when it has
/// no end.
std::string BracketToRegex(const std::string& glob, size_t* i) {
  const size_t close = glob.find(']', *i + 2);
  if (close == std::string::npos) return "";
  std::string inside = glob.substr(*i + 1, close - *i - 1);
  if (inside[0] == '!') inside[0] = '^';
  *i = close;
  std::string out = "[";
  for (const char c : inside) out += c == '\\' || c == '[' ? std::string("\\") + c : std::string(1, c);
  return out + "]";
}

}  // namespace

std::string GlobToRegex(const std::string& glob) {
  std::string out;
  int braces = 0;
  for (size_t i = 0; i < glob.size(); ++i) {
    const char c = glob[i];
    if (glob.compare(i, 3, "**/") == 0) {
      out += "(?:.*/)?";
      i += 2;
    } else if (glob.compare(i, 2, "**") == 0) {
      out += ".*";
      ++i;
    } else if (c == '*') {
      out += "[^/]*";
    } else if (c == '?') {
      out += "[^/]";
    } else if (c == '{') {
      out += "(?:";
      ++braces;
    } else if (c == '}' && braces > 0) {
      out += ")";
      --braces;
    } else if (c == ',' && braces > 0) {
      out += "|";
    } else {
      const std::string bracket = c == '[' ? BracketToRegex(glob, &i) : "";
      out += bracket.empty() ? RE2::QuoteMeta(std::string(1, c)) : bracket;
    }
  }
  return out;
}

FileMatch MatchOfPath(const std::string& path) {
  const size_t meta = path.find_first_of("*?[{");
  if (meta == std::string::npos || PathExists(path)) return {path, "", ""};
  const size_t slash = path.rfind('/', meta);
  if (slash == std::string::npos) return {".", "./" + path, ""};
  return {slash == 0 ? "/" : path.substr(0, slash), "./" + path.substr(slash + 1), ""};
}

std::vector<FileToRead> ListMatching(const FileMatch& match, const FileAccess& files) {
  const auto names = files.ListBelow(match.root, match.must_exist);
  if (!names) return {{std::filesystem::path(match.root).filename().string(), match.root}};
  // A leading "./" ties the glob to the root itself.
  const bool tied = match.glob.compare(0, 2, "./") == 0;
  const std::string glob = tied ? match.glob.substr(2) : match.glob;
  const bool last_part_only = !tied && glob.find('/') == std::string::npos;
  const RE2 whole(GlobToRegex(glob));
  const RE2 part(match.regex);
  std::vector<FileToRead> found;
  for (const std::string& name : *names) {
    const std::string last = last_part_only ? std::filesystem::path(name).filename().string() : name;
    if (!glob.empty() && !RE2::FullMatch(last, whole)) continue;
    if (!match.regex.empty() && !RE2::PartialMatch(name, part)) continue;
    found.push_back({name, (std::filesystem::path(match.root) / name).string()});
  }
  return found;
}

void CheckRegex(const std::string& regex, SourceSpan span) {
  const RE2 parsed(regex, RE2::Quiet);
  if (parsed.ok()) return;
  throw UserError(Reason::kBadOption, span, "'" + regex + "' is no regular expression: " + parsed.error());
}

}  // namespace laminar
