#pragma once

/// One value given as text into a column of any type that is not nested: what a JSON string, a JSON number or
/// a CSV field means for a column. Exact, and without exceptions: a value that does not fit is an answer.

#include <string>
#include <string_view>

#include "formats/column_writer.h"

namespace laminar {

/// How integers become timestamps. kAuto goes by size: below 10^11 seconds, 10^14 ms, 10^17 µs, else ns.
enum class EpochUnit { kAuto, kSeconds, kMillis, kMicros, kNanos };

struct TextRules {
  EpochUnit epoch_unit = EpochUnit::kAuto;
  bool decimal_bytes = false;  ///< DECIMAL text is base64 of big-endian unscaled bytes
};

/// Appends a value that was written as a string. TEXT takes it as it is, JSON does not belong here. `text`
/// must be followed by kNumberPadding readable bytes. False: nothing was appended and `*error` says why.
bool AppendTextValue(ColumnWriter* column, std::string_view text, const TextRules& rules, std::string* error);

/// The same for what stands without quotes in JSON: numbers, `true`, `false`. Integers are epochs for
/// timestamps and days for dates.
bool AppendBareValue(ColumnWriter* column, std::string_view text, const TextRules& rules, std::string* error);

/// "'abc' is not a valid BIGINT".
std::string DescribeBadValue(std::string_view text, const Type& type);
/// The text, cut at about 80 bytes for messages.
std::string ShortenText(std::string_view text);

}  // namespace laminar
