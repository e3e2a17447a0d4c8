#include <gtest/gtest.h>

#include "sql/parser.h"
#include "sql/parser_test_corpus.h"

namespace laminar::sql {
namespace {

ParsedScript ParseClean(const std::string& script) {
  ParsedScript parsed = ParseScript(script);
  for (const UserError& error : parsed.errors) ADD_FAILURE() << RenderError(error, "script", script);
  return parsed;
}

TEST(Corpus, EveryStatementParses) {
  for (const std::string& text : ValidStatements()) {
    const ParsedScript parsed = ParseClean(text);
    ASSERT_EQ(parsed.statements.size(), 1u) << text;
  }
}

TEST(Corpus, AllStatementsMakeOneScript) {
  std::string script;
  for (const std::string& text : ValidStatements()) script += text + "\n;\n";
  EXPECT_EQ(ParseClean(script).statements.size(), ValidStatements().size());
}

/// The canonical text of a query reads back as a query with the same canonical text.
TEST(Corpus, PrintedQueriesReadBack) {
  for (const std::string& text : ValidStatements()) {
    const ParsedScript parsed = ParseClean(text);
    if (parsed.statements.empty() || !parsed.statements[0].query) continue;
    const std::string once = ToString(*parsed.statements[0].query);
    const ParsedScript again = ParseClean(once);
    ASSERT_EQ(again.statements.size(), 1u) << once;
    EXPECT_EQ(ToString(*again.statements[0].query), once);
  }
}

}  // namespace
}  // namespace laminar::sql
