#pragma once

/// Where a bare SELECT goes on the command line.

#include "register_all.h"
#include "sql/planner.h"

namespace laminar::cli {

using PreviewFactory = std::function<sql::PreviewSink(const Schema&, bool changelog, int number)>;

/// JSON lines on standard output; an updating result in the form of debezium_json.
PreviewFactory JsonPreview(const Registries& registries);
/// Aligned columns for people; a changelog has `+` and `-` in front.
PreviewFactory TablePreview();

}  // namespace laminar::cli
