// Scalar expressions: names, operators, calls.

#include <arrow/scalar.h>

#include <algorithm>
#include <charconv>

#include "sql/binder.h"

namespace laminar::sql {

namespace {

/// Aliases put in for their expressions, in one SELECT list: a chain in which each alias uses the one before
/// twice would double at each step.
constexpr int kAliasUsesMax = 50'000;

bool IsAggregateName(const FunctionRegistry& functions, const std::string& name) {
  return functions.FindAggregate(name) != nullptr;
}

bool IsComparison(const std::string& op) {
  return op == "=" || op == "<>" || op == "<" || op == "<=" || op == ">" || op == ">=" ||
         op == "is_distinct_from" || op == "is_not_distinct_from";
}

bool IsArithmetic(const std::string& op) {
  return op == "+" || op == "-" || op == "*" || op == "/" || op == "%";
}

ExpressionPtr Fold(ExpressionPtr expression) {
  if (dynamic_cast<const LiteralExpression*>(expression.get())) return expression;
  for (const ExpressionPtr& child : expression->children()) {
    if (!dynamic_cast<const LiteralExpression*>(child.get())) return expression;
  }
  if (expression->volatility() != Volatility::kImmutable) return expression;
  if (auto value = FoldConstant(*expression)) return MakeLiteral(std::move(value), expression->type());
  return expression;
}

ExpressionPtr BindNumber(const std::string& text, SourceSpan span) {
  const bool plain = text.find_first_of(".eE") == std::string::npos || text.starts_with("0x");
  if (plain) {
    int64_t value = 0;
    const char* begin = text.data();
    const char* end = text.data() + text.size();
    int base = 10;
    if (text.starts_with("0x") || text.starts_with("0X")) {
      begin += 2;
      base = 16;
    }
    auto [rest, error] = std::from_chars(begin, end, value, base);
    if (error == std::errc() && rest == end) return MakeInt64(value);
    uint64_t big = 0;
    auto [rest2, error2] = std::from_chars(begin, end, big, base);
    if (error2 == std::errc() && rest2 == end) {
      return MakeLiteral(std::make_shared<arrow::UInt64Scalar>(big), Type::UInt64());
    }
    ExpressionPtr decimal = MakeCast(MakeText(text), Type::Decimal(38, 0));
    if (auto folded = FoldConstant(*decimal)) return MakeLiteral(folded, Type::Decimal(38, 0));
    throw UserError(Reason::kTypeError, span, "the number " + text + " has more than 38 digits");
  }
  double value = 0;
  auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) {
    throw UserError(Reason::kTypeError, span, "the number " + text + " does not fit DOUBLE");
  }
  return MakeLiteral(std::make_shared<arrow::DoubleScalar>(value), Type::Double());
}

/// As CommonType; JSON adapts to what it stands beside. Beside integers it stays JSON: its number may have a
/// fraction.
std::optional<Type> CommonWithJson(const Type& a, const Type& b) {
  if (auto common = CommonType(a, b)) return common;
  if (a.id() != TypeId::kJson && b.id() != TypeId::kJson) return std::nullopt;
  const Type& other = a.id() == TypeId::kJson ? b : a;
  return other.is_integer() ? Type::Json() : other;
}

/// The value of a text literal, or null.
const std::string* TextLiteral(const ExpressionPtr& expression, std::string* storage) {
  const auto* literal = dynamic_cast<const LiteralExpression*>(expression.get());
  if (!literal || literal->type().id() != TypeId::kText || !literal->value()->is_valid) return nullptr;
  *storage = static_cast<const arrow::StringScalar&>(*literal->value()).value->ToString();
  return storage;
}

/// `name` means all of the columns `found`.
UserError AmbiguousName(const Identifier& name, const std::vector<int>& found, const Scope& scope,
                        SourceSpan span) {
  std::set<const ScopeRelation*> relations;
  std::string qualified, quoted;
  bool same = true;  // all columns are written alike
  for (int index : found) {
    const std::string& column = scope.schema->columns[index].name;
    same = same && column == scope.schema->columns[found[0]].name;
    quoted += (quoted.empty() ? "\"" : " or \"") + column + "\"";
    for (const ScopeRelation& relation : scope.relations) {
      if (index < relation.first || index >= relation.first + relation.count) continue;
      if (relations.insert(&relation).second && !relation.alias.text.empty())
        qualified += (qualified.empty() ? "" : " or ") + relation.alias.text + "." + column;
    }
  }
  if (relations.size() > 1) {
    UserError error(Reason::kAmbiguousColumn, span, "'" + name.text + "' is in several tables");
    return qualified.empty() ? error : error.Hint("write " + qualified);
  }
  return UserError(Reason::kAmbiguousColumn, span, "'" + name.text + "' names several columns")
      .Hint(same ? "give each an alias of its own where they come from" : "write " + quoted);
}

}  // namespace

bool IsRankFunction(const std::string& name) {
  static const std::set<std::string> kNames = {"row_number",  "rank",       "dense_rank", "percent_rank",
                                               "cume_dist",   "ntile",      "lag",        "lead",
                                               "first_value", "last_value", "nth_value"};
  return kNames.count(name) > 0;
}

bool IsWindowFunction(const std::string& name) {
  static const std::set<std::string> kNames = {
      "tumble",        "hop",         "session",         "cumulate",
      "tumble_start",  "tumble_end",  "tumble_rowtime",  "tumble_proctime",
      "hop_start",     "hop_end",     "hop_rowtime",     "hop_proctime",
      "session_start", "session_end", "session_rowtime", "session_proctime"};
  return kNames.count(name) > 0;
}

ExpressionPtr Binder::BindExpr(const Expr& expr, SelectContext& context) {
  try {
    return Fold(BindExprInner(expr, context));
  } catch (UserError& error) {
    throw error.At(expr.span);
  } catch (const QueryError& error) {
    throw UserError(Reason::kTypeError, expr.span, error.what());
  }
}

ExpressionPtr Binder::Call(const std::string& name, std::vector<ExpressionPtr> args, SourceSpan span) {
  bool has_json =
      std::any_of(args.begin(), args.end(), [](const auto& a) { return a->type().id() == TypeId::kJson; });
  try {
    return options_.functions->BindScalar(name, args);
  } catch (UserError& error) {
    if (!has_json || error.reason() != Reason::kTypeError) throw error.At(span);
    // A JSON value adapts to what the function wants (docs/sql.md "Open tables").
    for (const Type& type : {Type::Text(), Type::Double(), Type::Timestamp()}) {
      std::vector<ExpressionPtr> adapted = args;
      for (ExpressionPtr& arg : adapted) {
        if (arg->type().id() == TypeId::kJson) arg = MakeCast(arg, type);
      }
      try {
        return options_.functions->BindScalar(name, adapted);
      } catch (const UserError&) {
        continue;
      }
    }
    throw error.At(span);
  }
}

ExpressionPtr Binder::CastTo(ExpressionPtr input, const Type& type, SourceSpan span, bool try_cast) {
  if (input->type() == type) return input;
  try {
    return Fold(MakeCast(std::move(input), type, try_cast));
  } catch (UserError& error) {
    throw error.At(span);
  }
}

ExpressionPtr Binder::ToBoolean(ExpressionPtr input, SourceSpan span) {
  if (input->type().id() == TypeId::kBoolean) return input;
  if (input->type().is_null() || input->type().id() == TypeId::kJson)
    return CastTo(input, Type::Boolean(), span);
  throw UserError(Reason::kTypeError, span,
                  "a condition must be BOOLEAN, this is " + input->type().ToString());
}

Type Binder::Unify(std::vector<ExpressionPtr>& exprs, SourceSpan span, const char* what) {
  Type type = exprs[0]->type();
  for (size_t i = 1; i < exprs.size(); ++i) {
    auto common = CommonWithJson(type, exprs[i]->type());
    if (!common) {
      throw UserError(Reason::kTypeError, span,
                      std::string(what) + " mixes " + type.ToString() + " and " + exprs[i]->type().ToString())
          .Hint("cast them to one type");
    }
    type = *common;
  }
  for (ExpressionPtr& expr : exprs) expr = CastTo(expr, type, span);
  return type;
}

ExpressionPtr Binder::Access(ExpressionPtr input, const Identifier& field) {
  const Type& type = input->type();
  if (type.id() == TypeId::kJson) return Call("->", {std::move(input), MakeText(field.text)}, field.span);
  if (type.id() != TypeId::kStruct) {
    throw UserError(Reason::kTypeError, field.span,
                    "'." + field.text + "' needs a STRUCT or JSON value, this is " + type.ToString());
  }
  const int index = type.FieldIndex(field.text);
  if (index < 0) {
    std::vector<std::string> names;
    for (const Field& f : type.fields()) names.push_back(f.name);
    const std::string nearest = NearestName(field.text, names);
    UserError error(Reason::kUnknownColumn, field.span,
                    "no field '" + field.text + "' in " + type.ToString());
    if (!nearest.empty()) error.Hint("did you mean '" + nearest + "'?");
    throw error;
  }
  return MakeFieldAccess(std::move(input), index);
}

ExpressionPtr Binder::BindName(const Expr& expr, SelectContext& context) {
  const Scope& scope = context.scope;
  const auto& names = expr.names;
  auto column = [&](int index) {
    const PlanColumn& c = scope.schema->columns[index];
    return MakeColumn(index, c.name, c.type);
  };
  auto matches = [](const Identifier& wanted, const std::string& name, bool exact) {
    return exact ? wanted.text == name : !wanted.quoted && EqualsIgnoreCase(wanted.text, name);
  };
  // Finds a column by name in [first, first + count): exact match first, then ignoring case.
  auto find = [&](const Identifier& name, int first, int count, std::vector<int>* found) {
    for (bool exact : {true, false}) {
      for (int i = first; i < first + count; ++i) {
        const PlanColumn& c = scope.schema->columns[i];
        const bool merged = count == scope.schema->num_columns() && Contains(scope.merged.hidden, i);
        if (!c.hidden && !merged && matches(name, c.name, exact)) found->push_back(i);
      }
      if (!found->empty()) return;
    }
  };
  auto rest = [&](ExpressionPtr value, size_t from) {
    for (size_t i = from; i < names.size(); ++i) value = Access(std::move(value), names[i]);
    return value;
  };
  auto open_field = [&](const ScopeRelation& relation, const Identifier& name) {
    return Call("->", {column(relation.first), MakeText(name.text)}, name.span);
  };

  // 1. relation.column
  if (names.size() >= 2) {
    for (bool exact : {true, false}) {
      for (const ScopeRelation& relation : scope.relations) {
        if (relation.alias.text.empty() || !matches(names[0], relation.alias.text, exact)) continue;
        std::vector<int> found;
        find(names[1], relation.first, relation.count, &found);
        if (found.size() == 1) return rest(column(found[0]), 2);
        if (found.size() > 1) {
          throw AmbiguousName(names[1], found, scope, names[1].span);
        }
        if (relation.open) return rest(open_field(relation, names[1]), 2);
        // Maybe a column of the same name holds a struct: fall through to 2, else report against this
        // relation.
        std::vector<int> struct_column;
        if (scope.schema) find(names[0], 0, scope.schema->num_columns(), &struct_column);
        if (!struct_column.empty()) break;
        std::vector<std::string> candidates;
        for (int i = relation.first; i < relation.first + relation.count; ++i) {
          if (!scope.schema->columns[i].hidden) candidates.push_back(scope.schema->columns[i].name);
        }
        UserError error(Reason::kUnknownColumn, names[1].span,
                        "no column '" + names[1].text + "' in " + relation.alias.text);
        const std::string nearest = NearestName(names[1].text, candidates);
        if (!nearest.empty()) error.Hint("did you mean '" + nearest + "'?");
        throw error;
      }
    }
  }
  // 2. column, maybe with struct fields behind it
  std::vector<int> found;
  if (scope.schema) find(names[0], 0, scope.schema->num_columns(), &found);
  if (found.size() == 1) return rest(scope.merged.Meaning(found[0], column(found[0])), 1);
  if (found.size() > 1) {
    throw AmbiguousName(names[0], found, scope, expr.span);
  }
  // 3. an alias of the same SELECT list
  const std::string folded = FoldName(names[0].text);
  if (!context.resolving.count(folded)) {
    for (bool exact : {true, false}) {
      for (const auto& [alias, aliased] : context.aliases) {
        if (!matches(names[0], alias, exact)) continue;
        if (++context.alias_uses > kAliasUsesMax) {
          throw UserError(Reason::kUnsupported, expr.span,
                          "the aliases of this SELECT list stand for too much when put in for one another")
              .Hint("compute some of them in a subquery");
        }
        context.resolving.insert(folded);
        ExpressionPtr value;
        try {
          value = BindExpr(*aliased, context);
        } catch (...) {
          context.resolving.erase(folded);
          throw;
        }
        context.resolving.erase(folded);
        return rest(std::move(value), 1);
      }
    }
  }
  // 4. a name that reaches into the JSON of an open table
  const ScopeRelation* open = nullptr;
  int num_open = 0;
  for (const ScopeRelation& relation : scope.relations) {
    if (relation.open) {
      open = &relation;
      ++num_open;
    }
  }
  if (num_open == 1) return rest(open_field(*open, names[0]), 1);
  if (num_open > 1) {
    throw UserError(Reason::kAmbiguousColumn, expr.span,
                    "'" + names[0].text + "' may be in several tables without a schema")
        .Hint("write table." + names[0].text);
  }
  // 5. a column of the query around this one
  if (context.outer) return ShiftColumns(BindName(expr, *context.outer), scope.schema->num_columns());
  std::vector<std::string> candidates;
  if (scope.schema) {
    for (const PlanColumn& c : scope.schema->columns) {
      if (!c.hidden) candidates.push_back(c.name);
    }
  }
  for (const auto& [alias, ignored] : context.aliases) {
    if (!context.resolving.count(FoldName(alias))) candidates.push_back(alias);
  }
  if (names.size() > 1) {
    for (const ScopeRelation& relation : scope.relations) candidates.push_back(relation.alias.text);
  }
  // No help: what is written already.
  std::erase_if(candidates, [&](const std::string& c) { return c.empty() || c == names[0].text; });
  const bool in_function = !scope.function.empty();
  const char* what = in_function        ? "no parameter '"
                     : names.size() > 1 ? "no table or column '"
                                        : "no column '";
  UserError error(
      Reason::kUnknownColumn, names[0].span,
      what + names[0].text + "'" + (in_function ? " in function '" + scope.function + "'" : std::string()));
  const std::string nearest = NearestName(names[0].text, candidates);
  if (names[0].quoted && candidates.empty()) {
    error.Hint("double quotes name a column; a text is written in single quotes");
  } else if (!nearest.empty()) {
    error.Hint("did you mean '" + nearest + "'?");
  } else if (names[0].quoted) {
    error.Hint("double quotes name a column; write '" + names[0].text + "' for a text");
  } else if (!candidates.empty()) {
    std::string list;
    for (size_t i = 0; i < candidates.size() && i < 12; ++i) list += (i ? ", " : "") + candidates[i];
    error.Hint((in_function ? "parameters: " : "columns here: ") + list +
               (candidates.size() > 12 ? ", …" : ""));
  }
  throw error;
}

ExpressionPtr Binder::Sortable(ExpressionPtr value, SourceSpan span) {
  return value->type().id() == TypeId::kJson ? Fold(Call("json_sort_key", {std::move(value)}, span)) : value;
}

ExpressionPtr Binder::BindComparison(const std::string& op, ExpressionPtr left, ExpressionPtr right,
                                     SourceSpan span) {
  auto is_literal = [](const ExpressionPtr& e) {
    return dynamic_cast<const LiteralExpression*>(e.get()) != nullptr;
  };
  if (left->type().id() == TypeId::kJson && right->type().id() == TypeId::kJson) {
    left = Sortable(std::move(left), span);
    right = Sortable(std::move(right), span);
  }
  const Type a = left->type();
  const Type b = right->type();
  auto adapt = [&](ExpressionPtr& side, const Type& other) {  // TEXT or JSON beside another type
    if (side->type().id() == TypeId::kJson && other.id() != TypeId::kJson && !other.is_null()) {
      side =
          CastTo(side, other.is_integer() || other.id() == TypeId::kDecimal ? Type::Double() : other, span);
      if (other.is_integer()) return;
    } else if (side->type().id() == TypeId::kText &&
               (other.is_temporal() || other.is_numeric() || other.id() == TypeId::kBoolean ||
                other.id() == TypeId::kInterval)) {
      side = CastTo(side, other, span);
    }
  };
  if (a != b) {
    adapt(left, b);
    adapt(right, a);
    // A literal that fits takes the column's type, so that the column is not cast row by row.
    auto fit = [&](ExpressionPtr& literal, const Type& type) {
      if (!is_literal(literal) || !type.is_numeric() || !literal->type().is_integer()) return;
      if (auto value = FoldConstant(*MakeCast(literal, type, true)); value && value->is_valid) {
        literal = MakeLiteral(value, type);
      }
    };
    if (!is_literal(left)) fit(right, left->type());
    if (!is_literal(right)) fit(left, right->type());
    if (left->type() != right->type()) {
      // BIGINT UNSIGNED and what may be negative have no common integer type: compared as digits.
      const bool mixed_signs =
          left->type().is_integer() && right->type().is_integer() &&
          (left->type().id() == TypeId::kUInt64 || right->type().id() == TypeId::kUInt64);
      auto common = mixed_signs ? Type::Decimal(20, 0) : CommonType(left->type(), right->type());
      if (!common) {
        throw UserError(Reason::kTypeError, span, "cannot compare " + a.ToString() + " with " + b.ToString())
            .Hint("cast one side");
      }
      left = CastTo(left, *common, span);
      right = CastTo(right, *common, span);
    }
  }
  return Fold(Call(op, {std::move(left), std::move(right)}, span));
}

ExpressionPtr Binder::Divisor(ExpressionPtr value, SourceSpan span) {
  if (script_.settings.error_on_division_by_zero || !value->type().is_numeric() ||
      value->type().is_floating()) {
    return value;
  }
  return Call("nullif", {value, CastTo(MakeInt64(0), value->type(), span)}, span);
}

ExpressionPtr Binder::BindBinary(const Expr& expr, SelectContext& context) {
  const std::string& op = expr.text;
  ExpressionPtr left = BindExpr(*expr.args[0], context);
  ExpressionPtr right = BindExpr(*expr.args[1], context);
  if (op == "and" || op == "or") {
    left = ToBoolean(std::move(left), expr.args[0]->span);
    right = ToBoolean(std::move(right), expr.args[1]->span);
    return op == "and" ? MakeAnd(std::move(left), std::move(right))
                       : MakeOr(std::move(left), std::move(right));
  }
  if (IsComparison(op)) return BindComparison(op, std::move(left), std::move(right), expr.span);
  if (IsArithmetic(op)) {
    auto adapt = [&](ExpressionPtr& side, const Type& other) {
      if (side->type().id() != TypeId::kJson) return;
      const bool interval = other.id() == TypeId::kInterval || other.is_timestamp();
      side = CastTo(side, interval ? Type::Timestamp() : Type::Double(), expr.span);
    };
    const Type a = left->type();
    const Type b = right->type();
    const auto json_number = [](const Type& type) { return type.id() == TypeId::kJson || type.is_integer(); };
    if (json_number(a) && json_number(b) && (a.id() == TypeId::kJson || b.id() == TypeId::kJson))
      return JsonArithmetic(op, left, right, expr.span);
    adapt(left, b);
    adapt(right, a);
    if (op == "/" || op == "%") right = Divisor(std::move(right), expr.span);
  }
  return Call(op, {std::move(left), std::move(right)}, expr.span);
}

ExpressionPtr Binder::JsonArithmetic(const std::string& op, const ExpressionPtr& left,
                                     const ExpressionPtr& right, SourceSpan span) {
  ExpressionPtr integers;  // whether all JSON operands are
  for (const ExpressionPtr& side : {left, right}) {
    if (side->type().id() != TypeId::kJson) continue;
    ExpressionPtr integer = Call("json_is_integer", {side}, span);
    integers = integers ? MakeAnd(integers, integer) : integer;
  }
  auto as = [&](const Type& type) {
    ExpressionPtr divisor = CastTo(right, type, span);
    if ((op == "/" || op == "%") && !script_.settings.error_on_division_by_zero && type.is_integer())
      divisor = Call("nullif", {divisor, MakeInt64(0)}, span);
    return CastTo(Call(op, {CastTo(left, type, span), divisor}, span), Type::Json(), span);
  };
  return MakeCase({integers}, {as(Type::Int64())}, as(Type::Double()));
}

ExpressionPtr Binder::BindCase(const Expr& expr, SelectContext& context) {
  size_t next = 0;
  ExpressionPtr operand;
  if (expr.flag) operand = BindExpr(*expr.args[next++], context);
  std::vector<ExpressionPtr> conditions;
  std::vector<ExpressionPtr> values;
  for (; next + 1 < expr.args.size(); next += 2) {
    ExpressionPtr when = BindExpr(*expr.args[next], context);
    conditions.push_back(operand ? BindComparison("=", operand, std::move(when), expr.args[next]->span)
                                 : ToBoolean(std::move(when), expr.args[next]->span));
    values.push_back(BindExpr(*expr.args[next + 1], context));
  }
  values.push_back(expr.else_branch ? BindExpr(*expr.else_branch, context) : MakeNull(Type::Null()));
  Unify(values, expr.span, "CASE");
  ExpressionPtr otherwise = std::move(values.back());
  values.pop_back();
  return MakeCase(std::move(conditions), std::move(values), std::move(otherwise));
}

ExpressionPtr Binder::BindIn(const Expr& expr, SelectContext& context) {
  ExpressionPtr value = BindExpr(*expr.args[0], context);
  std::vector<ExpressionPtr> list;
  bool constant = true;
  for (size_t i = 1; i < expr.args.size(); ++i) {
    list.push_back(BindExpr(*expr.args[i], context));
    constant = constant && dynamic_cast<const LiteralExpression*>(list.back().get());
  }
  ExpressionPtr result;
  // Equal types all over: one hash probe per row. Otherwise a chain of comparisons with their own
  // conversions.
  for (ExpressionPtr& item : list) {
    if (!constant || item->type() == value->type()) continue;
    if (value->type().id() == TypeId::kJson) value = CastTo(value, item->type(), expr.span);
    auto common = CommonType(item->type(), value->type());
    const Type target = common && *common == value->type() ? *common : value->type();
    if (item->type().is_null() || (common && *common == value->type()) ||
        (item->type().id() == TypeId::kText && (value->type().is_temporal() || value->type().is_numeric())) ||
        (item->type().is_integer() && value->type().is_integer())) {
      if (auto folded = FoldConstant(*MakeCast(item, target, true));
          folded && (folded->is_valid || item->type().is_null())) {
        item = MakeLiteral(folded, target);
      }
    }
  }
  const bool same =
      std::all_of(list.begin(), list.end(), [&](const auto& item) { return item->type() == value->type(); });
  if (constant && same && !list.empty()) {
    std::vector<ExpressionPtr> args{value};
    args.insert(args.end(), list.begin(), list.end());
    result = Call("in_list", std::move(args), expr.span);
  } else {
    for (size_t i = 0; i < list.size(); ++i) {
      ExpressionPtr equal = BindComparison("=", value, list[i], expr.args[i + 1]->span);
      result = result ? MakeOr(std::move(result), std::move(equal)) : std::move(equal);
    }
  }
  return expr.negated ? Call("not", {std::move(result)}, expr.span) : result;
}

ExpressionPtr Binder::BindFunction(const Expr& expr, SelectContext& context) {
  const std::string name = FoldName(expr.names.back().text);
  if (expr.over) return BindOverCall(expr, context);
  if (IsWindowFunction(name)) return BindWindowFunction(expr, context);
  const bool aggregate = IsAggregateName(*options_.functions, name);
  if (aggregate && !(options_.functions->FindScalar(name) && !context.allow_aggregates)) {
    return BindAggregateCall(expr, context);
  }
  if (IsRankFunction(name)) {
    throw UserError(Reason::kOverNeedsWindow, expr.span, name + " needs an OVER clause")
        .Hint(name + "() OVER (PARTITION BY … ORDER BY …)");
  }
  if (name == "row_time") {
    if (!expr.args.empty()) throw UserError(Reason::kTypeError, expr.span, "row_time takes no arguments");
    const int column = context.scope.schema ? context.scope.schema->row_time : -1;
    if (column < 0)
      throw UserError(Reason::kTypeError, expr.span, "this query has no row time")
          .Hint("declare WATERMARK FOR on the table");
    return MakeColumn(column, context.scope.schema->columns[column].name,
                      context.scope.schema->columns[column].type);
  }
  if (name == "unnest" || name == "explode") {
    if (context.unnest || context.inside_aggregate) {
      throw UserError(Reason::kMultipleUnnest, expr.span, "only one UNNEST in a SELECT list");
    }
    if (expr.args.size() != 1) throw UserError(Reason::kTypeError, expr.span, "UNNEST takes one array");
    ExpressionPtr array = BindExpr(*expr.args[0], context);
    if (array->type().id() != TypeId::kArray) {
      throw UserError(Reason::kUnnestNotArray, expr.span,
                      "UNNEST needs an array, this is " + array->type().ToString());
    }
    const Type element = array->type().element();
    context.unnest = std::move(array);
    context.unnest_span = expr.span;
    // The element becomes the column behind the input's.
    return std::make_shared<PlaceholderExpression>(PlaceholderExpression::What::kOver, -1, "unnest", element);
  }
  if (expr.distinct || expr.filter || !expr.order_by.empty()) {
    throw UserError(Reason::kTypeError, expr.span,
                    name + " is not an aggregate: it takes no DISTINCT, FILTER or ORDER BY");
  }

  std::vector<ExpressionPtr> args;
  for (const ExprPtr& arg : expr.args) {
    if (arg->kind == ExprKind::kNamedArg) {
      args.push_back(BindExpr(*arg->args[0], context));
      args.push_back(BindExpr(*arg->args[1], context));
    } else if (arg->kind == ExprKind::kStar) {
      throw UserError(Reason::kTypeError, arg->span, "'*' is only for count(*)");
    } else {
      args.push_back(BindExpr(*arg, context));
    }
  }
  if (name == "coalesce" || name == "ifnull" || name == "nvl") {
    if (args.empty() || (name != "coalesce" && args.size() != 2)) {
      throw UserError(Reason::kTypeError, expr.span,
                      name + " takes " + (name == "coalesce" ? "at least one argument" : "two arguments"));
    }
    Unify(args, expr.span, "COALESCE");
    return args.size() == 1 ? args[0] : MakeCoalesce(std::move(args));
  }
  if (name == "if" || name == "iif" || name == "nvl2") {
    if (args.size() != 3) throw UserError(Reason::kTypeError, expr.span, name + " takes three arguments");
    ExpressionPtr condition =
        name == "nvl2" ? Call("is_not_null", {args[0]}, expr.span) : ToBoolean(args[0], expr.args[0]->span);
    std::vector<ExpressionPtr> branches{args[1], args[2]};
    Unify(branches, expr.span, "IF");
    return MakeCase({std::move(condition)}, {branches[0]}, branches[1]);
  }
  if (name == "nullif") {
    if (args.size() != 2) throw UserError(Reason::kTypeError, expr.span, "nullif takes two arguments");
    ExpressionPtr equal = BindComparison("=", args[0], args[1], expr.span);
    return MakeCase({std::move(equal)}, {MakeNull(args[0]->type())}, args[0]);
  }
  if ((name == "mod" || name == "div") && args.size() == 2) args[1] = Divisor(std::move(args[1]), expr.span);
  if (name == "greatest" || name == "least") {
    if (args.empty()) throw UserError(Reason::kTypeError, expr.span, name + " takes at least one argument");
    const bool json = Unify(args, expr.span, name == "greatest" ? "GREATEST" : "LEAST").id() == TypeId::kJson;
    for (ExpressionPtr& arg : args) {
      if (json) arg = CastTo(arg, Type::Double(), expr.span);  // ordered as numbers
    }
  }
  if (name == "struct" || name == "row") {
    std::vector<Field> fields;
    for (size_t i = 0; i < args.size(); ++i)
      fields.push_back({"c" + std::to_string(i), args[i]->type(), true});
    return MakeStruct(std::move(args), Type::Struct(std::move(fields)));
  }
  if (name == "named_struct") {
    std::vector<Field> fields;
    std::vector<ExpressionPtr> values;
    std::string text;
    for (size_t i = 0; i + 1 < args.size(); i += 2) {
      if (!TextLiteral(args[i], &text)) {
        throw UserError(Reason::kTypeError, expr.args[i]->span,
                        "a field name of NAMED_STRUCT must be a text literal");
      }
      fields.push_back({text, args[i + 1]->type(), true});
      values.push_back(args[i + 1]);
    }
    if (args.size() % 2 != 0 || args.empty())
      throw UserError(Reason::kTypeError, expr.span, "NAMED_STRUCT takes pairs of name and value");
    return MakeStruct(std::move(values), Type::Struct(std::move(fields)));
  }
  if (name == "get_field" && args.size() == 2) {
    std::string text;
    if (!TextLiteral(args[1], &text))
      throw UserError(Reason::kTypeError, expr.args[1]->span,
                      "the field of GET_FIELD must be a text literal");
    return Access(args[0], Identifier{text, true, expr.args[1]->span});
  }
  if (name == "typeof" || name == "arrow_typeof") {
    if (args.size() != 1) throw UserError(Reason::kTypeError, expr.span, name + " takes one argument");
    return MakeText(args[0]->type().ToString());
  }
  if ((name == "make_array" || name == "array") && args.size() > 1) Unify(args, expr.span, "an array");
  if (expr.json) {
    const auto& clauses = *expr.json;
    if (name == "json_value") return BindJsonValue(expr, std::move(args), context);
    const std::string target = name == "json_query" && clauses.wrapper ? "json_query_wrapper"
                               : name == "json_object" && clauses.absent_on_null
                                   ? "json_object_absent_on_null"
                                   : name;
    ExpressionPtr call = Call(target, std::move(args), expr.span);
    return clauses.returning ? CastTo(std::move(call), *clauses.returning, expr.span) : call;
  }
  const SourceSpan span = expr.names.back().span.known() ? expr.names.back().span : expr.span;
  return options_.functions->FindScalar(name) ? Call(name, std::move(args), span)
                                              : CallDeclared(name, std::move(args), span);
}

/// JSON_VALUE with its clauses. A scalar that is no value of the RETURNING type is an error as ON ERROR means
/// it: NULL unless the clause says otherwise.
ExpressionPtr Binder::BindJsonValue(const Expr& expr, std::vector<ExpressionPtr> args,
                                    SelectContext& context) {
  const auto& clauses = *expr.json;
  const std::optional<Type>& returning = clauses.returning;
  auto value_of = [&](const ExprPtr& e) {
    if (!e) return MakeNull(returning.value_or(Type::Text()));
    return CastTo(BindExpr(*e, context), returning.value_or(Type::Text()), expr.span);
  };
  const ExpressionPtr on_empty = value_of(clauses.default_on_empty);
  const ExpressionPtr on_error = value_of(clauses.default_on_error);
  ExpressionPtr text;
  if (clauses.error_on_empty || clauses.error_on_error || clauses.default_on_empty ||
      clauses.default_on_error) {
    args.push_back(CastTo(on_empty, Type::Text(), expr.span));
    args.push_back(CastTo(on_error, Type::Text(), expr.span));
    args.push_back(MakeBoolean(clauses.error_on_empty));
    args.push_back(MakeBoolean(clauses.error_on_error));
    text = Call("json_value_ext", std::move(args), expr.span);
  } else {
    text = Call("json_value", std::move(args), expr.span);
  }
  if (!returning) return text;
  ExpressionPtr value = CastTo(text, *returning, expr.span, /*try_cast=*/!clauses.error_on_error);
  if (!clauses.default_on_error) return value;
  return MakeCase({Call("is_null", {text}, expr.span)}, {MakeNull(*returning)},
                  MakeCoalesce({value, on_error}));
}

ExpressionPtr Binder::BindExprInner(const Expr& expr, SelectContext& context) {
  auto negate = [&](ExpressionPtr value) {
    return expr.negated ? Call("not", {std::move(value)}, expr.span) : value;
  };
  switch (expr.kind) {
    case ExprKind::kName:
      return BindName(expr, context);
    case ExprKind::kNull:
      return MakeNull(Type::Null());
    case ExprKind::kBoolean:
      return MakeBoolean(expr.flag);
    case ExprKind::kNumber:
      return BindNumber(expr.text, expr.span);
    case ExprKind::kString:
      return MakeText(expr.text);
    case ExprKind::kBinary:
      return MakeLiteral(std::make_shared<arrow::BinaryScalar>(expr.text), Type::Bytes());
    case ExprKind::kTypedString: {
      ExpressionPtr cast = MakeCast(MakeText(expr.text), expr.type);
      auto value = FoldConstant(*cast);
      if (!value) {
        throw UserError(Reason::kTypeError, expr.span,
                        "'" + expr.text + "' is not a " + expr.type.ToString());
      }
      return MakeLiteral(std::move(value), expr.type);
    }
    case ExprKind::kInterval: {
      arrow::MonthDayNanoIntervalType::MonthDayNanos value{expr.interval.months, expr.interval.days,
                                                           expr.interval.micros * 1000};
      return MakeLiteral(std::make_shared<arrow::MonthDayNanoIntervalScalar>(value), Type::Interval());
    }
    case ExprKind::kUnary: {
      if (expr.text == "-" && expr.args[0]->kind == ExprKind::kNumber)
        return BindNumber("-" + expr.args[0]->text, expr.span);
      ExpressionPtr value = BindExpr(*expr.args[0], context);
      if (expr.text == "not")
        return Call("not", {ToBoolean(std::move(value), expr.args[0]->span)}, expr.span);
      if (expr.text == "+") return value;
      if (value->type().id() == TypeId::kJson) return JsonArithmetic("-", MakeInt64(0), value, expr.span);
      return Call("negate", {std::move(value)}, expr.span);
    }
    case ExprKind::kBinary2:
      return BindBinary(expr, context);
    case ExprKind::kFunction:
      return BindFunction(expr, context);
    case ExprKind::kCast: {
      const Expr& arg = *expr.args[0];
      // Digits of a literal go into a DECIMAL exactly, not through a double.
      const bool sign = arg.kind == ExprKind::kUnary && (arg.text == "-" || arg.text == "+");
      const Expr& number = sign ? *arg.args[0] : arg;
      if (number.kind == ExprKind::kNumber && expr.type.id() == TypeId::kDecimal)
        return CastTo(MakeText((sign ? arg.text : "") + number.text), expr.type, expr.span, expr.flag);
      return CastTo(BindExpr(arg, context), expr.type, expr.span, expr.flag);
    }
    case ExprKind::kCase:
      return BindCase(expr, context);
    case ExprKind::kBetween: {
      ExpressionPtr value = BindExpr(*expr.args[0], context);
      ExpressionPtr low = BindExpr(*expr.args[1], context);
      ExpressionPtr high = BindExpr(*expr.args[2], context);
      ExpressionPtr inside =
          MakeAnd(BindComparison(">=", value, low, expr.span), BindComparison("<=", value, high, expr.span));
      if (expr.flag) {
        inside = MakeOr(inside, MakeAnd(BindComparison(">=", value, high, expr.span),
                                        BindComparison("<=", value, low, expr.span)));
      }
      return negate(std::move(inside));
    }
    case ExprKind::kInList:
      return BindIn(expr, context);
    case ExprKind::kLike: {
      std::vector<ExpressionPtr> args;
      for (const ExprPtr& arg : expr.args) {
        ExpressionPtr value = BindExpr(*arg, context);
        if (value->type().id() == TypeId::kJson) value = CastTo(std::move(value), Type::Text(), arg->span);
        args.push_back(std::move(value));
      }
      return negate(Call(expr.text, std::move(args), expr.span));
    }
    case ExprKind::kIsTest: {
      if (expr.text == "json") {
        ExpressionPtr value = Call("is_valid_json", {BindExpr(*expr.args[0], context)}, expr.span);
        return negate(std::move(value));
      }
      ExpressionPtr value = BindExpr(*expr.args[0], context);
      if (expr.text != "null") value = ToBoolean(std::move(value), expr.args[0]->span);
      return Call(std::string(expr.negated ? "is_not_" : "is_") + expr.text, {std::move(value)}, expr.span);
    }
    case ExprKind::kSubscript: {
      ExpressionPtr value = BindExpr(*expr.args[0], context);
      ExpressionPtr index = BindExpr(*expr.args[1], context);
      std::string text;
      switch (value->type().id()) {
        case TypeId::kStruct:
          if (!TextLiteral(index, &text))
            throw UserError(Reason::kTypeError, expr.span, "a STRUCT field is written s['field']");
          return Access(std::move(value), Identifier{text, true, expr.args[1]->span});
        case TypeId::kMap:
          return Call("map_extract", {std::move(value), std::move(index)}, expr.span);
        case TypeId::kJson:
          return Call("->", {std::move(value), std::move(index)}, expr.span);
        default:
          return Call("array_element", {std::move(value), std::move(index)}, expr.span);
      }
    }
    case ExprKind::kSlice: {
      ExpressionPtr from = expr.args[1] ? BindExpr(*expr.args[1], context) : MakeInt64(1);
      ExpressionPtr to = expr.args[2] ? BindExpr(*expr.args[2], context) : MakeInt64(-1);
      return Call("array_slice", {BindExpr(*expr.args[0], context), std::move(from), std::move(to)},
                  expr.span);
    }
    case ExprKind::kField:
      return Access(BindExpr(*expr.args[0], context), expr.names[0]);
    case ExprKind::kArray: {
      std::vector<ExpressionPtr> items;
      for (const ExprPtr& arg : expr.args) items.push_back(BindExpr(*arg, context));
      if (!items.empty()) Unify(items, expr.span, "an array");
      return Call("make_array", std::move(items), expr.span);
    }
    case ExprKind::kStruct: {
      std::vector<ExpressionPtr> values;
      std::vector<Field> fields;
      for (size_t i = 0; i < expr.args.size(); ++i) {
        values.push_back(BindExpr(*expr.args[i], context));
        const bool named = i < expr.field_names.size() && !expr.field_names[i].empty();
        fields.push_back(
            {named ? expr.field_names[i] : "c" + std::to_string(i), values.back()->type(), true});
      }
      return MakeStruct(std::move(values), Type::Struct(std::move(fields)));
    }
    case ExprKind::kMap: {
      std::vector<ExpressionPtr> keys, values;
      for (size_t i = 0; i + 1 < expr.args.size(); i += 2) {
        keys.push_back(BindExpr(*expr.args[i], context));
        values.push_back(BindExpr(*expr.args[i + 1], context));
      }
      if (keys.empty())
        throw UserError(Reason::kTypeError, expr.span, "an empty MAP has no type")
            .Hint("cast it: CAST(MAP(ARRAY[], ARRAY[]) AS MAP<TEXT, INT>)");
      Unify(keys, expr.span, "the keys of a MAP");
      Unify(values, expr.span, "the values of a MAP");
      return Call(
          "map",
          {Call("make_array", std::move(keys), expr.span), Call("make_array", std::move(values), expr.span)},
          expr.span);
    }
    case ExprKind::kSubquery:
      if (const auto known = context.scalars.find(&expr); known != context.scalars.end())
        return ColumnOf(*context.scope.schema, known->second);
      throw UserError(Reason::kUnsupported, expr.span,
                      "a subquery as a value is only supported in the SELECT list and WHERE")
          .Hint("write it as a join");
    case ExprKind::kInQuery:
    case ExprKind::kExists:
      throw UserError(
          Reason::kUnsupported, expr.span,
          "IN and EXISTS with a subquery are only supported as conditions of WHERE, joined by AND")
          .Hint("write it as a join");
    case ExprKind::kStar:
      throw UserError(Reason::kSyntax, expr.span, "'*' is only for count(*) and the SELECT list");
    case ExprKind::kNamedArg:
      throw UserError(Reason::kSyntax, expr.span, "a named argument is not allowed here");
    case ExprKind::kDescriptor:
      throw UserError(Reason::kSyntax, expr.span, "DESCRIPTOR is only for window table functions");
  }
  throw UserError(Reason::kUnsupported, expr.span, "this expression is not supported");
}

}  // namespace laminar::sql
