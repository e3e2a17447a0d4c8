// CREATE FUNCTION … LANGUAGE sql, and calls of functions that are declared. A body is bound once, where it is
// declared: a call is an expression of its own over the arguments (functions/sql_function.h), and nothing
// that rewrites columns looks into the body.

#include <algorithm>

#include "sql/binder.h"
#include "sql/parser.h"

namespace laminar::sql {

namespace {

/// Functions that call each other twice would double at each step.
constexpr int64_t kFunctionSizeMax = 50'000;
/// Of all calls of a script: plans hold the text of each.
constexpr int64_t kScriptSizeMax = 500'000;

/// What looks like a function and is none of the registry.
bool IsSpecialForm(const std::string& name) {
  static const std::set<std::string> kNames = {"case",   "cast",     "exists",    "explode", "interval",
                                               "unnest", "row_time", "safe_cast", "try_cast"};
  return kNames.count(name) > 0;
}

bool IsBuiltIn(const FunctionRegistry& functions, const std::string& name) {
  return functions.FindScalar(name) || functions.FindAggregate(name) || IsWindowFunction(name) ||
         IsRankFunction(name) || IsSpecialForm(name);
}

/// What a body cannot hold, and `expr` is; empty: nothing.
std::string NotScalar(const Expr& expr, const FunctionRegistry& functions) {
  if (expr.over) return "OVER";
  if (expr.query) return "a subquery";
  if (expr.kind != ExprKind::kFunction) return "";
  const std::string name = FoldName(expr.names.back().text);
  if (functions.FindAggregate(name) && !functions.FindScalar(name)) return "the aggregate " + name;
  if (IsWindowFunction(name)) return "the window " + name;
  if (IsRankFunction(name) || name == "unnest" || name == "explode" || name == "row_time") return name;
  return "";
}

/// Throws for what is no value of one row.
void CheckScalar(const Expr& expr, const FunctionRegistry& functions) {
  if (const std::string what = NotScalar(expr, functions); !what.empty()) {
    throw UserError(Reason::kUnsupported, expr.span, what + " cannot stand in a function's body")
        .Hint("a body is an expression over the parameters of one call");
  }
  auto check = [&](const ExprPtr& part) {
    if (part) CheckScalar(*part, functions);
  };
  for (const ExprPtr& arg : expr.args) check(arg);
  check(expr.else_branch);
  if (expr.json) {
    check(expr.json->default_on_empty);
    check(expr.json->default_on_error);
  }
}

/// Adds what `expression` evaluates to `count`, until that is too much: parts may stand in it twice.
void CountExpressions(const Expression& expression, int64_t* count) {
  if (++*count > kFunctionSizeMax) return;
  for (const ExpressionPtr& child : expression.children()) CountExpressions(*child, count);
}

/// `expr`, or `SELECT expr`, as bodies are written in PostgreSQL.
ExprPtr ParseBody(const std::string& text) {
  ParsedScript parsed = ParseScript(text);
  if (!parsed.errors.empty() || parsed.statements.size() != 1) return ParseExpression(text);
  Statement& statement = parsed.statements[0];
  if (statement.kind != StatementKind::kQuery) return ParseExpression(text);
  Query& query = *statement.query;
  const Select* select = query.select.get();
  const bool value = select && query.with.empty() && query.order_by.empty() && !query.limit &&
                     !query.offset && !select->from && !select->where && select->group_by.empty() &&
                     !select->having && !select->qualify && !select->distinct && select->items.size() == 1 &&
                     select->items[0].expr;
  if (!value) {
    throw UserError(Reason::kUnsupported, statement.span, "a function's body is one expression, not a query")
        .Hint("write the expression that follows SELECT");
  }
  return std::move(query.select->items[0].expr);
}

SourceSpan SpanOfBody(const Statement& statement) {
  if (statement.body_offset < 0) return statement.value_span;
  return {statement.body_offset, static_cast<int64_t>(statement.value.size())};
}

/// `error`, whose position is one of the body, at its place in the script.
UserError InScript(const UserError& error, const Statement& statement) {
  SourceSpan span = SpanOfBody(statement);
  if (error.span().known() && statement.body_offset >= 0)
    span = {error.span().offset + statement.body_offset, error.span().length};
  return UserError(error.reason(), span, error.message()).Hint(error.hint());
}

UserError InStored(const UserError& error, const std::string& name) {
  return UserError(error.reason(), {}, "function '" + name + "': " + error.message()).Hint(error.hint());
}

}  // namespace

void Binder::BindFunctionsBefore() {
  for (const std::string& text : options_.functions_before) {
    ParsedScript parsed = ParseScript(text);
    try {
      if (!parsed.errors.empty()) throw parsed.errors[0];
      for (const Statement& statement : parsed.statements) {
        if (statement.kind == StatementKind::kCreateFunction) BindCreateFunction(statement);
      }
    } catch (const UserError& error) {  // its positions are not those of the script
      const std::string name = parsed.statements.empty() ? "" : parsed.statements[0].name.text;
      script_.errors.push_back(InStored(error, name));
    }
  }
}

void Binder::BindCreateFunction(const Statement& statement) {
  const std::string name = FoldName(statement.name.text);
  if (functions_.count(name) && !statement.or_replace) {
    if (statement.if_not_exists) return;
    throw UserError(Reason::kDuplicateName, statement.name.span,
                    "function '" + statement.name.text + "' exists already")
        .Hint("use CREATE OR REPLACE FUNCTION");
  }
  functions_[name] = std::make_shared<const DeclaredFunction>(DefineFunction(statement, /*stored=*/false));
}

DeclaredFunction Binder::DescribeFunction(const Statement& statement) {
  BindFunctionsBefore();
  if (!script_.errors.empty()) throw script_.errors[0];
  return DefineFunction(statement, /*stored=*/false);
}

DeclaredFunction Binder::DefineFunction(const Statement& statement, bool stored) {
  if (!statement.object_kind.empty() && statement.object_kind != "sql") {
    throw UserError(Reason::kUnsupported, statement.language_span,
                    "functions in " + statement.object_kind + " are not in this build")
        .Hint("LANGUAGE sql is");
  }
  auto made = std::make_shared<SqlFunction>();
  made->name = FoldName(statement.name.text);
  if (IsBuiltIn(*options_.functions, made->name)) {
    throw UserError(Reason::kDuplicateName, statement.name.span,
                    "'" + made->name + "' is a built-in function and cannot be declared")
        .Hint("choose another name");
  }
  std::set<std::string> names;
  for (const ColumnDefinition& column : statement.columns) {
    if (!names.insert(FoldName(column.name.text)).second)
      throw UserError(Reason::kDuplicateName, column.name.span,
                      "parameter '" + column.name.text + "' is declared twice");
    made->parameters.push_back({column.name.text, *column.type, !column.not_null && !statement.strict});
  }
  DeclaredFunction out;
  made->body = BindBody(statement, made->parameters, stored, &out.size);
  out.body_type = made->body->type();
  const Type& returns = statement.returns ? *statement.returns : out.body_type;
  if (returns.is_null()) {
    throw UserError(Reason::kTypeError, SpanOfBody(statement), "the body is NULL, which has no type")
        .Hint("write RETURNS and a type");
  }
  if (!Assignable(out.body_type, returns)) {
    throw UserError(Reason::kTypeError, SpanOfBody(statement),
                    "the body is " + out.body_type.ToString() + ", function '" + made->name + "' returns " +
                        returns.ToString())
        .Hint("cast the body: CAST(… AS " + returns.ToString() + ")");
  }
  made->body = CastTo(made->body, returns, SpanOfBody(statement));
  made->volatility = statement.volatility == "volatile" ? Volatility::kVolatile
                     : statement.volatility == "stable" ? Volatility::kStable
                                                        : Volatility::kImmutable;
  out.function = std::move(made);
  return out;
}

ExpressionPtr Binder::BindBody(const Statement& statement, const std::vector<Field>& parameters, bool stored,
                               int64_t* size) {
  FunctionBody body{FoldName(statement.name.text), stored, body_};
  PlanSchema schema;
  for (const Field& parameter : parameters)
    schema.columns.push_back({parameter.name, parameter.type, parameter.nullable, false});
  SelectContext context;
  context.scope.schema = &schema;
  context.scope.function = statement.name.text;
  body_ = &body;
  ExpressionPtr bound;
  try {
    const ExprPtr parsed = ParseBody(statement.value);
    CheckScalar(*parsed, *options_.functions);
    bound = BindExpr(*parsed, context);
    CountExpressions(*bound, &body.size);
    if (body.size > kFunctionSizeMax) {
      throw UserError(Reason::kUnsupported, {},
                      "function '" + statement.name.text + "' and what it calls add up to more than " +
                          std::to_string(kFunctionSizeMax) + " operations");
    }
  } catch (const UserError& error) {
    body_ = body.caller;
    throw InScript(error, statement);
  }
  body_ = body.caller;
  *size = body.size;
  return bound;
}

const DeclaredFunction* Binder::FindFunction(const std::string& name) {
  const bool stored_only = body_ && body_->stored;
  if (const auto found = functions_.find(name); found != functions_.end() && !stored_only)
    return found->second.get();
  if (const auto found = stored_functions_.find(name); found != stored_functions_.end())
    return found->second.get();
  const auto text = options_.function_catalog ? options_.function_catalog->Declaration(name) : std::nullopt;
  if (!text) return nullptr;
  ParsedScript parsed = ParseScript(*text);
  try {
    if (!parsed.errors.empty()) throw parsed.errors[0];
    auto defined = std::make_shared<const DeclaredFunction>(DefineFunction(parsed.statements.at(0), true));
    return (stored_functions_[name] = std::move(defined)).get();
  } catch (const UserError& error) {  // its positions are those of a text that the user does not see
    throw InStored(error, name);
  }
}

ExpressionPtr Binder::CallDeclared(const std::string& name, std::vector<ExpressionPtr> args,
                                   SourceSpan span) {
  for (const FunctionBody* body = body_; body; body = body->caller) {
    if (body->name != name || body->stored != body_->stored) continue;
    throw UserError(Reason::kUnsupported, span, "function '" + name + "' cannot call itself");
  }
  const DeclaredFunction* found = FindFunction(name);
  if (!found) {
    uses_failed_name_ = failed_names_.count(name) > 0;
    std::vector<std::string> names = options_.functions->names();
    for (const auto& [declared, function] : functions_) names.push_back(declared);
    if (options_.function_catalog) {
      for (std::string& stored : options_.function_catalog->names()) names.push_back(std::move(stored));
    }
    UserError error(Reason::kUnknownFunction, span, "no function '" + name + "'");
    if (const std::string nearest = NearestName(name, names); !nearest.empty())
      error.Hint("did you mean '" + nearest + "'?");
    throw error;
  }
  if (body_) body_->size += found->size;
  if (!body_ && (called_size_ += found->size) > kScriptSizeMax) {
    throw UserError(Reason::kUnsupported, span,
                    "the functions that the script calls add up to more than " +
                        std::to_string(kScriptSizeMax) + " operations");
  }
  try {
    return CallSqlFunction(found->function, std::move(args));
  } catch (UserError& error) {
    throw error.At(span);
  }
}

}  // namespace laminar::sql
