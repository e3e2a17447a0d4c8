#pragma once

/// What the parser makes of a script: names and shapes as written, nothing resolved. Every node knows its
/// span.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "types/type.h"

namespace laminar::sql {

/// A name as written. `quoted` names match exactly only.
struct Identifier {
  std::string text;
  bool quoted = false;
  SourceSpan span;
};

struct Expr;
struct Query;
struct WindowSpec;
using ExprPtr = std::unique_ptr<Expr>;
using QueryPtr = std::unique_ptr<Query>;

enum class ExprKind {
  kName,  ///< `names`: a, t.a, s.f.g (which of them is relation, column or field is the binder's question)
  kStar,  ///< count(*), only as the sole function argument: `*`
  kNull,
  kBoolean,      ///< `flag`
  kNumber,       ///< `text`: digits as written, without `_`; may have a fraction or an exponent
  kString,       ///< `text`: unescaped
  kBinary,       ///< X'0AFF': `text` holds the raw bytes
  kTypedString,  ///< DATE '…', TIME '…', TIMESTAMP '…', TIMESTAMPTZ '…': `type`, `text`
  kInterval,     ///< `interval`
  kUnary,        ///< `text` is "-", "+" or "not"; args[0]
  kBinary2,  ///< `text` is the operator in lower case ("+", "and", "||", "->", "=" also for ==, "<>" also for
             ///< !=, "is_distinct_from", "is_not_distinct_from" also for <=>, "~*", "similar_to" …); args[0],
             ///< args[1]
  kFunction,  ///< `names.back()` is the name; args; `distinct`, `order_by`, `filter`, `over`, `within_group`,
              ///< `ignore_nulls`
  kCast,      ///< args[0], `type`; `flag`: TRY_CAST
  kCase,      ///< `flag`: has operand (args[0]); then pairs WHEN, THEN; `else_branch` or null
  kBetween,   ///< args[0] BETWEEN args[1] AND args[2]; `negated`; `flag`: SYMMETRIC
  kInList,    ///< args[0] IN (args[1…]); `negated`
  kInQuery,   ///< args[0] IN (`query`); `negated`
  kExists,    ///< EXISTS (`query`); `negated`
  kSubquery,  ///< scalar (`query`)
  kLike,    ///< args[0] LIKE args[1] [ESCAPE args[2]]; `text` is "like" or "ilike" or "similar_to"; `negated`
  kIsTest,  ///< args[0] IS [NOT] `text`: "null", "true", "false", "unknown", "json"; `negated`
  kSubscript,  ///< args[0] [ args[1] ]
  kSlice,      ///< args[0] [ args[1] : args[2] ]; either bound may be a null pointer
  kField,      ///< (args[0]).`names[0]`, also for names that follow a subscript or a call
  kArray,      ///< ARRAY[…] or […]: args
  kStruct,  ///< STRUCT(…) or ROW(…) or (a, b): args; `field_names` where given (`STRUCT(1 AS a)`), else empty
            ///< texts
  kMap,     ///< MAP {k: v, …}: args are k, v, k, v …
  kNamedArg,    ///< only as a function argument: JSON_OBJECT(KEY k VALUE v / k: v): args[0], args[1]
  kDescriptor,  ///< DESCRIPTOR(col) inside a table function: `names`
};

/// INTERVAL literal, exact: months, days and microseconds apart. `INTERVAL '5' MINUTE` is {0, 0, 300000000}.
struct IntervalValue {
  int32_t months = 0;
  int32_t days = 0;
  int64_t micros = 0;
};

struct OrderItem {
  ExprPtr expr;
  bool descending = false;
  std::optional<bool> nulls_first;  ///< as written; unset: last for ASC, first for DESC
};

enum class FrameUnit { kRows, kRange };
enum class FrameBoundKind { kUnboundedPreceding, kPreceding, kCurrentRow, kFollowing, kUnboundedFollowing };
struct FrameBound {
  FrameBoundKind kind = FrameBoundKind::kCurrentRow;
  ExprPtr offset;  ///< kPreceding, kFollowing
};

/// OVER (…) or a WINDOW clause entry. The short form `RANGE INTERVAL '1' HOUR PRECEDING` has end = CURRENT
/// ROW.
struct WindowSpec {
  SourceSpan span;
  std::optional<Identifier> base;  ///< OVER w, or OVER (w …)
  std::vector<ExprPtr> partition_by;
  std::vector<OrderItem> order_by;
  bool has_frame = false;
  FrameUnit unit = FrameUnit::kRange;
  FrameBound start;
  FrameBound end;
};

struct Expr {
  ExprKind kind;
  SourceSpan span;  ///< without brackets around the whole: in `(a + b) * c` the sum is `a + b`, the product
                    ///< all of it
  std::vector<ExprPtr> args;
  std::vector<Identifier> names;
  std::string text;
  bool flag = false;
  bool negated = false;
  Type type;
  IntervalValue interval;
  QueryPtr query;
  ExprPtr else_branch;
  std::vector<std::string> field_names;

  // kFunction only. Special forms arrive as plain calls: EXTRACT(f FROM x) → date_part('f', x); TRIM(BOTH c
  // FROM s) → btrim/ltrim/rtrim(s, c); SUBSTRING(s FROM a FOR b) → substring(s, a, b); POSITION(a IN s) →
  // strpos(s, a); OVERLAY(s PLACING r FROM a FOR b) → overlay(s, r, a, b); FLOOR(x TO f) → floor_to(x, 'f');
  // CEIL(x TO f) → ceil_to(x, 'f'); TIMESTAMPADD/TIMESTAMPDIFF/DATE_DIFF(unit, …) → first argument a string;
  // x AT TIME ZONE z → at_time_zone(x, z); CURRENT_TIMESTAMP, CURRENT_DATE, CURRENT_TIME, LOCALTIMESTAMP
  // without brackets → calls with no arguments; JSON_VALUE(… RETURNING T DEFAULT … ON EMPTY …) → `json`
  // below; GROUP_CONCAT(x SEPARATOR s) → one argument more.
  bool distinct = false;
  bool ignore_nulls = false;
  bool within_group = false;  ///< order_by came from WITHIN GROUP
  std::vector<OrderItem> order_by;
  ExprPtr filter;
  std::unique_ptr<WindowSpec> over;
  /// JSON_VALUE/JSON_QUERY/JSON_OBJECT clauses.
  struct JsonClauses {
    std::optional<Type> returning;
    bool wrapper = false;         ///< JSON_QUERY WITH WRAPPER
    bool absent_on_null = false;  ///< JSON_OBJECT/JSON_ARRAY
    bool error_on_empty = false;
    bool error_on_error = false;
    ExprPtr default_on_empty;
    ExprPtr default_on_error;
  };
  std::unique_ptr<JsonClauses> json;
};

// ---- queries
// ----------------------------------------------------------------------------------------------------

struct OptionAssignment {
  std::string name;  ///< as written, quotes removed: bootstrap_servers, tls.ca
  SourceSpan name_span;
  std::string value;  ///< text of the value: string content, number, true/false, identifier, `a,b` of an
                      ///< array, interval as '<n> microseconds'
  SourceSpan value_span;
};

struct SelectItem {
  SourceSpan span;
  bool star = false;
  std::optional<Identifier> star_table;                 ///< t.*
  std::vector<Identifier> except;                       ///< * EXCEPT (…) / EXCLUDE (…)
  std::vector<std::pair<ExprPtr, Identifier>> replace;  ///< * REPLACE (expr AS name)
  ExprPtr expr;                                         ///< unless star
  std::optional<Identifier> alias;
};

struct ColumnDefinition {
  Identifier name;
  std::optional<Type> type;  ///< missing only for `name AS expr`
  SourceSpan type_span;
  bool not_null = false;
  bool primary_key = false;
  bool metadata = false;
  std::string metadata_key;  ///< empty: the column's name
  ExprPtr computed;          ///< GENERATED ALWAYS AS (…) / AS …
  bool virtual_column = false;
  std::string comment;
};

enum class TableFunctionKind { kTumble, kHop, kSession, kCumulate };
enum class JoinKind { kInner, kLeft, kRight, kFull, kSemi, kAnti, kCross };

enum class TableKind {
  kNamed,   ///< `name`, maybe with inline `columns` and `options`
  kQuery,   ///< (query) [AS] alias [(columns)]
  kValues,  ///< (VALUES …): the query is a VALUES list
  kWindow,  ///< TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), …)) or FROM TUMBLE(TABLE t, …)
  kUnnest,  ///< UNNEST(expr)
  kJoin,
};

struct TableRef;
using TableRefPtr = std::unique_ptr<TableRef>;

struct TableRef {
  TableKind kind;
  SourceSpan span;
  std::optional<Identifier> alias;
  std::vector<Identifier> column_aliases;

  Identifier name;                    ///< kNamed
  std::vector<Identifier> qualifier;  ///< kNamed: system.tables has qualifier [system]
  bool has_options = false;           ///< kNamed: WITH (…) follows
  std::vector<OptionAssignment> options;
  std::vector<ColumnDefinition> columns;       ///< kNamed: inline (cols…) before WITH
  std::optional<Identifier> watermark_column;  ///< kNamed: inline WATERMARK FOR
  ExprPtr watermark_expr;
  ExprPtr as_of;  ///< FOR SYSTEM_TIME AS OF expr

  QueryPtr query;  ///< kQuery, kValues

  TableFunctionKind function = TableFunctionKind::kTumble;  ///< kWindow
  TableRefPtr input;                  ///< kWindow: the TABLE argument (kNamed or kQuery)
  std::vector<ExprPtr> partition_by;  ///< kWindow: SESSION(TABLE t PARTITION BY k …)
  ExprPtr descriptor;                 ///< kWindow
  std::vector<ExprPtr> sizes;         ///< kWindow: the lengths in the order written, then the offset; lengths
                               ///< given by name are put in that order: slide or step, size or gap, offset

  ExprPtr unnest;  ///< kUnnest
  bool with_ordinality = false;

  JoinKind join = JoinKind::kInner;  ///< kJoin
  bool comma = false;                ///< kJoin: FROM a, b
  bool natural = false;
  TableRefPtr left;
  TableRefPtr right;
  ExprPtr on;  ///< null for comma, CROSS, USING
  std::vector<Identifier> using_columns;
};

struct Select {
  SourceSpan span;
  bool distinct = false;
  std::vector<SelectItem> items;
  TableRefPtr from;  ///< null: SELECT 1
  ExprPtr where;
  std::vector<ExprPtr> group_by;
  ExprPtr having;
  std::vector<std::pair<Identifier, std::unique_ptr<WindowSpec>>> windows;  ///< WINDOW w AS (…)
  ExprPtr qualify;
};

enum class SetOperation { kUnionAll, kUnion, kIntersect, kExcept };

/// One of: a SELECT, a VALUES list, or a set operation over two queries; with WITH, ORDER BY and LIMIT around
/// it.
struct Query {
  SourceSpan span;
  struct Cte {
    Identifier name;
    std::vector<Identifier> columns;
    QueryPtr query;
  };
  std::vector<Cte> with;
  std::unique_ptr<Select> select;
  std::vector<std::vector<ExprPtr>> values;
  SetOperation operation = SetOperation::kUnionAll;
  QueryPtr left;
  QueryPtr right;
  std::vector<OrderItem> order_by;
  ExprPtr limit;
  ExprPtr offset;
};

// ---- statements
// -------------------------------------------------------------------------------------------------

enum class StatementKind {
  kCreateTable,
  kCreateView,
  kCreatePipeline,  ///< `inner` holds the INSERT or query
  kCreateFunction,  ///< parameters in `columns`, language in `object_kind` (empty: not said), body in `value`
  kInsert,
  kQuery,
  kSet,      ///< `name.text` = `value`; `flag`: RESET (of ALL, too)
  kExplain,  ///< `inner`; `explain_mode`
  kDrop,
  kShow,
  kDescribe,
  kOther,  ///< UPDATE, DELETE, MERGE, BEGIN …: `name.text` is the word; answered with UNSUPPORTED. START and
           ///< STOP: `object_kind` "pipeline", its name in `value`, WITH mode as the option `mode`
};

enum class ExplainMode { kText, kVerbose, kJson };

struct Statement {
  StatementKind kind;
  SourceSpan span;  ///< without the semicolon
  Identifier name;
  bool if_not_exists = false;
  bool or_replace = false;
  bool temporary = false;
  bool flag = false;  ///< kSet: RESET; kDrop: IF EXISTS

  // CREATE TABLE
  bool has_columns = false;
  std::vector<ColumnDefinition> columns;
  std::vector<Identifier> primary_key;
  struct Watermark {
    Identifier column;
    ExprPtr expr;  ///< null: WATERMARK FOR col
    SourceSpan span;
  };
  std::vector<Watermark> watermarks;  ///< more than one is the binder's error
  bool has_options = false;
  std::vector<OptionAssignment> options;  ///< also CREATE PIPELINE … WITH
  std::vector<ExprPtr> partitioned_by;

  // CREATE VIEW, INSERT: column list. INSERT, CREATE TABLE AS, views, queries: the query.
  std::vector<Identifier> column_list;
  QueryPtr query;

  // CREATE FUNCTION
  std::optional<Type> returns;
  SourceSpan returns_span;
  SourceSpan language_span;
  std::string volatility;    ///< immutable, stable, volatile; empty: not said
  bool strict = false;       ///< STRICT: as if every parameter were NOT NULL
  int64_t body_offset = -1;  ///< where `value` begins in the script; −1: it does not stand there as it is

  std::unique_ptr<Statement> inner;
  std::string value;
  SourceSpan value_span;
  ExplainMode explain_mode = ExplainMode::kText;
  std::string object_kind;  ///< DROP, SHOW: "table", "view", "pipeline" …; SHOW CREATE TABLE: "create table"
};

}  // namespace laminar::sql
