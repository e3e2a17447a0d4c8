#include "sql/lexer.h"

#include <gtest/gtest.h>

namespace laminar::sql {
namespace {

std::string Texts(const std::string& script) {
  std::string out;
  for (const Token& token : Tokenize(script).tokens) {
    if (token.kind == TokenKind::kEnd) return out;
    out += (out.empty() ? "" : " ") + (token.kind == TokenKind::kError ? "ERROR" : token.text);
  }
  return "no end";
}

TEST(Lexer, SymbolsAreLongestFirst) {
  EXPECT_EQ(Texts("a<=>b->>c->d#>>e#>f!~*g!~h~*i~j"), "A <=> B ->> C -> D #>> E #> F !~* G !~ H ~* I ~ J");
  EXPECT_EQ(Texts("a::b||c|d<<e>>f<=g>=h<>i!=j==k=>l@>m<@n&&o"),
            "A :: B || C | D << E >> F <= G >= H <> I != J == K => L @> M <@ N && O");
  EXPECT_EQ(Texts("a<-1"), "A < - 1");
  EXPECT_EQ(Texts("a- -1"), "A - - 1");
}

TEST(Lexer, CommentsAndBlanks) {
  EXPECT_EQ(Texts("a--b\nc"), "A C");
  EXPECT_EQ(Texts("a--b\r\nc"), "A C");
  EXPECT_EQ(Texts("--"), "");
  EXPECT_EQ(Texts("a/*b/*c*/d*/e"), "A E");
  EXPECT_EQ(Texts("a/**/b"), "A B");
  EXPECT_EQ(Texts("a/b*c"), "A / B * C");
  EXPECT_EQ(Texts("/*/"), "ERROR");
  EXPECT_EQ(Texts("'--' \"/*\""), "-- /*");
}

TEST(Lexer, Numbers) {
  EXPECT_EQ(Texts("1 1.5 .5 1. 1e5 1E+5 1.e-5 1_000.000_1"), "1 1.5 .5 1. 1e5 1E+5 1.e-5 1000.0001");
  EXPECT_EQ(Texts("[1:2]"), "[ 1 : 2 ]");
  EXPECT_EQ(Texts("1..2"), "1 . .2");
  EXPECT_EQ(Texts("1e"), "ERROR");
  EXPECT_EQ(Texts("0x"), "ERROR");
  EXPECT_EQ(Texts("1_"), "ERROR");
}

TEST(Lexer, Names) {
  EXPECT_EQ(Texts("a$b _x x1"), "A$B _X X1");
  EXPECT_EQ(Texts("\"a\"\"b\" `c``d` \"e`f\""), "a\"b c`d e`f");
  EXPECT_EQ(Texts("\"\""), "ERROR");
  EXPECT_EQ(Texts("e 'x'"), "E x");
  EXPECT_EQ(Texts("E'x'"), "x");
  EXPECT_EQ(Tokenize("\xC3\xA4"
                     "b")
                .tokens[0]
                .text,
            "\xC3\xA4"
            "B");  // only ASCII letters change case
}

TEST(Lexer, DollarStrings) {
  EXPECT_EQ(Texts("$$a'b$$ $t$c$$d$t$"), "a'b c$$d");
  EXPECT_EQ(Texts("$$"), "ERROR");
  EXPECT_EQ(Texts("$1"), "ERROR 1");
}

TEST(Lexer, SpansCoverTheSource) {
  const std::string script = "SELECT 'it''s' , \"q\"  X'0A'-- c\n;";
  std::string rebuilt;
  for (const Token& token : Tokenize(script).tokens)
    rebuilt += script.substr(token.span.offset, token.span.length) + "|";
  EXPECT_EQ(rebuilt, "SELECT|'it''s'|,|\"q\"|X'0A'|;||");
}

TEST(Lexer, BracketsAreLinkedWithinAStatement) {
  const TokenList list = Tokenize("f(a[1], {b}) ( ; ) (c]");
  EXPECT_EQ(list.tokens[1].link, 10);
  EXPECT_EQ(list.tokens[10].link, 1);
  EXPECT_EQ(list.tokens[3].link, 5);
  EXPECT_EQ(list.tokens[7].link, 9);
  EXPECT_EQ(list.tokens[11].link, -1);
  EXPECT_EQ(list.tokens[13].link, -1);
  EXPECT_EQ(list.tokens[14].link, -1);
}

TEST(Lexer, ErrorsKeepTheirPlace) {
  const TokenList list = Tokenize("a \xFF b 'c");
  ASSERT_EQ(list.errors.size(), 2u);
  EXPECT_EQ(list.errors[0].span().offset, 2);
  EXPECT_EQ(list.errors[1].span().offset, 6);
  EXPECT_EQ(list.tokens.back().kind, TokenKind::kEnd);
}

}  // namespace
}  // namespace laminar::sql
