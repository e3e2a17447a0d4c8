/// Functions that take a JSON path: JSON_VALUE, JSON_QUERY, JSON_EXISTS of SQL, and Arroyo's EXTRACT_JSON
/// family. Literal paths are parsed when the call is bound.

#include <fmt/format.h>

#include <unordered_map>

#include "base/error.h"
#include "functions/elementwise.h"
#include "functions/json/json_argument.h"
#include "functions/json/json_path.h"
#include "functions/json/register_json.h"
#include "functions/overload.h"
#include "functions/text/text_list.h"

namespace laminar {
namespace {

using PathPtr = std::shared_ptr<const JsonPath>;

PathPtr ParsePath(std::string_view text, std::string* error) {
  auto path = JsonPath::Parse(text, error);
  return path ? std::make_shared<const JsonPath>(std::move(*path)) : nullptr;
}

/// Null pointer when argument `index` is not constant. Throws UserError for a constant that is no path.
PathPtr BindPath(const char* function, const BindArguments& arguments, size_t index) {
  const auto text = ConstantText(arguments, index);
  if (!text) return nullptr;
  std::string error;
  PathPtr path = ParsePath(*text, &error);
  if (!path)
    throw UserError(Reason::kTypeError, {}, fmt::format("{}: bad path '{}': {}", function, *text, error));
  return path;
}

/// The path of each row: the constant one, or one parsed from a column and kept while the call lasts.
class PathSource {
 public:
  PathSource(const char* function, PathPtr constant) : function_(function), constant_(std::move(constant)) {}

  const JsonPath* Get(std::string_view text, BatchError& error) {
    if (constant_) return constant_.get();
    PathPtr& path = paths_[std::string(text)];
    std::string reason;
    if (!path) path = ParsePath(text, &reason);
    if (!path) error.Fail([&] { return fmt::format("{}: bad path '{}': {}", function_, text, reason); });
    return path.get();
  }

 private:
  const char* function_;
  PathPtr constant_;
  std::unordered_map<std::string, PathPtr> paths_;
};

/// What a path gave where one value is wanted.
struct Outcome {
  enum class Kind { kValue, kEmpty, kError } kind = Kind::kEmpty;
  std::string_view raw;
};

/// Working memory of one call.
struct PathWork {
  PathSource source;
  JsonInput input;
  std::vector<std::string_view> matches;

  /// All matches; nullopt when the JSON is invalid or a strict path matches nothing.
  bool FindAll(const JsonPath& path, std::string_view json, size_t limit, JsonPath::Semantics semantics) {
    matches.clear();
    if (!input.IsValid(json)) return false;
    path.Find(json, semantics, limit, &matches);
    return !(matches.empty() && path.is_strict() && semantics == JsonPath::Semantics::kSql);
  }

  /// The only match of a SQL path.
  Outcome FindOne(const JsonPath& path, std::string_view json) {
    using Kind = Outcome::Kind;
    if (!input.IsValid(json)) return {Kind::kError, {}};
    const Kind empty = path.is_strict() ? Kind::kError : Kind::kEmpty;
    std::optional<std::string_view> unwrapped;
    if (path.is_chain() && path.FindChain(json, &unwrapped)) {
      return unwrapped ? Outcome{Kind::kValue, *unwrapped} : Outcome{empty, {}};
    }
    path.Find(json, JsonPath::Semantics::kSql, 2, &matches);
    if (matches.empty()) return {empty, {}};
    return matches.size() == 1 ? Outcome{Kind::kValue, matches[0]} : Outcome{Kind::kError, {}};
  }
};

bool IsContainer(std::string_view raw) {
  return KindOfJson(raw) == JsonKind::kObject || KindOfJson(raw) == JsonKind::kArray;
}

void AppendScalarText(std::string_view raw, TextWriter& out) {
  if (KindOfJson(raw) == JsonKind::kString) {
    AppendJsonStringValue(raw, out);
  } else {
    out.Append(raw);
  }
}

using MakeKernel = ScalarKernel (*)(PathPtr path, JsonInput input);

/// (json, path): parses a constant path and lets `make` build the kernel.
ScalarBinder PathBinder(const char* function, Type result, bool literal_only, MakeKernel make) {
  return [=](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() != 2 || !Accepts({Type::Text()}, {arguments.types[1]})) return std::nullopt;
    const auto json = JsonParameter(arguments.types[0]);
    if (!json) return std::nullopt;
    PathPtr path = BindPath(function, arguments, 1);
    if (!path && literal_only) {
      throw UserError(Reason::kTypeError, {},
                      fmt::format("{}: the path must be a literal and not NULL", function));
    }
    const bool can_fail = !path;
    return BoundScalar{{*json, Type::Text()}, result, make(std::move(path), JsonInput(*json)), can_fail};
  };
}

// ---- JSON_VALUE ----

ScalarKernel ValueKernel(PathPtr path, JsonInput input) {
  return [=](const ScalarCall& call) {
    PathWork work{PathSource("json_value", path), input, {}};
    return MapText<std::string_view, std::string_view>(
        call, arrow::utf8(),
        [&](std::string_view json, std::string_view path_text, TextWriter& out, BatchError& error) {
          const JsonPath* compiled = work.source.Get(path_text, error);
          if (!compiled) return false;
          const Outcome outcome = work.FindOne(*compiled, json);
          if (outcome.kind != Outcome::Kind::kValue || IsContainer(outcome.raw) || IsJsonNull(outcome.raw))
            return false;
          AppendScalarText(outcome.raw, out);
          return true;
        });
  };
}

/// JSON_VALUE with its clauses: (json, path, default_on_empty, default_on_error, error_on_empty,
/// error_on_error). A default may be NULL, which is what JSON_VALUE gives without clauses.
arrow::Result<arrow::Datum> ValueWithClauses(const ScalarCall& call, const PathPtr& path,
                                             const JsonInput& input, bool error_on_empty,
                                             bool error_on_error) {
  CallShape shape = ShapeOf({call.args[0], call.args[1]}, call.num_rows);
  shape.constant = ShapeOf(call).constant;
  shape.rows = shape.constant ? 1 : call.num_rows;
  if (shape.all_null) return NullDatum(arrow::utf8());
  const ColumnReader<std::string_view> texts(call.args[0]);
  const ColumnReader<std::string_view> paths(call.args[1]);
  const ColumnReader<std::string_view> empty_defaults(call.args[2]);
  const ColumnReader<std::string_view> error_defaults(call.args[3]);
  PathWork work{PathSource("json_value", path), input, {}};
  TextWriter writer(shape.rows, shape.rows * 16);
  ValidityWriter validity(shape);
  BatchError error;
  auto act = [&](bool fail, const ColumnReader<std::string_view>& defaults, int64_t row, const char* what) {
    if (fail)
      error.Fail([&] {
        return fmt::format("json_value: {} at path '{}' in {:.100}", what, paths[row], texts[row]);
      });
    if (defaults.IsValid(row)) {
      writer.Append(defaults[row]);
    } else {
      validity.SetNull(row);
    }
  };
  auto do_row = [&](int64_t row) {
    const JsonPath* compiled = work.source.Get(paths[row], error);
    if (!compiled) return;
    const Outcome outcome = work.FindOne(*compiled, texts[row]);
    if (outcome.kind == Outcome::Kind::kEmpty) {
      act(error_on_empty, empty_defaults, row, "no value");
    } else if (outcome.kind == Outcome::Kind::kError || IsContainer(outcome.raw)) {
      act(error_on_error, error_defaults, row, "no single scalar");
    } else if (IsJsonNull(outcome.raw)) {
      validity.SetNull(row);
    } else {
      AppendScalarText(outcome.raw, writer);
    }
  };
  for (int64_t row = 0; row < shape.rows; ++row) {
    if (shape.IsValid(row)) do_row(row);
    writer.EndRow();
  }
  if (error.failed()) return error.status();
  ARROW_ASSIGN_OR_RAISE(auto buffers, writer.Finish());
  return FinishColumn(shape, arrow::utf8(), validity.Finish(), std::move(buffers));
}

std::optional<bool> ConstantBoolean(const BindArguments& arguments, size_t index) {
  const auto& constant = arguments.constants[index];
  if (!constant || !constant->is_valid || constant->type->id() != arrow::Type::BOOL) return std::nullopt;
  return static_cast<const arrow::BooleanScalar&>(*constant).value;
}

std::optional<BoundScalar> BindValueWithClauses(const BindArguments& arguments) {
  if (arguments.size() != 6) return std::nullopt;
  const auto json = JsonParameter(arguments.types[0]);
  const auto error_on_empty = ConstantBoolean(arguments, 4);
  const auto error_on_error = ConstantBoolean(arguments, 5);
  if (!json || !error_on_empty || !error_on_error) return std::nullopt;
  const Type text = Type::Text();
  for (size_t i = 1; i <= 3; ++i) {
    if (!Accepts({text}, {arguments.types[i]})) return std::nullopt;
  }
  const PathPtr path = BindPath("json_value", arguments, 1);
  auto kernel = [=, input = JsonInput(*json)](const ScalarCall& call) {
    return ValueWithClauses(call, path, input, *error_on_empty, *error_on_error);
  };
  const bool can_fail = !path || *error_on_empty || *error_on_error;
  return BoundScalar{{*json, text, text, text, Type::Boolean(), Type::Boolean()}, text, kernel, can_fail};
}

// ---- JSON_QUERY, JSON_EXISTS ----

enum class Wrapper { kNone, kConditional, kAlways };

void AppendWrapped(const std::vector<std::string_view>& matches, TextWriter& out) {
  out.Push('[');
  for (size_t i = 0; i < matches.size(); ++i) {
    if (i) out.Push(',');
    AppendCompactJson(matches[i], out);
  }
  out.Push(']');
}

bool AppendQueryResult(const std::vector<std::string_view>& matches, Wrapper wrapper, TextWriter& out) {
  const bool one_container = matches.size() == 1 && IsContainer(matches[0]);
  if (wrapper == Wrapper::kAlways || (wrapper == Wrapper::kConditional && !one_container)) {
    AppendWrapped(matches, out);
    return true;
  }
  if (!one_container) return false;
  AppendCompactJson(matches[0], out);
  return true;
}

ScalarKernel QueryKernel(PathPtr path, JsonInput input, Wrapper wrapper) {
  return [=](const ScalarCall& call) {
    PathWork work{PathSource("json_query", path), input, {}};
    const size_t limit = wrapper == Wrapper::kNone ? 2 : SIZE_MAX;
    auto query = [&](std::string_view json, std::string_view path_text, TextWriter& out, BatchError& error) {
      const JsonPath* compiled = work.source.Get(path_text, error);
      if (!compiled || !work.FindAll(*compiled, json, limit, JsonPath::Semantics::kSql) ||
          work.matches.empty())
        return false;
      return AppendQueryResult(work.matches, wrapper, out);
    };
    const std::vector<arrow::Datum> args(call.args.begin(), call.args.begin() + 2);
    return MapText<std::string_view, std::string_view>({args, call.num_rows, call.context}, arrow::utf8(),
                                                       query);
  };
}

std::optional<BoundScalar> BindWrappedQuery(const BindArguments& arguments) {
  if (arguments.size() != 2 && arguments.size() != 3) return std::nullopt;
  const auto json = JsonParameter(arguments.types[0]);
  if (!json || !Accepts({Type::Text()}, {arguments.types[1]})) return std::nullopt;
  Wrapper wrapper = Wrapper::kAlways;
  if (arguments.size() == 3) {
    const auto mode = ConstantText(arguments, 2);
    if (mode && EqualsIgnoreCase(*mode, "conditional")) {
      wrapper = Wrapper::kConditional;
    } else if (!mode || !EqualsIgnoreCase(*mode, "unconditional")) {
      throw UserError(Reason::kTypeError, {},
                      "json_query_wrapper: the mode is one of 'conditional' and 'unconditional'");
    }
  }
  PathPtr path = BindPath("json_query", arguments, 1);
  const bool can_fail = !path;
  std::vector<Type> parameters(arguments.size(), Type::Text());
  parameters[0] = *json;
  return BoundScalar{std::move(parameters), Type::Json(),
                     QueryKernel(std::move(path), JsonInput(*json), wrapper), can_fail};
}

ScalarKernel ExistsKernel(PathPtr path, JsonInput input) {
  return [=](const ScalarCall& call) {
    PathWork work{PathSource("json_exists", path), input, {}};
    return Map<std::string_view, std::string_view>(
        call, arrow::boolean(), [&](std::string_view json, std::string_view path_text, BatchError& error) {
          const JsonPath* compiled = work.source.Get(path_text, error);
          if (!compiled || !work.input.IsValid(json)) return false;
          return compiled->FindFirst(json, JsonPath::Semantics::kSql).has_value();
        });
  };
}

// ---- EXTRACT_JSON, EXTRACT_JSON_STRING, GET_FIRST_JSON_OBJECT: paths by the RFC, always literal ----

ScalarKernel ExtractAllKernel(PathPtr path, JsonInput input) {
  return [=](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    const CallShape shape = ShapeOf(call);
    if (shape.all_null) return NullDatum(Type::Array(Type::Text()).arrow_type());
    const ColumnReader<std::string_view> texts(call.args[0]);
    PathWork work{PathSource("extract_json", path), input, {}};
    TextListWriter writer(shape.rows);
    for (int64_t row = 0; row < shape.rows; ++row) {
      if (!shape.IsValid(row) || !work.FindAll(*path, texts[row], SIZE_MAX, JsonPath::Semantics::kRfc)) {
        writer.EndNullRow();
        continue;
      }
      for (std::string_view match : work.matches) writer.AddCompactJson(match);
      writer.EndRow();
    }
    return writer.Finish(shape);
  };
}

/// `write` gives false for NULL.
ScalarKernel FirstKernel(PathPtr path, JsonInput input,
                         bool (*write)(std::string_view raw, TextWriter& out)) {
  return [=](const ScalarCall& call) {
    return MapText<std::string_view, std::string_view>(
        call, arrow::utf8(), [&](std::string_view json, std::string_view, TextWriter& out) {
          if (!input.IsValid(json)) return false;
          const auto first = path->FindFirst(json, JsonPath::Semantics::kRfc);
          return first && write(*first, out);
        });
  };
}

ScalarKernel FirstStringKernel(PathPtr path, JsonInput input) {
  return FirstKernel(std::move(path), input, [](std::string_view raw, TextWriter& out) {
    if (KindOfJson(raw) != JsonKind::kString) return false;
    AppendJsonStringValue(raw, out);
    return true;
  });
}

ScalarKernel FirstJsonKernel(PathPtr path, JsonInput input) {
  return FirstKernel(std::move(path), input, [](std::string_view raw, TextWriter& out) {
    AppendCompactJson(raw, out);
    return true;
  });
}

void RegisterSql(FunctionRegistry& registry) {
  registry.Add(
      ScalarFunction{.names = {"json_value"},
                     .doc = {.group = "JSON",
                             .signature = "json_value(json, path) → TEXT; also with RETURNING type, DEFAULT "
                                          "value | NULL | ERROR ON EMPTY | ERROR",
                             .description = "The scalar at the path as text. NULL when it is missing, null, "
                                            "an object or array, more than one "
                                            "value, or the JSON is invalid. A path without $ is a key.",
                             .example = "json_value('{\"user\":{\"id\":42}}', '$.user.id')",
                             .result = "\"42\""},
                     .overloads = {PathBinder("json_value", Type::Text(), false, ValueKernel)}});
  registry.Add(ScalarFunction{
      .names = {"json_value_ext"},
      .doc =
          {.group = "JSON",
           .signature = "json_value_ext(json, path, default_on_empty, default_on_error, error_on_empty, "
                        "error_on_error) → TEXT",
           .description =
               "What json_value with ON EMPTY and ON ERROR clauses is made into. The last two are constants: "
               "whether such a row is an error.",
           .example = "json_value_ext('{}', '$.a', 'none', NULL, false, false)",
           .result = "\"none\""},
      .overloads = {BindValueWithClauses}});
  registry.Add(ScalarFunction{
      .names = {"json_query"},
      .doc = {.group = "JSON",
              .signature = "json_query(json, path) → JSON; also WITH WRAPPER",
              .description =
                  "The object or array at the path. A scalar or several values give NULL without a wrapper.",
              .example = "json_query('{\"a\":{\"b\":[1,2]}}', '$.a.b')",
              .result = "[1,2]"},
      .overloads = {PathBinder("json_query", Type::Json(), false, [](PathPtr path, JsonInput input) {
        return QueryKernel(std::move(path), input, Wrapper::kNone);
      })}});
  registry.Add(ScalarFunction{.names = {"json_query_wrapper"},
                              .doc = {.group = "JSON",
                                      .signature = "json_query_wrapper(json, path, mode?) → JSON",
                                      .description = "JSON_QUERY … WITH WRAPPER: all values at the path in "
                                                     "an array. Mode 'conditional' leaves a single "
                                                     "object or array as it is.",
                                      .example = "json_query_wrapper('{\"a\":1}', '$.a')",
                                      .result = "[1]"},
                              .overloads = {BindWrappedQuery}});
  registry.Add(ScalarFunction{
      .names = {"json_exists"},
      .doc = {.group = "JSON",
              .signature = "json_exists(json, path) → BOOLEAN",
              .description = "Whether the path leads to a value, also null. False for invalid JSON.",
              .example = "json_exists('{\"a\":[{\"b\":3}]}', '$.a[?(@.b > 2)]')",
              .result = "true"},
      .overloads = {PathBinder("json_exists", Type::Boolean(), false, ExistsKernel)}});
}

}  // namespace

void RegisterJsonPathFunctions(FunctionRegistry& registry) {
  RegisterSql(registry);
  registry.Add(ScalarFunction{
      .names = {"extract_json"},
      .doc = {.group = "JSON",
              .signature = "extract_json(json, path) → TEXT[]",
              .description = "JSON texts of all values at the path, which is a literal; empty when there are "
                             "none, NULL for "
                             "invalid JSON.",
              .example = "extract_json('{\"a\":[1,{\"b\":\"x\"}]}', '$.a[*]')",
              .result = "[\"1\",\"{\\\"b\\\":\\\"x\\\"}\"]"},
      .overloads = {PathBinder("extract_json", Type::Array(Type::Text()), true, ExtractAllKernel)}});
  registry.Add(ScalarFunction{
      .names = {"extract_json_string"},
      .doc = {.group = "JSON",
              .signature = "extract_json_string(json, path) → TEXT",
              .description =
                  "The first value at the path, which is a literal, if it is a string; otherwise NULL.",
              .example = "extract_json_string('{\"a\":\"x\"}', '$.a')",
              .result = "\"x\""},
      .overloads = {PathBinder("extract_json_string", Type::Text(), true, FirstStringKernel)}});
  registry.Add(ScalarFunction{
      .names = {"get_first_json_object"},
      .doc = {.group = "JSON",
              .signature = "get_first_json_object(json, path) → TEXT",
              .description =
                  "JSON text of the first value at the path, which is a literal; NULL when there is none.",
              .example = "get_first_json_object('{\"a\":{\"b\":1}}', '$.a')",
              .result = "\"{\\\"b\\\":1}\""},
      .overloads = {PathBinder("get_first_json_object", Type::Text(), true, FirstJsonKernel)}});
}

}  // namespace laminar
