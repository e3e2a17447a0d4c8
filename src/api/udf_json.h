#pragma once

/// User-defined functions in request bodies, of /udfs and of pipelines.

#include <string>

#include "api/api_context.h"

namespace laminar::api {

/// The function that an object describes, its body not yet looked at. `path`: of the object, with a dot
/// behind it; empty: the body itself. 400 for what does not fit, 501 for languages that are not built.
Udf ReadUdf(const Json& object, const std::string& path);
/// `udfs` of a pipeline or query as they are stored: names of the server's functions, documents of its own.
Json ReadPipelineUdfs(const ApiContext& context, const Json& body);
/// 400 for a body that does not bind, with its place in the definition.
void CheckPipelineUdfs(const ApiContext& context, const Json& udfs);
Json ShowPipelineUdfs(const Json& udfs);
/// f(a BIGINT, b TEXT NOT NULL) → DOUBLE
std::string SignatureOf(const Udf& function);
/// 501.
ApiError LanguageNotBuilt(const std::string& language);

}  // namespace laminar::api
