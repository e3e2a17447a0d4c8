#pragma once

/// Tables for connector tests: options through the real reader.

#include <string>
#include <utility>
#include <vector>

#include "connectors/options_reader.h"
#include "connectors/register_connectors.h"
#include "connectors/test_formats.h"

namespace laminar {

inline const Connector& ConnectorNamed(const std::string& id) {
  static const ConnectorRegistry registry = [] {
    ConnectorRegistry all;
    RegisterAllConnectors(all);
    return all;
  }();
  const Connector* connector = registry.Find(id);
  LAMINAR_CHECK(connector != nullptr, "no connector " + id);
  return *connector;
}

/// Throws the first of the options' errors.
inline TableSpec TableOf(const std::string& connector,
                         const std::vector<std::pair<std::string, std::string>>& options, TableKind kind,
                         Schema columns = {{{"n", Type::Int64()}}}) {
  std::vector<RawOption> raw;
  for (const auto& [name, value] : options) raw.push_back({name, value});
  TableOptions read = ReadTableOptions(raw, ConnectorNamed(connector).info(), TestFormats(), {}, kind);
  if (!read.errors.empty()) throw read.errors.front();
  TableSpec table;
  table.name = "t";
  table.options = std::move(read.options);
  table.format = read.format;
  table.format_spec = std::move(read.format_spec);
  table.columns = std::move(columns);
  return table;
}

inline SourcePlan PlanSourceOf(const std::string& connector,
                               const std::vector<std::pair<std::string, std::string>>& options,
                               Schema columns = {{{"n", Type::Int64()}}}) {
  return ConnectorNamed(connector).PlanSource(
      TableOf(connector, options, TableKind::kSource, std::move(columns)));
}

inline SinkPlan PlanSinkOf(const std::string& connector,
                           const std::vector<std::pair<std::string, std::string>>& options,
                           Schema columns = {{{"n", Type::Int64()}}}) {
  return ConnectorNamed(connector).PlanSink(
      TableOf(connector, options, TableKind::kSink, std::move(columns)));
}

}  // namespace laminar
