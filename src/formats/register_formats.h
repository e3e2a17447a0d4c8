#pragma once

/// The formats of this folder; register_all.cc calls RegisterAllFormats.

#include "formats/format.h"

namespace laminar {

void RegisterJson(FormatRegistry& registry);
void RegisterDebeziumJson(FormatRegistry& registry);
void RegisterCsv(FormatRegistry& registry);
void RegisterParquet(FormatRegistry& registry);
void RegisterRaw(FormatRegistry& registry);  ///< raw, raw_string, raw_bytes

void RegisterAllFormats(FormatRegistry& registry);

}  // namespace laminar
