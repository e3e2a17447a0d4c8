#pragma once

namespace laminar {

class FunctionRegistry;

/// All functions on TEXT, JSON, hashes and encodings: one Register… per subject file.
void RegisterTextFunctions(FunctionRegistry& registry);

// text/
void RegisterConcatFunctions(FunctionRegistry& registry);
void RegisterCaseFunctions(FunctionRegistry& registry);
void RegisterLengthFunctions(FunctionRegistry& registry);
void RegisterSubstringFunctions(FunctionRegistry& registry);
void RegisterTrimFunctions(FunctionRegistry& registry);
void RegisterPadFunctions(FunctionRegistry& registry);
void RegisterReplaceFunctions(FunctionRegistry& registry);
void RegisterSearchFunctions(FunctionRegistry& registry);
void RegisterSplitFunctions(FunctionRegistry& registry);
void RegisterCharacterFunctions(FunctionRegistry& registry);
void RegisterSimilarityFunctions(FunctionRegistry& registry);
void RegisterUrlFunctions(FunctionRegistry& registry);
void RegisterRegexFunctions(FunctionRegistry& registry);
void RegisterFormatFunctions(FunctionRegistry& registry);

}  // namespace laminar
