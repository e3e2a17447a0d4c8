#include "storage/storage_options.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "base/error.h"

namespace laminar {

namespace {

/// Lower case, without '_', '-' and `storage.`.
std::string Folded(const std::string& name) {
  std::string folded = LowerText(name);
  if (folded.rfind("storage.", 0) == 0) folded = folded.substr(8);
  folded.erase(std::remove_if(folded.begin(), folded.end(), [](char c) { return c == '_' || c == '-'; }),
               folded.end());
  return folded;
}

}  // namespace

Environment ProcessEnvironment() {
  return [](const char* name) -> const char* { return std::getenv(name); };
}

StorageOptionReader::StorageOptionReader(std::string system, std::string_view vendor,
                                         std::vector<std::string> names, const StorageOptions& options,
                                         const Environment& environment)
    : system_(std::move(system)), environment_(environment) {
  for (const auto& [name, value] : options) {
    const std::string folded = Folded(name);
    const auto known = std::find_if(names.begin(), names.end(), [&](const std::string& each) {
      return Folded(each) == folded || Folded(each) == std::string(vendor) + folded;
    });
    if (known == names.end()) {
      const std::string near = NearestName(name, names);
      Refuse("unknown storage option '" + name + "'" +
             (near.empty() ? "" : "; did you mean '" + near + "'?"));
    }
    options_[*known] = value;
  }
}

std::string StorageOptionReader::Text(const std::string& name) const {
  const auto found = options_.find(name);
  return found == options_.end() ? "" : found->second;
}

std::string StorageOptionReader::Text(const std::string& name,
                                      const std::vector<const char*>& variables) const {
  std::string value = Text(name);
  for (const char* variable : variables) {
    if (!value.empty()) break;
    value = Variable(variable);
  }
  return value;
}

std::optional<bool> StorageOptionReader::Boolean(const std::string& name) const {
  const std::string value = LowerText(Text(name));
  if (value.empty()) return std::nullopt;
  if (value == "true" || value == "1") return true;
  if (value == "false" || value == "0") return false;
  Refuse("option '" + name + "' is '" + value + "'; true and false are right");
}

std::string StorageOptionReader::Variable(const char* name) const {
  const char* value = environment_(name);
  return value == nullptr ? "" : value;
}

void StorageOptionReader::Refuse(const std::string& message) const { throw ExternalError(system_, message); }

std::string StorageOptionReader::CheckedEndpoint(const std::string& endpoint) const {
  if (endpoint.find('@') != std::string::npos) {
    Refuse("credentials in a URL are refused; give storage options or environment variables");
  }
  if (endpoint.rfind("http://", 0) != 0 && endpoint.rfind("https://", 0) != 0) {
    Refuse("the endpoint '" + endpoint + "' is no URL; write http://host:port or https://host");
  }
  return WithoutSlashes(endpoint);
}

std::string LowerText(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

bool TakePrefix(std::string_view* text, std::string_view prefix) {
  if (LowerText(std::string(text->substr(0, prefix.size()))) != prefix) return false;
  text->remove_prefix(prefix.size());
  return true;
}

std::pair<std::string, std::string> CutAtSlash(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return {std::string(text), ""};
  return {std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

std::string WithoutSlashes(std::string text) {
  while (!text.empty() && text.back() == '/') text.pop_back();
  const size_t begin = text.find_first_not_of('/');
  return begin == std::string::npos ? "" : text.substr(begin);
}

}  // namespace laminar
