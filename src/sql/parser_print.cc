#include "sql/parser_print.h"

#include "sql/parser.h"
#include "sql/parser_interval.h"
#include "sql/parser_words.h"

namespace laminar::sql {

std::string PrintString(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') out.push_back('\'');
    out.push_back(c);
  }
  return out + "'";
}

std::string PrintName(const Identifier& name) {
  if (!name.quoted) return name.text;
  const std::string text = QuoteName(name.text);
  return text[0] == '"' ? text : "\"" + text + "\"";
}

std::string PrintPath(const std::vector<Identifier>& names) {
  std::string out;
  for (const Identifier& name : names) out += (out.empty() ? "" : ".") + PrintName(name);
  return out;
}

std::string PrintList(const std::vector<ExprPtr>& list, size_t from) {
  std::string out;
  for (size_t i = from; i < list.size(); ++i) out += (i > from ? ", " : "") + ToString(*list[i]);
  return out;
}

std::string PrintOrderBy(const std::vector<OrderItem>& items) {
  std::string out = "ORDER BY ";
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ", ";
    out += ToString(*items[i].expr);
    if (items[i].descending) out += " DESC";
    if (items[i].nulls_first) out += *items[i].nulls_first ? " NULLS FIRST" : " NULLS LAST";
  }
  return out;
}

namespace {

std::string PrintBound(const FrameBound& bound) {
  switch (bound.kind) {
    case FrameBoundKind::kUnboundedPreceding:
      return "UNBOUNDED PRECEDING";
    case FrameBoundKind::kPreceding:
      return ToString(*bound.offset) + " PRECEDING";
    case FrameBoundKind::kCurrentRow:
      return "CURRENT ROW";
    case FrameBoundKind::kFollowing:
      return ToString(*bound.offset) + " FOLLOWING";
    case FrameBoundKind::kUnboundedFollowing:
      return "UNBOUNDED FOLLOWING";
  }
  return "";
}

}  // namespace

std::string PrintWindow(const WindowSpec& window) {
  std::string out;
  auto part = [&out](const std::string& text) { out += (out.empty() ? "" : " ") + text; };
  if (window.base) part(PrintName(*window.base));
  if (!window.partition_by.empty()) part("PARTITION BY " + PrintList(window.partition_by));
  if (!window.order_by.empty()) part(PrintOrderBy(window.order_by));
  if (window.has_frame) {
    part((window.unit == FrameUnit::kRows ? "ROWS BETWEEN " : "RANGE BETWEEN ") + PrintBound(window.start) +
         " AND " + PrintBound(window.end));
  }
  return "(" + out + ")";
}

namespace {

std::string QuoteBytes(std::string_view bytes) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out = "X'";
  for (unsigned char byte : bytes) {
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out + "'";
}

/// The operator as it is written between its operands.
std::string OperatorText(const std::string& op) {
  if (op == "is_distinct_from") return "IS DISTINCT FROM";
  if (op == "is_not_distinct_from") return "IS NOT DISTINCT FROM";
  if (op == "similar_to") return "SIMILAR TO";
  std::string out;
  for (char c : op) out.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  return out;
}

std::string PrintJsonClauses(const Expr::JsonClauses& json) {
  std::string out;
  if (json.returning) out += " RETURNING " + json.returning->ToString();
  if (json.wrapper) out += " WITH WRAPPER";
  if (json.absent_on_null) out += " ABSENT ON NULL";
  if (json.error_on_empty) out += " ERROR ON EMPTY";
  if (json.default_on_empty) out += " DEFAULT " + ToString(*json.default_on_empty) + " ON EMPTY";
  if (json.error_on_error) out += " ERROR ON ERROR";
  if (json.default_on_error) out += " DEFAULT " + ToString(*json.default_on_error) + " ON ERROR";
  return out;
}

std::string PrintFunction(const Expr& call) {
  std::string out = PrintPath(call.names) + "(";
  if (call.distinct) out += "DISTINCT ";
  out += PrintList(call.args);
  if (call.json) out += PrintJsonClauses(*call.json);
  if (!call.order_by.empty() && !call.within_group) out += " " + PrintOrderBy(call.order_by);
  out += ")";
  if (call.within_group) out += " WITHIN GROUP (" + PrintOrderBy(call.order_by) + ")";
  if (call.filter) out += " FILTER (WHERE " + ToString(*call.filter) + ")";
  if (call.ignore_nulls) out += " IGNORE NULLS";
  if (call.over) out += " OVER " + PrintWindow(*call.over);
  return out;
}

std::string PrintCase(const Expr& expr) {
  std::string out = "CASE";
  size_t i = 0;
  if (expr.flag) out += " " + ToString(*expr.args[i++]);
  for (; i + 1 < expr.args.size(); i += 2)
    out += " WHEN " + ToString(*expr.args[i]) + " THEN " + ToString(*expr.args[i + 1]);
  if (expr.else_branch) out += " ELSE " + ToString(*expr.else_branch);
  return out + " END";
}

std::string PrintStruct(const Expr& expr) {
  std::string out = "ROW(";
  for (size_t i = 0; i < expr.args.size(); ++i) {
    if (i > 0) out += ", ";
    out += ToString(*expr.args[i]);
    if (!expr.field_names[i].empty()) out += " AS " + QuoteName(expr.field_names[i]);
  }
  return out + ")";
}

std::string PrintMap(const Expr& expr) {
  std::string out = "MAP {";
  for (size_t i = 0; i + 1 < expr.args.size(); i += 2) {
    out += (i > 0 ? ", " : "") + ToString(*expr.args[i]) + ": " + ToString(*expr.args[i + 1]);
  }
  return out + "}";
}

std::string PrintTest(const Expr& expr) {
  return "(" + ToString(*expr.args[0]) + " IS " + (expr.negated ? "NOT " : "") + OperatorText(expr.text) +
         ")";
}

std::string PrintLike(const Expr& expr) {
  std::string out = "(" + ToString(*expr.args[0]) + (expr.negated ? " NOT " : " ") + OperatorText(expr.text) +
                    " " + ToString(*expr.args[1]);
  if (expr.args.size() > 2) out += " ESCAPE " + ToString(*expr.args[2]);
  return out + ")";
}

}  // namespace

std::string ToString(const Expr& expr) {
  auto arg = [&expr](size_t i) { return ToString(*expr.args[i]); };
  const std::string maybe_not = expr.negated ? " NOT" : "";
  switch (expr.kind) {
    case ExprKind::kName:
      return PrintPath(expr.names);
    case ExprKind::kStar:
      return "*";
    case ExprKind::kNull:
      return "NULL";
    case ExprKind::kBoolean:
      return expr.flag ? "TRUE" : "FALSE";
    case ExprKind::kNumber:
      return expr.text;
    case ExprKind::kString:
      return PrintString(expr.text);
    case ExprKind::kBinary:
      return QuoteBytes(expr.text);
    case ExprKind::kTypedString:
      return expr.type.ToString() + " " + PrintString(expr.text);
    case ExprKind::kInterval:
      return "INTERVAL '" + IntervalText(expr.interval) + "'";
    case ExprKind::kUnary:
      return expr.text == "not" ? "(NOT " + arg(0) + ")" : "(" + expr.text + arg(0) + ")";
    case ExprKind::kBinary2:
      return "(" + arg(0) + " " + OperatorText(expr.text) + " " + arg(1) + ")";
    case ExprKind::kFunction:
      return PrintFunction(expr);
    case ExprKind::kCast:
      return (expr.flag ? "TRY_CAST(" : "CAST(") + arg(0) + " AS " + expr.type.ToString() + ")";
    case ExprKind::kCase:
      return PrintCase(expr);
    case ExprKind::kBetween:
      return "(" + arg(0) + maybe_not + " BETWEEN " + (expr.flag ? "SYMMETRIC " : "") + arg(1) + " AND " +
             arg(2) + ")";
    case ExprKind::kInList:
      return "(" + arg(0) + maybe_not + " IN (" + PrintList(expr.args, 1) + "))";
    case ExprKind::kInQuery:
      return "(" + arg(0) + maybe_not + " IN (" + ToString(*expr.query) + "))";
    case ExprKind::kExists:
      return expr.negated ? "(NOT EXISTS (" + ToString(*expr.query) + "))"
                          : "EXISTS (" + ToString(*expr.query) + ")";
    case ExprKind::kSubquery:
      return "(" + ToString(*expr.query) + ")";
    case ExprKind::kLike:
      return PrintLike(expr);
    case ExprKind::kIsTest:
      return PrintTest(expr);
    case ExprKind::kSubscript:
      return arg(0) + "[" + arg(1) + "]";
    case ExprKind::kSlice:
      return arg(0) + "[" + (expr.args[1] ? arg(1) : "") + ":" + (expr.args[2] ? arg(2) : "") + "]";
    case ExprKind::kField:
      return "(" + arg(0) + ")." + PrintName(expr.names[0]);
    case ExprKind::kArray:
      return "ARRAY[" + PrintList(expr.args) + "]";
    case ExprKind::kStruct:
      return PrintStruct(expr);
    case ExprKind::kMap:
      return PrintMap(expr);
    case ExprKind::kNamedArg:
      return "KEY " + arg(0) + " VALUE " + arg(1);
    case ExprKind::kDescriptor:
      return "DESCRIPTOR(" + PrintPath(expr.names) + ")";
  }
  return "";
}

}  // namespace laminar::sql
