#include "connectors/generators/wanted_columns.h"

namespace laminar {

namespace {

/// Whether `wanted` can be had from `made`: equal but for missing fields of STRUCTs.
bool CanMake(const Type& made, const Type& wanted) {
  if (made.id() != TypeId::kStruct || wanted.id() != TypeId::kStruct) return made == wanted;
  for (const Field& field : wanted.fields()) {
    const int index = made.FieldIndex(field.name);
    if (index < 0 || !CanMake(made.fields()[static_cast<size_t>(index)].type, field.type)) return false;
  }
  return true;
}

}  // namespace

std::vector<int> WantedColumns(const TableSpec& table, const Schema& implied) {
  std::vector<int> columns;
  for (const Field& field : table.columns.fields) {
    const int index = implied.IndexOf(field.name);
    if (index < 0) {
      throw UserError(Reason::kSchemaMismatch, {},
                      "table '" + table.name + "' has no column '" + field.name + "'; its connector makes " +
                          implied.ToString());
    }
    const Field& made = implied.fields[static_cast<size_t>(index)];
    if (!CanMake(made.type, field.type)) {
      throw UserError(Reason::kSchemaMismatch, {},
                      "column '" + field.name + "' of '" + table.name + "' is " + made.type.ToString() +
                          ", not " + field.type.ToString());
    }
    columns.push_back(index);
  }
  return columns;
}

SourcePlan GeneratedPlan(const TableSpec& table) {
  SourcePlan plan;
  plan.emits = SourcePlan::Emits::kRows;
  plan.schema = table.columns;
  plan.default_event_time = plan.schema.num_columns();
  plan.schema.fields.push_back({"event_time", Type::Timestamp(), false});
  return plan;
}

double RateOf(const TableSpec& table, const std::string& name) {
  const double rate = table.options.Double(name);
  if (rate >= 0) return rate;
  throw UserError(
      Reason::kBadOption, table.options.span(name),
      "option '" + name + "': '" + table.options.Text(name) + "' is negative; 0 means without limit");
}

}  // namespace laminar
