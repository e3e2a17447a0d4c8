#pragma once

/// The condition of a filter selector `[?(…)]`, as a tree.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "functions/json/json_path.h"

namespace laminar {

struct JsonFilter {
  enum class Kind { kOr, kAnd, kNot, kExists, kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };

  /// A literal, or a path from the current value (`@`) or the whole document (`$`).
  struct Operand {
    bool is_literal = false;
    bool from_root = false;
    std::string literal;  ///< raw JSON
    std::vector<JsonStep> steps;
  };

  Kind kind = Kind::kExists;
  std::vector<std::shared_ptr<const JsonFilter>> children;  ///< kOr, kAnd, kNot
  Operand left;                                             ///< the others
  Operand right;                                            ///< comparisons
};

/// Orders two raw scalars of the same kind: −1, 0, 1. nullopt for different kinds, and for objects and arrays
/// that differ. Integers compare exactly, other numbers as DOUBLE.
std::optional<int> CompareJson(std::string_view a, std::string_view b);

}  // namespace laminar
