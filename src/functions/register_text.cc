#include "functions/register_text.h"

#include "functions/hash/register_hash.h"
#include "functions/json/register_json.h"

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
  RegisterJsonGetters(registry);
  RegisterJsonPathFunctions(registry);
  RegisterJsonBuildFunctions(registry);
  RegisterJsonInspectFunctions(registry);
  RegisterJsonEditFunctions(registry);
  RegisterDigestFunctions(registry);
  RegisterChecksumFunctions(registry);
  RegisterEncodingFunctions(registry);
  RegisterBytesFunctions(registry);
  RegisterUuidFunction(registry);
}

}  // namespace laminar
