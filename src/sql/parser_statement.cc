#include <array>

#include "base/name.h"
#include "sql/parser_internal.h"
#include "sql/parser_words.h"

/// Statements.

namespace laminar::sql {

Statement Parser::ParseStatement() {
  const Nesting nesting(*this);
  const int64_t begin = Begin();
  Statement statement;
  ParseStatementBody(statement);
  statement.span = Since(begin);
  return statement;
}

void Parser::ParseStatementBody(Statement& statement) {
  if (AtAny({"SELECT", "WITH", "VALUES", "("})) {
    statement.kind = StatementKind::kQuery;
    statement.query = ParseQuery();
  } else if (At("CREATE")) {
    ParseCreate(statement);
  } else if (At("INSERT")) {
    ParseInsert(statement);
  } else if (At("SET")) {
    ParseSet(statement);
  } else if (At("RESET")) {
    ParseReset(statement);
  } else if (At("EXPLAIN")) {
    ParseExplain(statement);
  } else if (At("DROP")) {
    ParseDrop(statement);
  } else if (At("SHOW")) {
    ParseShow(statement);
  } else if (AtAny({"DESCRIBE", "DESC"})) {
    ParseDescribe(statement);
  } else if (AtAny({"START", "STOP"})) {
    ParseStartStop(statement);
  } else if (Peek().kind == TokenKind::kWord && IsRefusedStatement(Peek().text)) {
    ParseRefused(statement);
  } else {
    ThrowLexicalError(Peek());
    const std::string nearest =
        Peek().kind == TokenKind::kWord ? NearestName(Peek().text.substr(0, 30), StatementWords()) : "";
    FailAt(Peek().span, "expected a statement such as SELECT, INSERT or CREATE, found " + DescribeToken(),
           nearest.empty() ? "" : "did you mean " + nearest + "?");
  }
}

// ---- CREATE
// ---------------------------------------------------------------------------------------------------------

void Parser::ParseCreate(Statement& statement) {
  Expect("CREATE");
  statement.or_replace = Take("OR", "REPLACE");
  if (Take("TEMPORARY") || Take("TEMP")) statement.temporary = true;
  if (Take("TABLE")) return ParseCreateTable(statement);
  if (Take("VIEW")) return ParseCreateView(statement);
  if (Take("PIPELINE")) return ParseCreatePipeline(statement);
  if (Take("FUNCTION")) return ParseCreateFunction(statement);
  if (At("MATERIALIZED"))
    Unsupported(Peek().span, "CREATE MATERIALIZED VIEW is not supported",
                "use CREATE VIEW, or CREATE TABLE t AS SELECT …");
  if (AtAny({"AGGREGATE", "CATALOG", "CONNECTION", "CONNECTOR", "DATABASE", "EXTERNAL", "INDEX",
             "MACRO",     "MODEL",   "ROLE",       "SCHEMA",    "SECRET",   "SEQUENCE", "SINK",
             "SOURCE",    "STREAM",  "TRIGGER",    "TYPE",      "UNIQUE",   "UNLOGGED", "USER"})) {
    const bool table = AtAny({"SINK", "SOURCE", "STREAM", "EXTERNAL"});
    Unsupported(Peek().span, "CREATE " + Peek().text + " is not supported",
                table ? "use CREATE TABLE … WITH (connector = …)" : "");
  }
  Fail();
}

bool Parser::TakeIfNotExists() {
  if (!At("IF") || !At("NOT", 1)) return false;
  Advance();
  Advance();
  Expect("EXISTS");
  return true;
}

/// The name of something that a script defines or fills: no schema in front.
Identifier Parser::ParseTableName() {
  Identifier name = ParseName("a name");
  if (At("."))
    Unsupported(Peek().span, "a name with a schema in front is not supported here", "write just the name");
  return name;
}

void Parser::ParseCreateTable(Statement& statement) {
  statement.kind = StatementKind::kCreateTable;
  statement.if_not_exists = TakeIfNotExists();
  statement.name = ParseTableName();
  if (At("(") && !AtQuery()) {
    TableItems items = ParseTableItems();
    statement.has_columns = true;
    statement.columns = std::move(items.columns);
    statement.primary_key = std::move(items.primary_key);
    statement.watermarks = std::move(items.watermarks);
  }
  while (true) {
    if (!statement.has_options && Take("WITH")) {
      statement.options = ParseOptions();
      statement.has_options = true;
    } else if (statement.partitioned_by.empty() && Take("PARTITIONED")) {
      Expect("BY");
      Open("(");
      statement.partitioned_by = ParseExprList();
      Close(")");
    } else if (At("COMMENT")) {
      Advance();
      ParseString("a comment in quotes");
    } else {
      break;
    }
  }
  if (At("LIKE")) Unsupported(Peek().span, "CREATE TABLE … LIKE is not supported", "list the columns");
  if (Take("AS")) statement.query = ParseQuery();
}

void Parser::ParseCreateView(Statement& statement) {
  statement.kind = StatementKind::kCreateView;
  statement.if_not_exists = TakeIfNotExists();
  statement.name = ParseTableName();
  if (At("(")) statement.column_list = ParseNameList();
  if (At("COMMENT")) {
    Advance();
    ParseString("a comment in quotes");
  }
  Expect("AS");
  statement.query = ParseQuery();
}

void Parser::ParseCreatePipeline(Statement& statement) {
  statement.kind = StatementKind::kCreatePipeline;
  statement.if_not_exists = TakeIfNotExists();
  statement.name = ParseTableName();
  if (Take("WITH")) {
    statement.options = ParseOptions();
    statement.has_options = true;
  }
  Expect("AS");
  const SourceSpan span = Peek().span;
  const bool fits = AtAny({"INSERT", "SELECT", "WITH", "VALUES", "("});
  if (!fits && Peek().kind == TokenKind::kWord && AtAny({"CREATE", "SET", "DROP", "EXPLAIN", "BEGIN"})) {
    FailAt(span, "a pipeline holds one INSERT or one query, not " + Peek().text,
           "other statements stand before CREATE PIPELINE");
  }
  if (!fits) {
    NoteExpected("INSERT");
    NoteExpected("SELECT");
    Fail();
  }
  statement.inner = std::make_unique<Statement>(ParseStatement());
}

/// CREATE FUNCTION f(a T, …) [RETURNS T] [LANGUAGE l] … AS $$…$$ | 'text' | expr. The clauses may also stand
/// behind the body.
void Parser::ParseCreateFunction(Statement& statement) {
  statement.kind = StatementKind::kCreateFunction;
  statement.if_not_exists = TakeIfNotExists();
  statement.name = ParseTableName();
  ParseFunctionSignature(statement);
  while (TakeFunctionClause(statement)) {
  }
  if (!Take("RETURN")) Expect("AS");
  ParseFunctionBody(statement);
  while (TakeFunctionClause(statement)) {
  }
}

void Parser::ParseFunctionSignature(Statement& statement) {
  Open("(");
  if (!At(")")) {
    ParseList([&] {
      ColumnDefinition parameter;
      parameter.name = ParseName("a parameter name");
      const int64_t begin = Begin();
      parameter.type = ParseType();
      parameter.type_span = Since(begin);
      parameter.not_null = Take("NOT", "NULL");
      statement.columns.push_back(std::move(parameter));
    });
  }
  Close(")");
  if (Take("RETURNS")) {
    const int64_t begin = Begin();
    statement.returns = ParseType();
    statement.returns_span = Since(begin);
    Take("NOT", "NULL");
  }
}

bool Parser::TakeFunctionClause(Statement& statement) {
  if (At("LANGUAGE") && AtAnyName(1)) {
    Advance();
    statement.object_kind = FoldName(Peek().text);
    statement.language_span = Peek().span;
  } else if (AtAny({"IMMUTABLE", "STABLE", "VOLATILE"})) {
    statement.volatility = FoldName(Peek().text);
  } else if (At("STRICT")) {
    statement.strict = true;
  } else {
    NoteExpected("LANGUAGE");
    return false;
  }
  Advance();
  return true;
}

void Parser::ParseFunctionBody(Statement& statement) {
  const int64_t begin = Begin();
  const TokenKind kind = Peek().kind;
  if (kind == TokenKind::kDollarString || kind == TokenKind::kString) {
    statement.value = Peek().text;
    Advance();
    statement.value_span = Since(begin);
    const std::string_view written = text_.substr(begin, statement.value_span.length);
    const size_t quote = kind == TokenKind::kString ? 1 : written.find('$', 1) + 1;
    if (written.substr(quote, statement.value.size()) == statement.value &&
        written.size() == statement.value.size() + 2 * quote)
      statement.body_offset = begin + static_cast<int64_t>(quote);
    return;
  }
  ParseExpr();
  statement.value = std::string(text_.substr(begin, last_end_ - begin));
  statement.value_span = Since(begin);
  statement.body_offset = begin;
}

// ---- INSERT, SET, EXPLAIN
// -----------------------------------------------------------------------------------------

void Parser::ParseInsert(Statement& statement) {
  statement.kind = StatementKind::kInsert;
  Expect("INSERT");
  if (At("OVERWRITE")) Unsupported(Peek().span, "INSERT OVERWRITE is not supported", "use INSERT INTO");
  Expect("INTO");
  if (At("TABLE") && AtName(1)) Advance();
  statement.name = ParseTableName();
  if (At("(") && !AtQuery()) statement.column_list = ParseNameList();
  if (At("DEFAULT")) Unsupported(Peek().span, "INSERT … DEFAULT VALUES is not supported");
  statement.query = ParseQuery();
  if (AtAny({"ON", "RETURNING"}))
    Unsupported(Peek().span, "INSERT … " + Peek().text + " is not supported",
                At("ON") ? "a PRIMARY KEY on the table makes the sink update its rows" : "");
}

/// SET name = value, SET 'name' = 'value', SET name TO value.
void Parser::ParseSet(Statement& statement) {
  statement.kind = StatementKind::kSet;
  Expect("SET");
  statement.name = ParseSettingName();
  if (!Take("TO")) Expect("=");
  const int64_t begin = Begin();
  statement.value = ParseOptionValue();
  statement.value_span = Since(begin);
}

void Parser::ParseReset(Statement& statement) {
  statement.kind = StatementKind::kSet;
  statement.flag = true;
  Expect("RESET");
  statement.name = At("ALL") ? ParseAnyName("a setting") : ParseSettingName();
}

Identifier Parser::ParseSettingName() {
  OptionAssignment option;
  ParseOptionName(option);
  return {std::move(option.name), false, option.name_span};
}

/// EXPLAIN [VERBOSE|JSON] statement, EXPLAIN (FORMAT JSON) statement.
void Parser::ParseExplain(Statement& statement) {
  statement.kind = StatementKind::kExplain;
  Expect("EXPLAIN");
  if (At("ANALYZE"))
    Unsupported(Peek().span, "EXPLAIN ANALYZE is not supported", "a running job shows its metrics");
  if (Take("VERBOSE")) {
    statement.explain_mode = ExplainMode::kVerbose;
  } else if (Take("JSON")) {
    statement.explain_mode = ExplainMode::kJson;
  } else if (At("(") && At("FORMAT", 1)) {
    Open("(");
    Advance();
    statement.explain_mode = At("JSON") ? ExplainMode::kJson : ExplainMode::kText;
    if (!Take("JSON")) Expect("TEXT");
    Close(")");
  }
  statement.inner = std::make_unique<Statement>(ParseStatement());
}

// ---- DROP, SHOW, DESCRIBE, START, STOP
// --------------------------------------------------------------------------------

void Parser::ParseDrop(Statement& statement) {
  statement.kind = StatementKind::kDrop;
  Expect("DROP");
  Take("TEMPORARY");
  for (const char* kind : {"TABLE", "VIEW", "PIPELINE", "FUNCTION"}) {
    if (statement.object_kind.empty() && Take(kind)) statement.object_kind = FoldName(kind);
  }
  if (statement.object_kind.empty()) Fail();
  statement.flag = Take("IF", "EXISTS");
  statement.name = ParseTableName();
}

void Parser::ParseShow(Statement& statement) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kObjects = {
      {{"TABLES", "table"},
       {"VIEWS", "view"},
       {"PIPELINES", "pipeline"},
       {"JOBS", "job"},
       {"CONNECTORS", "connector"},
       {"FUNCTIONS", "function"}}};
  statement.kind = StatementKind::kShow;
  Expect("SHOW");
  if (Take("CREATE")) {
    if (!Take("TABLE")) Expect("VIEW");
    statement.object_kind = "create table";
    statement.name = ParseTableName();
    return;
  }
  for (const auto& [word, kind] : kObjects) {
    if (statement.object_kind.empty() && Take(word)) statement.object_kind = kind;
  }
  if (statement.object_kind.empty()) Fail();
}

void Parser::ParseDescribe(Statement& statement) {
  statement.kind = StatementKind::kDescribe;
  Advance();
  if (At("TABLE") && AtName(1)) Advance();
  statement.name = ParseTableName();
}

/// START|STOP PIPELINE n [WITH mode]: `name` is the word, `value` the pipeline.
void Parser::ParseStartStop(Statement& statement) {
  if (At("TRANSACTION", 1)) return ParseRefused(statement);
  statement.kind = StatementKind::kOther;
  statement.name = {Peek().text, false, Peek().span};
  Advance();
  Expect("PIPELINE");
  statement.object_kind = "pipeline";
  const Identifier pipeline = ParseTableName();
  statement.value = pipeline.text;
  statement.value_span = pipeline.span;
  if (Take("WITH")) {
    if (TakeOpen("(")) {
      ParseList([&] { statement.options.push_back(ParseOption()); });
      Close(")");
    } else {
      OptionAssignment mode;
      mode.name = "mode";
      mode.name_span = Peek().span;
      const int64_t begin = Begin();
      mode.value = ParseOptionValue();
      mode.value_span = Since(begin);
      statement.options.push_back(std::move(mode));
    }
  }
}

/// UPDATE, DELETE and the like are not looked into: the binder refuses them.
void Parser::ParseRefused(Statement& statement) {
  statement.kind = StatementKind::kOther;
  statement.name = {Peek().text, false, Peek().span};
  while (!AtStatementEnd()) {
    ThrowLexicalError(Peek());
    Advance();
  }
}

}  // namespace laminar::sql
