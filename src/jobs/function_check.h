#pragma once

/// A user-defined function by itself: checked, and tried on values.

#include <string>
#include <vector>

#include "catalog/records.h"
#include "jobs/engine.h"

namespace laminar {

/// A function as the SQL front end knows it.
struct CheckedFunction {
  sql::DeclaredFunction declared;
  std::vector<std::string> calls;  ///< functions of the server that it calls, also by others; lower case
};

/// One trial: an object with a value for each parameter (left out: NULL).
struct FunctionTrial {
  Json output;        ///< null also where it failed
  std::string error;  ///< empty: none
};

FunctionTrial TryFunction(const Engine& engine, const sql::DeclaredFunction& declared, const Json& input);
/// Whether `output` is the value that `expected` stands for.
bool SameResult(const Engine& engine, const sql::DeclaredFunction& declared, const Json& output,
                const Json& expected);

}  // namespace laminar
