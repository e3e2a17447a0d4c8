// Any bytes as a script: no crash, no hang, errors that point into the text, and queries whose canonical text
// reads back as the same query.

#include <string>

#include "base/error.h"
#include "sql/parser.h"
#include "sql/parser_test_random.h"

namespace {

using laminar::SourceSpan;

void CheckInside(const SourceSpan& span, const std::string& text) {
  const bool inside =
      span.offset >= 0 && span.length >= 0 && span.offset + span.length <= static_cast<int64_t>(text.size());
  LAMINAR_CHECK(inside, "a span lies outside the script");
}

void CheckReadsBack(const laminar::sql::Query& query) {
  const std::string once = ToString(query);
  const auto again = laminar::sql::ParseScript(once);
  LAMINAR_CHECK(again.errors.empty(), "the printed query does not parse: " + once);
  LAMINAR_CHECK(again.statements.size() == 1 && again.statements[0].query,
                "the printed query is none: " + once);
  LAMINAR_CHECK(ToString(*again.statements[0].query) == once,
                "the printed query reads back as another: " + once);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto parsed = laminar::sql::ParseScript(text);
  for (const laminar::UserError& error : parsed.errors) {
    CheckInside(error.span(), text);
    RenderError(error, "script", text);
  }
  for (const laminar::sql::Statement& statement : parsed.statements) {
    CheckInside(statement.span, text);
    if (statement.query) CheckReadsBack(*statement.query);
  }
  return 0;
}

/// Token-wise damage finds more than flipped bytes.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t size_max, unsigned int seed) {
  return laminar::sql::DamageTokens(data, size, size_max, seed);
}
