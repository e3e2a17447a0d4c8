#include "sql/parser.h"

#include <algorithm>

#include "sql/parser_internal.h"
#include "sql/parser_words.h"

namespace laminar::sql {
namespace {

constexpr int kNestingMax = 200;  // levels of recursion; keeps the stack small whatever the input
constexpr int kHeightMax = 1000;  // levels of a tree, chains such as a + b + c … included
constexpr size_t kErrorsMax = 100;
constexpr size_t kFoundCharactersMax = 30;
constexpr size_t kExpectedListMax = 6;

bool IsWord(std::string_view what) { return !what.empty() && what[0] >= 'A' && what[0] <= 'Z'; }

/// Left out of lists that are too long: what a user hardly meant.
bool IsRareExpectation(std::string_view what) {
  static constexpr std::string_view kRare[] = {"NATURAL", "INNER",  "CROSS",  "RIGHT",     "FULL",   "WINDOW",
                                               "QUALIFY", "HAVING", "EXCEPT", "INTERSECT", "OFFSET", "TEMP",
                                               "OR",      "FETCH",  ".",      "ENFORCED"};
  return std::find(std::begin(kRare), std::end(kRare), what) != std::end(kRare);
}

/// Reserved words that one might take for a column's name, unlike AND or FROM.
bool IsTemptingName(std::string_view word) {
  static constexpr std::string_view kTempting[] = {"ALL",   "CASE", "CREATE", "FULL",  "GROUP",
                                                   "INNER", "LEFT", "LIMIT",  "ORDER", "RIGHT"};
  return std::find(std::begin(kTempting), std::end(kTempting), word) != std::end(kTempting);
}

/// A keyword as it is, a symbol in quotes, a description ("a name") as it is.
std::string QuoteExpected(std::string_view what) {
  if (what == ";") return "the end of the statement";
  const bool symbol = !IsWord(what) && !(what[0] >= 'a' && what[0] <= 'z');
  return symbol ? "'" + std::string(what) + "'" : std::string(what);
}

std::string Shorten(std::string text) {
  if (text.size() <= kFoundCharactersMax) return text;
  size_t end = kFoundCharactersMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not inside a character
  return text.substr(0, end) + "…";
}

}  // namespace

// ---- entry points
// -----------------------------------------------------------------------------------------------

ParsedScript ParseScript(std::string_view text) { return Parser(text).ParseScript(); }

ExprPtr ParseExpression(std::string_view text) { return Parser(text).ParseLoneExpression(); }

ParsedScript Parser::ParseScript() {
  ParsedScript script;
  while (true) {
    while (At(";")) Advance();
    if (Peek().kind == TokenKind::kEnd) return script;
    depth_ = deepest_ = 0;
    open_.clear();
    const size_t start = pos_;
    try {
      Statement statement = ParseStatement();
      if (!AtStatementEnd()) {
        NoteExpected(";");
        Fail();
      }
      script.statements.push_back(std::move(statement));
    } catch (UserError& error) {
      script.errors.push_back(std::move(error));
      if (std::string name = DeclaredName(start); !name.empty()) script.unparsed_names.push_back(name);
      if (script.errors.size() >= kErrorsMax) return script;
      SkipStatement(script.errors.back());
    }
  }
}

ExprPtr Parser::ParseLoneExpression() {
  ExprPtr expr = ParseExpr();
  if (Peek().kind != TokenKind::kEnd) Fail("the end of the expression");
  return expr;
}

/// What the CREATE TABLE, VIEW or FUNCTION whose first token is `start` declares; empty: another statement.
std::string Parser::DeclaredName(size_t start) const {
  static constexpr std::string_view kBeforeName[] = {"OR",   "REPLACE",  "TEMPORARY", "TEMP", "TABLE",
                                                     "VIEW", "FUNCTION", "IF",        "NOT",  "EXISTS"};
  const auto& tokens = list_.tokens;
  auto is_word = [&](size_t at) { return at < tokens.size() && tokens[at].kind == TokenKind::kWord; };
  if (!is_word(start) || tokens[start].text != "CREATE") return "";
  bool declares = false;
  size_t at = start + 1;
  for (; is_word(at) &&
         std::find(std::begin(kBeforeName), std::end(kBeforeName), tokens[at].text) != std::end(kBeforeName);
       ++at) {
    const std::string& word = tokens[at].text;
    declares = declares || word == "TABLE" || word == "VIEW" || word == "FUNCTION";
  }
  const bool name = is_word(at) || (at < tokens.size() && tokens[at].kind == TokenKind::kQuotedName);
  return declares && name ? Written(tokens[at]) : "";
}

/// Goes on behind the statement. A quote that is not closed there may be why it failed earlier: quotes pair
/// up wrongly.
void Parser::SkipStatement(UserError& error) {
  for (; !AtStatementEnd(); Advance()) {
    const bool unclosed = Peek().kind == TokenKind::kError &&
                          list_.errors[static_cast<size_t>(Peek().link)].message().rfind("unclosed", 0) == 0;
    if (unclosed && Peek().span.offset != error.span().offset) {
      error.Hint("a quote is missing somewhere: the last one of this statement is not closed");
    }
  }
}

// ---- tokens
// -----------------------------------------------------------------------------------------------------

const Token& Parser::Peek(size_t ahead) const {
  return list_.tokens[std::min(pos_ + ahead, list_.tokens.size() - 1)];
}

bool Parser::At(std::string_view what, size_t ahead) const {
  const Token& token = Peek(ahead);
  return token.kind == (IsWord(what) ? TokenKind::kWord : TokenKind::kSymbol) && token.text == what;
}

bool Parser::AtAny(std::initializer_list<std::string_view> words, size_t ahead) const {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return At(word, ahead); });
}

bool Parser::AtName(size_t ahead) const {
  const Token& token = Peek(ahead);
  return token.kind == TokenKind::kQuotedName ||
         (token.kind == TokenKind::kWord && !IsReservedWord(token.text));
}

bool Parser::AtAnyName(size_t ahead) const {
  const Token& token = Peek(ahead);
  return token.kind == TokenKind::kQuotedName || token.kind == TokenKind::kWord;
}

bool Parser::AtStatementEnd(size_t ahead) const {
  return Peek(ahead).kind == TokenKind::kEnd || At(";", ahead);
}

size_t Parser::PartnerOffset(size_t ahead) const {
  const int64_t link = Peek(ahead).link;
  return link < 0 || Peek(ahead).kind != TokenKind::kSymbol ? 0 : static_cast<size_t>(link) + 1 - pos_;
}

bool Parser::AtQuery(size_t ahead) const {
  size_t inner = ahead;
  while (At("(", inner) && inner < ahead + kNestingMax) ++inner;
  if (!AtAny({"SELECT", "WITH"}, inner) && !(At("VALUES", inner) && At("(", inner + 1))) return false;
  // ((SELECT 1) + 2) and ((SELECT 1) t JOIN u) start like a query and are none: what follows each bracket
  // tells.
  while (inner-- > ahead) {
    const size_t behind = PartnerOffset(inner);
    if (behind == 0) return true;  // not closed: an error either way
    if (!AtAny({"UNION", "INTERSECT", "EXCEPT", "ORDER", "LIMIT", "OFFSET", "FETCH", ")"}, behind) &&
        !AtStatementEnd(behind)) {
      return false;
    }
  }
  return true;
}

void Parser::Advance() {
  const Token& token = Peek();
  last_end_ = token.span.offset + token.span.length;
  if (pos_ + 1 < list_.tokens.size()) ++pos_;
}

void Parser::NoteExpected(std::string_view what) {
  if (expected_pos_ != pos_) {
    expected_.clear();
    expected_pos_ = pos_;
  }
  if (std::find(expected_.begin(), expected_.end(), what) == expected_.end()) expected_.push_back(what);
}

bool Parser::Take(std::string_view what) {
  if (At(what)) {
    Advance();
    return true;
  }
  if (what != ".") NoteExpected(what);  // a name could always go on: not worth saying
  return false;
}

bool Parser::Take(std::string_view first, std::string_view second) {
  if (At(first) && At(second, 1)) {
    Advance();
    Advance();
    return true;
  }
  NoteExpected(first);
  return false;
}

void Parser::Expect(std::string_view what) {
  if (!Take(what)) Fail();
}

void Parser::Open(std::string_view bracket) {
  Expect(bracket);
  open_.push_back(pos_ - 1);
}

bool Parser::TakeOpen(std::string_view bracket) {
  if (!Take(bracket)) return false;
  open_.push_back(pos_ - 1);
  return true;
}

void Parser::Close(std::string_view bracket) {
  Expect(bracket);
  open_.pop_back();
}

std::string Parser::Written(const Token& token) const {
  if (token.kind == TokenKind::kQuotedName) return token.text;
  return std::string(text_.substr(token.span.offset, token.span.length));
}

Identifier Parser::ParseName(std::string_view what) {
  if (!AtName()) Fail(what);
  return ParseAnyName(what);
}

Identifier Parser::ParseAnyName(std::string_view what) {
  if (!AtAnyName()) Fail(what);
  const Token& token = Peek();
  Identifier name{Written(token), token.kind == TokenKind::kQuotedName, token.span};
  Advance();
  return name;
}

std::vector<Identifier> Parser::ParseNameList() {
  std::vector<Identifier> names;
  Open("(");
  ParseList([&] { names.push_back(ParseName("a column name")); });
  Close(")");
  return names;
}

std::string Parser::ParseString(std::string_view what) {
  if (Peek().kind != TokenKind::kString) Fail(what);
  std::string text = Peek().text;
  Advance();
  return text;
}

std::optional<Identifier> Parser::TakeAlias() {
  if (Take("AS")) {
    // Reserved words too where nothing else can be meant: SELECT a AS order FROM t.
    const bool is_alias = AtName() || (AtAnyName() && (AtAny({",", ")", "FROM"}, 1) || AtStatementEnd(1)));
    if (!is_alias) Fail("an alias");
    return ParseAnyName("an alias");
  }
  if (!AtName() || AtClauseWord()) return std::nullopt;
  if (Peek().kind == TokenKind::kWord) alias_pos_ = pos_;
  return ParseAnyName("an alias");
}

/// Words that begin what may follow a select item or a table, although they are not reserved.
bool Parser::AtClauseWord() const {
  if (Peek().kind != TokenKind::kWord) return false;
  return IsAliasStop(Peek().text) || AtWindowClause() || AtJoin() ||
         (At("FETCH") && AtAny({"FIRST", "NEXT"}, 1)) ||
         (At("OFFSET") && (Peek(1).kind == TokenKind::kNumber || At("(", 1)));
}

int Parser::ParseSmallNumber(std::string_view what, int max) {
  const Token& token = Peek();
  if (token.kind != TokenKind::kNumber) Fail(what);
  const bool whole = token.text.find_first_not_of("0123456789") == std::string::npos;
  if (!whole || token.text.size() > 9 || std::stoi(token.text) > max) {
    FailAt(token.span, std::string(what) + " must be a whole number up to " + std::to_string(max) + ", not " +
                           Shorten(token.text));
  }
  const int value = std::stoi(token.text);
  Advance();
  return value;
}

// ---- bounds
// -----------------------------------------------------------------------------------------------------

Parser::Nesting::Nesting(Parser& parser) : parser_(parser) {
  if (parser.depth_ >= kNestingMax) {
    parser.FailAt(parser.Peek().span, "nested deeper than " + std::to_string(kNestingMax) + " levels");
  }
  ++parser.depth_;
  parser.deepest_ = std::max(parser.deepest_, parser.depth_);
}

void Parser::LowerTree() {
  if (++deepest_ > kHeightMax) {
    FailAt(Peek().span,
           "more than " + std::to_string(kHeightMax) + " operators, joins or set operations in one chain",
           "split it up with a view or a subquery");
  }
}

// ---- errors
// -----------------------------------------------------------------------------------------------------

void Parser::FailAt(SourceSpan span, std::string message, std::string hint) {
  UserError error(Reason::kSyntax, span, std::move(message));
  if (!hint.empty()) error.Hint(std::move(hint));
  throw error;
}

void Parser::Unsupported(SourceSpan span, std::string message, std::string hint) {
  UserError error(Reason::kUnsupported, span, std::move(message));
  if (!hint.empty()) error.Hint(std::move(hint));
  throw error;
}

void Parser::Fail(std::string_view expected) {
  if (expected_pos_ != pos_) expected_.clear();
  expected_pos_ = pos_;
  ThrowLexicalError(Peek());
  ThrowUnclosedBracket();
  ThrowMisspeltAlias();
  const std::string list = DescribeExpected(expected);
  FailAt(Peek().span,
         list.empty() ? "unexpected " + DescribeToken() : "expected " + list + ", found " + DescribeToken(),
         GuessHint(expected));
}

/// The lexer's own error says more than "unexpected" would.
void Parser::ThrowLexicalError(const Token& token) {
  if (token.kind == TokenKind::kError) throw list_.errors[static_cast<size_t>(token.link)];
}

/// A bracket without partner is the likelier culprit than the place where that is noticed.
void Parser::ThrowUnclosedBracket() {
  if (open_.empty()) return;
  const Token& bracket = list_.tokens[open_.back()];
  if (bracket.link >= 0) return;
  const std::string close = bracket.text == "(" ? ")" : bracket.text == "[" ? "]" : "}";
  const bool close_fits = std::find(expected_.begin(), expected_.end(), close) != expected_.end();
  if (!AtStatementEnd() && !close_fits) return;
  FailAt(bracket.span, "unclosed '" + bracket.text + "'",
         AtStatementEnd() ? "no '" + close + "' follows before the end of the statement"
                          : "a '" + close + "' is missing before " + DescribeToken());
}

std::string Parser::DescribeToken() const {
  const Token& token = Peek();
  switch (token.kind) {
    case TokenKind::kEnd:
      return "the end of the script";
    case TokenKind::kWord:
      return IsReservedWord(token.text) ? token.text : "'" + Shorten(Written(token)) + "'";
    case TokenKind::kQuotedName:
      return "name \"" + Shorten(token.text) + "\"";
    case TokenKind::kString:
      return "string '" + Shorten(token.text) + "'";
    case TokenKind::kBytes:
      return "a binary literal";
    case TokenKind::kNumber:
      return "number " + Shorten(token.text);
    case TokenKind::kDollarString:
      return "a $$ string";
    default:
      return "'" + token.text + "'";
  }
}

/// Symbols before keywords: where a list goes on is the likelier wish.
std::string Parser::DescribeExpected(std::string_view expected) const {
  std::vector<std::string> items;
  if (!expected.empty()) items.push_back(QuoteExpected(expected));
  if (expected == "an expression" || expected == "an option value")
    return items[0];  // whatever else may stand there is beside the point
  const bool many = expected_.size() > kExpectedListMax;
  for (const bool words : {false, true}) {
    for (std::string_view what : expected_) {
      if (IsWord(what) == words && what != expected && !(many && IsRareExpectation(what)))
        items.push_back(QuoteExpected(what));
    }
  }
  const bool cut = items.size() > kExpectedListMax;
  if (cut) items.resize(kExpectedListMax);
  std::string out;
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += i + 1 == items.size() && !cut ? " or " : ", ";
    out += items[i];
  }
  return cut ? out + " …" : out;
}

std::string Parser::GuessHint(std::string_view expected) const {
  if (std::string hint = SymbolHint(); !hint.empty()) return hint;
  const Token& token = Peek();
  const bool reserved = token.kind == TokenKind::kWord && IsReservedWord(token.text);
  if (!reserved) {
    if (const std::string nearest = NearestKeyword(pos_); !nearest.empty())
      return "did you mean " + nearest + "?";
  }
  const bool behind_comma =
      pos_ > 0 && list_.tokens[pos_ - 1].kind == TokenKind::kSymbol && list_.tokens[pos_ - 1].text == ",";
  const bool as_name = AtAny({",", ")", ".", "=", "FROM", "AS"}, 1) || AtStatementEnd(1);
  if (reserved &&
      (expected.find("name") != std::string_view::npos || (IsTemptingName(token.text) && as_name))) {
    return token.text + " is a keyword; write \"" + Written(token) + "\" to use it as a name";
  }
  if (behind_comma && (reserved || AtStatementEnd() || At(")") || At("]")))
    return "remove the ',' before " + DescribeToken();
  if (expected == "an option value") return "a value is 'text', a number, true or false, or an interval";
  const bool comma_fits = std::find(expected_.begin(), expected_.end(), ",") != expected_.end();
  const bool starts_item =
      (AtName() && !AtClauseWord()) || token.kind == TokenKind::kString || token.kind == TokenKind::kNumber;
  return comma_fits && starts_item ? "is a ',' missing before " + DescribeToken() + "?" : "";
}

/// The keyword that the word at `index` may have been meant to be, of those that would have fitted; "" when
/// none is near.
std::string Parser::NearestKeyword(size_t index) const {
  const Token& token = list_.tokens[index];
  if (token.kind != TokenKind::kWord || token.text.size() < 2 || token.text.size() > 24) return "";
  std::vector<std::string> keywords;
  for (std::string_view what : expected_) {
    if (IsWord(what)) keywords.emplace_back(what);
  }
  if (operator_pos_ == index) keywords.insert(keywords.end(), {"AND", "NOT", "LIKE", "ILIKE", "BETWEEN"});
  const std::string nearest = NearestName(token.text, keywords);
  return nearest == token.text ? "" : nearest;
}

/// FORM in `SELECT a FORM t` was read as an alias; the error is noticed at `t`, but belongs to FORM.
void Parser::ThrowMisspeltAlias() {
  if (pos_ == 0 || alias_pos_ != pos_ - 1) return;
  const std::string nearest = NearestKeyword(alias_pos_);
  if (nearest.empty()) return;
  const Token& token = list_.tokens[alias_pos_];
  FailAt(token.span, "expected " + nearest + ", found '" + Shorten(Written(token)) + "'",
         "did you mean " + nearest + "?");
}

/// Operators of other languages and dialects.
std::string Parser::SymbolHint() const {
  if (At("NOT") && At("NULL", 1)) return "write IS NOT NULL";
  if (AtAny({"RLIKE", "REGEXP", "GLOB"})) return "a regular expression is matched by ~";
  if (Peek().kind != TokenKind::kSymbol) return "";
  if (AtAny({")", "]", "}"}) && Peek().link < 0) return "no opening bracket goes with it";
  static constexpr std::pair<std::string_view, std::string_view> kHints[] = {
      {"=>", "greater or equal is written >="},
      {"&&", "write AND"},
      {"!", "write NOT, or <> for unequal"},
      {"@", "variables are not supported"},
  };
  for (const auto& [symbol, hint] : kHints) {
    if (At(symbol)) return std::string(hint);
  }
  return "";
}

}  // namespace laminar::sql
