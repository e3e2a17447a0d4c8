#pragma once

/// The JSON schemas of all bodies: requests are checked against them, and OpenAPI shows them.

#include <nlohmann/json_fwd.hpp>

namespace laminar::api {

/// name → schema, with `$ref`s of the form #/components/schemas/NAME. Made once.
const nlohmann::json& Schemas();

}  // namespace laminar::api
