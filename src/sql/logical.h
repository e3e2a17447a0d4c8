#pragma once

/// The logical plan: what the binder makes, the rules rewrite and the physical planner turns into a JobGraph.
/// Nodes are immutable once built and may be shared (a view used twice), so a plan is a DAG.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "functions/aggregate.h"
#include "functions/expression.h"
#include "sql/ast.h"
#include "types/type.h"

namespace laminar::sql {

struct TableDefinition;

struct PlanColumn {
  std::string name;
  Type type;
  bool nullable = true;
  bool hidden = false;  ///< carried for its row time or window only: no name finds it, `*` leaves it out
};

enum class WindowKind { kTumble, kHop, kSession, kCumulate };

/// A window definition with fixed lengths in microseconds.
struct WindowDefinition {
  WindowKind kind = WindowKind::kTumble;
  int64_t size_us = 0;   ///< SESSION: the gap
  int64_t slide_us = 0;  ///< HOP: the slide; CUMULATE: the step; TUMBLE: equal to size
  int64_t offset_us = 0;
  bool processing_time = false;
  std::string ToString() const;
  friend bool operator==(const WindowDefinition&, const WindowDefinition&) = default;
};

/// Says that each row of a stream belongs to one window, and that columns hold its bounds.
struct WindowProperty {
  WindowDefinition definition;
  std::vector<int> start_columns;  ///< columns that equal the window's start
  std::vector<int> end_columns;
  std::vector<int> struct_columns;  ///< columns that equal STRUCT(start, end)
  std::vector<int> time_columns;    ///< columns that equal window_time: end − 1 ms
  /// A row stands for its whole window: its row time is end − 1 µs. False: the row has a time of its own.
  bool whole = false;
};

/// Columns and properties of the stream that a node makes.
struct PlanSchema {
  std::vector<PlanColumn> columns;
  int row_time = -1;              ///< column of the row time; −1: none
  bool default_row_time = false;  ///< row time is arrival/metadata time because the table declares none
  bool changelog = false;         ///< rows may carry weight −1
  bool bounded = false;
  std::optional<WindowProperty> window;
  std::vector<int> processing_time;  ///< columns that hold PROCTIME()
  std::vector<int>
      key;  ///< columns that identify a row of a changelog (primary or group key); empty: whole row
  bool one_row = false;  ///< a changelog of at most one row, as of a global aggregate

  int num_columns() const { return static_cast<int>(columns.size()); }
  Schema ToSchema() const;
};

enum class NodeKind {
  kScan,
  kValues,
  kProject,
  kFilter,
  kUnnest,
  kUnion,
  kWatermark,
  kWindowAssign,
  kAggregate,
  kWindowAggregate,
  kDistinct,
  kJoin,
  kIntervalJoin,
  kWindowJoin,
  kOver,
  kTopN,
  kSort,
  kLimit,
  kSink,
};

struct LogicalNode;
using NodePtr = std::shared_ptr<const LogicalNode>;

struct AggregateCall {
  std::string name;  ///< canonical, for explain and ids
  std::shared_ptr<const AggregateFunction> function;
  std::vector<ExpressionPtr> args;  ///< over the input
  std::vector<ExpressionPtr> order_args;
  std::vector<SortColumn> order;  ///< [order_args]
  ExpressionPtr filter;           ///< null: all rows
  bool distinct = false;
  std::string ToString() const;
};

enum class OverKind {
  kAggregate,
  kRowNumber,
  kRank,
  kDenseRank,
  kPercentRank,
  kCumeDist,
  kNtile,
  kLag,
  kLead,
  kFirstValue,
  kLastValue,
  kNthValue
};

/// One function of an OVER clause; all functions of a node share partition, order and frame.
struct OverCall {
  OverKind kind = OverKind::kAggregate;
  AggregateCall aggregate;          ///< kAggregate
  std::vector<ExpressionPtr> args;  ///< others: value [, offset literal [, default]]
  bool ignore_nulls = false;
  int64_t offset = 1;  ///< LAG, LEAD, NTH_VALUE, NTILE
  Type type;
  std::string ToString() const;
};

struct Frame {
  bool rows = false;                 ///< ROWS, else RANGE
  std::optional<int64_t> preceding;  ///< rows or microseconds; nullopt: UNBOUNDED
  bool whole_partition = false;      ///< no ORDER BY: the frame is the whole partition
  bool start_current_row = false;    ///< starts at the current row (or its peers)
};

struct OrderKey {
  ExpressionPtr expr;
  SortColumn sort;
};

/// Stands in a bound expression for what only exists after a later node (an aggregate, an OVER function, the
/// window of the GROUP BY); replaced before the plan is done, never evaluated.
class PlaceholderExpression final : public Expression {
 public:
  enum class What { kAggregate, kOver, kWindow };
  PlaceholderExpression(What what, int index, std::string text, Type type)
      : Expression(std::move(type)), what_(what), index_(index), text_(std::move(text)) {}
  What what() const { return what_; }
  int index() const { return index_; }
  arrow::Result<arrow::Datum> Evaluate(const Batch& rows, const EvalContext& context) const override;
  std::string ToString() const override { return text_; }
  ExpressionPtr WithChildren(std::vector<ExpressionPtr>) const override {
    return std::make_shared<PlaceholderExpression>(what_, index_, text_, type());
  }
  Volatility volatility() const override { return Volatility::kVolatile; }

 private:
  What what_;
  int index_;
  std::string text_;
};

/// Rebuilds an expression top-down: where `replace` gives something, that stands in place of the subtree.
ExpressionPtr Rewrite(const ExpressionPtr& expression,
                      const std::function<ExpressionPtr(const ExpressionPtr&)>& replace);
/// All column indices that the expression reads, added to `out`.
void CollectColumns(const Expression& expression, std::vector<int>* out);
/// Adds `by` to every column index.
ExpressionPtr ShiftColumns(const ExpressionPtr& expression, int by);
/// Columns renumbered: old index i becomes map[i].
ExpressionPtr RemapColumns(const ExpressionPtr& expression, const std::vector<int>& map);
/// Column `index` of `schema` as an expression, and back: −1 when the expression is not a plain column.
ExpressionPtr ColumnOf(const PlanSchema& schema, int index);
int ColumnIndex(const ExpressionPtr& expression);
/// A fixed length of time.
ExpressionPtr IntervalLiteral(int64_t us);
/// A window's window_time is so long before its end.
inline constexpr int64_t kWindowTimeUs = 1000;
/// The length of an INTERVAL literal without months, in whole microseconds; nullopt for all else.
std::optional<int64_t> FixedIntervalUs(const ExpressionPtr& expression);
/// The TIMESTAMP without casts that change no microsecond of it.
ExpressionPtr WithoutTimeCasts(ExpressionPtr time);
bool Contains(const std::vector<int>& columns, int column);
/// Which part of its rows' window an expression over `schema` is.
enum class WindowPart { kNone, kStruct, kStart, kEnd, kTime };
WindowPart PartOfWindow(const ExpressionPtr& expression, const PlanSchema& schema);
/// `a AND b AND c` as its parts.
void SplitConjuncts(const ExpressionPtr& predicate, std::vector<ExpressionPtr>* out);
ExpressionPtr JoinConjuncts(const std::vector<ExpressionPtr>& parts);  ///< null pointer for none

/// Equality condition of a join, each side over its own input's columns.
struct JoinKey {
  ExpressionPtr left;
  ExpressionPtr right;
};

struct LogicalNode {
  NodeKind kind;
  std::vector<NodePtr> inputs;
  PlanSchema schema;
  SourceSpan span;  ///< where in the script

  // kScan: `table` columns as declared, computed ones are a Project above.
  std::shared_ptr<const TableDefinition> table;

  // kValues: rows of literals.
  std::vector<std::vector<ExpressionPtr>> rows;

  // kProject: one per column of `schema`. kFilter: `predicate`.
  std::vector<ExpressionPtr> exprs;
  ExpressionPtr predicate;

  // kUnnest: the array; its elements become the last column of `schema`.
  ExpressionPtr array;

  // kWatermark: generates watermarks from column `time_column`: max of `watermark` when set, else time −
  // delay.
  int time_column = -1;
  ExpressionPtr watermark;
  int64_t delay_us = 0;

  // kWindowAssign, kWindowAggregate: the window over `time_column`. kWindowAggregate without a definition of
  // its own
  // (`window_from_columns`) groups by the incoming window.
  WindowDefinition window;
  bool window_from_columns = false;

  // kAggregate, kWindowAggregate: output = group columns, calls; kWindowAggregate then window_start,
  // window_end.
  std::vector<ExpressionPtr> groups;
  std::vector<AggregateCall> calls;

  // Joins: output = left columns, right columns (semi and anti: left only).
  JoinKind join = JoinKind::kInner;
  std::vector<JoinKey> keys;
  ExpressionPtr residual;  ///< over left ++ right columns; null: none
  /// kIntervalJoin: bounds of right row time − left row time. Without one, the residual holds it, and a row
  /// is kept until the watermark passes `…_keep_until` (over its own side's columns).
  std::optional<int64_t> lower_us;
  std::optional<int64_t> upper_us;
  ExpressionPtr left_keep_until;
  ExpressionPtr right_keep_until;

  // kOver, kTopN, kSort, kDistinct
  std::vector<ExpressionPtr> partition_by;
  std::vector<OrderKey> order_by;
  std::vector<OverCall> over_calls;
  Frame frame;
  bool per_window = false;                    ///< computed when the window closes
  OverKind rank_kind = OverKind::kRowNumber;  ///< kTopN
  int64_t rank_from = 1;
  int64_t rank_to = 0;
  bool emit_rank = false;  ///< kTopN: the rank is the last column

  // kLimit
  int64_t limit = -1;  ///< −1: none
  int64_t offset = 0;

  // kSink: `table` (null: the preview).
};

/// A length of time in its largest whole unit: 10s, 1h.
std::string DurationText(int64_t us);
/// One line per node, children indented: the logical plan of explain.
std::string ToString(const LogicalNode& node, int indent = 0);
/// What the node does, in one line without its inputs.
std::string DescribeNode(const LogicalNode& node);
std::string_view NodeKindName(NodeKind kind);

}  // namespace laminar::sql
