#include "functions/register_scalar_core.h"

#include "functions/datetime/register_datetime.h"
#include "functions/math/register_math.h"
#include "functions/nested/register_nested.h"

namespace laminar {

void RegisterCoreFunctions(FunctionRegistry& registry) {
  RegisterComparison(registry);
  RegisterNullTests(registry);
  RegisterArithmetic(registry);
  RegisterBitOperators(registry);
  RegisterInList(registry);
  RegisterConcatOperator(registry);
  RegisterPatternOperators(registry);
  RegisterConditional(registry);

  RegisterRounding(registry);
  RegisterRealFunctions(registry);
  RegisterIntegerFunctions(registry);
  RegisterRandom(registry);

  RegisterNow(registry);
  RegisterDateParts(registry);
  RegisterTruncation(registry);
  RegisterDateMath(registry);
  RegisterTimeConversion(registry);
  RegisterTimeFormat(registry);
  RegisterTimeZones(registry);

  RegisterArrayAccess(registry);
  RegisterArrayChange(registry);
  RegisterArraySets(registry);
  RegisterArrayReduce(registry);
  RegisterSeries(registry);
  RegisterMapFunctions(registry);
  RegisterStructFunctions(registry);
}

}  // namespace laminar
