#include "jobs/table_declaration.h"

#include <nlohmann/json.hpp>
#include <set>

#include "connectors/connector.h"
#include "connectors/option_text.h"

namespace laminar {

namespace {

std::string Quoted(const std::string& text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    out += c;
    if (c == quote) out += c;
  }
  return out + quote;
}

std::string ScalarText(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

bool AllScalars(const Json& array) {
  for (const Json& item : array) {
    if (item.is_structured()) return false;
  }
  return true;
}

/// Adds `value` under `name`; objects as dotted names.
void Flatten(const std::string& name, const Json& value, OptionList* out) {
  if (value.is_null()) return;
  if (value.is_object()) {
    for (const auto& [key, member] : value.items())
      Flatten(name.empty() ? key : name + "." + key, member, out);
  } else if (value.is_array() && AllScalars(value)) {
    std::string text;
    for (const Json& item : value) text += (text.empty() ? "" : ",") + ScalarText(item);
    out->emplace_back(name, text);
  } else {
    out->emplace_back(name, ScalarText(value));
  }
}

/// Only the leaves of a variant: {"sourceType":{"stream":"s"}} gives stream.
void FlattenVariant(const Json& value, OptionList* out) {
  static const std::set<std::string> places = {"sourcetype", "sinktype", "source",
                                               "sink",       "lookup",   "target"};
  for (const auto& [key, member] : value.items()) {
    if (member.is_object() && places.count(FoldOptionName(key))) {
      FlattenVariant(member, out);
    } else {
      Flatten(key, member, out);
    }
  }
}

/// `"json"`, `{"json":{…}}` or `{"type":"json",…}`.
void AddFormat(const Json& format, const Json& options, OptionList* out) {
  std::string name;
  Json settings = options.is_object() ? options : Json::object();
  if (format.is_string()) {
    name = format.get<std::string>();
  } else if (format.is_object() && format.contains("type") && format["type"].is_string()) {
    name = format["type"].get<std::string>();
    for (const auto& [key, value] : format.items()) {
      if (key != "type") settings[key] = value;
    }
  } else if (format.is_object() && format.size() == 1) {
    name = format.begin().key();
    if (format.begin()->is_object()) settings.update(*format.begin());
  }
  if (name.empty()) return;
  if (settings.is_object() && settings.size() == 1 && settings.begin()->is_object() &&
      FoldOptionName(settings.begin().key()) == FoldOptionName(name))
    settings = Json(*settings.begin());  // format_options: {"json": {…}}
  for (auto it = settings.begin(); it != settings.end();) {
    if (FoldOptionName(it.key()) == "debezium" && it->is_boolean()) {
      if (it->get<bool>()) name = "debezium_json";
      it = settings.erase(it);
    } else {
      ++it;
    }
  }
  out->emplace_back("format", name);
  for (const auto& [key, value] : settings.items()) Flatten(name + "." + key, value, out);
}

/// "newline", or {"method":{"newline":{…}}}, or {"method":"newline",…}.
void AddFraming(const Json& framing, OptionList* out) {
  const Json* method = &framing;
  if (framing.is_object() && framing.contains("method")) method = &framing["method"];
  if (method->is_string()) {
    out->emplace_back("framing", method->get<std::string>());
    if (framing.is_object()) {
      for (const auto& [key, value] : framing.items()) {
        if (key != "method") Flatten("framing." + key, value, out);
      }
    }
  } else if (method->is_object() && method->size() == 1) {
    out->emplace_back("framing", method->begin().key());
    Flatten("framing." + method->begin().key(), *method->begin(), out);
  }
}

std::string ColumnDeclaration(const Json& field, bool primary_key) {
  std::string out =
      Quoted(field.at("name").get<std::string>(), '"') + " " + field.at("data_type").get<std::string>();
  if (const std::string expression = field.value("expression", ""); !expression.empty())
    return out + " GENERATED ALWAYS AS (" + expression + ")";
  if (const std::string key = field.value("metadata_key", ""); !key.empty())
    out += " METADATA FROM " + Quoted(key, '\'');
  if (!field.value("nullable", true)) out += " NOT NULL";
  return primary_key ? out + " PRIMARY KEY" : out;
}

std::string IsoDuration(const std::string& text) {
  std::string out, number;
  bool time = false;
  for (size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (c == 'T') {
      time = true;
    } else if (std::isdigit(static_cast<unsigned char>(c)) || c == '.') {
      number += c;
    } else {
      const char* unit = c == 'D'           ? "days"
                         : c == 'W'         ? "weeks"
                         : c == 'H'         ? "hours"
                         : c == 'M' && time ? "minutes"
                         : c == 'S'         ? "seconds"
                                            : nullptr;
      if (!unit || number.empty()) return "";
      out += (out.empty() ? "" : " ") + number + " " + unit;
      number.clear();
    }
  }
  return number.empty() ? out : "";
}

}  // namespace

std::string DurationText(const Json& value, const std::string& field) {
  std::string text;
  if (value.is_number_integer()) {
    text = std::to_string(value.get<int64_t>() * 1000) + "us";
  } else if (value.is_string()) {
    text = value.get<std::string>();
    if (text.starts_with("P")) text = IsoDuration(text);
  }
  if (text.empty() || !ParseDurationUs(text)) {
    throw UserError(Reason::kBadOption, {}, field + ": " + value.dump() + " is not a duration")
        .Hint("write \"5 seconds\", \"PT5S\" or milliseconds as an integer");
  }
  return text;
}

bool HasVariantObject(const Json& config) {
  for (const auto& [key, value] : config.items()) {
    const std::string name = FoldOptionName(key);
    if ((name == "type" || name == "connectortype") && value.is_object()) return true;
  }
  return false;
}

OptionList ProfileOptionList(const Json& config) {
  OptionList out;
  for (const auto& [key, value] : config.items()) {
    const std::string name = FoldOptionName(key);
    if (name == "authentication") {  // SQL calls it auth
      Flatten("auth", value, &out);
    } else if (name == "storageoptions") {
      Flatten("storage", value, &out);
    } else if (name == "schemaregistryenum") {
      Flatten("schema_registry", value, &out);
    } else if (name == "connection" && value.is_object()) {
      Flatten("", value, &out);
    } else {
      Flatten(key, value, &out);
    }
  }
  return out;
}

OptionList TableOptionList(const ConnectionTable& table, const Profile* profile) {
  OptionList out = {{"connector", table.connector}};
  if (profile) {
    for (auto& option : ProfileOptionList(profile->config)) out.push_back(std::move(option));
  }
  Json format = table.schema_extras.value("format", Json());
  Json format_options;
  OptionList own;
  for (const auto& [key, value] : table.config.items()) {
    const std::string name = FoldOptionName(key);
    if (name == "connector" || name == "tabletype") continue;
    if (name == "type" || name == "connectortype") {
      if (value.is_object()) FlattenVariant(value, &own);
    } else if (name == "format") {
      if (format.is_null()) format = value;
    } else if (name == "storageoptions") {
      Flatten("storage", value, &own);
    } else if (name == "formatoptions") {
      format_options = value;
    } else if (name == "framing" && value.is_object()) {
      AddFraming(value, &own);
    } else {
      Flatten(key, value, &own);
    }
  }
  if (format.is_null() && !format_options.is_null()) format = "json";
  AddFormat(format, format_options, &out);
  if (table.schema_extras.contains("framing")) AddFraming(table.schema_extras["framing"], &out);
  if (table.schema_extras.contains("bad_data")) Flatten("bad_data", table.schema_extras["bad_data"], &out);
  for (auto& option : own) out.push_back(std::move(option));
  if (!table.table_type.empty()) out.emplace_back("type", table.table_type);
  if (!table.event_time_field.empty()) out.emplace_back("event_time_field", table.event_time_field);
  if (!table.watermark_delay.is_null())
    out.emplace_back("watermark_delay", DurationText(table.watermark_delay, "watermark_delay"));
  if (!table.idle_time.is_null()) out.emplace_back("idle_time", DurationText(table.idle_time, "idle_time"));
  return out;
}

std::string TableDeclaration(const ConnectionTable& table, const Profile* profile) {
  std::string out = table.table_type == "lookup" ? "CREATE TEMPORARY TABLE " : "CREATE TABLE ";
  out += Quoted(table.name, '"');
  if (!table.fields.empty()) {
    std::set<std::string> keys;
    if (table.schema_extras.contains("primary_keys"))
      keys = table.schema_extras["primary_keys"].get<std::set<std::string>>();
    std::string columns, key_list;
    size_t count = 0;
    for (const Json& field : table.fields) {
      const std::string name = field.at("name").get<std::string>();
      if (field.value("primary_key", false) || keys.count(name)) {
        key_list += (key_list.empty() ? "" : ", ") + Quoted(name, '"');
        ++count;
      }
      columns += (columns.empty() ? "" : ", ") + ColumnDeclaration(field, false);
    }
    if (count > 0) columns += ", PRIMARY KEY (" + key_list + ")";
    out += " (" + columns + ")";
  }
  std::string options;
  for (const auto& [name, value] : TableOptionList(table, profile))
    options += (options.empty() ? "" : ", ") + Quoted(name, '\'') + " = " + Quoted(value, '\'');
  return out + " WITH (" + options + ")";
}

}  // namespace laminar
