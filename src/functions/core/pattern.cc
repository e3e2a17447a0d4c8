#include "functions/core/pattern.h"

#include <cctype>
#include <cstring>

namespace laminar {

namespace {

/// Bytes that a LIKE pattern stands for: a literal byte, `%` or `_`.
struct LikeToken {
  enum Kind { kByte, kAnyString, kAnyCharacter } kind;
  char byte = 0;
};

std::optional<std::vector<LikeToken>> ReadLike(std::string_view text, char escape) {
  std::vector<LikeToken> tokens;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (escape && c == escape) {
      if (++i == text.size()) return std::nullopt;
      tokens.push_back({LikeToken::kByte, text[i]});
    } else if (c == '%') {
      if (tokens.empty() || tokens.back().kind != LikeToken::kAnyString)
        tokens.push_back({LikeToken::kAnyString});
    } else if (c == '_') {
      tokens.push_back({LikeToken::kAnyCharacter});
    } else {
      tokens.push_back({LikeToken::kByte, c});
    }
  }
  return tokens;
}

void AppendQuoted(char c, std::string* out) {
  if (!(c & 0x80) && !std::isalnum(static_cast<unsigned char>(c)) && c != '_') out->push_back('\\');
  out->push_back(c);
}

std::string LikeRegex(const std::vector<LikeToken>& tokens) {
  std::string out;
  for (const LikeToken& token : tokens) {
    if (token.kind == LikeToken::kAnyString) {
      out += ".*";
    } else if (token.kind == LikeToken::kAnyCharacter) {
      out += ".";
    } else {
      AppendQuoted(token.byte, &out);
    }
  }
  return out;
}

/// SIMILAR TO: `%` and `_` as in LIKE, the rest as in a regular expression but for `.`, `^` and `$`, which
/// are plain.
std::string SimilarRegex(std::string_view text, char escape) {
  std::string out;
  bool in_class = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (escape && c == escape && i + 1 < text.size()) {
      AppendQuoted(text[++i], &out);
    } else if (in_class) {
      in_class = c != ']';
      out.push_back(c);
    } else if (c == '%') {
      out += ".*";
    } else if (c == '_') {
      out += ".";
    } else if (c == '.' || c == '^' || c == '$') {
      AppendQuoted(c, &out);
    } else {
      in_class = c == '[';
      out.push_back(c);
    }
  }
  return out;
}

}  // namespace

Pattern::Pattern(PatternKind kind, std::string_view text, char escape) {
  if (kind == PatternKind::kLike) {
    CompileLike(text, escape);
    if (shape_ != Shape::kRegex || !error_.empty()) return;
  }
  std::string regex(text);
  if (kind == PatternKind::kLike || kind == PatternKind::kILike) {
    const auto tokens = ReadLike(text, escape);
    if (!tokens) {
      error_ = "the pattern ends with its escape character";
      return;
    }
    regex = LikeRegex(*tokens);
  } else if (kind == PatternKind::kSimilarTo) {
    regex = SimilarRegex(text, escape);
  }
  whole_ = kind != PatternKind::kRegex && kind != PatternKind::kRegexIgnoreCase;
  RE2::Options options(RE2::Quiet);
  options.set_case_sensitive(kind != PatternKind::kILike && kind != PatternKind::kRegexIgnoreCase);
  options.set_dot_nl(whole_);
  regex_ = std::make_shared<const RE2>(regex, options);
  if (!regex_->ok()) error_ = regex_->error();
}

/// Finds the patterns that are a plain comparison: x, x%, %x, %x%.
void Pattern::CompileLike(std::string_view text, char escape) {
  const auto tokens = ReadLike(text, escape);
  if (!tokens) {
    error_ = "the pattern ends with its escape character";
    return;
  }
  const bool open_start = !tokens->empty() && tokens->front().kind == LikeToken::kAnyString;
  const bool open_end = !tokens->empty() && tokens->back().kind == LikeToken::kAnyString;
  std::string literal;
  const size_t first = open_start ? 1 : 0;
  const size_t last = tokens->size() - (open_end && tokens->size() > first ? 1 : 0);
  for (size_t i = first; i < last; ++i) {
    if ((*tokens)[i].kind != LikeToken::kByte) return;
    literal.push_back((*tokens)[i].byte);
  }
  literal_ = std::move(literal);
  if (open_start && tokens->size() == 1) {
    shape_ = Shape::kAnything;
  } else if (open_start) {
    shape_ = open_end ? Shape::kContains : Shape::kEndsWith;
  } else {
    shape_ = open_end ? Shape::kStartsWith : Shape::kEquals;
  }
}

bool Pattern::Matches(std::string_view text) const {
  switch (shape_) {
    case Shape::kAnything:
      return true;
    case Shape::kEquals:
      return text == literal_;
    case Shape::kStartsWith:
      return text.starts_with(literal_);
    case Shape::kEndsWith:
      return text.ends_with(literal_);
    case Shape::kContains:
      return memmem(text.data(), text.size(), literal_.data(), literal_.size()) != nullptr;
    case Shape::kRegex:
      break;
  }
  const re2::StringPiece piece(text.data(), text.size());
  return whole_ ? RE2::FullMatch(piece, *regex_) : RE2::PartialMatch(piece, *regex_);
}

const Pattern& PatternCache::Get(std::string_view text, char escape) {
  std::string key(text);
  key.push_back(escape);
  auto it = patterns_.find(key);
  if (it != patterns_.end()) return it->second;
  if (patterns_.size() >= kPatternsMax) patterns_.clear();
  return patterns_.emplace(std::move(key), Pattern(kind_, text, escape)).first->second;
}

}  // namespace laminar
