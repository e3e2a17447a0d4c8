/// PARSE_JSON, IS_VALID_JSON, JSON_KEYS, JSON_TYPEOF, JSON_QUOTE, JSON_UNQUOTE.

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cstdlib>

#include "functions/elementwise.h"
#include "functions/json/json_argument.h"
#include "functions/json/register_json.h"
#include "functions/overload.h"
#include "functions/text/pieces.h"
#include "functions/text/text_list.h"
#include "functions/value_text.h"

namespace laminar {
namespace {

std::string_view TrimJsonSpace(std::string_view text) {
  JsonCursor cursor(text);
  return cursor.TakeValue();
}

/// A value of type JSON is given back as it is.
ScalarBinder ParseBinder(bool fail) {
  return [fail](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() != 1) return std::nullopt;
    const auto json = JsonParameter(arguments.types[0]);
    if (!json) return std::nullopt;
    if (json->id() == TypeId::kJson) {
      return BoundScalar{{*json},
                         *json,
                         [](const ScalarCall& call) -> arrow::Result<arrow::Datum> { return call.args[0]; },
                         false};
    }
    auto kernel = [fail](const ScalarCall& call) {
      return MapText<std::string_view>(
          call, arrow::utf8(), [fail](std::string_view text, TextWriter& out, BatchError& error) {
            if (IsValidJson(text)) {
              AppendCompactJson(TrimJsonSpace(text), out);
              return true;
            }
            if (fail)
              error.Fail([&] { return fmt::format("parse_json: '{}' is not JSON", Left(text, 100)); });
            return false;
          });
    };
    return BoundScalar{{*json}, Type::Json(), kernel, fail};
  };
}

std::optional<BoundScalar> BindIsValid(const BindArguments& arguments) {
  if (arguments.size() != 1) return std::nullopt;
  const auto json = JsonParameter(arguments.types[0]);
  if (!json) return std::nullopt;
  auto kernel = [input = JsonInput(*json)](const ScalarCall& call) {
    return Map<std::string_view>(call, arrow::boolean(),
                                 [input](std::string_view text) { return input.IsValid(text); });
  };
  return BoundScalar{{*json}, Type::Boolean(), kernel, false};
}

/// (json) → text or bytes of its value. `write` gives false for NULL.
ScalarBinder OfValue(bool (*write)(std::string_view raw, TextWriter& out),
                     const Type& result = Type::Text()) {
  return [write, result](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() != 1) return std::nullopt;
    const auto json = JsonParameter(arguments.types[0]);
    if (!json) return std::nullopt;
    const auto arrow_type = result.id() == TypeId::kBytes ? arrow::binary() : arrow::utf8();
    auto kernel = [write, arrow_type, input = JsonInput(*json)](const ScalarCall& call) {
      return MapText<std::string_view>(call, arrow_type, [&](std::string_view text, TextWriter& out) {
        return input.IsValid(text) && write(TrimJsonSpace(text), out);
      });
    };
    return BoundScalar{{*json}, result, kernel, false};
  };
}

bool WriteKind(std::string_view raw, TextWriter& out) {
  switch (KindOfJson(raw)) {
    case JsonKind::kObject:
      out.Append("object");
      break;
    case JsonKind::kArray:
      out.Append("array");
      break;
    case JsonKind::kString:
      out.Append("string");
      break;
    case JsonKind::kNumber:
      out.Append("number");
      break;
    case JsonKind::kBoolean:
      out.Append("boolean");
      break;
    case JsonKind::kNull:
      out.Append("null");
      break;
  }
  return true;
}

/// A number that BIGINT holds, written without fraction and exponent.
std::optional<BoundScalar> BindIsInteger(const BindArguments& arguments) {
  if (arguments.size() != 1) return std::nullopt;
  const auto json = JsonParameter(arguments.types[0]);
  if (!json) return std::nullopt;
  auto kernel = [](const ScalarCall& call) {
    return Map<std::string_view>(call, arrow::boolean(), [](std::string_view text) {
      const std::string_view raw = TrimJsonSpace(text);
      int64_t value;
      const auto [rest, error] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
      return error == std::errc() && rest == raw.data() + raw.size();
    });
  };
  return BoundScalar{{*json}, Type::Boolean(), kernel, false};
}

template <typename T>
void AppendBigEndian(T value, TextWriter& out) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8)
    out.Push(static_cast<char>(value >> shift & 0xFF));
}

/// The double nearest to the number, then how far an integer is from it: exact for all of 64 bits.
void AppendNumberOrder(std::string_view raw, TextWriter& out) {
  double value = 0;
  __int128 rest = 0;
  auto read_integer = [&](auto integer) {
    const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), integer);
    if (error != std::errc() || end != raw.data() + raw.size()) return false;
    value = static_cast<double>(integer);
    rest = static_cast<__int128>(integer) - static_cast<__int128>(value);
    return true;
  };
  if (!read_integer(int64_t{}) && !read_integer(uint64_t{}))
    value = std::strtod(std::string(raw).c_str(), nullptr);  // beyond its range: 0 or infinite
  if (value == 0) value = 0;                                 // not −0
  constexpr uint64_t kSign = uint64_t{1} << 63;
  const auto bits = std::bit_cast<uint64_t>(value);
  AppendBigEndian<uint64_t>(bits & kSign ? ~bits : bits | kSign, out);
  AppendBigEndian<uint16_t>(static_cast<uint16_t>(rest + 0x8000), out);
}

/// Bytes in the order of the values: texts, numbers, false, true, arrays, objects. NULL for JSON null.
bool WriteSortKey(std::string_view raw, TextWriter& out) {
  switch (KindOfJson(raw)) {
    case JsonKind::kString:
      out.Push(1);
      AppendJsonStringValue(raw, out);
      return true;
    case JsonKind::kNumber:
      out.Push(2);
      AppendNumberOrder(raw, out);
      return true;
    case JsonKind::kBoolean:
      out.Push(raw[0] == 't' ? 4 : 3);
      return true;
    case JsonKind::kArray:
      out.Push(5);
      AppendCompactJson(raw, out);
      return true;
    case JsonKind::kObject:
      out.Push(6);
      AppendCompactJson(raw, out);
      return true;
    case JsonKind::kNull:
      return false;
  }
  return false;
}

/// What is no JSON string stays as it is.
std::optional<BoundScalar> BindUnquote(const BindArguments& arguments) {
  if (arguments.size() != 1) return std::nullopt;
  const auto json = JsonParameter(arguments.types[0]);
  if (!json) return std::nullopt;
  auto kernel = [](const ScalarCall& call) {
    return MapText<std::string_view>(call, arrow::utf8(), [](std::string_view text, TextWriter& out) {
      const std::string_view raw = TrimJsonSpace(text);
      if (!raw.empty() && KindOfJson(raw) == JsonKind::kString && IsValidJson(text)) {
        AppendJsonStringValue(raw, out);
      } else {
        out.Append(text);
      }
    });
  };
  return BoundScalar{{*json}, Type::Text(), kernel, false};
}

arrow::Result<arrow::Datum> Keys(const ScalarCall& call, const JsonInput& input) {
  const CallShape shape = ShapeOf(call);
  if (shape.all_null) return NullDatum(Type::Array(Type::Text()).arrow_type());
  const ColumnReader<std::string_view> texts(call.args[0]);
  TextListWriter writer(shape.rows);
  for (int64_t row = 0; row < shape.rows; ++row) {
    const std::string_view raw =
        shape.IsValid(row) && input.IsValid(texts[row]) ? TrimJsonSpace(texts[row]) : std::string_view();
    if (KindOfJson(raw) != JsonKind::kObject) {
      writer.EndNullRow();
      continue;
    }
    ForEachMember(raw, [&](std::string_view key, bool escaped, std::string_view) {
      if (escaped) {
        writer.Add(DecodeJsonEscapes(key));
      } else {
        writer.Add(key);
      }
      return true;
    });
    writer.EndRow();
  }
  return writer.Finish(shape);
}

std::optional<BoundScalar> BindKeys(const BindArguments& arguments) {
  if (arguments.size() != 1) return std::nullopt;
  const auto json = JsonParameter(arguments.types[0]);
  if (!json) return std::nullopt;
  return BoundScalar{{*json},
                     Type::Array(Type::Text()),
                     [input = JsonInput(*json)](const ScalarCall& call) { return Keys(call, input); },
                     false};
}

void RegisterParsing(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{
      .names = {"parse_json"},
      .doc = {.group = "JSON",
              .signature = "parse_json(text) → JSON",
              .description = "The text as JSON, numbers kept digit by digit. Invalid JSON is an error.",
              .example = "parse_json(' {\"a\": 12345678901234567890123} ')",
              .result = "{\"a\":12345678901234567890123}"},
      .overloads = {ParseBinder(true)}});
  registry.Add(ScalarFunction{.names = {"try_parse_json"},
                              .doc = {.group = "JSON",
                                      .signature = "try_parse_json(text) → JSON",
                                      .description = "The text as JSON; NULL when it is none.",
                                      .example = "try_parse_json('{\"a\":')",
                                      .result = "null"},
                              .overloads = {ParseBinder(false)}});
  registry.Add(ScalarFunction{.names = {"is_valid_json", "json_valid", "is_json"},
                              .doc = {.group = "JSON",
                                      .signature = "is_valid_json(text) → BOOLEAN; also text IS JSON",
                                      .description = "Whether the text is one JSON value.",
                                      .example = "is_valid_json('{\"a\":01}')",
                                      .result = "false"},
                              .overloads = {BindIsValid}});
}

}  // namespace

void RegisterJsonInspectFunctions(FunctionRegistry& registry) {
  RegisterParsing(registry);
  registry.Add(
      ScalarFunction{.names = {"json_keys", "json_object_keys"},
                     .doc = {.group = "JSON",
                             .signature = "json_keys(json) → TEXT[]",
                             .description = "The keys of an object in order; NULL for anything else.",
                             .example = "json_keys('{\"b\":1,\"a\":2}')",
                             .result = "[\"b\",\"a\"]"},
                     .overloads = {BindKeys}});
  registry.Add(ScalarFunction{
      .names = {"json_typeof", "json_type"},
      .doc = {.group = "JSON",
              .signature = "json_typeof(json) → TEXT",
              .description = "object, array, string, number, boolean or null; NULL for invalid JSON.",
              .example = "json_typeof('[1]')",
              .result = "\"array\""},
      .overloads = {OfValue(WriteKind)}});
  registry.Add(ScalarFunction{
      .names = {"json_is_integer"},
      .doc = {.group = "JSON",
              .signature = "json_is_integer(json) → BOOLEAN",
              .description = "Whether it is a number without fraction and exponent that BIGINT holds.",
              .example = "json_is_integer('1.0')",
              .result = "false"},
      .overloads = {BindIsInteger}});
  registry.Add(ScalarFunction{
      .names = {"json_sort_key"},
      .doc = {.group = "JSON",
              .signature = "json_sort_key(json) → BYTEA",
              .description =
                  "Bytes by which ORDER BY and comparisons of two JSON values go: texts, numbers by "
                  "value, false, true, arrays, objects. NULL for JSON null.",
              .example = "encode(json_sort_key('\"a\"'), 'hex')",
              .result = "\"0161\""},
      .overloads = {OfValue(WriteSortKey, Type::Bytes())}});
  registry.Add(ScalarFunction{.names = {"json_quote"},
                              .doc = {.group = "JSON",
                                      .signature = "json_quote(text) → TEXT",
                                      .description = "The text as a JSON string, with quotes and escapes.",
                                      .example = "json_quote('a\"b')",
                                      .result = "\"\\\"a\\\\\\\"b\\\"\""},
                              .overloads = {Fixed({Type::Text()}, Type::Text(), [](const ScalarCall& call) {
                                return MapText<std::string_view>(call, arrow::utf8(), AppendJsonString);
                              })}});
  registry.Add(ScalarFunction{
      .names = {"json_unquote"},
      .doc = {.group = "JSON",
              .signature = "json_unquote(json) → TEXT",
              .description = "What a JSON string says, without quotes and escapes; anything else as it is.",
              .example = "json_unquote('\"a\\tb\"')",
              .result = "\"a\\tb\""},
      .overloads = {BindUnquote}});
}

}  // namespace laminar
