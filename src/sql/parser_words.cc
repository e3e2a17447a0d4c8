#include "sql/parser_words.h"

#include <algorithm>
#include <array>
#include <set>

namespace laminar::sql {
namespace {

template <size_t N>
bool Contains(const std::array<std::string_view, N>& sorted, std::string_view word) {
  return std::binary_search(sorted.begin(), sorted.end(), word);
}

constexpr std::array<std::string_view, 42> kReserved = {
    "ALL",    "AND",       "AS",    "BETWEEN", "CASE",  "CREATE",  "CROSS", "DISTINCT", "ELSE",
    "EXCEPT", "FALSE",     "FROM",  "FULL",    "GROUP", "HAVING",  "ILIKE", "IN",       "INNER",
    "INSERT", "INTERSECT", "INTO",  "IS",      "JOIN",  "LEFT",    "LIKE",  "LIMIT",    "NATURAL",
    "NOT",    "NULL",      "ON",    "OR",      "ORDER", "QUALIFY", "RIGHT", "SELECT",   "THEN",
    "TRUE",   "UNION",     "USING", "WHEN",    "WHERE", "WITH"};

constexpr std::array<std::string_view, 6> kAliasStops = {"COLLATE",         "FOR",         "LATERAL",
                                                         "MATCH_RECOGNIZE", "TABLESAMPLE", "WITHIN"};

constexpr std::array<std::string_view, 34> kRefused = {
    "ALTER",     "ANALYZE",  "ATTACH", "BEGIN",   "CALL",    "CHECKPOINT", "COMMIT",  "COPY",   "DEALLOCATE",
    "DELETE",    "DETACH",   "END",    "EXECUTE", "GRANT",   "INSTALL",    "KILL",    "LOAD",   "LOCK",
    "MERGE",     "OPTIMIZE", "PRAGMA", "PREPARE", "REFRESH", "RENAME",     "REPLACE", "REVOKE", "ROLLBACK",
    "SAVEPOINT", "TRUNCATE", "UNLOAD", "UPDATE",  "UPSERT",  "USE",        "VACUUM"};

constexpr std::array<std::string_view, 7> kBareFunctions = {
    "CURRENT_DATE", "CURRENT_TIME",   "CURRENT_TIMESTAMP", "CURRENT_USER",
    "LOCALTIME",    "LOCALTIMESTAMP", "SESSION_USER"};

static_assert(std::is_sorted(kReserved.begin(), kReserved.end()));
static_assert(std::is_sorted(kAliasStops.begin(), kAliasStops.end()));
static_assert(std::is_sorted(kRefused.begin(), kRefused.end()));
static_assert(std::is_sorted(kBareFunctions.begin(), kBareFunctions.end()));

}  // namespace

std::vector<std::string> Keywords() {
  std::set<std::string> out(kReserved.begin(), kReserved.end());
  for (const std::string& word : StatementWords()) out.insert(word);
  return {out.begin(), out.end()};
}

bool IsReservedWord(std::string_view word) { return Contains(kReserved, word); }
bool IsAliasStop(std::string_view word) { return IsReservedWord(word) || Contains(kAliasStops, word); }
bool IsRefusedStatement(std::string_view word) { return Contains(kRefused, word); }
bool IsBareFunction(std::string_view word) { return Contains(kBareFunctions, word); }

const std::vector<std::string>& StatementWords() {
  static const std::vector<std::string> words = [] {
    std::vector<std::string> all = {"SELECT", "INSERT", "CREATE", "WITH",     "VALUES", "EXPLAIN", "SET",
                                    "RESET",  "DROP",   "SHOW",   "DESCRIBE", "START",  "STOP"};
    all.insert(all.end(), kRefused.begin(), kRefused.end());
    return all;
  }();
  return words;
}

std::string QuoteName(std::string_view name) {
  auto is_letter = [](unsigned char c) {
    return c == '_' || c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  auto is_digit = [](unsigned char c) { return c >= '0' && c <= '9'; };
  bool plain = !name.empty() && is_letter(name[0]);
  std::string upper;
  for (unsigned char c : name) {
    plain = plain && (is_letter(c) || is_digit(c));
    upper.push_back(static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
  }
  if (plain && !IsReservedWord(upper) && !IsBareFunction(upper)) return std::string(name);
  std::string out = "\"";
  for (char c : name) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  return out + "\"";
}

}  // namespace laminar::sql
