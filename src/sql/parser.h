#pragma once

/// Script text → statements. Hand-written lexer and recursive descent with precedence climbing; the grammar
/// is docs/sql.md.

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sql/ast.h"

namespace laminar::sql {

struct ParsedScript {
  std::vector<Statement> statements;
  /// Errors in order, at most 100; after each the parser goes on behind the next `;`. Reasons: SYNTAX,
  /// UNSUPPORTED, BAD_INTERVAL, MULTIPLE_WATERMARKS (inline tables), DUPLICATE_NAME (two PRIMARY KEY
  /// clauses).
  std::vector<UserError> errors;
  /// Tables, views and functions whose CREATE statement has an error in `errors`: others may use them.
  std::vector<std::string> unparsed_names;
};

/// Never throws and never crashes, whatever the bytes. Nesting deeper than 200 levels is a SYNTAX error, and
/// so is a chain of more than 1000 operators, joins or set operations (AND and OR excepted): trees are at
/// most that high.
ParsedScript ParseScript(std::string_view text);

/// A single expression (tests, option values). Throws the first UserError.
ExprPtr ParseExpression(std::string_view text);

/// The tree as canonical SQL text, for tests and explain; every operator in brackets, desugared calls as they
/// are in the tree. Parses back to the same tree.
std::string ToString(const Expr& expr);
std::string ToString(const Query& query);

/// The value of an interval's text, such as '5 minutes' or '1 day 02:00:00' (units: µs … year, also short).
/// For strings that serve as window lengths and options. Throws UserError BAD_INTERVAL at `span`.
IntervalValue ParseIntervalText(std::string_view text, SourceSpan span);

}  // namespace laminar::sql
