#pragma once

/// Regular expressions (RE2 syntax): compiling with SQL's flags, caching patterns that come from rows,
/// walking matches and writing replacements. Include only from .cc files.

#include <re2/re2.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace laminar {

class BatchError;
class TextWriter;

struct RegexFlags {
  bool global = false;       ///< g: all matches, not only the first
  bool ignore_case = false;  ///< i
  bool multi_line = false;   ///< m: ^ and $ match at line breaks
  bool dot_all = false;      ///< s: . matches a line break
};
/// Letters of `gims`, and `c` for the default case-sensitive; nullopt when there is another.
std::optional<RegexFlags> ParseRegexFlags(std::string_view text);

using RegexPtr = std::shared_ptr<const re2::RE2>;
/// Null pointer when the pattern is bad; `*error` then says why.
RegexPtr CompileRegex(std::string_view pattern, const RegexFlags& flags, std::string* error);

/// The regex of each row: compiled at binding when pattern and flags are constants, otherwise from a cache of
/// the thread. Copies share the compiled regex; one copy per kernel call.
class RegexSource {
 public:
  RegexSource(const char* function, RegexPtr constant, RegexFlags flags)
      : function_(function), constant_(std::move(constant)), flags_(flags) {}

  /// Null pointer: the pattern or a flag of this row is bad, and `error` says so.
  const re2::RE2* Get(std::string_view pattern, std::string_view flags, BatchError& error) {
    return constant_ ? constant_.get() : Compile(pattern, flags, error);
  }
  /// Those of the row of the last Get.
  const RegexFlags& flags() const { return flags_; }

 private:
  const re2::RE2* Compile(std::string_view pattern, std::string_view flags, BatchError& error);
  const char* function_;
  RegexPtr constant_;
  RegexFlags flags_;
  RegexPtr of_row_;
};

/// A replacement text taken apart: `\1`, `$1` and `${1}` are groups, `\0`, `$0` and `\&` the whole match,
/// `\\` and `$$` the characters themselves; any other text stands for itself. Groups that did not match are
/// empty.
class RegexReplacement {
 public:
  explicit RegexReplacement(std::string_view text);
  int max_group() const { return max_group_; }
  void Append(const re2::StringPiece* groups, int count, TextWriter& out) const;

 private:
  struct Part {
    std::string literal;
    int group = -1;  // −1: a literal
  };
  void AddLiteral(std::string_view text);
  void AddGroup(int group);
  std::vector<Part> parts_;
  int max_group_ = 0;
};

/// Walks the matches of `regex` in `text`, which never overlap; an empty match right behind the last one is
/// passed over.
class RegexMatches {
 public:
  /// `groups` has room for `group_count` ≥ 1 entries; [0] is the whole match.
  RegexMatches(const re2::RE2& regex, std::string_view text, size_t start, re2::StringPiece* groups,
               int group_count)
      : regex_(regex),
        text_(text.data(), text.size()),
        next_(start),
        groups_(groups),
        group_count_(group_count) {}
  /// False when there are no more.
  bool Next();
  size_t match_begin() const { return static_cast<size_t>(groups_[0].data() - text_.data()); }
  size_t match_end() const { return match_begin() + groups_[0].size(); }

 private:
  const re2::RE2& regex_;
  re2::StringPiece text_;
  size_t next_;
  bool first_ = true;
  re2::StringPiece* groups_;
  int group_count_;
};

}  // namespace laminar
