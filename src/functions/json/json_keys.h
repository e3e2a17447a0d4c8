#pragma once

/// The key arguments of the JSON getters: `json_get(j, 'a', 0, name)`. Constants are made into a chain at
/// binding; keys that come from columns are filled in per row. Include only from .cc files.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "functions/column_reader.h"
#include "functions/json/json_path.h"
#include "functions/registry.h"

namespace laminar {

/// Known at binding; shared by all calls.
class JsonKeyArguments {
 public:
  /// Keys are arguments `first`…; each TEXT or an integer. nullopt when one is neither.
  static std::shared_ptr<const JsonKeyArguments> Bind(const BindArguments& arguments, size_t first);
  /// One argument of PostgreSQL's path form, `'{a,0,b}'` or TEXT[]. Null pointer for another type; throws
  /// UserError for a constant text that is no such path.
  static std::shared_ptr<const JsonKeyArguments> BindPath(const BindArguments& arguments, size_t index);

  /// What the key arguments are cast to.
  const std::vector<Type>& parameters() const { return parameters_; }

 private:
  friend class JsonKeysOfCall;
  struct Constant {
    std::string name;
    int64_t index = 0;
  };
  enum class Form { kKeys, kPathText, kPathArray };
  Form form_ = Form::kKeys;
  size_t first_ = 1;
  std::vector<Type> parameters_;
  std::vector<std::optional<Constant>> constants_;  // by key argument
  std::optional<std::vector<std::string>> path_;    // kPathText of a constant
};

/// The chain of each row of one call.
class JsonKeysOfCall {
 public:
  JsonKeysOfCall(const JsonKeyArguments& keys, const ScalarCall& call);
  /// Valid until the next call. nullopt: a path text of this row is no path, or a path has a NULL part.
  std::optional<std::span<const JsonKey>> OfRow(int64_t row);

 private:
  struct Dynamic {
    size_t place;
    std::variant<ColumnReader<std::string_view>, ColumnReader<int64_t>> reader;
  };
  bool SetPath(const std::vector<std::string>& parts);
  bool SetPathFromArray(int64_t row);

  const JsonKeyArguments& keys_;
  std::vector<JsonKey> chain_;
  std::vector<Dynamic> dynamic_;
  std::optional<ColumnReader<std::string_view>> path_texts_;
  std::optional<ListReader> path_arrays_;
  std::optional<ColumnReader<std::string_view>> path_elements_;
  std::vector<std::string> path_;
};

}  // namespace laminar
