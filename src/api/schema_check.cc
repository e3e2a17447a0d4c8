#include "api/schema_check.h"

#include <algorithm>
#include <set>

#include "api/api_error.h"
#include "api/schemas.h"

namespace laminar::api {

namespace {

constexpr int kDepthMax = 64;

/// Brackets open at once, strings and comments left out.
int Depth(const std::string& text) {
  int depth = 0, deepest = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\') ++i;
      }
    } else if (text.compare(i, 2, "//") == 0) {
      i = std::min(text.find('\n', i), text.size());
    } else if (text.compare(i, 2, "/*") == 0) {
      i = std::min(text.find("*/", i + 2), text.size());
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return deepest;
}

std::string Join(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + "." + key;
}

const char* TypeName(const Json& value) {
  if (value.is_boolean()) return "boolean";
  if (value.is_number_integer()) return "integer";
  if (value.is_number()) return "number";
  if (value.is_string()) return "string";
  if (value.is_array()) return "array";
  return value.is_object() ? "object" : "null";
}

bool HasType(const Json& value, const std::string& type) {
  const std::string is = TypeName(value);
  return is == type || (type == "number" && is == "integer");
}

const Json& Resolve(const Json& schema) {
  const auto ref = schema.find("$ref");
  if (ref == schema.end()) return schema;
  const std::string text = ref->get<std::string>();
  return Schemas().at(text.substr(text.rfind('/') + 1));
}

std::string Names(const Json& values) {
  std::string out;
  for (const Json& value : values) {
    if (!value.is_null())
      out += (out.empty() ? "" : ", ") + (value.is_string() ? value.get<std::string>() : value.dump());
  }
  return out;
}

int64_t Codepoints(const std::string& text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

Json Check(const Json& value, const Json& schema_or_ref, const std::string& path,
           std::vector<std::string>* ignored);

Json CheckObject(const Json& value, const Json& schema, const std::string& path,
                 std::vector<std::string>* ignored) {
  const auto properties = schema.find("properties");
  if (properties == schema.end()) {
    const auto each = schema.find("additionalProperties");
    if (each != schema.end() && each->is_object()) {
      for (const auto& [key, member] : value.items()) Check(member, *each, Join(path, key), nullptr);
    } else if (!schema.value("x-user-map", false)) {
      CheckSpellings(value, path);
    }
    return value;
  }
  Json out = Json::object();
  for (const auto& [key, member] : value.items()) {
    const std::string folded = FoldKey(key);
    const auto known = std::find_if(properties->items().begin(), properties->items().end(),
                                    [&](const auto& property) { return FoldKey(property.key()) == folded; });
    if (known == properties->items().end()) {
      if (ignored) ignored->push_back(key);
      continue;
    }
    const std::string name = (*known).key();
    if (out.contains(name)) throw Invalid(Join(path, name), "is given in two spellings");
    out[name] = Check(member, (*known).value(), Join(path, name), nullptr);
  }
  if (const auto required = schema.find("required"); required != schema.end()) {
    for (const Json& name : *required) {
      if (!out.contains(name.get<std::string>()))
        throw Invalid(Join(path, name.get<std::string>()), "is required");
    }
  }
  return out;
}

void CheckScalar(const Json& value, const Json& schema, const std::string& path) {
  if (value.is_number()) {
    const double number = value.get<double>();
    if (schema.contains("minimum") && number < schema["minimum"].get<double>())
      throw Invalid(path, value.dump() + " is below " + schema["minimum"].dump());
    if (schema.contains("maximum") && number > schema["maximum"].get<double>())
      throw Invalid(path, value.dump() + " is above " + schema["maximum"].dump());
  }
  if (value.is_string()) {
    const int64_t length = Codepoints(value.get_ref<const std::string&>());
    if (schema.contains("minLength") && length < schema["minLength"].get<int64_t>())
      throw Invalid(path, length == 0 ? "must not be empty" : "is too short");
    if (schema.contains("maxLength") && length > schema["maxLength"].get<int64_t>())
      throw Invalid(path, "is longer than " + schema["maxLength"].dump() + " characters");
  }
}

Json Check(const Json& value, const Json& schema_or_ref, const std::string& path,
           std::vector<std::string>* ignored) {
  const Json& schema = Resolve(schema_or_ref);
  if (const auto either = schema.find("anyOf"); either != schema.end())  // something, or null
    return value.is_null() ? value : Check(value, either->front(), path, ignored);
  if (const auto type = schema.find("type"); type != schema.end()) {
    const bool fits = type->is_array()
                          ? std::any_of(type->begin(), type->end(),
                                        [&](const Json& t) { return HasType(value, t.get<std::string>()); })
                          : HasType(value, type->get<std::string>());
    if (!fits) {
      const std::string wanted = type->is_array() ? Names(*type) : type->get<std::string>();
      throw Invalid(path, std::string("must be ") + wanted + ", not " + TypeName(value));
    }
  }
  if (const auto values = schema.find("enum"); values != schema.end()) {
    for (const Json& allowed : *values) {
      if (allowed == value) return value;
      if (value.is_string() && allowed.is_string() &&
          FoldKey(allowed.get<std::string>()) == FoldKey(value.get<std::string>()))
        return allowed;
    }
    throw Invalid(path, value.dump() + " is not one of " + Names(*values));
  }
  CheckScalar(value, schema, path);
  if (value.is_object()) return CheckObject(value, schema, path, ignored);
  if (value.is_array()) {
    if (schema.contains("maxItems") && value.size() > schema["maxItems"].get<size_t>())
      throw Invalid(path, "has more than " + schema["maxItems"].dump() + " entries");
    const auto items = schema.find("items");
    if (items == schema.end()) return value;
    Json out = Json::array();
    for (size_t i = 0; i < value.size(); ++i)
      out.push_back(Check(value[i], *items, path + "[" + std::to_string(i) + "]", nullptr));
    return out;
  }
  return value;
}

}  // namespace

Json ParseBody(const std::string& text) {
  if (Depth(text) > kDepthMax)
    throw Invalid("", "the body is nested deeper than " + std::to_string(kDepthMax) + " levels");
  try {
    return Json::parse(text, nullptr, true, true);
  } catch (const Json::parse_error& error) {
    throw ApiError(400, "VALIDATION_ERROR",
                   "the body is not JSON (at byte " + std::to_string(error.byte) + ")",
                   {{"field", ""}, {"reason", "not JSON"}, {"byte", error.byte}});
  }
}

std::string FoldKey(const std::string& key) {
  std::string out;
  for (const char c : key) {
    if (c != '_' && c != '-') out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

Json CheckBody(const Json& body, const Json& schema, std::vector<std::string>* ignored) {
  if (!body.is_object()) throw Invalid("", "the body must be a JSON object");
  return Check(body, schema, "", ignored);
}

void CheckSpellings(const Json& value, const std::string& path) {
  static const std::set<std::string> user_maps = {
      "tags", "envvars", "clientconfigs", "connectionproperties", "headers", "metadata"};
  if (value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i) CheckSpellings(value[i], path + "[" + std::to_string(i) + "]");
  }
  if (!value.is_object()) return;
  std::set<std::string> seen;
  for (const auto& [key, member] : value.items()) {
    const std::string folded = FoldKey(key);
    if (!seen.insert(folded).second) throw Invalid(Join(path, key), "is given in two spellings");
    if (!user_maps.count(folded)) CheckSpellings(member, Join(path, key));
  }
}

}  // namespace laminar::api
