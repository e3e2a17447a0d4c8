#include "functions/register_scalar_core.h"

namespace laminar {

void RegisterCoreFunctions(FunctionRegistry& registry) {
  RegisterComparison(registry);
  RegisterNullTests(registry);
  RegisterArithmetic(registry);
  RegisterBitOperators(registry);
  RegisterInList(registry);
  RegisterConcatOperator(registry);
  RegisterPatternOperators(registry);
}

}  // namespace laminar
