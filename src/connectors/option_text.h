#pragma once

/// Option names and values as text: folding and parsing, without knowledge of any option.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace laminar {

/// Lower case without `_` and `-`, so that `bootstrapServers`, `bootstrap_servers` and `bootstrap-servers`
/// are equal. Dots stay: they are nesting.
std::string FoldOptionName(std::string_view name);

/// A whole number, or a decimal text without a fraction ("1e3", "5.0"); nullopt when it is neither or does
/// not fit.
std::optional<int64_t> ParseIntegerText(std::string_view text);
std::optional<double> ParseDoubleText(std::string_view text);
/// true/false, any case.
std::optional<bool> ParseBooleanText(std::string_view text);
/// `a, b` or `[a, 'b']`: parts without surrounding blanks and quotes. Empty text: no parts.
std::vector<std::string> ParseList(std::string_view text);

}  // namespace laminar
