#include "jobs/function_declaration.h"

#include "sql/parser.h"
#include "types/type.h"

namespace laminar {

namespace {

/// `$body$`, with a number as long as the text holds it.
std::string QuoteFor(const std::string& text) {
  std::string tag = "$body$";
  for (int n = 1; text.find(tag) != std::string::npos; ++n) tag = "$body" + std::to_string(n) + "$";
  return tag;
}

std::string QuotedName(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

}  // namespace

bool IsFunctionStatement(const std::string& definition) {
  const sql::ParsedScript parsed = sql::ParseScript(definition);
  if (!parsed.statements.empty()) return parsed.statements[0].kind == sql::StatementKind::kCreateFunction;
  const size_t begin = definition.find_first_not_of(" \t\r\n");
  return begin != std::string::npos && EqualsIgnoreCase(definition.substr(begin, 6), "CREATE");
}

FunctionDeclaration DeclarationOf(const Udf& function) {
  if (IsFunctionStatement(function.definition)) return {function.definition, 0};
  FunctionDeclaration out;
  for (const Json& parameter : function.parameters) {
    out.text += (out.text.empty() ? "" : ", ") + QuotedName(parameter["name"].get<std::string>()) + " " +
                parameter["type"].get<std::string>() + (parameter["nullable"].get<bool>() ? "" : " NOT NULL");
  }
  const std::string quote = QuoteFor(function.definition);
  out.text = "CREATE FUNCTION " + function.name + "(" + out.text + ") RETURNS " + function.return_type +
             " LANGUAGE " + function.language + " AS " + quote;
  out.definition_offset = static_cast<int64_t>(out.text.size());
  out.text += function.definition + quote;
  return out;
}

std::vector<std::string> OwnFunctions(const Json& udfs) {
  std::vector<std::string> out;
  for (const Json& udf : udfs) {
    if (udf.is_object()) out.push_back(DeclarationOf(udf.get<Udf>()).text);
  }
  return out;
}

}  // namespace laminar
