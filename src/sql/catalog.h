#pragma once

/// Tables and views of one script, as declared.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/connector.h"
#include "sql/ast.h"
#include "types/type.h"

namespace laminar::sql {

enum class TableRole { kSource, kSink, kLookup, kMemory };

/// What to do with a record that does not decode, or whose event time is NULL.
enum class BadData { kFail, kDrop, kDeadLetter };

struct ComputedColumn {
  std::string name;
  std::optional<Type> type;
  const Expr* expr = nullptr;  ///< owned by the script
  SourceSpan span;
};

struct MetadataReference {
  std::string name;  ///< of the column
  std::string key;   ///< of the connector
  Type type;
};

/// A table as the script declares it. Immutable once made, but for `spec.columns` of a schema-less sink.
struct TableDefinition {
  std::string name;
  SourceSpan span;
  std::optional<TableRole> role;         ///< nullopt: decided by its first use
  const Connector* connector = nullptr;  ///< null: memory table
  TableSpec spec;                        ///< physical columns, options, format
  std::vector<MetadataReference> metadata;
  std::vector<ComputedColumn> computed;
  /// All columns in declared order: index into physical (kind 0), metadata (1) or computed (2).
  struct ColumnSlot {
    int kind;
    int index;
  };
  std::vector<ColumnSlot> order;

  /// Rows of a script's own table or a test's input: what was inserted is read back.
  bool test_input = false;
  bool implied = false;             ///< columns come from the connector
  bool open = false;                ///< no schema known: one JSON column `value`, names reach into it
  bool schema_from_insert = false;  ///< sink without columns

  // Event time (docs/sql.md "Event time"). Names are columns of the table.
  SourceSpan event_time_span;       ///< of the WATERMARK clause's column
  std::string event_time;           ///< empty: the connector's default
  const Expr* watermark = nullptr;  ///< WATERMARK FOR ts AS expr
  bool has_watermark_clause = false;
  std::string watermark_field;
  int64_t watermark_delay_us = 1'000'000;
  int64_t idle_time_us = 300'000'000;
  BadData bad_data = BadData::kFail;
  std::string dead_letter;
  std::shared_ptr<const TableDefinition> dead_letter_table;  ///< resolved at the end of the script
  double rate_limit = 0;
};

}  // namespace laminar::sql
