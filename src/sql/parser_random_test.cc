#include <gtest/gtest.h>

#include <cstdlib>

#include "sql/parser.h"
#include "sql/parser_test_corpus.h"
#include "sql/parser_test_random.h"

namespace laminar::sql {
namespace {

/// More rounds by LAMINAR_RANDOM_ROUNDS, another seed by LAMINAR_RANDOM_SEED.
size_t Setting(const char* name, size_t fallback) {
  const char* value = std::getenv(name);
  return value == nullptr ? fallback : std::strtoull(value, nullptr, 10);
}

bool Inside(const SourceSpan& span, const std::string& text) {
  return span.offset >= 0 && span.length >= 0 &&
         span.offset + span.length <= static_cast<int64_t>(text.size());
}

/// What holds for every input: errors say something about a place in the text, and what parsed prints and
/// reads back.
void CheckScript(const std::string& text) {
  const ParsedScript parsed = ParseScript(text);
  for (const UserError& error : parsed.errors) {
    ASSERT_TRUE(Inside(error.span(), text)) << error.message() << " in " << text;
    ASSERT_FALSE(error.message().empty()) << text;
    ASSERT_TRUE(error.reason() == Reason::kSyntax || error.reason() == Reason::kUnsupported ||
                error.reason() == Reason::kBadInterval || error.reason() == Reason::kMultipleWatermarks ||
                error.reason() == Reason::kDuplicateName)
        << error.message();
    RenderError(error, "script", text);
  }
  for (const Statement& statement : parsed.statements) {
    ASSERT_TRUE(Inside(statement.span, text)) << text;
    if (!statement.query) continue;
    const std::string once = ToString(*statement.query);
    const ParsedScript again = ParseScript(once);
    ASSERT_TRUE(again.errors.empty()) << text << "\nprints as\n"
                                      << RenderError(again.errors[0], "printed", once);
    ASSERT_EQ(again.statements.size(), 1u) << once;
    ASSERT_EQ(ToString(*again.statements[0].query), once) << text;
  }
}

TEST(Random, DamagedStatements) {
  Random random(Setting("LAMINAR_RANDOM_SEED", 20240601));
  const auto& corpus = ValidStatements();
  for (size_t round = Setting("LAMINAR_RANDOM_ROUNDS", 1500); round > 0; --round) {
    std::string script = corpus[Below(random, corpus.size())];
    if (Below(random, 4) == 0) script += ";" + corpus[Below(random, corpus.size())];
    for (size_t damage = Below(random, 4) + 1; damage > 0; --damage)
      Damage(random, script, corpus[Below(random, corpus.size())]);
    CheckScript(script);
    if (HasFatalFailure()) return;
  }
}

TEST(Random, TokenSoup) {
  Random random(Setting("LAMINAR_RANDOM_SEED", 42));
  for (size_t round = Setting("LAMINAR_RANDOM_ROUNDS", 1500); round > 0; --round) {
    CheckScript((Below(random, 2) ? "SELECT " : "") + MakeTokenSoup(random, 40));
    if (HasFatalFailure()) return;
  }
}

TEST(Random, Bytes) {
  Random random(Setting("LAMINAR_RANDOM_SEED", 7));
  for (size_t round = Setting("LAMINAR_RANDOM_ROUNDS", 1000); round > 0; --round) {
    std::string script;
    for (size_t i = Below(random, 60); i > 0; --i) script.push_back(static_cast<char>(random()));
    CheckScript(script);
    if (HasFatalFailure()) return;
  }
}

/// Every prefix of every statement: what an editor sends while someone types.
TEST(Random, Prefixes) {
  for (const std::string& text : ValidStatements()) {
    for (size_t length = 0; length < text.size(); length += 7) {
      CheckScript(text.substr(0, length));
      if (HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace laminar::sql
