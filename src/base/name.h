#pragma once

/// Names of tables, columns, functions and options are looked up without regard to case.

#include <string>
#include <string_view>

namespace laminar {

/// `name` with A…Z as a…z, whatever the locale; all else stays.
std::string FoldName(std::string_view name);

}  // namespace laminar
