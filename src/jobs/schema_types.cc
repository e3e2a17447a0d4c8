#include "jobs/schema_types.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "sql/parser.h"

namespace laminar {

namespace {

using Json = nlohmann::json;

std::string Folded(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c != '_' && c != '-' && c != ' ')
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

std::optional<Type> PrimitiveNamed(const std::string& name) {
  static const std::map<std::string, Type> names = {{"int8", Type::Int8()},
                                                    {"int16", Type::Int16()},
                                                    {"int32", Type::Int32()},
                                                    {"int64", Type::Int64()},
                                                    {"uint8", Type::UInt8()},
                                                    {"uint16", Type::UInt16()},
                                                    {"uint32", Type::UInt32()},
                                                    {"uint64", Type::UInt64()},
                                                    {"float32", Type::Float()},
                                                    {"float64", Type::Double()},
                                                    {"f32", Type::Float()},
                                                    {"f64", Type::Double()},
                                                    {"utf8", Type::Text()},
                                                    {"string", Type::Text()},
                                                    {"bool", Type::Boolean()},
                                                    {"boolean", Type::Boolean()},
                                                    {"bytes", Type::Bytes()},
                                                    {"binary", Type::Bytes()},
                                                    {"json", Type::Json()},
                                                    {"date32", Type::Date()},
                                                    {"date64", Type::Timestamp(3)},
                                                    {"date", Type::Date()},
                                                    {"time64", Type::Time()},
                                                    {"timestamp", Type::Timestamp()},
                                                    {"datetime", Type::Timestamp()},
                                                    {"unixmillis", Type::Timestamp(3)},
                                                    {"unixmicros", Type::Timestamp()},
                                                    {"unixnanos", Type::Timestamp(9)},
                                                    {"timestampmillis", Type::Timestamp(3)},
                                                    {"timestampmicros", Type::Timestamp()},
                                                    {"timestampnanos", Type::Timestamp(9)}};
  const auto found = names.find(Folded(name));
  if (found == names.end()) return std::nullopt;
  return found->second;
}

const Json* Member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::optional<Type> ParseFields(const Json& list) {
  std::vector<Field> fields;
  for (const Json& field : list) {
    if (!field.is_object() || !field.contains("name") || !field["name"].is_string()) return std::nullopt;
    const Json* type = Member(field, "data_type");
    if (!type) type = Member(field, "type");
    if (!type) type = Member(field, "field_type");
    const auto parsed = type ? ParseSchemaType(*type) : std::nullopt;
    if (!parsed) return std::nullopt;
    fields.push_back({field["name"].get<std::string>(), *parsed, field.value("nullable", true)});
  }
  return fields.empty() ? std::nullopt : std::optional(Type::Struct(std::move(fields)));
}

std::optional<Type> ParseObject(const Json& value) {
  if (value.contains("type") && value["type"].is_object()) return ParseSchemaType(value["type"]);
  if (const Json* primitive = Member(value, "primitive"); primitive && primitive->is_string())
    return PrimitiveNamed(primitive->get<std::string>());
  for (const char* name : {"struct", "list", "array", "map"}) {
    if (const Json* inner = Member(value, name)) {
      Json nested = inner->is_array()    ? Json{{"fields", *inner}}
                    : inner->is_object() ? *inner
                                         : Json{{"items", *inner}};
      nested["type"] = name;
      return ParseObject(nested);
    }
  }
  const std::string type =
      value.contains("type") && value["type"].is_string() ? Folded(value["type"].get<std::string>()) : "";
  if (type == "struct" || type == "record") {
    const Json* fields = Member(value, "fields");
    return fields && fields->is_array() ? ParseFields(*fields) : std::nullopt;
  }
  if (type == "list" || type == "array") {
    const Json* items = Member(value, "items");
    if (!items) items = Member(value, "element");
    if (!items) items = Member(value, "element_type");
    const auto element = items ? ParseSchemaType(*items) : std::nullopt;
    return element ? std::optional(Type::Array(*element)) : std::nullopt;
  }
  if (type == "map") {
    const Json* key = Member(value, "key");
    const Json* item = Member(value, "value");
    if (!item) item = Member(value, "values");
    const auto value_type = item ? ParseSchemaType(*item) : std::nullopt;
    const auto key_type = key ? ParseSchemaType(*key) : std::optional(Type::Text());
    return key_type && value_type ? std::optional(Type::Map(*key_type, *value_type)) : std::nullopt;
  }
  if (type == "decimal" || type == "decimal128") {
    const int precision = value.value("precision", 38), scale = value.value("scale", 10);
    if (precision < 1 || precision > 38 || scale < 0 || scale > precision) return std::nullopt;
    return Type::Decimal(precision, scale);
  }
  if (!type.empty()) return ParseSchemaType(value["type"]);
  return std::nullopt;
}

// ---- JSON Schema and Avro ----

Type JsonSchemaType(const Json& schema) {
  std::string type;
  if (const Json* t = Member(schema, "type")) {
    if (t->is_string()) type = t->get<std::string>();
    if (t->is_array()) {
      for (const Json& option : *t) {
        if (option.is_string() && option != "null") type = type.empty() ? option.get<std::string>() : "mixed";
      }
    }
  }
  const std::string format = schema.value("format", "");
  if (type == "string")
    return format == "date-time" ? Type::Timestamp() : format == "date" ? Type::Date() : Type::Text();
  if (type == "integer") return Type::Int64();
  if (type == "number") return Type::Double();
  if (type == "boolean") return Type::Boolean();
  if (type == "array" && schema.contains("items") && schema["items"].is_object())
    return Type::Array(JsonSchemaType(schema["items"]));
  if (type == "object" && schema.contains("properties") && !schema["properties"].empty()) {
    std::vector<Field> fields;
    for (const auto& [name, property] : schema["properties"].items())
      fields.push_back({name, JsonSchemaType(property), true});
    return Type::Struct(std::move(fields));
  }
  return Type::Json();
}

std::vector<Field> JsonSchemaFields(const Json& schema) {
  if (!schema.is_object() || !schema.contains("properties") || !schema["properties"].is_object())
    throw UserError(Reason::kBadOption, {},
                    "schema.definition: a JSON schema of a table has an object 'properties'");
  std::vector<std::string> required;
  if (schema.contains("required")) required = schema["required"].get<std::vector<std::string>>();
  std::vector<Field> out;
  for (const auto& [name, property] : schema["properties"].items()) {
    const bool needed = std::find(required.begin(), required.end(), name) != required.end();
    out.push_back({name, JsonSchemaType(property), !needed});
  }
  return out;
}

std::pair<Type, bool> AvroType(const Json& type) {
  if (type.is_array()) {
    bool nullable = false;
    std::vector<Json> others;
    for (const Json& option : type) {
      if (option == "null")
        nullable = true;
      else
        others.push_back(option);
    }
    if (others.size() == 1) return {AvroType(others[0]).first, nullable};
    return {Type::Json(), true};
  }
  const std::string name = type.is_string() ? type.get<std::string>() : type.value("type", "");
  const std::string logical = type.is_object() ? type.value("logicalType", "") : "";
  if (logical == "timestamp-millis" || logical == "local-timestamp-millis")
    return {Type::Timestamp(3), false};
  if (logical == "timestamp-micros" || logical == "local-timestamp-micros") return {Type::Timestamp(), false};
  if (logical == "date") return {Type::Date(), false};
  if (logical.starts_with("time-")) return {Type::Time(), false};
  if (logical == "decimal")
    return {Type::Decimal(type.value("precision", 38), type.value("scale", 0)), false};
  if (name == "int") return {Type::Int32(), false};
  if (name == "long") return {Type::Int64(), false};
  if (name == "float") return {Type::Float(), false};
  if (name == "double") return {Type::Double(), false};
  if (name == "boolean") return {Type::Boolean(), false};
  if (name == "string" || name == "enum") return {Type::Text(), false};
  if (name == "bytes" || name == "fixed") return {Type::Bytes(), false};
  if (name == "array") return {Type::Array(AvroType(type["items"]).first), false};
  if (name == "map") return {Type::Map(Type::Text(), AvroType(type["values"]).first), false};
  if (name == "record") {
    std::vector<Field> fields;
    for (const Json& field : type["fields"]) {
      auto [inner, nullable] = AvroType(field["type"]);
      fields.push_back({field["name"].get<std::string>(), inner, nullable});
    }
    return {Type::Struct(std::move(fields)), false};
  }
  throw UserError(Reason::kBadOption, {}, "schema.definition: no Avro type '" + name + "'");
}

std::vector<Field> SqlFields(const std::string& text) {
  const bool whole = text.find('(') != std::string::npos && Folded(text).starts_with("create");
  sql::ParsedScript parsed = sql::ParseScript(whole ? text : "CREATE TABLE t (" + text + ")");
  if (!parsed.errors.empty())
    throw UserError(Reason::kSyntax, {}, "schema.definition: " + parsed.errors[0].message());
  if (parsed.statements.size() != 1 || !parsed.statements[0].has_columns)
    throw UserError(Reason::kSyntax, {}, "schema.definition: wanted a list of columns, or one CREATE TABLE");
  std::vector<Field> out;
  for (const sql::ColumnDefinition& column : parsed.statements[0].columns) {
    if (!column.type)
      throw UserError(Reason::kSyntax, {},
                      "schema.definition: column '" + column.name.text + "' has no type");
    out.push_back({column.name.text, *column.type, !column.not_null && !column.primary_key});
  }
  return out;
}

}  // namespace

std::optional<Type> ParseSchemaType(const Json& value) {
  if (value.is_object()) return ParseObject(value);
  if (!value.is_string()) return std::nullopt;
  const std::string text = value.get<std::string>();
  if (auto type = PrimitiveNamed(text); type && Folded(text) != "timestamp") return type;
  if (auto type = ParseTypeName(text)) return type;
  // STRUCT<a:INT, b:STRING> is the spelling of other engines.
  std::string spaced = text;
  std::replace(spaced.begin(), spaced.end(), ':', ' ');
  return spaced == text ? std::nullopt : ParseTypeName(spaced);
}

std::vector<Field> DefinitionFields(const std::string& type, const std::string& text) {
  if (type == "raw_schema") return {{"value", Type::Text(), true}};
  if (type == "sql") return SqlFields(text);
  if (type != "json_schema" && type != "avro_schema") {
    throw UserError(
        Reason::kUnsupported, {},
        "schema.definition: '" + type + "' is not one of json_schema, avro_schema, raw_schema, sql");
  }
  const Json schema = Json::parse(text, nullptr, false);
  if (schema.is_discarded())
    throw UserError(Reason::kBadOption, {}, "schema.definition: the schema is not JSON");
  try {
    if (type == "json_schema") return JsonSchemaFields(schema);
    if (!schema.is_object() || schema.value("type", "") != "record")
      throw UserError(Reason::kBadOption, {}, "schema.definition: the Avro schema of a table is a record");
    return AvroType(schema).first.fields();
  } catch (const Json::exception&) {
    throw UserError(Reason::kBadOption, {}, "schema.definition: the schema lacks a part that it needs");
  }
}

}  // namespace laminar
