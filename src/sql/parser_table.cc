#include <algorithm>

#include "sql/parser_internal.h"
#include "sql/parser_words.h"

/// What stands in FROM: tables, subqueries, window functions over tables, UNNEST, joins.

namespace laminar::sql {

TableRefPtr Parser::MakeTable(TableKind kind) const {
  auto table = std::make_unique<TableRef>();
  table->kind = kind;
  return table;
}

/// Comma lists bind weaker than JOIN.
TableRefPtr Parser::ParseFrom() {
  const int64_t begin = Begin();
  const Chain chain(*this);
  TableRefPtr left = ParseJoined();
  while (Take(",")) {
    LowerTree();
    TableRefPtr join = MakeTable(TableKind::kJoin);
    join->comma = true;
    join->left = std::move(left);
    join->right = ParseJoined();
    join->span = Since(begin);
    left = std::move(join);
  }
  return left;
}

TableRefPtr Parser::ParseJoined() {
  const int64_t begin = Begin();
  const Chain chain(*this);
  TableRefPtr left = ParseTable();
  while (true) {
    bool natural = false;
    const auto kind = TakeJoin(natural);
    if (!kind) return left;
    LowerTree();
    TableRefPtr join = MakeTable(TableKind::kJoin);
    join->join = *kind;
    join->natural = natural;
    join->left = std::move(left);
    join->right = ParseTable();
    ParseJoinCondition(*join);
    join->span = Since(begin);
    left = std::move(join);
  }
}

/// Takes everything up to and with JOIN; nullopt when no join follows.
std::optional<JoinKind> Parser::TakeJoin(bool& natural) {
  if (At("ASOF") && AtAny({"JOIN", "LEFT"}, 1)) {
    Unsupported(Peek().span, "ASOF JOIN is not supported", "use FOR SYSTEM_TIME AS OF");
  }
  if (AtAny({"SEMI", "ANTI"}) && At("JOIN", 1)) {
    const JoinKind kind = At("SEMI") ? JoinKind::kSemi : JoinKind::kAnti;
    Advance();
    Advance();
    return kind;
  }
  natural = Take("NATURAL");
  if (Take("JOIN")) return JoinKind::kInner;
  std::optional<JoinKind> kind;
  if (Take("INNER"))
    kind = JoinKind::kInner;
  else if (Take("CROSS"))
    kind = JoinKind::kCross;
  else if (Take("LEFT"))
    kind = JoinKind::kLeft;
  else if (Take("RIGHT"))
    kind = JoinKind::kRight;
  else if (Take("FULL"))
    kind = JoinKind::kFull;
  if (!kind && natural) Fail();
  if (!kind) return std::nullopt;
  if (*kind == JoinKind::kLeft && AtAny({"SEMI", "ANTI"})) {
    kind = At("SEMI") ? JoinKind::kSemi : JoinKind::kAnti;
    Advance();
  } else if (*kind == JoinKind::kRight && AtAny({"SEMI", "ANTI"})) {
    Unsupported(Peek().span, "RIGHT " + Peek().text + " JOIN is not supported",
                "swap the tables and use LEFT " + Peek().text + " JOIN");
  } else if (*kind != JoinKind::kInner && *kind != JoinKind::kCross) {
    Take("OUTER");
  }
  Expect("JOIN");
  return kind;
}

void Parser::ParseJoinCondition(TableRef& join) {
  if (join.join == JoinKind::kCross || join.natural) return;
  if (Take("ON")) {
    join.on = ParseExpr();
  } else if (Take("USING")) {
    join.using_columns = ParseNameList();
  }
}

TableRefPtr Parser::ParseTable() {
  const Nesting nesting(*this);
  const int64_t begin = Begin();
  if (At("LATERAL")) {
    if (!(AtAny({"UNNEST", "EXPLODE"}, 1) && At("(", 2)))
      Unsupported(Peek().span, "LATERAL is not supported",
                  "only UNNEST(…) may use columns of the tables before it");
    Advance();
  }
  TableRefPtr table;
  if (At("(")) {
    table = ParseBracketTable();
  } else if (AtAny({"UNNEST", "EXPLODE"}) && At("(", 1)) {
    table = ParseUnnest();
  } else if (AtWindowFunction() || (At("TABLE") && At("(", 1))) {
    table = ParseWindowTable();
  } else {
    table = ParseNamedTable();
  }
  if (table->kind != TableKind::kJoin || AtName() || At("AS")) ParseTableSuffixes(*table);
  table->span = Since(begin);
  return table;
}

/// (query) or (VALUES …), or a join in brackets.
TableRefPtr Parser::ParseBracketTable() {
  if (!AtQuery(1)) {
    Open("(");
    TableRefPtr joined = ParseFrom();
    Close(")");
    return joined;
  }
  TableRefPtr table = MakeTable(TableKind::kQuery);
  Open("(");
  table->query = ParseQuery();
  Close(")");
  if (!table->query->values.empty()) table->kind = TableKind::kValues;
  return table;
}

TableRefPtr Parser::ParseNamedTable() {
  TableRefPtr table = MakeTable(TableKind::kNamed);
  table->name = ParseName("a table name");
  while (Take(".")) {
    table->qualifier.push_back(std::move(table->name));
    table->name = ParseAnyName("a table name");
  }
  if (!At("(")) return table;
  const size_t behind = PartnerOffset(0);
  if (behind != 0 && !(At("WITH", behind) && At("(", behind + 1))) {
    // Neither `t (cols) WITH (…)` nor one of the functions we know.
    const bool definitions = AtName(1) && AtAnyName(2);
    if (definitions)
      FailAt(Peek().span, "columns after a table name need WITH (…) behind them",
             "write FROM t (…) WITH (connector = …)");
    FailTableFunction(table->name);
  }
  TableItems items = ParseTableItems();
  table->columns = std::move(items.columns);
  for (const Identifier& key : items.primary_key) {
    for (ColumnDefinition& column : table->columns) {
      if (EqualsIgnoreCase(column.name.text, key.text)) column.primary_key = true;
    }
  }
  if (items.watermarks.size() > 1) {
    throw UserError(Reason::kMultipleWatermarks, items.watermarks[1].span, "a table has one WATERMARK");
  }
  if (!items.watermarks.empty()) {
    table->watermark_column = std::move(items.watermarks[0].column);
    table->watermark_expr = std::move(items.watermarks[0].expr);
  }
  if (!At("WITH")) Fail("WITH");
  return table;
}

/// WITH (…), FOR SYSTEM_TIME AS OF, the alias; in any order, each once.
void Parser::ParseTableSuffixes(TableRef& table) {
  bool has_alias = false;
  while (true) {
    if (table.kind == TableKind::kNamed && !table.has_options && Take("WITH")) {
      table.options = ParseOptions();
      table.has_options = true;
    } else if (!table.as_of && TakeAsOf(table)) {
      continue;
    } else if (!has_alias && TakeTableAlias(table)) {
      has_alias = true;
    } else {
      break;
    }
  }
  if (At("MATCH_RECOGNIZE")) Unsupported(Peek().span, "MATCH_RECOGNIZE is not supported");
  if (At("TABLESAMPLE"))
    Unsupported(Peek().span, "TABLESAMPLE is not supported", "filter with random() < 0.1");
}

bool Parser::TakeAsOf(TableRef& table) {
  if (!At("FOR")) return false;
  const SourceSpan span = Peek().span;
  if (AtAny({"UPDATE", "SHARE"}, 1)) Unsupported(span, "SELECT … FOR " + Peek(1).text + " is not supported");
  if (!AtAny({"SYSTEM_TIME", "SYSTEM"}, 1)) {
    Advance();
    Fail("SYSTEM_TIME");
  }
  Advance();
  if (!Take("SYSTEM_TIME")) {
    Expect("SYSTEM");
    Expect("TIME");
  }
  if (!Take("AS")) Unsupported(span, "only FOR SYSTEM_TIME AS OF is supported");
  Expect("OF");
  table.as_of = ParseExpr();
  return true;
}

/// [AS] alias [(columns)].
bool Parser::TakeTableAlias(TableRef& table) {
  if (AtAny({"PIVOT", "UNPIVOT"}) && At("(", 1)) Unsupported(Peek().span, Peek().text + " is not supported");
  table.alias = TakeAlias();
  if (!table.alias) return false;
  if (At("(")) table.column_aliases = ParseNameList();
  return true;
}

/// Join words that are not reserved.
bool Parser::AtJoin() const { return AtAny({"SEMI", "ANTI", "ASOF"}) && AtAny({"JOIN", "LEFT"}, 1); }

TableRefPtr Parser::ParseUnnest() {
  TableRefPtr table = MakeTable(TableKind::kUnnest);
  Advance();
  Open("(");
  table->unnest = ParseExpr();
  if (At(","))
    Unsupported(Peek().span, "UNNEST of several arrays is not supported",
                "use arrays_zip, or one UNNEST each");
  Close(")");
  if (At("WITH") && At("ORDINALITY", 1)) {
    Advance();
    Advance();
    table->with_ordinality = true;
  }
  return table;
}

void Parser::FailTableFunction(const Identifier& name) {
  const std::string nearest = NearestName(name.text, {"TUMBLE", "HOP", "SESSION", "CUMULATE", "UNNEST"});
  Unsupported(name.span, "table function '" + name.text + "' is not supported",
              nearest.empty() ? "in FROM there are TUMBLE, HOP, SESSION, CUMULATE and UNNEST"
                              : "did you mean " + nearest + "?");
}

// ---- TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), …))
// --------------------------------------------------------------------

bool Parser::AtWindowFunction() const {
  if (!AtAny({"TUMBLE", "HOP", "SESSION", "CUMULATE"}) || !At("(", 1)) return false;
  const size_t behind = PartnerOffset(1);  // `session (user TEXT) WITH (…)` is a table of that name
  return behind == 0 || !(At("WITH", behind) && At("(", behind + 1));
}

TableRefPtr Parser::ParseWindowTable() {
  TableRefPtr table = MakeTable(TableKind::kWindow);
  const bool wrapped = At("TABLE");
  if (wrapped) {
    Advance();
    Open("(");
  }
  if (!AtWindowFunction()) {
    if (AtName() && At("(", 1)) {
      FailTableFunction(ParseName("a table function"));
    }
    Fail("TUMBLE, HOP, SESSION or CUMULATE");
  }
  table->function = At("TUMBLE")    ? TableFunctionKind::kTumble
                    : At("HOP")     ? TableFunctionKind::kHop
                    : At("SESSION") ? TableFunctionKind::kSession
                                    : TableFunctionKind::kCumulate;
  ParseWindowArguments(*table);
  if (wrapped) Close(")");
  return table;
}

void Parser::ParseWindowArguments(TableRef& table) {
  const SourceSpan span = Peek().span;
  std::vector<std::pair<std::string, ExprPtr>> named;
  Advance();
  Open("(");
  ParseList([&] { ParseWindowArgument(table, named); });
  Close(")");
  if (!table.input) FailAt(span, "the window function has no table", "its first argument is TABLE t");
  if (!table.descriptor)
    FailAt(span, "the window function has no DESCRIPTOR", "its second argument is DESCRIPTOR(time_column)");
  OrderWindowSizes(table, named, span);
}

/// One argument, by position or as `NAME => value`.
void Parser::ParseWindowArgument(TableRef& table, std::vector<std::pair<std::string, ExprPtr>>& named) {
  const bool is_named = Peek().kind == TokenKind::kWord && At("=>", 1);
  const std::string name = is_named ? Peek().text : "";
  if (is_named) {
    static const std::vector<std::string> kNames = {"DATA", "TIMECOL", "SIZE",  "SLIDE",
                                                    "STEP", "GAP",     "OFFSET"};
    if (std::find(kNames.begin(), kNames.end(), name) == kNames.end()) {
      const std::string nearest = NearestName(name, kNames);
      FailAt(Peek().span, "unknown argument '" + Written(Peek()) + "' of a window function",
             nearest.empty() ? "there are DATA, TIMECOL, SIZE, SLIDE, STEP, GAP and OFFSET"
                             : "did you mean " + nearest + "?");
    }
    Advance();
    Advance();
  }
  if (name == "DATA" || (!is_named && !table.input)) {
    table.input = ParseTableArgument(table);
  } else if (name == "TIMECOL" || (!is_named && !table.descriptor)) {
    table.descriptor = ParseDescriptor();
  } else if (is_named) {
    named.emplace_back(name, ParseExpr());
  } else {
    table.sizes.push_back(ParseExpr());
  }
}

/// Named lengths in the order that lengths have by position: slide or step, then size or gap, then offset.
void Parser::OrderWindowSizes(TableRef& table, std::vector<std::pair<std::string, ExprPtr>>& named,
                              SourceSpan span) {
  for (const char* name : {"SLIDE", "STEP", "SIZE", "GAP", "OFFSET"}) {
    for (auto& [given, expr] : named) {
      if (given == name && expr) table.sizes.push_back(std::move(expr));
    }
  }
  if (table.sizes.empty())
    FailAt(span, "the window function has no length", "add one, such as INTERVAL '10' SECOND");
}

/// TABLE t [PARTITION BY k, …], TABLE (query), (query).
TableRefPtr Parser::ParseTableArgument(TableRef& window) {
  const Nesting nesting(*this);
  const int64_t begin = Begin();
  const bool keyword = Take("TABLE");
  TableRefPtr table;
  if (At("(")) {
    if (!AtQuery(1)) {
      Advance();
      Fail("a query");
    }
    table = ParseBracketTable();
  } else if (keyword) {
    table = MakeTable(TableKind::kNamed);
    table->name = ParseName("a table name");
    while (Take(".")) {
      table->qualifier.push_back(std::move(table->name));
      table->name = ParseAnyName("a table name");
    }
    if (At("WITH") && At("(", 1)) {
      Advance();
      table->options = ParseOptions();
      table->has_options = true;
    }
  } else {
    if (AtName())
      FailAt(Peek().span, "expected TABLE before the table's name",
             "write TABLE " + Written(Peek()).substr(0, 60));
    Fail();
  }
  table->span = Since(begin);
  if (Take("PARTITION")) {
    Expect("BY");
    AddKeys(ParseExpr(), window.partition_by);
    while (At(",") && !At("DESCRIPTOR", 1) && !At("=>", 2)) {
      Advance();
      AddKeys(ParseExpr(), window.partition_by);
    }
  }
  if (At("ORDER")) Unsupported(Peek().span, "ORDER BY on a table argument is not supported");
  return table;
}

ExprPtr Parser::ParseDescriptor() {
  const int64_t begin = Begin();
  if (!At("DESCRIPTOR")) Fail("DESCRIPTOR(time_column)");
  Advance();
  ExprPtr descriptor = Make(ExprKind::kDescriptor);
  Open("(");
  descriptor->names.push_back(ParseName("a column name"));
  while (Take(".")) descriptor->names.push_back(ParseAnyName("a field name"));
  Close(")");
  return Finish(std::move(descriptor), begin);
}

}  // namespace laminar::sql
