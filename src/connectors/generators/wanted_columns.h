#pragma once

/// What the plan of a generated table reads, against what the connector can make.

#include <string>
#include <vector>

#include "connectors/connector.h"

namespace laminar {

/// For each column of the table its index in `implied`. Throws UserError(kSchemaMismatch) for a column that
/// is not there or has another type; a STRUCT may lack fields (they were pruned), in any order.
std::vector<int> WantedColumns(const TableSpec& table, const Schema& implied);

/// A plan of rows (table's columns, event_time TIMESTAMP): the last one is the row time. Without `make` and
/// `bounded`.
SourcePlan GeneratedPlan(const TableSpec& table);

/// The rate option `name`; throws UserError(kBadOption) when it is negative.
double RateOf(const TableSpec& table, const std::string& name);

}  // namespace laminar
