#include "sql/logical.h"

#include <arrow/datum.h>
#include <arrow/scalar.h>

#include <algorithm>

#include "functions/cast_expression.h"
#include "sql/catalog.h"

namespace laminar::sql {

arrow::Result<arrow::Datum> PlaceholderExpression::Evaluate(const Batch&, const EvalContext&) const {
  return arrow::Status::Invalid("internal: placeholder ", text_, " was not replaced");
}

std::string DurationText(int64_t us) {
  struct Unit {
    int64_t us;
    const char* name;
  };
  static constexpr Unit kUnits[] = {
      {86'400'000'000, "d"}, {3'600'000'000, "h"}, {60'000'000, "m"}, {1'000'000, "s"}, {1'000, "ms"}};
  for (const Unit& unit : kUnits) {
    if (us != 0 && us % unit.us == 0) return std::to_string(us / unit.us) + unit.name;
  }
  return std::to_string(us) + "us";
}

std::string WindowDefinition::ToString() const {
  std::string out;
  switch (kind) {
    case WindowKind::kTumble:
      out = "tumble(" + DurationText(size_us);
      break;
    case WindowKind::kHop:
      out = "hop(" + DurationText(slide_us) + ", " + DurationText(size_us);
      break;
    case WindowKind::kSession:
      out = "session(" + DurationText(size_us);
      break;
    case WindowKind::kCumulate:
      out = "cumulate(" + DurationText(slide_us) + ", " + DurationText(size_us);
      break;
  }
  if (offset_us != 0) out += ", offset " + DurationText(offset_us);
  if (processing_time) out += ", processing time";
  return out + ")";
}

Schema PlanSchema::ToSchema() const {
  Schema out;
  for (const PlanColumn& column : columns) out.fields.push_back({column.name, column.type, column.nullable});
  return out;
}

namespace {

std::string JoinTexts(const std::vector<ExpressionPtr>& exprs) {
  std::string out;
  for (const ExpressionPtr& expr : exprs) {
    if (!out.empty()) out += ", ";
    out += expr->ToString();
  }
  return out;
}

}  // namespace

std::string AggregateCall::ToString() const {
  std::string out = name + "(" + (distinct ? "distinct " : "") + JoinTexts(args);
  for (size_t i = 0; i < order_args.size(); ++i) {
    out += (i ? ", " : " order by ") + order_args[i]->ToString() + (order[i].descending ? " desc" : "");
    if (order[i].nulls_first != order[i].descending)
      out += order[i].nulls_first ? " nulls first" : " nulls last";
  }
  out += ")";
  if (filter) out += " filter " + filter->ToString();
  return out;
}

std::string OverCall::ToString() const {
  static constexpr const char* kNames[] = {"",           "row_number", "rank", "dense_rank", "percent_rank",
                                           "cume_dist",  "ntile",      "lag",  "lead",       "first_value",
                                           "last_value", "nth_value"};
  if (kind == OverKind::kAggregate) return aggregate.ToString();
  std::string out = std::string(kNames[static_cast<int>(kind)]) + "(" + JoinTexts(args);
  if (kind == OverKind::kLag || kind == OverKind::kLead || kind == OverKind::kNthValue ||
      kind == OverKind::kNtile) {
    out += (args.empty() ? "" : ", ") + std::to_string(offset);
  }
  return out + (ignore_nulls ? " ignore nulls)" : ")");
}

std::string_view NodeKindName(NodeKind kind) {
  switch (kind) {
    case NodeKind::kScan:
      return "scan";
    case NodeKind::kValues:
      return "values";
    case NodeKind::kProject:
      return "project";
    case NodeKind::kFilter:
      return "filter";
    case NodeKind::kUnnest:
      return "unnest";
    case NodeKind::kUnion:
      return "union_all";
    case NodeKind::kWatermark:
      return "watermark";
    case NodeKind::kWindowAssign:
      return "window_assign";
    case NodeKind::kAggregate:
      return "aggregate";
    case NodeKind::kWindowAggregate:
      return "window_aggregate";
    case NodeKind::kDistinct:
      return "distinct";
    case NodeKind::kJoin:
      return "join";
    case NodeKind::kIntervalJoin:
      return "interval_join";
    case NodeKind::kWindowJoin:
      return "window_join";
    case NodeKind::kOver:
      return "over";
    case NodeKind::kTopN:
      return "top_n";
    case NodeKind::kSort:
      return "sort";
    case NodeKind::kLimit:
      return "limit";
    case NodeKind::kSink:
      return "sink";
  }
  return "?";
}

namespace {

std::string OrderText(const std::vector<OrderKey>& order) {
  std::string out;
  for (const OrderKey& key : order) {
    if (!out.empty()) out += ", ";
    out += key.expr->ToString() + (key.sort.descending ? " desc" : "");
    if (key.sort.nulls_first != key.sort.descending)
      out += key.sort.nulls_first ? " nulls first" : " nulls last";
  }
  return out;
}

const char* JoinKindText(JoinKind kind) {
  switch (kind) {
    case JoinKind::kInner:
      return "inner";
    case JoinKind::kLeft:
      return "left";
    case JoinKind::kRight:
      return "right";
    case JoinKind::kFull:
      return "full";
    case JoinKind::kSemi:
      return "semi";
    case JoinKind::kAnti:
      return "anti";
    case JoinKind::kCross:
      return "cross";
  }
  return "?";
}

std::string CallTexts(const std::vector<AggregateCall>& calls) {
  std::string out;
  for (const AggregateCall& call : calls) {
    if (!out.empty()) out += ", ";
    out += call.ToString();
  }
  return out;
}

}  // namespace

std::string DescribeNode(const LogicalNode& node) {
  std::string out(NodeKindName(node.kind));
  auto add = [&out](const std::string& label, const std::string& text) {
    if (!text.empty()) out += " " + label + "[" + text + "]";
  };
  switch (node.kind) {
    case NodeKind::kScan:
    case NodeKind::kSink:
      out += " " + (node.table ? node.table->name : "preview");
      break;
    case NodeKind::kValues:
      out += " " + std::to_string(node.rows.size()) + " rows";
      break;
    case NodeKind::kProject:
      add("", JoinTexts(node.exprs));
      break;
    case NodeKind::kFilter:
      add("", node.predicate->ToString());
      break;
    case NodeKind::kUnnest:
      add("", node.array->ToString());
      break;
    case NodeKind::kWatermark:
      out += " " + node.schema.columns[node.time_column].name;
      break;
    case NodeKind::kWindowAssign:
      out += " " + node.window.ToString();
      break;
    case NodeKind::kAggregate:
    case NodeKind::kWindowAggregate:
      if (node.kind == NodeKind::kWindowAggregate) {
        out += " " + (node.window_from_columns ? "same window as input" : node.window.ToString());
      }
      add("keys", JoinTexts(node.groups));
      add("calls", CallTexts(node.calls));
      break;
    case NodeKind::kJoin:
    case NodeKind::kIntervalJoin:
    case NodeKind::kWindowJoin: {
      out += std::string(" ") + JoinKindText(node.join);
      std::string keys;
      for (const JoinKey& key : node.keys)
        keys += (keys.empty() ? "" : ", ") + key.left->ToString() + " = " + key.right->ToString();
      add("on", keys);
      if (node.lower_us || node.upper_us) {
        add("apart", (node.lower_us ? DurationText(*node.lower_us) : "") + ".." +
                         (node.upper_us ? DurationText(*node.upper_us) : ""));
      }
      if (node.residual) add("and", node.residual->ToString());
      break;
    }
    case NodeKind::kDistinct:
      add("keys", JoinTexts(node.partition_by));
      break;
    case NodeKind::kOver: {
      std::string calls;
      for (const OverCall& call : node.over_calls) calls += (calls.empty() ? "" : ", ") + call.ToString();
      add("", calls);
      add("partition", JoinTexts(node.partition_by));
      add("order", OrderText(node.order_by));
      break;
    }
    case NodeKind::kTopN:
      out += " " + std::to_string(node.rank_from) + ".." + std::to_string(node.rank_to);
      add("partition", JoinTexts(node.partition_by));
      add("order", OrderText(node.order_by));
      break;
    case NodeKind::kSort:
      add("order", OrderText(node.order_by));
      break;
    case NodeKind::kLimit:
      out += " " + std::to_string(node.limit) + " offset " + std::to_string(node.offset);
      break;
    default:
      break;
  }
  if (node.per_window) out += " per window";
  return out;
}

std::string ToString(const LogicalNode& node, int indent) {
  std::string out(static_cast<size_t>(indent) * 2, ' ');
  out += DescribeNode(node);
  out += node.schema.changelog ? "  (changelog" : "  (append-only";
  if (node.schema.row_time >= 0) out += ", row time " + node.schema.columns[node.schema.row_time].name;
  if (node.schema.window) out += ", " + node.schema.window->definition.ToString();
  out += ")\n";
  for (const NodePtr& input : node.inputs) out += ToString(*input, indent + 1);
  return out;
}

ExpressionPtr Rewrite(const ExpressionPtr& expression,
                      const std::function<ExpressionPtr(const ExpressionPtr&)>& replace) {
  if (ExpressionPtr replacement = replace(expression)) return replacement;
  std::vector<ExpressionPtr> children = expression->children();
  if (children.empty()) return expression;
  bool changed = false;
  for (ExpressionPtr& child : children) {
    ExpressionPtr rewritten = Rewrite(child, replace);
    changed = changed || rewritten != child;
    child = std::move(rewritten);
  }
  return changed ? expression->WithChildren(std::move(children)) : expression;
}

void CollectColumns(const Expression& expression, std::vector<int>* out) {
  if (const auto* column = dynamic_cast<const ColumnExpression*>(&expression))
    out->push_back(column->index());
  for (const ExpressionPtr& child : expression.children()) CollectColumns(*child, out);
}

ExpressionPtr ShiftColumns(const ExpressionPtr& expression, int by) {
  if (by == 0) return expression;
  return Rewrite(expression, [by](const ExpressionPtr& e) -> ExpressionPtr {
    const auto* column = dynamic_cast<const ColumnExpression*>(e.get());
    return column ? MakeColumn(column->index() + by, column->name(), column->type()) : nullptr;
  });
}

ExpressionPtr RemapColumns(const ExpressionPtr& expression, const std::vector<int>& map) {
  return Rewrite(expression, [&map](const ExpressionPtr& e) -> ExpressionPtr {
    const auto* column = dynamic_cast<const ColumnExpression*>(e.get());
    return column ? MakeColumn(map[column->index()], column->name(), column->type()) : nullptr;
  });
}

bool Contains(const std::vector<int>& columns, int column) {
  return std::find(columns.begin(), columns.end(), column) != columns.end();
}

int ColumnIndex(const ExpressionPtr& expression) {
  const auto* column = dynamic_cast<const ColumnExpression*>(expression.get());
  return column ? column->index() : -1;
}

WindowPart PartOfWindow(const ExpressionPtr& expression, const PlanSchema& schema) {
  if (!schema.window) return WindowPart::kNone;
  const WindowProperty& window = *schema.window;
  if (const int column = ColumnIndex(expression); column >= 0) {
    if (Contains(window.struct_columns, column)) return WindowPart::kStruct;
    if (Contains(window.start_columns, column)) return WindowPart::kStart;
    if (Contains(window.end_columns, column)) return WindowPart::kEnd;
    if (Contains(window.time_columns, column)) return WindowPart::kTime;
    return WindowPart::kNone;
  }
  if (const auto* field = dynamic_cast<const FieldExpression*>(expression.get())) {
    if (PartOfWindow(field->input(), schema) == WindowPart::kStruct) {
      return field->field() == 0 ? WindowPart::kStart : WindowPart::kEnd;
    }
    return WindowPart::kNone;
  }
  if (expression->type().is_window() && expression->children().size() == 2 &&
      PartOfWindow(expression->children()[0], schema) == WindowPart::kStart &&
      PartOfWindow(expression->children()[1], schema) == WindowPart::kEnd) {
    return WindowPart::kStruct;
  }
  const auto* call = dynamic_cast<const CallExpression*>(expression.get());
  if (call && call->name() == "-" && call->children().size() == 2 &&
      PartOfWindow(call->children()[0], schema) == WindowPart::kEnd &&
      call->children()[1]->ToString() == IntervalLiteral(kWindowTimeUs)->ToString()) {
    return WindowPart::kTime;
  }
  return WindowPart::kNone;
}

ExpressionPtr ColumnOf(const PlanSchema& schema, int index) {
  return MakeColumn(index, schema.columns[index].name, schema.columns[index].type);
}

ExpressionPtr IntervalLiteral(int64_t us) {
  arrow::MonthDayNanoIntervalType::MonthDayNanos value{0, 0, us * 1000};
  return MakeLiteral(std::make_shared<arrow::MonthDayNanoIntervalScalar>(value), Type::Interval());
}

std::optional<int64_t> FixedIntervalUs(const ExpressionPtr& expression) {
  const auto* literal = dynamic_cast<const LiteralExpression*>(expression.get());
  if (!literal || literal->type().id() != TypeId::kInterval || !literal->value()->is_valid)
    return std::nullopt;
  const auto value = static_cast<const arrow::MonthDayNanoIntervalScalar&>(*literal->value()).value;
  if (value.months != 0 || value.nanoseconds % 1000 != 0) return std::nullopt;
  return value.days * int64_t{86'400'000'000} + value.nanoseconds / 1000;
}

ExpressionPtr WithoutTimeCasts(ExpressionPtr time) {
  while (const auto* cast = dynamic_cast<const CastExpression*>(time.get())) {
    const Type &from = cast->input()->type(), &to = cast->type();
    if (from.id() != TypeId::kTimestamp || to.id() != TypeId::kTimestamp) break;
    if (from.precision() > to.precision() || to.precision() > 6) break;
    time = ExpressionPtr(cast->input());
  }
  return time;
}

void SplitConjuncts(const ExpressionPtr& predicate, std::vector<ExpressionPtr>* out) {
  const auto* logical = dynamic_cast<const LogicalExpression*>(predicate.get());
  if (logical && logical->kind() == LogicalExpression::Kind::kAnd) {
    for (const ExpressionPtr& child : logical->children()) SplitConjuncts(child, out);
  } else {
    out->push_back(predicate);
  }
}

ExpressionPtr JoinConjuncts(const std::vector<ExpressionPtr>& parts) {
  ExpressionPtr out;
  for (const ExpressionPtr& part : parts) out = out ? MakeAnd(out, part) : part;
  return out;
}

}  // namespace laminar::sql
