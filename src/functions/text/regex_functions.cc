/// REGEXP_LIKE and its family. Constant patterns are compiled when the call is bound, and a bad one is the
/// user's error then; no function but the array-valued ones allocates per row.

#include <fmt/format.h>

#include <cstring>

#include "base/error.h"
#include "functions/elementwise.h"
#include "functions/overload.h"
#include "functions/register_text.h"
#include "functions/text/regex.h"
#include "functions/text/regex_literal.h"
#include "functions/text/text_list.h"
#include "functions/text/utf8.h"

namespace laminar {
namespace {

using Groups = std::vector<re2::StringPiece>;

std::string_view View(const re2::StringPiece& piece) { return {piece.data(), piece.size()}; }

/// An empty column may have no bytes to point to, but RE2 marks a group that took no part by a null pointer.
re2::StringPiece Piece(std::string_view text) { return {text.data() ? text.data() : "", text.size()}; }

/// What a kernel needs that is known at binding. `flags_index` < 0: the function has no flags.
struct RegexCall {
  RegexSource source;
  bool constant = false;
  int constant_groups = 0;  ///< of the constant pattern
  std::string literal;      ///< what every match of the constant pattern holds; empty: not known

  /// Cheaper than the regular expression, where it is false.
  bool MayMatch(std::string_view text) const {
    return literal.empty() || memmem(text.data(), text.size(), literal.data(), literal.size()) != nullptr;
  }
};

/// Throws UserError for a constant pattern or flags that are bad.
RegexCall BindRegex(const char* function, const BindArguments& arguments, size_t pattern_index,
                    size_t flags_index) {
  const bool has_flags = flags_index < arguments.size();
  const auto flags_text = has_flags ? ConstantText(arguments, flags_index) : std::optional<std::string>("");
  const auto flags = flags_text ? ParseRegexFlags(*flags_text) : std::optional<RegexFlags>();
  if (flags_text && !flags) {
    throw UserError(Reason::kTypeError, {},
                    fmt::format("{}: unknown flag in '{}'; there are g, i, m and s", function, *flags_text));
  }
  const auto pattern = ConstantText(arguments, pattern_index);
  if (!pattern || !flags) return {RegexSource(function, nullptr, {}), false, 0, ""};
  std::string error;
  RegexPtr regex = CompileRegex(*pattern, *flags, &error);
  if (!regex)
    throw UserError(Reason::kTypeError, {},
                    fmt::format("{}: bad pattern '{}': {}", function, *pattern, error));
  const int groups = regex->NumberOfCapturingGroups();
  return {RegexSource(function, std::move(regex), *flags), true, groups,
          flags->ignore_case ? "" : RequiredLiteral(*pattern)};
}

using MakeKernel = ScalarKernel (*)(RegexCall regex, const BindArguments& arguments);

/// A binder for (text, pattern, …): compiles what is constant, then lets `make` build the kernel.
ScalarBinder RegexBinder(const char* function, std::vector<Type> parameters, size_t optional, Type result,
                         size_t flags_index, MakeKernel make) {
  const ScalarBinder take = FixedOptional(std::move(parameters), optional, std::move(result), nullptr);
  return [=](const BindArguments& arguments) {
    auto bound = take(arguments);
    if (!bound) return bound;
    RegexCall regex = BindRegex(function, arguments, 1, flags_index);
    bound->can_fail = !regex.constant;
    bound->kernel = make(std::move(regex), arguments);
    return bound;
  };
}

/// Whether a match exists; no groups, so that RE2 needs only its automaton.
bool Matches(const re2::RE2& regex, std::string_view text) {
  return regex.Match(Piece(text), 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0);
}

// ---- REGEXP_LIKE ----

ScalarKernel LikeKernel(RegexCall regex, const BindArguments&) {
  return [regex](const ScalarCall& call) {
    RegexSource source = regex.source;
    if (call.args.size() == 2) {
      return Map<std::string_view, std::string_view>(
          call, arrow::boolean(), [&](std::string_view text, std::string_view pattern, BatchError& error) {
            const re2::RE2* compiled = source.Get(pattern, "", error);
            return compiled && regex.MayMatch(text) && Matches(*compiled, text);
          });
    }
    return Map<std::string_view, std::string_view, std::string_view>(
        call, arrow::boolean(),
        [&source](std::string_view text, std::string_view pattern, std::string_view flags,
                  BatchError& error) {
          const re2::RE2* compiled = source.Get(pattern, flags, error);
          return compiled && Matches(*compiled, text);
        });
  };
}

// ---- REGEXP_EXTRACT ----

/// Group `group` of the first match; nullopt without match, without such a group, or when the group took no
/// part.
std::optional<std::string_view> ExtractGroup(const re2::RE2& regex, std::string_view text, int64_t group,
                                             Groups& groups) {
  if (group < 0 || group > regex.NumberOfCapturingGroups()) return std::nullopt;
  const int count = static_cast<int>(group) + 1;
  if (groups.size() < static_cast<size_t>(count)) groups.resize(static_cast<size_t>(count));
  if (!regex.Match(Piece(text), 0, text.size(), re2::RE2::UNANCHORED, groups.data(), count))
    return std::nullopt;
  const re2::StringPiece& found = groups[static_cast<size_t>(group)];
  return found.data() ? std::optional(View(found)) : std::nullopt;
}

void CheckConstantGroup(const char* function, const RegexCall& regex, const BindArguments& arguments,
                        size_t group_index) {
  const auto group = ConstantInteger(arguments, group_index);
  if (!group || !regex.constant || (*group >= 0 && *group <= regex.constant_groups)) return;
  throw UserError(Reason::kTypeError, {},
                  fmt::format("{}: group {} does not exist; the pattern has groups 0 to {}", function, *group,
                              regex.constant_groups));
}

ScalarKernel ExtractKernel(RegexCall regex, const BindArguments& arguments) {
  CheckConstantGroup("regexp_extract", regex, arguments, 2);
  return [regex](const ScalarCall& call) {
    RegexSource source = regex.source;
    Groups groups;
    using Found = std::optional<std::string_view>;
    if (call.args.size() == 2) {
      return Map<std::string_view, std::string_view>(
          call, arrow::utf8(),
          [&](std::string_view text, std::string_view pattern, BatchError& error) -> Found {
            const re2::RE2* compiled = source.Get(pattern, "", error);
            return compiled && regex.MayMatch(text) ? ExtractGroup(*compiled, text, 0, groups) : std::nullopt;
          });
    }
    return Map<std::string_view, std::string_view, int64_t>(
        call, arrow::utf8(),
        [&](std::string_view text, std::string_view pattern, int64_t group, BatchError& error) -> Found {
          const re2::RE2* compiled = source.Get(pattern, "", error);
          return compiled && regex.MayMatch(text) ? ExtractGroup(*compiled, text, group, groups)
                                                  : std::nullopt;
        });
  };
}

// ---- REGEXP_REPLACE ----

void AppendReplaced(const re2::RE2& regex, bool global, std::string_view text,
                    const RegexReplacement& replacement, Groups& groups, TextWriter& out) {
  const int count = std::min(replacement.max_group(), regex.NumberOfCapturingGroups()) + 1;
  if (groups.size() < static_cast<size_t>(count)) groups.resize(static_cast<size_t>(count));
  RegexMatches matches(regex, text, 0, groups.data(), count);
  size_t done = 0;
  while (matches.Next()) {
    out.Append(text.substr(done, matches.match_begin() - done));
    replacement.Append(groups.data(), count, out);
    done = matches.match_end();
    if (!global) break;
  }
  out.Append(text.substr(done));
}

ScalarKernel ReplaceKernel(RegexCall regex, const BindArguments& arguments) {
  std::shared_ptr<const RegexReplacement> constant;
  if (const auto text = ConstantText(arguments, 2)) constant = std::make_shared<RegexReplacement>(*text);
  if (constant && regex.constant && constant->max_group() > regex.constant_groups) {
    throw UserError(Reason::kTypeError, {},
                    fmt::format("regexp_replace: the replacement names group {}; the pattern has {}",
                                constant->max_group(), regex.constant_groups));
  }
  return [regex, constant](const ScalarCall& call) {
    RegexSource source = regex.source;
    Groups groups;
    auto replace = [&](std::string_view text, std::string_view pattern, std::string_view replacement,
                       std::string_view flags, TextWriter& out, BatchError& error) {
      const re2::RE2* compiled = source.Get(pattern, flags, error);
      if (!compiled) return;
      if (constant) {
        AppendReplaced(*compiled, source.flags().global, text, *constant, groups, out);
      } else {
        AppendReplaced(*compiled, source.flags().global, text, RegexReplacement(replacement), groups, out);
      }
    };
    if (call.args.size() == 4) {
      return MapText<std::string_view, std::string_view, std::string_view, std::string_view>(
          call, arrow::utf8(), replace);
    }
    return MapText<std::string_view, std::string_view, std::string_view>(
        call, arrow::utf8(),
        [&](std::string_view text, std::string_view pattern, std::string_view replacement, TextWriter& out,
            BatchError& error) { replace(text, pattern, replacement, "", out, error); });
  };
}

// ---- REGEXP_COUNT, REGEXP_INSTR ----

ScalarKernel CountKernel(RegexCall regex, const BindArguments&) {
  return [regex](const ScalarCall& call) {
    RegexSource source = regex.source;
    auto count = [&](std::string_view text, std::string_view pattern, int64_t start, BatchError& error) {
      int64_t found = 0;
      const re2::RE2* compiled = source.Get(pattern, "", error);
      if (!compiled) return found;
      if (start < 1) {
        error.Fail([&] { return fmt::format("regexp_count: start {} is below 1", start); });
        return found;
      }
      re2::StringPiece group;
      RegexMatches matches(*compiled, text, CodePointOffset(text, start - 1), &group, 1);
      while (matches.Next()) ++found;
      return found;
    };
    if (call.args.size() == 3)
      return Map<std::string_view, std::string_view, int64_t>(call, arrow::int64(), count);
    return Map<std::string_view, std::string_view>(
        call, arrow::int64(), [&](std::string_view text, std::string_view pattern, BatchError& error) {
          return count(text, pattern, 1, error);
        });
  };
}

ScalarKernel InstrKernel(RegexCall regex, const BindArguments&) {
  return [regex](const ScalarCall& call) {
    RegexSource source = regex.source;
    return Map<std::string_view, std::string_view>(
        call, arrow::int64(),
        [&](std::string_view text, std::string_view pattern, BatchError& error) -> int64_t {
          const re2::RE2* compiled = source.Get(pattern, "", error);
          re2::StringPiece group;
          if (!compiled || !RegexMatches(*compiled, text, 0, &group, 1).Next()) return 0;
          return CodePointCount(text.substr(0, static_cast<size_t>(group.data() - text.data()))) + 1;
        });
  };
}

// ---- REGEXP_MATCH, REGEXP_EXTRACT_ALL: TEXT[] ----

void AddGroupTo(const re2::StringPiece& group, TextListWriter& writer) {
  if (group.data()) {
    writer.Add(View(group));
  } else {
    writer.AddNull();
  }
}

/// Runs `on_row(regex, text, row)`, which gives false for NULL, over rows without NULL arguments.
template <typename OnRow>
arrow::Result<arrow::Datum> MapToList(const ScalarCall& call, RegexSource source, size_t flags_index,
                                      TextListWriter& writer, const CallShape& shape, OnRow on_row) {
  const ColumnReader<std::string_view> texts(call.args[0]);
  const ColumnReader<std::string_view> patterns(call.args[1]);
  std::optional<ColumnReader<std::string_view>> flags;
  if (flags_index < call.args.size()) flags.emplace(call.args[flags_index]);
  BatchError error;
  for (int64_t row = 0; row < shape.rows; ++row) {
    const re2::RE2* regex = nullptr;
    if (shape.IsValid(row))
      regex = source.Get(patterns[row], flags ? (*flags)[row] : std::string_view(), error);
    if (regex && on_row(*regex, texts[row], row)) {
      writer.EndRow();
    } else {
      writer.EndNullRow();
    }
  }
  if (error.failed()) return error.status();
  return writer.Finish(shape);
}

/// The groups of the first match, or the match itself when the pattern has none.
ScalarKernel MatchKernel(RegexCall regex, const BindArguments&) {
  return [regex](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    const CallShape shape = ShapeOf(call);
    if (shape.all_null) return NullDatum(Type::Array(Type::Text()).arrow_type());
    Groups groups;
    TextListWriter writer(shape.rows);
    return MapToList(
        call, regex.source, 2, writer, shape, [&](const re2::RE2& compiled, std::string_view text, int64_t) {
          const int count = compiled.NumberOfCapturingGroups() + 1;
          groups.resize(static_cast<size_t>(count));
          if (!compiled.Match(Piece(text), 0, text.size(), re2::RE2::UNANCHORED, groups.data(), count))
            return false;
          for (int i = count == 1 ? 0 : 1; i < count; ++i) AddGroupTo(groups[static_cast<size_t>(i)], writer);
          return true;
        });
  };
}

ScalarKernel ExtractAllKernel(RegexCall regex, const BindArguments& arguments) {
  CheckConstantGroup("regexp_extract_all", regex, arguments, 2);
  return [regex](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    const CallShape shape = ShapeOf(call);
    if (shape.all_null) return NullDatum(Type::Array(Type::Text()).arrow_type());
    std::optional<ColumnReader<int64_t>> group_numbers;
    if (call.args.size() == 3) group_numbers.emplace(call.args[2]);
    Groups groups;
    TextListWriter writer(shape.rows);
    auto on_row = [&](const re2::RE2& compiled, std::string_view text, int64_t row) {
      const int64_t group = group_numbers ? (*group_numbers)[row] : 0;
      if (group < 0 || group > compiled.NumberOfCapturingGroups()) return false;
      groups.resize(static_cast<size_t>(group) + 1);
      RegexMatches matches(compiled, text, 0, groups.data(), static_cast<int>(group) + 1);
      while (matches.Next()) AddGroupTo(groups.back(), writer);
      return true;
    };
    return MapToList(call, regex.source, SIZE_MAX, writer, shape, on_row);
  };
}

constexpr size_t kNoFlags = SIZE_MAX;

}  // namespace

void RegisterRegexFunctions(FunctionRegistry& registry) {
  const Type text = Type::Text();
  const Type bigint = Type::Int64();
  registry.Add(ScalarFunction{
      .names = {"regexp_like", "regexp"},
      .doc = {.group = "Regex",
              .signature = "regexp_like(text, pattern, flags?) → BOOLEAN",
              .description = "Whether the RE2 pattern matches anywhere in the text. Flags: i ignores case, m "
                             "lets ^ and $ match "
                             "at line breaks, s lets . match a line break. A bad pattern is an error.",
              .example = "regexp_like('Stream', '^str', 'i')",
              .result = "true"},
      .overloads = {RegexBinder("regexp_like", {text, text, text}, 1, Type::Boolean(), 2, LikeKernel)}});
  registry.Add(ScalarFunction{
      .names = {"regexp_match"},
      .doc = {.group = "Regex",
              .signature = "regexp_match(text, pattern, flags?) → TEXT[]",
              .description = "The groups of the first match, or the whole match when the pattern has no "
                             "group; NULL without match.",
              .example = "regexp_match('foobarbaz', 'b(.)(.)')",
              .result = "[\"a\",\"r\"]"},
      .overloads = {RegexBinder("regexp_match", {text, text, text}, 1, Type::Array(text), 2, MatchKernel)}});
  registry.Add(ScalarFunction{
      .names = {"regexp_replace"},
      .doc = {.group = "Regex",
              .signature = "regexp_replace(text, pattern, replacement, flags?) → TEXT",
              .description = "The first match replaced, or all with flag g. In the replacement \\1 or $1 is "
                             "a group, \\0 or $0 "
                             "the whole match.",
              .example = "regexp_replace('2024-05', '(\\d+)-(\\d+)', '$2/$1')",
              .result = "\"05/2024\""},
      .overloads = {RegexBinder("regexp_replace", {text, text, text, text}, 1, text, 3, ReplaceKernel)}});
  registry.Add(ScalarFunction{
      .names = {"regexp_extract", "regexp_substr"},
      .doc = {.group = "Regex",
              .signature = "regexp_extract(text, pattern, group?) → TEXT",
              .description =
                  "Group `group` of the first match (default 0: the whole match); NULL without match.",
              .example = "regexp_extract('id=42&x=1', 'id=(\\d+)', 1)",
              .result = "\"42\""},
      .overloads = {RegexBinder("regexp_extract", {text, text, bigint}, 1, text, kNoFlags, ExtractKernel)}});
  const ScalarBinder count =
      RegexBinder("regexp_count", {text, text, bigint}, 1, bigint, kNoFlags, CountKernel);
  registry.Add(ScalarFunction{.names = {"regexp_count"},
                              .doc = {.group = "Regex",
                                      .signature = "regexp_count(text, pattern, start?) → BIGINT",
                                      .description = "Number of matches that do not overlap, from position "
                                                     "`start` (1-based) on. A start below 1 is an "
                                                     "error.",
                                      .example = "regexp_count('banana', 'an')",
                                      .result = "2"},
                              .overloads = {[count](const BindArguments& arguments) {
                                auto bound = count(arguments);
                                if (bound && arguments.size() == 3 &&
                                    ConstantInteger(arguments, 2).value_or(0) < 1)
                                  bound->can_fail = true;
                                return bound;
                              }}});
  registry.Add(ScalarFunction{
      .names = {"regexp_instr"},
      .doc = {.group = "Regex",
              .signature = "regexp_instr(text, pattern) → BIGINT",
              .description = "Position (1-based) of the first match; 0 without match.",
              .example = "regexp_instr('stream', '[aeiou]')",
              .result = "4"},
      .overloads = {RegexBinder("regexp_instr", {text, text}, 0, bigint, kNoFlags, InstrKernel)}});
  registry.Add(ScalarFunction{
      .names = {"regexp_extract_all"},
      .doc = {.group = "Regex",
              .signature = "regexp_extract_all(text, pattern, group?) → TEXT[]",
              .description =
                  "Group `group` (default 0: the whole match) of every match; empty without match.",
              .example = "regexp_extract_all('a1b22', '[a-z](\\d+)', 1)",
              .result = "[\"1\",\"22\"]"},
      .overloads = {RegexBinder("regexp_extract_all", {text, text, bigint}, 1, Type::Array(text), kNoFlags,
                                ExtractAllKernel)}});
}

}  // namespace laminar
