// GROUP BY, window functions and OVER.
//
// The expressions of a SELECT are bound once over its input, with placeholders for what comes later: an
// aggregate's result, the window of the GROUP BY, an OVER function's result. BuildAggregate and BuildOvers
// put the nodes in place and rewrite the placeholders to their columns.

#include <arrow/scalar.h>

#include <algorithm>

#include "sql/binder.h"

namespace laminar::sql {

namespace {

constexpr const char* kWindowHint = "write e.g. GROUP BY TUMBLE(INTERVAL '1 minute')";

std::optional<TableFunctionKind> WindowKindOfName(const std::string& base) {
  if (base == "tumble") return TableFunctionKind::kTumble;
  if (base == "hop") return TableFunctionKind::kHop;
  if (base == "session") return TableFunctionKind::kSession;
  if (base == "cumulate") return TableFunctionKind::kCumulate;
  return std::nullopt;
}

}  // namespace

int64_t Binder::BindWindowLength(const Expr& expr) {
  if (expr.kind == ExprKind::kString) {
    auto us = ParseDurationUs(expr.text);
    if (!us || *us <= 0) {
      throw UserError(Reason::kBadInterval, expr.span, "'" + expr.text + "' is not a positive length of time")
          .Hint("write INTERVAL '5' MINUTE or '5 minutes'");
    }
    return *us;
  }
  SelectContext none;
  ExpressionPtr bound = BindExpr(expr, none);
  const auto* literal = dynamic_cast<const LiteralExpression*>(bound.get());
  if (!literal || literal->type().id() != TypeId::kInterval || !literal->value()->is_valid) {
    throw UserError(Reason::kBadInterval, expr.span, "a window length must be an INTERVAL literal")
        .Hint("write INTERVAL '5' MINUTE");
  }
  const auto value = static_cast<const arrow::MonthDayNanoIntervalScalar&>(*literal->value()).value;
  if (value.months != 0) {
    throw UserError(Reason::kBadInterval, expr.span,
                    "months and years have no fixed length, so a window cannot use them")
        .Hint("write it in days, e.g. INTERVAL '30' DAY");
  }
  return value.days * 86'400'000'000 + value.nanoseconds / 1000;
}

WindowDefinition Binder::BindWindowDefinition(TableFunctionKind kind, const std::vector<const Expr*>& sizes,
                                              SourceSpan span) {
  std::vector<int64_t> us;
  for (const Expr* size : sizes) us.push_back(BindWindowLength(*size));
  auto need = [&](size_t least, size_t most, const char* form) {
    if (us.size() < least || us.size() > most) {
      throw UserError(Reason::kTypeError, span, std::string("wrong number of lengths for this window"))
          .Hint(std::string("write ") + form);
    }
  };
  WindowDefinition window;
  switch (kind) {
    case TableFunctionKind::kTumble:
      need(1, 2, "TUMBLE(size) or TUMBLE(ts, size)");
      window.kind = WindowKind::kTumble;
      window.size_us = window.slide_us = us[0];
      if (us.size() > 1) window.offset_us = us[1];
      break;
    case TableFunctionKind::kHop:
      need(2, 3, "HOP(slide, size) or HOP(ts, slide, size)");
      window.kind = WindowKind::kHop;
      window.slide_us = us[0];
      window.size_us = us[1];
      if (us.size() > 2) window.offset_us = us[2];
      break;
    case TableFunctionKind::kSession:
      need(1, 1, "SESSION(gap) or SESSION(ts, gap)");
      window.kind = WindowKind::kSession;
      window.size_us = us[0];
      break;
    case TableFunctionKind::kCumulate:
      need(2, 3, "CUMULATE(step, size)");
      window.kind = WindowKind::kCumulate;
      window.slide_us = us[0];
      window.size_us = us[1];
      if (us.size() > 2) window.offset_us = us[2];
      break;
  }
  if (window.size_us <= 0 || (kind != TableFunctionKind::kSession && window.slide_us <= 0)) {
    throw UserError(Reason::kBadInterval, span, "a window length must be more than zero");
  }
  if ((window.kind == WindowKind::kHop || window.kind == WindowKind::kCumulate) &&
      window.size_us % window.slide_us != 0) {
    UserError error(Reason::kHopNotMultiple, span,
                    "the size of a " + std::string(window.kind == WindowKind::kHop ? "HOP" : "CUMULATE") +
                        " window must be a multiple of its slide");
    if (window.slide_us > window.size_us && window.slide_us % window.size_us == 0) {
      error.Hint("the slide comes first: HOP(slide, size)");
    }
    throw error;
  }
  if (window.kind == WindowKind::kHop && window.size_us == window.slide_us) window.kind = WindowKind::kTumble;
  return window;
}

ExpressionPtr Binder::BindWindowFunction(const Expr& expr, SelectContext& context) {
  const std::string name = FoldName(expr.names.back().text);
  const size_t underscore = name.find('_');
  const std::string base = name.substr(0, underscore);
  const std::string part = underscore == std::string::npos ? "" : name.substr(underscore + 1);
  if (!context.allow_windows || context.inside_aggregate) {
    throw UserError(Reason::kWindowNotGrouped, expr.span,
                    "a window function is only allowed in GROUP BY and the SELECT list of that query")
        .Hint(kWindowHint);
  }
  // With a time argument first, or without.
  std::vector<const Expr*> sizes;
  ExpressionPtr time;
  size_t first = 0;
  if (!expr.args.empty()) {
    const ExprKind kind = expr.args[0]->kind;
    if (kind == ExprKind::kName || kind == ExprKind::kFunction || kind == ExprKind::kCast ||
        kind == ExprKind::kField || kind == ExprKind::kSubscript) {
      time = BindExpr(*expr.args[0], context);
      first = 1;
    }
  }
  for (size_t i = first; i < expr.args.size(); ++i) sizes.push_back(expr.args[i].get());
  WindowDefinition definition = BindWindowDefinition(*WindowKindOfName(base), sizes, expr.span);
  if (time) {
    if (time->type().id() == TypeId::kJson) time = CastTo(time, Type::Timestamp(), expr.args[0]->span);
    const auto* call = dynamic_cast<const CallExpression*>(time.get());
    const int column = ColumnIndex(time);
    if ((call && call->name() == "proctime") ||
        (column >= 0 && Contains(context.scope.schema->processing_time, column))) {
      definition.processing_time = true;
      time = nullptr;
    } else if (!time->type().is_timestamp()) {
      throw UserError(
          Reason::kTypeError, expr.args[0]->span,
          "the first argument of " + base + " must be the row time, this is " + time->type().ToString());
    }
  }
  const std::string text = definition.ToString() + (time ? " over " + time->ToString() : "");
  int index = -1;
  for (size_t i = 0; i < context.windows.size(); ++i) {
    const auto& use = context.windows[i];
    if (use.text == text) index = static_cast<int>(i);
  }
  if (index < 0) {
    index = static_cast<int>(context.windows.size());
    context.windows.push_back({definition, time, expr.span, text});
  }
  ExpressionPtr window = std::make_shared<PlaceholderExpression>(PlaceholderExpression::What::kWindow, index,
                                                                 "window " + text, Type::Window());
  if (part.empty()) return window;
  if (part == "start") return MakeFieldAccess(window, 0);
  ExpressionPtr end = MakeFieldAccess(window, 1);
  if (part == "end") return end;
  if (part == "rowtime") return Call("-", {std::move(end), IntervalLiteral(1000)}, expr.span);
  return Call("proctime", {}, expr.span);
}

ExpressionPtr Binder::BindAggregateCall(const Expr& expr, SelectContext& context) {
  const std::string name = FoldName(expr.names.back().text);
  if (!context.allow_aggregates) {
    throw UserError(Reason::kTypeError, expr.span, "an aggregate such as " + name + "() is not allowed here")
        .Hint("aggregates belong in the SELECT list, HAVING and ORDER BY");
  }
  if (context.inside_aggregate)
    throw UserError(Reason::kTypeError, expr.span, "aggregates cannot be nested")
        .Hint("aggregate in a subquery first");
  const AggregateDefinition* found = options_.functions->FindAggregate(name);
  AggregateCall call;
  call.name = found->names[0];
  call.distinct = expr.distinct;
  AggregateBindArguments bind;
  context.inside_aggregate = true;
  auto restore = [&] { context.inside_aggregate = false; };
  try {
    const bool star = expr.args.size() == 1 && expr.args[0]->kind == ExprKind::kStar;
    if (star && call.name != "count")
      throw UserError(Reason::kTypeError, expr.args[0]->span, "'*' is only for count(*)");
    if (!star) {
      for (const ExprPtr& arg : expr.args) call.args.push_back(BindExpr(*arg, context));
    }
    std::vector<SortColumn> order;
    for (const OrderItem& item : expr.order_by) {
      call.order_args.push_back(Sortable(BindExpr(*item.expr, context), item.expr->span));
      order.push_back({item.descending, item.nulls_first.value_or(item.descending)});
    }
    if (expr.filter) call.filter = ToBoolean(BindExpr(*expr.filter, context), expr.filter->span);
    bind.order = order;
  } catch (...) {
    restore();
    throw;
  }
  restore();
  const bool extreme = call.name == "min" || call.name == "max";
  if (extreme && call.args.size() == 1 && call.args[0]->type().id() == TypeId::kJson) {
    call.args.push_back(call.args[0]);  // the value whose sort key is the least or greatest
    call.name = call.name == "min" ? "arg_min" : "arg_max";
    call.distinct = false;
    found = options_.functions->FindAggregate(call.name);
  }
  if ((call.name == "arg_min" || call.name == "arg_max") && call.args.size() == 2)
    call.args[1] = Sortable(std::move(call.args[1]), expr.span);
  const AggregateDefinition& definition = *found;
  if (call.distinct && !definition.takes_distinct) {
    throw UserError(Reason::kTypeError, expr.span, call.name + " takes no DISTINCT");
  }
  if (!call.order_args.empty() && !definition.takes_order_by) {
    throw UserError(Reason::kTypeError, expr.span, call.name + " takes no ORDER BY");
  }
  // FIRST_VALUE and LAST_VALUE go by row time where there is one, else by arrival.
  if ((call.name == "first_value" || call.name == "last_value") && call.order_args.empty() &&
      context.scope.schema->row_time >= 0 && !context.scope.schema->default_row_time) {
    call.order_args.push_back(ColumnOf(*context.scope.schema, context.scope.schema->row_time));
    bind.order.push_back({});
  }
  call.order = bind.order;
  for (const ExpressionPtr& arg : call.args) {
    bind.types.push_back(arg->type());
    const auto* literal = dynamic_cast<const LiteralExpression*>(arg.get());
    bind.constants.push_back(literal ? literal->value() : nullptr);
  }
  for (const ExpressionPtr& arg : call.order_args) bind.order_types.push_back(arg->type());
  bind.ignore_nulls = expr.ignore_nulls;
  bind.retractable = context.scope.schema && context.scope.schema->changelog;
  BoundAggregate bound;
  try {
    bound = definition.bind(bind);
  } catch (UserError& error) {
    // An open table's JSON adapts to numbers.
    bool json = false;
    for (size_t i = 0; i < bind.types.size(); ++i) {
      if (bind.types[i].id() == TypeId::kJson) {
        json = true;
        bind.types[i] = Type::Double();
        call.args[i] = CastTo(call.args[i], Type::Double(), expr.span);
      }
    }
    if (!json) throw error.At(expr.span);
    try {
      bound = definition.bind(bind);
    } catch (UserError& again) {
      throw again.At(expr.span);
    }
  }
  for (size_t i = 0; i < call.args.size() && i < bound.parameters.size(); ++i) {
    call.args[i] =
        CastTo(call.args[i], bound.parameters[i], expr.args[std::min(i, expr.args.size() - 1)]->span);
  }
  call.function = bound.function;
  const std::string text = call.ToString() + (expr.ignore_nulls ? " ignore nulls" : "");
  int index = -1;
  for (size_t i = 0; i < context.aggregates.size(); ++i) {
    if (context.aggregates[i].ToString() == text) index = static_cast<int>(i);
  }
  if (index < 0) {
    index = static_cast<int>(context.aggregates.size());
    context.aggregates.push_back(call);
  }
  return std::make_shared<PlaceholderExpression>(PlaceholderExpression::What::kAggregate, index, text,
                                                 call.function->result());
}

const WindowSpec* Binder::ResolveWindowSpec(const WindowSpec& spec, SelectContext& context) {
  if (!spec.base) return &spec;
  if (context.named_windows) {
    for (const auto& [name, named] : *context.named_windows) {
      if (EqualsIgnoreCase(name.text, spec.base->text)) return named.get();
    }
  }
  throw UserError(Reason::kUnknownColumn, spec.base->span, "no window '" + spec.base->text + "'")
      .Hint("declare it with WINDOW " + spec.base->text + " AS (…)");
}

namespace {

Frame BindFrame(const WindowSpec& spec, bool has_order,
                const std::function<int64_t(const Expr&, bool rows)>& offset) {
  Frame frame;
  if (!has_order) {
    frame.whole_partition = true;
    return frame;
  }
  if (!spec.has_frame) return frame;  // RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  frame.rows = spec.unit == FrameUnit::kRows;
  if (spec.start.kind == FrameBoundKind::kUnboundedPreceding &&
      spec.end.kind == FrameBoundKind::kUnboundedFollowing) {
    frame.whole_partition = true;
    return frame;
  }
  if (spec.end.kind != FrameBoundKind::kCurrentRow) {
    throw UserError(Reason::kUnsupported, spec.span, "a frame must end at CURRENT ROW");
  }
  switch (spec.start.kind) {
    case FrameBoundKind::kUnboundedPreceding:
      break;
    case FrameBoundKind::kPreceding:
      frame.preceding = offset(*spec.start.offset, frame.rows);
      break;
    case FrameBoundKind::kCurrentRow:
      frame.preceding = 0;
      break;
    default:
      throw UserError(Reason::kUnsupported, spec.span, "a frame must start at or before CURRENT ROW");
  }
  return frame;
}

std::optional<OverKind> OverKindOfName(const std::string& name) {
  static const std::map<std::string, OverKind> kKinds = {{"row_number", OverKind::kRowNumber},
                                                         {"rank", OverKind::kRank},
                                                         {"dense_rank", OverKind::kDenseRank},
                                                         {"percent_rank", OverKind::kPercentRank},
                                                         {"cume_dist", OverKind::kCumeDist},
                                                         {"ntile", OverKind::kNtile},
                                                         {"lag", OverKind::kLag},
                                                         {"lead", OverKind::kLead},
                                                         {"first_value", OverKind::kFirstValue},
                                                         {"last_value", OverKind::kLastValue},
                                                         {"nth_value", OverKind::kNthValue}};
  auto found = kKinds.find(name);
  return found == kKinds.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

ExpressionPtr Binder::BindOverCall(const Expr& expr, SelectContext& context) {
  const std::string name = FoldName(expr.names.back().text);
  if (!context.allow_over) {
    throw UserError(Reason::kUnsupported, expr.span, "a window function is not allowed here")
        .Hint("compute it in a subquery and filter outside");
  }
  const WindowSpec& spec = *ResolveWindowSpec(*expr.over, context);
  SelectContext::OverUse use;
  use.span = expr.span;
  const bool saved = context.allow_over;
  context.allow_over = false;
  for (const ExprPtr& item : spec.partition_by) use.partition_by.push_back(BindExpr(*item, context));
  for (const OrderItem& item : spec.order_by) {
    use.order_by.push_back({Sortable(BindExpr(*item.expr, context), item.expr->span),
                            {item.descending, item.nulls_first.value_or(item.descending)}});
  }
  use.frame = BindFrame(spec, !spec.order_by.empty(), [&](const Expr& offset, bool rows) {
    return rows ? BindCount(offset, "the number of rows") : BindWindowLength(offset);
  });
  if (auto kind = OverKindOfName(name)) {
    use.call.kind = *kind;
    use.call.ignore_nulls = expr.ignore_nulls;
    for (const ExprPtr& arg : expr.args) use.call.args.push_back(BindExpr(*arg, context));
    auto count = [&](size_t least, size_t most) {
      if (use.call.args.size() < least || use.call.args.size() > most) {
        throw UserError(Reason::kTypeError, expr.span,
                        name + " takes " + std::to_string(least) +
                            (most > least ? " to " + std::to_string(most) : "") + " arguments");
      }
    };
    switch (*kind) {
      case OverKind::kRowNumber:
      case OverKind::kRank:
      case OverKind::kDenseRank:
        count(0, 0);
        use.call.type = Type::Int64();
        break;
      case OverKind::kPercentRank:
      case OverKind::kCumeDist:
        count(0, 0);
        use.call.type = Type::Double();
        break;
      case OverKind::kNtile:
        count(1, 1);
        use.call.offset = BindCount(*expr.args[0], "the number of buckets");
        use.call.args.clear();
        use.call.type = Type::Int64();
        break;
      case OverKind::kLag:
      case OverKind::kLead:
        count(1, 3);
        if (expr.args.size() > 1) use.call.offset = BindCount(*expr.args[1], "the offset");
        if (expr.args.size() > 2) {
          use.call.args = {use.call.args[0],
                           CastTo(use.call.args[2], use.call.args[0]->type(), expr.args[2]->span)};
        } else {
          use.call.args.resize(1);
        }
        use.call.type = use.call.args[0]->type();
        break;
      case OverKind::kNthValue:
        count(2, 2);
        use.call.offset = BindCount(*expr.args[1], "the position");
        use.call.args.resize(1);
        use.call.type = use.call.args[0]->type();
        break;
      default:
        count(1, 1);
        use.call.type = use.call.args[0]->type();
    }
  } else {
    if (!options_.functions->FindAggregate(name)) {
      throw UserError(Reason::kUnknownFunction, expr.span,
                      "'" + name + "' is not an aggregate or window function");
    }
    // Bound like an aggregate, then taken out of the list again: its rows are those of the frame.
    SelectContext inner;
    inner.scope = context.scope;
    inner.allow_aggregates = true;
    inner.aliases = context.aliases;
    ExpressionPtr placeholder = BindAggregateCall(expr, inner);
    use.call.kind = OverKind::kAggregate;
    use.call.aggregate = inner.aggregates[0];
    use.call.type = placeholder->type();
  }
  context.allow_over = saved;
  const int index = static_cast<int>(context.overs.size());
  const Type type = use.call.type;
  context.overs.push_back(std::move(use));
  return std::make_shared<PlaceholderExpression>(PlaceholderExpression::What::kOver, index,
                                                 "over#" + std::to_string(index), type);
}

void Binder::CheckWindowOfWindows(const WindowDefinition& outer, const WindowDefinition& inner,
                                  SourceSpan span) {
  if (inner.kind == WindowKind::kTumble && outer.kind == WindowKind::kTumble &&
      outer.size_us % inner.size_us == 0 && (outer.offset_us - inner.offset_us) % inner.size_us == 0)
    return;
  throw UserError(Reason::kWindowMismatch, span, outer.ToString() + " over an input with " + inner.ToString())
      .Hint("group by the input's window, or use a tumble that is a multiple of its tumble");
}

NodePtr Binder::WithRowTime(NodePtr node, const ExpressionPtr& time, SourceSpan span) {
  const PlanSchema& schema = node->schema;
  const int column = ColumnIndex(time);
  if (column >= 0 && column == schema.row_time) return node;
  // window_time: in the same window as the row time, the window's last microsecond.
  if (schema.row_time >= 0 && PartOfWindow(time, schema) == WindowPart::kTime) return node;
  if (!schema.default_row_time || schema.window) {
    if (schema.row_time < 0) {
      throw UserError(Reason::kTypeError, span, "this query has no row time for a window")
          .Hint("declare WATERMARK FOR on the source table");
    }
    UserError error(Reason::kTypeError, span, "the window must be over the row time");
    throw error.Hint(
        schema.window ? "the rows here are windows: use their window_time, or a window without a time column"
                      : "the row time here is '" + schema.columns[schema.row_time].name + "'");
  }
  // The table declares no event time: this query sets it, one second behind the newest row.
  NodePtr input = node;
  int time_column = column;
  if (column < 0) {
    std::vector<ExpressionPtr> exprs;
    std::vector<std::string> names;
    for (int i = 0; i < schema.num_columns(); ++i) {
      exprs.push_back(ColumnOf(schema, i));
      names.push_back(schema.columns[i].name);
    }
    exprs.push_back(time);
    names.push_back("row_time");
    input = MakeProject(node, std::move(exprs), std::move(names), span);
    time_column = schema.num_columns();
    auto copy = std::make_shared<LogicalNode>(*input);
    copy->schema.columns[time_column].hidden = true;
    for (int i = 0; i < schema.num_columns(); ++i) copy->schema.columns[i].hidden = schema.columns[i].hidden;
    input = copy;
  }
  auto watermark = MakeNode(NodeKind::kWatermark, {input}, span);
  watermark->schema = input->schema;
  watermark->time_column = time_column;
  watermark->delay_us = script_.settings.watermark_delay_us.value_or(1'000'000);
  watermark->schema.row_time = time_column;
  watermark->schema.default_row_time = false;
  return watermark;
}

NodePtr Binder::BuildAggregate(NodePtr input, const Select& select, SelectContext& context,
                               std::vector<ExpressionPtr> groups, std::vector<SourceSpan> group_spans,
                               std::vector<ExpressionPtr*> outputs,
                               const std::vector<SourceSpan>& output_spans) {
  // Which group items are the window, and of what kind.
  int window_use = -1;
  bool incoming = false;
  bool incoming_start = false, incoming_end = false;
  SourceSpan window_span = select.span;
  std::vector<int> plain;
  for (size_t i = 0; i < groups.size(); ++i) {
    const auto* placeholder = dynamic_cast<const PlaceholderExpression*>(groups[i].get());
    const WindowPart part = PartOfWindow(groups[i], input->schema);
    if (placeholder && placeholder->what() == PlaceholderExpression::What::kWindow) {
      if (window_use >= 0 && window_use != placeholder->index()) {
        throw UserError(Reason::kMultipleWindows, group_spans[i], "a GROUP BY can hold one window only");
      }
      window_use = placeholder->index();
      window_span = group_spans[i];
    } else if (part != WindowPart::kNone) {
      incoming = true;
      incoming_start = incoming_start || part == WindowPart::kStart || part == WindowPart::kStruct;
      incoming_end = incoming_end || part == WindowPart::kEnd || part == WindowPart::kStruct;
      window_span = group_spans[i];
    } else {
      plain.push_back(static_cast<int>(i));
    }
  }
  for (size_t i = 0; i < context.windows.size(); ++i) {
    if (static_cast<int>(i) == window_use) continue;
    UserError error(Reason::kWindowNotGrouped, context.windows[i].span, "this window is not in the GROUP BY");
    throw error.Hint(window_use < 0
                         ? kWindowHint
                         : "the GROUP BY has " + context.windows[window_use].definition.ToString());
  }
  if (incoming && window_use >= 0)
    throw UserError(Reason::kMultipleWindows, window_span, "a GROUP BY can hold one window only");
  if (incoming && incoming_start != incoming_end) {
    Warn("WINDOW_HALF_GROUPED", window_span,
         "the GROUP BY names only one bound of the window; both are grouped by");
  }

  const bool windowed = incoming || window_use >= 0;
  if (!windowed && input->schema.window) {
    throw UserError(Reason::kMissingWindow, select.span,
                    "the input has windows (" + input->schema.window->definition.ToString() +
                        "), the GROUP BY does not name them")
        .Hint("add the window column to the GROUP BY");
  }
  if (windowed && input->schema.changelog) {
    throw UserError(Reason::kUnsupported, window_span,
                    "a windowed aggregate over an updating input is not supported")
        .Hint("window before the join or aggregate that makes it updating");
  }

  auto node = MakeNode(windowed ? NodeKind::kWindowAggregate : NodeKind::kAggregate, {input}, select.span);
  if (windowed) {
    if (window_use >= 0) {
      const auto& use = context.windows[window_use];
      node->window = use.definition;
      if (input->schema.window) {
        const WindowDefinition& in = input->schema.window->definition;
        const bool fixed = in.kind == WindowKind::kTumble || in.kind == WindowKind::kHop;
        if (use.definition == in && fixed) {
          node->window_from_columns = true;
        } else {
          CheckWindowOfWindows(use.definition, in, window_span);
        }
      }
      if (!node->window_from_columns && !use.definition.processing_time) {
        if (use.time) {
          NodePtr timed = WithRowTime(input, use.time, use.span);
          node->inputs = {timed};
        }
        if (node->inputs[0]->schema.row_time < 0) {
          throw UserError(Reason::kMissingWindow, window_span, "this query has no row time for a window")
              .Hint("declare WATERMARK FOR on the source table");
        }
        node->time_column = node->inputs[0]->schema.row_time;
      }
    } else {
      node->window_from_columns = true;
      node->window = input->schema.window->definition;
      // Straight over a window table function: aggregate into panes instead of copying rows into each window.
      NodePtr below = input;
      ExpressionPtr filter;
      if (below->kind == NodeKind::kFilter && below->inputs[0]->kind == NodeKind::kWindowAssign) {
        filter = below->predicate;
        below = below->inputs[0];
      }
      // A SESSION table function has its own sessions where it is filtered or partitioned by other keys.
      auto own_sessions = [&] {
        if (below->window.kind != WindowKind::kSession) return false;
        std::set<std::string> keys, partition;
        for (int i : plain) keys.insert(groups[i]->ToString());
        for (const ExpressionPtr& key : below->partition_by) partition.insert(key->ToString());
        return filter || (!partition.empty() && partition != keys);
      };
      if (below->kind == NodeKind::kWindowAssign && !own_sessions()) {
        const int limit = below->inputs[0]->schema.num_columns();
        std::vector<int> used;
        for (int i : plain) CollectColumns(*groups[i], &used);
        for (const AggregateCall& call : context.aggregates) {
          for (const auto& arg : call.args) CollectColumns(*arg, &used);
          for (const auto& arg : call.order_args) CollectColumns(*arg, &used);
          if (call.filter) CollectColumns(*call.filter, &used);
        }
        if (filter) CollectColumns(*filter, &used);
        const bool reads_window = std::any_of(used.begin(), used.end(), [&](int c) { return c >= limit; });
        if (!reads_window) {
          node->window_from_columns = false;
          node->time_column = below->time_column;
          NodePtr source = below->inputs[0];
          node->inputs = {filter ? MakeFilter(source, filter, select.span) : source};
        }
      }
    }
  }
  for (int i : plain) {
    if (groups[i]->volatility() == Volatility::kVolatile) {
      throw UserError(Reason::kTypeError, group_spans[i],
                      "a GROUP BY key must give the same value each time");
    }
    node->groups.push_back(groups[i]);
  }
  node->calls = context.aggregates;

  PlanSchema& schema = node->schema;
  for (size_t i = 0; i < plain.size(); ++i) {
    const ExpressionPtr& group = groups[plain[i]];
    const auto* column = dynamic_cast<const ColumnExpression*>(group.get());
    schema.columns.push_back(
        {column ? column->name() : "key" + std::to_string(i), group->type(), true, false});
  }
  for (const AggregateCall& call : context.aggregates) {
    schema.columns.push_back({call.name, call.function->result(), true, false});
  }
  schema.bounded = input->schema.bounded;
  const int num_groups = static_cast<int>(plain.size());
  int start = -1;
  if (windowed) {
    start = schema.num_columns();
    schema.columns.push_back({"window_start", Type::Timestamp(), false, true});
    schema.columns.push_back({"window_end", Type::Timestamp(), false, true});
    schema.window = WindowProperty{node->window, {start}, {start + 1}, {}, {}};
  } else {
    schema.changelog = true;
    schema.one_row = num_groups == 0;
    for (int i = 0; i < num_groups; ++i) schema.key.push_back(i);
  }

  // Rewrite what was bound over the input to columns of the aggregate.
  auto start_expr = [&] { return MakeColumn(start, "window_start", Type::Timestamp()); };
  auto end_expr = [&] { return MakeColumn(start + 1, "window_end", Type::Timestamp()); };
  auto window_expr = [&] { return MakeStruct({start_expr(), end_expr()}, Type::Window()); };
  std::vector<std::string> group_texts;
  for (int i : plain) group_texts.push_back(groups[i]->ToString());
  SourceSpan at = select.span;  // of the output being rewritten
  auto replace = [&](const ExpressionPtr& e) -> ExpressionPtr {
    if (const auto* placeholder = dynamic_cast<const PlaceholderExpression*>(e.get())) {
      switch (placeholder->what()) {
        case PlaceholderExpression::What::kAggregate:
          return MakeColumn(num_groups + placeholder->index(), placeholder->ToString(), placeholder->type());
        case PlaceholderExpression::What::kWindow:
          return window_expr();
        case PlaceholderExpression::What::kOver:
          return e;
      }
    }
    const std::string text = e->ToString();
    for (int i = 0; i < num_groups; ++i) {
      if (group_texts[i] == text) return MakeColumn(i, schema.columns[i].name, e->type());
    }
    if (incoming) {
      switch (PartOfWindow(e, input->schema)) {
        case WindowPart::kStruct:
          return window_expr();
        case WindowPart::kStart:
          return start_expr();
        case WindowPart::kEnd:
          return end_expr();
        case WindowPart::kTime:
          return Call("-", {end_expr(), IntervalLiteral(kWindowTimeUs)}, select.span);
        case WindowPart::kNone:
          break;
      }
    }
    if (const auto* column = dynamic_cast<const ColumnExpression*>(e.get())) {
      throw UserError(Reason::kTypeError, at,
                      "column '" + column->name() + "' is neither in the GROUP BY nor inside an aggregate")
          .Hint("add it to the GROUP BY, or write e.g. max(" + column->name() + ")");
    }
    return nullptr;
  };
  for (size_t i = 0; i < outputs.size(); ++i) {
    at = output_spans[i];
    *outputs[i] = Rewrite(*outputs[i], replace);
  }
  for (auto& use : context.overs) {
    at = use.span;
    for (auto& item : use.partition_by) item = Rewrite(item, replace);
    for (auto& item : use.order_by) item.expr = Rewrite(item.expr, replace);
    for (auto& arg : use.call.args) arg = Rewrite(arg, replace);
    for (auto& arg : use.call.aggregate.args) arg = Rewrite(arg, replace);
    for (auto& arg : use.call.aggregate.order_args) arg = Rewrite(arg, replace);
    if (use.call.aggregate.filter) use.call.aggregate.filter = Rewrite(use.call.aggregate.filter, replace);
  }
  if (!windowed) return node;

  return AtWindowEnd(node);
}

/// What comes out when a window closes is behind the row times of its rows: its row time is the window's last
/// microsecond.
NodePtr Binder::AtWindowEnd(NodePtr node) {
  const PlanSchema& schema = node->schema;
  if (!schema.window || schema.window->whole || schema.changelog) return node;
  std::vector<ExpressionPtr> exprs;
  for (int i = 0; i < schema.num_columns(); ++i) exprs.push_back(ColumnOf(schema, i));
  const ExpressionPtr end = ColumnOf(schema, schema.window->end_columns.at(0));
  exprs.push_back(Call("-", {end, IntervalLiteral(1)}, node->span));
  auto project = MakeNode(NodeKind::kProject, {node}, node->span);
  project->exprs = std::move(exprs);
  project->schema = schema;
  project->schema.window->whole = true;
  project->schema.row_time = schema.num_columns();
  project->schema.columns.push_back({"row_time", Type::Timestamp(), false, true});
  return project;
}

NodePtr Binder::BuildOvers(NodePtr input, SelectContext& context, std::vector<ExpressionPtr*> outputs) {
  std::vector<int> column_of(context.overs.size(), -1);
  auto describe = [&](const SelectContext::OverUse& use) {
    std::string text;
    for (const auto& item : use.partition_by) text += item->ToString() + ",";
    text += "|";
    for (const auto& item : use.order_by)
      text += item.expr->ToString() + (item.sort.descending ? "d" : "a") +
              (item.sort.nulls_first ? "f" : "l") + ",";
    text += "|" + std::to_string(use.frame.rows) + std::to_string(use.frame.whole_partition) +
            std::to_string(use.frame.preceding.value_or(-1));
    // By row time ROW_NUMBER has a frame of its own, and alone it can become a top-N.
    if (!input->schema.window && use.call.kind == OverKind::kRowNumber) text += "|row_number";
    return text;
  };
  for (size_t i = 0; i < context.overs.size(); ++i) {
    if (column_of[i] >= 0) continue;
    const auto& first = context.overs[i];
    const PlanSchema& in = input->schema;
    auto node = MakeNode(NodeKind::kOver, {input}, first.span);
    node->partition_by = first.partition_by;
    node->order_by = first.order_by;
    node->frame = first.frame;
    node->schema = in;
    const bool by_window =
        std::any_of(first.partition_by.begin(), first.partition_by.end(),
                    [&](const auto& item) { return PartOfWindow(item, in) != WindowPart::kNone; });
    // Without ORDER BY an aggregate takes in all rows of the window anyway.
    const bool whole_window = first.order_by.empty() && first.call.kind == OverKind::kAggregate;
    if (in.window && !by_window && !whole_window) {
      throw UserError(Reason::kOverNeedsWindow, first.span,
                      "the input has windows, so OVER must be PARTITION BY its window")
          .Hint("add the window column to PARTITION BY");
    }
    node->per_window = in.window.has_value();
    const std::string text = describe(first);
    for (size_t j = i; j < context.overs.size(); ++j) {
      if (column_of[j] >= 0 || describe(context.overs[j]) != text) continue;
      column_of[j] = node->schema.num_columns();
      node->over_calls.push_back(context.overs[j].call);
      node->schema.columns.push_back({"over" + std::to_string(j), context.overs[j].call.type, true, false});
    }
    input = node;
  }
  auto replace = [&](const ExpressionPtr& e) -> ExpressionPtr {
    const auto* placeholder = dynamic_cast<const PlaceholderExpression*>(e.get());
    if (!placeholder || placeholder->what() != PlaceholderExpression::What::kOver || placeholder->index() < 0)
      return nullptr;
    return MakeColumn(column_of[placeholder->index()], placeholder->ToString(), placeholder->type());
  };
  for (ExpressionPtr* output : outputs) *output = Rewrite(*output, replace);
  return AtWindowEnd(input);
}

}  // namespace laminar::sql
