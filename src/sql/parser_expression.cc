#include <algorithm>
#include <array>

#include "sql/parser_internal.h"
#include "sql/parser_words.h"

/// Operators: precedence climbing over the levels of parser_internal.h.

namespace laminar::sql {
namespace {

struct SymbolOperator {
  std::string_view symbol;
  int level;
  std::string_view op;
};

constexpr std::array<SymbolOperator, 32> kSymbolOperators = {{
    {"=", kLevelComparison, "="},
    {"==", kLevelComparison, "="},
    {"<>", kLevelComparison, "<>"},
    {"!=", kLevelComparison, "<>"},
    {"<", kLevelComparison, "<"},
    {"<=", kLevelComparison, "<="},
    {">", kLevelComparison, ">"},
    {">=", kLevelComparison, ">="},
    {"<=>", kLevelComparison, "is_not_distinct_from"},
    {"||", kLevelOther, "||"},
    {"->", kLevelOther, "->"},
    {"->>", kLevelOther, "->>"},
    {"#>", kLevelOther, "#>"},
    {"#>>", kLevelOther, "#>>"},
    {"?", kLevelOther, "?"},
    {"@>", kLevelOther, "@>"},
    {"<@", kLevelOther, "<@"},
    {"&", kLevelOther, "&"},
    {"|", kLevelOther, "|"},
    {"#", kLevelOther, "#"},
    {"<<", kLevelOther, "<<"},
    {">>", kLevelOther, ">>"},
    {"~", kLevelOther, "~"},
    {"~*", kLevelOther, "~*"},
    {"!~", kLevelOther, "!~"},
    {"!~*", kLevelOther, "!~*"},
    {"+", kLevelSum, "+"},
    {"-", kLevelSum, "-"},
    {"*", kLevelProduct, "*"},
    {"/", kLevelProduct, "/"},
    {"%", kLevelProduct, "%"},
    {"^", kLevelPower, "^"},
}};

}  // namespace

ExprPtr Parser::Make(ExprKind kind) const {
  auto expr = std::make_unique<Expr>();
  expr->kind = kind;
  return expr;
}

ExprPtr Parser::Finish(ExprPtr expr, int64_t begin) const {
  expr->span = Since(begin);
  return expr;
}

ExprPtr Parser::MakeCall(std::string_view name, SourceSpan name_span) const {
  ExprPtr call = Make(ExprKind::kFunction);
  call->names.push_back({std::string(name), false, name_span});
  return call;
}

ExprPtr Parser::MakeString(std::string text, SourceSpan span) const {
  ExprPtr string = Make(ExprKind::kString);
  string->text = std::move(text);
  string->span = span;
  return string;
}

ExprPtr Parser::ParseExpr() {
  const Nesting nesting(*this);
  return ParseExprAt(kLevelOr);
}

ExprPtr Parser::ParseExprAt(int level) {
  const int64_t begin = Begin();
  const Chain chain(*this);
  ExprPtr left = ParsePrefix();
  while (true) {
    const Infix infix = PeekInfix();
    if (infix.kind == Infix::Kind::kNone || infix.level < level) {
      operator_pos_ = pos_;
      return left;
    }
    if (infix.kind != Infix::Kind::kChain) LowerTree();
    left = ParseInfix(std::move(left), begin, infix);
  }
}

ExprPtr Parser::ParsePrefix() {
  const int64_t begin = Begin();
  if (!AtAny({"NOT", "-", "+"})) return ParsePostfix();
  const Nesting nesting(*this);
  const bool is_not = At("NOT");
  if (is_not && At("EXISTS", 1) && At("(", 2) && AtQuery(3)) {
    Advance();
    ExprPtr exists = ParsePostfix();
    exists->negated = true;
    return Finish(std::move(exists), begin);
  }
  ExprPtr unary = Make(ExprKind::kUnary);
  unary->text = is_not ? "not" : Peek().text;
  Advance();
  unary->args.push_back(is_not ? ParseExprAt(kLevelNot) : ParsePrefix());
  return Finish(std::move(unary), begin);
}

/// A primary with what clings to it: [i], [i:j], .field, ::type.
ExprPtr Parser::ParsePostfix() {
  const int64_t begin = Begin();
  const Chain chain(*this);
  ExprPtr expr = ParsePrimary();
  while (true) {
    if (At("[")) {
      LowerTree();
      expr = ParseSubscript(std::move(expr), begin);
    } else if (At("::")) {
      LowerTree();
      Advance();
      ExprPtr cast = Make(ExprKind::kCast);
      cast->args.push_back(std::move(expr));
      cast->type = ParseType();
      expr = Finish(std::move(cast), begin);
    } else if (At(".")) {
      LowerTree();
      Advance();
      if (At("*"))
        Unsupported(Peek().span, "'.*' on an expression is not supported", "name the fields one by one");
      ExprPtr field = Make(ExprKind::kField);
      field->args.push_back(std::move(expr));
      field->names.push_back(ParseAnyName("a field name"));
      expr = Finish(std::move(field), begin);
    } else {
      return expr;
    }
  }
}

ExprPtr Parser::ParseSubscript(ExprPtr base, int64_t begin) {
  Open("[");
  ExprPtr first = At(":") ? nullptr : ParseExpr();
  if (!Take(":")) {
    Close("]");
    ExprPtr subscript = Make(ExprKind::kSubscript);
    subscript->args.push_back(std::move(base));
    subscript->args.push_back(std::move(first));
    return Finish(std::move(subscript), begin);
  }
  ExprPtr slice = Make(ExprKind::kSlice);
  slice->args.push_back(std::move(base));
  slice->args.push_back(std::move(first));
  slice->args.push_back(At("]") ? nullptr : ParseExpr());
  Close("]");
  return Finish(std::move(slice), begin);
}

Infix Parser::PeekInfix() const {
  const Token& token = Peek();
  if (token.kind == TokenKind::kWord) return PeekWordInfix();
  if (token.kind != TokenKind::kSymbol) return {};
  for (const SymbolOperator& entry : kSymbolOperators) {
    if (entry.symbol == token.text) return {Infix::Kind::kBinary, entry.level, entry.op};
  }
  return {};
}

Infix Parser::PeekWordInfix() const {
  if (At("OR")) return {Infix::Kind::kChain, kLevelOr, "or"};
  if (At("AND")) return {Infix::Kind::kChain, kLevelAnd, "and"};
  if (At("IS")) return {Infix::Kind::kIs, kLevelIs, ""};
  if (At("AT") && ((At("TIME", 1) && At("ZONE", 2)) || At("LOCAL", 1)))
    return {Infix::Kind::kAtZone, kLevelAtZone, ""};
  const size_t word = At("NOT") ? 1 : 0;
  if (At("IN", word)) return {Infix::Kind::kIn, kLevelRange, ""};
  if (At("BETWEEN", word)) return {Infix::Kind::kBetween, kLevelRange, ""};
  if (At("LIKE", word)) return {Infix::Kind::kLike, kLevelRange, "like"};
  if (At("ILIKE", word)) return {Infix::Kind::kLike, kLevelRange, "ilike"};
  if (At("SIMILAR", word) && At("TO", word + 1)) return {Infix::Kind::kLike, kLevelRange, "similar_to"};
  return {};
}

ExprPtr Parser::ParseInfix(ExprPtr left, int64_t begin, const Infix& infix) {
  switch (infix.kind) {
    case Infix::Kind::kChain:
      return ParseLogicalChain(std::move(left), begin, infix);
    case Infix::Kind::kIs:
      return ParseIs(std::move(left), begin);
    case Infix::Kind::kIn:
      return ParseIn(std::move(left), begin);
    case Infix::Kind::kLike:
      return ParseLike(std::move(left), begin, infix);
    case Infix::Kind::kBetween:
      return ParseBetween(std::move(left), begin);
    case Infix::Kind::kAtZone:
      return ParseAtTimeZone(std::move(left), begin);
    default:
      return ParseBinary(std::move(left), begin, infix);
  }
}

ExprPtr Parser::ParseBinary(ExprPtr left, int64_t begin, const Infix& infix) {
  Advance();
  if (infix.level == kLevelComparison && AtAny({"ANY", "ALL", "SOME"}) && At("(", 1)) {
    if (!At("SOME") || AtQuery(2)) return ParseQuantified(std::move(left), begin, infix);
  }
  ExprPtr binary = Make(ExprKind::kBinary2);
  binary->text = infix.op;
  binary->args.push_back(std::move(left));
  binary->args.push_back(ParseExprAt(infix.level + 1));
  return Finish(std::move(binary), begin);
}

/// x = ANY (query) is x IN (query), x <> ALL (query) is x NOT IN (query); there are no others.
ExprPtr Parser::ParseQuantified(ExprPtr left, int64_t begin, const Infix& infix) {
  const bool all = At("ALL");
  const SourceSpan span = Peek().span;
  if (!AtQuery(2) || infix.op != (all ? "<>" : "=")) {
    Unsupported(span, "comparison with " + Peek().text + " (…) is not supported",
                "use IN (…), EXISTS (…) or array_has(…)");
  }
  Advance();
  ExprPtr in = Make(ExprKind::kInQuery);
  in->negated = all;
  in->args.push_back(std::move(left));
  Open("(");
  in->query = ParseQuery();
  Close(")");
  return Finish(std::move(in), begin);
}

/// a AND b AND c …: short chains lean to the left; long ones (generated filters) become balanced, so that
/// thousands of terms do not make a tree thousands of levels high. AND and OR are associative.
ExprPtr Parser::ParseLogicalChain(ExprPtr left, int64_t begin, const Infix& infix) {
  constexpr size_t kLeaningTermsMax = 16;
  struct Term {
    ExprPtr expr;
    int64_t begin;
    int64_t end;
  };
  const std::string_view word = infix.op == "and" ? "AND" : "OR";
  std::vector<Term> terms;
  terms.push_back({std::move(left), begin, last_end_});
  while (At(word)) {
    Advance();
    const int64_t term_begin = Begin();
    ExprPtr term = ParseExprAt(infix.level + 1);
    terms.push_back({std::move(term), term_begin, last_end_});
  }
  auto join = [&](Term a, Term b) {
    ExprPtr node = Make(ExprKind::kBinary2);
    node->text = infix.op;
    node->span = {a.begin, b.end - a.begin};
    node->args.push_back(std::move(a.expr));
    node->args.push_back(std::move(b.expr));
    return Term{std::move(node), a.begin, b.end};
  };
  while (terms.size() > kLeaningTermsMax) {
    LowerTree();
    std::vector<Term> pairs;
    for (size_t i = 0; i + 1 < terms.size(); i += 2)
      pairs.push_back(join(std::move(terms[i]), std::move(terms[i + 1])));
    if (terms.size() % 2 == 1) pairs.push_back(std::move(terms.back()));
    terms = std::move(pairs);
  }
  Term result = std::move(terms[0]);
  for (size_t i = 1; i < terms.size(); ++i) {
    LowerTree();
    result = join(std::move(result), std::move(terms[i]));
  }
  return std::move(result.expr);
}

ExprPtr Parser::ParseIs(ExprPtr left, int64_t begin) {
  Advance();
  const bool negated = Take("NOT");
  if (Take("DISTINCT")) {
    Expect("FROM");
    ExprPtr distinct = Make(ExprKind::kBinary2);
    distinct->text = negated ? "is_not_distinct_from" : "is_distinct_from";
    distinct->args.push_back(std::move(left));
    distinct->args.push_back(ParseExprAt(kLevelIs + 1));
    return Finish(std::move(distinct), begin);
  }
  ExprPtr test = Make(ExprKind::kIsTest);
  test->negated = negated;
  test->args.push_back(std::move(left));
  for (const auto& [word, text] : {std::pair{"NULL", "null"},
                                   {"TRUE", "true"},
                                   {"FALSE", "false"},
                                   {"UNKNOWN", "unknown"},
                                   {"JSON", "json"}}) {
    if (test->text.empty() && Take(word)) test->text = text;
  }
  if (test->text.empty()) Fail();
  if (test->text == "json" && AtAny({"OBJECT", "ARRAY", "SCALAR", "VALUE"})) {
    if (!At("VALUE"))
      Unsupported(Peek().span, "IS JSON " + Peek().text + " is not supported", "use json_typeof(…)");
    Advance();
  }
  return Finish(std::move(test), begin);
}

ExprPtr Parser::ParseIn(ExprPtr left, int64_t begin) {
  const bool negated = Take("NOT");
  Expect("IN");
  ExprPtr in = Make(AtQuery(1) ? ExprKind::kInQuery : ExprKind::kInList);
  in->negated = negated;
  in->args.push_back(std::move(left));
  Open("(");
  if (in->kind == ExprKind::kInQuery) {
    in->query = ParseQuery();
  } else {
    ParseList([&] { in->args.push_back(ParseExpr()); });
  }
  Close(")");
  return Finish(std::move(in), begin);
}

ExprPtr Parser::ParseLike(ExprPtr left, int64_t begin, const Infix& infix) {
  ExprPtr like = Make(ExprKind::kLike);
  like->negated = Take("NOT");
  like->text = infix.op;
  Advance();
  if (infix.op == "similar_to") Advance();
  if (AtAny({"ANY", "ALL", "SOME"}) && At("(", 1)) {
    Unsupported(Peek().span, "LIKE " + Peek().text + " (…) is not supported",
                "join several LIKE with OR or AND");
  }
  like->args.push_back(std::move(left));
  like->args.push_back(ParseExprAt(kLevelRange + 1));
  if (At("ESCAPE")) {
    Advance();
    like->args.push_back(ParseExprAt(kLevelRange + 1));
  }
  return Finish(std::move(like), begin);
}

ExprPtr Parser::ParseBetween(ExprPtr left, int64_t begin) {
  ExprPtr between = Make(ExprKind::kBetween);
  between->negated = Take("NOT");
  Expect("BETWEEN");
  if (AtAny({"SYMMETRIC", "ASYMMETRIC"}) && !At("AND", 1)) {
    between->flag = At("SYMMETRIC");
    Advance();
  }
  between->args.push_back(std::move(left));
  between->args.push_back(ParseExprAt(kLevelRange + 1));
  Expect("AND");
  between->args.push_back(ParseExprAt(kLevelRange + 1));
  return Finish(std::move(between), begin);
}

ExprPtr Parser::ParseAtTimeZone(ExprPtr left, int64_t begin) {
  const SourceSpan name_span = Peek().span;
  Advance();
  if (At("LOCAL"))
    Unsupported(Peek().span, "AT LOCAL is not supported", "write AT TIME ZONE 'Europe/Berlin'");
  Expect("TIME");
  Expect("ZONE");
  ExprPtr call = MakeCall("at_time_zone", name_span);
  call->args.push_back(std::move(left));
  call->args.push_back(ParseExprAt(kLevelAtZone + 1));
  return Finish(std::move(call), begin);
}

std::vector<ExprPtr> Parser::ParseExprList() {
  std::vector<ExprPtr> list;
  ParseList([&] { list.push_back(ParseExpr()); });
  return list;
}

OrderItem Parser::ParseOrderItem() {
  OrderItem item;
  item.expr = ParseExpr();
  if (Take("DESC")) {
    item.descending = true;
  } else {
    Take("ASC");
  }
  if (Take("NULLS")) {
    if (Take("FIRST")) {
      item.nulls_first = true;
    } else {
      Expect("LAST");
      item.nulls_first = false;
    }
  }
  return item;
}

std::vector<OrderItem> Parser::ParseOrderBy() {
  std::vector<OrderItem> items;
  Expect("BY");
  ParseList([&] { items.push_back(ParseOrderItem()); });
  return items;
}

}  // namespace laminar::sql
