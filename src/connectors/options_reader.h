#pragma once

/// From the WITH list (or JSON) of a table to checked options: names folded, aliases resolved, values checked
/// against their types, defaults filled in, and format options handed to the format. Knows no connector and
/// no format by name.

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "connectors/connector.h"
#include "formats/format.h"

namespace laminar {

/// One `name = value` as written. Arrays arrive as `a, b`, intervals as their text (`5 seconds`), booleans as
/// true/false.
struct RawOption {
  std::string name;
  std::string value;
  SourceSpan name_span = {};
  SourceSpan value_span = {};
};

enum class TableKind { kSource, kSink, kLookup };

/// `source`, `sink` or `lookup`.
std::string_view TableKindName(TableKind kind);

/// What the options of a table say. `options` holds canonical names, the connector's and those every table
/// has
/// (`CommonOptions`), with defaults filled in where one is documented.
struct TableOptions {
  Options options;
  std::optional<TableKind>
      kind;  ///< from `type`, else the only kind that the connector has; nullopt: from its use
  const Format* format = nullptr;  ///< null for connectors without formats
  FormatSpec format_spec;          ///< options, framing, line limit, one_message; the rest is the binder's
  std::vector<UserError> errors;   ///< all that is wrong; the other fields are usable as far as they go
  std::vector<std::string> warnings;
};

/// Options that every table may have (connector contract §1.3), whatever its connector.
const std::vector<OptionSpec>& CommonOptions();

/// Never throws. `table_span` is where a missing option is reported; `kind` is what the caller knows already.
/// `references_stand`: a value with `{{ NAME }}` in it is right for any type (its default stands in for it):
/// nothing is run, and a run gets the values in their place.
TableOptions ReadTableOptions(const std::vector<RawOption>& raw, const ConnectorInfo& info,
                              const FormatRegistry& formats, SourceSpan table_span = {},
                              std::optional<TableKind> kind = std::nullopt, bool references_stand = false);

/// An UNKNOWN_OPTION for each format option that no decoder or encoder has read. Call after making them.
std::vector<UserError> UnusedFormatOptions(const FormatSpec& spec, const Format& format);

}  // namespace laminar
