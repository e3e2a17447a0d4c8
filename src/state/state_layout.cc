#include "state/state_layout.h"

#include <array>
#include <nlohmann/json.hpp>

namespace laminar {

namespace {

using Json = nlohmann::json;

constexpr std::array<const char*, 8> kForms{"plain", "sequence", "key",  "row",
                                            "text",  "bytes",    "skip", "sized"};

Json ToJson(const std::vector<StatePart>& parts) {
  Json all = Json::array();
  for (const StatePart& part : parts) {
    Json one{{"form", kForms[static_cast<size_t>(part.form)]}};
    for (const Field& column : part.columns) one["columns"].push_back({column.name, column.type.ToString()});
    if (part.bytes >= 0) one["bytes"] = part.bytes;
    if (!part.parts.empty()) one["parts"] = ToJson(part.parts);
    all.push_back(std::move(one));
  }
  return all;
}

/// False for what is not known.
bool FromJson(const Json& all, std::vector<StatePart>* parts) {
  for (const Json& one : all) {
    StatePart part;
    const std::string form = one.at("form");
    size_t known = 0;
    while (known < kForms.size() && kForms[known] != form) ++known;
    if (known == kForms.size()) return false;
    part.form = static_cast<StatePart::Form>(known);
    if (one.contains("columns")) {
      for (const Json& column : one.at("columns")) {
        const auto type = ParseTypeName(column.at(1).get<std::string>());
        if (!type) return false;
        part.columns.push_back({column.at(0), *type});
      }
    }
    part.bytes = one.value("bytes", int64_t{-1});
    if (one.contains("parts") && !FromJson(one.at("parts"), &part.parts)) return false;
    parts->push_back(std::move(part));
  }
  return true;
}

}  // namespace

StateTableSpec LogTable(std::string name, std::string layout, std::vector<Field> key, std::vector<Field> row,
                        Type time) {
  return {
      std::move(name),
      1,
      std::move(layout),
      {StatePart::Key(std::move(key)), StatePart::Sequence({{"sequence", Type::Int64()}})},
      {StatePart::Plain({{"time", std::move(time)}, {"weight", Type::Int32()}, {"matches", Type::Int32()}}),
       StatePart::Row(std::move(row))}};
}

StateTableSpec OrderedTable(std::string name, std::string layout, std::vector<Field> key,
                            std::vector<Field> row, std::string tag) {
  return {std::move(name),
          1,
          std::move(layout),
          {StatePart::Key(std::move(key)), StatePart::Sequence({{"sequence", Type::Int64()}})},
          {StatePart::Plain({{std::move(tag), Type::Int64()}}),
           StatePart::Sized({StatePart::Bytes("sort_bytes")}), StatePart::Row(std::move(row))}};
}

StateTableSpec TextTable(std::string name, std::string layout, std::string key, std::string value) {
  return {std::move(name),
          1,
          std::move(layout),
          {StatePart::Text(std::move(key))},
          {StatePart::Text(std::move(value))}};
}

std::string StatePartsToText(const std::vector<StatePart>& parts) {
  return ToJson(parts).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<StatePart> StatePartsFromText(const std::string& text) {
  std::vector<StatePart> parts;
  try {
    if (FromJson(Json::parse(text), &parts)) return parts;
  } catch (const Json::exception&) {  // of a later program: the entries are shown as bytes
  }
  return {};
}

}  // namespace laminar
