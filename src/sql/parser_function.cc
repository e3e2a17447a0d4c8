#include <algorithm>
#include <cctype>

#include "base/name.h"
#include "sql/parser_internal.h"
#include "sql/parser_interval.h"
#include "sql/parser_words.h"

/// Function calls, the special argument syntaxes that become plain calls, and OVER.

namespace laminar::sql {
namespace {

bool IsJsonBuilder(std::string_view word) {
  return word == "JSON_OBJECT" || word == "JSON_ARRAY" || word == "JSON_OBJECTAGG" ||
         word == "JSON_OBJECT_AGG" || word == "JSON_ARRAYAGG";
}
bool IsJsonReader(std::string_view word) {
  return word == "JSON_VALUE" || word == "JSON_QUERY" || word == "JSON_EXISTS";
}

}  // namespace

ExprPtr Parser::ParseCall(std::vector<Identifier> names, int64_t begin) {
  ExprPtr call = Make(ExprKind::kFunction);
  call->names = std::move(names);
  Open("(");
  ParseSpecialArguments(*call);
  Close(")");
  ParseCallSuffixes(*call);
  return Finish(std::move(call), begin);
}

/// What stands between the brackets; picks the grammar by the function's name.
void Parser::ParseSpecialArguments(Expr& call) {
  const Identifier& name = call.names.back();
  std::string word;
  if (call.names.size() == 1 && !name.quoted) {
    for (char c : name.text) word.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  }
  if (word == "EXTRACT") return ParseExtractArguments(call);
  if (word == "TRIM") return ParseTrimArguments(call);
  if (word == "SUBSTRING") return ParseSubstringArguments(call);
  if (word == "POSITION") return ParsePositionArguments(call);
  if (word == "OVERLAY") return ParseOverlayArguments(call);
  if (word == "FLOOR" || word == "CEIL" || word == "CEILING") return ParseRoundToArguments(call);
  if (word == "TIMESTAMPADD" || word == "TIMESTAMPDIFF" || word == "DATE_DIFF" || word == "DATEDIFF")
    return ParseUnitArguments(call);
  if (IsJsonBuilder(word) || IsJsonReader(word)) return ParseJsonArguments(call, IsJsonBuilder(word));
  ParseArguments(call);
}

void Parser::ParseArguments(Expr& call) {
  if (At(")")) return;
  if (At("*") && At(")", 1)) {
    const int64_t begin = Begin();
    Advance();
    call.args.push_back(Finish(Make(ExprKind::kStar), begin));
    return;
  }
  if (AtAny({"DISTINCT", "ALL"})) {
    call.distinct = At("DISTINCT");
    Advance();
  }
  if (AtAny({"SELECT", "WITH"})) {
    Unsupported(Peek().span, call.names.back().text + "(SELECT …) is not supported",
                "a subquery as an argument stands in its own brackets");
  }
  call.args.push_back(ParseArgument(false));
  ParseMoreArguments(call);
}

/// The rest of a plain argument list, when the first arguments have been read.
void Parser::ParseMoreArguments(Expr& call) {
  while (Take(",")) call.args.push_back(ParseArgument(false));
  ParseArgumentTail(call);
}

/// One argument. JSON builders also take `KEY k VALUE v`, `k VALUE v` and `k: v`.
ExprPtr Parser::ParseArgument(bool json) {
  const int64_t begin = Begin();
  if (AtAnyName() && At("=>", 1))
    Unsupported(Peek().span, "named arguments are not supported here", "give the arguments by position");
  if (!json) return ParseExpr();
  // KEY is a keyword only where a key follows: JSON_OBJECT(key VALUE 1) names a column, also in (key VALUE
  // value).
  const bool value_is_key = At("VALUE", 2) && !AtAny({",", ")"}, 3);
  const bool key_follows =
      At("(", 1) || (Peek(1).kind != TokenKind::kSymbol && (!At("VALUE", 1) || value_is_key));
  const bool key = At("KEY") && key_follows;
  if (key) Advance();
  ExprPtr first = ParseExpr();
  if (!Take(":") && !Take("VALUE")) {
    if (key) Fail();
    return first;
  }
  ExprPtr pair = Make(ExprKind::kNamedArg);
  pair->args.push_back(std::move(first));
  pair->args.push_back(ParseExpr());
  return Finish(std::move(pair), begin);
}

/// ORDER BY …, SEPARATOR ',' and IGNORE NULLS inside the brackets.
void Parser::ParseArgumentTail(Expr& call) {
  if (Take("ORDER")) call.order_by = ParseOrderBy();
  if (At("SEPARATOR")) {
    Advance();
    const int64_t begin = Begin();
    std::string separator = ParseString("a separator in quotes");
    call.args.push_back(MakeString(std::move(separator), Since(begin)));
  }
  TakeNullTreatment(call);
  if (At("LIMIT")) Unsupported(Peek().span, "LIMIT inside a function call is not supported");
}

bool Parser::TakeNullTreatment(Expr& call) {
  if (!AtAny({"IGNORE", "RESPECT"}) || !At("NULLS", 1)) return false;
  call.ignore_nulls = At("IGNORE");
  Advance();
  Advance();
  return true;
}

/// WITHIN GROUP, FILTER, IGNORE NULLS and OVER behind the closing bracket.
void Parser::ParseCallSuffixes(Expr& call) {
  while (true) {
    if (At("WITHIN") && At("GROUP", 1)) {
      Advance();
      Advance();
      Open("(");
      Expect("ORDER");
      call.order_by = ParseOrderBy();
      call.within_group = true;
      Close(")");
    } else if (At("FILTER") && At("(", 1)) {
      Advance();
      Open("(");
      Take("WHERE");
      call.filter = ParseExpr();
      Close(")");
    } else if (At("OVER") && (At("(", 1) || AtName(1))) {
      Advance();
      call.over = ParseOver();
    } else if (!TakeNullTreatment(call)) {
      return;
    }
  }
}

// ---- special argument syntaxes
// ----------------------------------------------------------------------------------

/// EXTRACT(f FROM x) → date_part('f', x).
void Parser::ParseExtractArguments(Expr& call) {
  const Token& field = Peek();
  if ((field.kind != TokenKind::kWord && field.kind != TokenKind::kString) || !At("FROM", 1))
    return ParseArguments(call);
  call.names[0].text = "date_part";
  call.args.push_back(MakeString(FoldName(field.text), field.span));
  Advance();
  Expect("FROM");
  call.args.push_back(ParseExpr());
}

/// TRIM([BOTH|LEADING|TRAILING] [c] FROM s) → btrim, ltrim, rtrim(s, c). TRIM(s) stays.
void Parser::ParseTrimArguments(Expr& call) {
  const bool side = AtAny({"BOTH", "LEADING", "TRAILING"}) && !AtAny({",", ")", ".", "||", "::", "["}, 1);
  const std::string name = !side || At("BOTH") ? "btrim" : At("LEADING") ? "ltrim" : "rtrim";
  if (side) Advance();
  ExprPtr characters = At("FROM") ? nullptr : ParseExpr();
  if (!side && !At("FROM")) {
    call.args.push_back(std::move(characters));
    return ParseMoreArguments(call);
  }
  call.names[0].text = name;
  if (characters != nullptr && side && At(")")) {  // TRIM(LEADING s)
    call.args.push_back(std::move(characters));
    return;
  }
  Expect("FROM");
  call.args.push_back(ParseExpr());
  if (characters != nullptr) call.args.push_back(std::move(characters));
}

/// SUBSTRING(s FROM a [FOR b]) and (s FOR b) → substring(s, a, b).
void Parser::ParseSubstringArguments(Expr& call) {
  call.args.push_back(ParseExpr());
  if (!At("FROM") && !At("FOR")) {
    if (At("SIMILAR"))
      Unsupported(Peek().span, "SUBSTRING(… SIMILAR …) is not supported", "use regexp_extract");
    return ParseMoreArguments(call);
  }
  const int64_t begin = Begin();
  if (Take("FROM")) {
    call.args.push_back(ParseExpr());
  } else {
    ExprPtr first = Make(ExprKind::kNumber);
    first->text = "1";
    first->span = {begin, 0};
    call.args.push_back(std::move(first));
  }
  if (Take("FOR")) call.args.push_back(ParseExpr());
}

/// POSITION(a IN s) → strpos(s, a).
void Parser::ParsePositionArguments(Expr& call) {
  const Nesting nesting(*this);
  ExprPtr wanted = ParseExprAt(kLevelRange + 1);  // so that IN is left standing
  if (!At("IN")) {
    call.args.push_back(std::move(wanted));
    return ParseMoreArguments(call);
  }
  Advance();
  call.names[0].text = "strpos";
  call.args.push_back(ParseExpr());
  call.args.push_back(std::move(wanted));
}

/// OVERLAY(s PLACING r FROM a [FOR b]) → overlay(s, r, a, b).
void Parser::ParseOverlayArguments(Expr& call) {
  call.args.push_back(ParseExpr());
  if (!At("PLACING")) return ParseMoreArguments(call);
  Advance();
  call.args.push_back(ParseExpr());
  Expect("FROM");
  call.args.push_back(ParseExpr());
  if (Take("FOR")) call.args.push_back(ParseExpr());
}

/// FLOOR(x TO f) → floor_to(x, 'f').
void Parser::ParseRoundToArguments(Expr& call) {
  if (At(")")) return;
  call.args.push_back(ParseExpr());
  if (!At("TO")) return ParseMoreArguments(call);
  Advance();
  if (Peek().kind != TokenKind::kWord) Fail("a unit such as HOUR");
  call.names[0].text =
      std::tolower(static_cast<unsigned char>(call.names[0].text[0])) == 'f' ? "floor_to" : "ceil_to";
  call.args.push_back(MakeString(FoldName(Peek().text), Peek().span));
  Advance();
}

/// TIMESTAMPADD(DAY, 1, x): the unit becomes a string. DATE_DIFF also comes without a unit, as DATEDIFF(a,
/// b).
void Parser::ParseUnitArguments(Expr& call) {
  const bool word = Peek().kind == TokenKind::kWord && At(",", 1);
  std::string unit = word ? FoldName(Peek().text) : "";
  if (unit.rfind("sql_tsi_", 0) == 0) unit.erase(0, 8);
  ParseArguments(call);
  if (word && call.args.size() == 3 && ParseIntervalUnit(unit)) {
    call.args[0] = MakeString(std::move(unit), call.args[0]->span);
  }
}

// ---- JSON
// ---------------------------------------------------------------------------------------------------------

void Parser::ParseJsonArguments(Expr& call, bool builder) {
  if (!At(")") && !(AtAny({"NULL", "ABSENT"}) && At("ON", 1)) &&
      !(At("RETURNING") && !AtAny({",", ")"}, 1))) {
    ParseList([&] { call.args.push_back(ParseArgument(builder)); });
  }
  ParseJsonClauses(call);
  ParseArgumentTail(call);
}

void Parser::ParseJsonClauses(Expr& call) {
  while (TakeJsonClause(call)) {
  }
}

bool Parser::TakeJsonClause(Expr& call) {
  auto clauses = [&call]() -> Expr::JsonClauses& {
    if (!call.json) call.json = std::make_unique<Expr::JsonClauses>();
    return *call.json;
  };
  if (AtAny({"NULL", "ABSENT"}) && At("ON", 1) && At("NULL", 2)) {
    clauses().absent_on_null = At("ABSENT");
    Advance();
    Advance();
    Advance();
    return true;
  }
  if (Take("RETURNING")) {
    clauses().returning = ParseType();
    return true;
  }
  if (AtAny({"WITH", "WITHOUT"})) {
    const bool with = At("WITH");
    Advance();
    if (At("UNIQUE")) Unsupported(Peek().span, "WITH UNIQUE KEYS is not supported");
    if (At("CONDITIONAL"))
      Unsupported(Peek().span, "a conditional wrapper is not supported", "write WITH WRAPPER");
    Take("UNCONDITIONAL");
    Take("ARRAY");
    Expect("WRAPPER");
    clauses().wrapper = with;
    return true;
  }
  if (AtAny({"KEEP", "OMIT", "FORMAT", "PASSING"}))
    Unsupported(Peek().span, Peek().text + " in a JSON function is not supported");
  if (AtAny({"NULL", "ERROR", "DEFAULT", "EMPTY"})) {
    ParseJsonBehaviour(call);
    return true;
  }
  return false;
}

/// NULL | ERROR | DEFAULT expr, then ON EMPTY | ON ERROR.
void Parser::ParseJsonBehaviour(Expr& call) {
  if (At("EMPTY")) Unsupported(Peek().span, "EMPTY ON … is not supported", "write DEFAULT '[]' ON EMPTY");
  if (!call.json) call.json = std::make_unique<Expr::JsonClauses>();
  const bool error = At("ERROR");
  const bool has_default = At("DEFAULT");
  Advance();
  ExprPtr value = has_default ? ParseExpr() : nullptr;
  Expect("ON");
  if (Take("EMPTY")) {
    call.json->error_on_empty = error;
    call.json->default_on_empty = std::move(value);
  } else {
    Expect("ERROR");
    call.json->error_on_error = error;
    call.json->default_on_error = std::move(value);
  }
}

// ---- OVER
// ---------------------------------------------------------------------------------------------------------

std::unique_ptr<WindowSpec> Parser::ParseOver() {
  if (At("(")) return ParseWindowSpec();
  auto window = std::make_unique<WindowSpec>();
  window->base = ParseName("a window name");
  window->span = window->base->span;
  return window;
}

/// ([base] [PARTITION BY …] [ORDER BY …] [frame]).
std::unique_ptr<WindowSpec> Parser::ParseWindowSpec() {
  const Nesting nesting(*this);
  const int64_t begin = Begin();
  auto window = std::make_unique<WindowSpec>();
  Open("(");
  // PARTITION, ROWS and RANGE are names too: a base window has one of these words or the bracket behind it.
  if (AtName() && AtAny({")", "PARTITION", "ORDER", "ROWS", "RANGE"}, 1)) {
    window->base = ParseName("a window name");
  }
  if (Take("PARTITION")) {
    Expect("BY");
    window->partition_by = ParseExprList();
  }
  if (Take("ORDER")) window->order_by = ParseOrderBy();
  NoteExpected("ROWS");
  NoteExpected("RANGE");
  if (AtFrame()) ParseFrame(*window);
  Close(")");
  window->span = Since(begin);
  return window;
}

/// ROWS and RANGE are also names: a frame has a bound behind them.
bool Parser::AtFrame() const {
  return AtAny({"ROWS", "RANGE", "GROUPS"}) && !AtAny({")", "PARTITION", "ORDER"}, 1);
}

void Parser::ParseFrame(WindowSpec& window) {
  if (At("GROUPS")) Unsupported(Peek().span, "GROUPS frames are not supported", "use ROWS or RANGE");
  window.has_frame = true;
  window.unit = At("ROWS") ? FrameUnit::kRows : FrameUnit::kRange;
  Advance();
  if (Take("BETWEEN")) {
    window.start = ParseFrameBound();
    Expect("AND");
    window.end = ParseFrameBound();
  } else {
    window.start = ParseFrameBound();  // `end` is CURRENT ROW already
  }
  if (At("EXCLUDE") && !(At("NO", 1) && At("OTHERS", 2)))
    Unsupported(Peek().span, "EXCLUDE in a frame is not supported");
  if (At("EXCLUDE")) {
    for (int i = 0; i < 3; ++i) Advance();
  }
}

FrameBound Parser::ParseFrameBound() {
  FrameBound bound;
  const bool unbounded = At("UNBOUNDED") && AtAny({"PRECEDING", "FOLLOWING"}, 1);
  if (At("CURRENT") && At("ROW", 1)) {
    Advance();
    Advance();
    return bound;
  }
  if (unbounded) {
    Advance();
  } else {
    const Nesting nesting(*this);
    bound.offset = ParseExprAt(kLevelRange + 1);  // so that AND is left standing
  }
  if (Take("PRECEDING")) {
    bound.kind = unbounded ? FrameBoundKind::kUnboundedPreceding : FrameBoundKind::kPreceding;
  } else {
    Expect("FOLLOWING");
    bound.kind = unbounded ? FrameBoundKind::kUnboundedFollowing : FrameBoundKind::kFollowing;
  }
  return bound;
}

}  // namespace laminar::sql
