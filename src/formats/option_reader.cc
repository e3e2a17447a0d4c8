#include "formats/option_reader.h"

#include <cctype>
#include <charconv>

namespace laminar {

const std::string* OptionReader::Find(const std::string& name) const {
  const auto found = spec_.options.find(name);
  if (found == spec_.options.end()) return nullptr;
  found->second.used = true;
  return &found->second.value;
}

void OptionReader::Fail(const std::string& name, const std::string& wanted) const {
  const auto& option = spec_.options.at(name);
  throw UserError(Reason::kBadOption, option.span,
                  "'" + format_ + "." + name + "' is '" + option.value + "', but must be " + wanted);
}

std::string OptionReader::Text(const std::string& name, const std::string& otherwise) const {
  const std::string* value = Find(name);
  return value ? *value : otherwise;
}

bool OptionReader::Boolean(const std::string& name, bool otherwise) const {
  const std::string* value = Find(name);
  if (!value) return otherwise;
  if (EqualsIgnoreCase(*value, "true")) return true;
  if (EqualsIgnoreCase(*value, "false")) return false;
  Fail(name, "true or false");
}

char OptionReader::Character(const std::string& name, char otherwise) const {
  const std::string* value = Find(name);
  if (!value) return otherwise;
  if (value->size() == 1) return (*value)[0];
  if (*value == "\\t") return '\t';
  if (value->size() == 4 && value->starts_with("\\x")) {
    int code = 0;
    const auto parsed = std::from_chars(value->data() + 2, value->data() + 4, code, 16);
    if (parsed.ec == std::errc() && parsed.ptr == value->data() + 4) return static_cast<char>(code);
  }
  Fail(name, "a single character (or \\t, \\x01)");
}

int OptionReader::Choice(const std::string& name, const std::vector<std::string>& values,
                         int otherwise) const {
  const std::string* value = Find(name);
  if (!value) return otherwise;
  std::string wanted = "one of ";
  for (size_t i = 0; i < values.size(); ++i) {
    if (EqualsIgnoreCase(values[i], *value)) return static_cast<int>(i);
    wanted += (i ? ", " : "") + values[i];
  }
  Fail(name, wanted);
}

int64_t OptionReader::Size(const std::string& name, int64_t otherwise, bool* has_unit) const {
  *has_unit = false;
  const std::string* value = Find(name);
  if (!value) return otherwise;
  int64_t number = 0;
  const char* end = value->data() + value->size();
  const auto parsed = std::from_chars(value->data(), end, number);
  const char* unit = parsed.ptr;
  while (unit != end && *unit == ' ') ++unit;
  const std::string_view name_of_unit(unit, static_cast<size_t>(end - unit));
  int shift = 0;
  if (EqualsIgnoreCase(name_of_unit, "kb")) shift = 10;
  if (EqualsIgnoreCase(name_of_unit, "mb")) shift = 20;
  if (EqualsIgnoreCase(name_of_unit, "gb")) shift = 30;
  const bool known = name_of_unit.empty() || EqualsIgnoreCase(name_of_unit, "b") || shift > 0;
  if (parsed.ec != std::errc() || !known || number <= 0 || number > (INT64_MAX >> shift)) {
    Fail(name, "a positive number, optionally with KB, MB or GB");
  }
  *has_unit = !name_of_unit.empty();
  return number << shift;
}

}  // namespace laminar
