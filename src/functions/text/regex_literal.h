#pragma once

#include <string>
#include <string_view>

namespace laminar {

/// Text that every match of the pattern (RE2's syntax, case sensitive) holds, to be looked for before the
/// regular expression runs: the longest run of plain characters outside of groups. Empty when none is found.
std::string RequiredLiteral(std::string_view pattern);

}  // namespace laminar
