#include "sql/parser.h"
#include "sql/parser_print.h"
#include "sql/parser_words.h"

namespace laminar::sql {
namespace {

/// An alias or a defined name; quoted also where AS allowed a reserved word.
std::string PrintAlias(const Identifier& name) {
  return name.quoted ? PrintName(name) : QuoteName(name.text);
}

std::string PrintAliases(const std::vector<Identifier>& names) {
  std::string out;
  for (const Identifier& name : names) out += (out.empty() ? "" : ", ") + PrintAlias(name);
  return "(" + out + ")";
}

std::string PrintOptions(const std::vector<OptionAssignment>& options) {
  std::string out;
  for (const OptionAssignment& option : options) {
    out += (out.empty() ? "" : ", ") + PrintString(option.name) + " = " + PrintString(option.value);
  }
  return " WITH (" + out + ")";
}

std::string PrintColumn(const ColumnDefinition& column) {
  std::string out = PrintAlias(column.name);
  if (column.type) out += " " + column.type->ToString();
  if (column.not_null) out += " NOT NULL";
  if (column.primary_key) out += " PRIMARY KEY";
  if (column.metadata) out += " METADATA";
  if (!column.metadata_key.empty()) out += " FROM " + PrintString(column.metadata_key);
  if (column.computed)
    out += (column.type ? " GENERATED ALWAYS AS (" : " AS (") + ToString(*column.computed) + ")";
  if (column.virtual_column) out += " VIRTUAL";
  if (!column.comment.empty()) out += " COMMENT " + PrintString(column.comment);
  return out;
}

std::string PrintNamed(const TableRef& table) {
  std::string out;
  for (const Identifier& name : table.qualifier) out += PrintName(name) + ".";
  out += PrintName(table.name);
  if (!table.columns.empty()) {
    std::string items;
    for (const ColumnDefinition& column : table.columns)
      items += (items.empty() ? "" : ", ") + PrintColumn(column);
    if (table.watermark_column) items += ", WATERMARK FOR " + PrintAlias(*table.watermark_column);
    if (table.watermark_expr) items += " AS " + ToString(*table.watermark_expr);
    out += " (" + items + ")";
  }
  if (table.has_options) out += PrintOptions(table.options);
  if (table.as_of) out += " FOR SYSTEM_TIME AS OF " + ToString(*table.as_of);
  return out;
}

std::string PrintTable(const TableRef& table);

std::string PrintWindowTable(const TableRef& table) {
  static constexpr const char* kNames[] = {"TUMBLE", "HOP", "SESSION", "CUMULATE"};
  std::string out =
      std::string("TABLE(") + kNames[static_cast<int>(table.function)] + "(TABLE " + PrintTable(*table.input);
  if (!table.partition_by.empty()) out += " PARTITION BY " + PrintList(table.partition_by);
  return out + ", " + ToString(*table.descriptor) + ", " + PrintList(table.sizes) + "))";
}

/// One side of a join; in brackets where it was, as JOIN binds stronger than the comma and both lean to the
/// left.
std::string PrintSide(const TableRef& side, bool brackets) {
  return brackets && side.kind == TableKind::kJoin && !side.alias ? "(" + PrintTable(side) + ")"
                                                                  : PrintTable(side);
}

std::string PrintJoin(const TableRef& join) {
  if (join.comma) return PrintTable(*join.left) + ", " + PrintSide(*join.right, join.right->comma);
  static constexpr const char* kNames[] = {"JOIN",      "LEFT JOIN", "RIGHT JOIN", "FULL JOIN",
                                           "SEMI JOIN", "ANTI JOIN", "CROSS JOIN"};
  std::string out = PrintSide(*join.left, join.left->comma) + (join.natural ? " NATURAL " : " ");
  out += std::string(kNames[static_cast<int>(join.join)]) + " " + PrintSide(*join.right, true);
  if (join.on) out += " ON " + ToString(*join.on);
  if (!join.using_columns.empty()) out += " USING " + PrintAliases(join.using_columns);
  return out;
}

std::string PrintTable(const TableRef& table) {
  std::string out;
  switch (table.kind) {
    case TableKind::kNamed:
      out = PrintNamed(table);
      break;
    case TableKind::kQuery:
    case TableKind::kValues:
      out = "(" + ToString(*table.query) + ")";
      break;
    case TableKind::kWindow:
      out = PrintWindowTable(table);
      break;
    case TableKind::kUnnest:
      out = "UNNEST(" + ToString(*table.unnest) + ")" + (table.with_ordinality ? " WITH ORDINALITY" : "");
      break;
    case TableKind::kJoin:
      out = table.alias ? "(" + PrintJoin(table) + ")" : PrintJoin(table);
      break;
  }
  if (table.alias) out += " AS " + PrintAlias(*table.alias);
  if (!table.column_aliases.empty()) out += PrintAliases(table.column_aliases);
  return out;
}

std::string PrintItem(const SelectItem& item) {
  if (!item.star) return ToString(*item.expr) + (item.alias ? " AS " + PrintAlias(*item.alias) : "");
  std::string out = item.star_table ? PrintName(*item.star_table) + ".*" : "*";
  if (!item.except.empty()) out += " EXCEPT " + PrintAliases(item.except);
  std::string replace;
  for (const auto& [expr, name] : item.replace)
    replace += (replace.empty() ? "" : ", ") + ToString(*expr) + " AS " + PrintAlias(name);
  return replace.empty() ? out : out + " REPLACE (" + replace + ")";
}

std::string PrintSelect(const Select& select) {
  std::string out = select.distinct ? "SELECT DISTINCT " : "SELECT ";
  for (size_t i = 0; i < select.items.size(); ++i) out += (i > 0 ? ", " : "") + PrintItem(select.items[i]);
  if (select.from) out += " FROM " + PrintTable(*select.from);
  if (select.where) out += " WHERE " + ToString(*select.where);
  if (!select.group_by.empty()) out += " GROUP BY " + PrintList(select.group_by);
  if (select.having) out += " HAVING " + ToString(*select.having);
  for (size_t i = 0; i < select.windows.size(); ++i) {
    out += (i > 0 ? ", " : " WINDOW ") + PrintAlias(select.windows[i].first) + " AS " +
           PrintWindow(*select.windows[i].second);
  }
  if (select.qualify) out += " QUALIFY " + ToString(*select.qualify);
  return out;
}

std::string PrintValues(const Query& query) {
  std::string out;
  for (const auto& row : query.values) out += (out.empty() ? "VALUES (" : ", (") + PrintList(row) + ")";
  return out;
}

std::string PrintOperand(const Query& query) {
  const bool plain =
      query.with.empty() && query.order_by.empty() && !query.limit && !query.offset && !query.left;
  return plain ? ToString(query) : "(" + ToString(query) + ")";
}

std::string PrintBody(const Query& query) {
  if (query.select) return PrintSelect(*query.select);
  if (!query.left) return PrintValues(query);
  static constexpr const char* kNames[] = {" UNION ALL ", " UNION ", " INTERSECT ", " EXCEPT "};
  return PrintOperand(*query.left) + kNames[static_cast<int>(query.operation)] + PrintOperand(*query.right);
}

}  // namespace

std::string ToString(const Query& query) {
  std::string out;
  for (size_t i = 0; i < query.with.size(); ++i) {
    const Query::Cte& cte = query.with[i];
    out += (i > 0 ? ", " : "WITH ") + PrintAlias(cte.name);
    if (!cte.columns.empty()) out += PrintAliases(cte.columns);
    out += " AS (" + ToString(*cte.query) + ")";
  }
  if (!query.with.empty()) out += " ";
  out += PrintBody(query);
  if (!query.order_by.empty()) out += " " + PrintOrderBy(query.order_by);
  if (query.limit) out += " LIMIT " + ToString(*query.limit);
  if (query.offset) out += " OFFSET " + ToString(*query.offset);
  return out;
}

}  // namespace laminar::sql
