#pragma once

/// Damaged and made-up scripts, for the random tests and the fuzz target.

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace laminar::sql {

using Random = std::mt19937_64;

inline size_t Below(Random& random, size_t bound) { return bound == 0 ? 0 : random() % bound; }

/// Pieces of the language, some of them broken.
inline const std::vector<std::string>& TokenSoup() {
  static const std::vector<std::string> tokens = {
      "SELECT",    "FROM",        "WHERE",       "GROUP",      "BY",          "HAVING",    "ORDER",
      "LIMIT",     "OFFSET",      "UNION",       "ALL",        "INTERSECT",   "EXCEPT",    "JOIN",
      "LEFT",      "OUTER",       "ON",          "USING",      "AS",          "WITH",      "CASE",
      "WHEN",      "THEN",        "ELSE",        "END",        "AND",         "OR",        "NOT",
      "IN",        "IS",          "NULL",        "TRUE",       "BETWEEN",     "LIKE",      "SIMILAR",
      "TO",        "ESCAPE",      "EXISTS",      "CAST",       "INTERVAL",    "DATE",      "TIMESTAMP",
      "ARRAY",     "MAP",         "STRUCT",      "ROW",        "ROWS",        "RANGE",     "OVER",
      "PARTITION", "PRECEDING",   "UNBOUNDED",   "CURRENT",    "WINDOW",      "FILTER",    "WITHIN",
      "DISTINCT",  "VALUES",      "TABLE",       "TUMBLE",     "HOP",         "SESSION",   "DESCRIPTOR",
      "FOR",       "SYSTEM_TIME", "OF",          "UNNEST",     "ORDINALITY",  "CREATE",    "VIEW",
      "PIPELINE",  "FUNCTION",    "INSERT",      "INTO",       "SET",         "EXPLAIN",   "DROP",
      "SHOW",      "WATERMARK",   "PRIMARY",     "KEY",        "METADATA",    "GENERATED", "ALWAYS",
      "VIRTUAL",   "AT",          "TIME",        "ZONE",       "EXTRACT",     "TRIM",      "SUBSTRING",
      "POSITION",  "OVERLAY",     "FLOOR",       "JSON_VALUE", "JSON_OBJECT", "RETURNING", "DEFAULT",
      "EMPTY",     "ERROR",       "VALUE",       "NULLS",      "FIRST",       "IGNORE",    "SEMI",
      "CROSS",     "NATURAL",     "QUALIFY",     "INT",        "TEXT",        "DECIMAL",   "a",
      "b",         "t",           "f",           "x.y",        "end",         "timestamp", "\"q\"",
      "`q`",       "'s'",         "'5 minutes'", "'1'",        "1",           "2.5",       "1e3",
      "0x1F",      "X'0A'",       "E'\\n'",      "$$x$$",      "DAY",         "MINUTE",    "YEAR",
      "MONTH",     "+",           "-",           "*",          "/",           "%",         "^",
      "=",         "==",          "<>",          "<",          "<=",          ">",         ">=",
      "<=>",       "||",          "->",          "->>",        "#>",          "::",        "?",
      "@>",        "~",           "!~*",         "&",          "|",           "<<",        ">>",
      "(",         "(",           "(",           ")",          ")",           ")",         "[",
      "]",         "{",           "}",           "<",          ">",           ",",         ",",
      ".",         ":",           ";",           "=>",         "!",           "@",         "$1",
      "'",         "\"",          "/*",          "*/",         "--",          "\n",        "\xFF",
      "\xC3\xA4",  "1st"};
  return tokens;
}

inline std::string MakeTokenSoup(Random& random, size_t tokens_max) {
  std::string script;
  for (size_t i = Below(random, tokens_max) + 1; i > 0; --i) {
    script += TokenSoup()[Below(random, TokenSoup().size())];
    if (Below(random, 8) != 0) script += " ";
  }
  return script;
}

/// A piece of `text` cut at blanks, so that it mostly is made of whole tokens.
inline std::string RandomPiece(Random& random, std::string_view text) {
  if (text.empty()) return "";
  size_t begin = text.find_last_of(" \n", Below(random, text.size()));
  begin = begin == std::string_view::npos ? 0 : begin;
  const size_t length = Below(random, 40) + 1;
  return std::string(text.substr(begin, length));
}

/// One change somewhere: bytes or tokens removed, doubled, swapped or put in, also from `other`.
inline void Damage(Random& random, std::string& script, std::string_view other) {
  const size_t at = Below(random, script.size() + 1);
  switch (Below(random, 8)) {
    case 0:
      script.erase(at, Below(random, 12) + 1);
      break;
    case 1:
      script.insert(at, 1, static_cast<char>(random()));
      break;
    case 2:
      script.insert(at, " " + TokenSoup()[Below(random, TokenSoup().size())] + " ");
      break;
    case 3:
      script.insert(at, RandomPiece(random, script));
      break;
    case 4:
      script.insert(at, RandomPiece(random, other));
      break;
    case 5:
      script.resize(at);
      break;
    case 6:
      if (at < script.size()) script[at] = static_cast<char>(random());
      break;
    default: {
      const size_t blank = script.find(' ', at);
      if (blank != std::string::npos)
        script.replace(blank, RandomPiece(random, script).size(),
                       " " + TokenSoup()[Below(random, TokenSoup().size())] + " ");
    }
  }
}

/// A few changes in place, as LLVMFuzzerCustomMutator: the new size.
inline size_t DamageTokens(uint8_t* data, size_t size, size_t size_max, unsigned int seed) {
  Random random(seed);
  std::string script(reinterpret_cast<const char*>(data), size);
  for (size_t i = Below(random, 4) + 1; i > 0; --i) {
    const std::string soup = Below(random, 4) == 0 ? MakeTokenSoup(random, 10) : script;
    Damage(random, script, soup);
  }
  if (script.size() > size_max) script.resize(size_max);
  std::memcpy(data, script.data(), script.size());
  return script.size();
}

}  // namespace laminar::sql
