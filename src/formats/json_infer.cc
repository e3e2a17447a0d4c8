/// Schema of a JSON sample. Runs once per table, so it takes the comfortable parser.

#include <deque>
#include <nlohmann/json.hpp>

#include "formats/json_options.h"
#include "formats/json_text.h"
#include "types/timestamp_text.h"

namespace laminar {

namespace {

using Json = nlohmann::ordered_json;

enum class Kind { kUnknown, kBoolean, kInteger, kDouble, kTimestamp, kText, kArray, kStruct, kMixed };

/// What has been seen in one place of the records so far.
struct Seen {
  Kind kind = Kind::kUnknown;
  std::vector<std::string> names;  // STRUCT: in first-seen order
  std::deque<Seen> fields;
  std::vector<int64_t> field_objects;  // STRUCT: in how many objects each name was
  int64_t objects = 0;
  std::deque<Seen> element;  // ARRAY: one

  void Add(const Json& value);
  Type ToType() const;
};

Kind KindOf(const Json& value) {
  if (value.is_boolean()) return Kind::kBoolean;
  if (value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX) return Kind::kDouble;
  if (value.is_number_integer()) return Kind::kInteger;
  if (value.is_number()) return Kind::kDouble;
  if (value.is_array()) return Kind::kArray;
  if (value.is_object()) return Kind::kStruct;
  const auto parsed = ParseTimestamp(value.get_ref<const std::string&>());
  return parsed && parsed->has_time ? Kind::kTimestamp : Kind::kText;
}

Kind Merge(Kind a, Kind b) {
  if (a == b || a == Kind::kUnknown) return b;
  auto both_in = [&](Kind x, Kind y) { return (a == x || a == y) && (b == x || b == y); };
  if (both_in(Kind::kInteger, Kind::kDouble)) return Kind::kDouble;
  if (both_in(Kind::kTimestamp, Kind::kText)) return Kind::kText;
  return Kind::kMixed;
}

void Seen::Add(const Json& value) {
  if (value.is_null()) return;
  kind = Merge(kind, KindOf(value));
  if (kind == Kind::kArray) {
    if (element.empty()) element.emplace_back();
    for (const Json& item : value) element[0].Add(item);
  } else if (kind == Kind::kStruct) {
    ++objects;
    for (const auto& [name, field] : value.items()) {
      const auto place = std::find(names.begin(), names.end(), name);
      const auto index = static_cast<size_t>(place - names.begin());
      if (place == names.end()) {
        names.push_back(name);
        fields.emplace_back();
        field_objects.push_back(0);
      }
      ++field_objects[index];
      fields[index].Add(field);
    }
  }
}

Type Seen::ToType() const {
  switch (kind) {
    case Kind::kBoolean:
      return Type::Boolean();
    case Kind::kInteger:
      return Type::Int64();
    case Kind::kDouble:
      return Type::Double();
    case Kind::kTimestamp:
      return Type::Timestamp();
    case Kind::kText:
      return Type::Text();
    case Kind::kArray:
      return Type::Array(element[0].ToType());
    case Kind::kStruct: {
      // Objects with different keys are maps or variants, not rows of one shape.
      const auto everywhere = [this](int64_t count) { return count == objects; };
      if (names.empty() || !std::all_of(field_objects.begin(), field_objects.end(), everywhere))
        return Type::Json();
      std::vector<Field> out;
      for (size_t i = 0; i < names.size(); ++i) out.push_back({names[i], fields[i].ToType(), true});
      return Type::Struct(std::move(out));
    }
    default:
      return Type::Json();  // nothing but nulls, or a mixture: JSON holds anything
  }
}

}  // namespace

Schema InferJsonSchema(std::string_view sample, bool lines) {
  Seen root;
  if (sample.starts_with("\xef\xbb\xbf")) sample.remove_prefix(3);
  while (!sample.empty()) {
    const size_t end = lines ? std::min(sample.find('\n'), sample.size()) : sample.size();
    const Json record = Json::parse(sample.substr(0, end), nullptr, /*allow_exceptions=*/false);
    if (record.is_object()) root.Add(record);
    sample.remove_prefix(std::min(end + 1, sample.size()));
  }
  Schema schema;
  for (size_t i = 0; i < root.names.size(); ++i)
    schema.fields.push_back({root.names[i], root.fields[i].ToType(), true});
  return schema;
}

}  // namespace laminar
