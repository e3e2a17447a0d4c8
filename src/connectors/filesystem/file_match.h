#pragma once

/// Which files below a path belong to a table.

#include <string>
#include <vector>

#include "connectors/files/file_source.h"

namespace laminar {

/// Where to look: a directory or one file, and what the names below it must match.
struct FileMatch {
  std::string root;
  std::string
      glob;  ///< `*.json`, `2024/**/*.csv`, `{a,b}*`; without '/' it matches the last part of the name
  std::string regex;       ///< found anywhere in the name below `root`
  bool must_exist = true;  ///< see FileAccess::ListBelow
};

/// A regular expression for the whole of a relative path.
std::string GlobToRegex(const std::string& glob);

/// Splits `dir/*.json` into its directory and a glob, unless such a file exists; other paths stay as they
/// are.
FileMatch MatchOfPath(const std::string& path);

/// Sorted by name (relative to the root). Throws ExternalError when the root does not exist.
std::vector<FileToRead> ListMatching(const FileMatch& match, const FileAccess& files = *LocalFiles());

/// Throws UserError(kBadOption) for a regular expression that is none.
void CheckRegex(const std::string& regex, SourceSpan span);

}  // namespace laminar
