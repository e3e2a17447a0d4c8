/// Text of a path to steps. A recursive-descent parser, one method per rule.

#include <algorithm>
#include <charconv>

#include "functions/json/json_filter.h"
#include "functions/json/json_path.h"
#include "functions/json/json_scanner.h"

namespace laminar {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
/// Characters of an unquoted key. Everything beyond ASCII counts.
bool IsNameCharacter(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

class PathParser {
 public:
  PathParser(std::string_view text, std::string* error) : text_(text), error_(error) {}

  bool ParseRoot(std::vector<JsonStep>* steps) {
    SkipSpace();
    if (!Take('$')) return Fail("a path starts with $");
    if (!ParseSteps(steps)) return false;
    SkipSpace();
    return at_ == text_.size() || Fail("a step starts with '.' or '['");
  }

 private:
  static constexpr int kDepthMax = 64;  // of filters inside filters

  bool Fail(std::string_view what) {
    if (error_->empty()) *error_ = std::string(what) + " (at character " + std::to_string(at_ + 1) + ")";
    return false;
  }
  void SkipSpace() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
  }
  bool StartsWith(std::string_view token) const { return text_.substr(at_).starts_with(token); }
  bool Take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool Take(std::string_view token) {
    if (!StartsWith(token)) return false;
    at_ += token.size();
    return true;
  }
  bool TakeWord(std::string_view word) {
    SkipSpace();
    const size_t end = at_ + word.size();
    if (!StartsWith(word) || (end < text_.size() && IsNameCharacter(text_[end]))) return false;
    at_ = end;
    return true;
  }

  bool ParseSteps(std::vector<JsonStep>* steps) {
    for (;;) {
      const size_t before = at_;
      SkipSpace();
      JsonStep step;
      if (Take("..")) {
        step.descend = true;
        if (!(StartsWith("[") ? ParseBrackets(&step) : ParseMember(&step))) return false;
      } else if (Take('.')) {
        if (!ParseMember(&step)) return false;
      } else if (StartsWith("[")) {
        if (!ParseBrackets(&step)) return false;
      } else if (Take('?')) {
        // SQL/JSON: a filter of its own. It also looks into arrays, as `[*]` in front would.
        step.selectors.emplace_back();
        if (!ParseFilter(&step.selectors.back())) return false;
      } else {
        at_ = before;
        return true;
      }
      steps->push_back(std::move(step));
    }
  }

  /// What follows a dot: `*`, a name, or a quoted name.
  bool ParseMember(JsonStep* step) {
    SkipSpace();
    JsonSelector selector;
    if (Take('*')) {
      selector.kind = JsonSelector::Kind::kWildcard;
    } else {
      selector.kind = JsonSelector::Kind::kName;
      if (!ParseName(&selector.name)) return false;
      if (StartsWith("(")) return Fail("methods such as ." + selector.name + "() are not supported");
    }
    step->selectors.push_back(std::move(selector));
    return true;
  }

  bool ParseName(std::string* name) {
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) return ParseQuoted(name);
    const size_t start = at_;
    while (at_ < text_.size() && IsNameCharacter(text_[at_])) ++at_;
    if (at_ == start) return Fail("a key is missing");
    *name = text_.substr(start, at_ - start);
    return true;
  }

  /// Characters up to the same quote; a backslash escapes as in JSON.
  bool ParseQuoted(std::string* out) {
    const char quote = text_[at_++];
    std::string inner;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) inner.push_back(text_[at_++]);
      inner.push_back(text_[at_++]);
    }
    if (!Take(quote)) return Fail("a quote is not closed");
    *out = UnescapeQuoted(inner);
    return true;
  }
  static std::string UnescapeQuoted(const std::string& inner) {
    return inner.find('\\') == std::string::npos ? inner : DecodeJsonEscapes(inner);
  }

  bool ParseBrackets(JsonStep* step) {
    ++at_;
    do {
      step->selectors.emplace_back();
      if (!ParseSelector(&step->selectors.back())) return false;
      SkipSpace();
    } while (Take(','));
    return Take(']') || Fail("']' is missing");
  }

  bool ParseSelector(JsonSelector* selector) {
    SkipSpace();
    if (at_ >= text_.size()) return Fail("']' is missing");
    if (Take('*')) return true;
    if (Take('?')) return ParseFilter(selector);
    if (text_[at_] == '"' || text_[at_] == '\'') {
      selector->kind = JsonSelector::Kind::kName;
      return ParseQuoted(&selector->name);
    }
    return ParseIndexOrSlice(selector);
  }

  std::optional<int64_t> ParseInteger() {
    SkipSpace();
    int64_t value = 0;
    const auto [end, code] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (code != std::errc()) return std::nullopt;
    at_ = static_cast<size_t>(end - text_.data());
    return value;
  }

  bool ParseIndexOrSlice(JsonSelector* selector) {
    if (TakeWord("last")) return ParseLast(selector);
    selector->begin = ParseInteger();
    if (selector->begin && TakeWord("to")) return ParseToRange(selector);
    SkipSpace();
    if (!Take(':')) {
      selector->kind = JsonSelector::Kind::kIndex;
      selector->index = selector->begin.value_or(0);
      return selector->begin || Fail("an index, a quoted key, '*' or a filter is missing");
    }
    selector->kind = JsonSelector::Kind::kSlice;
    selector->end = ParseInteger();
    SkipSpace();
    if (Take(':')) selector->step = ParseInteger().value_or(1);
    return true;
  }

  /// Behind `last`: the last element, or the one `- n` in front of it.
  bool ParseLast(JsonSelector* selector) {
    selector->kind = JsonSelector::Kind::kIndex;
    selector->from_last = true;
    SkipSpace();
    if (!Take('-')) return true;
    const auto back = ParseInteger();
    selector->index = back.value_or(0);
    return (back && *back >= 0) || Fail("a number is missing");
  }

  /// Behind `n to`: both ends included.
  bool ParseToRange(JsonSelector* selector) {
    selector->kind = JsonSelector::Kind::kSlice;
    if (TakeWord("last")) return true;
    const auto last = ParseInteger();
    if (!last || *last < 0 || *last == std::numeric_limits<int64_t>::max())
      return Fail("the end of the range is missing");
    selector->end = *last + 1;
    return true;
  }

  bool ParseFilter(JsonSelector* selector) {
    selector->kind = JsonSelector::Kind::kFilter;
    if (++depth_ > kDepthMax) return Fail("the filters are nested too deep");
    selector->filter = ParseOr();
    --depth_;
    return selector->filter != nullptr;
  }

  using FilterPtr = std::shared_ptr<const JsonFilter>;

  FilterPtr ParseOr() { return ParseList("||", JsonFilter::Kind::kOr, &PathParser::ParseAnd); }
  FilterPtr ParseAnd() { return ParseList("&&", JsonFilter::Kind::kAnd, &PathParser::ParseUnary); }

  FilterPtr ParseList(std::string_view token, JsonFilter::Kind kind, FilterPtr (PathParser::*parse)()) {
    auto list = std::make_shared<JsonFilter>();
    list->kind = kind;
    do {
      list->children.push_back((this->*parse)());
      if (!list->children.back()) return nullptr;
      SkipSpace();
    } while (Take(token));
    return list->children.size() == 1 ? list->children[0] : list;
  }

  FilterPtr ParseUnary() {
    SkipSpace();
    if (StartsWith("!") && !StartsWith("!=")) {
      ++at_;
      return WithDepth([this] { return Negate(ParseUnary()); });
    }
    if (Take('(')) {
      FilterPtr inner = WithDepth([this] { return ParseOr(); });
      SkipSpace();
      if (inner && !Take(')')) return Fail("')' is missing"), nullptr;
      return inner;
    }
    return ParseComparison();
  }

  template <typename F>
  FilterPtr WithDepth(F f) {
    if (++depth_ > kDepthMax) return Fail("the filters are nested too deep"), nullptr;
    FilterPtr result = f();
    --depth_;
    return result;
  }

  static FilterPtr Negate(FilterPtr child) {
    if (!child) return nullptr;
    auto filter = std::make_shared<JsonFilter>();
    filter->kind = JsonFilter::Kind::kNot;
    filter->children.push_back(std::move(child));
    return filter;
  }

  FilterPtr ParseComparison() {
    auto filter = std::make_shared<JsonFilter>();
    if (!ParseOperand(&filter->left)) return nullptr;
    SkipSpace();
    const auto kind = TakeComparison();
    if (!kind) {
      if (filter->left.is_literal) return Fail("a comparison is missing"), nullptr;
      return filter;
    }
    filter->kind = *kind;
    return ParseOperand(&filter->right) ? filter : nullptr;
  }

  std::optional<JsonFilter::Kind> TakeComparison() {
    if (Take("==") || Take("=")) return JsonFilter::Kind::kEqual;
    if (Take("!=") || Take("<>")) return JsonFilter::Kind::kNotEqual;
    if (Take("<=")) return JsonFilter::Kind::kLessEqual;
    if (Take(">=")) return JsonFilter::Kind::kGreaterEqual;
    if (Take('<')) return JsonFilter::Kind::kLess;
    if (Take('>')) return JsonFilter::Kind::kGreater;
    return std::nullopt;
  }

  bool ParseOperand(JsonFilter::Operand* operand) {
    SkipSpace();
    if (Take('@')) return ParseSteps(&operand->steps);
    if (Take('$')) {
      operand->from_root = true;
      return ParseSteps(&operand->steps);
    }
    operand->is_literal = true;
    for (std::string_view word : {"true", "false", "null"}) {
      if (!TakeWord(word)) continue;
      operand->literal = word;
      return true;
    }
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\''))
      return ParseTextLiteral(&operand->literal);
    return ParseNumberLiteral(&operand->literal);
  }

  /// A literal is kept as raw JSON, so that it compares as any other value.
  bool ParseTextLiteral(std::string* literal) {
    std::string value;
    if (!ParseQuoted(&value)) return false;
    *literal = QuoteJson(value);
    return true;
  }

  bool ParseNumberLiteral(std::string* literal) {
    double value;
    const auto [end, code] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (code == std::errc::invalid_argument ||
        (at_ < text_.size() && text_[at_] != '-' && !IsDigit(text_[at_]))) {
      return Fail("'@', '$' or a literal is missing");
    }
    const auto length = static_cast<size_t>(end - text_.data()) - at_;
    *literal = text_.substr(at_, length);
    at_ += length;
    return true;
  }

  std::string_view text_;
  std::string* error_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

std::optional<JsonPath> JsonPath::Parse(std::string_view text, std::string* error) {
  error->clear();
  const size_t start = std::min(text.find_first_not_of(" \t\n\r"), text.size());
  std::string_view rest = text.substr(start);
  bool strict = false;
  for (std::string_view mode : {"lax", "strict"}) {
    if (!rest.starts_with(mode) || rest.size() == mode.size() || !IsSpace(rest[mode.size()])) continue;
    const size_t dollar = rest.find_first_not_of(" \t\n\r", mode.size());
    if (dollar == std::string_view::npos || rest[dollar] != '$') continue;
    strict = mode == "strict";
    rest = rest.substr(dollar);
    break;
  }
  std::vector<JsonStep> steps;
  if (rest.empty()) {
    *error = "it is empty";
    return std::nullopt;
  }
  if (rest[0] != '$') {
    JsonSelector key;
    key.kind = JsonSelector::Kind::kName;
    key.name = text;
    steps.push_back({false, {std::move(key)}});
  } else if (!PathParser(rest, error).ParseRoot(&steps)) {
    return std::nullopt;
  }
  return JsonPath(std::move(steps), strict);
}

}  // namespace laminar
