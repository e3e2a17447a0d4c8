#pragma once

/// Pieces of canonical SQL text that expressions and queries share; parser.h has the whole ones.

#include <string>
#include <string_view>
#include <vector>

#include "sql/ast.h"

namespace laminar::sql {

std::string PrintString(std::string_view text);  ///< 'it''s'
std::string PrintName(const Identifier& name);   ///< quoted where it was written so
std::string PrintPath(const std::vector<Identifier>& names);
std::string PrintList(const std::vector<ExprPtr>& list, size_t from = 0);
std::string PrintOrderBy(const std::vector<OrderItem>& items);  ///< ORDER BY a DESC, b
std::string PrintWindow(const WindowSpec& window);              ///< (PARTITION BY … ORDER BY … frame)

}  // namespace laminar::sql
