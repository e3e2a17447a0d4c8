#include "functions/register_text.h"

namespace laminar {

void RegisterTextFunctions(FunctionRegistry& registry) {
  RegisterConcatFunctions(registry);
  RegisterCaseFunctions(registry);
  RegisterLengthFunctions(registry);
  RegisterSubstringFunctions(registry);
  RegisterTrimFunctions(registry);
  RegisterPadFunctions(registry);
  RegisterReplaceFunctions(registry);
  RegisterSearchFunctions(registry);
  RegisterSplitFunctions(registry);
  RegisterCharacterFunctions(registry);
  RegisterSimilarityFunctions(registry);
  RegisterUrlFunctions(registry);
  RegisterRegexFunctions(registry);
  RegisterFormatFunctions(registry);
}

}  // namespace laminar
