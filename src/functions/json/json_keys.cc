#include "functions/json/json_keys.h"

#include <charconv>

#include "base/error.h"
#include "functions/overload.h"

namespace laminar {
namespace {

/// Parts of `{a,0,"b c"}`; nullopt when the text is not of that form.
std::optional<std::vector<std::string>> ParsePathText(std::string_view text) {
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::vector<std::string> parts;
  if (text.empty()) return parts;
  size_t at = 0;
  for (;;) {
    std::string part;
    while (at < text.size() && text[at] == ' ') ++at;
    if (at < text.size() && text[at] == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at) {
        if (text[at] == '\\' && at + 1 < text.size()) ++at;
        part.push_back(text[at]);
      }
      if (at++ >= text.size()) return std::nullopt;
      at = std::min(text.find(',', at), text.size());
    } else {
      const size_t end = std::min(text.find(',', at), text.size());
      part = text.substr(at, end - at);
      while (!part.empty() && part.back() == ' ') part.pop_back();
      at = end;
    }
    parts.push_back(std::move(part));
    if (at++ >= text.size()) return parts;
  }
}

JsonKey NameOrIndex(const std::string& part) {
  JsonKey key = JsonKey::Name(part);
  const auto [end, code] = std::from_chars(part.data(), part.data() + part.size(), key.index);
  key.name_or_index = code == std::errc() && end == part.data() + part.size();
  return key;
}

}  // namespace

std::shared_ptr<const JsonKeyArguments> JsonKeyArguments::Bind(const BindArguments& arguments, size_t first) {
  auto keys = std::make_shared<JsonKeyArguments>();
  keys->first_ = first;
  for (size_t i = first; i < arguments.size(); ++i) {
    const Type& type = arguments.types[i];
    const bool text = type.id() == TypeId::kText || type.id() == TypeId::kJson || type.is_null();
    if (!text && !type.is_integer()) return nullptr;
    keys->parameters_.push_back(text ? Type::Text() : Type::Int64());
    std::optional<Constant> constant;
    if (const auto name = ConstantText(arguments, i); name && type.id() == TypeId::kText)
      constant = Constant{*name, 0};
    if (const auto index = ConstantInteger(arguments, i)) constant = Constant{"", *index};
    keys->constants_.push_back(std::move(constant));
  }
  return keys;
}

std::shared_ptr<const JsonKeyArguments> JsonKeyArguments::BindPath(const BindArguments& arguments,
                                                                   size_t index) {
  auto keys = std::make_shared<JsonKeyArguments>();
  keys->first_ = index;
  const Type& type = arguments.types[index];
  if (type.id() == TypeId::kArray && type.element().id() == TypeId::kText) {
    keys->form_ = Form::kPathArray;
    keys->parameters_ = {type};
    return keys;
  }
  if (type.id() != TypeId::kText && !type.is_null()) return nullptr;
  keys->form_ = Form::kPathText;
  keys->parameters_ = {Type::Text()};
  if (const auto text = ConstantText(arguments, index)) {
    keys->path_ = ParsePathText(*text);
    if (!keys->path_)
      throw UserError(Reason::kTypeError, {},
                      "'" + *text + "' is not a path; write '{key,0}' or ARRAY['key','0']");
  }
  return keys;
}

JsonKeysOfCall::JsonKeysOfCall(const JsonKeyArguments& keys, const ScalarCall& call) : keys_(keys) {
  using Form = JsonKeyArguments::Form;
  if (keys.form_ == Form::kPathText) {
    path_texts_.emplace(call.args[keys.first_]);
    if (keys.path_) SetPath(*keys.path_);
    return;
  }
  if (keys.form_ == Form::kPathArray) {
    path_arrays_.emplace(call.args[keys.first_]);
    path_elements_.emplace(ColumnView(path_arrays_->elements(), false));
    return;
  }
  for (size_t i = 0; i < keys.constants_.size(); ++i) {
    const bool text = keys.parameters_[i].id() == TypeId::kText;
    const auto& constant = keys.constants_[i];
    if (constant) {
      chain_.push_back(text ? JsonKey::Name(constant->name) : JsonKey::Index(constant->index));
      continue;
    }
    chain_.push_back(text ? JsonKey::Name("") : JsonKey::Index(0));
    if (text) {
      dynamic_.push_back({i, ColumnReader<std::string_view>(call.args[keys.first_ + i])});
    } else {
      dynamic_.push_back({i, ColumnReader<int64_t>(call.args[keys.first_ + i])});
    }
  }
}

std::optional<std::span<const JsonKey>> JsonKeysOfCall::OfRow(int64_t row) {
  if (path_arrays_ && !SetPathFromArray(row)) return std::nullopt;
  if (path_texts_ && !keys_.path_) {
    const auto path = ParsePathText((*path_texts_)[row]);
    if (!path || !SetPath(*path)) return std::nullopt;
  }
  for (const Dynamic& dynamic : dynamic_) {
    JsonKey& key = chain_[dynamic.place];
    if (const auto* names = std::get_if<0>(&dynamic.reader)) {
      key.name = (*names)[row];
    } else {
      key.index = std::get<1>(dynamic.reader)[row];
    }
  }
  return std::span<const JsonKey>(chain_);
}

bool JsonKeysOfCall::SetPath(const std::vector<std::string>& parts) {
  path_ = parts;
  chain_.clear();
  for (const std::string& part : path_) chain_.push_back(NameOrIndex(part));
  return true;
}

bool JsonKeysOfCall::SetPathFromArray(int64_t row) {
  const ListSpan span = (*path_arrays_)[row];
  std::vector<std::string> parts;
  for (int64_t i = span.begin; i < span.begin + span.length; ++i) {
    if (path_elements_->IsNull(i)) return false;
    parts.emplace_back((*path_elements_)[i]);
  }
  return SetPath(parts);
}

}  // namespace laminar
