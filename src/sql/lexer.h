#pragma once

/// Script text → tokens, all at once: scripts are small, and the parser looks ahead freely. The lexer knows
/// no keywords; a word is a keyword only where the parser asks for one.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace laminar::sql {

enum class TokenKind {
  kWord,          ///< unquoted name or keyword; `text` in upper case (ASCII letters only)
  kQuotedName,    ///< "x" or `x`; `text` without the quotes
  kString,        ///< 'x' or E'x'; `text` unescaped
  kBytes,         ///< X'0AFF'; `text` holds the raw bytes
  kNumber,        ///< `text`: digits without `_`; hexadecimal already turned into decimal
  kDollarString,  ///< $$x$$ or $tag$x$tag$; `text` is what stands between
  kSymbol,        ///< operator or punctuation, longest first; `text` as written
  kError,         ///< a piece that is no token; `link` is its index in TokenList::errors
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  SourceSpan span;
  std::string text;
  int64_t link = -1;  ///< brackets: index of the partner in the same statement, −1 when there is none
};

struct TokenList {
  std::vector<Token> tokens;  ///< ends with exactly one kEnd, whose span is empty and behind the last token
  std::vector<UserError> errors;
};

/// Never throws; any bytes give a list. Linear in the length of `text`.
TokenList Tokenize(std::string_view text);

}  // namespace laminar::sql
