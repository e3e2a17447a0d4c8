#include "functions/text/regex.h"

#include <fmt/format.h>

#include <unordered_map>

#include "functions/elementwise.h"
#include "functions/text/utf8.h"

namespace laminar {
namespace {

re2::StringPiece Piece(std::string_view text) { return {text.data(), text.size()}; }

/// Patterns of rows, by flags and pattern. Each is compiled once per thread while it stays among the last few
/// hundred.
class ThreadRegexCache {
 public:
  RegexPtr Get(std::string_view pattern, const RegexFlags& flags, std::string* error) {
    key_.assign({flags.ignore_case ? 'i' : '-', flags.multi_line ? 'm' : '-', flags.dot_all ? 's' : '-'});
    key_.append(pattern);
    if (const auto found = regexes_.find(key_); found != regexes_.end()) return found->second;
    RegexPtr regex = CompileRegex(pattern, flags, error);
    if (!regex) return nullptr;
    if (regexes_.size() >= kEntriesMax) regexes_.clear();
    regexes_.emplace(key_, regex);
    return regex;
  }

 private:
  static constexpr size_t kEntriesMax = 256;  // about 10 kB each
  std::unordered_map<std::string, RegexPtr> regexes_;
  std::string key_;
};

}  // namespace

std::optional<RegexFlags> ParseRegexFlags(std::string_view text) {
  RegexFlags flags;
  for (char c : text) {
    switch (c) {
      case 'g':
        flags.global = true;
        break;
      case 'i':
        flags.ignore_case = true;
        break;
      case 'c':
        flags.ignore_case = false;
        break;
      case 'm':
        flags.multi_line = true;
        break;
      case 's':
        flags.dot_all = true;
        break;
      default:
        return std::nullopt;
    }
  }
  return flags;
}

RegexPtr CompileRegex(std::string_view pattern, const RegexFlags& flags, std::string* error) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(!flags.ignore_case);
  options.set_dot_nl(flags.dot_all);
  auto regex = flags.multi_line ? std::make_shared<re2::RE2>("(?m:" + std::string(pattern) + ")", options)
                                : std::make_shared<re2::RE2>(Piece(pattern), options);
  if (regex->ok()) return regex;
  *error = regex->error();
  return nullptr;
}

const re2::RE2* RegexSource::Compile(std::string_view pattern, std::string_view flags, BatchError& error) {
  thread_local ThreadRegexCache cache;
  const auto parsed = ParseRegexFlags(flags);
  if (!parsed) {
    error.Fail(
        [&] { return fmt::format("{}: unknown flag in '{}'; there are g, i, m and s", function_, flags); });
    return nullptr;
  }
  flags_ = *parsed;
  std::string reason;
  of_row_ = cache.Get(pattern, flags_, &reason);
  if (!of_row_)
    error.Fail([&] { return fmt::format("{}: bad pattern '{}': {}", function_, pattern, reason); });
  return of_row_.get();
}

RegexReplacement::RegexReplacement(std::string_view text) {
  auto is_digit = [&](size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool more = i + 1 < text.size();
    if ((c == '\\' || c == '$') && is_digit(i + 1)) {
      AddGroup(text[++i] - '0');
    } else if (c == '\\' && more && text[i + 1] == '&') {
      AddGroup(0);
      ++i;
    } else if ((c == '\\' && more && (text[i + 1] == '\\' || text[i + 1] == '$')) ||
               (c == '$' && more && text[i + 1] == '$')) {
      AddLiteral(text.substr(++i, 1));
    } else if (c == '$' && more && text[i + 1] == '{' && is_digit(i + 2) && i + 3 < text.size() &&
               text[i + 3] == '}') {
      AddGroup(text[i + 2] - '0');
      i += 3;
    } else {
      AddLiteral(text.substr(i, 1));
    }
  }
}

void RegexReplacement::AddLiteral(std::string_view text) {
  if (parts_.empty() || parts_.back().group >= 0) parts_.emplace_back();
  parts_.back().literal.append(text);
}

void RegexReplacement::AddGroup(int group) {
  parts_.push_back({"", group});
  max_group_ = std::max(max_group_, group);
}

void RegexReplacement::Append(const re2::StringPiece* groups, int count, TextWriter& out) const {
  for (const Part& part : parts_) {
    if (part.group < 0) {
      out.Append(part.literal);
    } else if (part.group < count) {
      out.Append({groups[part.group].data(), groups[part.group].size()});
    }
  }
}

bool RegexMatches::Next() {
  const size_t previous_end = next_;
  while (next_ <= text_.size() &&
         regex_.Match(text_, next_, text_.size(), re2::RE2::UNANCHORED, groups_, group_count_)) {
    if (first_ || groups_[0].size() > 0 || match_begin() != previous_end) {
      first_ = false;
      next_ = match_end();
      return true;
    }
    // An empty match where the last match ended: look again behind the next code point.
    if (next_ >= text_.size()) break;
    next_ += CodePointBytes({text_.data(), text_.size()}, next_);
  }
  next_ = text_.size() + 1;
  return false;
}

}  // namespace laminar
