/// The getters: -> ->> #> #>> ? and JSON_GET… by keys and indices. A missing value, JSON null and invalid
/// JSON give NULL.

#include <charconv>
#include <cmath>

#include "functions/elementwise.h"
#include "functions/json/json_argument.h"
#include "functions/json/json_keys.h"
#include "functions/json/register_json.h"
#include "functions/text/text_list.h"

namespace laminar {
namespace {

using KeysPtr = std::shared_ptr<const JsonKeyArguments>;

/// One getter call: finds the raw value of each row and hands it to `on_value`.
class Getter {
 public:
  Getter(const ScalarCall& call, const JsonKeyArguments& keys, const JsonInput& input)
      : texts_(call.args[0]), keys_(keys, call), input_(input) {}

  /// The raw value; nullopt when there is none. JSON null is a value here.
  std::optional<std::string_view> Find(int64_t row) {
    const std::string_view text = texts_[row];
    if (!input_.IsValid(text)) return std::nullopt;
    const auto keys = keys_.OfRow(row);
    return keys ? FindJson(text, *keys) : std::nullopt;
  }
  bool IsValidInput(int64_t row) const { return input_.IsValid(texts_[row]); }

 private:
  ColumnReader<std::string_view> texts_;
  JsonKeysOfCall keys_;
  JsonInput input_;
};

/// f(raw, TextWriter&) gives false for NULL.
using TextGetter = bool (*)(std::string_view raw, TextWriter& out);

arrow::Result<arrow::Datum> GetTexts(const ScalarCall& call, const JsonKeyArguments& keys,
                                     const JsonInput& input, TextGetter get) {
  const CallShape shape = ShapeOf(call);
  if (shape.all_null) return NullDatum(arrow::utf8());
  Getter getter(call, keys, input);
  TextWriter writer(shape.rows, shape.rows * 16);
  ValidityWriter validity(shape);
  for (int64_t row = 0; row < shape.rows; ++row) {
    if (shape.IsValid(row)) {
      const auto raw = getter.Find(row);
      if (!raw || IsJsonNull(*raw) || !get(*raw, writer)) validity.SetNull(row);
    }
    writer.EndRow();
  }
  ARROW_ASSIGN_OR_RAISE(auto buffers, writer.Finish());
  return FinishColumn(shape, arrow::utf8(), validity.Finish(), std::move(buffers));
}

/// f(getter, row) gives optional<T>.
template <typename T, typename F>
arrow::Result<arrow::Datum> GetValues(const ScalarCall& call, const JsonKeyArguments& keys,
                                      const JsonInput& input, const std::shared_ptr<arrow::DataType>& type,
                                      F f) {
  const CallShape shape = ShapeOf(call);
  if (shape.all_null) return NullDatum(type);
  Getter getter(call, keys, input);
  elementwise::ValueWriter<T> writer(shape.rows);
  ValidityWriter validity(shape);
  for (int64_t row = 0; row < shape.rows; ++row) {
    const std::optional<T> value = shape.IsValid(row) ? f(getter, row) : std::nullopt;
    if (value) {
      writer.Set(row, *value);
    } else {
      writer.Skip(row);
      validity.SetNull(row);
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto buffers, writer.Finish());
  return FinishColumn(shape, type, validity.Finish(), std::move(buffers));
}

bool GetJson(std::string_view raw, TextWriter& out) {
  AppendCompactJson(raw, out);
  return true;
}

bool GetText(std::string_view raw, TextWriter& out) {
  if (KindOfJson(raw) == JsonKind::kString) {
    AppendJsonStringValue(raw, out);
  } else {
    AppendCompactJson(raw, out);
  }
  return true;
}

bool GetString(std::string_view raw, TextWriter& out) {
  if (KindOfJson(raw) != JsonKind::kString) return false;
  AppendJsonStringValue(raw, out);
  return true;
}

std::optional<int64_t> ToInteger(std::string_view raw) {
  int64_t value = 0;
  const auto [end, code] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (code != std::errc() || end != raw.data() + raw.size()) return std::nullopt;
  return value;
}

std::optional<double> ToDouble(std::string_view raw) {
  double value = 0;
  if (KindOfJson(raw) != JsonKind::kNumber) return std::nullopt;
  const auto [end, code] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (code != std::errc() || end != raw.data() + raw.size()) return std::nullopt;
  return value;
}

std::optional<bool> ToBoolean(std::string_view raw) {
  if (KindOfJson(raw) != JsonKind::kBoolean) return std::nullopt;
  return raw[0] == 't';
}

using Bind = KeysPtr (*)(const BindArguments& arguments, size_t first);
using Run =
    std::function<arrow::Result<arrow::Datum>(const ScalarCall&, const JsonKeyArguments&, const JsonInput&)>;

/// (json, key…) with at least `min_keys` and at most `max_keys` arguments behind the first.
ScalarBinder GetterBinder(Bind bind, size_t min_keys, size_t max_keys, Type result, Run run) {
  return [=](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() < 1 + min_keys || arguments.size() - 1 > max_keys) return std::nullopt;
    const auto json = JsonParameter(arguments.types[0]);
    const KeysPtr keys = json ? bind(arguments, 1) : nullptr;
    if (!keys) return std::nullopt;
    BoundScalar bound{{*json}, result, nullptr, false};
    bound.parameters.insert(bound.parameters.end(), keys->parameters().begin(), keys->parameters().end());
    bound.kernel = [run, keys, input = JsonInput(*json)](const ScalarCall& call) {
      return run(call, *keys, input);
    };
    return bound;
  };
}

constexpr size_t kAnyNumber = SIZE_MAX;

Run TextRun(TextGetter get) {
  return [get](const ScalarCall& call, const JsonKeyArguments& keys, const JsonInput& input) {
    return GetTexts(call, keys, input, get);
  };
}

template <typename T>
Run ValueRun(Type type, std::optional<T> (*read)(std::string_view raw)) {
  return [=, arrow_type = type.arrow_type()](const ScalarCall& call, const JsonKeyArguments& keys,
                                             const JsonInput& input) {
    return GetValues<T>(call, keys, input, arrow_type, [read](Getter& getter, int64_t row) {
      const auto raw = getter.Find(row);
      return raw ? read(*raw) : std::nullopt;
    });
  };
}

arrow::Result<arrow::Datum> Contains(const ScalarCall& call, const JsonKeyArguments& keys,
                                     const JsonInput& input) {
  return GetValues<bool>(call, keys, input, arrow::boolean(),
                         [](Getter& getter, int64_t row) -> std::optional<bool> {
                           if (!getter.IsValidInput(row)) return std::nullopt;
                           return getter.Find(row).has_value();
                         });
}

std::optional<int64_t> ToLength(std::string_view raw) {
  const int64_t length = JsonLength(raw);
  return length < 0 ? std::nullopt : std::optional(length);
}

arrow::Result<arrow::Datum> GetElements(const ScalarCall& call, const JsonKeyArguments& keys,
                                        const JsonInput& input) {
  const CallShape shape = ShapeOf(call);
  if (shape.all_null) return NullDatum(Type::Array(Type::Json()).arrow_type());
  Getter getter(call, keys, input);
  TextListWriter writer(shape.rows);
  for (int64_t row = 0; row < shape.rows; ++row) {
    const auto raw = shape.IsValid(row) ? getter.Find(row) : std::nullopt;
    if (!raw || KindOfJson(*raw) != JsonKind::kArray) {
      writer.EndNullRow();
      continue;
    }
    ForEachElement(*raw, [&](std::string_view element) {
      writer.Add(element);
      return true;
    });
    writer.EndRow();
  }
  return writer.Finish(shape);
}

void RegisterOperators(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{
      .names = {"->"},
      .doc = {.group = "JSON",
              .signature = "json -> key → JSON",
              .description =
                  "The value of a key, or the element at a 0-based index (negative from the end), as JSON.",
              .example = "'{\"a\":{\"b\":1}}' -> 'a'",
              .result = "{\"b\":1}"},
      .overloads = {GetterBinder(JsonKeyArguments::Bind, 1, 1, Type::Json(), TextRun(GetJson))}});
  registry.Add(ScalarFunction{
      .names = {"->>"},
      .doc =
          {.group = "JSON",
           .signature = "json ->> key → TEXT",
           .description =
               "The value of a key or index as text: strings without quotes, anything else as its JSON text.",
           .example = "'{\"a\":\"x\"}' ->> 'a'",
           .result = "\"x\""},
      .overloads = {GetterBinder(JsonKeyArguments::Bind, 1, 1, Type::Text(), TextRun(GetText))}});
  registry.Add(ScalarFunction{
      .names = {"#>"},
      .doc = {.group = "JSON",
              .signature = "json #> '{key,0,…}' → JSON",
              .description = "The value at the end of a path of keys and indices, as JSON. The path is a "
                             "text '{a,0}' or a TEXT[].",
              .example = "'{\"a\":[1,{\"b\":2}]}' #> '{a,1,b}'",
              .result = "2"},
      .overloads = {GetterBinder(JsonKeyArguments::BindPath, 1, 1, Type::Json(), TextRun(GetJson))}});
  registry.Add(ScalarFunction{
      .names = {"#>>"},
      .doc = {.group = "JSON",
              .signature = "json #>> '{key,0,…}' → TEXT",
              .description = "The value at the end of a path of keys and indices, as text.",
              .example = "'{\"a\":[\"x\",\"y\"]}' #>> '{a,1}'",
              .result = "\"y\""},
      .overloads = {GetterBinder(JsonKeyArguments::BindPath, 1, 1, Type::Text(), TextRun(GetText))}});
}

void RegisterTyped(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{
      .names = {"json_get_str"},
      .doc = {.group = "JSON",
              .signature = "json_get_str(json, key, …) → TEXT",
              .description = "The string at the end of the keys; NULL for any other kind of value.",
              .example = "json_get_str('{\"a\":[\"x\"]}', 'a', 0)",
              .result = "\"x\""},
      .overloads = {GetterBinder(JsonKeyArguments::Bind, 0, kAnyNumber, Type::Text(), TextRun(GetString))}});
  registry.Add(ScalarFunction{.names = {"json_get_int"},
                              .doc = {.group = "JSON",
                                      .signature = "json_get_int(json, key, …) → BIGINT",
                                      .description = "The integer at the end of the keys; NULL for another "
                                                     "kind of value or one that BIGINT cannot hold.",
                                      .example = "json_get_int('{\"a\":9007199254740993}', 'a')",
                                      .result = "9007199254740993"},
                              .overloads = {GetterBinder(JsonKeyArguments::Bind, 0, kAnyNumber, Type::Int64(),
                                                         ValueRun<int64_t>(Type::Int64(), ToInteger))}});
  registry.Add(ScalarFunction{
      .names = {"json_get_float"},
      .doc = {.group = "JSON",
              .signature = "json_get_float(json, key, …) → DOUBLE",
              .description = "The number at the end of the keys; NULL for another kind of value.",
              .example = "json_get_float('{\"a\":2}', 'a')",
              .result = "2.0"},
      .overloads = {GetterBinder(JsonKeyArguments::Bind, 0, kAnyNumber, Type::Double(),
                                 ValueRun<double>(Type::Double(), ToDouble))}});
  registry.Add(ScalarFunction{
      .names = {"json_get_bool"},
      .doc = {.group = "JSON",
              .signature = "json_get_bool(json, key, …) → BOOLEAN",
              .description = "The true or false at the end of the keys; NULL for another kind of value.",
              .example = "json_get_bool('[true]', 0)",
              .result = "true"},
      .overloads = {GetterBinder(JsonKeyArguments::Bind, 0, kAnyNumber, Type::Boolean(),
                                 ValueRun<bool>(Type::Boolean(), ToBoolean))}});
  registry.Add(ScalarFunction{
      .names = {"json_get_json"},
      .doc = {.group = "JSON",
              .signature = "json_get_json(json, key, …) → TEXT",
              .description = "The JSON text of the value at the end of the keys.",
              .example = "json_get_json('{\"a\":\"x\"}', 'a')",
              .result = "\"\\\"x\\\"\""},
      .overloads = {GetterBinder(JsonKeyArguments::Bind, 0, kAnyNumber, Type::Text(), TextRun(GetJson))}});
  registry.Add(ScalarFunction{
      .names = {"json_get_array"},
      .doc = {.group = "JSON",
              .signature = "json_get_array(json, key, …) → JSON[]",
              .description =
                  "The elements of the array at the end of the keys; NULL for another kind of value.",
              .example = "json_get_array('{\"a\":[1,\"x\"]}', 'a')",
              .result = "[1,\"x\"]"},
      .overloads = {
          GetterBinder(JsonKeyArguments::Bind, 0, kAnyNumber, Type::Array(Type::Json()), GetElements)}});
}

}  // namespace

void RegisterJsonGetters(FunctionRegistry& registry) {
  RegisterOperators(registry);
  registry.Add(ScalarFunction{
      .names = {"json_get"},
      .doc = {.group = "JSON",
              .signature = "json_get(json, key, …) → JSON",
              .description = "The value at the end of the keys (text) and 0-based indices (integers; "
                             "negative from the end).",
              .example = "json_get('{\"a\":[10,20]}', 'a', -1)",
              .result = "20"},
      .overloads = {GetterBinder(JsonKeyArguments::Bind, 0, kAnyNumber, Type::Json(), TextRun(GetJson))}});
  registry.Add(ScalarFunction{
      .names = {"json_as_text"},
      .doc = {.group = "JSON",
              .signature = "json_as_text(json, key, …) → TEXT",
              .description = "The value at the end of the keys as text: strings without quotes, anything "
                             "else as its JSON text.",
              .example = "json_as_text('{\"a\":[1.50]}', 'a', 0)",
              .result = "\"1.50\""},
      .overloads = {GetterBinder(JsonKeyArguments::Bind, 0, kAnyNumber, Type::Text(), TextRun(GetText))}});
  RegisterTyped(registry);
  registry.Add(ScalarFunction{
      .names = {"json_contains", "?"},
      .doc =
          {.group = "JSON",
           .signature = "json_contains(json, key, …) → BOOLEAN; also json ? key",
           .description =
               "Whether there is a value, also null, at the end of the keys. NULL when the JSON is invalid.",
           .example = "json_contains('{\"a\":null}', 'a')",
           .result = "true"},
      .overloads = {GetterBinder(JsonKeyArguments::Bind, 1, kAnyNumber, Type::Boolean(), Contains)}});
  registry.Add(ScalarFunction{
      .names = {"json_length", "json_len"},
      .doc = {.group = "JSON",
              .signature = "json_length(json, key, …) → BIGINT",
              .description =
                  "Elements of the array or members of the object at the end of the keys; NULL for a scalar.",
              .example = "json_length('{\"a\":[1,2,3]}', 'a')",
              .result = "3"},
      .overloads = {GetterBinder(JsonKeyArguments::Bind, 0, kAnyNumber, Type::Int64(),
                                 ValueRun<int64_t>(Type::Int64(), ToLength))}});
}

}  // namespace laminar
