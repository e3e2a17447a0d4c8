#pragma once

/// User-defined functions of the server as the SQL front end reads them.

#include <cstdint>
#include <string>
#include <vector>

#include "catalog/records.h"

namespace laminar {

struct FunctionDeclaration {
  std::string text;               ///< one CREATE FUNCTION statement
  int64_t definition_offset = 0;  ///< where the record's `definition` begins in it
};

/// Whether a definition is a CREATE FUNCTION statement, not just the body.
bool IsFunctionStatement(const std::string& definition);
FunctionDeclaration DeclarationOf(const Udf& function);
/// Those of a pipeline's own functions among its `udfs`, in order.
std::vector<std::string> OwnFunctions(const Json& udfs);

}  // namespace laminar
