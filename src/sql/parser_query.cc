#include "sql/parser_internal.h"
#include "sql/parser_words.h"

/// Queries: WITH, SELECT, VALUES, set operations, ORDER BY, LIMIT.

namespace laminar::sql {

QueryPtr Parser::ParseQuery() {
  const Nesting nesting(*this);
  const int64_t begin = Begin();
  if (!At("WITH")) {
    QueryPtr query = ParseUnion();
    if (AtAny({"ORDER", "LIMIT", "OFFSET", "FETCH"}) &&
        (!query->order_by.empty() || query->limit || query->offset)) {
      query = WrapQuery(std::move(query));
    }
    ParseQueryTail(*query);
    query->span = Since(begin);
    return query;
  }
  Query with;
  ParseWith(with);
  QueryPtr query = ParseUnion();
  // (WITH … SELECT …) or a tail inside the brackets: those belong to the inner query.
  if (!query->with.empty() || !query->order_by.empty() || query->limit || query->offset)
    query = WrapQuery(std::move(query));
  query->with = std::move(with.with);
  ParseQueryTail(*query);
  query->span = Since(begin);
  return query;
}

void Parser::ParseWith(Query& query) {
  Expect("WITH");
  if (At("RECURSIVE")) Unsupported(Peek().span, "WITH RECURSIVE is not supported");
  ParseList([&] {
    Query::Cte cte;
    cte.name = ParseName("a name for the common table expression");
    if (At("(")) cte.columns = ParseNameList();
    Expect("AS");
    if (AtAny({"MATERIALIZED", "NOT"}) && !At("(")) {
      Take("NOT");
      Expect("MATERIALIZED");
    }
    Open("(");
    cte.query = ParseQuery();
    Close(")");
    query.with.push_back(std::move(cte));
  });
}

QueryPtr Parser::CombineQueries(QueryPtr left, QueryPtr right, SetOperation operation, int64_t begin) const {
  auto query = std::make_unique<Query>();
  query->operation = operation;
  query->left = std::move(left);
  query->right = std::move(right);
  query->span = Since(begin);
  return query;
}

/// SELECT * FROM (inner), where something is to be put around a query that has its own ORDER BY or LIMIT.
QueryPtr Parser::WrapQuery(QueryPtr inner) const {
  auto query = std::make_unique<Query>();
  query->span = inner->span;
  query->select = std::make_unique<Select>();
  query->select->span = inner->span;
  SelectItem star;
  star.span = inner->span;
  star.star = true;
  query->select->items.push_back(std::move(star));
  query->select->from = MakeTable(TableKind::kQuery);
  query->select->from->span = inner->span;
  query->select->from->query = std::move(inner);
  return query;
}

QueryPtr Parser::ParseUnion() {
  const int64_t begin = Begin();
  const Chain chain(*this);
  QueryPtr left = ParseIntersect();
  while (true) {
    SetOperation operation = SetOperation::kUnion;
    if (Take("UNION")) {
      if (Take("ALL")) {
        operation = SetOperation::kUnionAll;
      } else {
        Take("DISTINCT");
      }
      if (At("BY") && At("NAME", 1))
        Unsupported(Peek().span, "UNION BY NAME is not supported", "list the columns in the same order");
    } else if (Take("EXCEPT")) {
      operation = SetOperation::kExcept;
      if (At("ALL")) Unsupported(Peek().span, "EXCEPT ALL is not supported");
      Take("DISTINCT");
    } else {
      return left;
    }
    LowerTree();
    QueryPtr right = ParseIntersect();
    left = CombineQueries(std::move(left), std::move(right), operation, begin);
  }
}

QueryPtr Parser::ParseIntersect() {
  const int64_t begin = Begin();
  const Chain chain(*this);
  QueryPtr left = ParseQueryPrimary();
  while (Take("INTERSECT")) {
    if (At("ALL")) Unsupported(Peek().span, "INTERSECT ALL is not supported");
    Take("DISTINCT");
    LowerTree();
    QueryPtr right = ParseQueryPrimary();
    left = CombineQueries(std::move(left), std::move(right), SetOperation::kIntersect, begin);
  }
  return left;
}

QueryPtr Parser::ParseQueryPrimary() {
  const int64_t begin = Begin();
  if (TakeOpen("(")) {
    QueryPtr query = ParseQuery();
    Close(")");
    return query;
  }
  auto query = std::make_unique<Query>();
  if (At("SELECT")) {
    query->select = ParseSelect();
  } else if (At("VALUES")) {
    ParseValues(*query);
  } else {
    if (At("INSERT"))
      Unsupported(Peek().span, "WITH before INSERT is not supported", "write INSERT INTO t WITH … SELECT …");
    NoteExpected("SELECT");
    NoteExpected("VALUES");
    Fail("a query");
  }
  query->span = Since(begin);
  return query;
}

void Parser::ParseValues(Query& query) {
  Expect("VALUES");
  ParseList([&] {
    if (At("ROW")) Advance();
    Open("(");
    query.values.push_back(ParseExprList());
    Close(")");
  });
}

/// ORDER BY, LIMIT, OFFSET, FETCH.
void Parser::ParseQueryTail(Query& query) {
  if (Take("ORDER")) query.order_by = ParseOrderBy();
  while (true) {
    if (!query.limit && Take("LIMIT")) {
      ParseLimit(query);
    } else if (!query.offset && Take("OFFSET")) {
      query.offset = ParseExpr();
      if (AtAny({"ROW", "ROWS"})) Advance();
    } else if (!query.limit && At("FETCH")) {
      ParseFetch(query);
    } else {
      return;
    }
  }
}

void Parser::ParseLimit(Query& query) {
  if (At("ALL")) return Advance();
  query.limit = ParseExpr();
  if (At(",")) FailAt(Peek().span, "LIMIT takes one number", "write LIMIT n OFFSET m");
}

void Parser::ParseFetch(Query& query) {
  Advance();
  if (!Take("FIRST")) Expect("NEXT");
  if (AtAny({"ROW", "ROWS"})) {
    query.limit = Make(ExprKind::kNumber);
    query.limit->text = "1";
    query.limit->span = Peek().span;
  } else {
    query.limit = ParseExpr();
  }
  if (!Take("ROW")) Expect("ROWS");
  if (At("WITH"))
    Unsupported(Peek().span, "FETCH … WITH TIES is not supported", "use RANK() and a filter on it");
  Expect("ONLY");
}

std::unique_ptr<Select> Parser::ParseSelect() {
  const int64_t begin = Begin();
  auto select = std::make_unique<Select>();
  Expect("SELECT");
  if (Take("DISTINCT")) {
    select->distinct = true;
    if (At("ON") && At("(", 1))
      Unsupported(Peek().span, "DISTINCT ON is not supported", "use ROW_NUMBER() OVER (…) = 1");
  } else {
    Take("ALL");
  }
  ParseList([&] { select->items.push_back(ParseSelectItem()); });
  if (At("INTO")) Unsupported(Peek().span, "SELECT … INTO is not supported", "write INSERT INTO t SELECT …");
  if (Take("FROM")) select->from = ParseFrom();
  if (Take("WHERE")) select->where = ParseExpr();
  if (Take("GROUP")) ParseGroupBy(*select);
  if (Take("HAVING")) select->having = ParseExpr();
  while (true) {
    NoteExpected("WINDOW");
    if (AtWindowClause()) {
      ParseWindowClause(*select);
    } else if (!select->qualify && Take("QUALIFY")) {
      select->qualify = ParseExpr();
    } else {
      break;
    }
  }
  select->span = Since(begin);
  return select;
}

SelectItem Parser::ParseSelectItem() {
  const int64_t begin = Begin();
  SelectItem item;
  const bool table_star = AtAnyName() && At(".", 1) && At("*", 2);
  if (At("*") || table_star) {
    if (table_star) {
      item.star_table = ParseName("a table name");
      Expect(".");
    }
    ParseStar(item);
  } else {
    item.expr = ParseExpr();
    if (At(".") && At("*", 1))
      Unsupported(Peek().span, "'.*' behind more than one name is not supported",
                  "name the fields one by one");
    item.alias = TakeAlias();
  }
  item.span = Since(begin);
  return item;
}

/// * with EXCEPT (…), EXCLUDE (…) and REPLACE (…).
void Parser::ParseStar(SelectItem& item) {
  Expect("*");
  item.star = true;
  if (AtAny({"EXCEPT", "EXCLUDE"}) && At("(", 1) && !AtQuery(2)) {
    Advance();
    item.except = ParseNameList();
  } else if (At("EXCLUDE") && AtName(1)) {
    Advance();
    item.except.push_back(ParseName("a column name"));
  }
  if (At("REPLACE") && At("(", 1)) {
    Advance();
    Open("(");
    ParseList([&] {
      ExprPtr expr = ParseExpr();
      Take("AS");
      item.replace.emplace_back(std::move(expr), ParseName("a column name"));
    });
    Close(")");
  }
  if (At("RENAME") && At("(", 1))
    Unsupported(Peek().span, "* RENAME is not supported", "write * EXCEPT (a), a AS b");
}

void Parser::ParseGroupBy(Select& select) {
  Expect("BY");
  if (At("ALL")) Unsupported(Peek().span, "GROUP BY ALL is not supported", "name the columns");
  Take("DISTINCT");
  ParseList([&] {
    const bool sets = At("GROUPING") && At("SETS", 1);
    if (sets || (AtAny({"ROLLUP", "CUBE"}) && At("(", 1))) {
      Unsupported(Peek().span, std::string(sets ? "GROUPING SETS" : Peek().text) + " is not supported",
                  "join one query per grouping with UNION ALL");
    }
    if (At("(") && At(")", 1)) Unsupported(Peek().span, "GROUP BY () is not supported", "leave GROUP BY out");
    AddKeys(ParseExpr(), select.group_by);
  });
}

/// GROUP BY (a, b) is GROUP BY a, b; but ROW(a, b) stays one key.
void Parser::AddKeys(ExprPtr expr, std::vector<ExprPtr>& keys) {
  if (expr->kind != ExprKind::kStruct || text_[expr->span.offset] != '(') {
    keys.push_back(std::move(expr));
    return;
  }
  for (ExprPtr& key : expr->args) keys.push_back(std::move(key));
}

/// WINDOW is also a name: the clause has `w AS (` behind it.
bool Parser::AtWindowClause() const { return At("WINDOW") && AtName(1) && At("AS", 2) && At("(", 3); }

void Parser::ParseWindowClause(Select& select) {
  Expect("WINDOW");
  ParseList([&] {
    Identifier name = ParseName("a window name");
    Expect("AS");
    select.windows.emplace_back(std::move(name), ParseWindowSpec());
  });
}

}  // namespace laminar::sql
