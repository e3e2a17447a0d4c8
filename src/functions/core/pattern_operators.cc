/// LIKE, ILIKE, SIMILAR TO and the regular-expression operators. A constant pattern is compiled when the call
/// is bound.

#include "base/error.h"
#include "functions/core/pattern.h"
#include "functions/elementwise.h"
#include "functions/overload.h"
#include "functions/register_scalar_core.h"

namespace laminar {

namespace {

std::string BadPattern(std::string_view text, const Pattern& pattern) {
  return "'" + std::string(text) + "' is not a pattern: " + pattern.error();
}

/// '' is no escape at all.
std::optional<char> EscapeOf(std::string_view text) {
  if (text.empty()) return '\0';
  if (text.size() == 1) return text[0];
  return std::nullopt;
}

ScalarKernel ConstantKernel(std::shared_ptr<const Pattern> pattern, bool negate) {
  return [pattern, negate](const ScalarCall& call) {
    const std::vector<arrow::Datum> args = {call.args[0]};
    return Map<std::string_view>({args, call.num_rows, call.context}, arrow::boolean(),
                                 [&](std::string_view text) { return pattern->Matches(text) != negate; });
  };
}

ScalarKernel ColumnKernel(PatternKind kind, bool negate, char escape) {
  return [=](const ScalarCall& call) {
    PatternCache cache(kind);
    const std::vector<arrow::Datum> args = {call.args[0], call.args[1]};
    return Map<std::string_view, std::string_view>(
        {args, call.num_rows, call.context}, arrow::boolean(),
        [&](std::string_view text, std::string_view given, BatchError& error) {
          const Pattern& pattern = cache.Get(given, escape);
          if (!pattern.ok()) {
            error.Fail([&] { return BadPattern(given, pattern); });
            return false;
          }
          return pattern.Matches(text) != negate;
        });
  };
}

std::optional<BoundScalar> BindPattern(PatternKind kind, bool negate, bool takes_escape,
                                       const BindArguments& arguments) {
  if (arguments.size() < 2 || arguments.size() > (takes_escape ? 3u : 2u)) return std::nullopt;
  std::vector<Type> parameters(arguments.size(), Type::Text());
  if (!Accepts(parameters, arguments.types)) return std::nullopt;
  char escape = '\\';
  if (arguments.size() == 3) {
    auto text = ConstantText(arguments, 2);
    auto given = text ? EscapeOf(*text) : std::nullopt;
    if (!given) throw UserError(Reason::kTypeError, {}, "ESCAPE must be one character, as a literal");
    escape = *given;
  }
  if (auto text = ConstantText(arguments, 1)) {
    auto pattern = std::make_shared<const Pattern>(kind, *text, escape);
    if (!pattern->ok()) throw UserError(Reason::kTypeError, {}, BadPattern(*text, *pattern));
    return BoundScalar{std::move(parameters), Type::Boolean(), ConstantKernel(std::move(pattern), negate)};
  }
  return BoundScalar{std::move(parameters), Type::Boolean(), ColumnKernel(kind, negate, escape), true};
}

void Add(FunctionRegistry& registry, std::vector<std::string> names, PatternKind kind, bool negate,
         bool takes_escape, const char* signature, const char* description, const char* example,
         const char* result) {
  registry.Add(ScalarFunction{
      std::move(names),
      {"Operators", signature, description, example, result},
      Volatility::kImmutable,
      {[=](const BindArguments& arguments) { return BindPattern(kind, negate, takes_escape, arguments); }}});
}

}  // namespace

void RegisterPatternOperators(FunctionRegistry& registry) {
  Add(registry, {"like"}, PatternKind::kLike, false, true, "text LIKE pattern [ESCAPE c] → boolean",
      "% stands for any text, _ for one character; \\ (or the ESCAPE character) before them makes them "
      "plain.",
      "'laminar' LIKE 'lam%'", "true");
  Add(registry, {"ilike"}, PatternKind::kILike, false, true, "text ILIKE pattern [ESCAPE c] → boolean",
      "LIKE, ignoring case.", "'Laminar' ILIKE 'lam%'", "true");
  Add(registry, {"similar_to"}, PatternKind::kSimilarTo, false, true,
      "text SIMILAR TO pattern [ESCAPE c] → boolean",
      "LIKE with |, *, +, ?, {n}, ( ) and [ ] of regular expressions; the whole text must match.",
      "'abc' SIMILAR TO '(a|b)%'", "true");
  const char* kRegexText = "Whether the RE2 regular expression matches somewhere in the text.";
  Add(registry, {"~"}, PatternKind::kRegex, false, false, "text ~ pattern → boolean", kRegexText,
      "'abc' ~ '^a.c$'", "true");
  Add(registry, {"~*"}, PatternKind::kRegexIgnoreCase, false, false, "text ~* pattern → boolean",
      "~, ignoring case.", "'ABC' ~* 'b'", "true");
  Add(registry, {"!~"}, PatternKind::kRegex, true, false, "text !~ pattern → boolean", "NOT ~.",
      "'abc' !~ 'x'", "true");
  Add(registry, {"!~*"}, PatternKind::kRegexIgnoreCase, true, false, "text !~* pattern → boolean", "NOT ~*.",
      "'abc' !~* 'B'", "false");
}

}  // namespace laminar
