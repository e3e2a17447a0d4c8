#include "sql/parser_internal.h"
#include "sql/parser_interval.h"
#include "sql/parser_words.h"

/// What stands between operators: literals, names, brackets, constructors, CASE, CAST.

namespace laminar::sql {

ExprPtr Parser::ParsePrimary() {
  switch (Peek().kind) {
    case TokenKind::kNumber:
    case TokenKind::kString:
    case TokenKind::kBytes:
      return ParseLiteral();
    case TokenKind::kSymbol:
      return ParseSymbolPrimary();
    case TokenKind::kWord:
      return ParseWordPrimary();
    case TokenKind::kQuotedName:
      return ParseNameOrCall();
    default:
      Fail("an expression");
  }
}

ExprPtr Parser::ParseLiteral() {
  const int64_t begin = Begin();
  const Token& token = Peek();
  ExprPtr literal = Make(token.kind == TokenKind::kNumber   ? ExprKind::kNumber
                         : token.kind == TokenKind::kString ? ExprKind::kString
                                                            : ExprKind::kBinary);
  literal->text = token.text;
  Advance();
  return Finish(std::move(literal), begin);
}

ExprPtr Parser::ParseSymbolPrimary() {
  if (At("(")) return ParseBrackets();
  if (At("[")) return ParseArray();
  if (At("~")) Unsupported(Peek().span, "unary ~ is not supported", "write -x - 1");
  Fail("an expression");
}

ExprPtr Parser::ParseWordPrimary() {
  const int64_t begin = Begin();
  if (AtAny({"NULL", "TRUE", "FALSE"})) {
    ExprPtr literal = Make(At("NULL") ? ExprKind::kNull : ExprKind::kBoolean);
    literal->flag = At("TRUE");
    Advance();
    return Finish(std::move(literal), begin);
  }
  if (At("CASE")) return ParseCase();
  if (AtAny({"CAST", "TRY_CAST", "SAFE_CAST"}) && At("(", 1)) return ParseCast();
  if (AtInterval()) return ParseInterval();
  if (AtTypedString()) return ParseTypedString();
  if (At("ARRAY") && At("[", 1)) return ParseArray();
  if (At("MAP") && AtAny({"{", "["}, 1)) return ParseMap();
  if (AtAny({"STRUCT", "ROW"}) && At("(", 1)) return ParseStruct();
  if (At("EXISTS") && At("(", 1) && AtQuery(2)) {
    Advance();
    ExprPtr exists = Make(ExprKind::kExists);
    Open("(");
    exists->query = ParseQuery();
    Close(")");
    return Finish(std::move(exists), begin);
  }
  if (AtAny({"SELECT", "WITH"})) {
    FailAt(Peek().span, "a subquery stands in brackets", "write (" + Peek().text + " …)");
  }
  return ParseNameOrCall();
}

/// a, t.a.b, f(…), "f"(…), schema.f(…), CURRENT_DATE.
ExprPtr Parser::ParseNameOrCall() {
  const int64_t begin = Begin();
  const bool reserved_function = AtAny({"LEFT", "RIGHT"}) && At("(", 1);  // also join words
  if (!reserved_function && !AtName()) Fail("an expression");
  if (Peek().kind == TokenKind::kWord && IsBareFunction(Peek().text) && !At("(", 1) && !At(".", 1)) {
    ExprPtr call = MakeCall(Written(Peek()), Peek().span);
    Advance();
    ParseCallSuffixes(*call);
    return Finish(std::move(call), begin);
  }
  std::vector<Identifier> names;
  names.push_back(ParseAnyName("a name"));
  while (At(".") && !At("*", 1)) {
    Advance();
    names.push_back(ParseAnyName("a field name"));
  }
  if (At("(")) return ParseCall(std::move(names), begin);
  ExprPtr name = Make(ExprKind::kName);
  name->names = std::move(names);
  return Finish(std::move(name), begin);
}

/// (expr), (a, b), (SELECT …). Brackets around one expression leave no node.
ExprPtr Parser::ParseBrackets() {
  const int64_t begin = Begin();
  if (AtQuery(1)) {
    ExprPtr subquery = Make(ExprKind::kSubquery);
    Open("(");
    subquery->query = ParseQuery();
    Close(")");
    return Finish(std::move(subquery), begin);
  }
  Open("(");
  ExprPtr first = ParseExpr();
  if (!At(",")) {
    Close(")");
    return first;
  }
  ExprPtr row = Make(ExprKind::kStruct);
  row->args.push_back(std::move(first));
  while (Take(",")) row->args.push_back(ParseExpr());
  Close(")");
  row->field_names.resize(row->args.size());
  return Finish(std::move(row), begin);
}

ExprPtr Parser::ParseArray() {
  const int64_t begin = Begin();
  if (At("ARRAY")) Advance();
  ExprPtr array = Make(ExprKind::kArray);
  Open("[");
  if (!At("]")) array->args = ParseExprList();
  Close("]");
  return Finish(std::move(array), begin);
}

/// MAP {k: v, …}, MAP {}, and Flink's MAP[k, v, …].
ExprPtr Parser::ParseMap() {
  const int64_t begin = Begin();
  Advance();
  ExprPtr map = Make(ExprKind::kMap);
  const bool braces = At("{");
  const std::string_view close = braces ? "}" : "]";
  Open(braces ? "{" : "[");
  if (!At(close)) {
    ParseList([&] {
      map->args.push_back(ParseExpr());
      Expect(braces ? ":" : ",");
      map->args.push_back(ParseExpr());
    });
  }
  Close(close);
  return Finish(std::move(map), begin);
}

/// STRUCT(a, b AS name) and ROW(…).
ExprPtr Parser::ParseStruct() {
  const int64_t begin = Begin();
  Advance();
  ExprPtr row = Make(ExprKind::kStruct);
  Open("(");
  if (!At(")")) {
    ParseList([&] {
      row->args.push_back(ParseExpr());
      row->field_names.push_back(Take("AS") ? ParseAnyName("a field name").text : "");
    });
  }
  Close(")");
  return Finish(std::move(row), begin);
}

ExprPtr Parser::ParseCase() {
  const int64_t begin = Begin();
  const SourceSpan case_span = Peek().span;
  Advance();
  ExprPtr result = Make(ExprKind::kCase);
  if (!At("WHEN")) {
    result->flag = true;
    result->args.push_back(ParseExpr());
  }
  Expect("WHEN");
  do {
    result->args.push_back(ParseExpr());
    Expect("THEN");
    result->args.push_back(ParseExpr());
  } while (Take("WHEN"));
  if (Take("ELSE")) result->else_branch = ParseExpr();
  if (AtStatementEnd()) FailAt(case_span, "CASE without END", "close it with END");
  Expect("END");
  return Finish(std::move(result), begin);
}

ExprPtr Parser::ParseCast() {
  const int64_t begin = Begin();
  ExprPtr cast = Make(ExprKind::kCast);
  cast->flag = !At("CAST");
  Advance();
  Open("(");
  cast->args.push_back(ParseExpr());
  Expect("AS");
  cast->type = ParseType();
  Close(")");
  return Finish(std::move(cast), begin);
}

/// INTERVAL '…', INTERVAL 5 MINUTE; anything else behind the word makes it a column of that name.
bool Parser::AtInterval() const {
  if (!At("INTERVAL")) return false;
  const size_t value = AtAny({"-", "+"}, 1) ? 2 : 1;
  if (Peek(value).kind == TokenKind::kString) return true;
  return Peek(value).kind == TokenKind::kNumber && Peek(value + 1).kind == TokenKind::kWord &&
         ParseIntervalUnit(Peek(value + 1).text).has_value();
}

ExprPtr Parser::ParseInterval() {
  const int64_t begin = Begin();
  Advance();
  const bool negative = At("-");
  if (AtAny({"-", "+"})) Advance();
  const std::string text = (negative ? "-" : "") + Peek().text;
  const bool bare = IsBareNumber(text);
  Advance();

  auto take_unit = [&]() -> std::optional<IntervalUnit> {
    if (Peek().kind != TokenKind::kWord) return std::nullopt;
    auto unit = ParseIntervalUnit(Peek().text);
    // Behind '1 day' a word such as `d` or `day` is an alias; behind '1-2' only YEAR TO MONTH can follow.
    if (!unit || (!bare && !(IsLongIntervalUnit(Peek().text) && (At("TO", 1) || At("(", 1)))))
      return std::nullopt;
    Advance();
    if (At("(")) TakePrecision(9);
    return unit;
  };
  const std::optional<IntervalUnit> from = take_unit();
  std::optional<IntervalUnit> to;
  if (from && At("TO")) {
    Advance();
    to = Peek().kind == TokenKind::kWord ? ParseIntervalUnit(Peek().text) : std::nullopt;
    if (!to) Fail("a unit such as MONTH or SECOND");
    Advance();
    if (At("(")) TakePrecision(9);
  }
  ExprPtr literal = Finish(Make(ExprKind::kInterval), begin);
  if (bare && !from) {
    throw UserError(Reason::kBadInterval, literal->span, "interval '" + text + "' has no unit")
        .Hint("write INTERVAL '" + text + "' SECOND or INTERVAL '" + text + " seconds'");
  }
  literal->interval =
      from ? ParseQualifiedInterval(text, *from, to, literal->span) : ParseIntervalText(text, literal->span);
  return literal;
}

/// DATE '…', TIMESTAMP(3) '…', TIMESTAMP WITH TIME ZONE '…'.
bool Parser::AtTypedString() const {
  if (!AtAny({"DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP_LTZ", "DATETIME", "JSON", "JSONB"}))
    return false;
  size_t ahead = 1;
  if (At("(", ahead) && Peek(ahead + 1).kind == TokenKind::kNumber && At(")", ahead + 2)) ahead += 3;
  if (AtAny({"WITH", "WITHOUT"}, ahead) && At("TIME", ahead + 1) && At("ZONE", ahead + 2)) ahead += 3;
  return Peek(ahead).kind == TokenKind::kString;
}

ExprPtr Parser::ParseTypedString() {
  const int64_t begin = Begin();
  const Type type = ParseTypeBase();
  const int64_t string_begin = Begin();
  std::string text = ParseString("a string");
  if (type.id() == TypeId::kJson) {
    ExprPtr cast = Make(ExprKind::kCast);
    cast->type = type;
    cast->args.push_back(MakeString(std::move(text), Since(string_begin)));
    return Finish(std::move(cast), begin);
  }
  ExprPtr literal = Make(ExprKind::kTypedString);
  literal->type = type;
  literal->text = std::move(text);
  return Finish(std::move(literal), begin);
}

}  // namespace laminar::sql
