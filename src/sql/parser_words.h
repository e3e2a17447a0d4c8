#pragma once

/// Which words mean something to the parser. Most keywords are not reserved: they are names wherever a name
/// can stand.

#include <string>
#include <string_view>
#include <vector>

namespace laminar::sql {

/// Words (upper case) that must be quoted to be a column, table or alias name.
bool IsReservedWord(std::string_view word);

/// Words (upper case) that an editor should know: reserved ones and those that begin statements.
std::vector<std::string> Keywords();

/// Words that may follow a select item or a table, and are therefore no alias unless AS stands before them.
bool IsAliasStop(std::string_view word);

/// First words of statements that we parse or answer with UNSUPPORTED.
const std::vector<std::string>& StatementWords();

/// True for statements that the dialect refuses as a whole: UPDATE, DELETE, BEGIN …
bool IsRefusedStatement(std::string_view word);

/// True for CURRENT_TIMESTAMP and its like: functions called without brackets.
bool IsBareFunction(std::string_view word);

/// `name` as it must be written in a script to be read as that name: in double quotes unless it is a plain
/// word.
std::string QuoteName(std::string_view name);

}  // namespace laminar::sql
