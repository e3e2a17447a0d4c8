#pragma once

/// Functions that users write in SQL: a body over parameters, called with arguments.

#include <memory>
#include <string>
#include <vector>

#include "functions/expression.h"
#include "types/type.h"

namespace laminar {

struct SqlFunction {
  std::string name;  ///< in lower case
  /// One that is not nullable and gets NULL makes the result NULL; the body is not evaluated for such rows.
  std::vector<Field> parameters;
  ExpressionPtr body;  ///< over the parameters: column i is parameters[i]. Of the type that is returned
  Volatility volatility = Volatility::kImmutable;  ///< as declared; that of the body counts where it is more

  /// f(a BIGINT, b TEXT NOT NULL) → DOUBLE
  std::string Signature() const;
};

/// Whether a value may become a parameter, or the body the result, without CAST: as for built-in functions,
/// and any number that loses no fraction by its type (`x + 1` is BIGINT for an INT x), checked row by row;
/// JSON adapts.
bool Assignable(const Type& from, const Type& to);

/// Casts the arguments to the parameters; a text literal takes any type. Each argument is evaluated once.
/// Throws UserError kTypeError with the signature, without position.
ExpressionPtr CallSqlFunction(std::shared_ptr<const SqlFunction> function,
                              std::vector<ExpressionPtr> arguments);

}  // namespace laminar
