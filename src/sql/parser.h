#pragma once

/// Script text → statements. Hand-written lexer and recursive descent with precedence climbing; the grammar is docs/sql.md.

#include <string_view>
#include <vector>

#include "base/error.h"
#include "sql/ast.h"

namespace laminar::sql {

struct ParsedScript {
  std::vector<Statement> statements;
  /// SYNTAX (or UNSUPPORTED, BAD_INTERVAL) errors in order; after each the parser goes on behind the next `;`.
  std::vector<UserError> errors;
};

/// Never throws and never crashes, whatever the bytes. Nesting deeper than 200 levels is a SYNTAX error.
ParsedScript ParseScript(std::string_view text);

/// A single expression (tests, option values). Throws UserError.
ExprPtr ParseExpression(std::string_view text);

/// The tree as canonical SQL-like text, for tests and explain.
std::string ToString(const Expr& expr);

}  // namespace laminar::sql
