#include "sql/lexer.h"

#include <array>
#include <cctype>
#include <optional>
#include <utility>

namespace laminar::sql {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHexDigit(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }
bool IsAsciiLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsAsciiSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
char ToUpper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

int HexValue(char c) { return IsDigit(c) ? c - '0' : ToUpper(c) - 'A' + 10; }

struct CodePoint {
  uint32_t value = 0;
  int bytes = 0;  ///< 0: not valid UTF-8
};

/// The code point that starts at text[pos]; strict (no overlong forms, no surrogates, ≤ U+10FFFF).
CodePoint DecodeUtf8(std::string_view text, size_t pos) {
  const auto first = static_cast<unsigned char>(text[pos]);
  if (first < 0x80) return {first, 1};
  const int bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (bytes == 0 || first > 0xF4 || pos + bytes > text.size()) return {};
  uint32_t value = first & (0xFF >> (bytes + 1));
  for (int i = 1; i < bytes; ++i) {
    const auto byte = static_cast<unsigned char>(text[pos + i]);
    if ((byte & 0xC0) != 0x80) return {};
    value = (value << 6) | (byte & 0x3F);
  }
  static constexpr std::array<uint32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kSmallest[bytes] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {};
  return {value, bytes};
}

void AppendUtf8(uint32_t value, std::string& out) {
  if (value < 0x80) {
    out.push_back(static_cast<char>(value));
  } else if (value < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (value >> 6)));
    out.push_back(static_cast<char>(0x80 | (value & 0x3F)));
  } else if (value < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | (value >> 12)));
    out.push_back(static_cast<char>(0x80 | ((value >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (value & 0x3F)));
  } else {
    out.push_back(static_cast<char>(0xF0 | (value >> 18)));
    out.push_back(static_cast<char>(0x80 | ((value >> 12) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | ((value >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (value & 0x3F)));
  }
}

/// Spaces that come in with text pasted from web pages and word processors; also the byte order mark.
bool IsUnicodeSpace(uint32_t c) {
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200B) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x2060 || c == 0x3000 || c == 0xFEFF;
}

/// What a look-alike should have been; null for characters that are no look-alike.
const char* PlainSpelling(uint32_t c) {
  switch (c) {
    case 0x2018:
    case 0x2019:
    case 0x201A:
    case 0x2032:
    case 0xB4:
      return "'";
    case 0x201C:
    case 0x201D:
    case 0x201E:
    case 0x2033:
    case 0xAB:
    case 0xBB:
      return "\"";
    case 0x2010:
    case 0x2011:
    case 0x2012:
    case 0x2013:
    case 0x2014:
    case 0x2212:
      return "-";
    case 0xD7:
      return "*";
    case 0xF7:
      return "/";
    case 0x2260:
      return "<>";
    case 0x2264:
      return "<=";
    case 0x2265:
      return ">=";
    case 0xFF08:
      return "(";
    case 0xFF09:
      return ")";
    case 0xFF0C:
      return ",";
    case 0xFF1B:
      return ";";
    default:
      return nullptr;
  }
}

/// Longest first, so that the first match is the right one.
constexpr std::array<std::string_view, 21> kLongSymbols = {"<=>", "->>", "#>>", "!~*", "<=", ">=", "<>",
                                                           "!=",  "==",  "=>",  "->",  "#>", "::", "||",
                                                           "<<",  ">>",  "@>",  "<@",  "!~", "~*", "&&"};
constexpr std::string_view kShortSymbols = "+-*/%=<>(),;.:[]{}~^&|#?@!";

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  TokenList Run() {
    while (SkipBlank()) LexOne();
    const auto end =
        out_.tokens.empty() ? 0 : out_.tokens.back().span.offset + out_.tokens.back().span.length;
    out_.tokens.push_back({TokenKind::kEnd, {end, 0}, "", -1});
    LinkBrackets();
    return std::move(out_);
  }

 private:
  char At(size_t i) const { return i < text_.size() ? text_[i] : '\0'; }

  void Push(TokenKind kind, size_t begin, std::string text) {
    out_.tokens.push_back(
        {kind, {static_cast<int64_t>(begin), static_cast<int64_t>(pos_ - begin)}, std::move(text), -1});
  }

  void PushError(size_t begin, size_t length, std::string message, std::string hint = "") {
    const SourceSpan span{static_cast<int64_t>(begin), static_cast<int64_t>(length)};
    UserError error(Reason::kSyntax, span, std::move(message));
    if (!hint.empty()) error.Hint(std::move(hint));
    out_.tokens.push_back({TokenKind::kError, span, "", static_cast<int64_t>(out_.errors.size())});
    out_.errors.push_back(std::move(error));
  }

  /// Moves to the next token; false at the end of the text.
  bool SkipBlank() {
    while (pos_ < text_.size()) {
      const char c = text_[pos_];
      if (IsAsciiSpace(c)) {
        ++pos_;
      } else if (c == '-' && At(pos_ + 1) == '-') {
        pos_ = std::min(text_.find('\n', pos_), text_.size());
      } else if (c == '/' && At(pos_ + 1) == '*') {
        SkipBlockComment();
      } else if (static_cast<unsigned char>(c) >= 0x80) {
        const CodePoint point = DecodeUtf8(text_, pos_);
        if (point.bytes == 0 || !IsUnicodeSpace(point.value)) return true;
        pos_ += point.bytes;
      } else {
        return true;
      }
    }
    return false;
  }

  /// Comments nest, as in PostgreSQL.
  void SkipBlockComment() {
    const size_t begin = pos_;
    bool nested = false;
    int64_t depth = 0;
    while (pos_ < text_.size()) {
      if (text_[pos_] == '/' && At(pos_ + 1) == '*') {
        nested = nested || depth > 0;
        ++depth;
        pos_ += 2;
      } else if (text_[pos_] == '*' && At(pos_ + 1) == '/') {
        pos_ += 2;
        if (--depth == 0) return;
      } else {
        ++pos_;
      }
    }
    PushError(begin, 2, "unclosed comment: no '*/' for this '/*'",
              nested ? "comments nest: each '/*' inside needs its own '*/'" : "");
  }

  void LexOne() {
    const char c = text_[pos_];
    if (c == '\'') return LexString(pos_, /*escapes=*/false);
    if ((c == 'e' || c == 'E') && At(pos_ + 1) == '\'') return LexString(pos_++, /*escapes=*/true);
    if ((c == 'x' || c == 'X') && At(pos_ + 1) == '\'') return LexBytes();
    if (c == '"' || c == '`') return LexQuotedName();
    if (IsDigit(c) || (c == '.' && IsDigit(At(pos_ + 1)))) return LexNumber();
    if (c == '$') return LexDollar();
    if (IsAsciiLetter(c)) return LexWord();
    if (static_cast<unsigned char>(c) >= 0x80) return LexNonAscii();
    LexSymbol();
  }

  /// Takes letters, digits, `_`, `$` and every character beyond ASCII that is no space or look-alike.
  void LexWord() {
    const size_t begin = pos_;
    std::string word;
    while (pos_ < text_.size()) {
      const char c = text_[pos_];
      if (IsAsciiLetter(c) || IsDigit(c) || c == '$') {
        word.push_back(ToUpper(c));
        ++pos_;
      } else if (static_cast<unsigned char>(c) >= 0x80) {
        const CodePoint point = DecodeUtf8(text_, pos_);
        if (point.bytes == 0 || IsUnicodeSpace(point.value) || PlainSpelling(point.value)) break;
        word.append(text_.substr(pos_, point.bytes));
        pos_ += point.bytes;
      } else {
        break;
      }
    }
    Push(TokenKind::kWord, begin, std::move(word));
  }

  void LexNonAscii() {
    const CodePoint point = DecodeUtf8(text_, pos_);
    if (point.bytes == 0) return LexBadByte();
    const char* plain = PlainSpelling(point.value);
    if (plain == nullptr) return LexWord();
    const std::string found(text_.substr(pos_, point.bytes));
    PushError(pos_, point.bytes, "unexpected character '" + found + "'",
              std::string("type ") + plain + " instead");
    pos_ += point.bytes;
  }

  void LexBadByte() {
    static constexpr std::string_view kDigits = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(text_[pos_]);
    const std::string hex = {kDigits[byte >> 4], kDigits[byte & 15]};
    const bool control = byte < 0x80;
    PushError(pos_, 1,
              control ? "unexpected control character 0x" + hex : "byte 0x" + hex + " is not valid UTF-8",
              control ? "" : "save the script as UTF-8");
    ++pos_;
  }

  void LexSymbol() {
    const size_t begin = pos_;
    for (std::string_view symbol : kLongSymbols) {
      if (text_.substr(pos_, symbol.size()) == symbol) {
        pos_ += symbol.size();
        return Push(TokenKind::kSymbol, begin, std::string(symbol));
      }
    }
    const char c = text_[pos_];
    if (kShortSymbols.find(c) != std::string_view::npos) {
      ++pos_;
      return Push(TokenKind::kSymbol, begin, std::string(1, c));
    }
    if (!std::isprint(static_cast<unsigned char>(c))) return LexBadByte();
    PushError(pos_++, 1, std::string("unexpected character '") + c + "'");
  }

  /// False (and an error) when `text` is not valid UTF-8; `begin` is where its token starts.
  bool CheckUtf8(const std::string& text, size_t begin) {
    for (size_t i = 0; i < text.size();) {
      const CodePoint point = DecodeUtf8(text, i);
      if (point.bytes == 0) {
        PushError(begin, pos_ - begin, "text is not valid UTF-8", "bytes are written X'0AFF'");
        return false;
      }
      i += point.bytes;
    }
    return true;
  }

  /// Reads 'x''y'; pos_ stands on the first quote. With `escapes` also backslash escapes.
  void LexString(size_t begin, bool escapes) {
    const size_t quote = pos_;
    if (auto text = ReadQuoted('\'', escapes)) {
      if (CheckUtf8(*text, begin)) Push(TokenKind::kString, begin, std::move(*text));
    } else {
      PushError(quote, 1, "unclosed string: no closing ' for this quote",
                "a quote inside a string is written ''");
    }
  }

  void LexQuotedName() {
    const size_t begin = pos_;
    const char quote = text_[pos_];
    auto text = ReadQuoted(quote, false);
    if (!text) {
      PushError(begin, 1, std::string("unclosed name: no closing ") + quote + " for this quote");
    } else if (text->empty()) {
      PushError(begin, 2, "empty quoted name", quote == '"' ? "an empty string is written ''" : "");
    } else if (CheckUtf8(*text, begin)) {
      Push(TokenKind::kQuotedName, begin, std::move(*text));
    }
  }

  /// What stands between the quotes, doubled quotes made single; nullopt when there is no closing quote.
  std::optional<std::string> ReadQuoted(char quote, bool escapes) {
    std::string text;
    ++pos_;
    while (pos_ < text_.size()) {
      const char c = text_[pos_];
      if (c == quote) {
        if (At(pos_ + 1) != quote) {
          ++pos_;
          return text;
        }
        text.push_back(quote);
        pos_ += 2;
      } else if (escapes && c == '\\' && pos_ + 1 < text_.size()) {
        ReadEscape(text);
      } else {
        text.push_back(c);
        ++pos_;
      }
    }
    return std::nullopt;
  }

  void ReadEscape(std::string& text) {
    const char c = text_[pos_ + 1];
    pos_ += 2;
    switch (c) {
      case 'n':
        text.push_back('\n');
        return;
      case 't':
        text.push_back('\t');
        return;
      case 'r':
        text.push_back('\r');
        return;
      case 'b':
        text.push_back('\b');
        return;
      case 'f':
        text.push_back('\f');
        return;
      case 'x':
        AppendUtf8(ReadHex(2), text);
        return;
      case 'u':
        AppendUtf8(ReadHex(4), text);
        return;
      case 'U':
        AppendUtf8(ReadHex(8), text);
        return;
      default:
        text.push_back(c);  // \\ and \' and, as PostgreSQL, any other character for itself
    }
  }

  uint32_t ReadHex(int digits_max) {
    uint32_t value = 0;
    for (int i = 0; i < digits_max && IsHexDigit(At(pos_)); ++i) value = value * 16 + HexValue(text_[pos_++]);
    return value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF) ? 0xFFFD : value;
  }

  void LexBytes() {
    const size_t begin = pos_++;
    auto digits = ReadQuoted('\'', false);
    if (!digits) return PushError(begin + 1, 1, "unclosed string: no closing ' for this quote");
    std::string bytes;
    for (size_t i = 0; i + 1 < digits->size(); i += 2) {
      if (!IsHexDigit((*digits)[i]) || !IsHexDigit((*digits)[i + 1])) break;
      bytes.push_back(static_cast<char>(HexValue((*digits)[i]) * 16 + HexValue((*digits)[i + 1])));
    }
    if (bytes.size() * 2 != digits->size()) {
      return PushError(begin, pos_ - begin,
                       "a binary literal takes an even number of hexadecimal digits, such as X'0AFF'");
    }
    Push(TokenKind::kBytes, begin, std::move(bytes));
  }

  /// 1, 1.5, .5, 1., 1e3, 1_000, 0x1F.
  void LexNumber() {
    const size_t begin = pos_;
    if (text_[pos_] == '0' && ToUpper(At(pos_ + 1)) == 'X' && IsHexDigit(At(pos_ + 2))) return LexHexNumber();
    std::string number;
    TakeDigits(number);
    if (At(pos_) == '.' && At(pos_ + 1) != '.') {
      number.push_back(text_[pos_++]);
      if (IsDigit(At(pos_))) TakeDigits(number);
    }
    const size_t sign = At(pos_ + 1) == '+' || At(pos_ + 1) == '-' ? 1 : 0;
    if (ToUpper(At(pos_)) == 'E' && IsDigit(At(pos_ + 1 + sign))) {
      number.append(text_.substr(pos_, 1 + sign));
      pos_ += 1 + sign;
      TakeDigits(number);
    }
    FinishNumber(begin, std::move(number));
  }

  /// Digits with single `_` between them.
  void TakeDigits(std::string& number) {
    while (IsDigit(At(pos_)) || (At(pos_) == '_' && IsDigit(At(pos_ + 1)))) {
      if (text_[pos_] != '_') number.push_back(text_[pos_]);
      ++pos_;
    }
  }

  void LexHexNumber() {
    const size_t begin = pos_;
    pos_ += 2;
    uint64_t value = 0;
    bool overflow = false;
    while (IsHexDigit(At(pos_)) || (At(pos_) == '_' && IsHexDigit(At(pos_ + 1)))) {
      if (text_[pos_] != '_') {
        overflow = overflow || value >> 60 != 0;
        value = value * 16 + HexValue(text_[pos_]);
      }
      ++pos_;
    }
    if (overflow) {
      return PushError(
          begin, pos_ - begin,
          "hexadecimal number " + std::string(text_.substr(begin, 24)) + " does not fit 64 bits");
    }
    FinishNumber(begin, std::to_string(value));
  }

  /// A number must not run into a word: `1st` is neither.
  void FinishNumber(size_t begin, std::string number) {
    if (!IsAsciiLetter(At(pos_))) return Push(TokenKind::kNumber, begin, std::move(number));
    while (IsAsciiLetter(At(pos_)) || IsDigit(At(pos_))) ++pos_;
    const std::string found(text_.substr(begin, std::min<size_t>(pos_ - begin, 40)));
    PushError(begin, pos_ - begin, "'" + found + "' is neither a number nor a name",
              "a name that starts with a digit is written in double quotes: \"" + found + "\"");
  }

  /// $$…$$ and $tag$…$tag$.
  void LexDollar() {
    const size_t begin = pos_;
    size_t end = pos_ + 1;
    while (IsAsciiLetter(At(end)) || (end > begin + 1 && IsDigit(At(end)))) ++end;
    if (At(end) != '$') {
      ++pos_;
      return PushError(begin, 1, "unexpected character '$'", "parameters such as $1 are not supported");
    }
    const std::string_view tag = text_.substr(begin, end + 1 - begin);
    const size_t close = text_.find(tag, end + 1);
    if (close == std::string_view::npos) {
      pos_ = text_.size();
      return PushError(begin, tag.size(), "unclosed string: no closing " + std::string(tag.substr(0, 40)));
    }
    std::string body(text_.substr(end + 1, close - end - 1));
    pos_ = close + tag.size();
    if (CheckUtf8(body, begin)) Push(TokenKind::kDollarString, begin, std::move(body));
  }

  /// Fills `link` of brackets. A statement's end closes nothing but starts afresh.
  void LinkBrackets() {
    std::vector<int64_t> open;
    for (size_t i = 0; i < out_.tokens.size(); ++i) {
      Token& token = out_.tokens[i];
      if (token.kind != TokenKind::kSymbol) continue;
      if (token.text == ";") {
        open.clear();
      } else if (token.text == "(" || token.text == "[" || token.text == "{") {
        open.push_back(static_cast<int64_t>(i));
      } else if (token.text == ")" || token.text == "]" || token.text == "}") {
        LinkClosing(open, static_cast<int64_t>(i));
      }
    }
  }

  void LinkClosing(std::vector<int64_t>& open, int64_t closing) {
    Token& close = out_.tokens[closing];
    const char wanted = close.text == ")" ? '(' : close.text == "]" ? '[' : '{';
    if (open.empty() || out_.tokens[open.back()].text[0] != wanted) return;
    out_.tokens[open.back()].link = closing;
    close.link = open.back();
    open.pop_back();
  }

  std::string_view text_;
  size_t pos_ = 0;
  TokenList out_;
};

}  // namespace

TokenList Tokenize(std::string_view text) { return Lexer(text).Run(); }

}  // namespace laminar::sql
