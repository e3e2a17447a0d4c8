#pragma once

/// Changes to JSON text: the parts that stay are copied as they are (without white space), so numbers keep
/// every digit. All texts must be valid JSON; all functions append to `out`.

#include <span>
#include <string_view>

#include "functions/json/json_path.h"

namespace laminar {

class TextWriter;

/// `raw` with the value at the end of the chain replaced, or added: a new key at the end of its object, an
/// index past the end at the end of its array. Unchanged when what should hold the value is not there or is a
/// scalar.
void AppendJsonSet(std::string_view raw, std::span<const JsonKey> keys, std::string_view value,
                   TextWriter& out);

/// `raw` without the member or element at the end of the chain, which is not empty.
void AppendJsonRemoved(std::string_view raw, std::span<const JsonKey> keys, TextWriter& out);

/// JSON Merge Patch (RFC 7396): objects are merged key by key, null in `patch` removes, anything else
/// replaces.
void AppendJsonMerged(std::string_view target, std::string_view patch, TextWriter& out, int depth = 0);

}  // namespace laminar
