#pragma once

/// The catalog of tables of one script, from their CREATE TABLE texts.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sql/binder.h"

namespace laminar {

class DeclaredTables final : public sql::DeclarationCatalog {
 public:
  explicit DeclaredTables(std::map<std::string, std::string> declarations)
      : declarations_(std::move(declarations)) {}
  std::optional<std::string> Declaration(const std::string& name) const override {
    const auto found = declarations_.find(name);
    if (found == declarations_.end()) return std::nullopt;
    used_.insert(name);
    return found->second;
  }
  std::vector<std::string> names() const override {
    std::vector<std::string> out;
    for (const auto& [name, text] : declarations_) out.push_back(name);
    return out;
  }
  /// Names that were asked for and found.
  const std::set<std::string>& used() const { return used_; }

 private:
  std::map<std::string, std::string> declarations_;  // by lower-case name
  mutable std::set<std::string> used_;
};

}  // namespace laminar
