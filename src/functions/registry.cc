#include "functions/registry.h"

#include <arrow/array.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/error.h"
#include "base/name.h"
#include "functions/call_expression.h"

namespace laminar {

namespace {

template <typename Definition>
void AddNames(std::map<std::string, std::shared_ptr<const Definition>>* into, Definition definition) {
  LAMINAR_CHECK(!definition.names.empty(), "a function without a name");
  auto shared = std::make_shared<const Definition>(std::move(definition));
  for (const std::string& name : shared->names) {
    const bool fresh = into->emplace(name, shared).second;
    LAMINAR_CHECK(fresh, "function " + name + " is registered twice");
  }
}

/// Each definition once, by canonical name.
template <typename Definition>
std::vector<const Definition*> Canonical(
    const std::map<std::string, std::shared_ptr<const Definition>>& by_name) {
  std::vector<const Definition*> out;
  for (const auto& [name, definition] : by_name) {
    if (name == definition->names[0]) out.push_back(definition.get());
  }
  return out;
}

std::optional<BoundScalar> AskOverloads(const ScalarFunction& function, const BindArguments& arguments) {
  for (const ScalarBinder& binder : function.overloads) {
    if (auto bound = binder(arguments)) return bound;
  }
  return std::nullopt;
}

bool HasJson(const BindArguments& arguments) {
  return std::any_of(arguments.types.begin(), arguments.types.end(),
                     [](const Type& t) { return t.id() == TypeId::kJson; });
}

/// A JSON value adapts to its context: when no overload takes JSON (or TEXT) it is read as a number, a moment
/// or a boolean.
std::optional<BoundScalar> AskWithJsonAs(const ScalarFunction& function, BindArguments arguments,
                                         const Type& type) {
  for (Type& argument : arguments.types) {
    if (argument.id() == TypeId::kJson) argument = type;
  }
  return AskOverloads(function, arguments);
}

/// A text literal has no fixed type: `year('2024-01-01')`. Parameters that stay open are TEXT after all.
std::optional<BoundScalar> AskWithOpenLiterals(const ScalarFunction& function, const BindArguments& given) {
  BindArguments arguments = given;
  bool any = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments.types[i].id() != TypeId::kText || !arguments.constants[i]) continue;
    arguments.types[i] = Type::Null();
    any = true;
  }
  if (!any) return std::nullopt;
  auto bound = AskOverloads(function, arguments);
  if (!bound) return std::nullopt;
  for (size_t i = 0; i < bound->parameters.size(); ++i) {
    if (!CanCast(given.types[i], bound->parameters[i]) || bound->parameters[i].is_null()) return std::nullopt;
  }
  return bound;
}

std::optional<BoundScalar> Resolve(const ScalarFunction& function, const BindArguments& arguments) {
  if (auto bound = AskOverloads(function, arguments)) return bound;
  if (HasJson(arguments)) {
    for (const Type& type : {Type::Double(), Type::Timestamp(), Type::Boolean()}) {
      if (auto bound = AskWithJsonAs(function, arguments, type)) return bound;
    }
  }
  return AskWithOpenLiterals(function, arguments);
}

std::string TypeList(const std::vector<Type>& types) {
  std::string out;
  for (const Type& type : types) {
    if (!out.empty()) out += ", ";
    out += type.ToString();
  }
  return out;
}

bool IsOperatorName(const std::string& name) {
  return !name.empty() && !std::isalpha(static_cast<unsigned char>(name[0]));
}

[[noreturn]] void ThrowNoOverload(const ScalarFunction& function, const std::string& name,
                                  const BindArguments& arguments) {
  if (IsOperatorName(name) && arguments.size() == 2) {
    throw UserError(
        Reason::kTypeError, {},
        "no operator " + arguments.types[0].ToString() + " " + name + " " + arguments.types[1].ToString());
  }
  throw UserError(Reason::kTypeError, {}, name + "(" + TypeList(arguments.types) + ") does not exist")
      .Hint("there is: " + function.doc.signature);
}

/// Casts an argument; a constant is cast here, once, and refused here when it does not fit. What JSON does
/// not fit becomes NULL: it adapts to its context, nobody asked for the cast.
ExpressionPtr CastArgument(const ExpressionPtr& argument, const Type& to, bool constant) {
  if (argument->type() == to) return argument;
  ExpressionPtr cast = MakeCast(argument, to, /*try_cast=*/argument->type().id() == TypeId::kJson);
  if (!constant) return cast;
  Batch one_row;
  one_row.num_rows = 1;
  auto value = cast->Evaluate(one_row, EvalContext{});
  if (!value.ok()) throw UserError(Reason::kTypeError, {}, value.status().message());
  return value->is_scalar() ? MakeLiteral(value->scalar(), to) : cast;
}

}  // namespace

void FunctionRegistry::Add(ScalarFunction function) {
  for (const std::string& name : function.names) {
    LAMINAR_CHECK(!aggregates_.count(name), name + " is registered as an aggregate too");
  }
  AddNames(&scalars_, std::move(function));
}

void FunctionRegistry::Add(AggregateDefinition definition) {
  for (const std::string& name : definition.names) {
    LAMINAR_CHECK(!scalars_.count(name), name + " is registered as a scalar function too");
  }
  AddNames(&aggregates_, std::move(definition));
}

const ScalarFunction* FunctionRegistry::FindScalar(std::string_view name) const {
  auto it = scalars_.find(FoldName(name));
  return it == scalars_.end() ? nullptr : it->second.get();
}

const AggregateDefinition* FunctionRegistry::FindAggregate(std::string_view name) const {
  auto it = aggregates_.find(FoldName(name));
  return it == aggregates_.end() ? nullptr : it->second.get();
}

std::vector<std::string> FunctionRegistry::names() const {
  std::set<std::string> out;
  for (const auto& [name, function] : scalars_) out.insert(name);
  for (const auto& [name, function] : aggregates_) out.insert(name);
  return {out.begin(), out.end()};
}

std::vector<const ScalarFunction*> FunctionRegistry::scalars() const { return Canonical(scalars_); }
std::vector<const AggregateDefinition*> FunctionRegistry::aggregates() const {
  return Canonical(aggregates_);
}

ExpressionPtr FunctionRegistry::BindScalar(std::string_view name,
                                           std::vector<ExpressionPtr> arguments) const {
  const ScalarFunction* function = FindScalar(name);
  if (!function) {
    UserError error(Reason::kUnknownFunction, {}, "no function '" + FoldName(name) + "'");
    const std::string nearest = NearestName(name, names());
    if (!nearest.empty()) error.Hint("did you mean '" + nearest + "'?");
    throw error;
  }
  BindArguments given;
  for (const ExpressionPtr& argument : arguments) {
    given.types.push_back(argument->type());
    given.constants.push_back(FoldConstant(*argument));
  }
  std::optional<BoundScalar> bound = Resolve(*function, given);
  if (!bound) ThrowNoOverload(*function, FoldName(name), given);
  LAMINAR_CHECK(bound->parameters.size() == arguments.size(),
                function->names[0] + ": a parameter for each argument");
  for (size_t i = 0; i < arguments.size(); ++i) {
    arguments[i] = CastArgument(arguments[i], bound->parameters[i], given.constants[i] != nullptr);
  }
  return MakeCall(function->names[0], std::move(*bound), function->volatility, std::move(arguments));
}

bool ImplicitlyCastable(const Type& from, const Type& to) {
  if (from == to || from.is_null()) return true;
  if (from.id() == TypeId::kText || from.id() == TypeId::kJson) {
    return to.id() == TypeId::kText || to.id() == TypeId::kJson;
  }
  auto common = CommonType(from, to);
  return common && *common == to;
}

}  // namespace laminar
