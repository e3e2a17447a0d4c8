#pragma once

/// LIKE patterns and regular expressions, compiled. Include only from .cc files.

#include <re2/re2.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace laminar {

enum class PatternKind { kLike, kILike, kSimilarTo, kRegex, kRegexIgnoreCase };

/// One pattern, ready to match. LIKE patterns with % only at the ends need no regular expression.
class Pattern {
 public:
  /// Never throws; `ok()` says whether the text is a pattern. `escape`: of LIKE and SIMILAR TO.
  Pattern(PatternKind kind, std::string_view text, char escape = '\\');

  bool ok() const { return error_.empty(); }
  /// Why not.
  const std::string& error() const { return error_; }
  bool Matches(std::string_view text) const;

 private:
  enum class Shape { kEquals, kStartsWith, kEndsWith, kContains, kAnything, kRegex };
  void CompileLike(std::string_view text, char escape);

  Shape shape_ = Shape::kRegex;
  std::string literal_;
  bool whole_ = false;  // the regular expression must match all of the text
  std::shared_ptr<const RE2> regex_;
  std::string error_;
};

/// Patterns that come in a column: each compiled once per cache.
class PatternCache {
 public:
  explicit PatternCache(PatternKind kind) : kind_(kind) {}
  const Pattern& Get(std::string_view text, char escape = '\\');

 private:
  static constexpr size_t kPatternsMax = 256;
  PatternKind kind_;
  std::unordered_map<std::string, Pattern> patterns_;
};

}  // namespace laminar
