#include "functions/text/regex_literal.h"

namespace laminar {

namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlphanumeric(char c) { return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Walks over a pattern from left to right. What it does not know ends the run at hand, and what could make a
/// run optional gives it up.
class LiteralFinder {
 public:
  explicit LiteralFinder(std::string_view pattern) : pattern_(pattern) {}

  std::string Find() {
    // Flags change what follows them, and \Q quotes it.
    if (pattern_.find("(?") != std::string_view::npos || pattern_.find("\\Q") != std::string_view::npos)
      return "";
    while (at_ < pattern_.size()) {
      if (!Step()) return "";
    }
    EndRun();
    return longest_;
  }

 private:
  /// False when nothing is required.
  bool Step() {
    const char c = pattern_[at_];
    switch (c) {
      case '|':
        return false;  // another way to match
      case '(':
        return SkipGroup();
      case '[':
        EndRun();
        return SkipClass();
      case '*':
      case '?':
      case '{':  // of the character before, which may be missing
        if (!run_.empty()) run_.pop_back();
        [[fallthrough]];
      case '+':
      case '.':
      case '^':
      case '$':
        EndRun();
        ++at_;
        return c != '{' || SkipRepetition();
      case '\\':
        return TakeEscape();
      default:
        // Repetition takes a whole character, of which this may be one byte of many.
        if (static_cast<unsigned char>(c) < 0x80) {
          run_ += c;
        } else {
          EndRun();
        }
        ++at_;
        return true;
    }
  }

  bool TakeEscape() {
    if (at_ + 1 >= pattern_.size()) return false;
    const char c = pattern_[at_ + 1];
    if (IsAlphanumeric(c)) {  // a class, an assertion or a code: \d, \b, \x{41}, \pN
      EndRun();
      at_ += 2;
      if ((c == 'x' || c == 'p' || c == 'P') && at_ < pattern_.size()) {
        if (pattern_[at_] == '{') {
          SkipTo('}');
        } else {
          at_ += c == 'x' ? 2 : 1;
        }
      } else if (IsDigit(c)) {
        return false;  // an octal code of unknown length
      }
      return true;
    }
    run_ += c;
    at_ += 2;
    return true;
  }

  /// The rest of {2}, {2,} or {2,3}; any other brace stands for itself.
  bool SkipRepetition() {
    while (at_ < pattern_.size() && (IsDigit(pattern_[at_]) || pattern_[at_] == ',')) ++at_;
    return at_ < pattern_.size() && pattern_[at_++] == '}';
  }

  bool SkipGroup() {
    EndRun();
    int depth = 0;
    do {
      if (at_ >= pattern_.size()) return false;
      const char c = pattern_[at_];
      if (c == '\\') {
        at_ += 2;
      } else if (c == '[') {
        if (!SkipClass()) return false;
      } else {
        depth += (c == '(') - (c == ')');
        ++at_;
      }
    } while (depth > 0);
    return true;
  }

  bool SkipClass() {
    ++at_;
    if (at_ < pattern_.size() && pattern_[at_] == '^') ++at_;
    if (at_ < pattern_.size() && pattern_[at_] == ']') ++at_;  // stands for itself there
    while (at_ < pattern_.size() && pattern_[at_] != ']') {
      if (pattern_.substr(at_).starts_with("[:")) return false;  // [[:alpha:]]
      at_ += pattern_[at_] == '\\' ? 2 : 1;
    }
    ++at_;
    return at_ <= pattern_.size();
  }

  void SkipTo(char end) {
    while (at_ < pattern_.size() && pattern_[at_] != end) ++at_;
    ++at_;
  }

  void EndRun() {
    if (run_.size() > longest_.size()) longest_ = run_;
    run_.clear();
  }

  const std::string_view pattern_;
  size_t at_ = 0;
  std::string run_;
  std::string longest_;
};

}  // namespace

std::string RequiredLiteral(std::string_view pattern) { return LiteralFinder(pattern).Find(); }

}  // namespace laminar
