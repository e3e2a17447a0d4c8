/// JSON_SET, JSON_REMOVE, JSON_MERGE.

#include <fmt/format.h>

#include "base/error.h"
#include "functions/elementwise.h"
#include "functions/json/json_argument.h"
#include "functions/json/json_edit.h"
#include "functions/json/register_json.h"
#include "functions/overload.h"
#include "functions/value_text.h"

namespace laminar {
namespace {

using PathPtr = std::shared_ptr<const JsonPath>;

/// The literal path of argument `index`. Throws UserError when it is none, or more than keys and indices.
PathPtr LiteralChain(const char* function, const BindArguments& arguments, size_t index) {
  const auto text = ConstantText(arguments, index);
  if (!text)
    throw UserError(Reason::kTypeError, {},
                    fmt::format("{}: a path must be a literal and not NULL", function));
  std::string error;
  auto path = JsonPath::Parse(*text, &error);
  if (path && !path->is_chain()) error = "only keys and indices can be changed";
  if (path && path->is_chain() && path->chain().empty()) error = "it is the whole document";
  if (!error.empty())
    throw UserError(Reason::kTypeError, {}, fmt::format("{}: bad path '{}': {}", function, *text, error));
  return std::make_shared<const JsonPath>(std::move(*path));
}

std::string_view WithoutSpace(std::string_view json) { return JsonCursor(json).TakeValue(); }

/// One change after the other, each over the result of the one before.
class Editor {
 public:
  explicit Editor(std::string_view json) : current_(1, static_cast<int64_t>(json.size()) + 64), next_(1, 64) {
    current_.Append(json);
  }
  template <typename Change>
  void Apply(Change change) {
    next_.TruncateRow(0);
    change(current_.row(), next_);
    std::swap(current_, next_);
  }
  std::string_view result() const { return current_.row(); }

 private:
  TextWriter current_;
  TextWriter next_;
};

/// Runs `edit(row, json, writer)` on rows whose first argument is there; the shape's NULLs are those of
/// `args`.
template <typename Edit>
arrow::Result<arrow::Datum> EditRows(const ScalarCall& call, const JsonInput& input,
                                     const std::vector<arrow::Datum>& strict_args, Edit edit) {
  CallShape shape = ShapeOf(strict_args, call.num_rows);
  shape.constant = ShapeOf(call).constant;
  shape.rows = shape.constant ? 1 : call.num_rows;
  if (shape.all_null) return NullDatum(arrow::utf8());
  const ColumnReader<std::string_view> texts(call.args[0]);
  TextWriter writer(shape.rows, shape.rows * 32);
  ValidityWriter validity(shape);
  for (int64_t row = 0; row < shape.rows; ++row) {
    if (shape.IsValid(row)) {
      if (input.IsValid(texts[row])) {
        edit(row, WithoutSpace(texts[row]), writer);
      } else {
        validity.SetNull(row);
      }
    }
    writer.EndRow();
  }
  ARROW_ASSIGN_OR_RAISE(auto buffers, writer.Finish());
  return FinishColumn(shape, arrow::utf8(), validity.Finish(), std::move(buffers));
}

arrow::Result<arrow::Datum> Set(const ScalarCall& call, const JsonInput& input,
                                const std::vector<PathPtr>& paths, const std::vector<Type>& types) {
  std::vector<RowText> values;
  for (size_t i = 0; i < paths.size(); ++i) {
    values.push_back(MakeRowText(ColumnView(call.args[2 * i + 2]), types[2 * i + 2], TextForm::kJson));
  }
  TextWriter value(1, 64);
  return EditRows(call, input, {call.args[0]}, [&](int64_t row, std::string_view json, TextWriter& out) {
    Editor editor(json);
    for (size_t i = 0; i < paths.size(); ++i) {
      value.TruncateRow(0);
      values[i](row, value);
      editor.Apply([&](std::string_view text, TextWriter& next) {
        AppendJsonSet(text, paths[i]->chain(), value.row(), next);
      });
    }
    out.Append(editor.result());
  });
}

arrow::Result<arrow::Datum> Remove(const ScalarCall& call, const JsonInput& input,
                                   const std::vector<PathPtr>& paths) {
  return EditRows(call, input, {call.args[0]}, [&](int64_t, std::string_view json, TextWriter& out) {
    Editor editor(json);
    for (const PathPtr& path : paths) {
      editor.Apply(
          [&](std::string_view text, TextWriter& next) { AppendJsonRemoved(text, path->chain(), next); });
    }
    out.Append(editor.result());
  });
}

std::optional<BoundScalar> BindSet(const BindArguments& arguments) {
  if (arguments.size() < 3 || arguments.size() % 2 == 0) return std::nullopt;
  const auto json = JsonParameter(arguments.types[0]);
  if (!json) return std::nullopt;
  std::vector<Type> parameters = arguments.types;
  parameters[0] = *json;
  std::vector<PathPtr> paths;
  for (size_t i = 1; i < arguments.size(); i += 2) {
    paths.push_back(LiteralChain("json_set", arguments, i));
    parameters[i] = Type::Text();
  }
  auto kernel = [=, input = JsonInput(*json)](const ScalarCall& call) {
    return Set(call, input, paths, parameters);
  };
  return BoundScalar{parameters, Type::Json(), kernel, false};
}

std::optional<BoundScalar> BindRemove(const BindArguments& arguments) {
  if (arguments.size() < 2) return std::nullopt;
  const auto json = JsonParameter(arguments.types[0]);
  if (!json) return std::nullopt;
  std::vector<Type> parameters(arguments.size(), Type::Text());
  parameters[0] = *json;
  std::vector<PathPtr> paths;
  for (size_t i = 1; i < arguments.size(); ++i) paths.push_back(LiteralChain("json_remove", arguments, i));
  auto kernel = [=, input = JsonInput(*json)](const ScalarCall& call) { return Remove(call, input, paths); };
  return BoundScalar{parameters, Type::Json(), kernel, false};
}

std::optional<BoundScalar> BindMerge(const BindArguments& arguments) {
  if (arguments.size() < 2) return std::nullopt;
  BoundScalar bound{{}, Type::Json(), nullptr, false};
  std::vector<JsonInput> inputs;
  for (const Type& type : arguments.types) {
    const auto json = JsonParameter(type);
    if (!json) return std::nullopt;
    bound.parameters.push_back(*json);
    inputs.emplace_back(*json);
  }
  bound.kernel = [inputs](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    const CallShape shape = ShapeOf(call);
    if (shape.all_null) return NullDatum(arrow::utf8());
    std::vector<ColumnReader<std::string_view>> texts;
    for (const arrow::Datum& arg : call.args) texts.emplace_back(arg);
    TextWriter writer(shape.rows, shape.rows * 32);
    ValidityWriter validity(shape);
    auto all_valid = [&](int64_t row) {
      for (size_t i = 0; i < texts.size(); ++i) {
        if (!inputs[i].IsValid(texts[i][row])) return false;
      }
      return true;
    };
    for (int64_t row = 0; row < shape.rows; ++row) {
      if (shape.IsValid(row) && all_valid(row)) {
        Editor editor(WithoutSpace(texts[0][row]));
        for (size_t i = 1; i < texts.size(); ++i) {
          editor.Apply([&](std::string_view target, TextWriter& next) {
            AppendJsonMerged(target, WithoutSpace(texts[i][row]), next);
          });
        }
        writer.Append(editor.result());
      } else {
        validity.SetNull(row);
      }
      writer.EndRow();
    }
    ARROW_ASSIGN_OR_RAISE(auto buffers, writer.Finish());
    return FinishColumn(shape, arrow::utf8(), validity.Finish(), std::move(buffers));
  };
  return bound;
}

}  // namespace

void RegisterJsonEditFunctions(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{
      .names = {"json_set"},
      .doc = {.group = "JSON",
              .signature = "json_set(json, path, value, …) → JSON",
              .description = "The JSON with each value put at its path, a literal of keys and indices: "
                             "replaced, or added to an "
                             "object or array that is there. Values of any type; NULL becomes null.",
              .example = "json_set('{\"a\":{\"b\":1}}', '$.a.b', 2, '$.c', 'x')",
              .result = "{\"a\":{\"b\":2},\"c\":\"x\"}"},
      .overloads = {BindSet}});
  registry.Add(ScalarFunction{
      .names = {"json_remove"},
      .doc = {.group = "JSON",
              .signature = "json_remove(json, path, …) → JSON",
              .description = "The JSON without what is at the paths, which are literals of keys and indices.",
              .example = "json_remove('{\"a\":[1,2,3],\"b\":4}', '$.a[1]', '$.b')",
              .result = "{\"a\":[1,3]}"},
      .overloads = {BindRemove}});
  registry.Add(ScalarFunction{
      .names = {"json_merge", "json_merge_patch"},
      .doc = {.group = "JSON",
              .signature = "json_merge(json, patch, …) → JSON",
              .description = "JSON Merge Patch (RFC 7396): objects are merged key by key, null removes a "
                             "key, anything else replaces.",
              .example = "json_merge('{\"a\":1,\"b\":{\"c\":2}}', '{\"a\":null,\"b\":{\"d\":3}}')",
              .result = "{\"b\":{\"c\":2,\"d\":3}}"},
      .overloads = {BindMerge}});
}

}  // namespace laminar
