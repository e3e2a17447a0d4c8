#pragma once

/// Request bodies: JSON with comments, keys in any spelling, checked against a schema of schemas.h.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace laminar::api {

using Json = nlohmann::json;

/// Throws ApiError VALIDATION_ERROR for text that is not JSON, not UTF-8 or nested deeper than 64 levels.
Json ParseBody(const std::string& text);
/// `connectionProfileId`, `connection-profile-id` → connectionprofileid.
std::string FoldKey(const std::string& key);
/// The body with the schema's key names; unknown top-level keys go to `ignored`. Throws ApiError with the
/// field's path.
Json CheckBody(const Json& body, const Json& schema, std::vector<std::string>* ignored);
/// Throws ApiError when an object anywhere holds two spellings of one key; objects of user maps are left out.
void CheckSpellings(const Json& value, const std::string& path);

}  // namespace laminar::api
