#pragma once

/// What the server declares for one script, from CREATE TABLE or CREATE FUNCTION texts.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sql/binder.h"

namespace laminar {

class Declared final : public sql::DeclarationCatalog {
 public:
  explicit Declared(std::map<std::string, std::string> declarations)
      : declarations_(std::move(declarations)) {}
  std::optional<std::string> Declaration(const std::string& name) const override {
    const auto found = declarations_.find(name);
    return found == declarations_.end() ? std::nullopt : std::optional(found->second);
  }
  std::vector<std::string> names() const override {
    std::vector<std::string> out;
    for (const auto& [name, text] : declarations_) out.push_back(name);
    return out;
  }

 private:
  std::map<std::string, std::string> declarations_;  // by lower-case name
};

}  // namespace laminar
