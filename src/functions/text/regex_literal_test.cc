#include "functions/text/regex_literal.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include <random>

namespace laminar {
namespace {

TEST(RequiredLiteral, TakesTheLongestRun) {
  EXPECT_EQ(RequiredLiteral("(&|^)channel_id=([^&]*)"), "channel_id=");
  EXPECT_EQ(RequiredLiteral("abc"), "abc");
  EXPECT_EQ(RequiredLiteral("^ab.cde$"), "cde");
  EXPECT_EQ(RequiredLiteral("a\\.b\\/c"), "a.b/c");
  EXPECT_EQ(RequiredLiteral("[a-z]+@[^\\]x]example"), "example");
  EXPECT_EQ(RequiredLiteral("\\d{3}-\\w+-end"), "-end");
}

TEST(RequiredLiteral, LeavesOutWhatMayBeMissing) {
  EXPECT_EQ(RequiredLiteral("abc*"), "ab");
  EXPECT_EQ(RequiredLiteral("abc?d"), "ab");
  EXPECT_EQ(RequiredLiteral("abc{0,2}"), "ab");
  EXPECT_EQ(RequiredLiteral("abc+d"), "abc");
  EXPECT_EQ(RequiredLiteral("(abc)?d"), "d");
  EXPECT_EQ(RequiredLiteral("ab|cd"), "");
  EXPECT_EQ(RequiredLiteral("xyz{b|c}"), "");
  EXPECT_EQ(RequiredLiteral("(?i)abc"), "");
  EXPECT_EQ(RequiredLiteral("\\Qa*\\E"), "");
  EXPECT_EQ(RequiredLiteral("[[:alpha:]]abc"), "");
  EXPECT_EQ(RequiredLiteral(""), "");
}

/// Whatever matches holds the literal.
TEST(RequiredLiteral, IsInEveryMatch) {
  constexpr char kSigns[] = "aab()[]|*+?.\\^$-{1}x";
  std::mt19937 random(7);
  RE2::Options quiet;
  quiet.set_log_errors(false);
  int matches = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string pattern, text;
    for (unsigned n = random() % 8; n > 0; --n) pattern += kSigns[random() % (sizeof(kSigns) - 1)];
    const RE2 regex(pattern, quiet);
    if (!regex.ok()) continue;
    const std::string literal = RequiredLiteral(pattern);
    for (int k = 0; k < 10; ++k) {
      text.clear();
      for (unsigned n = random() % 6; n > 0; --n) text += "abx-1"[random() % 5];
      if (!RE2::PartialMatch(text, regex)) continue;
      ++matches;
      EXPECT_NE(text.find(literal), std::string::npos) << pattern << " on " << text << " needs " << literal;
    }
  }
  EXPECT_GT(matches, 1000);
}

}  // namespace
}  // namespace laminar
