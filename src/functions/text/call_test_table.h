#pragma once

/// Table tests of scalar functions: calls are written as in SQL (literals, calls, and operators between two
/// operands), and each is evaluated in every shape that a kernel can meet:
///  - all arguments constant;
///  - all arguments columns, which are slices at an offset, with or without NULLs in the rows around;
///  - only the first argument a column.

#include <string>
#include <vector>

namespace laminar {

class FunctionRegistry;

struct CallCase {
  std::string call;
  std::string result;  ///< as JSON; "null" for NULL
};

/// The functions of RegisterTextFunctions.
const FunctionRegistry& TextRegistryForTest();

/// Value of the constant call as JSON text. Throws UserError and QueryError as the real thing.
std::string EvaluateConstantCall(const std::string& call);

/// Checks every case in every shape. Shapes that the function refuses at binding (constants wanted) are
/// passed over.
void ExpectCalls(const std::vector<CallCase>& cases);

/// The error's text; "" when there is none.
std::string ErrorOfCall(const std::string& call);

}  // namespace laminar
